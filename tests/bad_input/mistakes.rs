//! A table of mistakes in a configuration, each with its expected answer. All run on one daemon, beside a connector
//! that works.

use serde_json::json;

use super::PATIENCE;
use super::rig::{Daemon, Database, Kafka, Options, within};

/// What happens to the bad connector.
enum Outcome {
    /// The POST is answered with 400, and the message has these texts.
    Refused(&'static [&'static str]),
    /// The task is FAILED. Its trace begins with the first text and has the other texts after it.
    Failed(&'static str, &'static [&'static str]),
}

use Outcome::{Failed, Refused};

/// A mistake: what is in the database, what the configuration has besides the usual keys, and the answer. `{name}` is
/// the name of the database, the slot, the publication and the connector.
struct Case {
    label: &'static str,
    prepare: &'static str,
    more: &'static [(&'static str, &'static str)],
    outcome: Outcome,
}

const CASES: &[Case] = &[
    Case {
        label: "user",
        prepare: "",
        more: &[("database.user", "nobody"), ("database.password", "s3cret-word")],
        outcome: Refused(&[
            "Error while validating connector config: FATAL: password authentication failed for user \"nobody\"",
            "refuses user \"nobody\" on database \"{name}\"",
            "Check database.user and database.password",
        ]),
    },
    Case {
        label: "nowhere",
        prepare: "",
        more: &[("database.dbname", "no_such_database")],
        outcome: Refused(&["FATAL: database \"no_such_database\" does not exist", "Check database.dbname"]),
    },
    Case {
        label: "nohost",
        prepare: "",
        more: &[("database.port", "1")],
        outcome: Refused(&["Connection to 127.0.0.1:1 refused. Check that the hostname and port are correct"]),
    },
    Case {
        label: "no_table",
        prepare: "",
        more: &[("table.include.list", "public.not_there")],
        outcome: Failed(
            "org.apache.kafka.connect.errors.ConnectException: Unable to create filtered publication {name} for ",
            &[
                "No table filters found for filtered publication {name}",
                "check table.include.list and schema.include.list",
            ],
        ),
    },
    Case {
        label: "publication",
        prepare: "",
        more: &[("publication.autocreate.mode", "disabled"), ("publication.name", "not_made")],
        outcome: Failed(
            "org.apache.kafka.connect.errors.ConnectException: Publication autocreation is disabled, please create one and \
             restart the connector.",
            &["publication \"not_made\" does not exist", "CREATE PUBLICATION \"not_made\" FOR TABLE"],
        ),
    },
    Case {
        label: "publication_all",
        prepare: "create publication {name} for all tables",
        more: &[],
        outcome: Failed(
            "io.debezium.DebeziumException: A logical publication for all tables named '{name}' for plugin 'PGOUTPUT'",
            &["DROP PUBLICATION \"{name}\", or set publication.autocreate.mode=all_tables"],
        ),
    },
    Case {
        label: "slot_plugin",
        prepare: "select pg_create_logical_replication_slot('{name}', 'test_decoding')",
        more: &[],
        outcome: Failed(
            "io.debezium.DebeziumException: replication slot \"{name}\" belongs to output plugin test_decoding",
            &["choose another slot.name", "SELECT pg_drop_replication_slot('{name}')"],
        ),
    },
    Case {
        label: "slot_two_phase",
        prepare: "select pg_create_logical_replication_slot('{name}', 'pgoutput', false, true)",
        more: &[],
        outcome: Failed(
            "io.debezium.DebeziumException: replication slot \"{name}\" was made with two_phase",
            &["let the connector make it anew without two_phase"],
        ),
    },
    Case {
        label: "custom",
        prepare: "",
        more: &[("snapshot.mode", "custom"), ("snapshot.mode.custom.name", "com.example.Mine")],
        outcome: Refused(&[
            "The 'snapshot.mode' value is invalid: 'custom' names a Java plug-in, and these do not run here",
            "snapshot.mode.configuration.based.*",
        ]),
    },
    Case {
        label: "custom_others",
        prepare: "",
        more: &[
            ("snapshot.locking.mode", "custom"),
            ("snapshot.locking.mode.custom.name", "x"),
            ("snapshot.query.mode", "custom"),
            ("snapshot.query.mode.custom.name", "x"),
        ],
        outcome: Refused(&[
            "The 'snapshot.locking.mode' value is invalid: it names a Java plug-in, and these do not run here. Use none or shared.",
            "The 'snapshot.query.mode' value is invalid: it names a Java plug-in, and these do not run here. Use select_all, with snapshot.select.statement.overrides for tables that need a SELECT of their own.",
        ]),
    },
    Case {
        label: "over_extra",
        prepare: "",
        more: &[OVERRIDE, (STATEMENT, "select id, 5 as no_column from t")],
        outcome: Failed(
            PRODUCER,
            &[
                "table public.t",
                "the statement gives column \"no_column\", which the table does not have: leave it out",
            ],
        ),
    },
    Case {
        label: "over_key",
        prepare: "",
        more: &[OVERRIDE, (STATEMENT, "select v from t")],
        outcome: Failed(
            PRODUCER,
            &["table public.t", "the statement does not give column \"id\", which is in the key", "select it too"],
        ),
    },
    Case {
        label: "over_type",
        prepare: "",
        more: &[OVERRIDE, (STATEMENT, "select id, point(1, 2) as v from t")],
        outcome: Failed(
            PRODUCER,
            &[
                "table public.t",
                "the statement gives column \"v\" as point, which cannot be converted to int4, its type in the table",
                "cast it in the statement (… AS v)",
            ],
        ),
    },
    Case {
        label: "over_value",
        prepare: "",
        more: &[OVERRIDE, (STATEMENT, "select id, 's3cret-word'::text as v from t")],
        outcome: Failed(
            PRODUCER,
            &["table public.t: column v: not an integer", "gives it as text", "cast it in the statement"],
        ),
    },
    Case {
        label: "over_range",
        prepare: "",
        more: &[OVERRIDE, (STATEMENT, "select id, 99999999999::bigint as v from t")],
        outcome: Failed(
            PRODUCER,
            &["table public.t: column v: out of the range of the column's type", "gives it as int8"],
        ),
    },
    Case {
        label: "over_syntax",
        prepare: "",
        more: &[OVERRIDE, (STATEMENT, "selec id from t")],
        outcome: Failed(
            "org.postgresql.util.PSQLException: ERROR: syntax error at or near \"selec\"",
            &["snapshot.select.statement.overrides.public.t"],
        ),
    },
    Case {
        label: "over_two",
        prepare: "",
        more: &[OVERRIDE, (STATEMENT, "select id from t; select id from t")],
        outcome: Failed(
            "org.postgresql.util.PSQLException: ERROR: cannot insert multiple commands into a prepared statement",
            &["snapshot.select.statement.overrides.public.t"],
        ),
    },
];

const OVERRIDE: (&str, &str) = ("snapshot.select.statement.overrides", "public.t");
const STATEMENT: &str = "snapshot.select.statement.overrides.public.t";
/// The first line of the trace of a task that failed in the connector.
const PRODUCER: &str = "org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer. \
                        This connector will be stopped.";

/// Each bad connector is answered as its case says, and a good connector beside them goes on all the time.
#[test]
fn each_mistake_has_its_answer() {
    let daemon = Daemon::start(Options::new("mistakes"));
    let good = Database::create("good");
    good.run("create table t(id int primary key); insert into t values (1)");
    daemon.create(&good.name, &good.connector(&[]));
    daemon.wait_task(&good.name, "RUNNING", PATIENCE);
    let wrong: Vec<String> = CASES.iter().filter_map(|case| answered(&daemon, case)).collect();
    assert!(wrong.is_empty(), "{} of {} are answered otherwise\n{}", wrong.len(), CASES.len(), wrong.join("\n\n"));
    assert!(!daemon.log().contains("s3cret-word"), "a secret in the log");

    let kafka = Kafka::shared();
    let topic = format!("{}.public.t", good.name);
    let before = kafka.length(&topic);
    good.run("insert into t values (2)");
    assert!(within(PATIENCE, || kafka.length(&topic) > before), "the good connector does not go on");
    assert_eq!(daemon.task(&good.name), ("RUNNING".to_owned(), String::new()));
}

/// Creates the connector of a case. Returns what differs from the expected answer, if anything.
fn answered(daemon: &Daemon, case: &Case) -> Option<String> {
    let bad = Database::create(case.label);
    let put = |text: &str| text.replace("{name}", &bad.name);
    bad.run("create table t(id int primary key, v int); insert into t values (1, 1)");
    bad.run(&put(case.prepare));
    let body = json!({"name": bad.name, "config": bad.connector(case.more)});
    let answer = daemon.rest("POST", "/connectors", Some(&body));
    let (text, begin, says) = match case.outcome {
        Refused(says) => {
            if answer.status != 400 {
                return Some(format!("{}: {} instead of a refusal", case.label, answer.status));
            }
            (
                answer.json()["message"].as_str().unwrap_or_default().to_owned(),
                "Connector configuration is invalid",
                says,
            )
        }
        Failed(begin, says) => {
            if answer.status != 201 {
                return Some(format!("{}: refused with {}: {}", case.label, answer.status, answer.text));
            }
            if !within(PATIENCE, || daemon.task(&bad.name).0 == "FAILED") {
                return Some(format!("{}: not FAILED but {:?}", case.label, daemon.task(&bad.name)));
            }
            (daemon.task(&bad.name).1, begin, says)
        }
    };
    daemon.rest("DELETE", &format!("/connectors/{}", bad.name), None);
    if text.contains("s3cret-word") {
        return Some(format!("{}: a secret is shown", case.label));
    }
    if !text.starts_with(&put(begin)) {
        return Some(format!("{}: does not begin with {:?}\n{text}", case.label, put(begin)));
    }
    let missing: Vec<String> = says.iter().map(|part| put(part)).filter(|part| !text.contains(part)).collect();
    (!missing.is_empty()).then(|| format!("{}: {missing:?} is not in\n{text}", case.label))
}
