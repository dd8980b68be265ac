//! Tasks that failed: which start again by themselves, and what a user's wish does to that.

use relational::TaskError;
use retry::Outlook;

use super::*;
use crate::store::TargetState;

const RESTARTS: &str = "restarts by itself in";

impl World {
    /// Has the task fail, and waits until that is shown. Returns the trace.
    async fn fail(&self, task: &TaskSpec, outlook: Outlook) -> String {
        task.events.send(TaskEvent::Failed(TaskError { trace: "why".into(), outlook })).expect("the keeper listens");
        // It may be FAILED from before: the keeper acts while this sleeps.
        sleep(MS).await;
        self.shown(&task.connector, true, "FAILED").await
    }

    async fn aim(&self, name: &str, target: TargetState) {
        self.shared().configs.put_target_state(name, target).await.expect("taken");
        self.look(name, false);
    }

    /// Nothing is started for so long.
    async fn is_quiet(&mut self, time: Duration) {
        let started = timeout(time, self.started.recv()).await;
        assert!(started.is_err(), "a task was started");
    }

    /// The connector's restarts so far, and whether one is due.
    fn restarts(&self, name: &str) -> (u64, bool) {
        let numbers = self.supervisor.shared.metered.restarts_of(name);
        (numbers.total, numbers.due_s.is_some())
    }
}

