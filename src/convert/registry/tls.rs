//! The client's side of HTTPS, on rustls.
//!
//! Confluent's `schema.registry.ssl.*` and Apicurio's `apicurio.registry.tls.*` say the same things by other names, so
//! this file gets values with the names of their keys. Stores are PEM or PKCS12, found out from the content; Java's own
//! JKS is refused with the command that converts it. Without a trust store, the authorities that the system trusts are
//! trusted.
//!
//! Must not know: HTTP.

use std::sync::Arc;

use openssl::asn1::Asn1Time;
use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::x509::X509;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use settings::Secret;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as RustlsError, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};

use super::RegistryError;

/// A value and the key that it was set by.
#[derive(Clone, Debug)]
pub(super) struct Set<T> {
    pub(super) key: &'static str,
    pub(super) value: T,
}

/// Where certificates or keys are.
#[derive(Clone, Debug)]
pub(super) enum Store {
    /// A file, PEM or PKCS12.
    File(String),
    /// PEM text.
    Text(Secret),
}

/// What a connection by TLS needs.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    /// The authorities that are trusted; none: the system's.
    pub(super) trusted: Vec<Set<Store>>,
    pub(super) trusted_password: Option<Secret>,
    /// The client's certificates.
    pub(super) own: Option<Set<Store>>,
    /// The client's private key, where it is apart from the certificates.
    pub(super) own_key: Option<Set<Store>>,
    pub(super) own_password: Option<Secret>,
    pub(super) key_password: Option<Set<Secret>>,
    /// Whether the server's certificate must name the host.
    pub(super) checks_host: bool,
    /// Whether the server's certificate is checked at all.
    pub(super) checks_certificate: bool,
    /// The names of TLS versions, as Java writes them; empty: those that are safe.
    pub(super) versions: Vec<String>,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            trusted_password: None,
            own: None,
            own_key: None,
            own_password: None,
            key_password: None,
            checks_host: true,
            checks_certificate: true,
            versions: Vec::new(),
        }
    }
}

/// What was read from a store.
#[derive(Default)]
struct Read {
    key: Option<PrivateKeyDer<'static>>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Tls {
    /// Reads the files and makes the configuration of connections.
    ///
    /// # Errors
    /// Names the key whose value will not do.
    pub(super) fn client_config(&self) -> Result<ClientConfig, RegistryError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.protocol_versions())
            .map_err(|error| RegistryError::setting("ssl.enabled.protocols", error.to_string(), "Remove it."))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self.verifier(&provider)?));
        let Some(own) = &self.own else {
            if let Some(key) = &self.own_key {
                let remedy = "Set the client's certificates too.";
                return Err(RegistryError::setting(key.key, "there are no certificates for this key", remedy));
            }
            return Ok(builder.with_no_client_auth());
        };
        let mut read = self.read(own, self.own_password.as_ref())?;
        if let Some(key) = &self.own_key {
            read.key = self.read(key, None)?.key;
        }
        let Some(key) = read.key else {
            return Err(RegistryError::setting(
                own.key,
                "there is no private key in it",
                "Put the private key beside its certificates.",
            ));
        };
        builder.with_client_auth_cert(read.certificates, key).map_err(|error| {
            let reason = format!("the key and the certificates will not do: {error}");
            RegistryError::setting(own.key, reason, "Name a key and the certificate that was made for it.")
        })
    }

    fn protocol_versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let named = |name: &str| self.versions.is_empty() || self.versions.iter().any(|version| version == name);
        let mut versions: Vec<&'static SupportedProtocolVersion> = Vec::new();
        if named("TLSv1.3") {
            versions.push(&TLS13);
        }
        if named("TLSv1.2") {
            versions.push(&TLS12);
        }
        versions
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Verifier, RegistryError> {
        let mut verifier = Verifier {
            trust: Trust::Everyone,
            named: Vec::new(),
            checks_host: self.checks_host,
            provider: Arc::clone(provider),
        };
        if !self.checks_certificate {
            return Ok(verifier);
        }
        let mut roots = RootCertStore::empty();
        if self.trusted.is_empty() {
            let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for store in &self.trusted {
            let read = self.read(store, self.trusted_password.as_ref())?;
            if roots.add_parsable_certificates(read.certificates.iter().cloned()).0 == 0 {
                return Err(RegistryError::setting(
                    store.key,
                    "there is no usable certificate in it",
                    "Name a PEM file with the certificate of the authority that signed the registry's certificate.",
                ));
            }
            verifier.named.extend(read.certificates);
        }
        // A system may have no authorities. A registry without TLS can be used there all the same.
        verifier.trust =
            match WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build() {
                Ok(chain) => Trust::Chain(chain),
                Err(_) => Trust::Nobody,
            };
        Ok(verifier)
    }

    fn read(&self, store: &Set<Store>, password: Option<&Secret>) -> Result<Read, RegistryError> {
        let file = match &store.value {
            Store::Text(text) => return self.pem(store.key, text.reveal().as_bytes()),
            Store::File(file) => file,
        };
        let bytes = std::fs::read(file).map_err(|error| {
            let remedy = "Name a file that the daemon's user can read.";
            RegistryError::setting(store.key, format!("{file} cannot be read: {error}"), remedy)
        })?;
        if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) {
            let remedy = format!(
                "Convert it: keytool -importkeystore -srckeystore {file} -srcstoretype JKS -destkeystore NEW.p12 \
                 -deststoretype PKCS12, and name NEW.p12."
            );
            return Err(RegistryError::setting(
                store.key,
                format!("{file} is a Java key store (JKS), which cannot be read here"),
                remedy,
            ));
        }
        match bytes.first() {
            Some(0x30) => pkcs12(store.key, file, &bytes, password),
            _ if has(&bytes, b"-----BEGIN") => self.pem(store.key, &bytes),
            _ => Err(RegistryError::setting(
                store.key,
                format!("{file} is neither PEM nor PKCS12"),
                "Name a PEM or PKCS12 file.",
            )),
        }
    }

    fn pem(&self, key: &'static str, text: &[u8]) -> Result<Read, RegistryError> {
        let bad = |error: &dyn std::fmt::Display| {
            RegistryError::setting(key, format!("it is no PEM: {error}"), "Name a PEM file, or give its text.")
        };
        let certificates = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>().map_err(|e| bad(&e))?;
        let private = if has(text, b"ENCRYPTED") {
            let Some(password) = &self.key_password else {
                let remedy = "Set the password of the private key.";
                return Err(RegistryError::setting(key, "its private key is encrypted", remedy));
            };
            let opened = PKey::private_key_from_pem_passphrase(text, password.value.reveal().as_bytes())
                .and_then(|private| private.private_key_to_pkcs8())
                .map_err(|_| {
                    let reason = format!("it does not open the private key in {key}");
                    RegistryError::setting(password.key, reason, "Give the password that the key was encrypted with.")
                })?;
            Some(PrivatePkcs8KeyDer::from(opened).into())
        } else if has(text, b"PRIVATE KEY-----") {
            Some(PrivateKeyDer::from_pem_slice(text).map_err(|e| bad(&e))?)
        } else {
            None
        };
        Ok(Read { key: private, certificates })
    }
}

