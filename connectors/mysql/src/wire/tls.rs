//! TLS as `database.ssl.mode` means it, on rustls, with key and trust stores in PEM, PKCS-12 or JKS, as Java's drivers read
//! them. The crate `certificates` opens them; rustls does everything else.

use std::sync::Arc;

use certificates::{Passwords, Place, Problem, Store};
use relational::tls::{Verifier, is_tls_error};
use rustls_pki_types::ServerName;
use settings::Secret;
use tokio::task::JoinError;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::options::{ConnectOptions, TlsMode};
use super::socket::Socket;
use crate::error::Error;

const KEY_STORE: &str = "database.ssl.keystore";
const TRUST_STORE: &str = "database.ssl.truststore";

/// Does the TLS handshake over a socket whose server has been told that TLS begins.
pub(super) async fn handshake(socket: Box<dyn Socket>, options: &ConnectOptions) -> Result<Box<dyn Socket>, Error> {
    let config = client_config_aside(options).await?;
    let name = ServerName::try_from(options.host.clone())
        .map_err(|_| refused(options, "the host name cannot stand in a certificate"))?;
    match TlsConnector::from(Arc::new(config)).connect(name, socket).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) if is_tls_error(&error) => Err(refused(options, &format!("{error}{}", remedy(options.tls)))),
        Err(source) => Err(Error::Io { doing: "TLS handshake".into(), at: options.at(), source }),
    }
}

fn remedy(mode: TlsMode) -> &'static str {
    match mode {
        TlsMode::VerifyHost => {
            "; the certificate must name the host in subjectAltName and descend from database.ssl.truststore (or, if that is \
             absent, from a root that the system trusts)"
        }
        TlsMode::VerifyChain => {
            "; the certificate must descend from database.ssl.truststore (or, if that is absent, from a root that the system \
             trusts)"
        }
        _ => "; TLS 1.2 and 1.3 are spoken: a server that has neither must be reached with TLS disabled",
    }
}

fn refused(options: &ConnectOptions, reason: &str) -> Error {
    Error::Tls { at: options.at(), reason: reason.into() }
}

/// [`client_config`] on a thread for blocking work, because it reads files: the runtime's two threads serve all connectors
/// and must not wait for a disk.
async fn client_config_aside(options: &ConnectOptions) -> Result<ClientConfig, Error> {
    let options = options.clone();
    match tokio::task::spawn_blocking(move || client_config(&options)).await.map_err(JoinError::try_into_panic) {
        Ok(config) => config,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // Blocking work is only cancelled when the runtime ends, and then nobody waits for the answer.
        Err(Err(_)) => std::future::pending().await,
    }
}

/// The TLS configuration of one connection. Reads the stores each time, so that the next connection uses a renewed
/// certificate.
fn client_config(options: &ConnectOptions) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(options, &provider)?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(options, &error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some(file) = &options.keystore else { return Ok(builder.with_no_client_auth()) };
    let password = given(&options.keystore_password);
    // The store's password also opens a private key in it that is encrypted by itself: Debezium has no other key for it.
    let passwords = Passwords { store: password, key: password };
    let store = Store::open(file, passwords).map_err(|problem| unusable(KEY_STORE, &problem))?;
    let bad = |reason: String| Error::Config { key: KEY_STORE.into(), reason: format!("{}: {reason}", file.display()) };
    let key = store.key.ok_or_else(|| bad("holds no private key".into()))?;
    builder
        .with_client_auth_cert(store.chain, key)
        .map_err(|error| bad(format!("its key does not fit its certificate or is of an unknown kind: {error}")))
}

fn verifier(options: &ConnectOptions, provider: &Arc<CryptoProvider>) -> Result<Verifier, Error> {
    if !matches!(options.tls, TlsMode::VerifyChain | TlsMode::VerifyHost) {
        return Ok(Verifier::of_anything(provider));
    }
    let (trusted, own) = match &options.truststore {
        Some(file) => {
            let store = Store::trust(file, given(&options.truststore_password));
            let trusted = store.map_err(|problem| unusable(TRUST_STORE, &problem))?.trusted;
            (trusted.clone(), trusted)
        }
        None => (rustls_native_certs::load_native_certs().certs, Vec::new()),
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted);
    if roots.is_empty() {
        return Err(Error::Config {
            key: TRUST_STORE.into(),
            reason:
                "no usable root certificate found; name a PEM, PKCS-12 or JKS file with the authority's certificate"
                    .into(),
        });
    }
    Verifier::of_roots(roots, own, options.tls == TlsMode::VerifyHost, provider)
        .map_err(|reason| refused(options, &reason))
}

/// A password, if there is one.
fn given(password: &Secret) -> Option<&str> {
    Some(password.reveal()).filter(|password| !password.is_empty())
}

/// The error of the setting that is to blame for a store that cannot be opened.
fn unusable(setting: &str, problem: &Problem) -> Error {
    let key = match problem.place {
        Place::Store => setting.to_owned(),
        Place::StorePassword | Place::KeyPassword => format!("{setting}.password"),
    };
    Error::Config { key, reason: problem.to_string() }
}
