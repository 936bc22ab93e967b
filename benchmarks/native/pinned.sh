# What the scripts share that put the server on core 0 and the load on core 1; needs $here and makes $work.
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
cc -O2 -w -o "$work/floor" "$here/native/floor.c"
cc -O2 -w -o "$work/fanload" "$here/native/fanload.c"

await() { for _ in $(seq 200); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done; return 1; }

# Repeats a load until the compilers of $server have next to nothing to do with it: they work on the server's core, and count.
compiling() { cat "/proc/$server"/task/*/stat | sed -n 's/.*(C[12] CompilerThre) //p' | awk '{ ticks += $12 + $13 } END { print ticks + 0 }'; }
warm() {
  local before
  for _ in $(seq 12); do
    before=$(compiling)
    "$@" >/dev/null
    (($(compiling) - before < 10)) && return
  done
  echo "the compilers do not come to rest; they count as the server's" >&2
}
