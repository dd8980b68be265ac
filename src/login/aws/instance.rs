//! Credentials that the platform gives to a container (ECS, EKS pod identities) or an instance (EC2).

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, Url};

use super::{Credentials, Environment, Failure, PLACES, client, file, read};
use crate::login::http;

/// Both endpoints are on the same machine, or one hop away.
const CONNECT: Duration = Duration::from_secs(1);

/// The credentials of the container's role, if its platform names an endpoint.
pub(super) async fn of_container(environment: &Environment) -> Result<Option<Credentials>, Failure> {
    const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let address = match (relative, environment.get(FULL)) {
        (Some(path), _) => format!("http://169.254.170.2{path}"),
        (None, Some(full)) => full.to_owned(),
        (None, None) => return Ok(None),
    };
    let url = Url::parse(&address).map_err(|_| Failure::lasting(format!("{FULL} is no URL")))?;
    if !is_safe(&url) {
        return Err(Failure::lasting(format!(
            "{FULL} must be https, or name this machine or an endpoint of ECS or EKS: the credentials would be sent in the clear"
        )));
    }
    let token = match environment.get(TOKEN_FILE) {
        Some(path) => Some(file(TOKEN_FILE, path)?),
        None => environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(str::to_owned),
    };
    let what = "the endpoint for the container's AWS credentials";
    let mut request = client(CONNECT)?.get(url);
    if let Some(token) = token {
        request = request.header("Authorization", token);
    }
    read(what, &text(what, request).await?).map(Some)
}

/// Whether credentials may come from there: by HTTPS, from this machine, or from the addresses that ECS and EKS use.
fn is_safe(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_known = match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(&host),
        Err(_) => host == "localhost",
    };
    url.scheme() == "https" || url.scheme() == "http" && is_known
}

/// The credentials of the instance's role, by the second version of its metadata service.
pub(super) async fn of_metadata(environment: &Environment) -> Result<Credentials, Failure> {
    let base = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or("http://169.254.169.254");
    let base = base.trim_end_matches('/');
    let client = client(CONNECT)?;
    let what = "the instance's metadata service";
    let token = client.put(format!("{base}/latest/api/token")).header("X-aws-ec2-metadata-token-ttl-seconds", "300");
    let token = text(what, token).await?;
    let get = |client: &Client, path: &str| {
        let path = format!("{base}/latest/meta-data/iam/security-credentials/{path}");
        client.get(path).header("X-aws-ec2-metadata-token", &token)
    };
    let role = text(what, get(&client, "")).await?;
    let Some(role) = role.lines().next().map(str::trim).filter(|role| !role.is_empty()) else {
        return Err(Failure::passing(format!("{what} knows no role of this instance: {PLACES}")));
    };
    read(what, &text(what, get(&client, role)).await?)
}

async fn text(what: &str, request: reqwest::RequestBuilder) -> Result<String, Failure> {
    let answer = request.send().await.map_err(|error| {
        let cause = http::cause(&error);
        Failure::passing(format!(
            "there are no AWS credentials in the environment, and {what} cannot be reached ({cause}): {PLACES}"
        ))
    })?;
    let status = answer.status();
    if !status.is_success() {
        return Err(Failure::passing(format!("{what} answers {}: {PLACES}", status.as_u16())));
    }
    http::text(answer).await
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn where_credentials_may_come_from() {
        for (url, is) in [
            ("https://anywhere/", true),
            ("http://127.0.0.1:1/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("http://169.254.170.23/v1", true),
            ("http://[fd00:ec2::23]/v1", true),
            ("http://169.254.169.254/", false),
            ("http://example.com/", false),
            ("file:///etc/x", false),
        ] {
            assert_eq!(is_safe(&Url::parse(url).unwrap()), is, "{url}");
        }
    }
}
