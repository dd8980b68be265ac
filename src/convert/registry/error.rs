//! Why a schema has no id yet.
//!
//! The message names the registry's address (never its credentials), the subject, and what the registry said. Kafka
//! Connect's words are kept where people search for them: `Error registering Avro schema`, `error code: 409`.
//!
//! Must not know: HTTP, which registry it is.

use retry::Outlook;

/// Why a registry gave no id for a schema. It can be shown anywhere: no text holds a credential or a value of a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The registry did not answer, or answered that it cannot work now. Asking again may help.
    #[error("schema registry {at} cannot be asked: {reason}")]
    Unavailable {
        /// The registry's address.
        at: String,
        /// What happened.
        reason: String,
    },
    /// The schema breaks the subject's compatibility rule.
    #[error("{doing} for subject \"{subject}\": incompatible with {}{}: {reason}; error code: {code}", version_text(*.version), rule_text(.rule.as_deref()))]
    Incompatible {
        /// What was asked for, such as `Error registering Avro schema`.
        doing: String,
        /// The subject (in Apicurio: group and artifact).
        subject: String,
        /// The version that the schema is incompatible with, when the registry tells.
        version: Option<i64>,
        /// The rule that the schema breaks, such as `BACKWARD`, when the registry tells.
        rule: Option<String>,
        /// The registry's message, which names the difference.
        reason: String,
        /// The registry's error code.
        code: i64,
    },
    /// The registry does not take such a schema: it is invalid, or the subject may not be written.
    #[error("{doing} for subject \"{subject}\": {reason}; error code: {code}")]
    Invalid {
        /// What was asked for.
        doing: String,
        /// The subject.
        subject: String,
        /// The registry's message.
        reason: String,
        /// The registry's error code.
        code: i64,
    },
    /// The registry wants other credentials, or these may not do this.
    #[error("{doing} for subject \"{subject}\": schema registry {at} answers {status}{}", reason_text(.reason))]
    Forbidden {
        /// The registry's address.
        at: String,
        /// What was asked for.
        doing: String,
        /// The subject.
        subject: String,
        /// The HTTP status, 401 or 403.
        status: u16,
        /// The registry's message; empty without one.
        reason: String,
    },
    /// The registry does not have the schema, and the configuration says not to register it.
    #[error("{doing} for subject \"{subject}\": {reason}; error code: {code}")]
    NotFound {
        /// What was asked for.
        doing: String,
        /// The subject.
        subject: String,
        /// The registry's message.
        reason: String,
        /// The registry's error code.
        code: i64,
        /// What to do: depends on the settings.
        remedy: &'static str,
    },
    /// A setting of the client is wrong.
    #[error("Invalid value for configuration {key}: {reason}")]
    Setting {
        /// The key, without the converter's prefix.
        key: String,
        /// What is wrong with it; never its value where that may be secret.
        reason: String,
        /// What to do.
        remedy: String,
        /// Whether it names a file, and that is the reason. The file may be in the middle of its renewal.
        of_file: bool,
    },
    /// Anything else.
    #[error("schema registry {at}: {reason}")]
    Other {
        /// The registry's address.
        at: String,
        /// What happened.
        reason: String,
        /// What to do.
        remedy: String,
    },
}

fn version_text(version: Option<i64>) -> String {
    version.map_or_else(|| "an earlier version".to_owned(), |version| format!("version {version}"))
}

fn rule_text(rule: Option<&str>) -> String {
    rule.map_or_else(String::new, |rule| format!(" by the rule {rule}"))
}

fn reason_text(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

impl RegistryError {
    pub(super) fn setting(key: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Setting { key: key.to_owned(), reason: reason.into(), remedy: remedy.into(), of_file: false }
    }

    /// The file that the key names cannot be used.
    pub(super) fn file(key: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Setting { key: key.to_owned(), reason: reason.into(), remedy: remedy.into(), of_file: true }
    }

    /// Whether asking again, with pauses, may help although nobody changes anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether a task that fails because of this may succeed when it is started again later: a registry that was away comes
    /// back, and credentials and rights are changed there by others. A schema that it does not take stays one.
    pub fn outlook(&self) -> Outlook {
        match self {
            Self::Unavailable { .. } | Self::Forbidden { .. } => Outlook::MayPass,
            Self::Setting { of_file: true, .. } | Self::Other { .. } => Outlook::Unknown,
            Self::Incompatible { .. } | Self::Invalid { .. } | Self::NotFound { .. } | Self::Setting { .. } => {
                Outlook::CannotPass
            }
        }
    }

    /// What a user can do, as whole sentences.
    pub fn remedy(&self) -> &str {
        match self {
            Self::Unavailable { .. } => "Check that the schema registry runs and that its address is right.",
            Self::Incompatible { .. } => {
                "Change the table back, or relax the subject's compatibility (for a time) to NONE, then restart the task; \
                 nothing is lost."
            }
            Self::Invalid { .. } => {
                "Do what the registry's message says; names that the format cannot hold are adjusted with \
                 schema.name.adjustment.mode and field.name.adjustment.mode. Then restart the task."
            }
            Self::Forbidden { status: 401, .. } => {
                "Check the credentials: basic.auth.credentials.source with basic.auth.user.info, bearer.auth.token, or \
                 apicurio.registry.auth.*. Then restart the task."
            }
            Self::Forbidden { .. } => {
                "Allow these credentials to read and write the subject in the registry, then restart the task."
            }
            Self::NotFound { remedy, .. } => remedy,
            Self::Setting { remedy, .. } | Self::Other { remedy, .. } => remedy,
        }
    }

    /// The Java exception class that a status trace shows for this error.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "org.apache.kafka.connect.errors.RetriableException",
            Self::Setting { .. } => "org.apache.kafka.common.config.ConfigException",
            _ => "org.apache.kafka.connect.errors.DataException",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_answers_may_pass() {
        let (at, doing, subject) = (|| "http://r".to_owned(), || "Registering".to_owned(), || "s".to_owned());
        let reason = || "no".to_owned();
        let forbidden = |status| RegistryError::Forbidden {
            at: at(),
            doing: doing(),
            subject: subject(),
            status,
            reason: reason(),
        };
        let invalid = RegistryError::Invalid { doing: doing(), subject: subject(), reason: reason(), code: 42201 };
        for (error, expect) in [
            (RegistryError::Unavailable { at: at(), reason: reason() }, Outlook::MayPass),
            (forbidden(401), Outlook::MayPass),
            (forbidden(403), Outlook::MayPass),
            (invalid, Outlook::CannotPass),
            (RegistryError::setting("k", "r", "m"), Outlook::CannotPass),
            (RegistryError::file("k", "r", "m"), Outlook::Unknown),
            (RegistryError::Other { at: at(), reason: reason(), remedy: String::new() }, Outlook::Unknown),
        ] {
            assert_eq!(error.outlook(), expect, "{error}");
        }
    }
}
