# shellcheck shell=bash
# One temporary PostgreSQL cluster, from Debian's server binaries. To be sourced,
# after lib.sh.
#
# It listens on a free loopback port, knows one superuser with a random password
# (SCRAM), has no Unix socket, and runs with fsync off: the tests kill chancery,
# never PostgreSQL, so the durability of PostgreSQL itself is not under test.

POSTGRES_HOME=
POSTGRES_BIN=

# start_postgres: sets POSTGRES_DSN. Call stop_postgres on every way out.
start_postgres() {
    local password port attempt
    find_postgres
    POSTGRES_HOME=$(mktemp -d /tmp/chancery-postgres.XXXXXX)
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077 && printf '%s\n' "$password" >"$POSTGRES_HOME/password")
    if [ "$(id -u)" -eq 0 ]; then chown -R postgres: "$POSTGRES_HOME"; fi

    as_postgres "$POSTGRES_BIN/initdb" --pgdata "$POSTGRES_HOME/data" --username chancery \
        --pwfile "$POSTGRES_HOME/password" --auth scram-sha-256 \
        --encoding UTF8 --locale C --no-sync >"$POSTGRES_HOME/initdb.log" ||
        fail "initdb failed, see $POSTGRES_HOME/initdb.log"

    # Below the range that the system gives to outgoing connections. Whether a
    # port is free, only a try can tell.
    for attempt in 1 2 3 4 5; do
        port=$((10000 + RANDOM % 10000))
        if as_postgres "$POSTGRES_BIN/pg_ctl" --pgdata "$POSTGRES_HOME/data" --wait --silent \
            --log "$POSTGRES_HOME/server.log" \
            --options "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= \
                -c max_connections=300 -c fsync=off -c full_page_writes=off" start; then
            # For whoever sources this.
            # shellcheck disable=SC2034
            POSTGRES_DSN="host=127.0.0.1 port=$port user=chancery password=$password dbname=postgres"
            return
        fi
        say "PostgreSQL did not start on port $port (attempt $attempt)"
    done
    cat "$POSTGRES_HOME/server.log" >&2
    fail "PostgreSQL did not start"
}

# stop_postgres: stops and removes the cluster, if there is one.
stop_postgres() {
    [ -n "$POSTGRES_HOME" ] || return 0
    if [ -f "$POSTGRES_HOME/data/postmaster.pid" ]; then
        as_postgres "$POSTGRES_BIN/pg_ctl" --pgdata "$POSTGRES_HOME/data" --mode immediate --silent stop || true
    fi
    rm -rf "$POSTGRES_HOME"
    POSTGRES_HOME=
}

# find_postgres: sets POSTGRES_BIN to the newest server binaries.
find_postgres() {
    newest_postgres
    [ -n "$POSTGRES_BIN" ] && return
    need_packages postgresql
    newest_postgres
    [ -n "$POSTGRES_BIN" ] || fail "no /usr/lib/postgresql/*/bin/initdb although the package is installed"
}

newest_postgres() {
    local initdb
    initdb=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    if [ -x "$initdb" ]; then POSTGRES_BIN=$(dirname "$initdb"); fi
}

# as_postgres COMMAND…: initdb and the server refuse to run as root.
as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}
