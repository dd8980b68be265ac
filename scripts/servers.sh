#!/usr/bin/env bash
# Servers for tests and the demo, as plain processes on loopback, each with all its state in one directory:
#   servers.sh postgres DIR [PORT]   start a PostgreSQL with wal_level=logical; prints host:port. AFTERIMAGE_POSTGRES_EXTRA holds
#                                    lines of postgresql.conf
#   servers.sh kafka DIR [PORT]      start a Kafka broker (KRaft); prints host:port; AFTERIMAGE_KAFKA_EXTRA holds properties,
#                                    AFTERIMAGE_KAFKA_LISTENERS more listeners (NAME:PROTOCOL ...; DIR/listener-NAME says where)
#   servers.sh acls BROKER ARGS...   run kafka-acls on a broker
#   servers.sh configs BROKER ARGS...   run kafka-configs on a broker
#   servers.sh connect DIR BROKER [GROUP]   start a Java Connect worker without plug-ins of its own; prints host:port
#   servers.sh registry DIR [PORT]   start a schema registry (Apicurio); prints host:port
#   servers.sh mysql DIR [PORT]      start a MySQL; prints host:port. root has no password; AFTERIMAGE_MYSQL_EXTRA holds options
#   servers.sh mariadb DIR [PORT]    the same for MariaDB; AFTERIMAGE_MARIADB_EXTRA. AFTERIMAGE_OLDER_MYSQL and
#                                    AFTERIMAGE_OLDER_MARIADB name folders with other versions (see older-servers.sh)
#   servers.sh stop DIR...           stop the server of that directory by its pid; --now kills it
#   servers.sh port                  print a free port
# A DIR with the state of an earlier server starts with that state. The log is DIR/log.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
die() { echo "servers: $*" >&2; exit 1; }

# Prints a free port below the kernel's range for outgoing connections, so that none takes it before the server does.
free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  die "no free port between 20000 and 32000"
}

# launch DIR COMMAND...: starts a server in its own session, so that a Ctrl-C for the caller does not reach it.
launch() {
  local dir=$1; shift
  setsid "$@" >>"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
}

# await DIR SECONDS COMMAND...: repeats the command until it succeeds, the server has ended, or the time is up.
await() {
  local dir=$1 tenths=$(($2 * 10)); shift 2
  for _ in $(seq "$tenths"); do
    "$@" >/dev/null 2>&1 && return 0
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
    sleep 0.1
  done
  return 1
}

