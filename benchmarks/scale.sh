#!/usr/bin/env bash
# Whether a delivery costs the same however many readers a channel has, and however many channels there are.
#
#   benchmarks/scale.sh [deliveries-per-second=40000] [seconds=8] [readers …]
#
# Server on core 0, load on core 1. Needs a C compiler and taskset. Readers of one channel, each count beside the floor,
# then 2,000 publications a second on so many channels with one reader each.
set -euo pipefail
speed=${1:-40000} seconds=${2:-8}
readers=("${@:3}"); ((${#readers[@]})) || readers=(100 1000 4000 15000)
channels=(1 100 1000 10000 100000)
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=native/pinned.sh
. "$here/native/pinned.sh"

load() { taskset -c 1 "$work/fanload" --pad 128 "$@"; }
cost() { sed -n 's/.*= \([0-9.]*\) us\/delivery.*/\1/p'; }
cpu() { sed -n 's/^server cpu \([0-9.]*\) s.*/\1/p'; }

"$here/../demo" --version >/dev/null # builds if need be
ulimit -n "$(ulimit -Hn)"
JAVA_OPTS="-Xms1g -Xmx1g ${JAVA_OPTS:-}" taskset -c 0 "$here/../demo" bench --port 7010 >"$work/log" 2>&1 & server=$!
await 7010 || { cat "$work/log"; exit 1; }
taskset -c 0 "$work/floor" 7000 & floor_pid=$!
await 7000

websocket() { load --port 7010 --pid $server --path /connection/websocket "$@" \
  --hello '{"id":1,"connect":{}}' --hello '{"id":2,"subscribe":{"channel":"bench:%C"}}' --ready '"id":2,"subscribe"' --pong '{}' '{}' \
  --pub-path /api/publish --pub-type application/json --pub-body '{"channel":"bench:%C","data":"%M"}'; }

echo "warming up" >&2
websocket --conns 100 --rate 800 --warm 0 --secs 15 >/dev/null
websocket --conns 1000 --channels 1000 --rate 2000 --warm 0 --secs 8 >/dev/null
echo "readers | rate | floor us | websocket us | ratio"
for n in "${readers[@]}"; do
  rate=$((speed / n > 0 ? speed / n : 1))
  f=$(load --port 7000 --pid $floor_pid --path / --ready ready --conns "$n" --rate "$rate" --secs "$seconds" | cost)
  w=$(websocket --conns "$n" --rate "$rate" --secs "$seconds" | tee "$work/ws" | cost)
  awk -v n="$n" -v r="$rate" -v f="$f" -v w="$w" 'BEGIN { printf "%7d | %4d | %8.3f | %12.3f | %5.2f\n", n, r, f, w, w/f }'
  grep -E 'delivered|latency' "$work/ws" | sed 's/^/        /'
done
echo "channels | us per publication and its delivery"
for n in "${channels[@]}"; do
  if ((n + 1000 > $(ulimit -n))); then
    printf '%8d | not measured: a process may have %d files open here\n' "$n" "$(ulimit -n)"
    continue
  fi
  websocket --conns "$n" --channels "$n" --rate 2000 --secs $((n > 16000 ? n / 2000 : 8)) >"$work/ws" || true # it fails if one is missing; how many came is printed below
  awk -v n="$n" -v w="$(cost <"$work/ws")" 'BEGIN { printf "%8d | %.2f\n", n, w }'
  grep -E 'delivered|latency' "$work/ws" | sed 's/^/        /'
done
