#!/usr/bin/env bash
# Connectors go from a Java worker with Debezium to the daemon and back, on servers of the tests' own: MySQL and MariaDB
# (tests/mysql_swap.rs), PostgreSQL (tests/postgres_swap.rs), and some that the daemon cannot run (tests/foreign.rs). The first
# run fetches Debezium's plug-ins, Kafka's file connectors and a PostgreSQL 17 (about 110 MB); AFTERIMAGE_TEST_DEBEZIUM names a
# folder that has the plug-ins already, AFTERIMAGE_TEST_POSTGRES17 the folder with the programs of a PostgreSQL 17. Arguments
# go to the test programs, such as the name of one test. With AFTERIMAGE_RECORD=1 what the Java worker read is written to
# tests/data/swap.
# The last line is "N passed, M failed".
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
die() { echo "test-swap: $*" >&2; exit 1; }

if [ -z "${AFTERIMAGE_TEST_DEBEZIUM:-}" ]; then
  AFTERIMAGE_TEST_DEBEZIUM=$AFTERIMAGE_CACHE/plugins-3.6.1
  if [ ! -e "$AFTERIMAGE_TEST_DEBEZIUM/complete" ]; then
    "$here/setup.sh" --quiet || exit 1
    echo "test-swap: fetching Debezium's plug-ins (once)"
    rm -rf "$AFTERIMAGE_TEST_DEBEZIUM"
    mkdir -p "$AFTERIMAGE_TEST_DEBEZIUM"
    for plugin in postgres:3.6.1.Final mysql:3.6.1.Final mariadb:3.5.0.Final; do
      out=$(mvn -q -B -C org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory="$AFTERIMAGE_TEST_DEBEZIUM" \
        -Dartifact="io.debezium:debezium-connector-$plugin:tar.gz:plugin" 2>&1) || die "Maven could not fetch $plugin: $out"
    done
    for archive in "$AFTERIMAGE_TEST_DEBEZIUM"/*.tar.gz; do
      tar xzf "$archive" -C "$AFTERIMAGE_TEST_DEBEZIUM" || die "$archive could not be unpacked"
      rm "$archive"
    done
    mkdir "$AFTERIMAGE_TEST_DEBEZIUM/file"
    out=$(mvn -q -B -C org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory="$AFTERIMAGE_TEST_DEBEZIUM/file" \
      -Dartifact="org.apache.kafka:connect-file:$KAFKA_VERSION" 2>&1) || die "Maven could not fetch Kafka's file connectors: $out"
    touch "$AFTERIMAGE_TEST_DEBEZIUM/complete"
  fi
fi
export AFTERIMAGE_TEST_DEBEZIUM

if [ -z "${AFTERIMAGE_TEST_POSTGRES17:-}" ]; then
  archive=$AFTERIMAGE_CACHE/postgres-17.6.0.txz
  if [ ! -e "$archive" ]; then
    case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64v8 ;; *) machine=$(uname -m) ;; esac
    echo "test-swap: fetching PostgreSQL 17 (once)"
    fetched=$(mktemp -d "$AFTERIMAGE_CACHE/postgres-17.XXXXXX")
    # Run in a folder of its own, because without a project Maven writes marker files below the current folder.
    out=$(cd "$fetched" && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack -DoutputDirectory="$fetched" \
      -Dartifact="io.zonky.test.postgres:embedded-postgres-binaries-linux-$machine:17.6.0" 2>&1) || die "Maven could not fetch it: $out"
    mv "$fetched"/*.txz "$archive"
    rm -rf "$fetched"
  fi
  # Not in the cache, because the user postgres must reach the files and may have no access to a home directory.
  unpacked=$(mktemp -d "${TMPDIR:-/tmp}/afterimage-postgres17.XXXXXX")
  trap 'rm -rf "$unpacked"' EXIT
  trap 'exit 130' INT TERM
  { tar -xJf "$archive" -C "$unpacked" && chmod -R a+rX "$unpacked"; } || die "$archive could not be unpacked"
  AFTERIMAGE_TEST_POSTGRES17=$unpacked/bin
fi
export AFTERIMAGE_TEST_POSTGRES17
# One at a time: each runs a Java worker, a daemon and a server's load.
"$here/test.sh" --test mysql_swap --test postgres_swap --test foreign -- --ignored --test-threads 1 "$@"
