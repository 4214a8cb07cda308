#!/usr/bin/env bash
# Fuzzes one parser with libFuzzer, on stable Rust.
#
#   tools/fuzz.sh                      names the targets
#   tools/fuzz.sh TARGET [SECONDS] [ARGUMENT OF libFuzzer…]
#   tools/fuzz.sh TARGET 60 FILE       runs that one input again
#   tools/fuzz.sh --keep TARGET        chooses the committed corpus anew from all that was found
#
# Begins with seeds made from the test vectors and with the committed corpus,
# fuzz/corpus/TARGET. What it finds worth keeping goes to target/fuzz/corpus/TARGET,
# an input that breaks a promise to target/fuzz/findings/TARGET.
# Needs a C++ compiler; see docs/testing.md.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/lib.sh

# The committed corpus runs with every test, so its files are few and short.
KEEP_FILES=40
KEEP_BYTES=1500

home=$PWD/target/fuzz

targets() { for file in fuzz/fuzz_targets/*.rs; do basename "$file" .rs; done; }

# build: sets program. libFuzzer needs to see which code an input reaches; Cargo
# hands these flags to what it builds for --target alone, so that build scripts
# and macros are spared.
build() {
    local host coverage=(
        -Cpasses=sancov-module
        -Cllvm-args=-sanitizer-coverage-level=4
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
        -Cllvm-args=-sanitizer-coverage-pc-table
        -Cllvm-args=-sanitizer-coverage-trace-compares
        --cfg fuzzing
    )
    host=$(rustc -vV | sed -n 's/^host: //p')
    RUSTFLAGS=${coverage[*]} cargo build --quiet --locked --release --bins --target "$host" \
        --manifest-path fuzz/Cargo.toml --target-dir "$home/build"
    program=$home/build/$host/release/$target
}

# keep: of the inputs that together reach what the seeds do not, some of every length.
keep() {
    local best=$home/best/$target inputs count=$KEEP_FILES number
    rm -rf "$best"
    cp -r "$seeds" "$best"
    "$program" -set_cover_merge=1 -use_counters=0 -max_len=$KEEP_BYTES "$best" "$kept" "$found"
    find "$best" -name 'seed-*' -delete
    find "$kept" -type f -delete
    mapfile -t inputs < <(find "$best" -type f -printf '%s %p\n' | sort -n | cut -d' ' -f2-)
    if [ ${#inputs[@]} -lt "$count" ]; then count=${#inputs[@]}; fi
    for ((number = 1; number <= count; number++)); do
        cp "${inputs[$((number * ${#inputs[@]} / count - 1))]}" "$kept"
    done
    say "$kept holds $count inputs of ${#inputs[@]}"
}

if [ $# -eq 0 ]; then
    targets
    exit
fi
mode=fuzz
if [ "$1" = --keep ]; then
    mode=keep
    shift
fi
target=${1:-}
seconds=${2:-60}
shift $(($# > 1 ? 2 : $#))
[ -f "fuzz/fuzz_targets/$target.rs" ] || fail "\`$target\` is no target; there are: $(targets | paste -sd ' ')"
# To libFuzzer, 0 is for ever.
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "\`$seconds\` is no number of seconds"
need_program c++ g++

say "building"
build

kept=fuzz/corpus/$target
found=$home/corpus/$target
findings=$home/findings/$target
seeds=$home/seeds/$target
rm -rf "$seeds"
mkdir -p "$kept" "$found" "$findings" "$seeds"
export CHANCERY_FUZZ_SEEDS=$seeds

if [ "$mode" = keep ]; then
    "$program" -runs=0 "$seeds" 2>/dev/null
    keep
    exit
fi
options=(
    -dict=fuzz/words.dict
    -max_len=8192
    -timeout=10
    -rss_limit_mb=2048
    -print_final_stats=1
    "-max_total_time=$seconds"
    "-artifact_prefix=$findings/"
)
# libFuzzer runs files again, and fuzzes over folders.
for argument in "$@"; do
    if [ -f "$argument" ]; then exec "$program" "${options[@]}" "$@"; fi
done
say "$target, $seconds s"
exec "$program" "${options[@]}" "$@" "$found" "$kept" "$seeds"
