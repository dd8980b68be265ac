//! Registries that speak TLS, with certificates made by the tests.

use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::symm::Cipher;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;

const TEXT: &str = "schema.registry.ssl.truststore.certificates";
const TRUST: &str = "schema.registry.ssl.truststore.location";
const HOST: &str = "schema.registry.ssl.endpoint.identification.algorithm";
const CHAIN: &str = "schema.registry.ssl.keystore.certificate.chain";
const KEY: &str = "schema.registry.ssl.keystore.key";
const STORE: &str = "schema.registry.ssl.keystore.location";

/// A private key and its certificate.
struct Identity {
    key: PKey<Private>,
    certificate: X509,
}

impl Identity {
    /// A certificate for `host`, signed by `authority`. Without one it signs itself and is an authority.
    fn new(host: &str, authority: Option<&Identity>) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_nid(Nid::COMMONNAME, host).unwrap();
        let subject = subject.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder
            .set_serial_number(
                &BigNum::from_u32(1 + u32::from(authority.is_some())).unwrap().to_asn1_integer().unwrap(),
            )
            .unwrap();
        builder.set_subject_name(&subject).unwrap();
        builder.set_issuer_name(authority.map_or(&*subject, |a| a.certificate.subject_name())).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        builder.set_pubkey(&key).unwrap();
        let context = builder.x509v3_context(authority.map(|a| &*a.certificate), None);
        let names = SubjectAlternativeName::new().dns(host).build(&context).unwrap();
        builder.append_extension(names).unwrap();
        if authority.is_none() {
            builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        }
        builder.sign(authority.map_or(&key, |a| &a.key), MessageDigest::sha256()).unwrap();
        Self { certificate: builder.build(), key }
    }

    fn certificate(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    fn key(&self) -> String {
        String::from_utf8(self.key.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }

    fn encrypted_key(&self, password: &str) -> String {
        let pem = self.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), password.as_bytes());
        String::from_utf8(pem.unwrap()).unwrap()
    }

    fn pkcs12(&self, password: &str) -> Vec<u8> {
        let store = Pkcs12::builder().name("x").pkey(&self.key).cert(&self.certificate).build2(password);
        store.and_then(|store| store.to_der()).unwrap()
    }
}

