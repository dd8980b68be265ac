//! librdkafka's callbacks: a record was delivered or not, or the client has an error, such as that no broker can be
//! reached.

use std::error::Error;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Headers as _, Message, OwnedHeaders};
use rdkafka::producer::ProducerContext;

use super::flow::{Flow, UNNUMBERED};
use super::line::Line;
use super::share::{self, Share};
use crate::login;
use crate::sink::refused::{has_no_token, is_refusal, told};
use crate::sink::{DeliveryError, EncodedHeaders, HeaderCopies, Outgoing, Undelivered};

/// How often errors are logged at most, because librdkafka reports a broker that is away many times a second.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// This bit says that a record's headers are a copy that comes back. It is the highest bit of a number within a lane of the
/// ledger, which no number reaches; those above are the lane's, and one marks letters.
pub(super) const COMES_BACK: u64 = 1 << 55;

/// What librdkafka keeps of a record: its number, and whether its headers are a copy that comes back.
pub(super) fn opaque(seq: u64, comes_back: bool) -> usize {
    (seq | if comes_back { COMES_BACK } else { 0 }) as usize
}

/// The number in what librdkafka keeps, and whether the headers come back.
pub(super) fn parts(opaque: usize) -> (u64, bool) {
    (opaque as u64 & !COMES_BACK, opaque as u64 & COMES_BACK != 0)
}

/// librdkafka's callbacks.
pub(super) struct Callbacks {
    client_id: String,
    flow: Arc<Flow>,
    /// The line whose held records are passed on after a delivery. Set once the producer is made, because the line
    /// needs the producer, which needs these callbacks.
    line: OnceLock<Weak<Line>>,
    /// What the producer holds of the memory for all producers' queues.
    pub(super) share: Share,
    /// The headers that records carry.
    pub(super) copies: HeaderCopies,
    /// When the last error was logged.
    said: Mutex<Option<Instant>>,
    /// Why the last broker that was tried refused the connection (TLS or the login failed), if it did.
    refusal: Mutex<Option<Arc<str>>>,
}

impl Callbacks {
    pub(super) fn new(client_id: String, flow: Arc<Flow>) -> Self {
        Self {
            client_id,
            flow,
            line: OnceLock::new(),
            share: Share::new(),
            copies: HeaderCopies::default(),
            said: Mutex::default(),
            refusal: Mutex::default(),
        }
    }

    /// Sets the line to look at after a delivery.
    pub(super) fn watch(&self, line: &Arc<Line>) {
        // Cannot fail, because this is called once.
        let _ = self.line.set(Arc::downgrade(line));
    }
}

impl ClientContext for Callbacks {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, login: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        login::token(login)
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The error is not fatal, because librdkafka goes on trying. It is still logged once in a while, so that a user
        // learns that the broker is away.
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            tracing::warn!(client = %self.client_id, %error, reason, "the Kafka producer reports an error and goes on trying");
            *said = Some(Instant::now());
        }
        drop(said);
        let mut last = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            // This follows on the failure of the last of them. A refusal says more than that.
            self.flow.set_away(Some(last.clone().unwrap_or_else(|| reason.into())));
            return;
        }
        // Without a token no broker is tried, so none is said to be away.
        if has_no_token(reason) {
            self.flow.set_away(Some(told(reason).into()));
        }
        // One broker that refuses is not all of them: the others may take what waits. librdkafka says that all are down only
        // once, and the first reason may have been another one.
        *last = is_refusal(&error, reason).then(|| told(reason).into());
        if let Some(refusal) = &*last {
            self.flow.explain_away(refusal);
        }
    }
}

impl ProducerContext for Callbacks {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: usize) {
        let (seq, _) = parts(opaque);
        // Offsets in a transaction do not go through the line, which counts.
        if seq != UNNUMBERED {
            let (Ok(message) | Err((_, message))) = result;
            self.share.leave(share::bytes(message.key(), message.payload()));
        }
        match result {
            Ok(_) => self.flow.settle(seq, Ok(())),
            Err((error, message)) => {
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
                refused(&self.flow, seq, code, message);
            }
        }
        if self.flow.is_idle()
            && let Some(line) = self.line.get().and_then(Weak::upgrade)
        {
            line.look(false);
        }
    }

    fn delivery_with_headers(&self, result: &DeliveryResult<'_>, opaque: usize) -> bool {
        self.delivery(result, opaque);
        parts(opaque).1
    }

    fn reclaim_headers(&self, copy: OwnedHeaders) {
        self.copies.give_back(copy);
    }
}

/// Reports a record that did not reach the broker, with its key, value and headers.
fn refused(flow: &Flow, seq: u64, code: RDKafkaErrorCode, message: &BorrowedMessage<'_>) {
    let headers = message.headers().map(|headers| {
        headers.iter().fold(EncodedHeaders::default(), |set, header| set.with(header.key, header.value))
    });
    let record = Outgoing {
        topic: message.topic(),
        partition: Some(message.partition()).filter(|partition| *partition >= 0),
        timestamp_ms: message.timestamp().to_millis(),
        key: message.key(),
        value: message.payload(),
        headers: headers.as_ref(),
        seq,
    };
    let error = DeliveryError::of(code, &record);
    flow.settle(seq, Err(Undelivered { error, record }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_record_gives_every_number_back() {
        // A number of the stream, the largest one, one of a copy's lane, an offset's; and the same as letters.
        for seq in [0, (1 << 55) - 1, 5 << 56 | 7, UNNUMBERED] {
            for seq in [seq, seq | 1 << 63] {
                for comes_back in [false, true] {
                    assert_eq!(parts(opaque(seq, comes_back)), (seq, comes_back), "{seq:x}");
                }
            }
        }
    }
}
