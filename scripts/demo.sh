#!/usr/bin/env bash
# Shows the daemon at work: starts a PostgreSQL, a Kafka and the daemon on free ports, creates a small shop and, with
# curl, a connector, changes rows and shows the change events as they arrive. On a terminal it runs until Enter or
# Ctrl-C; otherwise it ends by itself. In both cases nothing is left running.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
. "$here/env.sh"

"$here/setup.sh" || exit 1
echo "demo: building the daemon (the first time takes some minutes)"
# Built with the profile of the tests, so that what `make test` has built is used again.
cargo build -q --bin afterimage || exit 1
bin=$(postgres_bin)

work=$(mktemp -d "${TMPDIR:-/tmp}/afterimage-demo.XXXXXX")
chmod 711 "$work"
daemon="" consumer=""
tidy_up() {
  trap - EXIT INT TERM
  echo
  echo "demo: stopping everything"
  [ -z "$consumer" ] || kill "$consumer" 2>/dev/null
  # SIGTERM: the daemon stops reading, flushes, stores its offsets and tells PostgreSQL, then ends with 0.
  if [ -n "$daemon" ]; then kill -TERM "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; fi
  wait 2>/dev/null
  "$here/servers.sh" stop "$work/kafka" "$work/postgres"
  rm -rf "$work"
}
trap tidy_up EXIT
trap 'exit 130' INT TERM
fail() { echo "demo: $*" >&2; [ -s "$work/daemon.log" ] && tail -n 20 "$work/daemon.log" >&2; exit 1; }

echo "demo: starting PostgreSQL (wal_level=logical) and Kafka"
postgres=$("$here/servers.sh" postgres "$work/postgres") || exit 1
kafka=$("$here/servers.sh" kafka "$work/kafka") || exit 1
rest=$("$here/servers.sh" port)
sql() { "$bin/psql" -qX -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "${postgres##*:}" -U postgres -d "${2:-shop}" -c "$1"; }

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

sql 'create database shop' postgres
sql "create table customers(id serial primary key, name text not null, email text);
     create table orders(id serial primary key, customer int references customers, item text, price numeric(8,2), placed timestamptz default now());
     insert into customers(name, email) values ('Ann', 'ann@example.org'), ('Bob', null);
     insert into orders(customer, item, price) values (1, 'lamp', 24.50)" || fail "the shop could not be made"

cat >"$work/connector.json" <<J
{
  "name": "shop",
  "config": {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "127.0.0.1",
    "database.port": "${postgres##*:}",
    "database.user": "postgres",
    "database.password": "postgres",
    "database.dbname": "shop",
    "topic.prefix": "shop",
    "plugin.name": "pgoutput",
    "decimal.handling.mode": "string"
  }
}
J
# Shows the events as they arrive, one line for each: the operation, and the row before and after.
show='if . == null then "  tombstone" else "  \(.op)  \(.source.table)  before \(.before|tojson)  after \(.after|tojson)" end'
java -XX:TieredStopAtLevel=1 -Xmx128m -cp "$KAFKA_JARS/*" org.apache.kafka.tools.consumer.ConsoleConsumer \
  --bootstrap-server "$kafka" --include 'shop\.public\..*' --from-beginning --command-property metadata.max.age.ms=500 2>"$work/consumer.log" \
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
change() { echo; echo "shop=# $1"; sql "$1" || fail "the statement failed"; wait_events "$2"; sleep 0.3; }
change "insert into orders(customer, item, price) values (2, 'chair', 80)" 4
change "update customers set email = 'bob@example.org' where name = 'Bob'" 5
change "begin; update orders set price = 20 where id = 1; insert into customers(name) values ('Cid'); commit" 7
change "delete from orders where id = 2" 9
echo
echo "PostgreSQL logs a row's old values only with 'alter table ... replica identity full': without, before is null or has"
echo "the key alone. The tombstone lets a compacted topic forget the key."

cat <<T

What to try next, while this runs:
  psql -h 127.0.0.1 -p ${postgres##*:} -U postgres shop          # change rows yourself, and look here
  curl http://127.0.0.1:$rest/connectors/shop/status | jq
  curl http://127.0.0.1:$rest/connectors/shop/offsets | jq
  curl -X PUT http://127.0.0.1:$rest/connectors/shop/pause   # then resume
  curl http://127.0.0.1:$rest/health
The daemon's log: $work/daemon.log
T
if [ -t 0 ] && [ -t 1 ]; then
  echo
  echo "Enter or Ctrl-C ends the demo."
  read -r || true
fi
exit 0
