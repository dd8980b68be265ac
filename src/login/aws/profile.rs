//! The shared files of AWS's tools: `~/.aws/credentials` and `~/.aws/config`.

use std::collections::HashMap;
use std::path::PathBuf;

use super::{Credentials, Environment, Failure};

/// Keys of a profile whose credentials come from elsewhere. They are not followed.
const ELSEWHERE: &[&str] =
    &["credential_process", "sso_session", "sso_start_url", "role_arn", "web_identity_token_file"];

/// The credentials of a profile; `None` when no file has the profile, or the profile has none.
pub(super) fn read(environment: &Environment, profile: &str) -> Result<Option<Credentials>, Failure> {
    let home = environment.get("HOME").map(|home| PathBuf::from(home).join(".aws"));
    let path = |variable: &str, name: &str| {
        environment.get(variable).map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(name)))
    };
    let files = [
        (path("AWS_CONFIG_FILE", "config"), format!("profile {profile}")),
        (path("AWS_SHARED_CREDENTIALS_FILE", "credentials"), profile.to_owned()),
    ];
    let mut keys = HashMap::new();
    for (path, section) in files {
        // A file that is missing or cannot be read has no profile.
        let Some(text) = path.and_then(|path| std::fs::read_to_string(path).ok()) else { continue };
        // The credentials file wins, as with AWS's tools. The default profile needs no word before its name.
        keys.extend(section_of(&text, &section));
        if profile == "default" {
            keys.extend(section_of(&text, "default"));
        }
    }
    let get = |name: &str| keys.get(name).filter(|value| !value.is_empty()).cloned();
    if let (Some(key_id), Some(secret)) = (get("aws_access_key_id"), get("aws_secret_access_key")) {
        return Ok(Some(Credentials { key_id, secret, session: get("aws_session_token"), expires_ms: None }));
    }
    match ELSEWHERE.iter().find(|name| keys.contains_key(**name)) {
        None => Ok(None),
        Some(name) => Err(Failure::lasting(format!(
            "the AWS profile {profile} takes its credentials by {name}, which is not followed here: give it \
             aws_access_key_id and aws_secret_access_key, or use awsRoleArn, or a role of the pod, task or instance"
        ))),
    }
}

/// The keys of one section of an INI file.
fn section_of(text: &str, name: &str) -> HashMap<String, String> {
    let (mut is_inside, mut keys) = (false, HashMap::new());
    for line in text.lines() {
        // An indented line belongs to the key above it, and no key that matters here has such lines.
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            is_inside = section.0.split_whitespace().eq(name.split_whitespace());
        } else if is_inside
            && !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            keys.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    keys
}
