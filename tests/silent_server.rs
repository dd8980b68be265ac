//! A server that sends nothing. A server that works on a large transaction is waited for. A connection that broke
//! without notice is opened again. The status says which of the two it is.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, Server, wait_until};

/// A status every second, so that the daemon checks a silent server after three seconds.
const OFTEN: (&str, &str) = ("status.update.interval.ms", "1000");

/// The pid of the server process that streams from the database's slot.
fn walsender(database: &Database) -> String {
    database.cell(&format!("select active_pid from pg_replication_slots where slot_name = '{}'", database.name))
}

#[test]
fn a_busy_server_is_waited_for() {
    let database = Database::create("busy");
    if database.cell("select current_setting('server_version_num')::int >= 150000") != "t" {
        println!("this server has no row filters, with which a transaction is made to last");
        return;
    }
    database.run("create table t(id int primary key); create table dull(id int primary key, v text not null)");
    // Decoding one row takes some milliseconds, and none of the rows is sent.
    database.run(&format!(
        "create publication {} for table t, table dull where (md5(repeat(v, 4000000)) = '') with (publish = 'insert')",
        database.name
    ));
    let daemon = Daemon::start(Options::new("busy"));
    daemon.create(&database.name, &database.connector(&[OFTEN, ("publication.autocreate.mode", "disabled")]));
    database.wait_streamed(true);
    database.run("insert into t values (1)");
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.t", database.name));
    wait_until("the stream runs", Duration::from_secs(30), || kafka.length(&topic) == 1);
    let serves = walsender(&database);

    database.run("insert into dull select n, 'x' from generate_series(1, 900) n; insert into t values (2)");
    wait_until("the status tells of the silence", Duration::from_secs(30), || {
        let (state, trace) = daemon.task(&database.name);
        state == "RUNNING" && trace.contains("sends nothing from slot") && trace.contains("is at work")
    });
    assert_eq!(kafka.length(&topic), 1, "the transaction is through already: it proves nothing");
    wait_until("the row at the end", Duration::from_secs(120), || kafka.length(&topic) == 2);
    assert_eq!(walsender(&database), serves, "the connection was given up: {}", daemon.log());
    wait_until("the status is plain again", Duration::from_secs(10), || daemon.task(&database.name).1.is_empty());
}

/// Relays connections to a server. When it is told to swallow data, connections made before stay open and pass nothing
/// on, as behind a firewall that has forgotten them.
struct Proxy {
    port: u16,
    swallows: Arc<AtomicBool>,
}

impl Proxy {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let swallows = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&swallows);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&server) else { continue };
                // Connections that are made later are relayed.
                let flag = if flag.load(Ordering::SeqCst) { Arc::default() } else { Arc::clone(&flag) };
                let pairs = [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)];
                for (from, to) in pairs {
                    let flag = Arc::clone(&flag);
                    std::thread::spawn(move || relay(from, to, &flag));
                }
            }
        });
        Self { port, swallows }
    }
}

fn relay(mut from: TcpStream, mut to: TcpStream, swallows: &AtomicBool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if !swallows.load(Ordering::SeqCst) && to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    if swallows.load(Ordering::SeqCst) {
        // The end of the connection is not passed on either.
        std::mem::forget(to);
    } else {
        let _ = to.shutdown(Shutdown::Both);
    }
}

#[test]
fn a_dead_connection_is_made_anew() {
    let server = Server::postgres("logical");
    let database = Database::create_at(server.address(), &rig::unique("dead"));
    database.run("alter system set wal_sender_timeout = '4s'");
    database.run("select pg_reload_conf()");
    database.run("create table t(id int primary key)");
    let proxy = Proxy::to(server.address().to_owned());
    let daemon = Daemon::start(Options::new("dead"));
    let port = proxy.port.to_string();
    daemon.create(
        &database.name,
        &database.connector(&[OFTEN, ("database.hostname", "127.0.0.1"), ("database.port", &port)]),
    );
    database.wait_streamed(true);
    database.run("insert into t values (1)");
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.t", database.name));
    wait_until("the stream runs", Duration::from_secs(30), || kafka.length(&topic) == 1);

    proxy.swallows.store(true, Ordering::SeqCst);
    database.run("insert into t values (2)");
    wait_until("the row comes over a new connection", Duration::from_secs(60), || kafka.length(&topic) == 2);
    let log = daemon.log();
    assert!(log.contains("has sent nothing from slot"), "{log}");
}
