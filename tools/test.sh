#!/usr/bin/env bash
# Every test, with the real clients and on both database engines.
#
#   tools/test.sh [ARGUMENT OF cargo nextest run…]
#
# Installs what is missing (cargo-nextest; Debian: postgresql, openssl, faketime, strace;
# the programs of tools/clients.sh, from Debian and under target/tools), so a
# second run needs no network. Starts one temporary PostgreSQL cluster and
# removes it on every way out. With arguments, only the chosen tests run and the
# doc tests are left out.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/lib.sh
. tools/postgres.sh
. tools/clients.sh

need_cargo_tool cargo-nextest 0.9.143
need_program openssl openssl
need_program faketime faketime
need_program strace strace
need_clients

trap stop_postgres EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
say "starting a temporary PostgreSQL cluster"
start_postgres

export CHANCERY_TEST_POSTGRES="$POSTGRES_DSN"

# Cargo lets --workspace win over -p, so it is given only when no package is named.
packages=(--workspace)
for argument in "$@"; do
    case $argument in -p* | --package*) packages=() ;; esac
done

# Cargo builds only the programs of the package whose tests it runs, and some
# tests run several of them together.
say "programs"
cargo build --locked -p chancery -p chancery-portal -p chancery-license --bins --example licensed_program

say "tests"
cargo nextest run "${packages[@]}" --locked "$@"
if [ $# -eq 0 ]; then
    say "doc tests"
    cargo test --doc --workspace --locked --quiet
fi
