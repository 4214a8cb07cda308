# shellcheck shell=bash
# What the scripts share. To be sourced, not run.

# The version of certbot that the tests run against.
CERTBOT_VERSION=5.8.0

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

# need_certbot: sets CERTBOT to a certbot of the wanted version in an environment
# of its own under target/.
need_certbot() {
    local home="$PWD/target/tools/certbot-$CERTBOT_VERSION"
    CERTBOT="$home/bin/certbot"
    [ -x "$CERTBOT" ] && return
    need_program python3 python3
    python3 -c 'import ensurepip' 2>/dev/null || need_packages python3-venv
    say "installing certbot $CERTBOT_VERSION"
    rm -rf "$home"
    python3 -m venv "$home"
    "$home/bin/pip" install --quiet --disable-pip-version-check "certbot==$CERTBOT_VERSION" >&2
}
