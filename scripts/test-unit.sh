#!/usr/bin/env bash
# Runs the tests that need no server: those of every crate, those of the documents, and some in tests/.
# The last line is "N passed, M failed". Arguments go to cargo test: scripts/test-unit.sh ledger
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
. "$here/env.sh"
"$here/setup.sh" --quiet || exit 1
. "$here/count.sh"
count_tests cargo test --no-fail-fast --workspace --lib --bins --test tidy --test cli --test docker --test messages "$@"
