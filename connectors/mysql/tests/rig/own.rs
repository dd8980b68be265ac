//! A server of a test's own, with certificates, that `scripts/servers.sh` starts.
//!
//! Purpose: TLS, plugins for the log-in and purged binlogs are settings of a whole server.
//!
//! Must not know: what is tested.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mysql::Flavour;

pub struct Own {
    pub at: String,
    dir: PathBuf,
}

const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/servers.sh");

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Own {
    /// With the certificate of this name, or without TLS for an empty one.
    pub fn start(flavour: Flavour, name: &str, certificate: &str, more: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("afterimage-own-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        certificates(&dir);
        Self::launch(flavour, dir, certificate, more)
    }

    /// Without TLS, and without the certificates, which take a while.
    pub fn plain(flavour: Flavour, name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("afterimage-own-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self::launch(flavour, dir, "", "")
    }

    fn launch(flavour: Flavour, dir: PathBuf, certificate: &str, more: &str) -> Self {
        let file = |name: &str| dir.join(name).display().to_string();
        let tls = match (certificate, flavour) {
            ("", Flavour::MySql) => "--tls-version=".to_owned(),
            // Since 11.4 a server without a certificate makes one for itself.
            ("", Flavour::MariaDb) => "--skip-ssl".to_owned(),
            _ => format!(
                "--ssl-ca={} --ssl-cert={} --ssl-key={}",
                file("ca.crt"),
                file(&format!("{certificate}.crt")),
                file(&format!("{certificate}.key"))
            ),
        };
        let (product, variable) = match flavour {
            Flavour::MySql => ("mysql", "AFTERIMAGE_MYSQL_EXTRA"),
            Flavour::MariaDb => ("mariadb", "AFTERIMAGE_MARIADB_EXTRA"),
        };
        let at = run(Command::new(SERVERS).arg(product).arg(dir.join("server")).env(variable, format!("{tls} {more}")));
        Self { at, dir }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = Command::new(SERVERS).args(["stop", "--now"]).arg(self.dir.join("server")).status();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Makes an authority, certificates of servers and a client that it has signed, an authority that has signed nothing, and
/// PKCS-12 and JKS stores with the password `geheim`.
fn certificates(dir: &Path) {
    let openssl = |arguments: &[&str]| {
        run(Command::new("openssl").current_dir(dir).args(arguments));
    };
    for name in ["ca", "stranger"] {
        let subject = format!("/CN={name}");
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        let make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &subject, "-keyout"];
        openssl(&[&make[..], &[&key, "-out", &certificate]].concat());
    }
    let signed = |name: &str, subject: &str, extension: Option<&str>| {
        let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.crt"));
        openssl(&["req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", &key, "-out", &request]);
        let mut sign = vec!["x509", "-req", "-days", "2", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
        if let Some(extension) = extension {
            std::fs::write(dir.join("extension"), extension).unwrap();
            sign.extend(["-extfile", "extension"]);
        }
        openssl(&[&sign[..], &["-in", &request, "-out", &certificate]].concat());
    };
    signed("server", "/CN=localhost", Some("subjectAltName=DNS:localhost\n"));
    // As MySQL's manual makes them: X.509 version 1, without extensions.
    signed("old", "/CN=localhost", None);
    signed("client", "/CN=client", Some("extendedKeyUsage=clientAuth\n"));
    let password = "pass:geheim";
    let pair = ["pkcs12", "-export", "-inkey", "client.key", "-in", "client.crt", "-passout", password, "-out"];
    openssl(&[&pair[..], &["client.p12"]].concat());
    openssl(&["pkcs12", "-export", "-nokeys", "-in", "ca.crt", "-passout", password, "-out", "ca.p12"]);
    let both = ["client.key", "client.crt"].map(|name| std::fs::read(dir.join(name)).unwrap()).concat();
    std::fs::write(dir.join("client.pem"), both).unwrap();
    let keytool = |arguments: &[&str]| {
        run(Command::new("keytool").current_dir(dir).args(arguments));
    };
    let to_jks = ["-storetype", "JKS", "-storepass", "geheim", "-keystore"];
    keytool(&[&["-importcert", "-noprompt", "-alias", "ca", "-file", "ca.crt"][..], &to_jks, &["ca.jks"]].concat());
    let to_jks = ["-deststoretype", "JKS", "-deststorepass", "geheim", "-destkeystore", "client.jks"];
    let from = ["-importkeystore", "-srckeystore", "client.p12", "-srcstorepass", "geheim"];
    keytool(&[&from[..], &to_jks].concat());
    std::fs::write(dir.join("damaged.jks"), [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]).unwrap();
    // The server's user is another one.
    for name in ["server.key", "old.key"] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(dir.join(name), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
}
