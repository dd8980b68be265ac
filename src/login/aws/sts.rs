//! The Security Token Service: a web identity or other credentials are exchanged for those of a role.

use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::{Credentials, Environment, Failure, Signing, client, file, time_ms};
use crate::login::http;
use crate::login::source::now_ms;

const VERSION: &str = "2011-06-15";
/// A test, or an endpoint of a private network, stands in for Amazon's address.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_STS";
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// A role that is taken on.
#[derive(Clone, Serialize, Deserialize)]
pub struct Role {
    /// `awsRoleArn`.
    pub arn: String,
    /// `awsRoleSessionName`: the session's name in Amazon's logs.
    pub session: String,
    /// `awsRoleExternalId`.
    pub external_id: Option<String>,
    /// `awsStsRegion`: which region's service is asked; `None`: that of the cluster.
    pub sts_region: Option<String>,
}

/// The credentials of the role of a Kubernetes service account, if the pod has one.
pub(super) async fn of_web_identity(environment: &Environment) -> Result<Option<Credentials>, Failure> {
    const FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
    let (Some(path), Some(arn)) = (environment.get(FILE), environment.get("AWS_ROLE_ARN")) else { return Ok(None) };
    let token = file(FILE, path)?;
    let session = environment.get("AWS_ROLE_SESSION_NAME").unwrap_or("afterimage");
    let region = environment.get("AWS_REGION").or_else(|| environment.get("AWS_DEFAULT_REGION"));
    let host = region.map_or_else(|| "sts.amazonaws.com".to_owned(), host);
    let url = environment.get(ENDPOINT).map_or_else(|| format!("https://{host}/"), str::to_owned);
    let mut url = Url::parse(&url).map_err(|_| Failure::lasting(format!("{ENDPOINT} is no URL")))?;
    // The identity is a secret, so it goes in the body.
    url.query_pairs_mut()
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", VERSION)
        .append_pair("RoleArn", arn)
        .append_pair("RoleSessionName", session)
        .append_pair("WebIdentityToken", &token);
    let form = url.query().unwrap_or_default().to_owned();
    url.set_query(None);
    let request = client(CONNECT)?.post(url).header("Content-Type", "application/x-www-form-urlencoded").body(form);
    answer(request, arn).await.map(Some)
}

/// The credentials of a role, got with other credentials.
pub(in crate::login) async fn take_on(
    environment: &Environment,
    role: &Role,
    region: &str,
    credentials: &Credentials,
) -> Result<Credentials, Failure> {
    let region = role.sts_region.as_deref().unwrap_or(region);
    let host = host(region);
    let signing = Signing { host: &host, path: "/", service: "sts", region, expires_s: 60 };
    let external = role.external_id.iter().map(|id| ("ExternalId", id.as_str()));
    let parameters: Vec<(&str, &str)> = [("Action", "AssumeRole")]
        .into_iter()
        .chain(external)
        .chain([("RoleArn", &*role.arn), ("RoleSessionName", &role.session), ("Version", VERSION)])
        .collect();
    let mut url = signing.sign(&parameters, credentials, now_ms());
    if let (Some(endpoint), Some((_, query))) = (environment.get(ENDPOINT), url.split_once('?')) {
        url = format!("{}/?{query}", endpoint.trim_end_matches('/'));
    }
    answer(client(CONNECT)?.get(url), &role.arn).await
}

/// The service's host in a region.
fn host(region: &str) -> String {
    let end = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("sts.{region}.amazonaws.com{end}")
}

async fn answer(request: reqwest::RequestBuilder, arn: &str) -> Result<Credentials, Failure> {
    let sent = request.send().await.map_err(|error| {
        let cause = http::cause(&error);
        Failure::passing(format!("AWS STS cannot be reached ({cause}): check the network, or set awsStsRegion"))
    })?;
    let status = sent.status();
    let text = http::text(sent).await?;
    read(status.as_u16(), &text, arn)
}

/// Reads the service's XML, of which a few elements matter. None of them has attributes or entities.
fn read(status: u16, text: &str, arn: &str) -> Result<Credentials, Failure> {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (content, _) = rest.split_once(&format!("</{name}>"))?;
        Some(content.trim()).filter(|content| !content.is_empty()).map(str::to_owned)
    };
    if status != 200 {
        let code = element("Code").filter(|code| code.len() <= 64 && code.chars().all(char::is_alphanumeric));
        let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
        let reason = format!(
            "AWS STS answers {status}{code} to who takes on the role {arn}: check the role's trust policy and the credentials"
        );
        return Err(if status >= 500 || status == 429 { Failure::passing(reason) } else { Failure::lasting(reason) });
    }
    let (Some(key_id), Some(secret), Some(session)) =
        (element("AccessKeyId"), element("SecretAccessKey"), element("SessionToken"))
    else {
        return Err(Failure::lasting(format!("AWS STS answers without credentials of the role {arn}")));
    };
    let expires_ms = element("Expiration").and_then(|text| time_ms(&text));
    Ok(Credentials { key_id, secret, session: Some(session), expires_ms })
}
