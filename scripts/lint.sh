#!/usr/bin/env bash
# Formatting, clippy with warnings as errors, shell syntax, and licences where cargo-deny is installed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
. "$here/env.sh"
bad=0
cargo fmt --all --check || bad=1
cargo clippy -q --workspace --all-targets -- -D warnings || bad=1
for script in scripts/*.sh docker/*.sh .ci/run; do bash -n "$script" || bad=1; done
if command -v cargo-deny >/dev/null; then cargo deny --log-level error check bans licenses sources || bad=1
else echo "lint: cargo-deny is not installed, licences were not looked at (cargo install cargo-deny)"; fi
exit $bad
