//! TLS as libpq understands it, on rustls.
//!
//! libpq's modes are not those of the web: `require` accepts any certificate, `verify-ca` any host name. SCRAM's channel
//! binding needs a hash of the server's certificate. rustls offers none of these: `relational::tls` has them. PostgreSQL manual,
//! chapter "SSL Support" of libpq.
//!
//! Must not know: SQL, the protocol after the handshake.

use std::io;
use std::path::Path;
use std::sync::Arc;

use certificates::{Passwords, Place, Store};
use relational::Tcp;
pub(crate) use relational::tls::is_tls_error;
use relational::tls::{Verifier, signature_hash};
use rustls_pki_types::ServerName;
use tokio::task::JoinError;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::Error;
use crate::wire::options::{ConnectOptions, SslMode};

/// Does the TLS handshake over a socket whose server has answered `S` to the SSLRequest message.
pub(crate) async fn handshake(tcp: Tcp, options: &ConnectOptions) -> Result<TlsStream<Tcp>, Error> {
    let config = client_config_aside(options).await?;
    let name = ServerName::try_from(options.host.clone())
        .map_err(|_| refused(options, "the host name cannot stand in a certificate"))?;
    match TlsConnector::from(Arc::new(config)).connect(name, tcp).await {
        Ok(stream) => Ok(stream),
        Err(error) if is_tls_error(&error) => Err(refused(options, &explain(&error, options))),
        Err(source) => Err(Error::Io { doing: "TLS handshake".into(), at: options.at(), source }),
    }
}

fn explain(error: &io::Error, options: &ConnectOptions) -> String {
    let remedy = match options.sslmode {
        SslMode::VerifyFull => {
            "; the certificate must name the host in subjectAltName and descend from database.sslrootcert (or, if that is \
             absent, from a root that the system trusts)"
        }
        SslMode::VerifyCa | SslMode::Require => {
            "; the certificate must descend from database.sslrootcert (or, if that is absent, from a root that the system \
             trusts)"
        }
        _ => "",
    };
    format!("{error}{remedy}")
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

/// The TLS configuration of one connection. Reads the files of certificates and keys each time, so that the next connection
/// uses a renewed certificate.
pub(crate) fn client_config(options: &ConnectOptions) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(options, &provider)?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(options, &error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some(file) = &options.sslkey else {
        return match options.sslcert {
            None => Ok(builder.with_no_client_auth()),
            Some(_) => Err(missing("database.sslkey", "database.sslcert")),
        };
    };
    let own = key_store(file, options.sslpassword.as_deref())?;
    // A PKCS-12 or JKS store has the certificates beside the key, as for Java's driver.
    let chain = match &options.sslcert {
        Some(file) => certificates_of("database.sslcert", file)?.chain,
        None if own.chain.is_empty() => return Err(missing("database.sslcert", "database.sslkey")),
        None => own.chain,
    };
    let Some(key) = own.key else {
        let reason = format!("{}: holds no private key", file.display());
        return Err(Error::Config { key: "database.sslkey".into(), reason });
    };
    builder.with_client_auth_cert(chain, key).map_err(|error| Error::Config {
        key: "database.sslkey".into(),
        reason: format!("does not fit database.sslcert or is of an unknown kind: {error}"),
    })
}

fn missing(key: &str, beside: &str) -> Error {
    Error::Config { key: key.into(), reason: format!("must be set when {beside} is") }
}

fn verifier(options: &ConnectOptions, provider: &Arc<CryptoProvider>) -> Result<Verifier, Error> {
    let check_name = options.sslmode == SslMode::VerifyFull;
    // As in libpq, `require` with a root certificate is `verify-ca`.
    let wanted = matches!(options.sslmode, SslMode::VerifyCa | SslMode::VerifyFull)
        || (options.sslmode == SslMode::Require && options.sslrootcert.is_some());
    if !wanted {
        return Ok(Verifier::of_anything(provider));
    }
    let named = options.sslrootcert.as_deref().filter(|path| path.as_os_str() != "system");
    let trusted = match named {
        Some(path) => certificates_of("database.sslrootcert", path)?.trusted,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (_, _) = roots.add_parsable_certificates(trusted.iter().cloned());
    if roots.is_empty() {
        return Err(Error::Config {
            key: "database.sslrootcert".into(),
            reason: "no usable root certificate found; name a PEM file with the authority's certificate".into(),
        });
    }
    let own = if named.is_some() { trusted } else { Vec::new() };
    Verifier::of_roots(roots, own, check_name, provider).map_err(|reason| refused(options, &reason))
}

/// Opens the file of `database.sslkey`: PEM, DER, PKCS-12 or JKS. `password` is database.sslpassword, which opens a store and a
/// key.
fn key_store(path: &Path, password: Option<&str>) -> Result<Store, Error> {
    let password = password.filter(|password| !password.is_empty());
    Store::open(path, Passwords { store: password, key: password }).map_err(|problem| {
        let key = match problem.place {
            Place::StorePassword | Place::KeyPassword => "database.sslpassword",
            Place::Store => "database.sslkey",
        };
        Error::Config { key: key.into(), reason: problem.to_string() }
    })
}

/// Opens a file with certificates. A private key beside them is left alone.
fn certificates_of(key: &str, path: &Path) -> Result<Store, Error> {
    Store::trust(path, None).map_err(|problem| Error::Config { key: key.into(), reason: problem.to_string() })
}

/// The data for SCRAM's channel binding: the hash of the server's certificate (RFC 5929, `tls-server-end-point`). `None` when
/// the certificate's signature has no hash of its own (Ed25519): then there is no channel binding, as in libpq.
pub(crate) fn server_end_point(stream: &TlsStream<Tcp>) -> Option<Vec<u8>> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    signature_hash(certificate).map(|hash| hash.digest(certificate))
}
