# shellcheck shell=bash
# Sourced by the other scripts and the Makefile: where things lie outside the checkout.
# A checkout stays clean, and every checkout of one user shares one download.
export AFTERIMAGE_CACHE="${AFTERIMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/afterimage}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$AFTERIMAGE_CACHE/target}"
export KAFKA_VERSION=4.3.1
export KAFKA_JARS="$AFTERIMAGE_CACHE/kafka-$KAFKA_VERSION"
# The newest PostgreSQL that Debian's packages put here, unless the caller chose one.
postgres_bin() {
  if [ -n "${AFTERIMAGE_POSTGRES_BIN:-}" ]; then echo "$AFTERIMAGE_POSTGRES_BIN"; return; fi
  local newest
  newest=$(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [ -n "$newest" ] && dirname "$newest"
}
