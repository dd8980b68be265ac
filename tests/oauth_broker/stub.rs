//! So much of a broker as a client needs to show its token: it says which requests it knows, and that it takes OAUTHBEARER.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

const API_VERSIONS: i16 = 18;
const SASL_HANDSHAKE: i16 = 17;
const SASL_AUTHENTICATE: i16 = 36;
/// The requests that it says it knows, each with its newest version.
const KNOWN: [(i16, i16); 4] = [(API_VERSIONS, 3), (SASL_HANDSHAKE, 1), (SASL_AUTHENTICATE, 1), (3, 1)];

/// Serves on loopback until the process ends. Returns `host:port`, and the mechanism and first message of each login.
pub(crate) fn serve() -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let (tell, logins) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tell = tell.clone();
            // A connection that breaks off ends its thread alone.
            std::thread::spawn(move || converse(stream, &tell));
        }
    });
    (at, logins)
}

/// Answers until the client has shown its token, or has gone.
fn converse(mut stream: TcpStream, tell: &mpsc::Sender<(String, Vec<u8>)>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let mut mechanism = String::new();
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut request).ok()?;
        let word = |at: usize| i16::from_be_bytes([request[at], request[at + 1]]);
        let (key, version) = (word(0), word(2));
        let body = &request[10 + usize::try_from(word(8)).unwrap_or(0)..];
        let mut answer = request[4..8].to_vec();
        match key {
            API_VERSIONS => {
                answer.extend([0, 0]);
                let is_flexible = version >= 3;
                if is_flexible {
                    answer.push(5);
                } else {
                    answer.extend([0, 0, 0, 4]);
                }
                for (key, newest) in KNOWN {
                    answer.extend([key, 0, newest].iter().flat_map(|number| number.to_be_bytes()));
                    answer.extend(is_flexible.then_some(0));
                }
                answer.extend(is_flexible.then_some([0; 5]).into_iter().flatten());
            }
            SASL_HANDSHAKE => {
                mechanism = String::from_utf8_lossy(&body[2..]).into_owned();
                answer.extend([0, 0, 0, 0, 0, 1, 0, 11]);
                answer.extend(b"OAUTHBEARER");
            }
            SASL_AUTHENTICATE => {
                let _ = tell.send((mechanism, body[4..].to_vec()));
                return None;
            }
            _ => return None,
        }
        let length = u32::try_from(answer.len()).ok()?;
        stream.write_all(&[&length.to_be_bytes()[..], &answer].concat()).ok()?;
    }
}
