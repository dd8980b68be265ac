# shellcheck shell=bash
# Sourced by the other scripts and the Makefile: sets the places outside of the checkout that they use.
# So a checkout stays clean, and all checkouts of one user share what was built and downloaded.
export AFTERIMAGE_CACHE="${AFTERIMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/afterimage}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$AFTERIMAGE_CACHE/target}"
export KAFKA_VERSION=4.3.1
export KAFKA_JARS="$AFTERIMAGE_CACHE/kafka-$KAFKA_VERSION"
# Prints the bin directory of the newest PostgreSQL from Debian's packages, unless the caller has chosen one.
postgres_bin() {
  if [ -n "${AFTERIMAGE_POSTGRES_BIN:-}" ]; then echo "$AFTERIMAGE_POSTGRES_BIN"; return; fi
  local newest
  newest=$(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [ -n "$newest" ] && dirname "$newest"
}
