use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::wire::packets::put_packet;

/// A dump over a test's memory, with a heartbeat each second, and the server's side of it.
fn dump() -> (Replication, DuplexStream) {
    let (ours, server) = duplex(64);
    let options = ConnectOptions { host: "h".into(), port: 1, ..ConnectOptions::default() };
    let mut connection = Connection::over(Box::new(ours), &options);
    connection.sequence = 1;
    let replication = Replication {
        connection,
        start: Start::Position { file: "b.1".into(), position: 4 },
        server_id: 7,
        identity: Identity::default(),
        checksum: "NONE".into(),
        silent_after: Some(Duration::from_secs(3)),
        last_read: None,
    };
    (replication, server)
}

/// What a packet of the server means.
#[track_caller]
fn check(payload: &[u8], expect: Result<Next, &str>) {
    let (mut replication, _server) = dump();
    let mut bytes = Vec::new();
    put_packet(&mut bytes, payload, 1);
    let mut buffer = BytesMut::from(&bytes[..]);
    match (replication.next(&mut buffer, 0), expect) {
        (Ok(next), Ok(expect)) => assert_eq!(next, expect),
        (Err(error), Err(kind)) => assert!(format!("{error:?}").starts_with(kind), "{error:?}"),
        (got, expect) => panic!("{got:?}, not {expect:?}"),
    }
}

#[test]
fn packets_of_a_dump() {
    check(b"\0event", Ok(Next::Event { event: 5..10, end: 10 }));
    check(b"\xfe\0\0\x02\0", Ok(Next::End));
    check(b"\x01", Err("Protocol"));
    check(b"", Err("Protocol"));
    for (text, kind) in [
        ("Could not find first log file name in binary log index file", "BinlogLost"),
        (
            "Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere",
            "BinlogLost",
        ),
        ("Client requested source to start replication from position > file size", "BinlogLost"),
        (
            "Error: connecting slave requested to start from GTID 0-1-9, which is not in the master's binlog",
            "BinlogLost",
        ),
        (
            "A replica with the same server_uuid/server_id as this replica has connected to the source; the first event",
            "ServerIdTaken",
        ),
        ("log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source", "Dump"),
    ] {
        check(format!("\u{1}#HY000{text}").as_bytes(), Err("Protocol"));
        check(&[b"\xff\xd4\x04#HY000", text.as_bytes()].concat(), Err(kind));
    }
    check(b"\xff\x28\x04#08S01Query execution was interrupted", Err("Dump"));
}

#[tokio::test(start_paused = true)]
async fn silence_is_noticed_after_three_periods() {
    let (mut replication, mut server) = dump();
    let mut buffer = BytesMut::with_capacity(64);
    // Before the first byte a server may take its time.
    let long = timeout(Duration::from_secs(3600), replication.fill(&mut buffer)).await;
    assert!(long.is_err());
    server.write_all(b"x").await.unwrap();
    assert_eq!(replication.fill(&mut buffer).await.unwrap(), 1);
    let begin = Instant::now();
    let error = replication.fill(&mut buffer).await.unwrap_err();
    assert!(matches!(error, Error::Silent { silent_ms: 3000, .. }), "{error:?}");
    assert_eq!(begin.elapsed(), Duration::from_secs(3));
    // Bytes that came while nobody read are taken, however late.
    server.write_all(b"y").await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(replication.fill(&mut buffer).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_is_noticed_although_the_waiting_is_broken_off() {
    let (mut replication, mut server) = dump();
    let mut buffer = BytesMut::with_capacity(64);
    server.write_all(b"x").await.unwrap();
    replication.fill(&mut buffer).await.unwrap();
    let begin = Instant::now();
    let error = loop {
        if let Ok(read) = timeout(Duration::from_millis(700), replication.fill(&mut buffer)).await {
            break read.unwrap_err();
        }
    };
    assert!(matches!(error, Error::Silent { .. }), "{error:?}");
    assert_eq!(begin.elapsed(), Duration::from_secs(3));
}

#[tokio::test]
async fn an_empty_socket_and_a_closed_one() {
    let (mut replication, mut server) = dump();
    let mut buffer = BytesMut::with_capacity(64);
    assert_eq!(replication.try_fill(&mut buffer).unwrap(), None);
    server.write_all(b"xyz").await.unwrap();
    assert_eq!(replication.try_fill(&mut buffer).unwrap(), Some(3));
    drop(server);
    let error = replication.fill(&mut buffer).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("reading the binlog at h:1"), "{error}");
}
