#![allow(clippy::expect_used)] // tests

use super::*;

/// Lines `key value`, `null` for a tombstone.
fn fold(records: &str) -> ConfigView {
    let mut view = ConfigView::default();
    for line in records.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
        let (key, value) = line.split_once(' ').expect("key value");
        view.apply(key.as_bytes(), (value != "null").then_some(value.as_bytes()));
    }
    view
}

/// One line a connector: `name TARGET tasks/count gCOMMIT [inconsistent]`.
fn show(view: &ConfigView) -> String {
    let line = |name: &String| {
        let tasks = view.tasks(name).map_or(String::new(), |t| {
            let mark = if t.is_inconsistent { " inconsistent" } else { "" };
            format!(" {}/{} g{}{mark}", t.configs.len(), t.count, t.commit_number)
        });
        format!("{name} {}{tasks}", view.target(name).name())
    };
    view.connectors.keys().map(line).collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn check(records: &str, expect: &str) {
    assert_eq!(show(&fold(records)), expect, "{records}");
}

#[test]
fn folds() {
    const C: &str = r#"connector-a-b {"properties":{"z":"1","a":"2"}}"#;
    const T0: &str = r#"task-a-b-0 {"properties":{"t":"0"}}"#;
    const T1: &str = r#"task-a-b-1 {"properties":{"t":"1"}}"#;
    for (records, expect) in [
        (String::new(), ""),
        (C.to_owned(), "a-b STARTED"),
        (format!("{C}\n{T0}"), "a-b STARTED"),
        (format!("{C}\n{T0}\ncommit-a-b {{\"tasks\":1}}"), "a-b STARTED 1/1 g0"),
        (format!("{C}\n{T0}\n{T1}\ncommit-a-b {{\"tasks\":1}}"), "a-b STARTED 1/1 g0"),
        (
            format!("{C}\n{T0}\ncommit-a-b {{\"tasks\":1}}\n{T0}\n{T1}\ncommit-a-b {{\"tasks\":2}}"),
            "a-b STARTED 2/2 g1",
        ),
        (format!("{C}\n{T1}\ncommit-a-b {{\"tasks\":2}}"), "a-b STARTED 0/2 g-1 inconsistent"),
        (format!("{C}\n{T0}\ncommit-a-b {{\"tasks\":1}}\ncommit-a-b {{\"tasks\":0}}"), "a-b STARTED 0/0 g1"),
        (format!("{T0}\ncommit-a-b {{\"tasks\":1}}\n{C}"), "a-b STARTED"),
        (format!("{C}\n{T0}\ncommit-a-b {{\"tasks\":1}}\nconnector-a-b null\n{C}"), "a-b STARTED"),
        (format!("target-state-a-b {{\"state\":\"PAUSED\"}}\n{C}"), "a-b PAUSED"),
        (format!("{C}\ntarget-state-a-b {{\"state\":\"PAUSED\",\"state.v2\":\"STOPPED\"}}"), "a-b STOPPED"),
        (format!("{C}\ntarget-state-a-b {{\"state\":\"PAUSED\"}}\ntarget-state-a-b null"), "a-b STARTED"),
        (
            format!("{C}\ntarget-state-a-b {{\"state\":\"PAUSED\"}}\ntarget-state-a-b {{\"state\":\"ODD\"}}"),
            "a-b PAUSED",
        ),
        (format!("{C}\ntask-a-b-0 null\nother 1\nconnector-x 1"), "a-b STARTED"),
    ] {
        check(&records, expect);
    }
}

#[test]
fn reactions() {
    let mut view = ConfigView::default();
    let restart = br#"{"include-tasks":true,"only-failed":"yes"}"#;
    assert_eq!(
        view.apply(b"restart-connector-c", Some(restart)),
        ConfigChange::Restart { connector: "c".to_owned(), include_tasks: true, only_failed: false }
    );
    assert_eq!(view.apply(b"connector-c", None), ConfigChange::Nothing);
    assert_eq!(view.apply(b"connector-c", Some(br#"{"properties":{}}"#)), ConfigChange::Connector("c".to_owned()));
    assert_eq!(view.apply(b"connector-c", None), ConfigChange::Removed("c".to_owned()));
    view.apply(b"connector-c", Some(br#"{"properties":{}}"#));
    view.apply(b"commit-c", Some(br#"{"tasks":0}"#));
    assert!(view.tasks("c").expect("committed").is_fencing_pending);
    view.apply(b"tasks-fencing-c", Some(br#"{"task-count":3}"#));
    assert_eq!((view.fencing("c"), view.tasks("c").expect("committed").is_fencing_pending), (Some(3), false));
}

#[test]
fn a_java_workers_records() {
    let text = include_str!("../../../tests/data/state/connect-configs.jsonl");
    let mut view = ConfigView::default();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).expect("a line of the recording");
        let (key, value) = (record["key"].as_str().expect("key"), record["value"].as_str());
        view.apply(key.as_bytes(), value.map(str::as_bytes));
        // What we would write ourselves is the same, byte for byte.
        let again = if let Some(name) = key.strip_prefix("connector-") {
            json!({"properties": view.connectors[name]})
        } else {
            continue;
        };
        assert_eq!(Some(String::from_utf8(bytes(&again)).expect("UTF-8").as_str()), value, "{key}");
    }
    assert_eq!(show(&view), "keep-my STARTED 1/1 g0; keep-pg PAUSED 1/1 g0");
    assert!(view.session_key.is_some());
    assert_eq!(view.connectors["keep-pg"].keys().next().map(String::as_str), Some("connector.class"));
}

#[test]
fn target_states_are_javas_bytes() {
    for (state, value) in [
        (TargetState::Started, r#"{"state":"STARTED","state.v2":"STARTED"}"#),
        (TargetState::Paused, r#"{"state":"PAUSED","state.v2":"PAUSED"}"#),
        (TargetState::Stopped, r#"{"state":"PAUSED","state.v2":"STOPPED"}"#),
    ] {
        assert_eq!(String::from_utf8(state.value()).expect("UTF-8"), value);
    }
}
