#!/usr/bin/env bash
# The long form of the tests: the kill tests with hundreds of rounds, the property
# tests with thousands of cases, and then every fuzz target in turn.
#
#   [CHANCERY_TEST_ROUNDS=200] [PROPTEST_CASES=20000] [CHANCERY_FUZZ_SECONDS=600] tools/soak.sh
#   tools/soak.sh ARGUMENT OF cargo nextest run…       (those tests alone, and no fuzzing)
#
# CHANCERY_FUZZ_SECONDS is for each target; 0 leaves fuzzing out.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/lib.sh

export CHANCERY_TEST_ROUNDS="${CHANCERY_TEST_ROUNDS:-200}"
export PROPTEST_CASES="${PROPTEST_CASES:-20000}"
seconds=${CHANCERY_FUZZ_SECONDS:-600}

tools/test.sh --profile soak "$@"
if [ $# -gt 0 ] || [ "$seconds" = 0 ]; then exit; fi
for target in $(tools/fuzz.sh); do
    tools/fuzz.sh "$target" "$seconds" || fail "fuzzing $target found something: see target/fuzz/findings/$target"
done
