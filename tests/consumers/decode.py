#!/usr/bin/env python3
"""Avro records of a table with every kind of column, decoded by Confluent's AvroDeserializer (Python) and by Java's Avro, must
show what the JSON converter shows. Run by scripts/test-consumers.sh, which starts the servers.

decode.py --rest URL --broker HOST:PORT --postgres HOST:PORT --mysql HOST:PORT --registry URL --jars DIR
"""
import argparse
import base64
import datetime
import decimal
import json
import pathlib
import sys
import time

import requests
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from sources import MySql, Postgres

TABLE = {}
CHANGES = {}
MORE = {
    "postgres": {"include.unknown.datatypes": "true", "hstore.handling.mode": "map"},
    "mysql": {"bigint.unsigned.handling.mode": "precise"},
}
TABLE["postgres"] = """
create type mood as enum ('sad', 'ok', 'happy');
create extension if not exists hstore;
create extension if not exists ltree;
create extension if not exists citext;
create table t (
    id bigint primary key, si smallint, i int default 7, b boolean, r real, d double precision,
    n numeric(12,3), nn numeric, nd numeric(10,2) default 1.50, m money, t text, v varchar(10) default 'x', c char(5),
    by bytea, u uuid, j json, jb jsonb, x xml, e mood, ci citext, lt ltree, hs hstore,
    da date, ti time, tz timetz, ts timestamp, ts3 timestamp(3), tsz timestamptz, iv interval,
    ip inet, ci2 cidr, mac macaddr, bi bit(1), bb bit(12), vb varbit(9), p point,
    ai int[], at text[], an numeric(6,2)[], ad date[], ab boolean[], r4 int4range, rt tstzrange, o oid
);
alter table t replica identity full;
insert into t values (1, 2, 3, true, 1.5, 2.25, 123.456, 98765432109876543210.0123456789, -3.25, '12.34', 'text é 😀', 'v', 'c',
    '\\x00ff10', '6f1f2d7c-6b0e-4d3e-9a52-0e3f3a1b2c4d', '{"a": 1}', '{"b": [1, 2]}', '<a/>', 'ok', 'CiTeXt', 'a.b.c', 'k=>v, n=>NULL',
    '2024-02-29', '12:34:56.789', '12:34:56.789+02', '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789012+02', '1 year 2 days 03:04:05.6',
    '10.1.2.3', '10.1.0.0/16', '08:00:2b:01:02:03', b'1', b'101010101010', b'1011', '(1.5,-2)',
    '{1,2,null}', '{a,"b c",null}', '{1.25,2.5}', '{2024-01-01}', '{t,f}', '[1,10)', '["2024-01-01 00:00:00+00","2024-02-01 00:00:00+00")', 4294967295);
insert into t (id) values (2);
insert into t (id, d, r, n, nd, i, v) values (3, 'NaN', '-Infinity', 0, null, null, null);
"""

CHANGES["postgres"] = """
update t set t = 'again', n = -0.001, ai = '{}' where id = 1;
delete from t where id = 2;
"""

TABLE["mysql"] = """
create table t (
    id bigint primary key, ti tinyint, tu tinyint unsigned, si smallint, mi mediumint, i int default 7, iu int unsigned, bu bigint unsigned, b boolean,
    r float, d double, n decimal(12,3), nn decimal(65,30), nd decimal(10,2) default 1.50, t text, v varchar(10) default 'x', c char(5),
    latin varchar(10) character set latin1, bl blob, bn binary(4), vb varbinary(9), bi bit(1), bb bit(12),
    en enum('a','b,c','d') default 'd', st set('p','q'), j json, da date, ti3 time(3), ti6 time(6), dt datetime, dt6 datetime(6),
    ts timestamp(6) null, y year, p point, g geometry
);
insert into t values (1, -1, 255, 2, -8388608, 3, 4294967295, 18446744073709551615, true, 1.5, 2.25, 123.456, 98765432109876543210.0123456789, -3.25,
    'text é 😀', 'v', 'c', 'é', x'00ff10', x'0102', x'03', b'1', b'101010101010', 'b,c', 'p,q', '{"a": [1, null, "é"]}',
    '2024-02-29', '-12:34:56.789', '12:34:56.789012', '2024-02-29 12:34:56', '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56.789012', 2024,
    st_geomfromtext('POINT(1.5 -2)'), st_geomfromtext('LINESTRING(0 0,1 1)'));
insert into t (id) values (2);
insert into t (id, nd, i, v, en) values (3, null, null, null, null);
"""
CHANGES["mysql"] = """
update t set t = 'again', n = -0.001, j = json_set(j, '$.a[0]', 2) where id = 1;
delete from t where id = 2;
"""