postgres() {
  local dir=$1 port=${2:-} bin ready as=()
  bin=$(postgres_bin) || die "no PostgreSQL found: run scripts/setup.sh"
  # Some builds of the server have no pg_isready; then Debian's is used.
  ready=$bin/pg_isready
  [ -x "$ready" ] || ready=pg_isready
  mkdir -p "$dir"
  # initdb refuses to run as root. Debian's package has a user postgres, who must be able to reach the directory.
  if [ "$(id -u)" -eq 0 ]; then
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    mkdir -p "$dir/data" && chown postgres "$dir/data" && chmod 711 "$dir"
  fi
  if [ ! -e "$dir/data/PG_VERSION" ]; then
    # Every role but the superuser needs a password, so that tests can use a wrong one.
    (cd / && "${as[@]}" "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8) >"$dir/log" 2>&1 ||
      { tail -n 20 "$dir/log" >&2; die "initdb failed"; }
    printf '%s\n' 'local all all trust' 'host all postgres 127.0.0.1/32 trust' 'host replication postgres 127.0.0.1/32 trust' \
      'host all all 127.0.0.1/32 scram-sha-256' 'host replication all 127.0.0.1/32 scram-sha-256' >"$dir/data/pg_hba.conf"
    cat >>"$dir/data/postgresql.conf" <<P
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = ${AFTERIMAGE_WAL_LEVEL:-logical}
max_wal_senders = 100
max_replication_slots = 100
max_connections = 400
shared_buffers = 128MB
fsync = off
${AFTERIMAGE_POSTGRES_EXTRA:-}
P
  fi
  for _ in 1 2 3; do
    local try=${port:-$(free_port)}
    launch "$dir" "${as[@]}" "$bin/postgres" -D "$dir/data" -p "$try"
    if await "$dir" 60 "$ready" -q -h 127.0.0.1 -p "$try" -U postgres; then echo "127.0.0.1:$try"; return; fi
  done
  tail -n 20 "$dir/log" >&2; die "PostgreSQL did not come up"
}

kafka() {
  local dir=$1 port=${2:-}
  [ -d "$KAFKA_JARS" ] || die "no Kafka jars in $KAFKA_JARS: run scripts/setup.sh"
  mkdir -p "$dir"
  for _ in 1 2 3; do
    local try=${port:-$(free_port)} controller
    controller=$(cat "$dir/controller" 2>/dev/null || free_port)
    [ "$try" != "$controller" ] || continue
    local listener name more='' advertised='' protocols=''
    for listener in ${AFTERIMAGE_KAFKA_LISTENERS:-}; do
      # By name, because certificates name hosts. A broker that is started again keeps its ports.
      name=${listener%%:*}
      [ -e "$dir/listener-$name" ] || echo "localhost:$(free_port)" >"$dir/listener-$name"
      more+=",$name://127.0.0.1:$(cut -d: -f2 "$dir/listener-$name")"
      advertised+=",$name://$(cat "$dir/listener-$name")"
      protocols+=",$listener"
    done
    cat >"$dir/server.properties" <<P
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$try,CONTROLLER://127.0.0.1:$controller$more
advertised.listeners=PLAINTEXT://127.0.0.1:$try$advertised
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT$protocols
log.dirs=$dir/data
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=16777216
${AFTERIMAGE_KAFKA_EXTRA:-}
P
    local java=(java "-Xms${AFTERIMAGE_KAFKA_HEAP:-512m}" "-Xmx${AFTERIMAGE_KAFKA_HEAP:-512m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1
      "-Dlog4j2.configurationFile=$here/log4j2.properties" -cp "$KAFKA_JARS/*")
    if [ ! -e "$dir/data/meta.properties" ]; then
      "${java[@]}" kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qg -c "$dir/server.properties" >"$dir/format.log" 2>&1 ||
        { tail -n 20 "$dir/format.log" >&2; die "Kafka's storage could not be formatted"; }
    fi
    # A broker that is started again needs its old controller port, because the quorum's state names it.
    echo "$controller" >"$dir/controller"
    : >"$dir/log"
    launch "$dir" "${java[@]}" kafka.Kafka "$dir/server.properties"
    if await "$dir" 60 grep -q 'Kafka Server started' "$dir/log"; then echo "127.0.0.1:$try"; return; fi
    stop --now "$dir"
    [ -n "$port" ] || rm -f "$dir/controller" "$dir"/listener-*
  done
  tail -n 20 "$dir/log" >&2; die "Kafka did not come up"
}

# tool CLASS BROKER ARGS...: runs one of Kafka's tools.
tool() {
  java -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$here/log4j2.properties" -cp "$KAFKA_JARS/*" \
    "$1" --bootstrap-server "$2" "${@:3}"
}
acls() { tool org.apache.kafka.tools.AclCommand "$@"; }
configs() { tool kafka.admin.ConfigCommand "$@"; }

connect() {
  local dir=$1 broker=$2 group=${3:-connect} port
  port=$(free_port)
  mkdir -p "$dir"
  cat >"$dir/worker.properties" <<P
bootstrap.servers=$broker
group.id=$group
config.storage.topic=$group-configs
offset.storage.topic=$group-offsets
status.storage.topic=$group-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=1
status.storage.partitions=1
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.flush.interval.ms=1000
${AFTERIMAGE_CONNECT_EXTRA:-}
listeners=http://127.0.0.1:$port
P
  : >"$dir/log"
  launch "$dir" java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$here/log4j2.properties" \
    -cp "$KAFKA_JARS/*" org.apache.kafka.connect.cli.ConnectDistributed "$dir/worker.properties"
  # A worker cannot join a group that a daemon holds. A caller who wants that looks at the log itself.
  [ "${AFTERIMAGE_NO_WAIT:-}" = 1 ] && { echo "127.0.0.1:$port"; return; }
  await "$dir" 90 curl -sf "http://127.0.0.1:$port/connectors" || { tail -n 20 "$dir/log" >&2; die "the Connect worker did not come up"; }
  echo "127.0.0.1:$port"
}

registry() {
  local dir=$1 port=${2:-} java
  [ -e "$REGISTRY_HOME/quarkus-run.jar" ] || die "no schema registry in $REGISTRY_HOME: run scripts/setup.sh --registry"
  java=$(registry_java) || die "no Java 21 for the schema registry: run scripts/setup.sh --registry"
  mkdir -p "$dir"
  for _ in 1 2 3; do
    local try=${port:-$(free_port)}
    : >"$dir/log"
    # Its state is a database in a file, so a registry that was killed comes back with what it had answered for. A test
    # may delete what it made, and may register more subjects than the 1000 that the registry lists by default.
    launch "$dir" "$java" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
      -Dquarkus.http.host=127.0.0.1 "-Dquarkus.http.port=$try" -Dquarkus.management.host=127.0.0.1 -Dquarkus.management.port=0 \
      -Dquarkus.http.access-log.enabled=false \
      "-Dapicurio.datasource.url=jdbc:h2:file:$dir/data/registry;WRITE_DELAY=0" \
      -Dapicurio.datasource.jdbc.initial-size=2 -Dapicurio.datasource.jdbc.min-size=2 \
      -Dapicurio.rest.deletion.artifact.enabled=true -Dapicurio.rest.deletion.artifact-version.enabled=true \
      -Dapicurio.rest.deletion.group.enabled=true -Dapicurio.ccompat.max-subjects=100000 \
      -jar "$REGISTRY_HOME/quarkus-run.jar"
    if await "$dir" 60 grep -q "Listening on: http://127.0.0.1:$try" "$dir/log"; then echo "127.0.0.1:$try"; return; fi
    stop --now "$dir"
  done
  tail -n 20 "$dir/log" >&2; die "the schema registry did not come up"
}

# Options of both MySQL and MariaDB: a binlog with row images and GTIDs, as the connectors want it, on loopback only. Their
# numbers, 1 and 2, are those of the servers from which the golden records came.
replicating=(--bind-address=127.0.0.1 --log-bin=binlog --binlog-format=ROW --binlog-row-image=FULL
  --max-connections=300 --innodb-buffer-pool-size=128M --innodb-flush-log-at-trx-commit=0 --sync-binlog=0
  --innodb-flush-method=nosync --max-allowed-packet=256M --local-infile=ON)

# Both servers refuse to run as root unless they are told a user. This one owns nothing else.
as_nobody() {
  if [ "$(id -u)" -eq 0 ]; then chown nobody "$1" && chmod 711 "$1" && echo --user=nobody; fi
}

# older FOLDER EXTRA DIR [PORT]: starts the server of that folder instead of the usual one.
older() { AFTERIMAGE_OLDER_EXTRA=$2 exec "$here/older-servers.sh" start "$1" "${@:3}"; }

mysql() {
  [ -z "${AFTERIMAGE_OLDER_MYSQL:-}" ] || older "$AFTERIMAGE_OLDER_MYSQL" "${AFTERIMAGE_MYSQL_EXTRA:-}" "$@"
  local dir=$1 port=${2:-} loader server user extra
  # The server runs with the libraries that were fetched with it, by their own loader, so that the machine's may be older.
  loader=$(find "$MYSQL_HOME/usr/lib" -maxdepth 2 -name 'ld-linux*.so.*' 2>/dev/null | head -n 1)
  [ -e "$loader" ] || die "no MySQL in $MYSQL_HOME: run scripts/setup.sh --mysql"
  server=("$loader" --library-path "$(dirname "$loader")" "$MYSQL_HOME/usr/sbin/mysqld" --no-defaults)
  mkdir -p "$dir"
  dir=$(realpath "$dir")
  user=$(as_nobody "$dir")
  read -r -a extra <<<"${AFTERIMAGE_MYSQL_EXTRA:-}"
  server+=(${user:+"$user"} "--basedir=$MYSQL_HOME/usr" "--datadir=$dir/data" "--lc-messages-dir=$MYSQL_HOME/usr/share/mysql"
    "--character-sets-dir=$MYSQL_HOME/usr/share/mysql/charsets" "--plugin-dir=$MYSQL_HOME/usr/lib/mysql/plugin")
  if [ ! -e "$dir/data/mysql.ibd" ]; then
    "${server[@]}" --initialize-insecure >"$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2; die "MySQL's data directory could not be made"; }
  fi
  run_mysql MySQL "${server[@]}" --server-id=1 --mysqlx=OFF --gtid-mode=ON --enforce-gtid-consistency=ON
}

mariadb() {
  [ -z "${AFTERIMAGE_OLDER_MARIADB:-}" ] || older "$AFTERIMAGE_OLDER_MARIADB" "${AFTERIMAGE_MARIADB_EXTRA:-}" "$@"
  local dir=$1 port=${2:-} user extra
  command -v mariadbd >/dev/null || die "no MariaDB found: run scripts/setup.sh --mariadb"
  mkdir -p "$dir"
  dir=$(realpath "$dir")
  user=$(as_nobody "$dir")
  read -r -a extra <<<"${AFTERIMAGE_MARIADB_EXTRA:-}"
  if [ ! -d "$dir/data/mysql" ]; then
    mariadb-install-db --no-defaults ${user:+"$user"} "--datadir=$dir/data" --auth-root-authentication-method=normal \
      --skip-test-db >"$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2; die "MariaDB's data directory could not be made"; }
  fi
  # The server's user may have no access to the cache, where the plugins are.
  if [ ! -d "$dir/plugin" ] && [ -d "$MARIADB_PLUGINS" ]; then cp -r "$MARIADB_PLUGINS" "$dir/plugin" && chmod -R a+rX "$dir/plugin"; fi
  run_mysql MariaDB mariadbd --no-defaults ${user:+"$user"} --server-id=2 "--datadir=$dir/data" "--plugin-dir=$dir/plugin" --gtid-strict-mode=ON
}

# run_mysql NAME COMMAND...: starts the server of $dir with $extra on $port, or on a free port. A socket's path may be 107 bytes long.
run_mysql() {
  local name=$1 try; shift
  for _ in 1 2 3; do
    try=${port:-$(free_port)}
    : >"$dir/log"
    # The caller's own options come last, so that they win.
    launch "$dir" "$@" "${replicating[@]}" "--port=$try" "--secure-file-priv=$dir/data" \
      "--socket=/tmp/afterimage-$try.sock" "--pid-file=$dir/data/server.pid" "${extra[@]}"
    if await "$dir" 60 grep -q 'ready for connections' "$dir/log"; then echo "127.0.0.1:$try"; return; fi
    stop --now "$dir"
  done
  tail -n 20 "$dir/log" >&2; die "$name did not come up"
}

stop() {
  local signal=TERM dir pid
  # SIGINT is PostgreSQL's fast shutdown. SIGTERM would wait until every client has disconnected.
  [ "${1:-}" = --now ] && { signal=KILL; shift; }
  for dir in "$@"; do
    [ -s "$dir/pid" ] || continue
    pid=$(cat "$dir/pid")
    if [ -e "$dir/data/PG_VERSION" ]; then
      if [ $signal = KILL ]; then kill -QUIT "$pid" 2>/dev/null || true; else kill -INT "$pid" 2>/dev/null || true; fi
    else kill -$signal "$pid" 2>/dev/null || true; fi
    for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
    rm -f "$dir/pid"
  done
}

case ${1:-} in
  postgres | kafka | acls | configs | connect | registry | mysql | mariadb | stop) "$@" ;;
  port) free_port ;;
  *) sed -n '2,17p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;;
esac
