//! MySQL and MariaDB: columns that are null in the binlog are read again (`ReselectColumnsPostProcessor`): rows are found by
//! keys of every type, large columns come whole, and what becomes of a change whose row is gone, or whose table was altered
//! or dropped meanwhile. That the records equal Debezium's: the golden scenarios `my-reselect` and `maria-reselect`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use rig::{Daemon, Kafka, MySqlDatabase, Options, Product, wait_until};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const CLASS: &str = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";
const PRODUCTS: [Product; 2] = [Product::MySql, Product::MariaDb];

/// Starts a connector that reads columns again, and stops it once it follows the binlog: changes that are made before it is
/// resumed are read together. `reselect.…` are settings of the post processor.
fn stopped(daemon: &Daemon, database: &MySqlDatabase, more: &[(&str, &str)]) {
    let named = |name: &str| {
        if name.starts_with("reselect.") { format!("post.processors.r.{name}") } else { name.to_owned() }
    };
    let more: Vec<_> = more.iter().map(|(name, value)| (named(name), *value)).collect();
    let mut all = vec![("snapshot.mode", "no_data"), ("post.processors", "r"), ("post.processors.r.type", CLASS)];
    all.extend(more.iter().map(|(name, value)| (name.as_str(), *value)));
    daemon.create(&database.name, &database.connector(&all));
    database.wait_reader_after(0);
    daemon.rest("PUT", &format!("/connectors/{}/stop", database.name), None);
    wait_until("the connector is stopped", LIMIT, || {
        let status = daemon.rest("GET", &format!("/connectors/{}/status", database.name), None).json();
        status["connector"]["state"] == "STOPPED" && status["tasks"].as_array().is_some_and(Vec::is_empty)
    });
}

fn resume(daemon: &Daemon, database: &MySqlDatabase) {
    daemon.rest("PUT", &format!("/connectors/{}/resume", database.name), None);
}

/// The new rows of a table's records, once there are `count` of them.
#[track_caller]
fn afters(database: &MySqlDatabase, table: &str, count: i64) -> Vec<Value> {
    let (kafka, topic) = (Kafka::shared(), format!("{0}.{0}.{table}", database.name));
    wait_until(&format!("{count} records of {table}"), LIMIT, || kafka.length(&topic) >= count);
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["payload"]["after"].take();
    kafka.consume(&topic).iter().filter_map(|message| message.value.as_deref().map(read)).collect()
}

/// Types of keys. Debezium does not find rows by most of these.
const KEYS: &[(&str, &str)] = &[
    ("int unsigned", "4294967295"),
    ("bigint unsigned", "18446744073709551615"),
    ("decimal(20,5)", "-123456789.10000"),
    ("float", "0.1"),
    ("double", "0.1"),
    ("bit(9)", "b'100000001'"),
    ("year", "2020"),
    ("char(8)", "'ab'"),
    ("varchar(20) character set utf8mb4", "'O''Brien \\\\ 日本'"),
    ("varchar(20) character set latin1", "'ü'"),
    ("binary(5)", "x'610000'"),
    ("varbinary(9)", "x'00ff27'"),
    ("date", "'2020-02-29'"),
    ("time(3)", "'-101:59:59.123'"),
    ("datetime(6)", "'1969-12-31 23:59:59.000001'"),
    ("timestamp(2) default current_timestamp(2)", "'2020-07-01 12:00:00.25'"),
    ("enum('a','b''c')", "'b''c'"),
    ("set('x','y')", "'x,y'"),
];

#[test]
fn rows_are_found_by_keys_of_every_type() {
    let daemon = Daemon::start(Options::new("myreselect_keys"));
    for product in PRODUCTS {
        let database = MySqlDatabase::create(product, "myreselect_keys");
        for (i, (of, _)) in KEYS.iter().enumerate() {
            database.run(&format!("create table k{i}(k {of} primary key, n int)"));
        }
        stopped(&daemon, &database, &[]);
        for (i, (_, value)) in KEYS.iter().enumerate() {
            database.run(&format!("insert into k{i} values ({value}, null); update k{i} set n = 7"));
        }
        resume(&daemon, &database);
        for (i, (of, value)) in KEYS.iter().enumerate() {
            let afters = afters(&database, &format!("k{i}"), 2);
            assert_eq!(afters[0]["n"], 7, "{} {of} {value}", product.name());
        }
    }
}

/// Debezium's task fails here, or sends null.
#[test]
fn times_of_day_are_read_again() {
    let daemon = Daemon::start(Options::new("myreselect_times"));
    for product in PRODUCTS {
        let database = MySqlDatabase::create(product, "myreselect_times");
        database.run("create table t(id int primary key, a time, b time(3), c time(6))");
        stopped(&daemon, &database, &[]);
        database.run(
            "insert into t(id) values (1); update t set a = '-838:59:59', b = '23:59:59.123', c = '00:00:00.000001'",
        );
        resume(&daemon, &database);
        let afters = afters(&database, "t", 2);
        assert_eq!(afters[0], afters[1], "{}", product.name());
        assert_eq!(afters[0]["a"], -3_020_399_000_000_i64);
    }
}

