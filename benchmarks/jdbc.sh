#!/bin/sh
# Measures the JDBC store on a real PostgreSQL (from a Maven artifact, with fsync), against loops written by hand.
# Usage: jdbc.sh [turns]    each turn is a second by hand and a second of the store
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$here/.."
uptime
./mvnw -q -B -pl store-jdbc -am test -Denforcer.skip -Dspotless.check.skip -Dcheckstyle.skip \
    -Dtest='AppendBenchmark,StoreBenchmark' -Dsurefire.failIfNoSpecifiedTests=false -Dturns="${1:-10}"
uptime
