//! Whether a server that says nothing is busy or gone.
//!
//! A walsender that works through one large transaction without a row for us (unpublished changes, REFRESH MATERIALIZED
//! VIEW, the rewrite of a table) says nothing until it is through, not even an answer to our statuses. If the connection were
//! given up then, the server would begin the same transaction again, for ever. After a while of silence the server is
//! therefore asked over another connection what its process does, and only the answer may end the stream. A cut network
//! needs no question: the kernel closes a socket whose bytes nobody acknowledges.
//!
//! Must not know: sockets, SQL.

use std::time::Duration;

use tokio::time::Instant;

/// The server is asked after this many status intervals without a byte. When it is not busy, it answers each status.
const PATIENCE_INTERVALS: u32 = 3;
/// The server is never asked after a shorter silence than this.
const PATIENCE_MIN: Duration = Duration::from_secs(3);
/// Time between two questions about a process that is busy.
const ASK_EVERY: Duration = Duration::from_secs(30);
/// Time between two questions while the answers suggest that the connection is dead.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// After this many answers in a row that the process is idle, although it sends us nothing, the connection is dead.
const IDLE_ANSWERS: u32 = 2;
/// After this many questions in a row without any answer the server cannot be reached at all.
const NO_ANSWERS: u32 = 3;
/// The shortest interval of statuses while the server is silent. A busy server does not read them, so they fill its receive
/// buffer, and a full buffer looks to our kernel like a peer that is gone.
const STATUS_WHEN_SILENT: Duration = Duration::from_secs(10);

/// The answer to the question what the server's process that serves the stream does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Serving {
    /// The process runs, or waits for something of its own (with the wait event, if it is known).
    Busy(Option<String>),
    /// The process waits for the log to grow or for us to read (with the wait event).
    Idle(String),
    /// The slot has no reader, or another one.
    Gone,
    /// The server answered with an error (with its text).
    Untold(String),
    /// No answer came (with the reason).
    Unanswered(String),
}

impl Serving {
    /// The text in the task's status that explains why nothing comes.
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
            Self::Untold(reason) | Self::Unanswered(reason) => format!("what the server does is not known: {reason}"),
        };
        format!(
            "The server sends nothing from slot \"{slot}\", not even an answer to our statuses: {state}.\nReason: a large \
             transaction without a row for this connector (changes of other tables, REFRESH MATERIALIZED VIEW, the rewrite of \
             a table) is worked through in silence, and goes on by itself. Nothing is lost."
        )
    }
}

/// What follows from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The server is busy: go on waiting.
    Wait,
    /// It is not certain yet: ask again.
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
    /// How many answers in a row said that the process is idle.
    idle: u32,
    /// How many questions in a row got no answer.
    unanswered: u32,
    /// The task's status shows that the server is silent.
    told: bool,
    /// Bytes have come after a silence that the status had reported.
    ended: bool,
}

impl Silence {
    pub(super) fn new(status_interval: Duration) -> Self {
        let patience = (status_interval * PATIENCE_INTERVALS).max(PATIENCE_MIN);
        let now = Instant::now();
        Self { patience, heard: now, ask_at: now + patience, idle: 0, unanswered: 0, told: false, ended: false }
    }

    /// Notes that bytes came.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.ask_at = now + self.patience;
        (self.idle, self.unanswered) = (0, 0);
        self.ended |= std::mem::take(&mut self.told);
    }

    /// Notes that nobody reads what the server may have sent: that is no silence of the server.
    pub(super) fn nobody_listens(&mut self, now: Instant) {
        self.heard = now;
        self.ask_at = now + self.patience;
    }

    /// Whether bytes have come after a silence that the task's status had reported. Returns true once per reported silence.
    pub(super) fn take_ended(&mut self) -> bool {
        std::mem::take(&mut self.ended)
    }

    /// How long nothing has been heard.
    pub(super) fn lasts(&self) -> Duration {
        self.heard.elapsed()
    }

    /// Whether it is time to ask what the server's process does.
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

    /// Takes an answer.
    pub(super) fn answered(&mut self, serving: &Serving, now: Instant) -> Verdict {
        self.told = true;
        match serving {
            // The server can be reached, and the kernel would notice a cut network.
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
                Verdict::GiveUp(format!(
                    "the server's process of this connection has nothing to do (it waits in {event})"
                ))
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

    /// Gives these answers one after the other. Returns how long the silence had lasted when the connection was given up.
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
        // An answer in between that the process is busy resets both counts.
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
