//! Real TLS handshakes, with certificates made by the tests and OpenSSL as the client.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslConnector, SslMethod, SslVersion};
use openssl::symm::Cipher;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::*;
use crate::rest::server::{Limits, Listener, serve};

/// A private key and its certificate.
#[derive(Clone)]
struct Identity {
    key: PKey<Private>,
    certificate: X509,
}

impl Identity {
    /// A certificate signed by `authority`. Without one it signs itself and is an authority.
    fn new(name: &str, authority: Option<&Identity>) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
        let key = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
        let mut subject = X509NameBuilder::new().expect("a name");
        subject.append_entry_by_nid(Nid::COMMONNAME, name).expect("a name");
        let subject = subject.build();
        let mut builder = X509::builder().expect("a certificate");
        let serial = BigNum::from_u32(u32::from(authority.is_some()) + 1).and_then(|n| n.to_asn1_integer());
        builder.set_version(2).expect("v3");
        builder.set_serial_number(&serial.expect("a number")).expect("a number");
        builder.set_subject_name(&subject).expect("a name");
        builder.set_issuer_name(authority.map_or(&*subject, |a| a.certificate.subject_name())).expect("a name");
        builder.set_not_before(&Asn1Time::days_from_now(0).expect("now")).expect("a time");
        builder.set_not_after(&Asn1Time::days_from_now(1).expect("tomorrow")).expect("a time");
        builder.set_pubkey(&key).expect("a key");
        if authority.is_some() {
            let context = builder.x509v3_context(authority.map(|a| &*a.certificate), None);
            let names = SubjectAlternativeName::new().dns("localhost").build(&context).expect("names");
            builder.append_extension(names).expect("names");
        } else {
            builder.append_extension(BasicConstraints::new().critical().ca().build().expect("it is")).expect("it is");
        }
        builder.sign(authority.map_or(&key, |a| &a.key), MessageDigest::sha256()).expect("a signature");
        Self { certificate: builder.build(), key }
    }

    fn certificate_pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().expect("PEM")).expect("text")
    }

    fn key_pem(&self) -> String {
        String::from_utf8(self.key.private_key_to_pem_pkcs8().expect("PEM")).expect("text")
    }

    fn encrypted_key_pem(&self, password: &str) -> String {
        let pem = self.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), password.as_bytes());
        String::from_utf8(pem.expect("PEM")).expect("text")
    }

    fn pkcs12(&self, password: &str) -> Vec<u8> {
        let store = Pkcs12::builder().name("afterimage").pkey(&self.key).cert(&self.certificate).build2(password);
        store.and_then(|store| store.to_der()).expect("a store")
    }
}

struct World {
    dir: TempDir,
    authority: Identity,
    server: Identity,
}

impl World {
    fn new() -> Self {
        let authority = Identity::new("authority", None);
        let server = Identity::new("server", Some(&authority));
        Self { dir: tempfile::tempdir().expect("a directory"), authority, server }
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path: PathBuf = self.dir.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    }

    /// Key and certificate in one PEM file, the form that Kafka wants.
    fn pem(&self) -> String {
        self.put("server.pem", self.server.key_pem() + &self.server.certificate_pem())
    }

    fn read(settings: &[(&str, &str)]) -> Result<Tls, TlsError> {
        Tls::read(&settings.iter().map(|(key, value)| (*key, *value)).collect(), "listeners.https.")
    }

    /// The answer that a client that trusts the authority gets from a server with these settings.
    async fn ask(&self, settings: &[(&str, &str)], client: impl FnOnce(&mut Client)) -> Result<String, String> {
        let tls = Self::read(settings).map_err(|error| error.to_string())?;
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let at = socket.local_addr().expect("an address");
        let router = Router::new().route("/", get(|| async { "ok" }));
        let (_stop, stopped) = watch::channel(false);
        let listener = Listener { socket, tls: Some(tls), router };
        let serving = tokio::spawn(serve(vec![listener], Limits::default(), stopped, Duration::ZERO));
        let mut asks =
            Client { authority: self.authority.certificate.clone(), identity: None, newest: SslVersion::TLS1_3 };
        client(&mut asks);
        let answer = tokio::task::spawn_blocking(move || asks.ask(at)).await.expect("no panic");
        serving.abort();
        answer
    }
}

