//! An authority, certificates that it has signed, and stores with them, made with openssl and keytool.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// The password of each store.
pub const STORE_PASSWORD: &str = "st0re-canary";
/// The password of the keys in `client.jks` and `server.jks`, and of `client-locked.key`.
pub const KEY_PASSWORD: &str = "k3y-canary";

/// A folder with:
///
/// - `ca.crt`, `stranger.crt`: authorities, of which the second has signed nothing; `ca.p12` and `ca.jks` hold the first;
/// - `server.*` for localhost and 127.0.0.1, and `client.*` for `CN=client`, each as `.key`, `.crt`, `.pem` (both) and `.p12`;
/// - `client.jks` and `server.jks`, whose keys have a password of their own, and `client-locked.key`, the client's in PEM.
pub struct Certificates(TempDir);

fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

impl Certificates {
    /// Makes them; this takes a few seconds.
    pub fn new() -> Self {
        let all = Self(tempfile::tempdir().unwrap());
        for name in ["ca", "stranger"] {
            let (key, certificate, subject) = (format!("{name}.key"), format!("{name}.crt"), format!("/CN={name}"));
            let of = ["-days", "2", "-subj", &subject, "-keyout", &key, "-out", &certificate];
            all.openssl(
                &[&["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"], &of[..]]
                    .concat(),
            );
        }
        all.signed("server", "subjectAltName=DNS:localhost,IP:127.0.0.1");
        all.signed("client", "extendedKeyUsage=clientAuth");
        let import = ["-importcert", "-noprompt", "-alias", "ca", "-file", "ca.crt", "-storepass", STORE_PASSWORD];
        for (form, store) in [("PKCS12", "ca.p12"), ("JKS", "ca.jks")] {
            all.keytool(&[&import[..], &["-storetype", form, "-keystore", store]].concat());
        }
        for name in ["client", "server"] {
            let (from, to) = (format!("{name}.p12"), format!("{name}.jks"));
            let from = ["-importkeystore", "-srckeystore", &from, "-srcstorepass", STORE_PASSWORD, "-srcalias", name];
            let to = ["-destkeystore", &to, "-deststoretype", "JKS", "-deststorepass", STORE_PASSWORD];
            all.keytool(&[&from[..], &to, &["-destkeypass", KEY_PASSWORD]].concat());
        }
        let locked = format!("pass:{KEY_PASSWORD}");
        all.openssl(&["pkcs8", "-topk8", "-in", "client.key", "-passout", &locked, "-out", "client-locked.key"]);
        all
    }

    fn signed(&self, name: &str, extension: &str) {
        let file = |kind: &str| format!("{name}.{kind}");
        let (key, request, certificate, store) = (file("key"), file("csr"), file("crt"), file("p12"));
        let subject = format!("/CN={name}");
        let made = ["-subj", &subject, "-keyout", &key, "-out", &request];
        self.openssl(
            &[&["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"], &made[..]].concat(),
        );
        std::fs::write(self.0.path().join("extension"), extension).unwrap();
        let sign = ["x509", "-req", "-days", "2", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
        let what = ["-extfile", "extension", "-in", &request, "-out", &certificate];
        self.openssl(&[&sign[..], &what].concat());
        let password = format!("pass:{STORE_PASSWORD}");
        let pair = ["pkcs12", "-export", "-name", name, "-inkey", &key, "-in", &certificate, "-certfile", "ca.crt"];
        self.openssl(&[&pair[..], &["-passout", &password, "-out", &store]].concat());
        let both = [key.as_str(), certificate.as_str()].map(|name| self.text(name)).concat();
        std::fs::write(self.0.path().join(file("pem")), both).unwrap();
    }

    fn openssl(&self, arguments: &[&str]) {
        run(Command::new("openssl").current_dir(self.0.path()).args(arguments));
    }

    fn keytool(&self, arguments: &[&str]) {
        run(Command::new("keytool").current_dir(self.0.path()).args(arguments));
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        path.display().to_string()
    }

    /// The text of a PEM file.
    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The text of a PEM file in one line, as a value of a properties file.
    pub fn line(&self, name: &str) -> String {
        self.text(name).lines().collect::<Vec<_>>().join(" ")
    }
}
