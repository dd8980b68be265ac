#!/usr/bin/env python3
"""Real consumers of our topics: Apache Flink reads them with its formats debezium-json and debezium-avro-confluent and folds
them to rows, which must be the rows of the source table. Run by scripts/test-consumers.sh, which starts the servers.

fold.py --rest URL --broker HOST:PORT --postgres HOST:PORT --registry URL --jars DIR [--only json|avro]
"""
import argparse
import collections
import pathlib
import sys
import time

import psycopg
import requests
from confluent_kafka import Consumer, TopicPartition
from pyflink.table import EnvironmentSettings, TableEnvironment

# The columns of the source table, and how Flink reads what Debezium's types are on the wire.
COLUMNS = [
    ("id", "bigint primary key", "BIGINT"),
    ("name", "text", "STRING"),
    ("n", "int", "INT"),
    ("small", "smallint", "SMALLINT"),
    ("ok", "boolean", "BOOLEAN"),
    ("d", "double precision", "DOUBLE"),
    ("amount", "numeric(12,2)", "STRING"),
    ("day", "date", "INT"),
    ("at", "timestamp(6)", "BIGINT"),
    ("note", "varchar(40) not null", "STRING"),
]

CHANGES = """
insert into t select i, 'name ' || i, i, i % 100, i % 2 = 0, i / 4.0, i * 1.25, date '2024-01-01' + i, timestamp '2024-01-01' + i * interval '1 second', 'é 漢 😀 ' || i from generate_series(1, 400) i;
update t set name = null, n = null, small = null, ok = null, d = null, amount = null, day = null, at = null where id % 7 = 0;
update t set id = id + 10000 where id % 11 = 0;
delete from t where id % 5 = 0;
insert into t (id, note) values (-1, ''), (-2, repeat('x', 40));
update t set note = 'changed' where id % 13 = 0;
delete from t where id % 17 = 0;
"""


def rows(db):
    """The table's rows in the form in which Flink shows them."""
    query = """select id, name, n, small, ok, d, amount::text, day - date '1970-01-01',
        (extract(epoch from at) * 1000000)::bigint, note from t"""
    return collections.Counter(tuple(row) for row in db.execute(query))


def wait(what, seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"consumers: {what} did not happen within {seconds} s")
        time.sleep(0.3)


def high(broker, topic):
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "consumers", "log_level": 0})
    try:
        return consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1]
    except Exception:  # the topic is not there yet
        return 0
    finally:
        consumer.close()


def fold(args, topic, flink_format):
    """The rows that Flink makes of the topic."""
    env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    env.get_config().set("pipeline.jars", ";".join(f"file://{jar}" for jar in sorted(pathlib.Path(args.jars).glob("*.jar"))))
    env.get_config().set("parallelism.default", "1")
    columns = ", ".join(f"`{name}` {flink}" for name, _, flink in COLUMNS)
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


def check(args, name, converter, flink_format):
    host, port = args.postgres.split(":")
    base = f"host={host} port={port} user=postgres"
    # A name of its own, so that nothing of an earlier run is found again.
    database = f"fold_{name}_{int(time.time())}"
    topic = f"{database}.public.t"
    with psycopg.connect(f"{base} dbname=postgres", autocommit=True) as admin:
        admin.execute(f"drop database if exists {database} with (force)")
        admin.execute(f"create database {database}")
    with psycopg.connect(f"{base} dbname={database}", autocommit=True) as db:
        db.execute("create table t (" + ", ".join(f"{column} {kind}" for column, kind, _ in COLUMNS) + ")")
        db.execute("alter table t replica identity full")
        config = {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": host,
            "database.port": port,
            "database.user": "postgres",
            "database.password": "postgres",
            "database.dbname": database,
            "topic.prefix": database,
            "plugin.name": "pgoutput",
            "slot.name": database,
            "publication.name": database,
            "publication.autocreate.mode": "filtered",
            "table.include.list": "public.t",
            "decimal.handling.mode": "string",
            **{f"{part}.converter{key}": value for part in ("key", "value") for key, value in converter.items()},
        }
        requests.post(f"{args.rest}/connectors", json={"name": database, "config": config}, timeout=60).raise_for_status()
        try:
            active = "select 1 from pg_replication_slots where slot_name = %s and active"
            wait("streaming", 60, lambda: db.execute(active, [database]).fetchone())
            for statement in CHANGES.strip().splitlines():
                db.execute(statement.encode())
            # A last row: everything before it is on the topic once it is.
            marker = db.execute("select pg_current_wal_lsn()").fetchone()[0]
            done = "select confirmed_flush_lsn >= %s::pg_lsn from pg_replication_slots where slot_name = %s"
            wait("the last change", 120, lambda: db.execute(done, [marker, database]).fetchone()[0])
            wanted = rows(db)
            found, negative = fold(args, topic, flink_format)
        finally:
            requests.delete(f"{args.rest}/connectors/{database}", timeout=60)
            time.sleep(1)
            db.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s and not active", [database])
    if found == wanted and not negative and wanted:
        print(f"consumers: {name}: {high(args.broker, topic)} records fold to the table's {sum(wanted.values())} rows")
        return True
    print(f"consumers: {name}: missing {list((wanted - found))[:3]}, too many {list((found - wanted))[:3]}, taken away but never there {negative[:3]}")
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("rest", "broker", "postgres", "registry", "jars"):
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
    good = [check(args, name, *case) for name, case in cases.items() if args.only in (None, name)]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    sys.exit(not all(good))


main()