# What differs from run to run, or where the record came from.
VOLATILE = {"ts_ms", "ts_us", "ts_ns", "lsn", "sequence", "txId", "name", "db", "snapshot", "file", "pos", "gtid", "thread"}


def consume(broker, topic, count):
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "decode", "enable.auto.commit": False, "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found, end = [], time.monotonic() + 60
    while len(found) < count and time.monotonic() < end:
        message = consumer.poll(1)
        # A tombstone has length 0, so it counts as false.
        if message is not None and not message.error():
            found.append((message.key(), message.value()))
    consumer.close()
    if len(found) < count:
        sys.exit(f"decode: {topic} has {len(found)} records, wanted {count}")
    return found


def run(args, database, name, converter):
    """The records of a connector with this converter, and their topic."""
    of, address = {"postgres": (Postgres, args.postgres), "mysql": (MySql, args.mysql)}[database]
    source = of(address, f"decode_{name}_{int(time.time())}", args.broker)
    source.run(TABLE[database])
    more = {"provide.transaction.metadata": "true", "topic.heartbeat.prefix": "hb", **MORE[database]}
    with source.connector(args.rest, converter, more):
        # The copy must be over, because it would not show what the changes remove.
        consume(args.broker, source.topic, 3)
        source.run(CHANGES[database])
        return consume(args.broker, source.topic, 6), source.topic


def plain(value):
    """A decoded value in the form in which the JSON converter shows it."""
    if isinstance(value, dict):
        # The id of a transaction holds a position, so only whether the block is there is compared.
        return {name: inner is not None if name == "transaction" else plain(inner) for name, inner in value.items() if name not in VOLATILE}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, decimal.Decimal):
        # Without the arithmetic of Decimal, which would round to 28 digits.
        sign, digits, _ = value.as_tuple()
        number = (-1 if sign else 1) * int("".join(map(str, digits)))
        size = ((number if number >= 0 else ~number).bit_length() + 8) // 8
        return base64.b64encode(number.to_bytes(size, "big", signed=True)).decode()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, (datetime.date, datetime.datetime, datetime.time)):
        sys.exit(f"decode: a logical type that the JSON converter does not show in this way: {value!r}")
    return value


class Java:
    """Java's Avro, in the virtual machine that Flink's Python library starts."""

    def __init__(self, jars, registry):
        from pyflink.java_gateway import get_gateway
        from pyflink.util.java_utils import add_jars_to_context_class_loader

        add_jars_to_context_class_loader([f"file://{jar}" for jar in sorted(pathlib.Path(jars).glob("*.jar"))])
        self.jvm = get_gateway().jvm
        self.avro = self.jvm.org.apache.flink.avro.shaded.org.apache.avro
        self.registry, self.schemas = registry, {}

    def schema(self, number):
        if number not in self.schemas:
            text = requests.get(f"{self.registry}/schemas/ids/{number}", timeout=30).json()["schema"]
            self.schemas[number] = self.avro.Schema.Parser().parse(text)
        return self.schemas[number]

    def decode(self, message):
        """The value as Avro's own JSON encoding: unions are objects with the name of the branch, bytes are texts."""
        schema = self.schema(int.from_bytes(message[1:5], "big"))
        decoder = self.avro.io.DecoderFactory.get().binaryDecoder(bytearray(message[5:]), None)
        datum = self.avro.generic.GenericDatumReader(schema).read(None, decoder)
        if not decoder.isEnd():
            sys.exit("decode: Java's Avro left bytes over")
        out = self.jvm.java.io.ByteArrayOutputStream()
        encoder = self.avro.io.EncoderFactory.get().jsonEncoder(schema, out)
        self.avro.generic.GenericDatumWriter(schema).write(datum, encoder)
        encoder.flush()
        document, named = json.loads(schema.toString()), {}
        collect(document, None, named)
        return unwrapped(document, json.loads(out.toString("UTF-8")), named)


