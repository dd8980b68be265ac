//! Stores that keytool of Java 17 wrote (`tests/data`), damaged ones, and PEM texts. The files are from:
//!
//! ```text
//! client.jks   a key of "client" with its chain (password keypass), and its authority as trusted; password storepass
//! trust.jks    the authority; password changeit            trust.p12   the same as PKCS12
//! old.p12      the key, written with -Dkeystore.pkcs12.legacy; password storepass
//! ca.pem       the authority
//! ```
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::PathBuf;

use openssl::pkey::PKey;
use openssl::symm::Cipher;
use openssl::x509::X509;

use super::*;

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn opened(name: &str, store: Option<&str>, key: Option<&str>) -> Result<Store, Problem> {
    Store::open(&data(name), Passwords { store, key })
}

/// The authority's certificate.
fn authority() -> X509 {
    X509::from_pem(&std::fs::read(data("ca.pem")).unwrap()).unwrap()
}

#[test]
fn a_key_store_of_java() {
    let store = opened("client.jks", Some("storepass"), Some("keypass")).unwrap();
    let chain: Vec<X509> = store.chain.iter().map(|one| X509::from_der(one).unwrap()).collect();
    assert_eq!(chain.len(), 2, "the certificate and its issuer");
    assert!(chain[0].verify(&authority().public_key().unwrap()).unwrap(), "the client's comes first");
    let key = PKey::private_key_from_der(store.key.as_ref().unwrap().secret_der()).unwrap();
    assert!(key.public_eq(&chain[0].public_key().unwrap()), "the key is that of the certificate");
    assert_eq!(store.trusted.len(), 2, "the trusted entry, and the certificate of the key");

    let text = key_to_pem(store.key.as_ref().unwrap()).unwrap() + &certificates_to_pem(&store.chain).unwrap();
    let again = Store::of_pem(&text, None).unwrap();
    assert_eq!((again.chain, again.key), (store.chain, store.key), "as PEM it is the same");
}

#[test]
fn trust_stores_of_java() {
    for (name, password) in [("trust.jks", Some("changeit")), ("trust.jks", None), ("trust.p12", Some("changeit"))] {
        let store = opened(name, password, None).unwrap();
        assert_eq!(store.trusted.len(), 1, "{name}");
        assert_eq!(store.trusted[0].as_ref(), authority().to_der().unwrap(), "{name}");
        assert!(store.key.is_none(), "{name}");
    }
}

/// One file with everything often serves as trust store, too. Its key is not needed there, and so neither is its password.
#[test]
fn certificates_are_trusted_without_opening_the_key_beside_them() {
    let store = Store::trust(&data("client.jks"), Some("storepass")).unwrap();
    assert_eq!((store.chain.len(), store.trusted.len(), store.key), (2, 2, None));
    let key = opened("client.jks", Some("storepass"), Some("keypass")).unwrap().key.unwrap();
    let key = PKey::private_key_from_der(key.secret_der()).unwrap();
    let pkcs8 = key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"s3cr3t").unwrap();
    let older = match key.rsa() {
        Ok(rsa) => rsa.private_key_to_pem_passphrase(Cipher::aes_256_cbc(), b"s3cr3t").unwrap(),
        Err(_) => key.ec_key().unwrap().private_key_to_pem_passphrase(Cipher::aes_256_cbc(), b"s3cr3t").unwrap(),
    };
    let authority = std::fs::read(data("ca.pem")).unwrap();
    let dir = new_dir();
    let file = dir.join("bundle.pem");
    for key in [&pkcs8, &older, &b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_vec()] {
        for bundle in [[&key[..], &authority].concat(), [&authority[..], key].concat()] {
            std::fs::write(&file, &bundle).unwrap();
            let store = Store::trust(&file, None).unwrap();
            assert_eq!((store.trusted.len(), store.chain.len(), store.key), (1, 1, None));
            let text = String::from_utf8(bundle).unwrap();
            assert_eq!(Store::trust_of_pem(&text).unwrap().trusted.len(), 1);
        }
    }
    std::fs::write(&file, [&older[..], &authority].concat()).unwrap();
    let store = Store::open(&file, Passwords { store: None, key: Some("s3cr3t") }).unwrap();
    assert!(store.key.is_some() && store.chain.len() == 1, "with its password the key is opened");
    std::fs::remove_dir_all(&dir).unwrap();
}

/// DER begins with the byte of the digit 0. Comments may hold any bytes.
#[test]
fn comments_before_pem() {
    let authority = std::fs::read(data("ca.pem")).unwrap();
    let dir = new_dir();
    let file = dir.join("commented.pem");
    for comment in [&b"0 s:CN = authority\n"[..], b"Ausgestellt f\xfcr alle\n"] {
        std::fs::write(&file, [comment, &authority].concat()).unwrap();
        assert_eq!(Store::trust(&file, None).unwrap().trusted.len(), 1);
        assert_eq!(Store::open(&file, Passwords::default()).unwrap().trusted.len(), 1);
    }
    // Half written: the first certificate is whole, the second is not.
    std::fs::write(&file, [&authority[..], &authority[..authority.len() / 2]].concat()).unwrap();
    assert!(Store::trust(&file, None).unwrap_err().reason.contains("damaged"));
    std::fs::remove_dir_all(&dir).unwrap();
}

