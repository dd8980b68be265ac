#!/usr/bin/env python3
"""Real consumers of our topics: Apache Flink reads them with its formats debezium-json and debezium-avro-confluent and folds
them to rows, which must be the rows of the source table, in PostgreSQL and in MySQL. Run by scripts/test-consumers.sh, which
starts the servers.

fold.py --rest URL --broker HOST:PORT --postgres HOST:PORT --mysql HOST:PORT --registry URL --jars DIR [--only json|avro]
"""
import argparse
import collections
import pathlib
import sys
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition
from pyflink.table import EnvironmentSettings, TableEnvironment

from sources import MySql, Postgres

# The columns of the source table in both databases, and how Flink reads what Debezium's types are on the wire.
COLUMNS = [
    ("id", "bigint primary key", "bigint primary key", "BIGINT"),
    ("name", "text", "text", "STRING"),
    ("n", "int", "int", "INT"),
    ("small", "smallint", "smallint", "SMALLINT"),
    ("d", "double precision", "double", "DOUBLE"),
    ("amount", "numeric(12,2)", "decimal(12,2)", "STRING"),
    ("day", "date", "date", "INT"),
    ("at", "timestamp(6)", "datetime(6)", "BIGINT"),
    ("note", "varchar(40) not null", "varchar(40) not null", "STRING"),
    # Debezium's type for MySQL's boolean, a TINYINT(1), is INT16.
    ("ok", "boolean", "boolean", {"postgres": "BOOLEAN", "mysql": "SMALLINT"}),
]

FIRST = {
    "postgres": """insert into t select i, 'name ' || i, i, i % 100, i / 4.0, i * 1.25, date '2024-01-01' + i, timestamp '2024-01-01' + i * interval '1 second', 'é 漢 😀 ' || i, i % 2 = 0 from generate_series(1, 400) i;""",
    "mysql": """insert into t with recursive s as (select 1 i union all select i + 1 from s where i < 400)
        select i, concat('name ', i), i, i % 100, i / 4.0, i * 1.25, date '2024-01-01' + interval i day,
            timestamp '2024-01-01 00:00:00' + interval i second, concat('é 漢 😀 ', i), i % 2 = 0 from s;""",
}
CHANGES = """
update t set name = null, n = null, small = null, ok = null, d = null, amount = null, day = null, at = null where id % 7 = 0;
update t set id = id + 10000 where id % 11 = 0;
delete from t where id % 5 = 0;
insert into t (id, note) values (-1, ''), (-2, repeat('x', 40));
update t set note = 'changed' where id % 13 = 0;
delete from t where id % 17 = 0;
insert into t (id, note) values (-3, 'the last of all rows');
"""

# The table's rows in the form in which Flink shows them.
ROWS = {
    "postgres": """select id, name, n, small, d, amount::text, day - date '1970-01-01',
        (extract(epoch from at) * 1000000)::bigint, note, ok from t""",
    "mysql": """select id, name, n, small, d, cast(amount as char), datediff(day, '1970-01-01'),
        timestampdiff(microsecond, '1970-01-01', at), note, ok from t""",
}


def high(broker, topic):
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "consumers", "log_level": 0})
    try:
        return consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1]
    except Exception:  # the topic is not there yet
        return 0
    finally:
        consumer.close()


def ends_with_the_last(broker, topic):
    """Whether the topic's last record is that of the last row."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "consumers", "log_level": 0})
    try:
        end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1]
        consumer.assign([TopicPartition(topic, 0, max(end - 1, 0))])
        message = consumer.poll(10)
        return message is not None and not message.error() and b"the last of all rows" in (message.value() or b"")
    except KafkaException:  # the topic is not there yet
        return False
    finally:
        consumer.close()


def fold(args, source, flink_format):
    """The rows that Flink makes of the topic."""
    topic = source.topic
    env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    env.get_config().set("pipeline.jars", ";".join(f"file://{jar}" for jar in sorted(pathlib.Path(args.jars).glob("*.jar"))))
    env.get_config().set("parallelism.default", "1")
    of = {name: flink if isinstance(flink, str) else flink[source.kind] for name, *_, flink in COLUMNS}
    columns = ", ".join(f"`{name}` {flink}" for name, flink in of.items())
    options = {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": args.broker,
        "properties.group.id": f"flink-{topic}",
        "scan.startup.mode": "earliest-offset",
        "scan.bounded.mode": "latest-offset",
        **flink_format,
    }
    given = ", ".join(f"'{key}' = '{value}'" for key, value in options.items())
    env.execute_sql(f"create table t ({columns}) with ({given})")
    table = collections.Counter()
    with env.execute_sql("select * from t").collect() as results:
        for row in results:
            kind = row.get_row_kind().name
            table[tuple(row)] += 1 if kind in ("INSERT", "UPDATE_AFTER") else -1
    return +table, [row for row, n in table.items() if n < 0]


def check(args, database, name, converter, flink_format):
    # A name of its own, so that nothing of an earlier run is found again.
    of, address = {"postgres": (Postgres, args.postgres), "mysql": (MySql, args.mysql)}[database]
    source = of(address, f"fold_{name}_{int(time.time())}", args.broker)
    column = {"postgres": 1, "mysql": 2}[database]
    source.run("create table t (" + ", ".join(f"{each[0]} {each[column]}" for each in COLUMNS) + ")")
    if database == "postgres":
        source.run("alter table t replica identity full")
    with source.connector(args.rest, converter, {"decimal.handling.mode": "string"}):
        source.wait_streaming()
        for statement in [FIRST[database], *CHANGES.strip().splitlines()]:
            source.run(statement)
        source.wait_caught_up(lambda: ends_with_the_last(args.broker, source.topic))
        wanted = collections.Counter(source.rows(ROWS[database]))
        found, negative = fold(args, source, flink_format)
    if found == wanted and not negative and wanted:
        records = high(args.broker, source.topic)
        print(f"consumers: {database}, {name}: {records} records fold to the table's {sum(wanted.values())} rows")
        return True
    print(f"consumers: {database}, {name}: missing {list((wanted - found))[:3]}, too many {list((found - wanted))[:3]}, taken away but never there {negative[:3]}")
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("rest", "broker", "postgres", "mysql", "registry", "jars"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--only", choices=["json", "avro"])
    args = parser.parse_args()
    cases = {
        "json": (
            {"": "org.apache.kafka.connect.json.JsonConverter", ".schemas.enable": "false"},
            {"format": "debezium-json"},
        ),
        "avro": (
            {"": "io.confluent.connect.avro.AvroConverter", ".schema.registry.url": args.registry},
            {"format": "debezium-avro-confluent", "debezium-avro-confluent.url": args.registry},
        ),
    }
    chosen = [(name, case) for name, case in cases.items() if args.only in (None, name)]
    good = [check(args, database, name, *case) for database in ("postgres", "mysql") for name, case in chosen]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    sys.exit(not all(good))


main()