/// A registry by TLS. It wants a client's certificate of `clients`, when there is such an authority.
async fn serve(identity: &Identity, clients: Option<&Identity>) -> String {
    let provider = Arc::new(ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.certificate().as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(identity.certificate().as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(identity.key().as_bytes()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // It ends with the test's runtime.
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok() {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\n{\"id\":7}";
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    format!("https://localhost:{port}")
}

/// Asks a registry with this certificate.
async fn check(server: &Identity, settings: &[(&str, &str)], expect: Result<(), &str>) {
    let url = serve(server, None).await;
    let outcome = ask(&confluent(&url, settings)).await;
    match (outcome, expect) {
        (Ok(registered), Ok(())) => assert_eq!(registered.id, 7),
        (Err(error), Err(part)) => {
            assert!(!error.is_transient(), "{error:?}");
            assert!(error.to_string().contains(part), "{error}");
            assert!(error.remedy().contains("truststore"), "{}", error.remedy());
        }
        (outcome, _) => panic!("{settings:?}: {outcome:?}"),
    }
}

#[tokio::test]
async fn authorities_and_hosts() {
    let (authority, stranger) = (Identity::new("authority", None), Identity::new("stranger", None));
    let (server, elsewhere) =
        (Identity::new("localhost", Some(&authority)), Identity::new("elsewhere", Some(&authority)));
    let itself = Identity::new("localhost", None);
    let dir = TempDir::new().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let (pem, store) = (file("ca.pem", authority.certificate().as_bytes()), file("ca.p12", &authority.pkcs12("pass")));
    let text = authority.certificate();

    check(&server, &[(TEXT, &text)], Ok(())).await;
    check(&server, &[(TRUST, &pem)], Ok(())).await;
    check(&server, &[(TRUST, &store), ("schema.registry.ssl.truststore.password", "pass")], Ok(())).await;
    check(&server, &[], Err("UnknownIssuer")).await;
    check(&server, &[(TEXT, &stranger.certificate())], Err("UnknownIssuer")).await;
    check(&server, &[(TEXT, &text), (HOST, "")], Ok(())).await;
    check(&elsewhere, &[(TEXT, &text)], Err("not valid for name")).await;
    check(&elsewhere, &[(TEXT, &text), (HOST, "")], Ok(())).await;
    check(&elsewhere, &[(TEXT, &stranger.certificate()), (HOST, "")], Err("UnknownIssuer")).await;
    // A certificate that signs itself is trusted when it is in the trust store.
    check(&itself, &[(TEXT, &itself.certificate())], Ok(())).await;
    check(&itself, &[(TEXT, &text)], Err("CaUsedAsEndEntity")).await;
    check(&server, &[(TEXT, &text), ("schema.registry.ssl.enabled.protocols", "TLSv1.2")], Ok(())).await;
}

#[tokio::test]
async fn a_certificate_of_the_client() {
    let (authority, clients) = (Identity::new("authority", None), Identity::new("clients", None));
    let (server, client) = (Identity::new("localhost", Some(&authority)), Identity::new("client", Some(&clients)));
    let dir = TempDir::new().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let url = serve(&server, Some(&clients)).await;
    let trust = ("schema.registry.ssl.truststore.certificates", &*authority.certificate());
    let with = async |settings: &[(&str, &str)]| ask(&confluent(&url, &[settings, &[trust]].concat())).await;
    assert!(with(&[]).await.is_err(), "the server wants a certificate");
    let (chain, key, encrypted) = (client.certificate(), client.key(), client.encrypted_key("pass"));
    assert_eq!(with(&[(CHAIN, &chain), (KEY, &key)]).await.unwrap().id, 7);
    let password = ("schema.registry.ssl.key.password", "pass");
    assert_eq!(with(&[(CHAIN, &chain), (KEY, &encrypted), password]).await.unwrap().id, 7);
    let pem = file("client.pem", format!("{chain}{key}").as_bytes());
    assert_eq!(with(&[(STORE, &pem)]).await.unwrap().id, 7);
    let store = file("client.p12", &client.pkcs12("pass"));
    assert_eq!(with(&[(STORE, &store), ("schema.registry.ssl.keystore.password", "pass")]).await.unwrap().id, 7);
}

#[test]
fn stores_that_cannot_be_read() {
    #[track_caller]
    fn check(settings: &[(&str, &str)], key: &str, reason: &str, remedy: &str) {
        let url = [("schema.registry.url", "https://localhost")];
        let error = Registry::confluent(&properties(&url, settings)).unwrap_err();
        let RegistryError::Setting { key: told, reason: why, remedy: what, of_file } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(told, key);
        // It may be in the middle of its renewal.
        assert_eq!(*of_file, settings.iter().any(|(key, _)| [STORE, TRUST].contains(key)), "{error:?}");
        assert!(why.contains(reason) && what.contains(remedy), "{error:?}");
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
    }
    let dir = TempDir::new().unwrap();
    let client = Identity::new("client", None);
    let file = |name: &str, content: &[u8]| {
        let path: &Path = &dir.path().join(name);
        std::fs::write(path, content).unwrap();
        path.display().to_string()
    };
    let jks = file("a.jks", include_bytes!("../../../../certificates/tests/data/client.jks"));
    check(&[(STORE, &jks)], STORE, "needs a password", "Set the password");
    let opens = ("schema.registry.ssl.keystore.password", "storepass");
    check(&[(STORE, &jks), opens], STORE, "is encrypted", "password of the private key");
    check(&[(TRUST, "/no/such/file")], TRUST, "/no/such/file cannot be read", "Name a file");
    check(&[(TRUST, &file("x", b"hello"))], TRUST, "neither PEM nor PKCS12", "PEM");
    let p12 = file("c.p12", &client.pkcs12("s3cr3t"));
    check(
        &[(STORE, &p12), ("schema.registry.ssl.keystore.password", "wrong")],
        STORE,
        "the password does not open",
        "Check the password",
    );
    let chain = client.certificate();
    check(
        &[(STORE, &file("c.pem", chain.as_bytes()))],
        STORE,
        "there is no private key in it",
        "beside its certificates",
    );
    check(&[(KEY, &client.key())], KEY, "no certificates for this key", "certificates too");
    let other = Identity::new("other", None).key();
    check(&[(CHAIN, &chain), (KEY, &other)], CHAIN, "will not do", "that was made for it");
    let encrypted = client.encrypted_key("s3cr3t");
    check(&[(CHAIN, &chain), (KEY, &encrypted)], KEY, "is encrypted", "password of the private key");
    let password = ("schema.registry.ssl.key.password", "wrong");
    check(&[(CHAIN, &chain), (KEY, &encrypted), password], password.0, "does not open", "Give the password");
}
