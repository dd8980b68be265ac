//! Tests of basic authentication. The expected answers are those of Kafka Connect 4.3.1 with the same files.

use std::path::PathBuf;

use axum::http::HeaderValue;
use base64::engine::general_purpose::STANDARD as CODE;
use tempfile::TempDir;

use super::*;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Writes a login configuration whose entry has one module for each file.
    fn login(&self, users: &[&str]) -> PathBuf {
        let path = |name: &str| self.0.path().join(name).display().to_string();
        let modules: Vec<_> = users.iter().map(|name| format!("{MODULE} required file=\"{}\";", path(name))).collect();
        self.put("login.conf", &format!("KafkaConnect {{ {} }};", modules.join(" ")))
    }
}

const USERS: &str = "# comment\nalice=wonder\nbob: pa:ss word \n\\u00e9ve=\\u00fcber\nempty=\nnova\nx y=1\n";

fn admits(auth: &BasicAuth, headers: &[&str]) -> bool {
    let value = |text: &&str| (AUTHORIZATION, HeaderValue::from_bytes(text.as_bytes()).expect("a value"));
    auth.admits(&headers.iter().map(value).collect())
}

#[test]
fn headers() {
    let files = Files::new();
    files.put("users", USERS);
    let auth = BasicAuth::read(&files.login(&["users"])).expect("it is in form");
    let basic = |text: &str| format!("Basic {}", CODE.encode(text));
    for (header, expect) in [
        (basic("alice:wonder"), true),
        (basic("alice:wonder").replace("Basic", "bASIC"), true),
        (basic("bob:pa:ss word "), true),
        (basic("\u{e9}ve:\u{fc}ber"), true),
        (basic("empty:"), true),
        (basic("empty:").replace('=', ""), true),
        (basic("nova:"), true),
        (basic("x:y=1"), true),
        (basic("alice:wrong"), false),
        (basic("alice:wonder "), false),
        (basic("alice:"), false),
        (basic("Alice:wonder"), false),
        (basic(" alice:wonder"), false),
        (basic("alice: wonder"), false),
        (basic("bob:pa:ss word"), false),
        (basic("nobody:"), false),
        (basic("nobody:wonder"), false),
        (basic("empty"), false),
        (basic(":"), false),
        (basic(":wonder"), false),
        (basic(""), false),
        (basic("alicewonder"), false),
        (format!("Basic {}", CODE.encode(b"\xe9ve:\xfcber")), false),
        (basic("alice:wonder").replace(' ', "  "), false),
        (basic("alice:wonder").replace(' ', "\t"), false),
        (basic("alice:wonder").replace("Basic", "Bearer"), false),
        (CODE.encode("alice:wonder"), false),
        ("Basic".to_owned(), false),
        ("Basic ".to_owned(), false),
        ("Basic !!!".to_owned(), false),
        ("Basic -_-_".to_owned(), false),
        ("Digest x".to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(admits(&auth, &[&header]), expect, "{header}");
    }
    assert!(!admits(&auth, &[]), "no header");
    let (good, bad) = (basic("alice:wonder"), basic("alice:wrong"));
    assert!(!admits(&auth, &[&good, &bad]) && !admits(&auth, &[&bad, &good]), "two headers");
}

#[test]
fn every_file_opens() {
    let files = Files::new();
    files.put("users", USERS);
    files.put("more", "carol=second\nalice=third\n");
    let auth = BasicAuth::read(&files.login(&["users", "more"])).expect("it is in form");
    for (user, expect) in
        [("alice:wonder", true), ("alice:third", true), ("carol:second", true), ("alice:second", false)]
    {
        assert_eq!(admits(&auth, &[&format!("Basic {}", CODE.encode(user))]), expect, "{user}");
    }
}

/// As in Connect, which writes a warning to its log.
#[test]
fn a_file_without_users_admits_everybody() {
    let files = Files::new();
    let empty = files.put("empty", "# nobody yet\n");
    let auth = BasicAuth::read(&files.login(&["empty"])).expect("it is in form");
    assert_eq!(auth.open_by(), Some(empty.display().to_string().as_str()));
    assert!(admits(&auth, &[]) && admits(&auth, &["Basic !!!"]));
}

/// As in Connect: a change takes effect at the next start, and a deleted file does not open the API.
#[test]
fn files_are_read_once() {
    let files = Files::new();
    let users = files.put("users", USERS);
    let login = files.login(&["users"]);
    let auth = BasicAuth::read(&login).expect("it is in form");
    let (old, new) = (format!("Basic {}", CODE.encode("alice:wonder")), format!("Basic {}", CODE.encode("alice:new")));
    for change in ["alice=new\n", ""] {
        std::fs::write(&users, change).expect("a file");
        assert!(admits(&auth, &[&old]) && !admits(&auth, &[&new]) && !admits(&auth, &[]));
    }
    std::fs::remove_file(&users).expect("it was there");
    assert!(admits(&auth, &[&old]) && !admits(&auth, &[]));
    assert!(BasicAuth::read(&login).is_err(), "the next start fails");
}

#[test]
fn doubt_is_an_error_that_says_what_to_do() {
    let files = Files::new();
    files.put("users", USERS);
    files.put("broken", "alice=wonder\nbob=\\uZZZZ\n");
    let users = files.0.path().join("users").display().to_string();
    let good = format!("{MODULE} required file=\"{users}\";");
    for (login, names) in [
        (String::new(), "no entry KafkaConnect"),
        (format!("Other {{ {good} }};"), "no entry KafkaConnect"),
        ("KafkaConnect { };".to_owned(), "no entry KafkaConnect"),
        (format!("KafkaConnect {{ {good}"), "line 1"),
        (format!("KafkaConnect {{ {MODULE} required; }};"), "needs the option file"),
        (format!("KafkaConnect {{ {MODULE} required file=\" \"; }};"), "needs the option file"),
        (format!("KafkaConnect {{ {MODULE} required file=\"${{user.home}}/u\"; }};"), "write the path out"),
        (format!("KafkaConnect {{ {MODULE} required file=\"/no/where\"; }};"), "/no/where cannot be read"),
        (format!("KafkaConnect {{ {MODULE} required file=\"/\"; }};"), "/ cannot be read"),
        (
            format!("KafkaConnect {{ {good} {} }};", good.replace("users", "broken")),
            "not in the form of Java properties",
        ),
        (format!("KafkaConnect {{ {good} org.example.Ldap optional; }};"), "org.example.Ldap is not built in"),
    ] {
        let error = BasicAuth::read(&files.put("login.conf", &login)).expect_err(&login).to_string();
        assert!(error.contains(names) && !error.contains("wonder"), "{login}: {error}");
    }
    let missing = BasicAuth::read(Path::new("/no/login.conf")).expect_err("it is not there").to_string();
    assert!(missing.contains("/no/login.conf cannot be read"), "{missing}");
    let other = BasicAuth::read(&files.put("login.conf", &format!("other {{ {good} }};"))).expect("Java takes it");
    assert!(!format!("{other:?}").contains("wonder"));
}
