#!/usr/bin/env bash
# Writes what this version stores to tests/state/VERSION, from which every later version must start (tests/release_state.rs).
# Run it once before each release, and never change what it has written.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/../Cargo.toml" | head -n 1)
to=$here/../tests/state/$version
[ ! -e "$to" ] || { echo "record-state: $to is there already" >&2; exit 1; }
"$here/test.sh" --test release_state -- --ignored --exact record_this_release
ls -l "$to"
