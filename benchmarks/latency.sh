#!/usr/bin/env bash
# The latency from publish to receive at half of the rate at which the server's core would be full.
#
#   benchmarks/latency.sh [readers=1000] [seconds=10] [rounds=3]
#
# Server on core 0, load on core 1. Needs a C compiler and taskset. What a delivery costs is measured first, over
# WebSocket at 40 publications a second; half of a core divided by it is the rate, at which floor and server are
# then measured in turn, from when each publication was due.
set -euo pipefail
readers=${1:-1000} seconds=${2:-10} rounds=${3:-3}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=native/pinned.sh
. "$here/native/pinned.sh"

load() { taskset -c 1 "$work/fanload" --conns "$readers" --secs "$seconds" --pad 128 "$@"; }
cost() { sed -n 's/.*= \([0-9.]*\) us\/delivery.*/\1/p'; }
told() { grep -h -E 'delivered|latency|server cpu' | sed 's/^/        /'; }

"$here/../demo" --version >/dev/null # builds if need be
JAVA_OPTS="-Xms256m -Xmx256m ${JAVA_OPTS:-}" taskset -c 0 "$here/../demo" bench --port 7010 >"$work/log" 2>&1 & server=$!
await 7010 || { cat "$work/log"; exit 1; }
taskset -c 0 "$work/floor" 7000 & floor_pid=$!
await 7000

websocket() { load --port 7010 --pid $server --path /connection/websocket "$@" \
  --hello '{"id":1,"connect":{}}' --hello '{"id":2,"subscribe":{"channel":"bench:%C"}}' --ready '"id":2,"subscribe"' --pong '{}' '{}' \
  --pub-path /api/publish --pub-type application/json --pub-body '{"channel":"bench:%C","data":"%M"}'; }

echo "warming up" >&2
for _ in $(seq 30); do websocket --idle --settle 0 >/dev/null; done
websocket --conns 100 --rate 800 --secs 15 --warm 0 >/dev/null
warm websocket --rate 40 --secs 3 --warm 0
cost=$(websocket --rate 40 --warm 2 | cost)
rate=$(awk -v c="$cost" -v n="$readers" 'BEGIN { r = int(0.5e6 / c / n); print r > 0 ? r : 1 }')
echo "a delivery costs $cost us at 40/s; $readers readers, $rate publications a second"
for round in $(seq "$rounds"); do
  echo "  round $round, floor"; load --port 7000 --pid $floor_pid --path / --ready ready --rate "$rate" | told
  echo "  round $round, websocket"; websocket --rate "$rate" --warm 2 | told
done
