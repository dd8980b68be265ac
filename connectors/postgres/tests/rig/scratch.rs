//! A PostgreSQL server for one test: passwords by SCRAM, TLS with a certificate authority that is made for the test.
//!
//! The server that the tests share trusts everybody, so logging in can be tested only against another one.
//!
//! Must not know: what is tested.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Scratch {
    pub dir: PathBuf,
    pub port: u16,
    postmaster: Child,
}

/// Finds a program of the PostgreSQL server: in `AFTERIMAGE_POSTGRES_BIN`, on the path, or where Debian installs it.
fn program(name: &str) -> PathBuf {
    let chosen = std::env::var_os("AFTERIMAGE_POSTGRES_BIN").map(PathBuf::from);
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin"));
    chosen
        .into_iter()
        .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()))
        .chain(debian)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: install PostgreSQL's server programs"))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout.starts_with(b"0\n")
}

/// A command that runs as another user when the tests run as root, because PostgreSQL refuses to run as root.
fn as_server(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    command
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Scratch {
    /// `certificate` is `server` (with subjectAltName) or `bare` (common name only).
    pub fn start(hba: &str, certificate: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = std::env::temp_dir().join(format!("afterimage-scratch-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("password"), "geheim\n").unwrap();
        certificates(&dir);
        if is_root() {
            run(Command::new("chown").args(["-R", "65534:65534"]).arg(&dir));
        }
        let data = dir.join("data");
        run(as_server(&program("initdb"))
            .current_dir(&dir)
            .args(["-U", "postgres", "--auth=scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C", "--pwfile"])
            .arg(dir.join("password"))
            .arg("-D")
            .arg(&data));
        std::fs::write(data.join("pg_hba.conf"), hba).unwrap();
        // The map `any`, for hba lines with map=any: whoever has a certificate is by_cert.
        std::fs::write(data.join("pg_ident.conf"), "any /^(.*)$ by_cert\n").unwrap();
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let setting = |name: &str, file: &str| format!("{name}={}", dir.join(file).display());
        let postmaster = as_server(&program("postgres"))
            .current_dir(&dir)
            .arg("-D")
            .arg(&data)
            .args([
                "-p",
                &port.to_string(),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "wal_level=logical",
                "-c",
                "fsync=off",
            ])
            .args(["-c", "unix_socket_directories=", "-c", "ssl=on"])
            .args(["-c", &setting("ssl_cert_file", &format!("{certificate}.crt"))])
            .args(["-c", &setting("ssl_key_file", &format!("{certificate}.key"))])
            .args(["-c", &setting("ssl_ca_file", "ca.crt")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut scratch = Self { dir, port, postmaster };
        for _ in 0..200 {
            if std::fs::read_to_string(scratch.dir.join("log")).unwrap().contains("ready to accept connections") {
                return scratch;
            }
            assert!(scratch.postmaster.try_wait().unwrap().is_none(), "the server ended: {}", scratch.log());
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server did not start: {}", scratch.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's "fast shutdown"; after SIGKILL its children would live on for a while. It is sent by the
        // shell's built-in kill, because a small machine may lack the program (package procps).
        let _ = Command::new("sh").args(["-c", "kill -INT $0", &self.postmaster.id().to_string()]).status();
        let _ = self.postmaster.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Makes an authority, certificates of servers and a client that it has signed, and an authority that has signed nothing.
fn certificates(dir: &Path) {
    let authority = |name: &str, hash: &str| {
        run(Command::new("openssl")
            .current_dir(dir)
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", hash, "-subj"])
            .arg(format!("/CN={name}"))
            .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.crt")]));
    };
    authority("ca", "-sha256");
    authority("stranger", "-sha256");
    let signed = |name: &str, subject: &str, extension: &str, hash: &str| {
        run(Command::new("openssl")
            .current_dir(dir)
            .args(["req", "-newkey", "rsa:2048", "-nodes", "-subj", subject])
            .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.csr")]));
        std::fs::write(dir.join("extension"), extension).unwrap();
        run(Command::new("openssl")
            .current_dir(dir)
            .args(["x509", "-req", "-days", "2", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", hash])
            .args(["-extfile", "extension", "-in", &format!("{name}.csr"), "-out", &format!("{name}.crt")]));
    };
    signed("server", "/CN=localhost", "subjectAltName=DNS:localhost\n", "-sha384");
    signed("bare", "/CN=LocalHost", "basicConstraints=CA:FALSE\n", "-sha512");
    signed("client", "/CN=postgres", "extendedKeyUsage=clientAuth\n", "-sha256");
    let der = ["pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", "client.key", "-out", "client.pk8"];
    run(Command::new("openssl").current_dir(dir).args(der));
    let locked =
        ["pkcs8", "-topk8", "-passout", "pass:x", "-outform", "DER", "-in", "client.key", "-out", "locked.pk8"];
    run(Command::new("openssl").current_dir(dir).args(locked));
    let store =
        ["pkcs12", "-export", "-passout", "pass:x", "-inkey", "client.key", "-in", "client.crt", "-out", "client.p12"];
    run(Command::new("openssl").current_dir(dir).args(store));
}
