//! Java's own form of a key store, JKS, as `keytool -storetype JKS` writes it.
//!
//! A header, entries, and a digest over both that only the password gives (`sun.security.provider.JavaKeyStore`). A private
//! key is hidden under a stream of SHA-1 digests (`sun.security.provider.KeyProtector`).

use openssl::pkey::PKey;
use openssl::sha::{Sha1, sha1};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::problem::Fault;
use super::reader::{Cut, Reader};
use super::{Passwords, Store, Wanted, keys};

const MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const KEY_ENTRY: u32 = 1;
const CERTIFICATE_ENTRY: u32 = 2;
/// What Java appends to the password before it takes the digest.
const SALT: &[u8] = b"Mighty Aphrodite";
const DIGEST_BYTES: usize = 20;
/// 1.3.6.1.4.1.42.2.17.1.1, the algorithm of `KeyProtector`.
const PROTECTOR: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01];

const DAMAGED: Fault = Fault::Damaged("JKS");

impl From<Cut> for Fault {
    fn from(_: Cut) -> Self {
        DAMAGED
    }
}

/// Whether the bytes begin as JKS does.
pub(crate) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

pub(crate) fn open(bytes: &[u8], wanted: Wanted<'_>) -> Result<Store, Fault> {
    let (body, digest) = bytes.split_at_checked(bytes.len().saturating_sub(DIGEST_BYTES)).ok_or(DAMAGED)?;
    let mut rest = Reader(body);
    let _magic = rest.number()?;
    let version = rest.number()?;
    if !matches!(version, 1 | 2) {
        return Err(DAMAGED);
    }
    if let Some(password) = wanted.store_password() {
        let mut sum = Sha1::new();
        sum.update(&utf16(password));
        sum.update(SALT);
        sum.update(body);
        if sum.finish() != digest {
            return Err(Fault::WrongPassword);
        }
    }
    let mut store = Store::default();
    let mut has_key = false;
    for _ in 0..rest.number()? {
        let kind = rest.number()?;
        let _alias = rest.text()?;
        let _made_ms = rest.take(8)?;
        match kind {
            KEY_ENTRY => {
                let hidden = rest.block()?;
                let certificates = rest.number()?;
                let chain =
                    (0..certificates).map(|_| certificate(&mut rest, version)).collect::<Result<Vec<_>, _>>()?;
                // Java's trust stores trust the certificate of a key, too.
                store.trusted.extend(chain.first().cloned());
                if !has_key {
                    has_key = true;
                    store.key = wanted.key().map(|passwords| key(hidden, passwords)).transpose()?;
                    store.chain = chain;
                }
            }
            CERTIFICATE_ENTRY => store.trusted.push(certificate(&mut rest, version)?),
            _ => return Err(DAMAGED),
        }
    }
    if !has_key {
        store.chain.clone_from(&store.trusted);
    }
    Ok(store)
}

/// Uncovers a private key: PKCS#8 inside of an `EncryptedPrivateKeyInfo`.
fn key(hidden: &[u8], passwords: Passwords<'_>) -> Result<PrivateKeyDer<'static>, Fault> {
    let outer = Reader(hidden).element(0x30)?;
    let mut outer = Reader(outer);
    let algorithm = outer.element(0x30)?;
    if Reader(algorithm).element(0x06)? != PROTECTOR {
        return Err(DAMAGED);
    }
    let mut content = Reader(outer.element(0x04)?);
    let salt = content.take(DIGEST_BYTES)?;
    let covered = content.take(content.0.len().checked_sub(DIGEST_BYTES).ok_or(DAMAGED)?)?;
    let digest = content.0;
    let password = passwords.key.or(passwords.store).ok_or(Fault::NoPassword)?;
    let password = utf16(password);
    let mut plain = Vec::with_capacity(covered.len());
    let mut stream = <[u8; DIGEST_BYTES]>::try_from(salt).map_err(|_| DAMAGED)?;
    for part in covered.chunks(DIGEST_BYTES) {
        stream = sha1(&[&password[..], &stream].concat());
        plain.extend(part.iter().zip(stream).map(|(covered, pad)| covered ^ pad));
    }
    if sha1(&[&password[..], &plain].concat()) != digest {
        return Err(if passwords.key.is_some() { Fault::WrongKeyPassword } else { Fault::NoKeyPassword });
    }
    PKey::private_key_from_der(&plain).and_then(|key| keys::whole(&key)).map_err(|_| DAMAGED)
}

fn certificate(rest: &mut Reader<'_>, version: u32) -> Result<CertificateDer<'static>, Cut> {
    if version == 2 {
        let _kind = rest.text()?; // X.509; no other one exists
    }
    Ok(CertificateDer::from(rest.block()?.to_vec()))
}

/// Java's characters of a password, as `KeyProtector` digests them.
fn utf16(password: &str) -> Vec<u8> {
    password.encode_utf16().flat_map(u16::to_be_bytes).collect()
}
