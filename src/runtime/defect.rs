//! A panic ends only what it happened in (a task, a keeper, a request); everything else goes on.
//!
//! A caught panic is shown with its place in the source, so that it can be reported and mended. Its message is shown only if
//! it is a literal in the source. A message that was put together at run time may hold a cell's value (slicing a text at a
//! wrong byte prints the text), and no value may reach a log or a status.
//!
//! Must not know: what was running.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use futures_util::FutureExt as _;

thread_local! {
    /// The last panic of this thread: the panic hook puts it here, whoever catches the panic takes it.
    static LAST: RefCell<Option<Defect>> = const { RefCell::new(None) };
}

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// `file:line:column`.
    place: Option<String>,
    message: Option<&'static str>,
}

impl Defect {
    fn seen(info: &PanicHookInfo<'_>) -> Self {
        let place = info.location().map(|at| format!("{}:{}:{}", within_sources(at.file()), at.line(), at.column()));
        Self { place, message: literal(info.payload()) }
    }

    /// The panic that was just caught on this thread.
    fn caught(payload: &(dyn Any + Send)) -> Self {
        // Without the panic hook, as in unit tests, the place is not known.
        let last = LAST.with_borrow_mut(Option::take);
        last.unwrap_or_else(|| Self { place: None, message: literal(payload) })
    }

    /// A trace for a status, in Java's form. `what` names what ended, such as "the pipeline".
    pub fn trace(&self, what: &str) -> String {
        format!(
            "org.apache.kafka.connect.errors.ConnectException: {what} ended by a defect of afterimage: {self}\n\
             Reason: this is a mistake in the program, not in your configuration or data. Other connectors go on.\n\
             Remedy: report this text and the lines of the log at this time (they hold none of your data). A restart goes \
             on from the last stored position; when the same record meets the defect again, leave its table or column out."
        )
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panic at {}", self.place.as_deref().unwrap_or("an unknown place"))?;
        match self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

/// The message, if it was not put together at run time.
fn literal(payload: &(dyn Any + Send)) -> Option<&'static str> {
    payload.downcast_ref::<&'static str>().copied()
}

/// A dependency's file without the build machine's folders.
fn within_sources(file: &str) -> &str {
    let rest = file.split_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/'));
    rest.map_or(file, |(_, rest)| rest)
}

/// Sets the panic hook: a panic is logged with its place and backtrace, and with its message only if that is a literal. Call
/// it once, when the process starts.
pub fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let defect = Defect::seen(info);
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        if tracing::dispatcher::has_been_set() {
            tracing::error!(
                thread,
                "{defect}. This is a defect of afterimage, please report it:\n{}",
                Backtrace::force_capture()
            );
        } else {
            eprintln!("afterimage: {defect} (thread {thread}). This is a defect of afterimage, please report it.");
        }
        // Fails on a thread that is ending: its thread-locals are gone.
        let _ = LAST.try_with(|last| last.replace(Some(defect)));
    }));
}

/// Runs `work` and returns a panic as an error. Going on after a panic is safe: what `work` owns is dropped, and what it
/// shares with others is atomic, or behind locks whose values no panic can leave half changed.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Defect> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Defect::caught(&*payload))
}

/// Like [`catch`], for a future.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Defect> {
    // The panic hook ran on this thread, during this poll.
    AssertUnwindSafe(work).catch_unwind().await.map_err(|payload| Defect::caught(&*payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(work: impl FnOnce() + Copy, message: Option<&'static str>) {
        let defect = catch(work).expect_err("it panics");
        assert_eq!(defect.message, message);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let defect = runtime.block_on(caught(async { work() })).expect_err("it panics");
        assert_eq!(defect.message, message);
    }

    #[test]
    fn only_messages_of_the_code_are_told() {
        let secret = std::hint::black_box(String::from("4111 1111"));
        check(|| panic!("no such thing"), Some("no such thing"));
        check(|| panic!("cell {}", String::from("4111 1111")), None);
        check(|| _ = "".chars().next().unwrap(), Some("called `Option::unwrap()` on a `None` value"));
        // What slicing says would hold the text.
        let secret = &secret;
        check(|| drop(secret[..100].to_owned()), None);
    }

    #[test]
    fn a_trace_tells_where_and_what_to_do() {
        let defect = Defect { place: Some("src/a.rs:1:2".to_owned()), message: Some("no such thing") };
        let trace = defect.trace("the pipeline");
        assert!(trace.starts_with(
            "org.apache.kafka.connect.errors.ConnectException: the pipeline ended by a defect of afterimage: panic at \
             src/a.rs:1:2: no such thing\n"
        ));
        assert!(trace.contains("report"));
    }

    #[test]
    fn places_do_not_name_the_build_machine() {
        let file = "/home/x/.cargo/registry/src/index-1949cf8c6b5b557f/bytes-1.1.0/src/lib.rs";
        assert_eq!(within_sources(file), "bytes-1.1.0/src/lib.rs");
        assert_eq!(within_sources("src/runtime/pipeline.rs"), "src/runtime/pipeline.rs");
    }
}
