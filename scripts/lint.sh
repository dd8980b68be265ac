#!/usr/bin/env bash
# Formatting, clippy with warnings as errors, shell syntax, and dependencies' licences and sources (deny.toml).
# What is missing is installed (cargo-deny into the cache, with cargo), or named with the command that brings it.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
. "$here/env.sh"
# The vendored C libraries are built by clippy too.
"$here/setup.sh" --quiet || exit 1
for component in fmt clippy; do
  cargo "$component" --version >/dev/null 2>&1 ||
    { echo "lint: this toolchain has no cargo $component: rustup component add rustfmt clippy" >&2; exit 1; }
done
deny=$(command -v cargo-deny || echo "$AFTERIMAGE_CACHE/tools/bin/cargo-deny")
if [ ! -x "$deny" ]; then
  echo "lint: installing cargo-deny (once, some minutes)"
  cargo install -q --locked --root "$AFTERIMAGE_CACHE/tools" cargo-deny@0.20.2 ||
    { echo "lint: cargo-deny could not be installed: see above, or put one on the PATH (cargo install cargo-deny)" >&2; exit 1; }
fi
bad=0
cargo fmt --all --check || bad=1
cargo clippy -q --workspace --all-targets -- -D warnings || bad=1
for script in scripts/*.sh docker/*.sh .ci/run; do bash -n "$script" || bad=1; done
"$deny" --log-level error check bans licenses sources || bad=1
[ $bad -eq 0 ] && echo "lint: clean"
exit $bad
