#!/usr/bin/env bash
# Checks the sources without running them: formatting, clippy and rustdoc with warnings as errors, unused dependencies,
# shell scripts, and licences and sources of dependencies (deny.toml). Needs no server.
# Missing tools are installed: shellcheck by setup.sh, cargo-deny and cargo-machete into the cache.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
. "$here/env.sh"
# clippy also builds the vendored C libraries, which need what setup.sh installs.
"$here/setup.sh" --quiet shellcheck || exit 1
for component in fmt clippy; do
  cargo "$component" --version >/dev/null 2>&1 ||
    { echo "check: this toolchain has no cargo $component: rustup component add rustfmt clippy" >&2; exit 1; }
done
tools="$AFTERIMAGE_CACHE/tools/bin"
# tool NAME VERSION: prints the path of a tool. One on the PATH is used; else this version is built into the cache.
tool() {
  command -v "$1" 2>/dev/null && return
  if [ ! -x "$tools/$1" ]; then
    echo "check: installing $1 (once, some minutes)" >&2
    cargo install -q --locked --root "$AFTERIMAGE_CACHE/tools" "$1@$2" >&2 ||
      { echo "check: $1 could not be installed: see above, or put one on the PATH (cargo install $1)" >&2; return 1; }
  fi
  echo "$tools/$1"
}
deny=$(tool cargo-deny 0.20.2) || exit 1
machete=$(tool cargo-machete 0.9.1) || exit 1

bad=()
# step NAME COMMAND...: runs a check and goes on when it fails, so that one run shows everything that is wrong.
step() {
  local name=$1; shift
  echo "check: $name"
  "$@" || bad+=("$name")
}
step format cargo fmt --all --check
step clippy cargo clippy -q --workspace --all-targets -- -D warnings
# The documents are for who works on the daemon and are made with private items, so links to these are fine.
step rustdoc env RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc -q --workspace --no-deps --document-private-items
step "unused dependencies" "$machete" --skip-target-dir
step "shell scripts" shellcheck -x scripts/*.sh docker/*.sh .ci/run
step "licences and sources" "$deny" --log-level error check bans licenses sources
if [ ${#bad[@]} -gt 0 ]; then
  printf 'check: NOT clean: %s\n' "${bad[@]}"
  exit 1
fi
echo "check: clean"
