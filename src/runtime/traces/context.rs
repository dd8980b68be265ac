//! What makes a span the parent of another, in the form of W3C's trace context (<https://www.w3.org/TR/trace-context/>).
//!
//! Must not know: what spans are about.

use std::fmt::Write as _;
use std::sync::Arc;

/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;
/// A longer `tracestate` is left out, as W3C allows.
const STATE_BYTES: usize = 512;

/// The place of a span in its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The trace. Not zero.
    pub trace: [u8; 16],
    /// The span. Not zero.
    pub span: [u8; 8],
    /// Whether the spans of the trace are recorded.
    pub sampled: bool,
    /// What systems of tracing have added, passed on as it is.
    pub state: Option<Arc<str>>,
}

impl Context {
    /// The first span of a new trace, or one under a parent.
    pub(super) fn under(parent: Option<&Self>, sampled: impl FnOnce(&[u8; 16]) -> bool) -> Self {
        let trace = parent.map_or_else(|| fastrand::u128(1..).to_be_bytes(), |parent| parent.trace);
        let span = fastrand::u64(1..).to_be_bytes();
        Self { trace, span, sampled: sampled(&trace), state: parent.and_then(|parent| parent.state.clone()) }
    }

    /// Reads `traceparent` and `tracestate`; nothing if the first is not valid.
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let mut parts = traceparent.trim().split('-');
        let version: [u8; 1] = hex(parts.next()?)?;
        let (trace, span) = (hex::<16>(parts.next()?)?, hex::<8>(parts.next()?)?);
        let [flags] = hex::<1>(parts.next()?)?;
        // Later versions may have more parts; the version ff is forbidden.
        let has_more = parts.next().is_some();
        if version == [0xff] || version == [0] && has_more || trace == [0; 16] || span == [0; 8] {
            return None;
        }
        let is_state = |state: &&str| {
            !state.is_empty() && state.len() <= STATE_BYTES && state.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        let state = tracestate.map(str::trim).filter(is_state).map(Arc::from);
        Some(Self { trace, span, sampled: flags & SAMPLED != 0, state })
    }

    /// The text of `traceparent`.
    pub fn traceparent(&self) -> String {
        let mut text = String::with_capacity(55);
        text.push_str("00-");
        for byte in self.trace {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.push('-');
        for byte in self.span {
            let _ = write!(text, "{byte:02x}");
        }
        text.push_str(if self.sampled { "-01" } else { "-00" });
        text
    }

    /// The flags as OTLP has them.
    pub(super) fn flags(&self) -> u32 {
        u32::from(if self.sampled { SAMPLED } else { 0 })
    }
}

/// Bytes of lower-case hexadecimal digits.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let made = Context::parse(text, None).map(|context| context.traceparent());
        assert_eq!(made.as_deref(), expect, "{text}");
    }

    #[test]
    fn parents() {
        check(PARENT, Some(PARENT));
        check(&format!(" {PARENT} "), Some(PARENT));
        check(&PARENT.replace("-01", "-00"), Some(&PARENT.replace("-01", "-00")));
        // Other flags are not known, and a later version may have more parts.
        check(&PARENT.replace("-01", "-03"), Some(PARENT));
        check(&format!("{}-more", PARENT.replace("00-4", "cc-4")), Some(PARENT));
        for wrong in [
            format!("{PARENT}-more"),
            PARENT.replace("00-4", "ff-4"),
            PARENT.replace("4bf9", "4BF9"),
            PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            PARENT.replace("00f067aa0ba902b7", &"0".repeat(16)),
            PARENT.replace("-01", ""),
            PARENT.replace("-01", "-1"),
            String::new(),
            "é".to_owned(),
        ] {
            check(&wrong, None);
        }
    }

    #[test]
    fn states_are_passed_on() {
        let state = |state: &str| Context::parse(PARENT, Some(state)).and_then(|context| context.state);
        assert_eq!(state("a=1,b=2").as_deref(), Some("a=1,b=2"));
        assert_eq!(state("").as_deref(), None);
        assert_eq!(state("ü=1").as_deref(), None);
        assert_eq!(state(&"a".repeat(STATE_BYTES + 1)).as_deref(), None);
        let parent = Context::parse(PARENT, Some("a=1"));
        let child = Context::under(parent.as_ref(), |_| true);
        assert_eq!((child.trace, child.state), parent.map(|parent| (parent.trace, parent.state)).unwrap_or_default());
    }
}
