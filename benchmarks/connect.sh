#!/usr/bin/env bash
# What a connection costs the server until it has its first page: TCP, HTTP upgrade, connect, subscribe, history of 50.
#
#   benchmarks/connect.sh [connections=4000] [rounds=5]
#
# Server on core 0, load on core 1. Needs a C compiler and taskset. Each round beside the floor, which only accepts a
# connection and answers once.
set -euo pipefail
connections=${1:-4000} rounds=${2:-5}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=native/pinned.sh
. "$here/native/pinned.sh"

load() { taskset -c 1 "$work/fanload" --pad 128 "$@"; }

"$here/../demo" --version >/dev/null # builds if need be
JAVA_OPTS="-Xms256m -Xmx256m ${JAVA_OPTS:-}" taskset -c 0 "$here/../demo" bench --port 7010 >"$work/log" 2>&1 & server=$!
await 7010 || { cat "$work/log"; exit 1; }
taskset -c 0 "$work/floor" 7000 & floor_pid=$!
await 7000

connect='{"id":1,"connect":{}}' subscribe='{"id":2,"subscribe":{"channel":"bench:%C"}}' history='{"id":3,"history":{"channel":"bench:%C","limit":50}}'
websocket() { load --port 7010 --pid $server --path /connection/websocket --pong '{}' '{}' --idle "$@"; }
subscribed() { websocket --hello "$connect" --hello "$subscribe" --ready '"id":2,"subscribe"' "$@"; }
paged() { websocket --hello "$connect" --hello "$subscribe" --hello "$history" --ready '"id":3,"history"' "$@"; }
cost() { awk -v n="$connections" '/server cpu/ { for (i = 1; i < NF; i++) if ($i == "cpu") printf "%.1f", $(i+1) * 1e6 / n }'; }

# a history of 100, and warm compilers
load --port 7010 --pid $server --path /connection/websocket --conns 1 --rate 100 --secs 2 --warm 0 --hello "$connect" --hello "$subscribe" \
  --ready '"id":2,"subscribe"' --pub-path /api/publish --pub-type application/json --pub-body '{"channel":"bench:%C","data":"%M"}' >/dev/null
for _ in $(seq 20); do paged --conns 2000 --settle 0 >/dev/null; done
warm paged --conns 2000 --settle 0
echo "us of server CPU per connection"
echo "round | floor | subscribed | with a page of 50 | per second and core"
for round in $(seq "$rounds"); do
  sleep 3; f=$(load --port 7000 --pid $floor_pid --path / --ready ready --idle --conns "$connections" | cost)
  sleep 3; s=$(subscribed --conns "$connections" | cost)
  sleep 3; p=$(paged --conns "$connections" | cost)
  awk -v r="$round" -v f="$f" -v s="$s" -v p="$p" 'BEGIN { printf "%5d | %5.1f | %10.1f | %17.1f | %19.0f\n", r, f, s, p, 1e6 / p }'
done
