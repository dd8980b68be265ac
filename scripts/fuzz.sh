#!/usr/bin/env bash
# Coverage-guided fuzzing of the code that parses the server's bytes and users' texts. The targets are in fuzz/; short
# versions of them run as unit tests (the files hostile.rs of the crates). AFTERIMAGE_FUZZ_SECONDS is the time for each
# target (default 60). Interesting inputs stay in fuzz/corpus, crashes in fuzz/artifacts.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
. "$here/env.sh"
export CARGO_TARGET_DIR="$AFTERIMAGE_CACHE/fuzz"
cargo +nightly --version >/dev/null 2>&1 || { echo "fuzz: a nightly compiler is missing: rustup toolchain install nightly" >&2; exit 1; }
export PATH="$AFTERIMAGE_CACHE/tools/bin:$PATH"
if ! command -v cargo-fuzz >/dev/null; then
  echo "fuzz: installing cargo-fuzz (once)"
  cargo install -q --locked --root "$AFTERIMAGE_CACHE/tools" cargo-fuzz || exit 1
fi
bad=0
for target in pgoutput copied cell frames expand_json expression; do
  echo "fuzz: $target"
  cargo +nightly fuzz run "$target" -- -max_total_time="${AFTERIMAGE_FUZZ_SECONDS:-60}" -max_len=4096 -print_final_stats=1 -verbosity=0 || bad=1
done
exit $bad
