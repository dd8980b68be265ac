//! What is sent to prove the password, for each authentication plugin.
//!
//! A password leaves this process only over TLS, as the answer to a challenge, or encrypted for the server's public key.
//! Plugins: MySQL Reference Manual, chapter "Authentication Plugins"; MariaDB Knowledge Base, "Authentication Plugins".
//!
//! Must not know: sockets, packets' headers.

use mysql_common::scramble::{
    create_response_for_ed25519, create_response_for_parsec, scramble_native, scramble_sha256,
};
use openssl::rsa::{Padding, Rsa};
use settings::Secret;

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugin {
    /// `mysql_native_password`: SHA-1 of password and nonce.
    Native,
    /// `caching_sha2_password`: SHA-256 of password and nonce; the password itself when the server has not cached it.
    CachingSha2,
    /// `sha256_password`: the password itself.
    Sha256,
    /// `mysql_clear_password`: the password itself.
    Clear,
    /// `client_ed25519`, of MariaDB: a signature of the nonce.
    Ed25519,
    /// `parsec`, of MariaDB since 11.6: a signature of the nonce, with a key that is derived with a salt of the server.
    Parsec,
}

/// What comes next in the exchange.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Nothing to send: wait for the server's verdict.
    Wait,
}

/// Why an exchange cannot go on, as the rest of a sentence that begins with the plugin's name, and what to do.
pub(super) type Refused = &'static str;

const NEEDS_TLS: Refused = "it sends the password as it is, which is done only over TLS: set database.ssl.mode";
const STRANGE: Refused = "the server's message is not of this plugin";
/// Beside its own header, a password that is encrypted with OAEP and SHA-1 loses this many bytes of the key's length.
const OAEP_BYTES: usize = 42;

impl Plugin {
    /// By the name that servers give it. `None` for one that is not known.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"mysql_native_password" => Some(Self::Native),
            b"caching_sha2_password" => Some(Self::CachingSha2),
            b"sha256_password" => Some(Self::Sha256),
            b"mysql_clear_password" => Some(Self::Clear),
            b"client_ed25519" => Some(Self::Ed25519),
            b"parsec" => Some(Self::Parsec),
            _ => None,
        }
    }

    /// The name of a plugin that a first answer may be for. Others are only used when the server asks for them.
    pub(super) fn first_name(self) -> &'static str {
        if self == Self::CachingSha2 { "caching_sha2_password" } else { "mysql_native_password" }
    }
}

/// One log-in by one plugin.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) plugin: Plugin,
    password: &'a Secret,
    nonce: Vec<u8>,
    is_tls: bool,
}

impl<'a> Exchange<'a> {
    /// `nonce` as the server sent it, without its final zero byte.
    pub(super) fn new(plugin: Plugin, password: &'a Secret, nonce: &[u8], is_tls: bool) -> Self {
        let nonce = nonce.strip_suffix(&[0]).filter(|rest| rest.len() == 20 || rest.len() == 32).unwrap_or(nonce);
        Self { plugin, password, nonce: nonce.to_vec(), is_tls }
    }

    /// The first answer.
    pub(super) fn first(&self) -> Result<Vec<u8>, Refused> {
        let password = self.password.reveal().as_bytes();
        Ok(match self.plugin {
            Plugin::Native => scramble_native(&self.nonce, password).map(|hash| hash.to_vec()).unwrap_or_default(),
            Plugin::CachingSha2 => scramble_sha256(&self.nonce, password).map(|hash| hash.to_vec()).unwrap_or_default(),
            Plugin::Sha256 if password.is_empty() => vec![0],
            Plugin::Sha256 if self.is_tls => self.terminated(),
            // Asks for the server's public key.
            Plugin::Sha256 => vec![1],
            Plugin::Clear if self.is_tls => self.terminated(),
            Plugin::Clear => return Err(NEEDS_TLS),
            Plugin::Ed25519 => create_response_for_ed25519(password, &self.nonce).to_vec(),
            // Asks for the salt.
            Plugin::Parsec => Vec::new(),
        })
    }

    /// The answer to more data of the server; `data` without the byte 1 that marks it.
    pub(super) fn more(&self, data: &[u8]) -> Result<Reply, Refused> {
        match (self.plugin, data) {
            // The server's cache knew the hash.
            (Plugin::CachingSha2, [3]) => Ok(Reply::Wait),
            (Plugin::CachingSha2, [4]) if self.is_tls => Ok(Reply::Send(self.terminated())),
            (Plugin::CachingSha2, [4]) => Ok(Reply::Send(vec![2])),
            (Plugin::CachingSha2 | Plugin::Sha256, key) if !self.is_tls => self.encrypted(key).map(Reply::Send),
            (Plugin::Parsec, salt) => self.signed(salt).map(Reply::Send),
            _ => Err(STRANGE),
        }
    }

    fn terminated(&self) -> Vec<u8> {
        let mut password = self.password.reveal().as_bytes().to_vec();
        password.push(0);
        password
    }

    /// The password for the eyes of the owner of this public key (PEM).
    fn encrypted(&self, key: &[u8]) -> Result<Vec<u8>, Refused> {
        let key =
            Rsa::public_key_from_pem(key).map_err(|_| "the server's public key cannot be read: log in over TLS")?;
        let mut password = self.terminated();
        let length = key.size() as usize;
        // A longer key is no server's, and would keep this thread busy.
        if self.nonce.is_empty() || !(128..=2048).contains(&length) {
            return Err(STRANGE);
        }
        if password.len() + OAEP_BYTES > length {
            return Err("the password is too long for the server's public key: log in over TLS");
        }
        for (byte, mask) in password.iter_mut().zip(self.nonce.iter().cycle()) {
            *byte ^= mask;
        }
        let mut out = vec![0; length];
        let used = key.public_encrypt(&password, &mut out, Padding::PKCS1_OAEP).map_err(|_| STRANGE)?;
        out.truncate(used);
        Ok(out)
    }

    /// `P`, a factor of the number of iterations, 18 bytes of salt.
    fn signed(&self, salt: &[u8]) -> Result<Vec<u8>, Refused> {
        let Some((&[b'P', factor], salt)) = salt.split_first_chunk::<2>() else { return Err(STRANGE) };
        let Ok(nonce) = self.nonce.as_slice().try_into() else { return Err(STRANGE) };
        if salt.len() != 18 {
            return Err(STRANGE);
        }
        // Servers send 0 to 3 (1024 to 8192 iterations); a large one would only keep this thread busy.
        if factor > 8 {
            return Err(STRANGE);
        }
        let password = self.password.reveal().as_bytes();
        Ok(create_response_for_parsec(password, nonce, 1024 << factor, salt).to_vec())
    }
}

#[cfg(test)]
mod tests;
