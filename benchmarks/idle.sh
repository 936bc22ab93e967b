#!/usr/bin/env bash
# Memory of idle connections: heap after a collection plus direct buffers, per connection with one subscription, and what
# they cost while nothing happens but pings (every 25 s), of a core.
#
#   benchmarks/idle.sh [connections=10000]
set -euo pipefail
connections=${1:-10000}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=native/pinned.sh
. "$here/native/pinned.sh"
memory() { exec 4<>/dev/tcp/127.0.0.1/7010; printf 'GET /memory HTTP/1.0\r\nHost: localhost\r\n\r\n' >&4; sed -n 's/.*"heap":\([0-9]*\),"direct":\([0-9]*\).*/\1 \2/p' <&4; echo; exec 4>&-; }

"$here/../demo" --version >/dev/null # builds if need be
ticks() { sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12 + $13 }'; }
measure() {
  JAVA_OPTS="-Xms512m -Xmx512m ${JAVA_OPTS:-}" taskset -c 0 "$here/../demo" bench --port 7010 >"$work/log" 2>&1 & server=$!
  await 7010
  # a first wave, so that classes and pools are there before the count begins
  taskset -c 1 "$work/fanload" --port 7010 --conns 1000 --idle --hold 1 "${@:2}" >/dev/null; sleep 8
  read -r heap0 direct0 < <(memory)
  taskset -c 1 "$work/fanload" --port 7010 --conns "$connections" --idle --hold 110 --pid $server "${@:2}" >"$work/load" & local load=$!
  sleep 40 # connected, and the compilers done with that
  local before; before=$(ticks)
  sleep 50 # two pings each
  awk -v t=$(($(ticks) - before)) -v what="$1" 'BEGIN { printf "%s: idle for 50 s, %.2f s of CPU: %.2f %% of a core\n", what, t / 100, t / 50 }'
  read -r heap1 direct1 < <(memory)
  awk -v n="$connections" -v h=$((heap1 - heap0)) -v d=$((direct1 - direct0)) -v what="$1" \
    'BEGIN { printf "%s: heap %.2f KB + direct %.2f KB = %.2f KB per connection\n", what, h/n/1024, d/n/1024, (h+d)/n/1024 }'
  wait $load; grep -h idle "$work/load"
  kill $server; wait $server 2>/dev/null || true
}
measure websocket --path /connection/websocket --hello '{"id":1,"connect":{}}' --hello '{"id":2,"subscribe":{"channel":"bench:%C"}}' \
  --ready '"id":2,"subscribe"' --pong '{}' '{}'
measure sse --sse --path '/sse?channel=bench:%C' --ready 'retry:'
