//! Checks that the daemon is a drop-in: for each scenario it must put the same records on the topics as Debezium did.
//! The scenarios and Debezium's records are in `tests/data/golden`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod json;
mod normal;
#[path = "../rig/mod.rs"]
mod rig;
mod scenario;
mod source;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, RwLock};

use json::{Form, Json};
use rig::{Daemon, Kafka, Options};
use scenario::Worker;
use similar::TextDiff;

/// Number of scenarios that run at the same time. They mostly wait.
const AT_A_TIME: usize = 8;

/// Held while a scenario runs: by one alone that says `alone = true`, because it looks at the whole server.
static TURN: RwLock<()> = RwLock::new(());

fn differences(wanted: &[Json], seen: &[Json], form: Form) -> Option<String> {
    let lines = |rows: &[Json]| -> Vec<String> { rows.iter().map(|row| row.shown(form, false)).collect() };
    let (w, s) = (lines(wanted), lines(seen));
    if w == s {
        return None;
    }
    let same = w.iter().skip(1).zip(s.iter().skip(1)).filter(|(a, b)| a == b).count();
    let pretty = |rows: &[Json]| -> String { rows.iter().map(|row| row.shown(form, true) + "\n").collect() };
    let (w, s) = (pretty(wanted), pretty(seen));
    let diff = TextDiff::from_lines(&w, &s).unified_diff().context_radius(4).header("wanted", "seen").to_string();
    let lines: Vec<&str> = diff.lines().collect();
    let shown = lines.len().min(80);
    let more = if lines.len() > shown { format!("\n(and {} lines more)", lines.len() - shown) } else { String::new() };
    let head = format!("{form:?}: {same}/{} records as wanted, {} seen", wanted.len() - 1, seen.len() - 1);
    Some(format!("{head}\n{}{more}", lines[..shown].join("\n")))
}

#[test]
fn topics_are_as_debezium_leaves_them() {
    let only = std::env::var("AFTERIMAGE_GOLDEN").unwrap_or_default();
    // A name, or the beginning of names before a star.
    let is_meant = |stem: &str, o: &str| o.strip_suffix('*').map_or(o == stem, |begin| stem.starts_with(begin));
    let chosen = |stem: &str| only.is_empty() || only.split([',', ' ']).any(|o| is_meant(stem, o));
    let mut stems: Vec<String> = stems().into_iter().filter(|stem| chosen(stem)).collect();
    assert!(!stems.is_empty(), "no such scenario: {only}");
    stems.sort();
    stems.reverse();
    // The tests can run against another worker, such as a real one. That checks the comparison itself.
    let elsewhere = std::env::var("AFTERIMAGE_TEST_REST").ok();
    let daemon = elsewhere.is_none().then(|| Daemon::start(Options::new("golden")));
    let url = elsewhere.unwrap_or_else(|| daemon.as_ref().unwrap().url());
    let count = stems.len();
    let (queue, bad) = (Mutex::new(stems), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(count) {
            scope.spawn(|| {
                let worker = Worker { url: &url, kafka: Kafka::shared() };
                loop {
                    let Some(stem) = queue.lock().unwrap().pop() else { break };
                    let complaint = compared(&stem, &worker, false);
                    println!("{} {stem}", if complaint.is_none() { "ok  " } else { "DIFF" });
                    if let Some(complaint) = complaint {
                        bad.lock().unwrap().push((stem, complaint));
                    }
                }
            });
        }
    });
    let bad: Vec<(String, String)> = bad.into_inner().unwrap();
    let log = daemon.map(|daemon| daemon.log()).unwrap_or_default();
    let told = bad.iter().map(|(stem, complaint)| {
        let name = named(stem);
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(&name)).collect();
        format!("{stem}: {complaint}\nThe daemon's log of it:\n{}", lines.join("\n"))
    });
    let told: Vec<String> = told.collect();
    assert!(bad.is_empty(), "{} of {count} scenarios differ\n{}", bad.len(), told.join("\n\n"));
}

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

