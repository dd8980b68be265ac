//! Tokens for Amazon MSK's access control by IAM: a signed request that nobody sends.
//!
//! Brokers of MSK take them by the mechanism OAUTHBEARER, from clients in any language. Java's own mechanism AWS_MSK_IAM carries
//! the same signature in another form, and both are served at the same port. The form of the token is that of Amazon's signer
//! libraries (aws-msk-iam-sasl-signer): the address of the signed request in base64url.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::aws::{self, Credentials, Environment, Role, Signing};
use super::refresh::Refresh;
use super::source::{Failure, Fetched, now_ms};

/// How long a token is valid, as in Amazon's libraries; the brokers take no longer time.
const EXPIRES_S: u32 = 900;

/// A login to MSK.
#[derive(Clone, Serialize, Deserialize)]
pub struct MskIam {
    /// The region of the cluster.
    pub region: String,
    /// `awsProfileName`: the profile in the shared files whose credentials are used; `None`: the first credentials that are found
    /// in the places where AWS's libraries look.
    pub profile: Option<String>,
    /// `awsRoleArn`: the role that is taken on with these credentials.
    pub role: Option<Role>,
    /// When the token is replaced.
    pub refresh: Refresh,
}

impl MskIam {
    pub(super) fn shown(&self) -> String {
        format!("the login to MSK in {}", self.region)
    }

    pub(super) async fn fetch(&self) -> Result<Fetched, Failure> {
        let environment = Environment::process();
        let mut credentials = aws::find(&environment, self.profile.as_deref()).await?;
        if let Some(role) = &self.role {
            credentials = aws::take_on(&environment, role, &self.region, &credentials).await?;
        }
        let now_ms = now_ms();
        let token = token(&self.region, &credentials, now_ms);
        // A token is worth nothing any more when the credentials behind it end, whatever its own time.
        let own_ms = now_ms + i64::from(EXPIRES_S) * 1000;
        let expires_ms = credentials.expires_ms.map_or(own_ms, |ends_ms| ends_ms.min(own_ms));
        Ok(Fetched { token, principal: credentials.key_id, issued_ms: Some(now_ms), expires_ms })
    }
}

/// The token of these credentials at that time.
fn token(region: &str, credentials: &Credentials, now_ms: i64) -> String {
    let host = format!("kafka.{region}.amazonaws.com");
    let signing = Signing { host: &host, path: "/", service: "kafka-cluster", region, expires_s: EXPIRES_S };
    let signed = signing.sign(&[("Action", "kafka-cluster:Connect")], credentials, now_ms);
    let agent = aws::encoded(concat!("afterimage/", env!("CARGO_PKG_VERSION")));
    URL_SAFE_NO_PAD.encode(format!("{signed}&User-Agent={agent}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    /// What aws-msk-iam-sasl-signer-python 1.0.2 makes of the same credentials at the same time, without its own name at the end.
    #[test]
    fn tokens_equal_those_of_amazons_signer() {
        const SIGNED: &str = "https://kafka.eu-central-1.amazonaws.com/?Action=kafka-cluster%3AConnect\
            &X-Amz-Algorithm=AWS4-HMAC-SHA256\
            &X-Amz-Credential=AKIDEXAMPLE%2F20261201%2Feu-central-1%2Fkafka-cluster%2Faws4_request\
            &X-Amz-Date=20261201T030405Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host";
        for (session, end) in [
            (None, "&X-Amz-Signature=946cd6ad85dd9ca582bdfd91d4520ee16ee780dcb0bad4aab89209b0aadbbbb3"),
            (
                Some("AQoDYXdzEPT//////////wEXAMPLE+/=="),
                "&X-Amz-Security-Token=AQoDYXdzEPT%2F%2F%2F%2F%2F%2F%2F%2F%2F%2FwEXAMPLE%2B%2F%3D%3D\
                 &X-Amz-Signature=a7bce10312f3c1e56aac6534f99136468caa5b295193efd29666fad995c8dbd8",
            ),
        ] {
            let credentials = Credentials {
                key_id: "AKIDEXAMPLE".to_owned(),
                secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
                session: session.map(str::to_owned),
                expires_ms: None,
            };
            let token = token("eu-central-1", &credentials, 1_796_094_245_000);
            let url = String::from_utf8(URL_SAFE_NO_PAD.decode(token).unwrap()).unwrap();
            let (signed, agent) = url.split_once("&User-Agent=").unwrap();
            assert_eq!(signed, format!("{SIGNED}{end}"));
            assert!(agent.starts_with("afterimage%2F"), "{agent}");
        }
    }
}
