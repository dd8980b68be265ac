//! The places of credentials, with a server on loopback in the place of Amazon's.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    Environment(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// Answers each request that has the first text with the second one, and every other with 404. Returns its address.
async fn server(answers: &'static [(&'static str, u16, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut part = [0; 4096];
            loop {
                let count = socket.read(&mut part).await.unwrap();
                request.extend_from_slice(&part[..count]);
                let text = String::from_utf8_lossy(&request);
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
                let length = text.to_ascii_lowercase();
                let length =
                    length.split_once("content-length: ").and_then(|(_, rest)| rest.lines().next()?.parse().ok());
                if count == 0 || body.is_some_and(|body| body >= length.unwrap_or(0)) {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&request).into_owned();
            let found = answers.iter().find(|(part, ..)| text.contains(part));
            let (status, body) = found.map_or((404, "canary"), |(_, status, body)| (*status, *body));
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    at
}

fn credentials(key_id: &str, session: Option<&str>, expires_ms: Option<i64>) -> Credentials {
    let (key_id, session) = (key_id.to_owned(), session.map(str::to_owned));
    Credentials { key_id, secret: "canary".to_owned(), session, expires_ms }
}

#[track_caller]
fn is(found: Result<Credentials, Failure>, expect: &Credentials) {
    match found {
        Ok(found) => assert!(found == *expect, "other credentials: {} {:?}", found.key_id, found.expires_ms),
        Err(failure) => panic!("{failure:?}"),
    }
}

#[track_caller]
fn fails(found: Result<Credentials, Failure>, part: &str) {
    let failure = found.err().unwrap();
    assert!(failure.reason.contains(part) && !failure.reason.contains("canary"), "{failure:?} lacks {part:?}");
}

const JSON: &str =
    r#"{"AccessKeyId":"AKI","SecretAccessKey":"canary","Token":"s","Expiration":"1970-01-01T00:00:09Z"}"#;
const XML: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>\n\
    <SecretAccessKey>canary</SecretAccessKey><SessionToken>s/+=</SessionToken>\
    <Expiration>1970-01-01T00:00:09Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
const DENIED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>canary</Message></Error>\
    </ErrorResponse>";

#[tokio::test]
async fn the_environment() {
    let pairs = [("AWS_ACCESS_KEY_ID", "AKI"), ("AWS_SECRET_ACCESS_KEY", "canary"), ("AWS_SESSION_TOKEN", " ")];
    is(find(&environment(&pairs), None).await, &credentials("AKI", None, None));
    let none = environment(&[("AWS_EC2_METADATA_DISABLED", "true")]);
    fails(find(&none, None).await, "set AWS_ACCESS_KEY_ID");
}

#[tokio::test]
async fn the_container_and_the_instance() {
    let at = server(&[
        ("GET /c HTTP/1.1", 200, JSON),
        ("PUT /latest/api/token", 200, "tok"),
        ("GET /latest/meta-data/iam/security-credentials/role ", 200, JSON),
        ("GET /latest/meta-data/iam/security-credentials/ ", 200, "role\n"),
    ])
    .await;
    let expect = credentials("AKI", Some("s"), Some(9000));
    let full = |path: &str| format!("{at}/{path}");
    let container = |uri: &str| environment(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)]);
    is(find(&container(&full("c")), None).await, &expect);
    fails(find(&container(&full("x")), None).await, "container's AWS credentials answers 404");
    fails(find(&container("http://example.com/"), None).await, "must be https");
    is(find(&environment(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &at)]), None).await, &expect);
    fails(
        find(&environment(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")]), None).await,
        "metadata service cannot be reached (",
    );
}

#[tokio::test]
async fn a_role_by_web_identity_and_by_other_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token").display().to_string();
    std::fs::write(&file, "canary.jwt\n").unwrap();
    let at = server(&[
        ("RoleArn=bad", 403, DENIED),
        ("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=good&RoleSessionName=afterimage&WebIdentityToken=canary.jwt", 200, XML),
        ("GET /?Action=AssumeRole&ExternalId=e&RoleArn=good&RoleSessionName=me&Version=2011-06-15&X-Amz-Algorithm=", 200, XML),
        ("RoleArn=busy", 503, ""),
    ])
    .await;
    let expect = credentials("ASIA", Some("s/+="), Some(9000));
    let web = |arn: &str, file: &str| {
        environment(&[("AWS_WEB_IDENTITY_TOKEN_FILE", file), ("AWS_ROLE_ARN", arn), ("AWS_ENDPOINT_URL_STS", &at)])
    };
    is(find(&web("good", &file), None).await, &expect);
    fails(find(&web("bad", &file), None).await, "403 (AccessDenied) to who takes on the role bad");
    fails(find(&web("good", "/no/such/file"), None).await, "AWS_WEB_IDENTITY_TOKEN_FILE names /no/such/file");
    let role = |arn: &str| Role {
        arn: arn.to_owned(),
        session: "me".to_owned(),
        external_id: Some("e".to_owned()),
        sts_region: Some("us-east-1".to_owned()),
    };
    let (at, from) = (environment(&[("AWS_ENDPOINT_URL_STS", &at)]), credentials("AKI", None, None));
    is(take_on(&at, &role("good"), "r", &from).await, &expect);
    let busy = take_on(&at, &role("busy"), "r", &from).await.err().unwrap();
    assert!(busy.may_pass, "{busy:?}");
}

