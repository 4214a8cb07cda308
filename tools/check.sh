#!/usr/bin/env bash
# What needs no running server: format, lints, licences of the dependencies,
# and the shape of the house.
#
#   tools/check.sh
#
# Installs cargo-deny if it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/lib.sh

need_cargo_tool cargo-deny 0.20.2
# cargo-deny below looks at the whole graph and may not use the network.
cargo fetch --locked --quiet

say "format"
cargo fmt --all --check
say "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings
say "dependencies"
cargo deny --offline --locked check --hide-inclusion-graph licenses bans sources
say "layering"
cargo test --quiet --locked -p chancery-testkit --test it house::
if command -v shellcheck >/dev/null; then
    say "scripts"
    shellcheck -x tools/*.sh .ci/run
fi
