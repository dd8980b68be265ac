//! PEM: certificates and keys as text (RFC 7468), read and written.

use openssl::pkey::PKey;
use openssl::x509::X509;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::problem::{Fault, Place, Problem};
use super::{Store, Wanted, keys};

const DAMAGED: Fault = Fault::Damaged("PEM");
const LINE: usize = 64;
const BEGIN: &str = "-----BEGIN ";

/// Whether there is PEM in it.
pub(crate) fn is(bytes: &[u8]) -> bool {
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN.as_bytes())
}

pub(crate) fn open(bytes: &[u8], wanted: Wanted<'_>) -> Result<Store, Fault> {
    // Comments beside the sections may be in any character set.
    let text = String::from_utf8_lossy(bytes);
    let certificates = relined(&text, |label| label == "CERTIFICATE")?;
    let chain = CertificateDer::pem_slice_iter(certificates.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|_| DAMAGED)?;
    let key = match wanted.key() {
        Some(passwords) => key(&relined(&text, |label| label.ends_with("PRIVATE KEY"))?, passwords.key)?,
        None => None,
    };
    Ok(Store { key, trusted: chain.clone(), chain, is_pem: true })
}

/// The first private key of a text.
fn key(text: &str, password: Option<&str>) -> Result<Option<PrivateKeyDer<'static>>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    // "BEGIN ENCRYPTED PRIVATE KEY", or the older "Proc-Type: 4,ENCRYPTED" inside.
    if text.contains("ENCRYPTED") {
        let password = password.ok_or(Fault::NoKeyPassword)?;
        let opened = PKey::private_key_from_pem_passphrase(text.as_bytes(), password.as_bytes())
            .and_then(|key| keys::whole(&key))
            .map_err(|_| Fault::WrongKeyPassword)?;
        return Ok(Some(opened));
    }
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| DAMAGED)?;
    // rustls may know a key that OpenSSL does not.
    Ok(Some(PKey::private_key_from_der(key.secret_der()).and_then(|opened| keys::whole(&opened)).unwrap_or(key)))
}

/// The sections with these labels, with the lines that the readers want. Java takes PEM in one line, with blanks where the lines
/// ended. A section without its end is an error: the file may be half written.
fn relined(text: &str, is_wanted: impl Fn(&str) -> bool) -> Result<String, Fault> {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while rest.contains(BEGIN) {
        let (label, content, after) = section(rest).ok_or(DAMAGED)?;
        rest = after;
        if !is_wanted(label) {
            continue;
        }
        out.push_str(BEGIN);
        out.push_str(label);
        out.push_str("-----\n");
        if content.contains(':') {
            // Headers, whose lines mean something.
            out.push_str(content.trim());
            out.push('\n');
        } else {
            let mut at = 0;
            for c in content.chars().filter(|c| !c.is_whitespace()) {
                if at == LINE {
                    out.push('\n');
                    at = 0;
                }
                out.push(c);
                at += 1;
            }
            out.push('\n');
        }
        out.push_str("-----END ");
        out.push_str(label);
        out.push_str("-----\n");
    }
    Ok(out)
}

/// The next section of a text: its label, what stands inside, and the text behind it.
fn section(text: &str) -> Option<(&str, &str, &str)> {
    let (_, text) = text.split_once(BEGIN)?;
    let (label, text) = text.split_once("-----")?;
    let (content, text) = text.split_once("-----END ")?;
    let (_, after) = text.split_once("-----")?;
    Some((label, content, after))
}

fn unusable(what: &str) -> Problem {
    Problem {
        place: Place::Store,
        reason: format!("{what} in it is of no kind that is known here"),
        remedy: "Make it anew, with an RSA or EC key".to_owned(),
    }
}

/// Certificates as PEM text, for clients that take no other form.
///
/// # Errors
/// When one of them is no certificate.
pub fn certificates_to_pem(certificates: &[CertificateDer<'_>]) -> Result<String, Problem> {
    let mut text = String::new();
    for certificate in certificates {
        let pem = X509::from_der(certificate).and_then(|certificate| certificate.to_pem());
        text.push_str(&String::from_utf8_lossy(&pem.map_err(|_| unusable("a certificate"))?));
    }
    Ok(text)
}

/// A private key as PEM text (PKCS#8, not encrypted), for clients that take no other form.
///
/// # Errors
/// When it is no key.
pub fn key_to_pem(key: &PrivateKeyDer<'_>) -> Result<String, Problem> {
    let pem = PKey::private_key_from_der(key.secret_der()).and_then(|key| key.private_key_to_pem_pkcs8());
    Ok(String::from_utf8_lossy(&pem.map_err(|_| unusable("the private key"))?).into_owned())
}
