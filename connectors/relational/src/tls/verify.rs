//! Verifies a server's certificate in one of three degrees, as libpq and MySQL's and MariaDB's drivers do.

use std::sync::Arc;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use super::{der, first_version};

/// Three degrees: nothing; the chain; the chain and the host name. That the server has the certificate's
/// private key is always verified.
#[derive(Debug)]
pub struct Verifier {
    trust: Trust,
    /// The certificates that the user trusts by name. A server may present one of them itself (self-signed): libpq and Java
    /// accept that, rustls refuses it.
    named: Vec<CertificateDer<'static>>,
    check_name: bool,
    provider: Arc<CryptoProvider>,
}

/// Which certificates are accepted.
#[derive(Debug)]
enum Trust {
    Anything,
    Nobody,
    /// Those that descend from an authority.
    Chain(Arc<WebPkiServerVerifier>),
}

impl Verifier {
    /// Accepts any certificate.
    pub fn of_anything(provider: &Arc<CryptoProvider>) -> Self {
        Self { trust: Trust::Anything, named: Vec::new(), check_name: false, provider: Arc::clone(provider) }
    }

    /// Accepts no certificate, because no authority is known.
    pub fn of_nobody(provider: &Arc<CryptoProvider>) -> Self {
        Self { trust: Trust::Nobody, named: Vec::new(), check_name: false, provider: Arc::clone(provider) }
    }

    /// Accepts a certificate that descends from `roots` or is one of `named`, and with `check_name` only if it names the
    /// host. The error is rustls's text.
    pub fn of_roots(
        roots: RootCertStore,
        named: Vec<CertificateDer<'static>>,
        check_name: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { trust: Trust::Chain(chain), named, check_name, provider: Arc::clone(provider) })
    }
}

/// Whether the certificate names the host only in its common name, which may have `*` as its first label. libpq and the
/// JDBC drivers take the common name when there is no subjectAltName.
fn common_name_is(certificate: &CertificateDer<'_>, host: &ServerName<'_>) -> bool {
    let Some(name) = der::lone_common_name(certificate) else { return false };
    let host = host.to_str();
    if name.eq_ignore_ascii_case(&host) {
        return true;
    }
    match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(domain), Some((_, rest))) => domain.contains('.') && domain.eq_ignore_ascii_case(rest),
        _ => false,
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let chain = match &self.trust {
            Trust::Anything => return Ok(ServerCertVerified::assertion()),
            Trust::Nobody => return Err(CertificateError::UnknownIssuer.into()),
            Trust::Chain(chain) => chain,
        };
        if self.named.iter().any(|named| named.as_ref() == end_entity.as_ref()) {
            match der::validity(end_entity) {
                Some(validity) if validity.contains(&now.as_secs()) => {}
                Some(_) => return Err(CertificateError::Expired.into()),
                None => return Err(CertificateError::BadEncoding.into()),
            }
            let is_named = common_name_is(end_entity, server_name);
            if self.check_name && !is_named && der::is_first_version(end_entity) {
                return Err(CertificateError::NotValidForName.into());
            }
            if self.check_name && !is_named {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        if der::is_first_version(end_entity) {
            let algorithms = &self.provider.signature_verification_algorithms;
            first_version::verify_signed_by(&self.named, end_entity, now, algorithms)?;
            if self.check_name && !common_name_is(end_entity, server_name) {
                return Err(CertificateError::NotValidForName.into());
            }
            return Ok(ServerCertVerified::assertion());
        }
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // rustls checks the name last: when it complains of the name, the chain is good.
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.check_name || common_name_is(end_entity, server_name) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        if der::is_first_version(cert) {
            return first_version::verify_tls12(message, cert, dss, &self.provider.signature_verification_algorithms);
        }
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        if der::is_first_version(cert) {
            return first_version::verify_tls13(message, cert, dss, &self.provider.signature_verification_algorithms);
        }
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
