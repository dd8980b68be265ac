"""The databases whose changes the consumers read: a database of a run's own, its connector's configuration, and what tells that
the connector has come to a point of the log.
"""
import contextlib
import time

import psycopg
import pymysql
import requests


def wait(what, seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"consumers: {what} did not happen within {seconds} s")
        time.sleep(0.3)


class Source:
    """A database named `name` on the server at `address`, with the table `t`; its topics are on `broker`."""

    def __init__(self, address, name, broker):
        self.host, self.port = address.split(":")
        self.name = name
        self.broker = broker

    @contextlib.contextmanager
    def connector(self, rest, converter, more):
        """Runs a connector of the database while the block runs."""
        config = {
            "database.hostname": self.host,
            "database.port": self.port,
            "topic.prefix": self.name,
            **self.config(),
            **more,
            **{f"{part}.converter{key}": value for part in ("key", "value") for key, value in converter.items()},
        }
        answer = requests.post(f"{rest}/connectors", json={"name": self.name, "config": config}, timeout=60)
        if not answer.ok:
            raise SystemExit(f"consumers: the connector {self.name} was refused: {answer.text}")
        try:
            yield
        finally:
            requests.delete(f"{rest}/connectors/{self.name}", timeout=60)
            self.close()


class Postgres(Source):
    kind = "postgres"

    def __init__(self, address, name, broker):
        super().__init__(address, name, broker)
        base = f"host={self.host} port={self.port} user=postgres"
        with psycopg.connect(f"{base} dbname=postgres", autocommit=True) as admin:
            admin.execute(f"create database {name}")
        self.db = psycopg.connect(f"{base} dbname={name}", autocommit=True)
        self.topic = f"{name}.public.t"

    def config(self):
        return {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.user": "postgres",
            "database.password": "postgres",
            "database.dbname": self.name,
            "plugin.name": "pgoutput",
            "slot.name": self.name,
            "publication.name": self.name,
            "publication.autocreate.mode": "filtered",
            "table.include.list": "public.t",
        }

    def run(self, statements):
        """Runs statements, one a line or one after another."""
        self.db.execute(statements.encode())

    def rows(self, query):
        return [tuple(row) for row in self.db.execute(query)]

    def wait_streaming(self):
        active = "select 1 from pg_replication_slots where slot_name = %s and active"
        wait("streaming", 60, lambda: self.db.execute(active, [self.name]).fetchone())

    def wait_caught_up(self, _last):
        """Waits until everything that was written so far is on the topic."""
        here = self.db.execute("select pg_current_wal_lsn()").fetchone()[0]
        done = "select confirmed_flush_lsn >= %s::pg_lsn from pg_replication_slots where slot_name = %s"
        wait("the last change", 120, lambda: self.db.execute(done, [here, self.name]).fetchone()[0])

    def close(self):
        time.sleep(1)
        drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s and not active"
        self.db.execute(drop, [self.name])
        self.db.close()


class MySql(Source):
    kind = "mysql"

    def __init__(self, address, name, broker):
        super().__init__(address, name, broker)
        self.user = f"cdc_{name}"
        self.db = pymysql.connect(host=self.host, port=int(self.port), user="root", autocommit=True, charset="utf8mb4")
        self.run(
            f"""create database {name};
use {name};
create user '{self.user}'@'%' identified by 'cdc';
grant select, reload, lock tables, show databases, replication slave, replication client on *.* to '{self.user}'@'%';"""
        )
        self.topic = f"{name}.{name}.t"

    def config(self):
        return {
            "connector.class": "io.debezium.connector.mysql.MySqlConnector",
            "database.user": self.user,
            "database.password": "cdc",
            "database.server.id": str(1000 + int(time.time() * 10) % 1_000_000),
            "database.ssl.mode": "disabled",
            "driver.allowPublicKeyRetrieval": "true",
            "schema.history.internal.kafka.bootstrap.servers": self.broker,
            "schema.history.internal.kafka.topic": f"history.{self.name}",
            "table.include.list": f"{self.name}.t",
        }

    def run(self, statements):
        """Runs statements, each of which ends with a semicolon at the end of a line."""
        with self.db.cursor() as cursor:
            for statement in statements.strip().rstrip(";").split(";\n"):
                cursor.execute(statement)

    def rows(self, query):
        with self.db.cursor() as cursor:
            cursor.execute(query)
            return [tuple(row) for row in cursor.fetchall()]

    def wait_streaming(self):
        reading = f"select 1 from information_schema.processlist where user = '{self.user}' and command like 'Binlog Dump%'"
        wait("streaming", 60, lambda: self.rows(reading))

    def wait_caught_up(self, last):
        """Waits until the last row that was written is on the topic."""
        wait("the last change", 120, last)

    def close(self):
        self.db.close()
