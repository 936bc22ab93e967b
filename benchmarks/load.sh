#!/bin/sh
# Puts a server under load, see --help: readers over WebSocket or SSE, publications at a fixed rate, latency from when
# each was due; checks that each reader gets everything, once and in order. Builds the harness first if need be.
#
#   ./demo bench --port 8000 &
#   benchmarks/load.sh --port 8000 --connections 1000 --rate 40 --picture latency.svg
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
jar=$here/target/fanfare-benchmarks-0.1.0-SNAPSHOT.jar
if [ ! -f "$jar" ] || [ -n "$(find "$here/src/main" "$here/pom.xml" -newer "$jar" -print | head -n 1)" ]; then
    (cd "$here/.." && ./mvnw -q -B -pl benchmarks -am -Dmaven.test.skip=true -Dspotless.check.skip \
        -Dcheckstyle.skip -Denforcer.skip -Dmaven.javadoc.skip package) >&2
fi
# shellcheck disable=SC2086 # LOAD_OPTS is a list of words
exec java ${LOAD_OPTS:-} -Djava.awt.headless=true -cp "$jar:$here/target/lib/*" dev.fanfare.bench.load.Load "$@"
