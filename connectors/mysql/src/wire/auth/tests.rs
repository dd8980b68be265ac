use openssl::pkey::Private;

use super::*;

fn exchange(plugin: Plugin, password: &Secret, is_tls: bool) -> Exchange<'_> {
    let long = [&[7; 32], &[0][..]].concat();
    let is_long = matches!(plugin, Plugin::Ed25519 | Plugin::Parsec);
    Exchange::new(plugin, password, if is_long { &long } else { b"abcdefghijklmnopqrst\0" }, is_tls)
}

/// What a plugin sends first: its length, or a part of the refusal.
#[track_caller]
fn check(plugin: Plugin, password: &str, is_tls: bool, expect: Result<usize, &str>) {
    let password = Secret::new(password);
    match (exchange(plugin, &password, is_tls).first(), expect) {
        (Ok(sent), Ok(length)) => assert_eq!(sent.len(), length, "{sent:?}"),
        (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
        (got, _) => panic!("{got:?}"),
    }
}

#[test]
fn first_answers() {
    check(Plugin::Native, "secret", false, Ok(20));
    check(Plugin::Native, "", false, Ok(0));
    check(Plugin::CachingSha2, "secret", false, Ok(32));
    check(Plugin::CachingSha2, "", true, Ok(0));
    check(Plugin::Sha256, "secret", false, Ok(1));
    check(Plugin::Sha256, "secret", true, Ok(7));
    check(Plugin::Sha256, "", false, Ok(1));
    check(Plugin::Clear, "secret", true, Ok(7));
    check(Plugin::Clear, "secret", false, Err("only over TLS"));
    check(Plugin::Ed25519, "secret", false, Ok(64));
    check(Plugin::Parsec, "secret", false, Ok(0));
}

/// The password leaves encrypted for the server's key, and only as the server's challenge masks it.
#[test]
fn public_keys() {
    let key: Rsa<Private> = Rsa::generate(2048).unwrap();
    let pem = key.public_key_to_pem().unwrap();
    for plugin in [Plugin::CachingSha2, Plugin::Sha256] {
        let password = Secret::new("geheim");
        let Ok(Reply::Send(sent)) = exchange(plugin, &password, false).more(&pem) else { panic!("{plugin:?}") };
        let mut opened = vec![0; 256];
        let length = key.private_decrypt(&sent, &mut opened, Padding::PKCS1_OAEP).unwrap();
        let masked: Vec<u8> = b"geheim\0".iter().zip(b"abcdefg").map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(opened[..length], masked);
    }
    let long = Secret::new("x".repeat(214));
    let refused = exchange(Plugin::Sha256, &long, false).more(&pem).unwrap_err();
    assert!(refused.contains("too long"), "{refused}");
}

/// Vector of MariaDB's own test of the plugin is not published; the signature is checked by the key that it says it has.
#[test]
fn parsec_is_signed_for_both_nonces() {
    let password = Secret::new("geheim");
    let exchange = exchange(Plugin::Parsec, &password, false);
    let salt = [b"P\0".as_slice(), &[9; 18]].concat();
    let Ok(Reply::Send(sent)) = exchange.more(&salt) else { panic!("no answer") };
    let mut derived = [0; 32];
    let hash = openssl::hash::MessageDigest::sha512();
    openssl::pkcs5::pbkdf2_hmac(b"geheim", &[9; 18], 1024, hash, &mut derived).unwrap();
    let key = openssl::pkey::PKey::private_key_from_raw_bytes(&derived, openssl::pkey::Id::ED25519).unwrap();
    let signed = [&[7; 32], &sent[..32]].concat();
    assert!(openssl::sign::Verifier::new_without_digest(&key).unwrap().verify_oneshot(&sent[32..], &signed).unwrap());
}

#[test]
fn messages_that_no_server_sends() {
    for plugin in [Plugin::Native, Plugin::CachingSha2, Plugin::Sha256, Plugin::Clear, Plugin::Ed25519, Plugin::Parsec]
    {
        let password = Secret::new("geheim");
        for data in [&b""[..], b"P", b"\0", b"-----BEGIN PUBLIC KEY-----", &[b'P'; 20], &[255; 300]] {
            for is_tls in [true, false] {
                assert!(exchange(plugin, &password, is_tls).more(data).is_err(), "{plugin:?} {data:?}");
            }
        }
    }
    assert_eq!(Plugin::named(b"auth_gssapi_client"), None);
}