fn has(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

fn pkcs12(key: &'static str, file: &str, bytes: &[u8], password: Option<&Secret>) -> Result<Read, RegistryError> {
    let refused = |reason: String| {
        let remedy = format!(
            "Check the password. A file that is encrypted in the way of Java before 17 is not read here; convert it: \
             openssl pkcs12 -legacy -in {file} -nodes -out NEW.pem, and name NEW.pem."
        );
        RegistryError::setting(key, reason, remedy)
    };
    let broken = |error: &dyn std::fmt::Display| refused(format!("{file} cannot be used: {error}"));
    let opened = Pkcs12::from_der(bytes)
        .map_err(|_| refused(format!("{file} is neither PEM nor PKCS12")))?
        .parse2(password.map_or("", Secret::reveal))
        .map_err(|_| refused(format!("{file} cannot be opened with the password")))?;
    let private = opened.pkey.map(|private| private.private_key_to_pkcs8()).transpose().map_err(|e| broken(&e))?;
    let mut certificates = Vec::new();
    for certificate in opened.cert.into_iter().chain(opened.ca.into_iter().flatten()) {
        certificates.push(CertificateDer::from(certificate.to_der().map_err(|e| broken(&e))?));
    }
    Ok(Read { key: private.map(|private| PrivatePkcs8KeyDer::from(private).into()), certificates })
}

/// Verifies the server's certificate. rustls's own verifier always checks the host's name; this one may leave that out.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    /// The certificates of the trust store. A server may present one of them itself (self-signed): Java accepts that,
    /// rustls refuses it.
    named: Vec<CertificateDer<'static>>,
    checks_host: bool,
    provider: Arc<CryptoProvider>,
}

/// Which certificates are accepted.
#[derive(Debug)]
enum Trust {
    /// Every certificate.
    Everyone,
    /// None, because there is no authority.
    Nobody,
    /// Those that descend from an authority.
    Chain(Arc<WebPkiServerVerifier>),
}

impl Verifier {
    /// Accepts a certificate that is itself in the trust store, unless it has expired or names another host.
    fn verify_named(&self, end_entity: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), RustlsError> {
        let expired = || -> Result<bool, ErrorStack> {
            let (certificate, now) = (X509::from_der(end_entity)?, Asn1Time::days_from_now(0)?);
            Ok(certificate.not_after() < now || certificate.not_before() > now)
        };
        match expired() {
            Ok(false) if self.checks_host => verify_server_name(&ParsedCertificate::try_from(end_entity)?, name),
            Ok(false) => Ok(()),
            Ok(true) => Err(CertificateError::Expired.into()),
            Err(_) => Err(CertificateError::BadEncoding.into()),
        }
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
    ) -> Result<ServerCertVerified, RustlsError> {
        let chain = match &self.trust {
            Trust::Everyone => return Ok(ServerCertVerified::assertion()),
            Trust::Nobody => return Err(CertificateError::UnknownIssuer.into()),
            Trust::Chain(chain) => chain,
        };
        if self.named.iter().any(|named| named.as_ref() == end_entity.as_ref()) {
            return self.verify_named(end_entity, server_name).map(|()| ServerCertVerified::assertion());
        }
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // rustls checks the name last: when it complains of the name, the chain is good.
            Err(RustlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_host => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
