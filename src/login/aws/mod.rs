//! AWS credentials: where they are found, and what is signed with them.
//!
//! Purpose: the places are those of AWS's libraries, in their order: environment variables, a web identity (roles of Kubernetes
//! service accounts), the shared files, the container's endpoint (ECS, EKS pod identities), the instance's metadata (EC2).
//! The few requests that this takes are made here; the libraries themselves would bring some fifty crates.
//!
//! Must not know: Kafka.

mod instance;
mod profile;
mod sign;
mod sts;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;

use super::http::{self, Tls};
use super::source::Failure;

pub(super) use self::sign::{Signing, encoded};
pub use self::sts::Role;
pub(super) use self::sts::take_on;

/// Credentials, as AWS gives them out.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) key_id: String,
    pub(super) secret: String,
    /// The session token of credentials that expire.
    pub(super) session: Option<String>,
    /// When they expire, in milliseconds since 1970.
    pub(super) expires_ms: Option<i64>,
}

/// The environment variables of the process, or made-up ones.
pub(super) struct Environment(HashMap<String, String>);

impl Environment {
    pub(super) fn process() -> Self {
        let texts = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self(texts.collect())
    }

    /// A variable that is set and not empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The region of a broker of MSK, as its name says (`b-1.x.c2.kafka.eu-central-1.amazonaws.com`), else as the environment says.
pub fn region_of(bootstrap_servers: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let of_host = |server: &str| {
        let host = server.trim().rsplit_once(':').map_or(server.trim(), |(host, _)| host);
        let host = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
        let mut labels = host.rsplit('.');
        let region = labels.next()?;
        labels.next().is_some_and(|label| label.starts_with("kafka")).then(|| region.to_owned())
    };
    let set = |name: &&str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    bootstrap_servers.split(',').find_map(of_host).or_else(|| ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(set))
}

/// What to do where no credentials are found.
const PLACES: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod, task or instance a role";

/// Finds credentials: those of the profile, if one is named.
pub(super) async fn find(environment: &Environment, profile: Option<&str>) -> Result<Credentials, Failure> {
    if let Some(profile) = profile {
        return profile::read(environment, profile)?.ok_or_else(|| {
            Failure::lasting(format!("awsProfileName names {profile}, which is in no shared file of AWS: add it there"))
        });
    }
    if let (Some(key_id), Some(secret)) =
        (environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY"))
    {
        let session = environment.get("AWS_SESSION_TOKEN").map(str::to_owned);
        return Ok(Credentials { key_id: key_id.to_owned(), secret: secret.to_owned(), session, expires_ms: None });
    }
    if let Some(credentials) = sts::of_web_identity(environment).await? {
        return Ok(credentials);
    }
    let profile = environment.get("AWS_PROFILE");
    if let Some(credentials) = profile::read(environment, profile.unwrap_or("default"))? {
        return Ok(credentials);
    }
    if let Some(credentials) = instance::of_container(environment).await? {
        return Ok(credentials);
    }
    if environment.is_true("AWS_EC2_METADATA_DISABLED") {
        return Err(Failure::lasting(format!("there are no AWS credentials in the environment: {PLACES}")));
    }
    instance::of_metadata(environment).await
}

/// A client for AWS's own endpoints, some of which are on the same machine.
fn client(connecting: Duration) -> Result<Client, Failure> {
    http::client(&Tls::default(), connecting, Duration::from_secs(5))
}

/// Reads credentials in the form that the endpoints of containers and instances have.
fn read(what: &str, text: &str) -> Result<Credentials, Failure> {
    let answer: Option<Value> = serde_json::from_str(text).ok();
    let field = |name: &str| {
        let found = answer.as_ref().and_then(|answer| answer.get(name)).and_then(Value::as_str);
        found.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (Some(key_id), Some(secret)) = (field("AccessKeyId"), field("SecretAccessKey")) else {
        return Err(Failure::passing(format!("{what} answers without credentials: {PLACES}")));
    };
    let expires_ms = field("Expiration").and_then(|text| time_ms(&text));
    Ok(Credentials { key_id, secret, session: field("Token"), expires_ms })
}

/// A time of RFC 3339 in milliseconds since 1970.
fn time_ms(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// The content of a file that a variable names.
fn file(variable: &str, path: &str) -> Result<String, Failure> {
    let read = std::fs::read_to_string(path);
    let text =
        read.map_err(|error| Failure::passing(format!("{variable} names {path}, which cannot be read: {error}")))?;
    Ok(text.trim().to_owned())
}
