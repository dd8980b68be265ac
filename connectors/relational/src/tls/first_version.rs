//! Certificates of X.509's first version, which rustls refuses.
//!
//! The manuals of MySQL and MariaDB make a server's certificate with `openssl x509 -req` and no extensions, which gives the
//! first version. OpenSSL and Java accept such a certificate of a server that an authority has signed directly, so both
//! products' own clients do. It cannot be an authority's that stands between.

use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, Error as TlsError};

use super::der;

/// Checks that one of `authorities` has signed the certificate, and that it is valid now. Not its host's name.
pub(super) fn verify_signed_by(
    authorities: &[CertificateDer<'_>],
    certificate: &CertificateDer<'_>,
    now: UnixTime,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), TlsError> {
    let (Some(signed), Some(named)) = (der::signed(certificate), der::named(certificate)) else {
        return Err(CertificateError::BadEncoding.into());
    };
    match der::validity(certificate) {
        Some(validity) if validity.contains(&now.as_secs()) => {}
        Some(_) => return Err(CertificateError::Expired.into()),
        None => return Err(CertificateError::BadEncoding.into()),
    }
    for authority in authorities {
        let Some(authority) = der::named(authority).filter(|authority| authority.subject == named.issuer) else {
            continue;
        };
        for algorithm in algorithms.all {
            if algorithm.public_key_alg_id().as_ref() == authority.key.algorithm
                && algorithm.signature_alg_id().as_ref() == signed.algorithm
                && algorithm.verify_signature(authority.key.bits, signed.body, signed.signature).is_ok()
            {
                return Ok(());
            }
        }
    }
    Err(CertificateError::UnknownIssuer.into())
}

/// Checks with the certificate's key what the server has signed in a handshake of TLS 1.2.
pub(super) fn verify_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, TlsError> {
    let named = der::named(certificate).ok_or(CertificateError::BadEncoding)?;
    let of_scheme = algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme).flat_map(|(_, all)| *all);
    for algorithm in of_scheme {
        if algorithm.public_key_alg_id().as_ref() == named.key.algorithm
            && algorithm.verify_signature(named.key.bits, message, signed.signature()).is_ok()
        {
            return Ok(HandshakeSignatureValid::assertion());
        }
    }
    Err(CertificateError::BadSignature.into())
}

/// The same for TLS 1.3.
pub(super) fn verify_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, TlsError> {
    let named = der::named(certificate).ok_or(CertificateError::BadEncoding)?;
    verify_tls13_signature_with_raw_key(message, &SubjectPublicKeyInfoDer::from(named.key.info), signed, algorithms)
}
