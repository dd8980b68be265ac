#!/usr/bin/env bash
# Runs all tests of the workspace on servers of their own: sets up, builds, starts the servers, tests, stops the servers.
# The last line is "N passed, M failed" over all test programs. The exit code is 0 only when some passed and none failed.
# Arguments go to cargo test: scripts/test.sh --test crash. A server that AFTERIMAGE_TEST_MYSQL or AFTERIMAGE_TEST_MARIADB
# names already (host:port) is used as it is, and none is started for it.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
. "$here/env.sh"
. "$here/count.sh"

"$here/setup.sh" --quiet --registry --mysql --mariadb --rest-clients || exit 1
[ $# -gt 0 ] || set -- --workspace
echo "test: building"
cargo test -q --no-run "$@" || { echo "0 passed, 1 failed"; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/afterimage-test.XXXXXX")
chmod 711 "$work"
tidy_up() {
  "$here/servers.sh" stop "$work/registry" "$work/kafka" "$work/postgres" "$work/mysql" "$work/mariadb"
  rm -rf "$work"
}
trap tidy_up EXIT
trap 'exit 130' INT TERM

echo "test: starting PostgreSQL, MySQL, MariaDB, Kafka and a schema registry"
AFTERIMAGE_TEST_POSTGRES=$("$here/servers.sh" postgres "$work/postgres") || { echo "0 passed, 1 failed"; exit 1; }
AFTERIMAGE_TEST_KAFKA=$("$here/servers.sh" kafka "$work/kafka") || { echo "0 passed, 1 failed"; exit 1; }
AFTERIMAGE_TEST_REGISTRY=$("$here/servers.sh" registry "$work/registry") || { echo "0 passed, 1 failed"; exit 1; }
AFTERIMAGE_TEST_MYSQL=${AFTERIMAGE_TEST_MYSQL:-$("$here/servers.sh" mysql "$work/mysql")} || { echo "0 passed, 1 failed"; exit 1; }
AFTERIMAGE_TEST_MARIADB=${AFTERIMAGE_TEST_MARIADB:-$("$here/servers.sh" mariadb "$work/mariadb")} || { echo "0 passed, 1 failed"; exit 1; }
export AFTERIMAGE_TEST_MYSQL AFTERIMAGE_TEST_MARIADB
export AFTERIMAGE_TEST_POSTGRES AFTERIMAGE_TEST_KAFKA AFTERIMAGE_TEST_REGISTRY AFTERIMAGE_TEST_WORK="$work"

start=$SECONDS
timed() { cargo test --no-fail-fast "$@"; local code=$?; echo "test: $((SECONDS - start)) s of tests"; return $code; }
count_tests timed "$@"