/// A new directory. Each call has another one.
fn new_dir() -> PathBuf {
    static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let call = CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("afterimage-stores-{}-{call}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn what_cannot_be_opened_says_which_setting_is_to_blame() {
    #[track_caller]
    fn check(name: &str, store: Option<&str>, key: Option<&str>, place: Place, reason: &str) {
        let problem = opened(name, store, key).unwrap_err();
        assert_eq!(problem.place, place, "{problem}");
        assert!(problem.reason.contains(reason), "{problem}");
        assert!(problem.reason.contains(name), "the file is named: {problem}");
        assert!(!format!("{problem:?}").contains("s3cr3t"), "{problem:?}");
    }
    let wrong = Some("s3cr3t");
    check("client.jks", wrong, None, Place::StorePassword, "does not open");
    check("client.jks", None, None, Place::StorePassword, "needs a password");
    check("client.jks", Some("storepass"), None, Place::KeyPassword, "no password is set");
    check("client.jks", Some("storepass"), wrong, Place::KeyPassword, "does not open the private key");
    check("trust.jks", wrong, None, Place::StorePassword, "does not open");
    check("trust.p12", wrong, None, Place::StorePassword, "does not open");
    check("trust.p12", None, None, Place::StorePassword, "needs a password");
    check("old.p12", Some("storepass"), None, Place::Store, "before Java 17");
    check("no-such.jks", None, None, Place::Store, "cannot be read");
    check("", None, None, Place::Store, "no regular file");
}

#[test]
fn a_damaged_store_is_refused_and_never_a_panic() {
    let dir = std::env::temp_dir();
    let file = dir.join(format!("afterimage-damaged-{}", std::process::id()));
    for name in ["client.jks", "trust.jks", "trust.p12"] {
        let whole = std::fs::read(data(name)).unwrap();
        // PKCS12 takes a while to be opened.
        for cut in (0..whole.len()).step_by(if name == "trust.p12" { 23 } else { 1 }) {
            std::fs::write(&file, &whole[..cut]).unwrap();
            for store in [None, Some("storepass"), Some("changeit")] {
                let outcome = Store::open(&file, Passwords { store, key: Some("keypass") });
                assert!(outcome.is_err() || name == "trust.jks" && store.is_none(), "{name} cut at {cut}");
            }
        }
    }
    let mut bytes = std::fs::read(data("client.jks")).unwrap();
    for at in 0..bytes.len() {
        let was = bytes[at];
        for wrong in [0, 0x7f, 0x80, 0xff, was ^ 1] {
            bytes[at] = wrong;
            // With the password the sum is checked first; without it, all lengths are believed.
            let open = |store| jks::open(&bytes, Wanted::All(Passwords { store, key: Some("keypass") }));
            let _ = open(None);
            let checked = open(Some("storepass"));
            assert_eq!(checked.is_ok(), wrong == was, "byte {at}");
        }
        bytes[at] = was;
    }
    // Lengths that no file has: nothing is allocated for them.
    for entry in [[0, 0, 0, 1], [0, 0, 0, 2]] {
        let mut bytes = vec![0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff];
        bytes.extend(entry);
        bytes.extend([0; 10]);
        bytes.extend([0xff; 40]);
        std::fs::write(&file, &bytes).unwrap();
        assert!(Store::open(&file, Passwords::default()).is_err());
    }
    std::fs::write(&file, [0xce; 40]).unwrap();
    let problem = Store::open(&file, Passwords::default()).unwrap_err();
    assert!(problem.reason.contains("JCEKS") && problem.remedy.contains("keytool"), "{problem}");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn texts() {
    let authority = std::fs::read_to_string(data("ca.pem")).unwrap();
    // As a property's value often stands: the lines joined.
    let joined = authority.lines().collect::<Vec<_>>().join(" ");
    for text in [&authority, &joined] {
        assert_eq!(Store::of_pem(text, None).unwrap().trusted.len(), 1);
    }
    let key = opened("client.jks", Some("storepass"), Some("keypass")).unwrap().key.unwrap();
    let key = PKey::private_key_from_der(key.secret_der()).unwrap();
    let encrypted = key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"s3cr3t").unwrap();
    let encrypted = String::from_utf8(encrypted).unwrap();
    let joined = encrypted.lines().collect::<Vec<_>>().join(" ");
    for text in [&encrypted, &joined] {
        assert!(Store::of_pem(text, Some("s3cr3t")).unwrap().key.is_some());
    }
    for (password, reason) in [(None, "no password is set"), (Some("wrong"), "does not open")] {
        let problem = Store::of_pem(&encrypted, password).unwrap_err();
        assert_eq!(problem.place, Place::KeyPassword);
        assert!(problem.reason.contains(reason), "{problem}");
    }
    assert!(Store::of_pem("hello", None).unwrap_err().reason.contains("no PEM"));
    let broken = authority.replace("MI", "!!");
    assert!(Store::of_pem(&broken, None).unwrap_err().reason.contains("damaged"));
}
