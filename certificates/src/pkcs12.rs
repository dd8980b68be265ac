//! DER: PKCS12, or a single certificate or key, by OpenSSL.

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::x509::X509;
use rustls_pki_types::CertificateDer;

use super::problem::Fault;
use super::reader::Reader;
use super::{Store, Wanted, keys};

const DAMAGED: Fault = Fault::Damaged("PKCS12");

pub(crate) fn open(bytes: &[u8], wanted: Wanted<'_>) -> Result<Store, Fault> {
    let Ok(opened) = Pkcs12::from_der(bytes) else { return single(bytes, wanted) };
    let password = wanted.store_password();
    let opened = opened.parse2(password.unwrap_or_default()).map_err(|errors| refused(&errors, password))?;
    let damaged = |_: ErrorStack| DAMAGED;
    let key =
        opened.pkey.filter(|_| wanted.key().is_some()).map(|key| keys::whole(&key)).transpose().map_err(damaged)?;
    let mut chain = Vec::new();
    for certificate in opened.cert.into_iter().chain(opened.ca.into_iter().flatten()) {
        chain.push(CertificateDer::from(certificate.to_der().map_err(damaged)?));
    }
    Ok(Store { key, trusted: chain.clone(), chain, is_pem: false })
}

/// OpenSSL checks the password by the store's own sum before it deciphers anything.
fn refused(errors: &ErrorStack, password: Option<&str>) -> Fault {
    let says = |word: &str| errors.errors().iter().any(|error| error.reason().is_some_and(|r| r.contains(word)));
    match password {
        None if says("mac verify") => Fault::NoPassword,
        Some(_) if says("mac verify") => Fault::WrongPassword,
        _ if says("unsupported") || says("unknown") => Fault::Old,
        _ => DAMAGED,
    }
}

/// A file with one certificate, or with one key, which may be encrypted (PKCS#8).
fn single(bytes: &[u8], wanted: Wanted<'_>) -> Result<Store, Fault> {
    if X509::from_der(bytes).is_ok() {
        let chain = vec![CertificateDer::from(bytes.to_vec())];
        return Ok(Store { trusted: chain.clone(), chain, ..Store::default() });
    }
    let key = match (PKey::private_key_from_der(bytes), wanted.key()) {
        (Ok(_), None) => return Ok(Store::default()),
        (Ok(key), Some(_)) => key,
        (Err(_), None) if is_encrypted_key(bytes) => return Ok(Store::default()),
        (Err(_), Some(passwords)) if is_encrypted_key(bytes) => {
            let password = passwords.key.ok_or(Fault::NoKeyPassword)?;
            PKey::private_key_from_pkcs8_passphrase(bytes, password.as_bytes()).map_err(|_| Fault::WrongKeyPassword)?
        }
        (Err(_), _) => return Err(Fault::Unknown),
    };
    Ok(Store { key: Some(keys::whole(&key).map_err(|_| DAMAGED)?), ..Store::default() })
}

/// Whether it is an `EncryptedPrivateKeyInfo` (RFC 5958): how it is encrypted, then bytes.
fn is_encrypted_key(bytes: &[u8]) -> bool {
    let Ok(inner) = Reader(bytes).element(0x30) else { return false };
    let mut inner = Reader(inner);
    inner.element(0x30).is_ok() && inner.element(0x04).is_ok()
}
