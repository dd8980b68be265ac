#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

fn oidc() -> Oidc {
    Oidc {
        endpoint: "https://u:p@host/token?x=canary".to_owned(),
        client_id: "id".to_owned(),
        client_secret: "s:canary".to_owned(),
        scope: None,
        urlencode: false,
        sub_claim: "sub".to_owned(),
        extensions: Vec::new(),
        connect_timeout_ms: 1000,
        read_timeout_ms: 1000,
        backoff_ms: 1,
        backoff_max_ms: 1,
        refresh: Refresh::default(),
        tls: Tls::default(),
    }
}

/// RFC 6749, sections 2.3.1 and 4.4.2, as Java writes it.
#[test]
fn requests() {
    #[track_caller]
    fn check(change: impl FnOnce(&mut Oidc), pair: &str, form: &str) {
        let mut oidc = oidc();
        change(&mut oidc);
        assert_eq!(oidc.authorization(), format!("Basic {}", STANDARD.encode(pair)));
        assert_eq!(oidc.form(), form);
    }
    check(|_| (), "id:s:canary", "grant_type=client_credentials");
    check(|o| o.urlencode = true, "id:s%3Acanary", "grant_type=client_credentials");
    let scope = |o: &mut Oidc| o.scope = Some("a/.default b&c=ä".to_owned());
    check(scope, "id:s:canary", "grant_type=client_credentials&scope=a%2F.default+b%26c%3D%C3%A4");
}

#[test]
fn answers() {
    #[track_caller]
    fn check(status: u16, text: &str, expect: Result<&str, (&[&str], bool)>) {
        match (oidc().read(StatusCode::from_u16(status).unwrap(), text), expect) {
            (Ok(fetched), Ok(principal)) => {
                assert_eq!((fetched.principal.as_str(), fetched.expires_ms), (principal, 9000));
            }
            (Err(failure), Err((parts, may_pass))) => {
                assert!(parts.iter().all(|part| failure.reason.contains(part)), "{failure:?} lacks {parts:?}");
                assert!(!failure.reason.contains("canary") && !failure.reason.contains("u:p"), "{failure:?}");
                assert_eq!(failure.may_pass, may_pass, "{failure:?}");
            }
            (Ok(_), expect) => panic!("{text}: no {expect:?}"),
            (Err(failure), _) => panic!("{text}: {failure:?}"),
        }
    }
    let jwt = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
    let good = jwt(r#"{"sub":"a","exp":9}"#);
    check(200, &format!(r#"{{"access_token":"{good}","expires_in":5}}"#), Ok("a"));
    check(201, &format!(r#"{{"id_token":" {good} "}}"#), Ok("a"));
    let wrong = r#"{"error":"invalid_client","error_description":"canary"}"#;
    check(401, wrong, Err((&["https://host/token answers 401 (invalid_client)", "clientSecret"], false)));
    check(400, r#"{"error":"invalid_scope"}"#, Err((&["400 (invalid_scope)", "sasl.oauthbearer.scope"], false)));
    check(400, r#"{"error":"Canary!"}"#, Err((&["answers 400: check clientId"], false)));
    check(404, "canary", Err((&["answers 404: check sasl.oauthbearer.token.endpoint.url"], false)));
    check(302, "", Err((&["answers 302: check sasl.oauthbearer.token.endpoint.url"], false)));
    for busy in [408, 429, 500, 502, 503, 504] {
        check(busy, "canary", Err((&["look at the server's log"], true)));
    }
    check(501, "", Err((&["answers 501"], false)));
    check(200, r#"{"token":"canary"}"#, Err((&["no access_token"], false)));
    check(200, r#"{"access_token":"canary"}"#, Err((&["no JWT"], false)));
    check(200, &format!(r#"{{"access_token":"{}"}}"#, jwt(r#"{"sub":"canary"}"#)), Err((&["no claim exp"], false)));
}

#[test]
fn addresses() {
    for (text, fits) in [
        ("https://h/t", true),
        ("http://127.0.0.1:1/t", true),
        ("file:///etc/passwd", false),
        ("ftp://h/", false),
        ("h/t", false),
        ("", false),
    ] {
        assert_eq!(Oidc::check_endpoint(text).is_ok(), fits, "{text}");
    }
}

/// A server that is away, and one that takes its time.
#[tokio::test]
async fn no_answer() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (silent_at, closed_at) = (silent.local_addr().unwrap(), closed.local_addr().unwrap());
    drop(closed);
    for (at, part) in [(closed_at, "cannot be reached ("), (silent_at, "(no answer in time)")] {
        let oidc = Oidc { endpoint: format!("http://{at}/t"), read_timeout_ms: 50, ..oidc() };
        let failure = oidc.fetch().await.err().unwrap();
        assert!(failure.reason.contains(part) && failure.may_pass, "{failure:?}");
    }
}
