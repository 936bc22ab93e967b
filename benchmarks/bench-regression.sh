#!/usr/bin/env bash
# Compares the server CPU per delivery of two commits in one run, and prints ratios.
#
#   benchmarks/bench-regression.sh BASE [HEAD=the commit that is checked out] [rounds=3] [seconds=6] [scenario ...]
#
# Scenarios: websocket, sse (1 channel x 1,000 readers x 40/s), burst (50 readers x 4,000/s), spread (200 channels x 10
# readers x 3,000/s by POST); all of them unless named. Builds both commits in temporary worktrees, starts both servers
# on core 0, warms both up, and lets them take turns under the load of core 1. Needs git, taskset and a JDK.
set -euo pipefail
base=${1:?usage: bench-regression.sh BASE [HEAD] [rounds] [seconds] [scenario ...]}
head=${2:-HEAD} rounds=${3:-3} seconds=${4:-6}
scenarios=("${@:5}")
[ ${#scenarios[@]} -gt 0 ] || scenarios=(websocket sse burst spread)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
servers=()
trees=()
end() {
  [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
  for tree in "${trees[@]}"; do git -C "$here" worktree remove --force "$tree"; done
  rm -rf "$work"
}
trap end EXIT
await() { for _ in $(seq 300); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done; return 1; }

"$here/load.sh" --version >/dev/null # builds if need be
start() { # name commit port
  local tree=$work/$1
  git -C "$here" worktree add --quiet --detach "$tree" "$2"
  trees+=("$tree")
  "$tree/demo" --version >/dev/null
  JAVA_OPTS="-Xms256m -Xmx256m ${JAVA_OPTS:-}" taskset -c 0 "$tree/demo" bench --port "$3" >"$work/$1.log" 2>&1 &
  servers+=($!)
  await "$3" || { cat "$work/$1.log"; exit 1; }
}
start base "$base" 7021
start head "$head" 7022

load() { # server(0|1) scenario seconds
  local shape
  case $2 in
    websocket) shape=(--connections 1000 --rate 40) ;;
    sse) shape=(--connections 1000 --rate 40 --transport SSE) ;;
    burst) shape=(--connections 50 --rate 4000) ;;
    spread) shape=(--connections 2000 --channels 200 --rate 3000) ;;
    *) echo "unknown scenario: $2" >&2; return 2 ;;
  esac
  LOAD_OPTS="-Xmx512m" taskset -c 1 "$here/load.sh" --port $((7021 + $1)) --pid "${servers[$1]}" --warm-up 2 --time "$3" \
    "${shape[@]}" | tee "$work/last" | sed -n 's/.*= \([0-9.]*\) us\/delivery.*/\1/p'
  grep -q 'without everything 0; repeated 0; out of order 0; refused 0' "$work/last" || { cat "$work/last" >&2; return 1; }
}

echo "warming up" >&2
for scenario in "${scenarios[@]}"; do
  for server in 0 1 0 1; do load $server "$scenario" 6 >/dev/null; done
done
git -C "$here" log -1 --format='base %h %s' "$base"
git -C "$here" log -1 --format='head %h %s' "$head"
echo "scenario  | round | base us | head us | head/base"
for scenario in "${scenarios[@]}"; do
  for round in $(seq "$rounds"); do
    if ((round % 2)); then
      a=$(load 0 "$scenario" "$seconds") b=$(load 1 "$scenario" "$seconds")
    else
      b=$(load 1 "$scenario" "$seconds") a=$(load 0 "$scenario" "$seconds")
    fi
    awk -v s="$scenario" -v r="$round" -v a="$a" -v b="$b" \
      'BEGIN { printf "%-9s | %5d | %7.3f | %7.3f | %9.2f\n", s, r, a, b, b/a }' | tee -a "$work/ratios"
  done
  grep "^$scenario" "$work/ratios" | awk -F'|' '{ print $5 + 0 }' | sort -n |
    awk -v s="$scenario" '{ v[NR] = $1 } END { printf "%-9s | median ratio %.2f\n", s, (v[int((NR+1)/2)] + v[int(NR/2)+1]) / 2 }'
done
