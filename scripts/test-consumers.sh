#!/usr/bin/env bash
# Runs real consumers on the daemon's topics of PostgreSQL and MySQL: Apache Flink folds them to rows
# (tests/consumers/fold.py), and Confluent's and Java's Avro decode a table with every kind of column
# (tests/consumers/decode.py). Starts its own servers and stops them.
# The first run fetches about 400 MB (Flink's Python library, its connectors). `--only json|avro` limits the fold.
# The last line is "N passed, M failed" over both programs.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
. "$here/env.sh"
die() { echo "test-consumers: $*" >&2; exit 1; }

# The databases are started here: one that the user names for the tests is not used, and must not leave one out.
unset AFTERIMAGE_TEST_MYSQL AFTERIMAGE_TEST_MARIADB
"$here/setup.sh" --quiet --registry --mysql || exit 1
consumers=$here/../tests/consumers
home=$AFTERIMAGE_CACHE/consumers-$(cksum <"$consumers/requirements.txt" | cut -d ' ' -f 1)
if [ ! -e "$home/complete" ]; then
  echo "test-consumers: fetching Flink and Confluent's Python client (once, about 400 MB)"
  rm -rf "$home"
  mkdir -p "$home/jars"
  python3 -m venv "$home/python" || die "no venv for Python: install python3-venv"
  out=$("$home/python/bin/pip" install -q -r "$consumers/requirements.txt" 2>&1) || die "pip failed: $(tail -n 5 <<<"$out")"
  for jar in flink-sql-connector-kafka:4.0.1-2.0 flink-sql-avro-confluent-registry:2.3.0; do
    out=$(cd "$home" && mvn -q -B -C org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
      -Dartifact="org.apache.flink:$jar" -DoutputDirectory="$home/jars" 2>&1) || die "Maven could not fetch $jar: $out"
  done
  touch "$home/complete"
fi

echo "test-consumers: building"
cargo build -q --bin afterimage || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/afterimage-consumers.XXXXXX")
chmod 711 "$work"
daemon=""
tidy_up() {
  if [ -n "$daemon" ]; then kill -TERM "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; fi
  "$here/servers.sh" stop "$work/registry" "$work/kafka" "$work/postgres" "$work/mysql"
  rm -rf "$work"
}
trap tidy_up EXIT
trap 'exit 130' INT TERM

echo "test-consumers: starting PostgreSQL, MySQL, Kafka, a schema registry and the daemon"
postgres=$("$here/servers.sh" postgres "$work/postgres") || exit 1
mysql=$("$here/servers.sh" mysql "$work/mysql") || exit 1
kafka=$("$here/servers.sh" kafka "$work/kafka") || exit 1
registry=$("$here/servers.sh" registry "$work/registry") || exit 1
port=$("$here/servers.sh" port)
{
  echo "bootstrap.servers=$kafka"
  echo "group.id=consumers"
  echo "key.converter=org.apache.kafka.connect.json.JsonConverter"
  echo "value.converter=org.apache.kafka.connect.json.JsonConverter"
  for topic in config offset status; do
    echo "$topic.storage.topic=consumers-$topic"
    echo "$topic.storage.replication.factor=1"
  done
  echo "listeners=http://127.0.0.1:$port"
} >"$work/worker.properties"
"$CARGO_TARGET_DIR/debug/afterimage" run "$work/worker.properties" >"$work/daemon.log" 2>&1 &
daemon=$!
for _ in $(seq 300); do
  curl -sf "http://127.0.0.1:$port/connectors" >/dev/null && break
  kill -0 "$daemon" 2>/dev/null || { tail -n 20 "$work/daemon.log" >&2; die "the daemon ended"; }
  sleep 0.1
done

where=(--rest "http://127.0.0.1:$port" --broker "$kafka" --postgres "$postgres" --mysql "$mysql" --registry "http://$registry/apis/ccompat/v7" --jars "$home/jars")
passed=0 failed=0
run() {
  if timeout 600 "$home/python/bin/python" "$consumers/$1" "${where[@]}" "${@:2}"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}
case "${1:-} ${2:-}" in
  "--only json") run fold.py --only json ;;
  *) run fold.py "$@"; run decode.py ;;
esac
[ "$failed" -eq 0 ] || tail -n 20 "$work/daemon.log" >&2
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