/// The names of all scenarios.
fn stems() -> Vec<String> {
    let files = std::fs::read_dir(data()).unwrap().map(|entry| entry.unwrap().path());
    let scenarios = files.filter(|path| path.extension().is_some_and(|e| e == "toml"));
    scenarios.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

/// The name of a scenario's connector, database and topic prefix.
fn named(stem: &str) -> String {
    format!("c_{}", stem.replace(|c: char| !c.is_alphanumeric(), "_"))
}

/// The file with the records as the worker wrote them, which only some scenarios have.
fn written(stem: &str) -> PathBuf {
    data().join(format!("written/{stem}.jsonl"))
}

/// Runs a scenario and returns what differs, if anything. With the minimal role the run has a name of its own.
fn compared(stem: &str, worker: &Worker<'_>, is_minimal: bool) -> Option<String> {
    let read = |ending: &str| std::fs::read_to_string(data().join(format!("{stem}.{ending}"))).unwrap();
    let (text, golden) = (read("toml"), read("jsonl"));
    let label = if is_minimal { format!("{stem}-minimal") } else { stem.to_owned() };
    // Servers of other versions print their tables and default character sets otherwise.
    let without_ddl = std::env::var_os("AFTERIMAGE_GOLDEN_WITHOUT_DDL").is_some();
    let name = named(&label);
    let counts = |record: &Json| !without_ddl || record.get("topic").and_then(Json::as_text) != Some(&*name);
    let rows = |golden: &str| -> Vec<Json> {
        let golden = golden.replace(&named(stem), &name);
        golden.lines().map(|line| sorted_collections(&Json::parse(line).unwrap())).filter(&counts).collect()
    };
    // Debezium's snapshot reads every database of a MySQL server, and breaks when one is dropped meanwhile.
    let is_java = std::env::var_os("AFTERIMAGE_TEST_REST").is_some() && !stem.starts_with("pg-");
    let is_alone = is_java || text.lines().any(|line| line.starts_with("alone = true"));
    let alone = is_alone.then(|| TURN.write().unwrap_or_else(PoisonError::into_inner));
    let together = (!is_alone).then(|| TURN.read().unwrap_or_else(PoisonError::into_inner));
    let wanted = golden.lines().count() - 1;
    let run = || scenario::run(&label, &text, worker, is_minimal, wanted);
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    drop((alone, together));
    match ran {
        Ok(seen) => {
            let seen: Vec<Json> = seen.into_iter().filter(&counts).collect();
            differences(&rows(&golden), &seen, Form::Values).or_else(|| {
                let golden = std::fs::read_to_string(written(stem)).ok()?;
                differences(&rows(&golden), &seen, Form::Written)
            })
        }
        Err(cause) => {
            let status = rig::ask("GET", &format!("{}/connectors/{name}/status", worker.url), None, &[]);
            let status = status.map_or_else(|error| error, |answer| answer.text);
            Some(format!("the run broke: {}\nstatus: {status}", said(cause.as_ref())))
        }
    }
}

/// Records what a real worker writes to the topics; this makes the files under `written`. Runs only on request, with
/// the worker's address: see `tests/data/golden/README.md`.
#[test]
fn record_what_a_real_worker_writes() {
    let Ok(stems) = std::env::var("AFTERIMAGE_GOLDEN_RECORD") else { return };
    let url = std::env::var("AFTERIMAGE_TEST_REST").expect("AFTERIMAGE_TEST_REST: the worker to record");
    std::fs::create_dir_all(data().join("written")).unwrap();
    for stem in stems.split([',', ' ']).filter(|stem| !stem.is_empty()) {
        let text = std::fs::read_to_string(data().join(format!("{stem}.toml"))).unwrap();
        let label = format!("{stem}-recorded");
        let seen = scenario::run(&label, &text, &Worker { url: &url, kafka: Kafka::shared() }, false, 0);
        let lines: Vec<String> = seen.iter().map(|row| row.shown(Form::Written, false) + "\n").collect();
        std::fs::write(written(stem), lines.concat().replace(&named(&label), &named(stem))).unwrap();
        println!("recorded {stem}: {} records", seen.len() - 1);
    }
}

#[test]
fn the_minimal_role_is_enough() {
    let daemon = Daemon::start(Options::new("minimal"));
    let worker = Worker { url: &daemon.url(), kafka: Kafka::shared() };
    let complaint = compared("pg-crud", &worker, true);
    assert_eq!(complaint, None, "{}", complaint.as_deref().unwrap_or_default());
}

fn said(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().cloned();
    text.or_else(|| cause.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_else(|| "a panic".to_owned())
}

/// Sorts the lists of a transaction's tables in the golden file like this program does.
fn sorted_collections(value: &Json) -> Json {
    match value {
        Json::Map(entries) => Json::Map(
            entries
                .iter()
                .map(|(k, v)| {
                    let mut v = sorted_collections(v);
                    if let (true, Json::List(items)) = (k == "data_collections", &mut v) {
                        items.sort_by_key(Json::line);
                    }
                    (k.clone(), v)
                })
                .collect(),
        ),
        Json::List(items) => Json::List(items.iter().map(sorted_collections).collect()),
        _ => value.clone(),
    }
}

#[test]
fn a_difference_is_seen() {
    let rows = |text: &str| text.lines().map(|line| Json::parse(line).unwrap()).collect::<Vec<_>>();
    let wanted = rows("{\"log\":[]}\n{\"key\":1}\n{\"key\":2}");
    assert_eq!(differences(&wanted, &wanted, Form::Values), None);
    for seen in [
        "{\"log\":[\"x\"]}\n{\"key\":1}\n{\"key\":2}",
        "{\"log\":[]}\n{\"key\":1}",
        "{\"log\":[]}\n{\"key\":2}\n{\"key\":1}",
    ] {
        assert!(differences(&wanted, &rows(seen), Form::Values).is_some(), "{seen}");
    }
    let wanted = rows("{\"log\":[]}\n{\"key\":1,\"value\":1.0}");
    for (seen, is_seen_in_values) in [
        ("{\"log\":[]}\n{\"value\":1.0,\"key\":1}", false),
        ("{\"log\":[]}\n{\"key\":1,\"value\":1.0E0}", false),
        ("{\"log\":[]}\n{\"key\":1,\"value\":1}", true),
    ] {
        assert!(differences(&wanted, &rows(seen), Form::Written).is_some(), "{seen}");
        assert_eq!(differences(&wanted, &rows(seen), Form::Values).is_some(), is_seen_in_values, "{seen}");
    }
}
