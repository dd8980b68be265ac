//! Who holds a slot that another connector wants.

use std::fmt;
use std::sync::Arc;

/// What is known of the session that holds a slot. Fields that the role may not see are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotOwner {
    /// The pid of its server process.
    pub pid: Option<i32>,
    /// Its `application_name`.
    pub application: Option<String>,
    /// Its role.
    pub user: Option<String>,
    /// Where it connects from; `None` for a local socket too.
    pub client: Option<String>,
    /// The name of its connector, if that is one of this worker.
    pub connector: Option<Arc<str>>,
}

impl SlotOwner {
    /// What a person can do about a slot in use.
    pub(crate) fn remedy(&self) -> String {
        if let Some(connector) = &self.connector {
            return format!(
                "Set another slot.name here, or delete or stop connector \"{connector}\"; the slot is taken as soon as it \
                 is free"
            );
        }
        let pid = self.pid.map_or("pid".to_owned(), |pid| pid.to_string());
        format!(
            "Set another slot.name here, or end the other reader; after a crash the server lets go by itself within \
             wal_sender_timeout, at once with SELECT pg_terminate_backend({pid})"
        )
    }
}

/// The text that follows "in use" in an error message.
impl fmt::Display for SlotOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(pid) = self.pid {
            write!(f, " by process {pid}")?;
        }
        let quoted = |label, text: &Option<String>| text.as_ref().map(|text| format!("{label} \"{text}\""));
        let client = self.client.as_ref().map(|client| format!("from {client}"));
        let known: Vec<_> = [quoted("application", &self.application), quoted("user", &self.user), client]
            .into_iter()
            .flatten()
            .collect();
        if !known.is_empty() {
            write!(f, " ({})", known.join(", "))?;
        }
        match &self.connector {
            Some(connector) => write!(f, ", which is connector \"{connector}\" of this worker"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(owner: &SlotOwner, text: &str, remedy: &str) {
        assert_eq!(owner.to_string(), text);
        assert!(owner.remedy().contains(remedy), "{}", owner.remedy());
    }

    #[test]
    fn owners() {
        let mut owner = SlotOwner::default();
        check(&owner, "", "pg_terminate_backend(pid)");
        owner.pid = Some(7);
        check(&owner, " by process 7", "pg_terminate_backend(7)");
        owner.application = Some("Debezium Streaming".into());
        owner.client = Some("10.0.0.1".into());
        check(&owner, " by process 7 (application \"Debezium Streaming\", from 10.0.0.1)", "slot.name");
        owner.connector = Some("orders".into());
        check(
            &owner,
            " by process 7 (application \"Debezium Streaming\", from 10.0.0.1), which is connector \"orders\" of this worker",
            "delete or stop connector \"orders\"",
        );
    }
}
