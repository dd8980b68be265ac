//! All paths and their methods, as data. The gate answers by this table, and the OpenAPI document is made from it.
//!
//! Must not know: handlers.

/// One path.
pub(super) struct Row {
    /// The path, in which `{…}` stands for any one segment.
    pub(super) path: &'static str,
    /// For each method: its name, whether it reads a body, and its description.
    pub(super) methods: &'static [(&'static str, bool, &'static str)],
    /// Whether the path consumes `application/json` and answers 415 to another `Content-Type`. `/health` and the other
    /// pages about the process accept any.
    pub(super) consumes: bool,
}

impl Row {
    /// Whether only Kafka Connect's workers call it. They sign such calls with a shared key instead of sending a
    /// password.
    pub(super) fn is_internal(&self, method: &str) -> bool {
        matches!(
            (self.path, method),
            ("/connectors/{connector}/tasks", "POST") | ("/connectors/{connector}/fence", "PUT")
        )
    }
}

const fn row(path: &'static str, methods: &'static [(&'static str, bool, &'static str)]) -> Row {
    Row { path, methods, consumes: true }
}

const fn page(path: &'static str, methods: &'static [(&'static str, bool, &'static str)]) -> Row {
    Row { path, methods, consumes: false }
}

/// The path of the metrics, the only answer that is not JSON.
pub(super) const METRICS: &str = "/metrics";

pub(super) static ROWS: &[Row] = &[
    page("/", &[("GET", false, "Version, commit and Kafka cluster")]),
    page("/health", &[("GET", false, "Whether the worker is healthy, starting or unhealthy")]),
    page(METRICS, &[("GET", false, "What the worker, its connectors and tasks count, for Prometheus")]),
    page("/openapi.json", &[("GET", false, "This document")]),
    row(
        "/connectors",
        &[
            ("GET", false, "Names of all connectors; expand=info and expand=status say more"),
            ("POST", true, "Create a connector"),
        ],
    ),
    row(
        "/connectors/{connector}",
        &[
            ("GET", false, "A connector's configuration and tasks"),
            ("DELETE", false, "Delete a connector; its offsets stay"),
        ],
    ),
    row(
        "/connectors/{connector}/config",
        &[
            ("GET", false, "A connector's configuration"),
            ("PUT", true, "Create or replace a connector's configuration"),
            ("PATCH", true, "Change single keys; null removes a key"),
        ],
    ),
    row("/connectors/{connector}/status", &[("GET", false, "States of a connector and its tasks")]),
    row(
        "/connectors/{connector}/restart",
        &[("POST", false, "Restart a connector; includeTasks and onlyFailed choose what")],
    ),
    row("/connectors/{connector}/pause", &[("PUT", false, "Pause a connector and its tasks")]),
    row("/connectors/{connector}/resume", &[("PUT", false, "Resume a paused or stopped connector")]),
    row("/connectors/{connector}/stop", &[("PUT", false, "Stop a connector; its tasks are given up")]),
    row(
        "/connectors/{connector}/tasks",
        &[
            ("GET", false, "A connector's tasks and their configurations"),
            ("POST", true, "Internal to Kafka Connect workers"),
        ],
    ),
    row("/connectors/{connector}/fence", &[("PUT", false, "Internal to Kafka Connect workers")]),
    row("/connectors/{connector}/tasks/{task}/status", &[("GET", false, "A task's state")]),
    row("/connectors/{connector}/tasks/{task}/restart", &[("POST", false, "Restart a task")]),
    row("/connectors/{connector}/topics", &[("GET", false, "Topics that a connector wrote to")]),
    row("/connectors/{connector}/topics/reset", &[("PUT", false, "Forget the topics that a connector wrote to")]),
    row(
        "/connectors/{connector}/offsets",
        &[
            ("GET", false, "Stored offsets of a connector"),
            ("PATCH", true, "Set or forget offsets of a stopped connector"),
            ("DELETE", false, "Forget all offsets of a stopped connector"),
        ],
    ),
    row(
        "/connectors/{connector}/dead-letters",
        &[("GET", false, "How many dead letters a connector has, and the newest of them")],
    ),
    row(
        "/connectors/{connector}/dead-letters/replay",
        &[(
            "POST",
            false,
            "Send the records of a connector's dead letters through its transforms and converters of today",
        )],
    ),
    row("/connector-plugins", &[("GET", false, "What can be used; connectorsOnly=false says all")]),
    row("/connector-plugins/{plugin}/config", &[("GET", false, "Definitions of a plug-in's keys")]),
    row("/connector-plugins/{plugin}/config/validate", &[("PUT", true, "Validate a connector's configuration")]),
    row("/admin/loggers", &[("GET", false, "Loggers and their levels")]),
    row(
        "/admin/loggers/{logger}",
        &[("GET", false, "A logger's level"), ("PUT", true, "Set the level of a logger and those below it")],
    ),
];

/// Finds the row of a path by its raw segments.
pub(super) fn find(segments: &[&str]) -> Option<&'static Row> {
    ROWS.iter().find(|row| {
        let pattern: Vec<&str> = row.path.split('/').filter(|part| !part.is_empty()).collect();
        pattern.len() == segments.len() && pattern.iter().zip(segments).all(|(p, s)| p.starts_with('{') || p == s)
    })
}
