//! Whether a server that says nothing is busy or gone.
//!
//! A walsender that works through one large transaction without a row for us (unpublished changes, REFRESH MATERIALIZED
//! VIEW, the rewrite of a table) says nothing until it is through, not even an answer to our statuses. To give the
//! connection up then would make it begin the same transaction anew, for ever. So after a while of silence the server is
//! asked over another connection what the process that serves us does, and only what that shows ends the stream. A
//! network that is cut shows itself without that: the kernel gives a socket up whose bytes nobody acknowledges.
//!
//! Must not know: sockets, SQL.

use std::time::Duration;

use tokio::time::Instant;

/// After so many status intervals without a byte from the server it is asked for: it answers each status when it can.
const PATIENCE_INTERVALS: u32 = 3;
/// But never after less than this.
const PATIENCE_MIN: Duration = Duration::from_secs(3);
/// Between two questions about a process that works.
const ASK_EVERY: Duration = Duration::from_secs(30);
/// Between two questions while the answers speak against the connection.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// So many answers in a row that the process idles, while we hear nothing of it: then its words do not reach us.
const IDLE_ANSWERS: u32 = 2;
/// So many questions in a row that got no answer at all: the server cannot be reached in any way.
const NO_ANSWERS: u32 = 3;
/// While the server is silent it is not told more often than this that we are there: what it does not read fills its
/// receive buffer, and a full one looks to our kernel like a peer that is gone.
const STATUS_WHEN_SILENT: Duration = Duration::from_secs(10);

/// What a question about the process that serves the stream found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Serving {
    /// It runs, or waits for something of its own (the wait event, where it is known).
    Busy(Option<String>),
    /// It waits for the log to grow or for us to read.
    Idle(String),
    /// The slot has no reader, or another one.
    Gone,
    /// The server answers, but not this question.
    Untold(String),
    /// No answer came.
    Unanswered(String),
}

impl Serving {
    /// What a person reads who wonders why nothing comes.
    pub(super) fn explained(&self, slot: &str) -> String {
        let state = match self {
            Self::Busy(None) => "the server's process that reads the slot is at work".to_owned(),
            Self::Busy(Some(event)) => {
                format!("the server's process that reads the slot is at work (it waits in {event})")
            }
            Self::Idle(event) => format!(
                "the server's process that reads the slot has nothing to do (it waits in {event}), so the connection may be dead"
            ),
            Self::Gone => "nobody reads the slot any more".to_owned(),
            Self::Untold(reason) | Self::Unanswered(reason) => format!("what the server does cannot be told: {reason}"),
        };
        format!(
            "The server sends nothing from slot \"{slot}\", not even an answer to our statuses: {state}.\nReason: a large \
             transaction without a row for this connector (changes of other tables, REFRESH MATERIALIZED VIEW, the rewrite of \
             a table) is worked through in silence, and goes on by itself. Nothing is lost."
        )
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The server is at work.
    Wait,
    /// Nothing can be said yet.
    AskAgain,
    /// The connection is dead, for this reason.
    GiveUp(String),
}

/// The silence of one connection.
#[derive(Debug)]
pub(super) struct Silence {
    patience: Duration,
    heard: Instant,
    ask_at: Instant,
    /// The answers in a row that spoke against the connection.
    idle: u32,
    unanswered: u32,
    /// Somebody has been told that the server is silent.
    told: bool,
    /// Such a silence has ended.
    ended: bool,
}

impl Silence {
    pub(super) fn new(status_interval: Duration) -> Self {
        let patience = (status_interval * PATIENCE_INTERVALS).max(PATIENCE_MIN);
        let now = Instant::now();
        Self { patience, heard: now, ask_at: now + patience, idle: 0, unanswered: 0, told: false, ended: false }
    }

    /// Bytes came.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.ask_at = now + self.patience;
        (self.idle, self.unanswered) = (0, 0);
        self.ended |= std::mem::take(&mut self.told);
    }

    /// Whether a silence that somebody was told of has ended; once.
    pub(super) fn take_ended(&mut self) -> bool {
        std::mem::take(&mut self.ended)
    }

    /// How long nothing has been heard.
    pub(super) fn lasts(&self) -> Duration {
        self.heard.elapsed()
    }

    /// Whether the server is to be asked for the process that serves us.
    pub(super) fn asks(&self, now: Instant) -> bool {
        now >= self.ask_at
    }

