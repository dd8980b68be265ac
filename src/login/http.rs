//! The client for servers of tokens and of AWS credentials: bounded in time and size, without redirects and proxies.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certificates::{Passwords, Store};
use relational::tls::Verifier;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::source::Failure;

/// No answer with a token is as long.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// Whom HTTPS trusts, and with what the client shows itself: the options `ssl.*` of the login module.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Tls {
    /// `ssl.truststore.location`: a file (PEM, PKCS12 or JKS).
    pub trust_file: Option<String>,
    /// `ssl.truststore.certificates`: PEM text, which wins over the file.
    pub trust_text: Option<String>,
    /// `ssl.truststore.password`.
    pub trust_password: Option<String>,
    /// `ssl.keystore.location`: the client's own certificate and key.
    pub key_file: Option<String>,
    /// `ssl.keystore.password`.
    pub key_store_password: Option<String>,
    /// `ssl.key.password`.
    pub key_password: Option<String>,
}

impl Tls {
    fn config(&self) -> Result<ClientConfig, Failure> {
        let wrong = |option: &str, reason: &str, remedy: &str| {
            Failure::lasting(format!("{option} in sasl.jaas.config: {reason}. {remedy}"))
        };
        let provider = Arc::new(ring::default_provider());
        let (mut roots, mut named) = (RootCertStore::empty(), Vec::new());
        let opened = match (&self.trust_text, &self.trust_file) {
            (Some(text), _) => Some(("ssl.truststore.certificates", Store::trust_of_pem(text))),
            (None, Some(file)) => {
                Some(("ssl.truststore.location", Store::trust(Path::new(file), self.trust_password.as_deref())))
            }
            (None, None) => None,
        };
        if let Some((option, opened)) = opened {
            let store = opened.map_err(|problem| wrong(option, &problem.reason, &problem.remedy))?;
            if roots.add_parsable_certificates(store.trusted.iter().cloned()).0 == 0 {
                return Err(wrong(option, "there is no usable certificate in it", "Name the authority's certificate"));
            }
            named.extend(store.trusted);
        } else {
            let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        // A system may have no authorities. A server without TLS can be used there all the same.
        let verifier = Verifier::of_roots(roots, named, true, &provider);
        let verifier = verifier.unwrap_or_else(|_| Verifier::of_nobody(&provider));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::lasting(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let Some(file) = &self.key_file else { return Ok(builder.with_no_client_auth()) };
        let option = "ssl.keystore.location";
        let passwords = Passwords { store: self.key_store_password.as_deref(), key: self.key_password.as_deref() };
        let store = Store::open(Path::new(file), passwords);
        let store = store.map_err(|problem| wrong(option, &problem.reason, &problem.remedy))?;
        let key = store.key.ok_or_else(|| wrong(option, "there is no private key in it", "Put the key into it"))?;
        builder
            .with_client_auth_cert(store.chain, key)
            .map_err(|error| wrong(option, &error.to_string(), "Name a key and its certificate"))
    }
}

/// A client. `connecting` bounds a connection, `reading` the wait for more of an answer.
pub(super) fn client(tls: &Tls, connecting: Duration, reading: Duration) -> Result<Client, Failure> {
    Client::builder()
        .tls_backend_preconfigured(tls.config()?)
        .redirect(Policy::none())
        .user_agent(concat!("afterimage/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connecting)
        .read_timeout(reading)
        .no_proxy()
        .build()
        .map_err(|error| Failure::lasting(format!("the HTTP client cannot be made: {}", cause(&error))))
}

/// The content of an answer.
pub(super) async fn text(mut response: Response) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::passing(cause(&error)))? {
        if bytes.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Failure::lasting("the answer is too long for one with a token"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What is at the bottom of an error: `connection refused`, say. reqwest's own message repeats the address, which may hold a user
/// and a password.
pub(super) fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    if std::ptr::eq(std::ptr::from_ref(deepest).cast::<()>(), std::ptr::from_ref(error).cast::<()>()) {
        return "the connection failed".to_owned();
    }
    deepest.to_string()
}

/// An address without user, password, query and fragment.
pub(super) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    // Neither can fail for an address with a host, and others are refused before.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

/// An address over HTTP. Others, such as `file:`, are refused: whoever may set a connector's properties must not read files by it.
pub(super) fn address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "it is no URL")?;
    match url.scheme() {
        "http" | "https" if url.host().is_some() => Ok(url),
        _ => Err("it is no URL of http or https with a host"),
    }
}
