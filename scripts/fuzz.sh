#!/usr/bin/env bash
# Coverage-guided fuzzing of the code that parses the server's bytes and users' texts. The targets are in fuzz/; short
# versions of them run as unit tests (the files hostile.rs of the crates). AFTERIMAGE_FUZZ_SECONDS is the time for each
# target (default 60); arguments are the targets to run instead of all. An input that takes more than 20 s or 1 GiB is a
# finding, as a panic is. Interesting inputs stay in fuzz/corpus, findings in fuzz/artifacts; fuzz/seeds has some to start from.
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
all=(pgoutput copied cell frames expand_json expression binlog_event row_image json_binary json_diff payload value ddl)
[ $# -gt 0 ] || set -- "${all[@]}"
bad=0
for target; do
  echo "fuzz: $target"
  corpus=("fuzz/corpus/$target")
  mkdir -p "${corpus[0]}"
  [ -d "fuzz/seeds/$target" ] && corpus+=("fuzz/seeds/$target")
  cargo +nightly fuzz run "$target" "${corpus[@]}" -- -max_total_time="${AFTERIMAGE_FUZZ_SECONDS:-60}" -max_len=4096 \
    -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 || bad=1
done
exit $bad
