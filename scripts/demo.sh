#!/usr/bin/env bash
# Shows the daemon at work: starts a database, a Kafka and the daemon on free ports, creates a small shop and, with
# curl, a connector, changes rows and shows the change events as they arrive. On a terminal it runs until Enter or
# Ctrl-C; otherwise it ends by itself. In both cases nothing is left running.
# The database is PostgreSQL, or what the argument says: postgres, mysql or mariadb.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
. "$here/env.sh"

db=${1:-postgres}
case $db in
  postgres) product=PostgreSQL setup=() ;;
  mysql) product=MySQL setup=(--mysql) ;;
  mariadb) product=MariaDB setup=(--mariadb) ;;
  *) echo "demo: the database is postgres, mysql or mariadb, not $db" >&2; exit 2 ;;
esac
# The databases are started here: one that the user names for the tests is not used, and must not leave one out.
unset AFTERIMAGE_TEST_MYSQL AFTERIMAGE_TEST_MARIADB
"$here/setup.sh" "${setup[@]}" || exit 1
echo "demo: building the daemon (the first time takes some minutes)"
# Built beside the smallest of the test programs, because the tests want other features of the libraries than the daemon
# alone: so what is built here is used again by `make test`, and the other way round. A terminal shows cargo's own progress;
# elsewhere a line from time to time says that it goes on.
build=(cargo test --no-run --workspace --test cli)
if [ -t 2 ]; then "${build[@]}" || exit 1
else
  "${build[@]}" -q &
  building=$! waited=0
  trap 'kill "$building" 2>/dev/null; exit 130' INT TERM
  while kill -0 "$building" 2>/dev/null; do
    sleep 1
    waited=$((waited + 1))
    [ $((waited % 30)) -ne 0 ] || echo "demo: still building, $waited s"
  done
  wait "$building" || exit 1
fi
bin=$(postgres_bin)

work=$(mktemp -d "${TMPDIR:-/tmp}/afterimage-demo.XXXXXX")
chmod 711 "$work"
daemon="" consumer=""
tidy_up() {
  # Nothing may stop it half-way, nor a terminal that is gone.
  trap - EXIT
  trap '' INT TERM HUP PIPE
  echo
  echo "demo: stopping everything"
  [ -z "$consumer" ] || kill "$consumer" 2>/dev/null
  # SIGTERM: the daemon stops reading, flushes, stores its offsets and tells the database, then ends with 0.
  if [ -n "$daemon" ]; then kill -TERM "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; fi
  wait 2>/dev/null
  "$here/servers.sh" stop "$work/kafka" "$work/$db"
  rm -rf "$work"
}
trap tidy_up EXIT
trap 'exit 130' INT TERM HUP
fail() {
  echo "demo: $*" >&2
  for log in daemon consumer; do
    [ -s "$work/$log.log" ] && echo "demo: the last lines of the $log's log:" >&2 && tail -n 20 "$work/$log.log" >&2
  done
  exit 1
}

if [ "$db" = postgres ]; then log=wal_level=logical; else log="binlog in ROW format, GTIDs"; fi
echo "demo: starting $product ($log) and Kafka"
server=$("$here/servers.sh" "$db" "$work/$db") || exit 1
kafka=$("$here/servers.sh" kafka "$work/kafka") || exit 1
rest=$("$here/servers.sh" port)
port=${server##*:}
# sql STATEMENTS [DATABASE]: as the superuser, in the shop.
if [ "$db" = postgres ]; then
  client=(psql -h 127.0.0.1 -p "$port" -U postgres shop)
  sql() { "$bin/psql" -qX -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres -d "${2:-shop}" -c "$1"; }
else
  # MariaDB's client speaks with both.
  client=(mariadb -h 127.0.0.1 -P "$port" -u root shop)
  sql() { mariadb --no-defaults --default-character-set=utf8mb4 -h 127.0.0.1 -P "$port" -u root "${2-shop}" -e "$1"; }
fi

cat >"$work/connect-distributed.properties" <<P
bootstrap.servers=$kafka
group.id=demo
config.storage.topic=connect-configs
offset.storage.topic=connect-offsets
status.storage.topic=connect-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
key.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
listeners=http://127.0.0.1:$rest
P
echo "demo: afterimage run connect-distributed.properties"
"$CARGO_TARGET_DIR/debug/afterimage" run "$work/connect-distributed.properties" >"$work/daemon.log" 2>&1 &
daemon=$!
for _ in $(seq 300); do
  curl -sf "http://127.0.0.1:$rest/health" >/dev/null && break
  kill -0 "$daemon" 2>/dev/null || fail "the daemon ended at its start"
  sleep 0.1
done
curl -sf "http://127.0.0.1:$rest/health" >/dev/null || fail "the daemon is not ready: $(curl -s "http://127.0.0.1:$rest/health")"

if [ "$db" = postgres ]; then
  sql 'create database shop' postgres
  key="serial primary key" now="timestamptz default now()"
else
  sql "create database shop;
       create user cdc@'%' identified by 'cdc'; create user cdc@localhost identified by 'cdc';
       grant select, reload, lock tables, show databases, replication slave, replication client on *.* to cdc@'%', cdc@localhost" ""
  key="int auto_increment primary key" now="timestamp default current_timestamp"
fi
sql "create table customers(id $key, name varchar(40) not null, email varchar(40));
     create table orders(id $key, customer int references customers(id), item varchar(40), price numeric(8,2), placed $now);
     insert into customers(name, email) values ('Ann', 'ann@example.org'), ('Bob', null);
     insert into orders(customer, item, price) values (1, 'lamp', 24.50)" || fail "the shop could not be made"

# What a connector says of its database.
case $db in
  postgres) class=postgresql.PostgresConnector own='"database.user": "postgres",
    "database.password": "postgres",
    "database.dbname": "shop",
    "plugin.name": "pgoutput"' ;;
  *)
    own='"database.user": "cdc",
    "database.password": "cdc",
    "database.server.id": "5401",
    "database.include.list": "shop",
    "schema.history.internal.kafka.bootstrap.servers": "'$kafka'",
    "schema.history.internal.kafka.topic": "history.shop"'
    if [ "$db" = mysql ]; then class=mysql.MySqlConnector; else class=mariadb.MariaDbConnector; fi ;;
