//! Requests that are signed in their address (AWS Signature Version 4, "authenticating requests: using query parameters").

use std::fmt::Write as _;

use ring::{digest, hmac};

use super::Credentials;

/// What is signed, apart from the parameters.
pub(in crate::login) struct Signing<'a> {
    pub(in crate::login) host: &'a str,
    /// The path, encoded.
    pub(in crate::login) path: &'a str,
    pub(in crate::login) service: &'a str,
    pub(in crate::login) region: &'a str,
    /// For how many seconds the request may be made.
    pub(in crate::login) expires_s: u32,
}

impl Signing<'_> {
    /// The address of a GET request with these parameters, which must come in the order of their names, before `X-Amz-…`.
    pub(in crate::login) fn sign(&self, parameters: &[(&str, &str)], credentials: &Credentials, now_ms: i64) -> String {
        self.sign_content(parameters, credentials, now_ms, &hex(digest::digest(&digest::SHA256, b"").as_ref()))
    }

    fn sign_content(
        &self,
        parameters: &[(&str, &str)],
        credentials: &Credentials,
        now_ms: i64,
        content_hash: &str,
    ) -> String {
        let Self { host, path, service, region, expires_s } = self;
        let time = basic_time(now_ms);
        let day = time.get(..8).unwrap_or_default();
        let scope = format!("{day}/{region}/{service}/aws4_request");
        let credential = format!("{}/{scope}", credentials.key_id);
        let expires = expires_s.to_string();
        let mut all: Vec<(&str, &str)> = parameters.to_vec();
        all.extend([
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &time),
            ("X-Amz-Expires", &expires),
            ("X-Amz-SignedHeaders", "host"),
        ]);
        let session = credentials.session.as_deref().map(|token| ("X-Amz-Security-Token", token));
        let query = |parameters: &[(&str, &str)]| {
            let pairs = parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
            pairs.collect::<Vec<_>>().join("&")
        };
        let shown: Vec<_> = all.iter().copied().chain(session).collect();
        // What is signed is in the order of the names; the address has the token last, as Amazon's libraries write it.
        let mut sorted = shown.clone();
        sorted.sort_unstable();
        let request = format!("GET\n{path}\n{}\nhost:{host}\n\nhost\n{content_hash}", query(&sorted));
        let request_hash = hex(digest::digest(&digest::SHA256, request.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{request_hash}");
        let key = key(&credentials.secret, day, region, service);
        let signature = hex(hmac::sign(&key, to_sign.as_bytes()).as_ref());
        format!("https://{host}{path}?{}&X-Amz-Signature={signature}", query(&shown))
    }
}

/// The key of one day, region and service.
fn key(secret: &str, day: &str, region: &str, service: &str) -> hmac::Key {
    let first = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    [day, region, service, "aws4_request"]
        .iter()
        .fold(first, |key, part| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref()))
}

/// `20261201T030405Z`.
fn basic_time(now_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default();
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A text as the parts of a signed address have it: everything but the unreserved characters of RFC 3986 is encoded.
pub(in crate::login) fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    /// The example of Amazon's "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
    #[test]
    fn amazons_example_of_a_signed_address() {
        let credentials = Credentials {
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: SECRET.to_owned(),
            session: None,
            expires_ms: None,
        };
        let signing = Signing {
            host: "examplebucket.s3.amazonaws.com",
            path: "/test.txt",
            service: "s3",
            region: "us-east-1",
            expires_s: 86400,
        };
        assert_eq!(
            signing.sign_content(&[], &credentials, 1_369_353_600_000, "UNSIGNED-PAYLOAD"),
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }

    #[test]
    fn texts() {
        assert_eq!(encoded("aZ0-._~ /:+é"), "aZ0-._~%20%2F%3A%2B%C3%A9");
        assert_eq!(hex(&[0, 10, 255]), "000aff");
        assert_eq!(basic_time(0), "19700101T000000Z");
    }
}
