//! A relay in front of a server: cuts connections off as a broken network does, leads to another server as a load balancer
//! does, and alters what a server says.
//!
//! Must not know: what is tested.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use mysql::wire::ConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a relay does now.
#[derive(Default)]
struct Orders {
    /// Host and port of the server.
    to: (String, u16),
    /// After how many connections others lead to another server.
    then: Option<(usize, (String, u16))>,
    /// How many bytes the server may send on a connection before the connection is cut off; the next limit counts once the one
    /// before it was reached.
    limits: VecDeque<usize>,
    /// Bytes of the server that are replaced by others, as many.
    replaced: Option<(Vec<u8>, Vec<u8>)>,
    /// The same of the client.
    asked: Option<(Vec<u8>, Vec<u8>)>,
    opened: usize,
}

pub struct Relay {
    pub port: u16,
    orders: Arc<Mutex<Orders>>,
    accepting: JoinHandle<()>,
}

impl Relay {
    pub async fn to(server: &ConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let orders = Arc::new(Mutex::new(Orders { to: (server.host.clone(), server.port), ..Orders::default() }));
        let shared = Arc::clone(&orders);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let at = {
                    let mut orders = shared.lock().unwrap();
                    let opened = orders.opened;
                    if let Some((_, at)) = orders.then.take_if(|(after, _)| *after <= opened) {
                        orders.to = at;
                    }
                    orders.opened += 1;
                    orders.to.clone()
                };
                let Ok(server) = TcpStream::connect(&at).await else { continue };
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        });
        Self { port, orders, accepting }
    }

    /// Cuts connections off from now on, one for each limit.
    pub fn cut_at(&self, limits: impl IntoIterator<Item = usize>) {
        self.orders.lock().unwrap().limits.extend(limits);
    }

    /// How many connections are still to be cut off.
    pub fn left(&self) -> usize {
        self.orders.lock().unwrap().limits.len()
    }

    /// Connections lead to this server from now on.
    pub fn lead_to(&self, server: &ConnectOptions) {
        self.orders.lock().unwrap().to = (server.host.clone(), server.port);
    }

    /// Connections lead to this server once so many have been opened.
    pub fn lead_to_after(&self, opened: usize, server: &ConnectOptions) {
        self.orders.lock().unwrap().then = Some((opened, (server.host.clone(), server.port)));
    }

    /// Replaces a text in what the server says by another one of the same length.
    pub fn replace(&self, old: &str, new: &str) {
        assert_eq!(old.len(), new.len());
        self.orders.lock().unwrap().replaced = Some((old.into(), new.into()));
    }

    /// Replaces a statement of the client by another one, which may be shorter.
    pub fn ask_instead(&self, old: &str, new: &str) {
        let new = format!("{new:width$}", width = old.len());
        assert_eq!(old.len(), new.len());
        self.orders.lock().unwrap().asked = Some((old.into(), new.into()));
    }

    /// How many connections were opened.
    pub fn opened(&self) -> usize {
        self.orders.lock().unwrap().opened
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Replaces a text in what was read. One that was read in two pieces is not seen.
fn alter(bytes: &mut [u8], (old, new): &(Vec<u8>, Vec<u8>)) {
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(old.len()).position(|window| window == old) {
        bytes[at + found..at + found + new.len()].copy_from_slice(new);
        at += found + new.len();
    }
}

async fn pass(client: TcpStream, server: TcpStream, orders: Arc<Mutex<Orders>>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let ordered = Arc::clone(&orders);
    let asking = tokio::spawn(async move {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            if let Some(pair) = &ordered.lock().unwrap().asked {
                alter(&mut buffer[..count], pair);
            }
            if to_server.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    });
    let mut buffer = vec![0; 16 << 10];
    let mut passed = 0;
    while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
        let limit = {
            let orders = orders.lock().unwrap();
            if let Some(pair) = &orders.replaced {
                alter(&mut buffer[..count], pair);
            }
            orders.limits.front().copied().filter(|limit| passed + count > *limit)
        };
        let count = limit.map_or(count, |limit| limit.saturating_sub(passed));
        passed += count;
        if to_client.write_all(&buffer[..count]).await.is_err() {
            break;
        }
        if limit.is_some() {
            orders.lock().unwrap().limits.pop_front();
            break;
        }
    }
    asking.abort();
}
