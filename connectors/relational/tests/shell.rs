//! The loop that runs a connector's sessions, under a paused clock.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test program")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use relational::shell::Shell;
use relational::{Budget, Meters, Outlet, OutletEnds, Outlook, Retries, Standing};
use tokio::sync::watch;

/// A session of which each run ends as the next letter of a script says: `.` in order, `t` with a transient error, `g` with
/// one after progress, anything else with an error that does not pass.
struct Session {
    script: VecDeque<char>,
    runs: usize,
    outlet: Outlet,
}

const SHELL: Shell<Session, char> = Shell {
    run: |session| {
        Box::pin(async {
            session.runs += 1;
            match session.script.pop_front() {
                None | Some('.') => Ok(()),
                Some(error) => Err(error),
            }
        })
    },
    outlet: |session| &mut session.outlet,
    resets_retries: |_, error, _| *error == 'g',
    is_transient: |error| matches!(error, 't' | 'g'),
    outlook: |error| Outlook::transient_or(matches!(error, 't' | 'g'), Outlook::CannotPass),
    trace: |error| format!("trace of {error}"),
};

fn session(script: &str) -> (Session, OutletEnds, watch::Sender<bool>) {
    let (stop, stopped) = watch::channel(false);
    let meters = Arc::new(Meters::new("c".into()));
    let (outlet, ends) = Outlet::new("c".into(), None, stopped, &Budget::new(1 << 20, 1 << 20), 8, meters);
    (Session { script: script.chars().collect(), runs: 0, outlet }, ends, stop)
}

async fn check(script: &str, most: Option<u32>, expect: (usize, Option<&str>)) {
    let (mut session, _ends, _stop) = session(script);
    let ended = SHELL.task(&mut session, Retries::new(Duration::from_secs(10), most)).await;
    let error = ended.err();
    let trace = error.as_ref().map(|error| &*error.trace);
    assert_eq!((session.runs, trace), expect, "{script}");
    // A task that gave up after its tries may be started again later, one that could not go on is not.
    let outlook = trace.map(|trace| Outlook::transient_or(trace != "trace of x", Outlook::CannotPass));
    assert_eq!(error.map(|error| error.outlook), outlook, "{script}");
}

#[tokio::test(start_paused = true)]
async fn a_session_is_run_again_after_what_may_pass() {
    check(".", None, (1, None)).await;
    check("ttt.", None, (4, None)).await;
    check("x", None, (1, Some("trace of x"))).await;
    check("ttt.", Some(2), (3, Some("trace of t"))).await;
    check("tgtgt.", Some(2), (6, None)).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_shows_why_and_ends_at_a_stop() {
    let (mut session, mut ends, stop) = session("t.");
    let task =
        tokio::spawn(async move { (SHELL.task(&mut session, Retries::new(Duration::MAX, None)).await, session.runs) });
    ends.standing.wait_for(|standing| *standing == Standing::Waiting("trace of t".into())).await.unwrap();
    stop.send(true).unwrap();
    assert_eq!(task.await.unwrap(), (Ok(()), 1));
}
