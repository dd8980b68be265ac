//! TLS to a collector whose address is https, on rustls: by the authorities that the system trusts, or by those of
//! `OTEL_EXPORTER_OTLP_CERTIFICATE`, and with a certificate of one's own if one is named.
//!
//! Must not know: what is sent.

use std::path::Path;
use std::sync::Arc;

use certificates::{Passwords, Store};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::exporter::TraceError;
use super::settings::Exporting;

/// The configuration of connections.
///
/// # Errors
/// Names the setting whose file will not do.
pub(super) fn client_config(settings: &Exporting) -> Result<ClientConfig, TraceError> {
    let wrong = |key: &'static str, reason: &dyn std::fmt::Display| TraceError { key, reason: reason.to_string() };
    let mut roots = RootCertStore::empty();
    match &settings.certificate {
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        Some((key, file)) => {
            let store = Store::trust(Path::new(file), None).map_err(|problem| wrong(key, &problem))?;
            if roots.add_parsable_certificates(store.trusted).0 == 0 {
                let reason = "there is no usable certificate in it: name a PEM file with the certificate of the authority that \
                    signed the collector's";
                return Err(wrong(key, &reason));
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("otel.exporter.otlp.endpoint", &error))?
        .with_root_certificates(roots);
    let (Some((of_chain, chain)), Some((of_key, key))) = (&settings.client_certificate, &settings.client_key) else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = Store::trust(Path::new(chain), None).map_err(|problem| wrong(of_chain, &problem))?;
    let opened = Store::open(Path::new(key), Passwords::default()).map_err(|problem| wrong(of_key, &problem))?;
    let Some(key) = opened.key else { return Err(wrong(of_key, &"there is no private key in it")) };
    builder
        .with_client_auth_cert(chain.chain, key)
        .map_err(|error| wrong(of_key, &format!("the key and the certificates will not do: {error}")))
}
