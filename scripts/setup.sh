#!/usr/bin/env bash
# Installs what building, testing and the demo need on a Debian 12 that has a Rust toolchain, make and git.
# When everything is installed already, it only prints one line; `--quiet` leaves that line out. Further arguments are
# programs to install as well, each from Debian's package of the same name (setup.sh --quiet shellcheck).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

command -v cargo >/dev/null || die "no cargo on the PATH: install a Rust toolchain first (rustup), then run this again"

quiet=
[ "${1:-}" != --quiet ] || { quiet=1; shift; }

# want PROGRAM PACKAGE: notes the package as missing when the program is.
missing=()
want() { command -v "$1" >/dev/null || missing+=("$2"); }
want cc build-essential
want make build-essential
want pkg-config pkg-config
want perl perl
want curl curl
want jq jq
want java openjdk-17-jre-headless
want mvn maven
want setpriv util-linux
want openssl openssl
for program in "$@"; do want "$program" "$program"; done
[ -n "$(postgres_bin || true)" ] || missing+=(postgresql)

if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || die "these are missing and this is no Debian: ${missing[*]}; install them with your own package manager"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing: ${missing[*]}; run as root, install sudo, or install them yourself"
    as_root=(sudo)
  fi
  log=$(mktemp)
  quietly() { "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; die "this command failed: $*"; }; }
  say "installing ${missing[*]}"
  apt() { quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"; }
  apt update
  # Debian's package would start a cluster on port 5432 at once. The tests create their own on free ports.
  if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    apt install -y --no-install-recommends postgresql-common
    quietly "${as_root[@]}" sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  fi
  apt install -y --no-install-recommends "${missing[@]}"
  rm -f "$log"
fi

# Maven fetches Kafka's jars from the repository that it is configured for.
stamp="$KAFKA_JARS/.complete-$(cksum <"$here/pom.xml" | cut -d ' ' -f 1)"
if [ ! -e "$stamp" ]; then
  say "fetching Kafka $KAFKA_VERSION and a Connect worker (once, about 100 MB)"
  mkdir -p "$AFTERIMAGE_CACHE"
  fresh=$(mktemp -d "$AFTERIMAGE_CACHE/kafka.XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  out=$(mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$fresh" -DincludeScope=runtime 2>&1) ||
    { echo "$out" | tail -n 20 >&2; die "Maven could not fetch Kafka's jars: is its repository reachable (~/.m2/settings.xml)?"; }
  touch "$fresh/$(basename "$stamp")"
  rm -rf "$KAFKA_JARS"
  mv "$fresh" "$KAFKA_JARS"
fi
java -version 2>&1 | grep -qE 'version "(1[7-9]|[2-9][0-9])' || die "Kafka needs Java 17 or newer, and 'java' is: $(java -version 2>&1 | head -n 1)"
[ -n "$quiet" ] || say "all there (PostgreSQL: $(postgres_bin), Kafka: $KAFKA_JARS)"
