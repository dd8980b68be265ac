//! Taking over a transactional id at a task's start.
//!
//! Must not know: what is sent.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::sink::{Sink, SinkError};

/// How long one question to the broker lasts.
const SLICE: Duration = Duration::from_secs(1);
/// After this many of them the task's status says what it waits for.
const TELL_AFTER: u32 = 3;

/// How it went.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The id is this producer's, and a transaction is open.
    Taken,
    /// The task is to stop.
    Stopped,
    /// The broker refuses.
    Refused(SinkError),
}

/// Takes the sink's transactional id over and begins the first transaction. Waits for a broker that is away; `waits` is then
/// told, as a trace for the task's status.
pub(crate) async fn claim(sink: &Arc<dyn Sink>, mut stop: watch::Receiver<bool>, waits: impl Fn(&str)) -> Claim {
    let mut asked = 0;
    loop {
        let asking = {
            let sink = Arc::clone(sink);
            tokio::task::spawn_blocking(move || sink.claim(SLICE))
        };
        let answer = tokio::select! {
            answer = asking => answer,
            () = async { drop(stop.wait_for(|stop| *stop).await) } => return Claim::Stopped,
        };
        match answer {
            Ok(Ok(true)) => break,
            Ok(Ok(false)) => {}
            Ok(Err(SinkError::Stopped)) => return Claim::Stopped,
            // Without a panic the process ends.
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return Claim::Stopped,
            },
            Ok(Err(error)) => return Claim::Refused(error),
        }
        asked += 1;
        if asked == TELL_AFTER {
            waits(
                "org.apache.kafka.common.errors.TimeoutException: the transaction coordinator has not answered yet\nReason: before \
                 the task starts, its transactional id is taken over, which ends what an earlier producer left open. Check that \
                 Kafka runs and that bootstrap.servers and the producer's security settings are right. The task goes on by itself",
            );
        }
    }
    match sink.begin() {
        Ok(()) => Claim::Taken,
        Err(error) => Claim::Refused(error),
    }
}
