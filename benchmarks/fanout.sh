#!/usr/bin/env bash
# Server CPU per delivery, beside the least that any server can do, in one run.
#
#   benchmarks/fanout.sh [readers=1000] [rate=40] [seconds=10] [rounds=3]
#
# Server on core 0, load on core 1. Needs a C compiler and taskset. Each round measures, one after the other, the floor (one
# send() per reader in C), Fanfare over WebSocket (JSON) and over SSE, 200 channels x 10 readers x 3,000/s, and 50 readers x
# 4,000/s with the floor for that; compare ratios, not figures.
set -euo pipefail
readers=${1:-1000} rate=${2:-40} seconds=${3:-10} rounds=${4:-3}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=native/pinned.sh
. "$here/native/pinned.sh"

load() { taskset -c 1 "$work/fanload" --conns "$readers" --rate "$rate" --secs "$seconds" --pad 128 "$@"; }
cost() { sed -n 's/.*= \([0-9.]*\) us\/delivery.*/\1/p'; }

"$here/../demo" --version >/dev/null # builds if need be
export JAVA_OPTS="-Xms256m -Xmx256m ${JAVA_OPTS:-}"
taskset -c 0 "$here/../demo" bench --port 7010 >"$work/server.log" 2>&1 & server=$!
await 7010 || { cat "$work/server.log"; exit 1; }
publish=(--pub-path /api/publish --pub-type application/json)

websocket() { load --port 7010 --pid $server --path /connection/websocket --warm "$1" "${@:2}" \
  --hello '{"id":1,"connect":{}}' --hello '{"id":2,"subscribe":{"channel":"bench:%C"}}' --ready '"id":2,"subscribe"' --pong '{}' '{}' \
  "${publish[@]}" --pub-body '{"channel":"bench:%C","data":"%M"}'; }
sse() { load --port 7010 --pid $server --sse --path '/sse?channel=bench:%C' --ready 'retry:' --warm "$1" "${@:2}" \
  "${publish[@]}" --pub-body '{"channel":"bench:%C","data":"%M"}'; }

burst=(--conns 50 --rate 4000)
spread=(--conns 2000 --channels 200 --rate 3000)
# Compilers count calls, and what happens once per publication or connection is not called often at 40/s: they would work
# for minutes, on the server's core. So first what is rare is done often, then whole rounds until they rest.
echo "warming up" >&2
for _ in $(seq 40); do websocket 0 --idle --settle 0 >/dev/null; sse 0 --idle --settle 0 >/dev/null; done
websocket 0 --conns 100 --rate 800 --secs 15 >/dev/null
sse 0 --conns 100 --rate 800 --secs 5 >/dev/null
brief_round() { websocket 0 --secs 3; sse 0 --secs 3; websocket 0 "${spread[@]}" --secs 3; websocket 0 "${burst[@]}" --secs 3; }
warm brief_round

taskset -c 0 "$work/floor" 7000 & floor_pid=$!
await 7000
floor() { load --port 7000 --pid $floor_pid --path / --ready ready "$@"; }
# Ratios: burst to the floor of the same burst, the others to the floor's broadcast.
echo "round | floor us | websocket us | ratio | sse us | ratio | spread us | ratio | floor of burst | burst us | ratio"
for round in $(seq "$rounds"); do
  c=$(compiling)
  f=$(floor | tee "$work/floor.$round" | cost)
  w=$(websocket 2 | tee "$work/ws.$round" | cost)
  e=$(sse 2 | tee "$work/sse.$round" | cost)
  p=$(websocket 1 "${spread[@]}" | tee "$work/spread.$round" | cost)
  g=$(floor "${burst[@]}" | cost)
  b=$(websocket 1 "${burst[@]}" | tee "$work/burst.$round" | cost)
  awk -v r="$round" -v f="$f" -v w="$w" -v e="$e" -v p="$p" -v g="$g" -v b="$b" 'BEGIN {
    printf "%5d | %8.3f | %12.3f | %5.2f | %6.3f | %5.2f | %9.3f | %5.2f | %14.3f | %8.3f | %5.2f\n",
      r, f, w, w/f, e, e/f, p, p/f, g, b, b/g }' | tee -a "$work/rounds"
  grep -h -E 'delivered|latency' "$work/ws.$round" "$work/sse.$round" "$work/spread.$round" "$work/burst.$round" | sed 's/^/        /'
  awk -v c=$(($(compiling) - c)) 'BEGIN { printf "        compilers took %.2f s of this round\n", c / 100 }'
done
awk -F'|' '{ f += $2; w += $3; e += $5; p += $7; g += $9; b += $10 } END {
  printf "all rounds: websocket %.2f, sse %.2f, spread %.2f, burst %.2f of the floor\n", w/f, e/f, p/f, b/g }' "$work/rounds"
