#!/usr/bin/env bash
# Both programs before the reader's eyes: a portal and a server, and a licence that is issued, delivered, enforced,
# upgraded and revoked. Takes about a minute once it is built.
#
#   tools/demo.sh
#
# DEMO_PROFILE=dev takes debug builds. Works in target/demo, which it makes anew, on loopback; needs lego (Debian) as
# the ACME client, and stops what it started.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/lib.sh

profile=${DEMO_PROFILE:-release}
bin=$PWD/target/$([ "$profile" = dev ] && echo debug || echo "$profile")
home=$PWD/target/demo
portal_port=${DEMO_PORTAL_PORT:-15000}
server_port=${DEMO_SERVER_PORT:-14010}
http_port=${DEMO_HTTP_PORT:-5002}
trust=crates/license/trust/dev
started=()

stop() {
    local pid
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# show COMMAND…: prints the command as a reader would type it, and runs it.
show() {
    local words="$*"
    words=${words//$bin\//}
    words=${words//$home\//}
    words=${words/#portal /chancery-portal }
    words=${words/#server /chancery }
    printf '  $ %s\n' "$words"
    "$@" 2>&1 | sed 's/^/    /'
}
portal() { "$bin/chancery-portal" "$@" -f "$home/portal.yaml"; }
server() { "$bin/chancery" "$@" -f "$home/chancery.yaml"; }
# member NAME: the value of that member of the JSON object on standard input.
member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
# ready LOG PID: waits for a program's line `ready`.
ready() {
    for _ in $(seq 300); do
        grep -q '^ready ' "$1" && return
        kill -0 "$2" 2>/dev/null || break
        sleep 0.1
    done
    cat "$1" "${1%.out}.log" >&2
    fail "a program did not come up"
}
# order NAME: a certificate for NAME, by an account of its own.
order() {
    LEGO_CA_CERTIFICATES=$home/root.pem lego --server "https://localhost:$server_port/acme/directory" \
        --http --http.port "127.0.0.1:$http_port" --domains "$1.localhost" --email "$1@example.org" --accept-tos \
        --path "$home/lego-$1" run >"$home/lego-$1.log" 2>&1 || true
    grep -E 'Server responded|acme: error' "$home/lego-$1.log" | tail -n 1 |
        sed -E 's/^[0-9/]+ [0-9:]+ //; s/^[[:space:]]*/    /' | fold -s -w 116
}

need_program python3 python3
need_program lego lego
say "building"
cargo build --profile "$profile" --locked -p chancery -p chancery-portal
rm -rf "$home"
mkdir -p "$home"

step "1. The vendor sets up a portal, with a product, a customer, and an offline root that vouches for its key."
show "$bin/chancery-portal" init --url "https://localhost:$portal_port" --listen "127.0.0.1:$portal_port" \
    --workdir "$home/portal" -o "$home/portal.yaml"
show portal product create --slug chancery --name Chancery --kind chancery --with-plans
organisation=$(portal org create --name 'Example Ltd' --email it@example.org --json | member id)
kid=$(portal signing-key create --env dev --json | member key_id)
portal signing-key export "$kid" -o "$home/issuing.pem" >/dev/null
# What happens on the offline machine; the root of development builds is public on purpose.
"$bin/chancery-portal" keys manifest --key "$trust/signing-key.pem" --env dev --sequence 1 -o "$home/keys.manifest" \
    --add "$home/issuing.pem,use=license,use=revocations,from=$(date -u +%Y-%m-%dT00:00:00Z),until=$(date -u -d '+1 year' +%Y-%m-%dT00:00:00Z)" >/dev/null
portal signing-root set --env dev "$trust/anchor.pem" >/dev/null
show portal manifest take --env dev "$home/keys.manifest"
show portal signing-key activate "$kid"
"$bin/chancery-portal" serve -f "$home/portal.yaml" --log warn >"$home/portal.out" 2>"$home/portal.log" &
started+=($!)
ready "$home/portal.out" $!

step "2. An operator sets up a server. It does not start without a licence."
show "$bin/chancery" init --defaults --demo --workdir "$home/chancery" --url "https://localhost:$server_port" \
    --listen "127.0.0.1:$server_port" -o "$home/chancery.yaml"
cat >>"$home/chancery.yaml" <<YAML

license:
  environment: dev
  portal:
    url: https://localhost:$portal_port
    ca_file: $home/portal/tls/portal.pem
YAML
show server outbound
show server serve || true
installation=$(server license status --json | member installation_key)

step "3. Issued and delivered: the vendor sells one managed server, and links the installation; the box only asks."
license=$(portal license create --plan starter --organisation "$organisation" --env dev --max-managed-servers 1 --json |
    member id)
show portal installation link "$installation" --license "$license"
show server license refresh
"$bin/chancery" serve -f "$home/chancery.yaml" --log warn >"$home/chancery.out" 2>"$home/chancery.log" &
started+=($!)
ready "$home/chancery.out" $!
server ca root >"$home/root.pem"

step "4. Enforced: the first machine gets a certificate, the second one does not."
echo "  first.localhost:"
order first
echo "  second.localhost:"
order second

step "5. Upgraded in the portal, while the server runs."
show portal license update "$license" --plan pro --max-managed-servers unlimited
show server license refresh
sleep 3
echo "  second.localhost:"
order second

step "6. Revoked in the portal: no new orders. The certificates that are out go on working."
show portal license revoke "$license" --reason unpaid
show server license refresh || true
sleep 3
echo "  third.localhost:"
order third
show server license status

step "7. What both sides wrote down."
show server audit query --event license.install
show portal log query --event document.license