async fn running(more: &[(&str, &str)]) -> (World, TaskSpec) {
    let mut world = World::new();
    world.configure("c", more).await;
    let task = world.task().await;
    world.shown("c", true, "RUNNING").await;
    (world, task)
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_cause_may_pass_starts_again_with_growing_pauses() {
    let (mut world, mut task) = running(&[]).await;
    for (attempt, whole) in (1..).zip([10, 20, 40, 80, 160, 300, 300]) {
        let begin = Instant::now();
        let trace = world.fail(&task, Outlook::MayPass).await;
        assert!(trace.starts_with("why\n") && trace.contains(RESTARTS), "{trace}");
        assert!(trace.contains(&format!("(attempt {attempt})")), "{trace}");
        assert_eq!(world.restarts("c"), (attempt - 1, true));
        task = timeout(S * 400, world.started.recv()).await.expect("it starts again").expect("a launch");
        let waited = begin.elapsed();
        assert!(waited >= S * whole / 2 && waited <= S * (whole + 1), "attempt {attempt}: {waited:?}");
        assert_eq!(world.restarts("c"), (attempt, false));
        // It has not said yet that it runs.
        sleep(S).await;
        world.shown("c", true, "FAILED").await;
    }
    task.events.send(TaskEvent::Running).expect("the keeper listens");
    assert_eq!(world.shown("c", true, "RUNNING").await, "");
    // What it runs for is forgotten after five minutes.
    sleep(S * 301).await;
    assert!(world.fail(&task, Outlook::MayPass).await.contains("(attempt 1)"));
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_cause_cannot_pass_stays_failed() {
    let (mut world, task) = running(&[]).await;
    assert_eq!(world.fail(&task, Outlook::CannotPass).await, "why");
    world.is_quiet(S * 100_000).await;
    assert_eq!(world.restarts("c"), (0, false));
}

#[tokio::test(start_paused = true)]
async fn a_defect_is_tried_three_times() {
    let (mut world, mut task) = running(&[]).await;
    for _ in 0..3 {
        assert!(world.fail(&task, Outlook::Unknown).await.contains(RESTARTS));
        task = world.task().await;
        world.shown("c", true, "RUNNING").await;
    }
    let trace = world.fail(&task, Outlook::Unknown).await;
    assert!(trace.contains("3 times in a row") && !trace.contains(RESTARTS), "{trace}");
    world.is_quiet(S * 100_000).await;
    assert_eq!(world.restarts("c"), (3, false));
}

#[tokio::test(start_paused = true)]
async fn a_setting_turns_it_off() {
    let (mut world, task) = running(&[("task.restart.enabled", "false")]).await;
    assert_eq!(world.fail(&task, Outlook::MayPass).await, "why");
    world.is_quiet(S * 100_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_attempts() {
    let (mut world, task) = running(&[("task.restart.max.attempts", "1"), ("task.restart.backoff.ms", "200")]).await;
    world.fail(&task, Outlook::MayPass).await;
    let begin = Instant::now();
    let task = world.task().await;
    assert!(begin.elapsed() <= MS * 210, "{:?}", begin.elapsed());
    world.shown("c", true, "RUNNING").await;
    assert!(world.fail(&task, Outlook::MayPass).await.contains("stays FAILED"));
    world.is_quiet(S * 100_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_user_s_restart_comes_first_and_counts_anew() {
    let (mut world, task) = running(&[]).await;
    world.fail(&task, Outlook::MayPass).await;
    let begin = Instant::now();
    let (done, answer) = tokio::sync::oneshot::channel();
    world.shared().note("c", |mailbox| mailbox.restart(false, true, false, done));
    answer.await.expect("answered").expect("restarted");
    let task = world.task().await;
    assert!(begin.elapsed() < MS * 100, "{:?}", begin.elapsed());
    world.shown("c", true, "RUNNING").await;
    assert_eq!(world.restarts("c"), (0, false));
    // The restart that was due does not come on top.
    world.is_quiet(S * 1000).await;
    assert!(world.fail(&task, Outlook::MayPass).await.contains("(attempt 1)"));
}

#[tokio::test(start_paused = true)]
async fn another_configuration_comes_first() {
    let (mut world, task) = running(&[]).await;
    world.fail(&task, Outlook::MayPass).await;
    let begin = Instant::now();
    world.configure("c", &[("new", "1")]).await;
    let task = world.task().await;
    assert!(begin.elapsed() < MS * 100 && task.config.get("new") == Some("1"), "{:?}", begin.elapsed());
    world.is_quiet(S * 1000).await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_connector_is_not_started_and_goes_on_after_the_resume() {
    let (mut world, task) = running(&[]).await;
    world.fail(&task, Outlook::MayPass).await;
    world.aim("c", TargetState::Paused).await;
    world.shown("c", false, "PAUSED").await;
    assert_eq!(world.restarts("c"), (0, false));
    world.is_quiet(S * 1000).await;
    // As in Connect, the task that failed is shown as such.
    world.shown("c", true, "FAILED").await;
    world.aim("c", TargetState::Started).await;
    let _task = world.task().await;
    world.shown("c", true, "RUNNING").await;
    assert_eq!(world.restarts("c"), (1, false));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_or_deleted_connector_is_not_started() {
    let (mut world, task) = running(&[]).await;
    world.fail(&task, Outlook::MayPass).await;
    world.aim("c", TargetState::Stopped).await;
    world.shown("c", false, "STOPPED").await;
    world.is_quiet(S * 1000).await;
    assert_eq!(world.restarts("c"), (0, false));
    world.aim("c", TargetState::Started).await;
    let task = world.task().await;
    world.fail(&task, Outlook::MayPass).await;
    world.shared().configs.remove_connector("c").await.expect("taken");
    world.look("c", false);
    world.is_quiet(S * 1000).await;
    assert_eq!(world.restarts("c"), (0, false));
    assert!(world.shared().statuses.read(|view| view.task("c", 0).is_none()));
}

/// A process that has lost its group stops its tasks and starts none.
#[tokio::test(start_paused = true)]
async fn nothing_is_started_without_the_group() {
    let (mut world, task) = running(&[]).await;
    world.fail(&task, Outlook::MayPass).await;
    world.shared().store.end();
    world.shared().abort();
    world.is_quiet(S * 1000).await;
    assert_eq!(world.restarts("c"), (0, false));
}

/// Variables are resolved anew for each start.
#[tokio::test(start_paused = true)]
async fn each_restart_asks_the_providers_again() {
    let (mut world, task) = running(&[("database.password", "${file:/x:y}")]).await;
    assert_eq!(task.config.get("database.password"), Some("${file:/x:y}, asked 2 times"));
    world.fail(&task, Outlook::MayPass).await;
    let task = world.task().await;
    assert_eq!(task.config.get("database.password"), Some("${file:/x:y}, asked 3 times"));
}
