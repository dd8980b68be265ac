//! `connector.client.config.override.policy` (KIP-458): which properties of its Kafka clients a connector may set.
//!
//! Must not know: what the properties do.

use settings::{Choice, Properties};

use super::keys::list;

/// The worker's key that names the policy.
pub const POLICY: &str = "connector.client.config.override.policy";

settings::choices! {
    enum Named {
        All = "All",
        None = "None",
        Principal = "Principal",
        Allowlist = "Allowlist",
    }
}

/// The worker's policy.
#[derive(Clone, Debug)]
pub struct OverridePolicy {
    named: Named,
    /// The properties that [`Named::Allowlist`] allows.
    allowed: Vec<String>,
}

impl OverridePolicy {
    /// Reads the policy from the worker's settings.
    ///
    /// # Errors
    /// When the policy is none that is built in; the text says so.
    pub fn read(worker: &Properties) -> Result<Self, String> {
        let text = worker.get(POLICY).unwrap_or("All").trim();
        // The names of the Java classes are also accepted, such as …policy.AllConnectorClientConfigOverridePolicy.
        let simple = text.rsplit('.').next().unwrap_or(text);
        let simple = simple.strip_suffix("ConnectorClientConfigOverridePolicy").unwrap_or(simple);
        let named = Named::from_name(simple).ok_or_else(|| format!("'{text}' is no policy that is built in"))?;
        let allowed = list(worker, "connector.client.config.override.allowlist");
        Ok(Self { named, allowed: allowed.into_iter().map(str::to_owned).collect() })
    }

    /// Why a connector may not set the client property `key`, given without a prefix such as `producer.override.`; in
    /// Connect's words. `None`: it may.
    pub fn refusal(&self, key: &str) -> Option<String> {
        let is_allowed = match self.named {
            Named::All => true,
            Named::None => false,
            Named::Principal => ["sasl.jaas.config", "sasl.mechanism", "security.protocol"].contains(&key),
            Named::Allowlist => self.allowed.iter().any(|allowed| allowed == key),
        };
        let policy = self.named;
        (!is_allowed).then(|| {
            format!("The '{policy}' policy does not allow '{key}' to be overridden in the connector configuration.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies() {
        #[track_caller]
        fn check(policy: &str, key: &str, expect: bool) {
            let worker: Properties =
                [(POLICY, policy), ("connector.client.config.override.allowlist", "acks, linger.ms")]
                    .into_iter()
                    .filter(|(_, value)| !value.is_empty())
                    .collect();
            let refusal = OverridePolicy::read(&worker).unwrap().refusal(key);
            assert_eq!(refusal.is_none(), expect, "{policy} {key}: {refusal:?}");
        }
        const CLASS: &str = "org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy";
        for (policy, key, expect) in [
            ("", "acks", true),
            ("All", "acks", true),
            ("None", "acks", false),
            // Names in other letters once passed the start and then allowed everything.
            ("none", "acks", false),
            (CLASS, "acks", false),
            (" principal ", "acks", false),
            ("Principal", "sasl.jaas.config", true),
            ("Allowlist", "linger.ms", true),
            ("allowlist", "batch.size", false),
        ] {
            check(policy, key, expect);
        }
        let worker = [(POLICY, "com.example.Mine")].into_iter().collect();
        assert_eq!(OverridePolicy::read(&worker).unwrap_err(), "'com.example.Mine' is no policy that is built in");
        let none = OverridePolicy::read(&[(POLICY, "none")].into_iter().collect()).unwrap();
        let text = "The 'None' policy does not allow 'acks' to be overridden in the connector configuration.";
        assert_eq!(none.refusal("acks").as_deref(), Some(text));
    }
}
