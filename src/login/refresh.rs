//! When a token is replaced, by the rules of Java's clients (`ExpiringCredentialRefreshingLogin`).

use serde::{Deserialize, Serialize};

/// librdkafka logs in anew on an open connection after this part of the time that the broker gives to it, which is that of the
/// token (KIP-368).
const LOGS_IN_AFTER: f64 = 0.9;
/// By how much a token is replaced before that: librdkafka looks once a second whether it is time, and the fetch takes a while.
const AHEAD_MS: i64 = 2000;

/// `sasl.login.refresh.*`.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Refresh {
    /// `window.factor`: the part of its life after which a token is replaced.
    pub factor: f64,
    /// `window.jitter`: up to so much is added to the factor, by chance, so that not all clients ask at once.
    pub jitter: f64,
    /// `min.period.seconds`: a token is used for so long at least.
    pub min_period_s: i64,
    /// `buffer.seconds`: a token is replaced so long before its end at least.
    pub buffer_s: i64,
}

impl Default for Refresh {
    fn default() -> Self {
        Self { factor: 0.8, jitter: 0.05, min_period_s: 60, buffer_s: 300 }
    }
}

impl Refresh {
    /// When a token is replaced, before clients show it again: milliseconds since 1970, as all times here. A token that was shown
    /// shortly before its end would open a connection for a moment only, and brokers refuse logins less than a second apart.
    pub(super) fn before_next_login(&self, now_ms: i64, start_ms: Option<i64>, expires_ms: i64, chance: f64) -> i64 {
        let life_ms = expires_ms.saturating_sub(now_ms).max(0);
        let latest_ms = ((life_ms as f64 * LOGS_IN_AFTER) as i64 - AHEAD_MS).max(life_ms / 2);
        self.at(now_ms, start_ms, expires_ms, chance).min(now_ms + latest_ms)
    }

    /// When Java replaces a token. `start_ms`: when it was issued, if it says so.
    /// `chance` is from 0 to 1.
    fn at(&self, now_ms: i64, start_ms: Option<i64>, expires_ms: i64, chance: f64) -> i64 {
        // A server whose clock is ahead of ours must not lengthen the life.
        let start_ms = start_ms.unwrap_or(now_ms).min(now_ms);
        let life_ms = (expires_ms - start_ms) as f64;
        let proposed_ms = start_ms + (life_ms * (self.factor + self.jitter * chance)) as i64;
        let (period_ms, buffer_ms) = (self.min_period_s * 1000, self.buffer_s * 1000);
        // Of a token that lives for a short time only, both bounds are passed over.
        if period_ms + buffer_ms > expires_ms - now_ms {
            return proposed_ms.clamp(now_ms, expires_ms.max(now_ms));
        }
        proposed_ms.min(expires_ms - buffer_ms).max(now_ms + period_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_before_it_is_shown_again() {
        #[track_caller]
        fn check(factor: f64, expires_ms: i64, expect_ms: i64) {
            let refresh = Refresh { factor, jitter: 0.0, min_period_s: 0, buffer_s: 0 };
            assert_eq!(refresh.before_next_login(0, None, expires_ms, 0.0), expect_ms);
        }
        check(0.8, 3_600_000, 2_880_000);
        check(1.0, 3_600_000, 3_238_000);
        check(0.8, 8000, 5200);
        check(0.8, 1000, 500);
        check(0.8, 0, 0);
    }

    #[test]
    fn as_java_replaces_tokens() {
        #[track_caller]
        fn check(refresh: Refresh, (start_s, expires_s): (Option<i64>, i64), chance: f64, expect_s: i64) {
            let at_ms = refresh.at(0, start_s.map(|s| s * 1000), expires_s * 1000, chance);
            assert_eq!(at_ms / 1000, expect_s);
        }
        let usual = Refresh::default();
        check(usual, (None, 10_000), 0.0, 8000);
        check(usual, (None, 10_000), 1.0, 8500);
        // 80 % of an hour is earlier than five minutes before its end; of 20 minutes it is later.
        check(usual, (None, 3600), 0.0, 2880);
        check(usual, (None, 1200), 0.0, 900);
        // The least time of use wins over the part of the life.
        check(Refresh { factor: 0.5, min_period_s: 300, buffer_s: 60, ..usual }, (None, 400), 0.0, 300);
        // Both bounds are passed over when the life is shorter than their sum.
        check(usual, (None, 300), 0.0, 240);
        check(usual, (None, 10), 0.0, 8);
        // The life began earlier, and its time is over: at once, and no time before.
        check(usual, (Some(-900), 100), 0.0, 0);
        check(usual, (Some(-1000), 1000), 0.0, 600);
        // A clock that is ahead.
        check(usual, (Some(500), 10_000), 0.0, 8000);
        check(usual, (None, -5), 0.0, 0);
    }
}