    /// Whether anything was heard after `then`.
    pub(super) fn heard_since(&self, then: Instant) -> bool {
        self.heard > then
    }

    /// The time from one status to the next.
    pub(super) fn status_interval(&self, interval: Duration, now: Instant) -> Duration {
        if now.duration_since(self.heard) >= self.patience { interval.max(STATUS_WHEN_SILENT) } else { interval }
    }

    /// What an answer means.
    pub(super) fn answered(&mut self, serving: &Serving, now: Instant) -> Verdict {
        self.told = true;
        match serving {
            // The server is there, and a network that is cut shows itself.
            Serving::Busy(_) | Serving::Untold(_) => {
                (self.idle, self.unanswered) = (0, 0);
                self.ask_at = now + ASK_EVERY;
                Verdict::Wait
            }
            Serving::Gone => {
                Verdict::GiveUp("the slot is not read by the server's process of this connection any more".into())
            }
            Serving::Idle(event) => {
                (self.idle, self.unanswered) = (self.idle + 1, 0);
                self.ask_at = now + ASK_AGAIN;
                if self.idle < IDLE_ANSWERS {
                    return Verdict::AskAgain;
                }
                Verdict::GiveUp(format!("the server's process of it has nothing to do (it waits in {event})"))
            }
            Serving::Unanswered(reason) => {
                self.unanswered += 1;
                self.ask_at = now + ASK_AGAIN;
                if self.unanswered < NO_ANSWERS {
                    return Verdict::AskAgain;
                }
                Verdict::GiveUp(format!("the server does not answer on another connection either ({reason})"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    fn idle() -> Serving {
        Serving::Idle("WalSenderMain".into())
    }

    /// Lets a silent server be asked again and again; gives how long the silence lasted when it was given up, if it was.
    async fn silence_until_given_up(answers: &[Serving]) -> Option<Duration> {
        let mut silence = Silence::new(INTERVAL);
        for answer in answers {
            tokio::time::sleep_until(silence.ask_at).await;
            assert!(silence.asks(Instant::now()));
            if let Verdict::GiveUp(_) = silence.answered(answer, Instant::now()) {
                return Some(silence.lasts());
            }
            assert!(!silence.asks(Instant::now()), "asked twice at once");
        }
        None
    }

    #[track_caller]
    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_server_is_waited_for_without_end() {
        let busy = vec![Serving::Busy(Some("ReorderBufferWrite".into())); 1000];
        assert_eq!(silence_until_given_up(&busy).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_connection_is_given_up() {
        let unknown = || Serving::Unanswered("timed out".into());
        assert_eq!(silence_until_given_up(&[Serving::Gone]).await, Some(secs(30)));
        assert_eq!(silence_until_given_up(&[idle(), idle()]).await, Some(secs(40)));
        assert_eq!(silence_until_given_up(&[unknown(), unknown(), unknown()]).await, Some(secs(50)));
        // A process that was met at work in between is not idle, and one that answers is not away.
        assert_eq!(silence_until_given_up(&[idle(), Serving::Busy(None), idle()]).await, None);
        assert_eq!(silence_until_given_up(&[unknown(), unknown(), Serving::Busy(None), unknown()]).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_word_ends_it() {
        let mut silence = Silence::new(INTERVAL);
        silence.heard(Instant::now());
        assert!(!silence.take_ended(), "nobody was told");
        tokio::time::advance(INTERVAL * 3).await;
        assert_eq!(silence.answered(&idle(), Instant::now()), Verdict::AskAgain);
        assert!(!silence.take_ended(), "it lasts");
        silence.heard(Instant::now());
        silence.heard(Instant::now());
        assert!(silence.take_ended() && !silence.take_ended());
        tokio::time::advance(INTERVAL * 3).await;
        assert_eq!(silence.answered(&idle(), Instant::now()), Verdict::AskAgain, "the answers are counted anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_told_less_often() {
        let (silence, quick) = (Silence::new(Duration::from_millis(100)), Duration::from_millis(100));
        assert_eq!(silence.status_interval(quick, Instant::now()), quick);
        tokio::time::advance(PATIENCE_MIN).await;
        assert_eq!(silence.status_interval(quick, Instant::now()), STATUS_WHEN_SILENT);
        assert_eq!(silence.status_interval(INTERVAL * 2, Instant::now()), INTERVAL * 2);
    }
}
