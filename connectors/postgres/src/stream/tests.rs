//! Which statuses the server gets, and when, while the loop is busy with other things: with a server in memory and a paused
//! clock.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use record::Position;
use relational::{Budget, Heartbeat, Message, Outlet, OutletEnds, Wanted};
use settings::Properties;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep};

use super::{Decoder, End, Follow, Lasting, Link, LinkOptions, MessageTopic};
use crate::config::PostgresConfig;
use crate::lsn::Lsn;
use crate::plugin::connect_options;
use crate::position::LSN;
use crate::reselect::{Reselector, reselector};
use crate::session::Catalog;
use crate::table::Tables;
use crate::wire::Replication;

const INTERVAL: Duration = Duration::from_secs(1);

/// A status as the server gets it.
#[derive(Clone, Copy, Debug)]
struct Status {
    at: Instant,
    flushed: u64,
    wants_reply: bool,
}

/// Reads of a flood that find bytes at once.
const AT_ONCE: u32 = 24;

/// A server in memory, which makes its bytes when they are read.
#[derive(Debug, Default)]
struct Server {
    /// It sends empty transactions without end, a few bytes a read. After [`AT_ONCE`] reads it waits for a millisecond, or
    /// the paused clock would never go on.
    floods: bool,
    reads: u32,
    pause: Option<Pin<Box<Sleep>>>,
    /// Bytes to be read.
    says: BytesMut,
    lsn: u64,
    told: Arc<Mutex<Vec<Status>>>,
    part: BytesMut,
}

impl Server {
    fn copy_data(&mut self, payload: &[u8]) {
        self.says.put_u8(b'd');
        self.says.put_u32(payload.len() as u32 + 4);
        self.says.put_slice(payload);
    }

    /// An empty transaction; its commit is a position to be stored.
    fn transaction(&mut self) {
        let message = |server: &mut Self, body: &[u8]| {
            let mut payload = vec![b'w'];
            payload.put_u64(server.lsn);
            payload.put_u64(server.lsn);
            payload.put_u64(0);
            payload.put_slice(body);
            server.copy_data(&payload);
        };
        self.lsn += 100;
        let (mut begin, mut commit) = (vec![b'B'], vec![b'C', 0]);
        begin.put_u64(self.lsn);
        begin.put_u64(0);
        begin.put_u32(7);
        commit.put_u64(self.lsn);
        commit.put_u64(self.lsn + 50);
        commit.put_u64(0);
        message(self, &begin);
        message(self, &commit);
    }

    fn keepalive(&mut self, asks: bool) {
        let mut payload = vec![b'k'];
        payload.put_u64(self.lsn);
        payload.put_u64(0);
        payload.put_u8(u8::from(asks));
        self.copy_data(&payload);
    }
}

