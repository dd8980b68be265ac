use super::*;

/// Tells a new machine `inputs`; `expect` has the effects of each, in short words.
#[track_caller]
fn check(inputs: &[Input], expect: &[&str]) {
    let mut machine = Machine::new();
    let seen: Vec<String> =
        inputs.iter().map(|input| machine.step(input.clone()).iter().map(word).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(seen, expect, "{inputs:?}");
}

fn word(effect: &Effect) -> String {
    match effect {
        Effect::Connector(state, _) => format!("C:{}", state.name()),
        Effect::Task(state, _) => format!("T:{}", state.name()),
        other => format!("{other:?}"),
    }
}

const NEW: Input = Input::Prepared { changed: true };
const SAME: Input = Input::Prepared { changed: false };
const ONE: Input = Input::Committed { any: true };
const UP: Input = Input::TaskUp { waits_for: None };
const NONE: Input = Input::Committed { any: false };
const STOP: Input = Input::Target(TargetState::Stopped);
const PAUSE: Input = Input::Target(TargetState::Paused);
const RUN: Input = Input::Target(TargetState::Started);

fn down() -> Input {
    Input::TaskDown { trace: "t".to_owned() }
}

fn restart(connector: bool, task: bool, announced: bool) -> Input {
    Input::Restart { connector, task, announced }
}

fn failed() -> Input {
    Input::Unprepared { trace: "t".to_owned() }
}

#[test]
fn create_change_delete() {
    check(
        &[Input::Config, NEW, ONE, UP, Input::Config, SAME, Input::Config, NEW, ONE, Input::Removed],
        &[
            "Prepare",
            "C:RUNNING Commit",
            "Start",
            "T:RUNNING",
            "C:UNASSIGNED Prepare",
            "C:RUNNING",
            "C:UNASSIGNED Prepare",
            "C:RUNNING Commit",
            "Stop T:UNASSIGNED Start",
            "Stop C:UNASSIGNED T:UNASSIGNED ForgetTask Forget",
        ],
    );
}

#[test]
fn stored_connectors_start_as_their_target_says() {
    check(&[Input::Config, SAME, UP], &["Prepare", "C:RUNNING Start", "T:RUNNING"]);
    check(&[PAUSE, Input::Config, ONE, RUN, SAME], &["", "C:PAUSED", "T:PAUSED", "Prepare", "C:RUNNING Start"]);
    check(&[STOP, Input::Config, RUN, NEW, ONE], &["", "C:STOPPED", "Prepare", "C:RUNNING Commit", "Start"]);
}

#[test]
fn pause_resume_stop() {
    let up = [Input::Config, SAME, UP];
    let of = |rest: &[Input]| [up.to_vec(), rest.to_vec()].concat();
    let seen = ["Prepare", "C:RUNNING Start", "T:RUNNING"];
    check(
        &of(&[PAUSE, PAUSE, RUN, SAME]),
        &[&seen[..], &["Stop C:PAUSED T:PAUSED", "", "Prepare", "C:RUNNING Start"]].concat(),
    );
    check(
        &of(&[STOP, NONE, PAUSE]),
        &[&seen[..], &["Stop C:STOPPED T:UNASSIGNED ForgetTask", "", "C:PAUSED"]].concat(),
    );
    check(&of(&[NONE]), &[&seen[..], &["Stop T:UNASSIGNED ForgetTask"]].concat());
    check(&of(&[Input::Leave]), &[&seen[..], &["Stop C:UNASSIGNED T:UNASSIGNED"]].concat());
}

#[test]
fn failures_stay() {
    // A failed task: pause and resume do not wake it, a restart does.
    check(
        &[Input::Config, SAME, down(), down(), PAUSE, RUN, SAME, restart(false, true, false), UP],
        &[
            "Prepare",
            "C:RUNNING Start",
            "T:FAILED",
            "",
            "C:PAUSED",
            "Prepare",
            "C:RUNNING",
            "Stop T:UNASSIGNED Start",
            "T:RUNNING",
        ],
    );
    // A failed connector: its task runs on, only STOP is heard.
    check(
        &[Input::Config, SAME, UP, Input::Config, failed(), PAUSE, RUN, STOP],
        &[
            "Prepare",
            "C:RUNNING Start",
            "T:RUNNING",
            "C:UNASSIGNED Prepare",
            "C:FAILED",
            "Stop T:PAUSED",
            "Start",
            "Stop C:STOPPED T:UNASSIGNED ForgetTask",
        ],
    );
}

/// A task that starts again by itself shows FAILED until it runs; one that is paused, stopped or up is not started.
#[test]
fn failed_tasks_start_again() {
    const AGAIN: Input = Input::Again;
    let failed = [Input::Config, SAME, down()];
    let of = |rest: &[Input]| [failed.to_vec(), rest.to_vec()].concat();
    let seen = ["Prepare", "C:RUNNING Start", "T:FAILED"];
    check(
        &of(&[AGAIN, AGAIN, down(), AGAIN, UP, AGAIN]),
        &[&seen[..], &["Start", "", "T:FAILED", "Start", "T:RUNNING", ""]].concat(),
    );
    check(
        &of(&[PAUSE, AGAIN, RUN, SAME, AGAIN]),
        &[&seen[..], &["C:PAUSED", "", "Prepare", "C:RUNNING", "Start"]].concat(),
    );
    check(&of(&[STOP, AGAIN]), &[&seen[..], &["Stop C:STOPPED T:UNASSIGNED ForgetTask", ""]].concat());
    check(&of(&[NONE, AGAIN]), &[&seen[..], &["Stop T:UNASSIGNED ForgetTask", ""]].concat());
    check(&[Input::Again], &[""]);
}

/// Stored tasks of a connector that cannot be started: another worker's statuses say that they run.
#[test]
fn tasks_that_nobody_can_start_have_failed() {
    check(
        &[Input::Config, failed(), restart(true, false, false), failed(), Input::Leave],
        &["Prepare", "C:FAILED FailTasks(\"t\")", "C:UNASSIGNED Prepare", "C:FAILED FailTasks(\"t\")", "C:UNASSIGNED"],
    );
    check(
        &[PAUSE, Input::Config, ONE, RUN, failed()],
        &["", "C:PAUSED", "T:PAUSED", "Prepare", "C:FAILED FailTasks(\"t\")"],
    );
}

#[test]
fn restarts() {
    let up = [Input::Config, SAME, UP];
    let of = |rest: &[Input]| [up.to_vec(), rest.to_vec()].concat();
    let seen = ["Prepare", "C:RUNNING Start", "T:RUNNING"];
    for (rest, expect) in [
        (vec![restart(true, false, false), SAME], vec!["C:UNASSIGNED Prepare", "C:RUNNING"]),
        (vec![restart(true, false, true), SAME], vec!["C:UNASSIGNED C:RESTARTING Prepare", "C:RUNNING"]),
        (
            vec![restart(true, true, true), SAME],
            vec!["C:UNASSIGNED C:RESTARTING Prepare", "C:RUNNING Stop T:UNASSIGNED T:RESTARTING Start"],
        ),
        (vec![restart(false, true, true)], vec!["Stop T:UNASSIGNED T:RESTARTING Start"]),
        (vec![PAUSE, restart(false, true, false)], vec!["Stop C:PAUSED T:PAUSED", "Stop T:UNASSIGNED T:PAUSED"]),
    ] {
        check(&of(&rest), &[&seen[..], &expect].concat());
    }
}
