//! What a client reads in a token that is a JWT (RFC 7519), as Java's `ClientJwtValidator` does. The signature is the broker's
//! business.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The claims that a client needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claims {
    /// The name of who logs in.
    pub(super) subject: String,
    /// When the token was issued, in milliseconds since 1970.
    pub(super) issued_ms: Option<i64>,
    /// When it expires, in milliseconds since 1970.
    pub(super) expires_ms: i64,
}

/// Reads a token whose claim `sub_claim` is the subject. The error never quotes the token.
pub(super) fn read(token: &str, sub_claim: &str) -> Result<Claims, String> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err("it is no JWT, which Kafka's clients want".to_owned());
    };
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok();
    let claims: Option<Value> = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
    let Some(Value::Object(claims)) = claims else {
        return Err(
            "it is no JWT, which Kafka's clients want: its second part is no JSON object in base64url".to_owned()
        );
    };
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64).map(|seconds| (seconds * 1000.0) as i64);
    let expires_ms = seconds("exp").ok_or("it has no claim exp, or that is no number")?;
    let subject = claims.get(sub_claim).and_then(Value::as_str).map(str::trim).filter(|subject| !subject.is_empty());
    let subject = subject.ok_or_else(|| {
        format!(
            "it has no claim {sub_claim} that names who logs in (sasl.oauthbearer.sub.claim.name chooses the claim)"
        )
    })?;
    Ok(Claims { subject: subject.to_owned(), issued_ms: seconds("iat"), expires_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn claims() {
        #[track_caller]
        fn check(token: &str, expect: Result<(&str, Option<i64>, i64), &str>) {
            match (read(token, "sub"), expect) {
                (Ok(Claims { subject, issued_ms, expires_ms }), Ok(expect)) => {
                    assert_eq!((subject.as_str(), issued_ms, expires_ms), expect);
                }
                (Err(said), Err(part)) => assert!(said.contains(part) && !said.contains("canary"), "{said}"),
                (read, expect) => panic!("{read:?}, not {expect:?}"),
            }
        }
        check(&token(r#"{"sub":"a","exp":10,"iat":3}"#), Ok(("a", Some(3000), 10_000)));
        check(&token(r#"{"sub":" a ","exp":10.5,"iat":"x","scope":["b"]}"#), Ok(("a", None, 10_500)));
        check(&token(r#"{"sub":"canary","iat":3}"#), Err("no claim exp"));
        check(&token(r#"{"sub":"canary","exp":"10"}"#), Err("no claim exp"));
        check(&token(r#"{"sub":"","exp":10}"#), Err("no claim sub"));
        check(&token(r#"{"client_id":"canary","exp":10}"#), Err("sasl.oauthbearer.sub.claim.name"));
        check(&token("[1]"), Err("no JWT"));
        for text in ["", "canary", "a.canary", "a.canary.c", "a.b.c.canary", "..", "é.é.é"] {
            check(text, Err("no JWT"));
        }
    }

    #[test]
    fn another_claim_names_who_logs_in() {
        let read = read(&token(r#"{"client_id":"a","exp":10}"#), "client_id");
        assert_eq!(read.map(|claims| claims.subject), Ok("a".to_owned()));
    }
}