esac
cat >"$work/connector.json" <<J
{
  "name": "shop",
  "config": {
    "connector.class": "io.debezium.connector.$class",
    "database.hostname": "127.0.0.1",
    "database.port": "$port",
    $own,
    "topic.prefix": "shop",
    "decimal.handling.mode": "string"
  }
}
J
# Shows the events as they arrive, one line for each: the operation, and the row before and after.
show='if . == null then "  tombstone" else "  \(.op)  \(.source.table)  before \(.before|tojson)  after \(.after|tojson)" end'
java -XX:TieredStopAtLevel=1 -Xmx128m -cp "$KAFKA_JARS/*" org.apache.kafka.tools.consumer.ConsoleConsumer \
  --bootstrap-server "$kafka" --include 'shop\.(public|shop)\..*' --from-beginning --command-property metadata.max.age.ms=500 2>"$work/consumer.log" \
  > >(tee "$work/events" | jq -r --unbuffered "$show") &
consumer=$!
events() { wc -l <"$work/events" 2>/dev/null || echo 0; }
wait_events() { for _ in $(seq 300); do [ "$(events)" -ge "$1" ] && return; sleep 0.1; done; fail "only $(events) of $1 events came"; }

echo
echo "\$ curl -X POST -H 'Content-Type: application/json' --data @connector.json http://127.0.0.1:$rest/connectors"
cat "$work/connector.json"
curl -sS --fail-with-body -X POST -H 'Content-Type: application/json' --data "@$work/connector.json" -o "$work/answer" \
  -w 'HTTP %{http_code}\n' "http://127.0.0.1:$rest/connectors" || fail "the connector was refused: $(cat "$work/answer")"
echo
echo "The rows that are there already (r = read by the snapshot):"
wait_events 3
change() { echo; echo "$db> $1"; sql "$1" || fail "the statement failed"; wait_events "$2"; sleep 0.3; }
change "insert into orders(customer, item, price) values (2, 'chair', 80)" 4
change "update customers set email = 'bob@example.org' where name = 'Bob'" 5
change "begin; update orders set price = 20 where id = 1; insert into customers(name) values ('Cid'); commit" 7
change "delete from orders where id = 2" 9
echo
if [ "$db" = postgres ]; then
  echo "PostgreSQL logs a row's old values only with 'alter table ... replica identity full': without, before is null or has"
  echo "the key alone. The tombstone lets a compacted topic forget the key."
else
  echo "The binlog holds whole rows, so before is the whole row. The tombstone lets a compacted topic forget the key."
  echo "Each table has a topic of its own: changes of two tables in one transaction may show in either order here."
  echo "DDL is followed, too: the topic shop has each statement that changed a table, with the table as it then was."
fi

stays=''
if [ -t 0 ] && [ -t 1 ]; then stays=1; fi
echo
if [ -n "$stays" ]; then echo "What to try next, in another terminal while this runs:"
else echo "On a terminal the demo goes on until Enter, so that you can try:"; fi
cat <<T
  ${client[*]}   # change rows yourself, and look here
  curl http://127.0.0.1:$rest/connectors/shop/status | jq
  curl http://127.0.0.1:$rest/connectors/shop/offsets | jq
  curl -X PUT http://127.0.0.1:$rest/connectors/shop/pause   # then resume
  curl http://127.0.0.1:$rest/health
T
if [ -n "$stays" ]; then
  echo "The daemon's log: $work/daemon.log"
  echo
  echo "Enter ends the demo."
  # Ctrl-C ends it as well as Enter does.
  trap 'exit 0' INT HUP
  read -r || true
fi
exit 0
