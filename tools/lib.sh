# shellcheck shell=bash
# What the scripts share. To be sourced, not run.

# The versions of the clients from PyPI that the tests run. acme-client's is in
# tools/clients/npm/package.json.
# shellcheck disable=SC2034  # for whoever sources this
CERTBOT_VERSION=5.8.0
# shellcheck disable=SC2034
CADDY_VERSION=2.11.7
# What asks the portal everything that its OpenAPI document tells of, from PyPI.
# shellcheck disable=SC2034
SCHEMATHESIS_VERSION=4.32.5

# say TEXT: progress, on stderr, so that it never mixes with output.
say() { printf '== %s\n' "$*" >&2; }

# fail TEXT: says what is wrong and ends the script.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# as_root COMMAND…: as it stands when root already, else through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root and there is no sudo: $*"
    fi
}

# need_packages PACKAGE…: installs Debian packages. Call it only when a program
# of theirs is missing, so that a machine which has them needs no network.
need_packages() {
    command -v apt-get >/dev/null || fail "please install what these Debian packages hold: $*"
    say "installing Debian packages: $*"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# need_program PROGRAM PACKAGE: PROGRAM from a Debian package, unless it is there.
need_program() {
    command -v "$1" >/dev/null || need_packages "$2"
}

# need_cargo_tool CRATE VERSION: a Cargo subcommand, built from source unless any
# version of it is there.
need_cargo_tool() {
    command -v "$1" >/dev/null && return
    say "building $1 $2 (a few minutes, once)"
    cargo install --quiet --locked --version "$2" "$1"
    command -v "$1" >/dev/null || PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
}