impl AsyncRead for Server {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        if self.floods && self.says.is_empty() {
            self.transaction();
            self.reads += 1;
            if self.reads.is_multiple_of(AT_ONCE) {
                self.pause = Some(Box::pin(sleep(Duration::from_millis(1))));
            }
        }
        if self.says.is_empty() {
            // Nothing wakes the reader: this server sends nothing more.
            return Poll::Pending;
        }
        let count = self.says.len().min(buffer.remaining()).min(128);
        buffer.put_slice(&self.says.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Server {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.part.extend_from_slice(bytes);
        while self.part.len() >= 39 {
            let mut frame = self.part.split_to(39);
            assert_eq!(frame.get_u8(), b'd');
            frame.advance(4 + 1 + 8);
            let flushed = frame.get_u64();
            frame.advance(8 + 8);
            let status = Status { at: Instant::now(), flushed, wants_reply: frame.get_u8() == 1 };
            self.told.lock().unwrap().push(status);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The parts of a session that the loop needs.
struct Rig {
    decoder: Decoder,
    tables: Tables,
    catalog: Catalog,
    outlet: Outlet,
    heartbeat: Option<Heartbeat>,
    messages: MessageTopic,
    reselector: Reselector,
    reached: Option<Position>,
    stop: watch::Sender<bool>,
}

impl Rig {
    fn new(depth: usize) -> (Self, OutletEnds) {
        let mut properties = Properties::new();
        for (key, value) in [
            ("database.hostname", "h"),
            ("database.user", "u"),
            ("database.dbname", "d"),
            ("topic.prefix", "p"),
            ("plugin.name", "pgoutput"),
        ] {
            properties.insert(key, value);
        }
        let config = PostgresConfig::read(&properties).unwrap();
        let tables = Tables::new(&config, "1").unwrap();
        let (stop, stopped) = watch::channel(false);
        let meters = std::sync::Arc::new(relational::Meters::new("c".into()));
        let (outlet, ends) = Outlet::new("c".into(), None, stopped, &Budget::new(1 << 20, 1 << 20), depth, meters);
        let none = || relational::Patterns::new(&[]).unwrap();
        let messages = MessageTopic::new(
            "p",
            config.types.names.schema_names,
            tables.source_of_no_table(),
            (none(), none()),
            config.types.binary,
            false,
        );
        let rig = Self {
            decoder: Decoder::new(Wanted::default(), None, None),
            catalog: Catalog::new(connect_options(&config, "test")),
            reselector: reselector(connect_options(&config, "test"), Arc::clone(&outlet.meters)),
            tables,
            outlet,
            heartbeat: None,
            messages,
            reached: None,
            stop,
        };
        (rig, ends)
    }

    fn link(&self, server: Server) -> (Link, Arc<Mutex<Vec<Status>>>) {
        let told = Arc::clone(&server.told);
        let options = LinkOptions { slot: "s".into(), status_interval: INTERVAL, confirms: true, confirmed: Lsn(1) };
        (Link::new(Replication::over(server), self.outlet.stored.clone(), options), told)
    }

    fn follow(&mut self, link: Link) -> Follow<'_> {
        let lasting = Lasting {
            decoder: &mut self.decoder,
            tables: &mut self.tables,
            catalog: &mut self.catalog,
            outlet: &mut self.outlet,
            heartbeat: &mut self.heartbeat,
            action: None,
            messages: &self.messages,
            reselector: &mut self.reselector,
            reached: &mut self.reached,
        };
        Follow::new(lasting, link, 1)
    }
}

fn at(lsn: i64) -> Position {
    let mut position = Position::UNKNOWN;
    position.words[LSN] = lsn;
    position
}

/// The time from one status to the next.
fn gaps(told: &[Status]) -> Vec<Duration> {
    told.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

#[tokio::test(start_paused = true)]
async fn in_a_flood_the_confirmed_position_moves_every_interval() {
    let (mut rig, mut ends) = Rig::new(8);
    let (link, told) = rig.link(Server { floods: true, ..Server::default() });
    let stop = rig.stop.clone();
    // Delivers at once, and stores four times an interval.
    let stored = ends.stored;
    let pipeline = tokio::spawn(async move {
        let mut last_stored = Instant::now();
        while let Some(message) = ends.records.recv().await {
            let Message::Batch(batch, _) = message else { continue };
            let reached = batch.items.iter().rev().find_map(|item| match item {
                record::Item::Position(position) => Some(position.clone()),
                _ => None,
            });
            if last_stored.elapsed() >= INTERVAL / 4 {
                last_stored = Instant::now();
                let _ = stored.send(reached);
            }
        }
    });
    let mut follow = rig.follow(link);
    let began = Instant::now();
    tokio::spawn(async move {
        sleep(INTERVAL * 5).await;
        let _ = stop.send(true);
    });
    assert_eq!(follow.run().await.unwrap(), End::Stopped);
    drop(follow);
    drop(rig);
    pipeline.await.unwrap();
    let told = told.lock().unwrap().clone();
    let flushed: Vec<u64> = told.iter().map(|status| status.flushed).collect();
    assert!(told.len() >= 4, "{} statuses in {:?}", told.len(), began.elapsed());
    assert!(flushed.windows(2).all(|pair| pair[0] < pair[1]), "{flushed:?}");
    let longest = gaps(&told).into_iter().max().unwrap();
    assert!(longest < INTERVAL + Duration::from_millis(50), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn while_a_batch_waits_for_room_the_server_is_told() {
    let (mut rig, ends) = Rig::new(1);
    let mut server = Server::default();
    // More than two batches, and nobody takes the first one.
    for _ in 0..8000 {
        server.transaction();
    }
    let (link, told) = rig.link(server);
    let stop = rig.stop.clone();
    let runtime = tokio::spawn(async move {
        sleep(INTERVAL * 5 / 2).await;
        ends.stored.send(Some(at(77))).unwrap();
        sleep(INTERVAL * 2).await;
        let _ = stop.send(true);
        ends
    });
    assert_eq!(rig.follow(link).run().await.unwrap(), End::Stopped);
    assert_eq!(runtime.await.unwrap().records.len(), 1, "the queue was not full");
    let told = told.lock().unwrap().clone();
    let flushed: Vec<u64> = told.iter().map(|status| status.flushed).collect();
    assert_eq!(flushed, [1, 1, 77, 77], "{told:?}");
    assert!(gaps(&told).iter().all(|gap| *gap <= INTERVAL + Duration::from_millis(2)), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn while_the_catalogue_is_slow_the_server_is_told() {
    let (rig, ends) = Rig::new(1);
    let (mut link, told) = rig.link(Server::default());
    let slow = async {
        sleep(INTERVAL * 3 / 2).await;
        ends.stored.send(Some(at(9))).unwrap();
        sleep(INTERVAL * 2).await;
        "answer"
    };
    assert_eq!(link.while_waiting(slow).await.unwrap(), "answer");
    let flushed: Vec<u64> = told.lock().unwrap().iter().map(|status| status.flushed).collect();
    assert_eq!(flushed, [1, 9, 9]);
}

/// A server that bears a silence of three intervals would end the connection if statuses became rare.
#[tokio::test(start_paused = true)]
async fn a_long_wait_is_no_silence_of_the_server() {
    let (rig, _ends) = Rig::new(1);
    let (mut link, told) = rig.link(Server::default());
    link.while_waiting(sleep(INTERVAL * 30)).await.unwrap();
    let told = told.lock().unwrap().clone();
    assert!((29..=31).contains(&told.len()), "{told:?}");
    assert!(gaps(&told).iter().all(|gap| *gap <= INTERVAL + Duration::from_millis(2)), "{told:?}");
    // Nobody reads, so nothing is asked that would have to be read.
    assert!(told.iter().all(|status| !status.wants_reply), "{told:?}");
    assert!(!link.is_silent());
}

#[tokio::test(start_paused = true)]
async fn who_asks_is_answered_and_who_is_quiet_is_asked() {
    let (mut rig, _ends) = Rig::new(1);
    let mut server = Server { lsn: 5, ..Server::default() };
    server.keepalive(true);
    let (link, told) = rig.link(server);
    let (began, stop) = (Instant::now(), rig.stop.clone());
    tokio::spawn(async move {
        sleep(INTERVAL * 5 / 2).await;
        let _ = stop.send(true);
    });
    assert_eq!(rig.follow(link).run().await.unwrap(), End::Stopped);
    let told: Vec<_> = told.lock().unwrap().iter().map(|s| ((s.at - began).as_secs(), s.wants_reply)).collect();
    assert_eq!(told, [(0, false), (1, true), (2, true)]);
}
