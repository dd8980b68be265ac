//! Places at which a test can make a fault fall: `FAILPOINTS='pipeline-NAME=panic(text)'` in the daemon's environment makes
//! the pipeline of connector NAME panic. What is built to run has none of this (feature `failpoints`).
//!
//! Must not know: what a fault leads to.

#[cfg(feature = "failpoints")]
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether any place is armed: a place that is not costs one load.
#[cfg(feature = "failpoints")]
static IS_ARMED: AtomicBool = AtomicBool::new(false);

/// The places of this process, armed by the environment until this is dropped.
pub struct Armed {
    #[cfg(feature = "failpoints")]
    #[allow(dead_code, reason = "held for its drop")]
    scenario: fail::FailScenario<'static>,
}

/// Reads the environment, once, at the start.
pub fn arm() -> Armed {
    #[cfg(feature = "failpoints")]
    IS_ARMED.store(std::env::var_os("FAILPOINTS").is_some(), Ordering::Relaxed);
    Armed {
        #[cfg(feature = "failpoints")]
        scenario: fail::FailScenario::setup(),
    }
}

/// A place that one connector reaches.
#[cfg(feature = "failpoints")]
pub(super) fn reach(place: &str, connector: &str) {
    if IS_ARMED.load(Ordering::Relaxed) {
        fail::fail_point!(&format!("{place}-{connector}"));
    }
}

/// A place that one connector reaches: nothing falls here.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(super) fn reach(_place: &str, _connector: &str) {}
