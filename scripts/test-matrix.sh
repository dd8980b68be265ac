#!/usr/bin/env bash
# Runs the tests that need a database server on one version after the other. What is fetched is deleted afterwards.
#   PostgreSQL (whole-daemon tests and the connector's): the versions that Debian's packages have installed under
#     /usr/lib/postgresql, those in AFTERIMAGE_MATRIX (default below), fetched through Maven (Zonky's builds), and the bin
#     directories in AFTERIMAGE_POSTGRES_BINS, separated by colons. Arguments go to scripts/test.sh:
#     scripts/test-matrix.sh --test golden. With an empty AFTERIMAGE_MATRIX none is fetched, and with `none` none is run.
#   MySQL and MariaDB: the servers in AFTERIMAGE_MYSQL_MATRIX (default below), by the names that `older-servers.sh list`
#     prints; or folders that have one, as NAME=FOLDER. `on_server` says which tests run on which.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
# The tests of MySQL and MariaDB start a usual server beside each: one that the user names must not leave it out. With an
# empty AFTERIMAGE_MYSQL_MATRIX the tests of PostgreSQL use what the user names.
[ -z "${AFTERIMAGE_MYSQL_MATRIX-all}" ] || unset AFTERIMAGE_TEST_MYSQL AFTERIMAGE_TEST_MARIADB
"$here/setup.sh" --quiet --mysql --mariadb || exit 1

case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64v8 ;; *) machine=$(uname -m) ;; esac
# Not in the cache, because the users postgres and nobody must reach the files and may have no access to a home directory.
fetched=$(mktemp -d "${TMPDIR:-/tmp}/afterimage-matrix.XXXXXX")
chmod 755 "$fetched"
stop_servers() {
  "$here/servers.sh" stop "$fetched/kafka" "$fetched/other" "$fetched/state"
  rm -rf "${fetched:?}/kafka" "${fetched:?}/other" "${fetched:?}/state"
}
tidy_up() { stop_servers; rm -rf "$fetched"; }
trap tidy_up EXIT
trap 'exit 130' INT TERM
fetch() {
  local jar="$fetched/jar-$1" home="$fetched/$1"
  # Run in a folder of its own, because without a project Maven writes marker files below the current folder.
  (cd "$fetched" && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack -DoutputDirectory="$jar" \
    -Dartifact="io.zonky.test.postgres:embedded-postgres-binaries-linux-$machine:$1" >"$fetched/log" 2>&1) &&
    mkdir "$home" && tar -xJf "$jar"/*.txz -C "$home" && rm -rf "$jar" && chmod -R a+rX "$home"
}

bad=0 ran=0 told=()
# try NAME COMMAND...: runs the tests of one server.
try() {
  local outcome=passed
  echo "matrix: $1"
  "${@:2}" || { outcome=FAILED; bad=1; }
  ran=$((ran + 1))
  told+=("$1: $outcome")
}

on_postgres() {
  local version bin=$1; shift
  version=$("$bin/postgres" --version) || { told+=("$bin: no PostgreSQL"); bad=1; return; }
  [ $# -gt 0 ] || set -- -p afterimage -p afterimage-postgres
  try "$version ($bin)" env AFTERIMAGE_POSTGRES_BIN="$bin" "$here/test.sh" "$@"
}

# on_server NAME FOLDER: the tests of a MySQL or MariaDB. On all: the three forms of each type that the server has (unit tests
# of connectors/mysql), and the golden scenario of the usual changes. On those that are not older than the servers of
# `make test`: all scenarios of the product but those that the server answers otherwise (docs/STATUS.md: generated columns),
# snapshots, dumps, log-ins, and the crash test. MariaDB's golden records were made under its old default character set.
on_server() {
  local product=${1%%-*} folder=$2 other code=0 scenarios
  # Everything anew for each, topics too. The usual server of the other product runs, because many tests ask both.
  stop_servers
  if [ "$product" = mysql ]; then
    local -x AFTERIMAGE_OLDER_MYSQL=$folder
    other=mariadb scenarios=my-crud
  else
    local -x AFTERIMAGE_OLDER_MARIADB=$folder
    local -x AFTERIMAGE_MARIADB_EXTRA='--character-set-server=latin1 --collation-server=latin1_swedish_ci'
    other=mysql scenarios=maria-crud
  fi
  local -x AFTERIMAGE_TEST_MYSQL='' AFTERIMAGE_TEST_MARIADB='' AFTERIMAGE_TEST_KAFKA='' AFTERIMAGE_TEST_WORK=$fetched
  AFTERIMAGE_TEST_KAFKA=$("$here/servers.sh" kafka "$fetched/kafka") || return 1
  local here_at other_at
  here_at=$("$here/servers.sh" "$product" "$fetched/state") || return 1
  other_at=$(AFTERIMAGE_MARIADB_EXTRA='' "$here/servers.sh" "$other" "$fetched/other") || return 1
  if [ "$product" = mysql ]; then AFTERIMAGE_TEST_MYSQL=$here_at AFTERIMAGE_TEST_MARIADB=$other_at
  else AFTERIMAGE_TEST_MARIADB=$here_at AFTERIMAGE_TEST_MYSQL=$other_at; fi
  local tests=(cargo test -p afterimage -p afterimage-mysql --no-fail-fast)
  "${tests[@]}" --lib -- types::servers || code=1
  case $1 in
    # There an update does not move AUTO_INCREMENT on.
    mysql-5.*) scenarios=my-unwrap ;;
    # These know no INSERT … RETURNING and no UUID.
    mariadb-10.[12].*) scenarios=maria-time ;;
    mariadb-11.8)
      "${tests[@]}" --test snapshot --test dump --test login || code=1
      "${tests[@]}" --test crash -- "$product" || code=1
      scenarios='maria-crud maria-ddl maria-query-tx maria-text maria-time maria-types maria-unwrap'
      ;;
  esac
  AFTERIMAGE_GOLDEN_WITHOUT_DDL=1 AFTERIMAGE_GOLDEN=$scenarios "${tests[@]}" --test golden -- topics_are || code=1
  return $code
}

if [ "${AFTERIMAGE_MATRIX-}" != none ]; then
  for bin in $(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' -printf '%h\n' 2>/dev/null | sort -V); do
    on_postgres "$bin" "$@"
  done
  for version in ${AFTERIMAGE_MATRIX-14.19.0 16.10.0 17.6.0 18.0.0}; do
    if fetch "$version"; then on_postgres "$fetched/$version/bin" "$@"; rm -rf "${fetched:?}/$version"
    else tail -n 20 "$fetched/log" >&2; told+=("PostgreSQL $version: could not be fetched"); bad=1; fi
  done
  IFS=: read -r -a more <<<"${AFTERIMAGE_POSTGRES_BINS:-}"
  for bin in "${more[@]}"; do on_postgres "$bin" "$@"; done
fi

for name in ${AFTERIMAGE_MYSQL_MATRIX-mysql-5.7.22 mysql-8.0.15 mysql-8.0.33 mariadb-10.1.23 mariadb-10.2.11 mariadb-10.5 mariadb-11.4.5 mariadb-11.8}; do
  folder=${name#*=} name=${name%%=*}
  if [ "$folder" = "$name" ]; then
    folder=$fetched/server
    "$here/older-servers.sh" fetch "$name" "$folder" || { told+=("$name: could not be fetched"); bad=1; continue; }
  fi
  try "$name" on_server "$name" "$folder"
  stop_servers
  rm -rf "${fetched:?}/server"
done

printf 'matrix: %s\n' "${told[@]}"
[ $ran -gt 0 ] && [ $bad -eq 0 ]
