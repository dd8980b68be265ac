#!/usr/bin/env bash
# The whole-daemon tests on every PostgreSQL that is installed under /usr/lib/postgresql, one after the other.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/setup.sh" --quiet || exit 1
bad=0
for bin in $(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' -printf '%h\n' | sort -V); do
  echo "matrix: $("$bin/postgres" --version)"
  AFTERIMAGE_POSTGRES_BIN=$bin "$here/test.sh" -p afterimage || bad=1
done
exit $bad