def collect(schema, space, named):
    """Notes every record of a document, by its short and its full name."""
    if isinstance(schema, list):
        for option in schema:
            collect(option, space, named)
    elif isinstance(schema, dict):
        space = schema.get("namespace", space)
        if schema["type"] == "record":
            schema["full"] = f"{space}.{schema['name']}" if space else schema["name"]
            named[schema["name"]] = named[schema["full"]] = schema
            for field in schema["fields"]:
                collect(field["type"], space, named)
        for part in ("items", "values", "type"):
            if isinstance(schema.get(part), (dict, list)):
                collect(schema[part], space, named)


def unwrapped(schema, value, named):
    """A value of Avro's JSON encoding without the names of branches, with bytes in base64."""
    if isinstance(schema, str) and schema in named:
        schema = named[schema]
    if isinstance(schema, list):
        if value is None:
            return None
        (branch, inner), = value.items()
        for option in schema:
            of = named.get(option, option) if isinstance(option, str) else option
            names = (of,) if isinstance(of, str) else (of.get("full"), of.get("name", of["type"]))
            if branch in names:
                return unwrapped(of, inner, named)
        sys.exit(f"decode: no branch {branch}")
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        return {field["name"]: unwrapped(field["type"], value[field["name"]], named) for field in schema["fields"]}
    if kind == "array":
        return [unwrapped(schema["items"], inner, named) for inner in value]
    if kind == "map":
        return {name: unwrapped(schema["values"], inner, named) for name, inner in value.items()}
    if kind == "bytes":
        return base64.b64encode(value.encode("latin-1")).decode()
    if kind in ("float", "double") and isinstance(value, str):
        return {"NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity"}[value]
    if isinstance(kind, dict):
        return unwrapped(kind, value, named)
    return value


def compare(args, database, java):
    """How many keys and values are as JSON shows them, and how many are not."""
    shown, _ = run(args, database, "json", {"": "org.apache.kafka.connect.json.JsonConverter", ".schemas.enable": "false"})
    encoded, topic = run(args, database, "avro", {"": "io.confluent.connect.avro.AvroConverter", ".schema.registry.url": args.registry})
    client = SchemaRegistryClient({"url": args.registry})
    good = bad = 0
    for number, (record, bytes_pair) in enumerate(zip(shown, encoded)):
        for field, wanted, message in zip((MessageField.KEY, MessageField.VALUE), record, bytes_pair):
            wanted = plain(json.loads(wanted)) if wanted is not None else None
            python = AvroDeserializer(client)(message, SerializationContext(topic, field)) if message is not None else None
            for reader, found in (("confluent-kafka", plain(python)), ("Java", plain(java.decode(message)) if message is not None else None)):
                if found == wanted:
                    good += 1
                    continue
                bad += 1
                print(f"decode: {database}, record {number} {field}, {reader}:\n  {json.dumps(found, default=str)}\nwanted\n  {json.dumps(wanted)}")
    print(f"decode: {database}: {good} keys and values equal what JSON shows, {bad} do not")
    return good, bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("rest", "broker", "postgres", "mysql", "registry", "jars"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    java = Java(args.jars, args.registry)
    counts = [compare(args, database, java) for database in ("postgres", "mysql")]
    sys.exit(any(bad or not good for good, bad in counts))


main()
