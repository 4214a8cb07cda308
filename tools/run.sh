#!/usr/bin/env bash
# A server to play with, on https://localhost:14000: builds it, makes ./var on
# the first run, says what to type into another terminal, and serves until
# Ctrl-C. Remove ./var to begin anew.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/lib.sh

say "building (the first time takes a few minutes)"
cargo build --release --locked -p chancery
chancery=$PWD/target/release/chancery
config=$PWD/var/chancery.yaml
url=https://localhost:14000

if [ ! -f "$config" ]; then
    say "making ./var"
    "$chancery" init --defaults --demo --workdir var --url "$url" --listen 127.0.0.1:14000 -o "$config" >&2
fi
if "$chancery" cold-start status --json -f "$config" | grep '"license":null' | grep -q '"plan":null'; then
    "$chancery" cold-start init --plan=pro -f "$config" >&2
fi
"$chancery" ca root -f "$config" >var/root.pem

# The certbot of the tests will do where the system has none.
certbot=certbot
tested=./target/tools/certbot-$CERTBOT_VERSION/bin/certbot
if ! command -v certbot >/dev/null && [ -x "$tested" ]; then certbot=$tested; fi

cat <<TEXT

When the line "ready" appears below, these work in another terminal, in this directory:

  REQUESTS_CA_BUNDLE=./var/root.pem $certbot certonly --standalone --http-01-port 5002 \\
    --server $url/acme/directory -d hello.localhost \\
    --register-unsafely-without-email --agree-tos -n \\
    --config-dir ./var/certbot --work-dir ./var/certbot/work --logs-dir ./var/certbot/logs

  LEGO_CA_CERTIFICATES=./var/root.pem lego --server $url/acme/directory \\
    --http --http.port 127.0.0.1:5002 --domains hello.localhost \\
    --email you@example.org --accept-tos --path ./var/lego run

Ctrl-C stops the server.

TEXT
exec "$chancery" serve -f "$config"
