//! Servers that are not what they say.

use settings::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

const GREETING: &[u8] =
    b"\x0a9.7.4\0\x0b\0\0\0abcdefgh\0\xff\xf7\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0\
                          caching_sha2_password\0";

/// A server that says these payloads, each after it has read something if there was one before. Returns what it was sent.
async fn play(mut socket: DuplexStream, says: Vec<Vec<u8>>) -> Vec<u8> {
    let (mut heard, mut sequence) = (Vec::new(), 0);
    for (turn, payload) in says.into_iter().enumerate() {
        if turn > 0 {
            let mut header = [0; 4];
            if socket.read_exact(&mut header).await.is_err() {
                return heard;
            }
            let mut body = vec![0; u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize];
            socket.read_exact(&mut body).await.unwrap();
            heard.extend(body);
            sequence = header[3].wrapping_add(1);
        }
        let mut out = Vec::new();
        sequence = put_packet(&mut out, &payload, sequence);
        if socket.write_all(&out).await.is_err() {
            return heard;
        }
    }
    let _ = socket.read_to_end(&mut heard).await;
    heard
}

fn options() -> ConnectOptions {
    ConnectOptions { host: "h".into(), port: 1, password: Secret::new("geheim"), ..ConnectOptions::default() }
}

/// What becomes of a log-in (and of a query, if it succeeds), and everything that was sent.
async fn outcome(says: &[&[u8]]) -> (Result<(), Error>, Vec<u8>) {
    let (ours, theirs) = duplex(1024 * 1024);
    let server = tokio::spawn(play(theirs, says.iter().map(|payload| payload.to_vec()).collect()));
    let result = match Connection::log_in_over(Box::new(ours), &options()).await {
        Ok(mut connection) => connection.query("asking", "SELECT 1").await.map(drop),
        Err(error) => Err(error),
    };
    (result, server.await.unwrap())
}

/// The error that the server's packets make, of which the text has this part. The password is never sent as it is.
#[track_caller]
fn check(says: &[&[u8]], part: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (result, heard) = runtime.block_on(outcome(says));
    let error = result.unwrap_err();
    assert!(error.to_string().contains(part), "{error}");
    assert!(memchr::memmem::find(&heard, b"geheim").is_none(), "the password was sent");
    assert!(!error.to_string().contains("geheim") && !error.trace().contains("geheim"), "{error}");
}

#[test]
fn log_ins() {
    check(&[b"\xff\x69\x04Host 'x' is blocked"], "Host 'x' is blocked (error 1129). The server blocked this host");
    check(&[b"HTTP/1.1 400 Bad Request"], "is this a MySQL or MariaDB server?");
    check(&[&vec![0; 70_000]], "too long");
    check(
        &[GREETING, b"\xfemysql_clear_password\0"],
        "mysql_clear_password: it sends the password as it is, which is done only over",
    );
    check(&[GREETING, b"\xfe"], "mysql_old_password");
    check(&[GREETING, b"\xfeauth_gssapi_client\0x"], "auth_gssapi_client: it is not known here");
    check(&[GREETING, b""], "an empty packet");
    check(&[GREETING, b"\x01\x04", b"\x01no key"], "public key cannot be read");
    // The whole password is asked for in plain text, and the server's key is one that it cannot have.
    check(&[GREETING, b"\x01\x05"], "caching_sha2_password");
    let switch: &[u8] = b"\xfemysql_native_password\0abcdefghijklmnopqrst\0";
    let mut for_ever = vec![GREETING];
    for_ever.extend([switch; LOGIN_PACKETS_MAX + 1]);
    check(&for_ever, "does not come to an end");
}

const OK: &[u8] = b"\0\0\0\x02\0\0\0";
/// The definition of a column.
const COLUMN: &[u8] = b"\x03def\0\0\0\x01n\0\x0c\x2d\0\xfc\x03\0\0\xfd\0\0\0\0\0";
const EOF: &[u8] = b"\xfe\0\0\x02\0";

#[test]
fn answers() {
    check(&[GREETING, OK, b"\xfb/etc/passwd"], "a file of this machine, which it does not get");
    check(&[GREETING, OK, b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"], "impossible number of columns");
    check(&[GREETING, OK, b"\xfd\0\0\0"], "impossible number of columns");
    check(
        &[GREETING, OK, b"\xff\x28\x04#42000You have an error near 'secret'"],
        "asking at h:1 as user '': You have an error near … ",
    );
}

/// Packets of one answer come without anything being asked between.
async fn answer(packets: &[&[u8]]) -> Result<Vec<super::super::Row>, Error> {
    let (ours, mut theirs) = duplex(1024 * 1024);
    let mut connection = Connection::over(Box::new(ours), &options());
    let mut out = Vec::new();
    let mut sequence = 1;
    for packet in packets {
        sequence = put_packet(&mut out, packet, sequence);
    }
    theirs.write_all(&out).await.unwrap();
    let rows = connection.query("asking", "SELECT 1").await?;
    assert!(!connection.is_busy);
    Ok(rows)
}

#[tokio::test]
async fn several_answers() {
    let with_more: &[u8] = b"\xfe\0\0\x0a\0";
    let rows = answer(&[b"\x01", COLUMN, EOF, b"\x02ab", b"\xfb", with_more, b"\x01", COLUMN, EOF, b"\x01z", EOF])
        .await
        .unwrap();
    assert_eq!(rows.iter().map(|row| row.text(0)).collect::<Vec<_>>(), [Some("ab"), None]);
    let rows = answer(&[b"\0\0\0\x0a\0\0\0", b"\x01", COLUMN, EOF, b"\x017", EOF]).await.unwrap();
    assert_eq!(rows[0].number(0), Some(7));
    for broken in [
        &[b"\x01".as_slice(), COLUMN, EOF, b"\x03ab"][..],
        &[b"\x01", COLUMN, EOF, b"\x02abc"],
        &[b"\x01", COLUMN, COLUMN],
        &[b"\x01", b"\x03def"],
    ] {
        let error = answer(broken).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_session_that_was_left_is_not_used_again() {
    let (ours, _theirs) = duplex(1024);
    let mut connection = Connection::over(Box::new(ours), &options());
    let left = timeout(Duration::from_millis(20), connection.query("asking", "SELECT 1")).await;
    assert!(left.is_err());
    let error = connection.query("asking again", "SELECT 1").await.unwrap_err();
    assert!(error.to_string().contains("not read to its end"), "{error}");
}
