#!/usr/bin/env bash
# Runs the tests that need a PostgreSQL (whole-daemon and the connector's) on one version after the other:
#   those that Debian's packages have installed under /usr/lib/postgresql,
#   the versions in AFTERIMAGE_MATRIX (default below), fetched through Maven (Zonky's builds) and deleted afterwards,
#   the bin directories in AFTERIMAGE_POSTGRES_BINS, separated by colons.
# Arguments go to scripts/test.sh: scripts/test-matrix.sh --test golden. With AFTERIMAGE_MATRIX= nothing is fetched.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
"$here/setup.sh" --quiet || exit 1
[ $# -gt 0 ] || set -- -p afterimage -p afterimage-postgres

case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64v8 ;; *) machine=$(uname -m) ;; esac
# Not in the cache, because the user postgres must reach the files and may have no access to a home directory.
fetched=$(mktemp -d "${TMPDIR:-/tmp}/afterimage-matrix.XXXXXX")
chmod 755 "$fetched"
trap 'rm -rf "$fetched"' EXIT
trap 'exit 130' INT TERM
fetch() {
  local jar="$fetched/jar-$1" home="$fetched/$1"
  # Run in a folder of its own, because without a project Maven writes marker files below the current folder.
  (cd "$fetched" && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack -DoutputDirectory="$jar" \
    -Dartifact="io.zonky.test.postgres:embedded-postgres-binaries-linux-$machine:$1" >"$fetched/log" 2>&1) &&
    mkdir "$home" && tar -xJf "$jar"/*.txz -C "$home" && rm -rf "$jar" && chmod -R a+rX "$home"
}

bad=0 ran=0 told=()
run() {
  local version
  version=$("$1/postgres" --version) || { told+=("$1: no PostgreSQL"); bad=1; return; }
  echo "matrix: $version ($1)"
  local outcome=passed
  AFTERIMAGE_POSTGRES_BIN=$1 "$here/test.sh" "${@:2}" || { outcome=FAILED; bad=1; }
  ran=$((ran + 1))
  told+=("$version: $outcome")
}

for bin in $(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' -printf '%h\n' 2>/dev/null | sort -V); do run "$bin" "$@"; done
for version in ${AFTERIMAGE_MATRIX-14.19.0 16.10.0 17.6.0 18.0.0}; do
  if fetch "$version"; then run "$fetched/$version/bin" "$@"; rm -rf "${fetched:?}/$version"
  else tail -n 20 "$fetched/log" >&2; told+=("PostgreSQL $version: could not be fetched"); bad=1; fi
done
IFS=: read -r -a more <<<"${AFTERIMAGE_POSTGRES_BINS:-}"
for bin in "${more[@]}"; do run "$bin" "$@"; done

printf 'matrix: %s\n' "${told[@]}"
[ $ran -gt 0 ] && [ $bad -eq 0 ]