struct Client {
    authority: X509,
    identity: Option<Identity>,
    newest: SslVersion,
}

impl Client {
    fn ask(&self, at: SocketAddr) -> Result<String, String> {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).expect("a client");
        builder.cert_store_mut().add_cert(self.authority.clone()).expect("an authority");
        builder.set_max_proto_version(Some(self.newest)).expect("a version");
        if let Some(identity) = &self.identity {
            builder.set_certificate(&identity.certificate).expect("a certificate");
            builder.set_private_key(&identity.key).expect("a key");
        }
        let stream = std::net::TcpStream::connect(at).map_err(|e| e.to_string())?;
        let mut stream = builder.build().connect("localhost", stream).map_err(|e| e.to_string())?;
        let mut text = String::new();
        // With TLS 1.3 the server refuses a client's certificate only at this point.
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .and_then(|()| stream.read_to_string(&mut text))
            .map_err(|e| e.to_string())?;
        let version = stream.ssl().version_str();
        text.ends_with("\r\n\r\nok").then(|| version.to_owned()).ok_or(text)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_are_read() {
    let world = World::new();
    let (key, certificate) = (world.server.key_pem(), world.server.certificate_pem());
    let encrypted = world.put("encrypted.pem", world.server.encrypted_key_pem("secret") + &certificate);
    let (pem, store) = (world.pem(), world.put("server.p12", world.server.pkcs12("secret")));
    let jks = world.put("server.jks", include_bytes!("../../../../certificates/tests/data/client.jks"));
    let of_jks =
        [("ssl.keystore.location", &*jks), ("ssl.keystore.password", "storepass"), ("ssl.key.password", "keypass")];
    // Its certificate is for no host, so only that it is opened is seen here.
    assert!(World::read(&of_jks).is_ok());
    let good: [&[(&str, &str)]; 7] = [
        &[("ssl.keystore.type", "PEM"), ("ssl.keystore.location", &pem)],
        // Java also tells PKCS12 from JKS by the content of the file.
        &[("ssl.keystore.location", &store), ("ssl.keystore.password", "secret")],
        &[("ssl.keystore.location", &encrypted), ("ssl.key.password", "secret")],
        &[("ssl.keystore.certificate.chain", &certificate), ("ssl.keystore.key", &key)],
        &[("listeners.https.ssl.keystore.location", &pem)],
        // One key with the prefix is enough: the plain keys then do not count.
        &[("listeners.https.ssl.keystore.location", &pem), ("ssl.keystore.location", "/no/where")],
        &[("ssl.keystore.location", &pem), ("ssl.cipher.suites", "TLS_AES_256_GCM_SHA384, TLS_OTHER")],
    ];
    for settings in good {
        assert_eq!(world.ask(settings, |_| {}).await.as_deref(), Ok("TLSv1.3"), "{settings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions() {
    let world = World::new();
    let pem = world.pem();
    for (enabled, newest, expect) in [
        (None, SslVersion::TLS1_3, Some("TLSv1.3")),
        (None, SslVersion::TLS1_2, Some("TLSv1.2")),
        (Some("TLSv1.2"), SslVersion::TLS1_3, Some("TLSv1.2")),
        (Some("TLSv1.3"), SslVersion::TLS1_3, Some("TLSv1.3")),
        (Some("TLSv1.3"), SslVersion::TLS1_2, None),
        (Some("TLSv1.1,TLSv1.2"), SslVersion::TLS1_2, Some("TLSv1.2")),
    ] {
        let mut settings = vec![("ssl.keystore.location", pem.as_str())];
        settings.extend(enabled.map(|enabled| ("ssl.enabled.protocols", enabled)));
        let seen = world.ask(&settings, |client| client.newest = newest).await;
        assert_eq!(seen.as_deref().ok(), expect, "{enabled:?} {newest:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_show_certificates_as_the_setting_says() {
    let world = World::new();
    let (pem, trusted) = (world.pem(), world.put("trusted.pem", world.authority.certificate_pem()));
    let known = Identity::new("client", Some(&world.authority));
    let unknown = Identity::new("client", Some(&Identity::new("another authority", None)));
    for (auth, client, expect) in [
        ("none", None, true),
        ("none", Some(&unknown), true),
        ("requested", None, true),
        ("requested", Some(&known), true),
        ("requested", Some(&unknown), false),
        ("required", None, false),
        ("required", Some(&known), true),
        ("required", Some(&unknown), false),
    ] {
        for newest in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
            let settings = [
                ("ssl.keystore.location", pem.as_str()),
                ("ssl.truststore.location", trusted.as_str()),
                ("ssl.client.auth", auth),
            ];
            let asks = |asks: &mut Client| {
                asks.identity = client.cloned();
                asks.newest = newest;
            };
            let seen = world.ask(&settings, asks).await;
            let shown = client.map(|client| client.certificate.issuer_name().to_owned());
            assert_eq!(seen.is_ok(), expect, "{auth} {}: {seen:?}", shown.is_some());
        }
    }
}

#[test]
fn doubt_is_an_error_that_names_setting_and_remedy() {
    let world = World::new();
    let (pem, certificate) = (world.pem(), world.server.certificate_pem());
    let other_key = Identity::new("other", None).key_pem();
    let mixed = world.put("mixed.pem", other_key.clone() + &certificate);
    let only_certificate = world.put("certificate.pem", &certificate);
    let only_key = world.put("key.pem", world.server.key_pem());
    let encrypted = world.put("encrypted.pem", world.server.encrypted_key_pem("secret") + &certificate);
    let store = world.put("server.p12", world.server.pkcs12("secret"));
    let jks = world.put("server.jks", include_bytes!("../../../../certificates/tests/data/client.jks"));
    let damaged = world.put("damaged.jks", [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]);
    let (noise, der) = (world.put("noise", "hello"), world.put("der", [0x30, 0x82, 0, 0]));
    let location = "ssl.keystore.location";
    let cases: [(&[(&str, &str)], &str); 21] = [
        (&[], "worker setting ssl.keystore.location: must name"),
        (
            &[("listeners.https.ssl.client.auth", "none"), (location, &pem)],
            "listeners.https.ssl.keystore.location: must",
        ),
        (&[(location, "/no/where")], "/no/where cannot be read"),
        (&[(location, &noise)], "neither PEM nor PKCS12 nor JKS"),
        (&[(location, &der)], "neither PEM nor PKCS12"),
        (&[(location, &damaged)], "damaged.jks is damaged"),
        (&[(location, &jks)], "ssl.keystore.password: "),
        (&[(location, &jks), ("ssl.keystore.password", "storepass")], "ssl.key.password: "),
        (&[(location, &only_certificate)], "no private key"),
        (&[(location, &only_key)], "no certificate"),
        (&[(location, &mixed)], "the key and the certificates will not do"),
        (&[(location, &encrypted)], "ssl.key.password: the private key"),
        (&[(location, &encrypted), ("ssl.key.password", "wrong")], "ssl.key.password: the password does not open"),
        (
            &[(location, &store), ("ssl.keystore.password", "wrong")],
            "ssl.keystore.password: the password does not open",
        ),
        (&[("ssl.keystore.certificate.chain", &certificate)], "ssl.keystore.key: must be set"),
        (&[(location, &pem), ("ssl.enabled.protocols", "TLSv1.1")], "neither TLSv1.2 nor TLSv1.3"),
        (&[(location, &pem), ("ssl.cipher.suites", "TLS_OTHER")], "there are: TLS_AES_256_GCM_SHA384"),
        (
            &[(location, &pem), ("ssl.cipher.suites", "TLS_AES_256_GCM_SHA384"), ("ssl.enabled.protocols", "TLSv1.2")],
            "ssl.cipher.suites",
        ),
        (&[(location, &pem), ("ssl.client.auth", "always")], "'always' is none of"),
        (&[(location, &pem), ("ssl.client.auth", "required")], "ssl.truststore.location: must name"),
        (
            &[(location, &pem), ("ssl.client.auth", "required"), ("ssl.truststore.location", &only_key)],
            "ssl.truststore.location: holds no authority",
        ),
    ];
    for (settings, names) in cases {
        let error = World::read(settings).err().expect(names).to_string();
        assert!(error.contains(names) && !error.contains("wrong"), "{settings:?}: {error}");
    }
}
