//! A server of tokens on loopback, as an OAuth provider is one: it exchanges a client's id and secret for a JWT that it signs.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;

/// For whom the tokens are.
pub(crate) const AUDIENCE: &str = "kafka";

struct State {
    key: PKey<Private>,
    clients: HashMap<&'static str, &'static str>,
    life_s: AtomicU64,
    is_away: AtomicBool,
    /// Who asked, with the body of the request, and the status of the answer.
    asked: Mutex<Vec<(String, String, u16)>>,
    ended: AtomicBool,
}

/// The server. Its thread ends when this is dropped.
pub(crate) struct Tokens {
    port: u16,
    state: Arc<State>,
}

impl Tokens {
    /// A server for these clients, each with its secret.
    pub(crate) fn serve(clients: &[(&'static str, &'static str)], life_s: u64) -> Self {
        let state = Arc::new(State {
            key: PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
            clients: clients.iter().copied().collect(),
            life_s: AtomicU64::new(life_s),
            is_away: AtomicBool::new(false),
            asked: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let of_thread = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if of_thread.ended.load(Ordering::SeqCst) {
                    return;
                }
                // Who is away closes the connection at once.
                if !of_thread.is_away.load(Ordering::SeqCst) {
                    answer(&of_thread, stream);
                }
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/realms/test/token", self.port)
    }

    /// The public key as brokers read it (RFC 7517).
    pub(crate) fn jwks(&self) -> String {
        let rsa = self.state.key.rsa().unwrap();
        let (n, e) = (URL_SAFE_NO_PAD.encode(rsa.n().to_vec()), URL_SAFE_NO_PAD.encode(rsa.e().to_vec()));
        format!(r#"{{"keys":[{{"kty":"RSA","kid":"k1","alg":"RS256","use":"sig","n":"{n}","e":"{e}"}}]}}"#)
    }

    /// Has the server break every connection off (`true`), or serve again.
    pub(crate) fn is_away(&self, yes: bool) {
        self.state.is_away.store(yes, Ordering::SeqCst);
    }

    /// How many tokens this client got.
    pub(crate) fn given(&self, client: &str) -> usize {
        let asked = self.state.asked.lock().unwrap();
        asked.iter().filter(|(who, _, status)| who == client && *status == 200).count()
    }

    /// The bodies of this client's requests.
    pub(crate) fn bodies(&self, client: &str) -> Vec<String> {
        let asked = self.state.asked.lock().unwrap();
        asked.iter().filter(|(who, ..)| who == client).map(|(_, body, _)| body.clone()).collect()
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        // Wakes the thread.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Reads a request, and says what becomes of it.
fn answer(state: &State, mut stream: TcpStream) {
    stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    let (head, body) = loop {
        let Ok(count @ 1..) = stream.read(&mut part) else { return };
        request.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if body.len() >= length {
            break (head.to_owned(), body.to_owned());
        }
    };
    let pair = header(&head, "authorization").and_then(|value| STANDARD.decode(value.strip_prefix("Basic ")?).ok());
    let pair = String::from_utf8(pair.unwrap_or_default()).unwrap();
    let (client, secret) = pair.split_once(':').unwrap_or_default();
    let is_form = header(&head, "content-type") == Some("application/x-www-form-urlencoded");
    let (status, text) = if !is_form || !body.starts_with("grant_type=client_credentials") {
        (400, r#"{"error":"unsupported_grant_type"}"#.to_owned())
    } else if state.clients.get(client) == Some(&secret) {
        let life_s = state.life_s.load(Ordering::SeqCst);
        let token = token(&state.key, client, life_s);
        (200, format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{life_s}}}"#))
    } else {
        // As careless servers do, it repeats the secret.
        (401, format!(r#"{{"error":"invalid_client","error_description":"wrong: {secret}"}}"#))
    };
    state.asked.lock().unwrap().push((client.to_owned(), body, status));
    let length = text.len();
    let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n");
    let _ = stream.write_all(format!("{head}connection: close\r\n\r\n{text}").as_bytes());
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let named = |line: &'a str| line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name));
    head.lines().find_map(named).map(|(_, value)| value.trim())
}

fn token(key: &PKey<Private>, subject: &str, life_s: u64) -> String {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = format!(
        r#"{{"iss":"test","aud":"{AUDIENCE}","sub":"{subject}","scope":"all","iat":{now_s},"exp":{}}}"#,
        now_s + life_s
    );
    let signed = format!("{}.{}", encode(r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#), encode(&claims));
    let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
    signer.update(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signer.sign_to_vec().unwrap()))
}