#[test]
fn large_columns_come_whole_and_in_the_order_of_the_log() {
    let daemon = Daemon::start(Options::new("myreselect_large"));
    let database = MySqlDatabase::create(Product::MySql, "myreselect_large");
    database.run("create table t(id int primary key, n int, body longtext)");
    stopped(&daemon, &database, &[("reselect.columns.include.list", "[^.]*\\.t:body")]);
    database.run("set cte_max_recursion_depth = 1000");
    database.run(
        "insert into t with recursive i(i) as (select 1 union all select i + 1 from i where i < 300) select i, 0, null from i",
    );
    database.run("update t set body = concat(id, ' ', repeat('x', if(id in (17, 18, 200), 900000, 20000)))");
    resume(&daemon, &database);
    let afters = afters(&database, "t", 600);
    for (place, after) in afters.iter().enumerate() {
        let (id, rest) = after["body"].as_str().expect("what was read again").split_once(' ').unwrap();
        assert_eq!((id, after["id"].to_string()), (id, (place % 300 + 1).to_string()));
        assert_eq!(rest.len(), if ["17", "18", "200"].contains(&id) { 900_000 } else { 20_000 }, "{id}");
    }
}

#[test]
fn a_row_that_was_not_read_leaves_the_change_as_it_is() {
    let daemon = Daemon::start(Options::new("myreselect_warn"));
    let database = MySqlDatabase::create(Product::MySql, "myreselect_warn");
    for table in ["gone", "retyped", "unnamed"] {
        database.run(&format!("create table {table}(id int primary key, n int, secret varchar(20) not null)"));
    }
    stopped(&daemon, &database, &[]);
    for table in ["gone", "retyped", "unnamed"] {
        database.run(&format!("insert into {table} values (1, null, 'top secret')"));
    }
    database.run("delete from gone");
    database.run("alter table retyped modify n varchar(20); update retyped set n = 'top secret'");
    database.run("alter table unnamed drop column n");
    resume(&daemon, &database);
    for table in ["gone", "retyped", "unnamed"] {
        assert_eq!(afters(&database, table, 1)[0]["n"], Value::Null, "{table}");
    }
    // One line for all of them, later; a stop has them said at once.
    daemon.rest("DELETE", &format!("/connectors/{}", database.name), None);
    wait_until("the log tells of it", LIMIT, || daemon.log().contains("are not read again as they should be"));
    assert!(!daemon.log().contains("top secret"), "{}", daemon.log());
}

#[test]
fn a_row_that_is_gone_ends_the_task_if_that_is_wanted() {
    let daemon = Daemon::start(Options::new("myreselect_fail"));
    for product in PRODUCTS {
        let database = MySqlDatabase::create(product, "myreselect_fail");
        database.run("create table t(id int primary key, n int)");
        stopped(&daemon, &database, &[("reselect.error.handling.mode", "fail")]);
        database.run("insert into t values (1, null); delete from t");
        resume(&daemon, &database);
        let trace = daemon.wait_task(&database.name, "FAILED", LIMIT);
        let expect = format!(
            "io.debezium.DebeziumException: Failed to find row in table {}.t with key id (the change is at ",
            database.name
        );
        assert!(trace.contains(&expect), "{trace}");
        assert!(trace.contains("reselect.error.handling.mode=warn sends such a change as it is"), "{trace}");
    }
}

/// A server sends a transaction when the binlog has it, a moment before its rows can be seen. Changes are read as they are
/// made here, so a question that came too early would not find its row.
#[test]
fn a_row_is_read_when_it_can_be_seen() {
    let daemon = Daemon::start(Options::new("myreselect_seen"));
    for product in PRODUCTS {
        let database = MySqlDatabase::create(product, "myreselect_seen");
        database.run("create table t(id int primary key, n int)");
        stopped(&daemon, &database, &[("reselect.error.handling.mode", "fail")]);
        resume(&daemon, &database);
        for id in 0..500 {
            database.run(&format!("insert into t values ({id}, null)"));
        }
        assert_eq!(afters(&database, "t", 500).len(), 500);
    }
}

/// A connection that breaks, and a lock that holds up the question.
#[test]
fn a_lock_is_waited_for_and_a_lost_connection_made_anew() {
    let daemon = Daemon::start(Options::new("myreselect_lock"));
    let database = MySqlDatabase::create(Product::MySql, "myreselect_lock");
    database.run("create table t(id int primary key, n int)");
    stopped(&daemon, &database, &[]);
    resume(&daemon, &database);
    database.run("insert into t values (1, null)");
    afters(&database, "t", 1);
    let (holder, admin) = (database.session(), database.session());
    holder.run("lock tables t write");
    holder.run("update t set n = null where id = 1");
    holder.run("insert into t values (2, null)");
    let asking = format!(
        "select id from information_schema.processlist where user = '{}' and info like 'SELECT `n`%'",
        database.user
    );
    wait_until("the question waits", LIMIT, || !admin.rows(&asking).is_empty());
    wait_until("the status says what is waited for", LIMIT, || {
        let (state, trace) = daemon.task(&database.name);
        state == "RUNNING" && trace.contains("Reading columns again")
    });
    let id = admin.cell(&asking);
    admin.run(&format!("kill {id}"));
    holder.run("update t set n = 9 where id = 2");
    holder.run("unlock tables");
    assert_eq!(afters(&database, "t", 2)[1]["n"], 9);
    wait_until("the status is good again", LIMIT, || daemon.task(&database.name).1.is_empty());
}
