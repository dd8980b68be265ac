//! Places in which a test can cause a fault: `FAILPOINTS='pipeline-NAME=panic(text)'` in the daemon's environment makes the
//! pipeline of connector NAME panic. Only a build with the feature `failpoints` has them; the shipped one has not.
//!
//! Must not know: what a fault causes.

#[cfg(feature = "failpoints")]
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the environment sets any fault. If not, passing a place costs one atomic load.
#[cfg(feature = "failpoints")]
static IS_ARMED: AtomicBool = AtomicBool::new(false);

/// The faults that the environment sets; dropping this ends them.
pub struct Armed {
    #[cfg(feature = "failpoints")]
    #[allow(dead_code, reason = "held for its drop")]
    scenario: fail::FailScenario<'static>,
}

/// Reads the faults from the environment. Call it once, at the start.
pub fn arm() -> Armed {
    #[cfg(feature = "failpoints")]
    IS_ARMED.store(std::env::var_os("FAILPOINTS").is_some(), Ordering::Relaxed);
    Armed {
        #[cfg(feature = "failpoints")]
        scenario: fail::FailScenario::setup(),
    }
}

/// Causes the fault that is set for this place and connector, if any.
#[cfg(feature = "failpoints")]
pub(super) fn reach(place: &str, connector: &str) {
    if IS_ARMED.load(Ordering::Relaxed) {
        fail::fail_point!(&format!("{place}-{connector}"));
    }
}

/// Does nothing: this build has no faults.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(super) fn reach(_place: &str, _connector: &str) {}