#[tokio::test]
async fn shared_files() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(Path::new(dir.path()).join(name), text).unwrap();
    std::fs::create_dir(dir.path().join(".aws")).unwrap();
    write(
        ".aws/config",
        "[default]\nregion = x\n[profile both]\naws_access_key_id = OLD\naws_secret_access_key = old\n\
         [profile sso]\nsso_start_url = https://canary\n[ profile  role ]\nrole_arn=canary\nsource_profile=both\n",
    );
    write(
        ".aws/credentials",
        "# [both]\n[default]\naws_access_key_id=DEF\naws_secret_access_key = canary\n aws_session_token = no\n\n\
         [both]\nAWS_ACCESS_KEY_ID = NEW\naws_secret_access_key = canary\naws_session_token=s\n",
    );
    let home = dir.path().display().to_string();
    let homes = [("HOME", home.as_str()), ("AWS_EC2_METADATA_DISABLED", "TRUE")];
    let environment = |more: &[(&str, &str)]| environment(&[&homes[..], more].concat());
    is(find(&environment(&[]), None).await, &credentials("DEF", None, None));
    is(find(&environment(&[]), Some("both")).await, &credentials("NEW", Some("s"), None));
    is(find(&environment(&[("AWS_PROFILE", "both")]), None).await, &credentials("NEW", Some("s"), None));
    let elsewhere = home.clone() + "/.aws/credentials";
    let moved = environment(&[("HOME", "/nowhere"), ("AWS_SHARED_CREDENTIALS_FILE", &elsewhere)]);
    is(find(&moved, None).await, &credentials("DEF", None, None));
    fails(find(&environment(&[]), Some("none")).await, "awsProfileName names none");
    fails(find(&environment(&[]), Some("sso")).await, "by sso_start_url, which is not followed here");
    fails(find(&environment(&[]), Some("role")).await, "use awsRoleArn");
}

#[test]
fn regions() {
    #[track_caller]
    fn check(servers: &str, variables: &[(&str, &str)], expect: Option<&str>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(region_of(servers, variable).as_deref(), expect, "{servers}");
    }
    check("b-1.c.x1.c2.kafka.eu-central-1.amazonaws.com:9098", &[("AWS_REGION", "x")], Some("eu-central-1"));
    check("boot-x.c1.kafka-serverless.us-east-1.amazonaws.com:9098", &[], Some("us-east-1"));
    check("b-1.c.x1.c2.kafka.cn-north-1.amazonaws.com.cn:9098", &[], Some("cn-north-1"));
    check("proxy:1, b-1.c.kafka.eu-west-1.amazonaws.com", &[], Some("eu-west-1"));
    check("broker:9098", &[("AWS_REGION", " r ")], Some("r"));
    check("broker:9098", &[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "d")], Some("d"));
    check("x.s3.eu-west-1.amazonaws.com:1", &[], None);
    check("", &[], None);
}
