#!/usr/bin/env bash
# The tests that need no server: every crate's own, the documents, and those of tests/ that ask nobody.
# The last line is "N passed, M failed". Arguments go to cargo test: scripts/test-unit.sh ledger
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
. "$here/env.sh"
"$here/setup.sh" --quiet || exit 1
. "$here/count.sh"
count_tests cargo test --no-fail-fast --workspace --lib --bins --test tidy --test cli --test docker --test messages "$@"
