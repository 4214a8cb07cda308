#!/usr/bin/env bash
# The long form of the tests: the kill tests with hundreds of rounds and the
# property tests with thousands of cases.
#
#   [CHANCERY_TEST_ROUNDS=200] [PROPTEST_CASES=20000] tools/soak.sh [ARGUMENT OF cargo nextest run…]
set -euo pipefail
cd "$(dirname "$0")/.."

export CHANCERY_TEST_ROUNDS="${CHANCERY_TEST_ROUNDS:-200}"
export PROPTEST_CASES="${PROPTEST_CASES:-20000}"
exec tools/test.sh --profile soak "$@"
