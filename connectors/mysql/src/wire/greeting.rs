//! The greeting of a server, and the answer to it.
//!
//! Layouts: MySQL Source Code Documentation, "Protocol::HandshakeV10", "Protocol::SSLRequest" and
//! "Protocol::HandshakeResponse41".
//!
//! Must not know: sockets, passwords.

use super::options::ConnectOptions;
use super::packets::BadPacket;
use crate::Flavour;

/// What two sides of a connection can do, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities(u32);

impl Capabilities {
    const LONG_PASSWORD: u32 = 1;
    const LONG_FLAG: u32 = 1 << 2;
    const PROTOCOL_41: u32 = 1 << 9;
    pub(super) const SSL: u32 = 1 << 11;
    const TRANSACTIONS: u32 = 1 << 13;
    const SECURE_CONNECTION: u32 = 1 << 15;
    const MULTI_RESULTS: u32 = 1 << 17;
    const PREPARED_MULTI_RESULTS: u32 = 1 << 18;
    const PLUGIN_AUTH: u32 = 1 << 19;
    const CONNECT_ATTRIBUTES: u32 = 1 << 20;
    /// What this client can do. It does not offer to send local files (`CLIENT_LOCAL_FILES`): a server that is not what it
    /// says could ask for any file of this machine. It does not ask for results without EOF packets, so that those of all
    /// servers look alike.
    const OURS: u32 = Self::LONG_PASSWORD
        | Self::LONG_FLAG
        | Self::PROTOCOL_41
        | Self::TRANSACTIONS
        | Self::SECURE_CONNECTION
        | Self::MULTI_RESULTS
        | Self::PREPARED_MULTI_RESULTS
        | Self::PLUGIN_AUTH
        | Self::CONNECT_ATTRIBUTES;

    pub(super) fn contains(self, bit: u32) -> bool {
        self.0 & bit != 0
    }
}

/// The longest packet that this client says it takes.
const MAX_PACKET_BYTES: u32 = 0x4000_0000;
/// utf8mb4_general_ci, which all servers since 5.5.3 know.
const COLLATION: u8 = 45;

/// What a server says of itself before the log-in.
#[derive(Clone, Debug, Default)]
pub struct Greeting {
    /// Its version, such as `8.4.3` or `10.11.19-MariaDB-log`; without the `5.5.5-` that MariaDB puts before it.
    pub version: String,
    /// The number of this connection, for `KILL`.
    pub connection_id: u32,
    pub(super) capabilities: Capabilities,
    /// The challenge for the log-in.
    pub(super) nonce: Vec<u8>,
    /// The name of the server's preferred authentication plugin.
    pub(super) plugin: Vec<u8>,
}

/// Takes `count` bytes off the front.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], BadPacket> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(BadPacket::Short)?;
    *bytes = rest;
    Ok(taken)
}

/// Takes a zero-terminated text off the front; the last one of a packet may lack its zero.
fn take_terminated<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(end);
    *bytes = rest.get(1..).unwrap_or_default();
    text
}

impl Greeting {
    /// Reads the first packet of a server.
    pub(super) fn parse(mut packet: &[u8]) -> Result<Self, BadPacket> {
        let rest = &mut packet;
        if take(rest, 1)? != [10] {
            return Err(BadPacket::Greeting);
        }
        let version = String::from_utf8_lossy(take_terminated(rest)).into_owned();
        let id = take(rest, 4)?;
        let connection_id = u32::from_le_bytes([id[0], id[1], id[2], id[3]]);
        let mut nonce = take(rest, 8)?.to_vec();
        take(rest, 1)?;
        let low = take(rest, 2)?;
        let mut bits = u32::from(u16::from_le_bytes([low[0], low[1]]));
        let mut plugin = Vec::new();
        if let Ok(more) = take(rest, 16) {
            // Collation, status, the upper bits, the nonce's length, and ten bytes that MariaDB uses for bits of its own.
            bits |= u32::from(u16::from_le_bytes([more[3], more[4]])) << 16;
            let length = usize::from(more[5]).saturating_sub(8).max(13).min(rest.len());
            nonce.extend_from_slice(take(rest, length)?);
            plugin = take_terminated(rest).to_vec();
        }
        if bits & (Capabilities::PROTOCOL_41 | Capabilities::SECURE_CONNECTION) == 0 {
            return Err(BadPacket::Greeting);
        }
        let version = version.strip_prefix("5.5.5-").map(str::to_owned).unwrap_or(version);
        Ok(Self { version, connection_id, capabilities: Capabilities(bits), nonce, plugin })
    }

    /// Which product answers, by its version.
    pub fn flavour(&self) -> Flavour {
        if self.version.to_ascii_lowercase().contains("mariadb") { Flavour::MariaDb } else { Flavour::MySql }
    }

    /// Major, minor and patch of the version; zeros where the text has none.
    pub fn version_numbers(&self) -> (u16, u16, u16) {
        let mut numbers =
            self.version.split(|letter: char| !letter.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        (next(), next(), next())
    }

    fn client_bits(&self, more: u32) -> u32 {
        // LONG_PASSWORD is not looked for: MariaDB does not show it, and would take its absence as a sign of its own client.
        (Capabilities::OURS & (self.capabilities.0 | Capabilities::LONG_PASSWORD)) | more
    }

    fn head(bits: u32) -> Vec<u8> {
        let mut out = bits.to_le_bytes().to_vec();
        out.extend_from_slice(&MAX_PACKET_BYTES.to_le_bytes());
        out.push(COLLATION);
        out.extend_from_slice(&[0; 23]);
        out
    }

    /// The packet after which TLS begins.
    pub(super) fn ssl_request(&self) -> Vec<u8> {
        Self::head(self.client_bits(Capabilities::SSL))
    }

    /// The packet that logs in.
    pub(super) fn response(&self, options: &ConnectOptions, is_tls: bool, plugin: &str, answer: &[u8]) -> Vec<u8> {
        let bits = self.client_bits(if is_tls { Capabilities::SSL } else { 0 });
        let mut out = Self::head(bits);
        out.extend_from_slice(options.user.as_bytes());
        out.push(0);
        // The first answers of the plugins that begin a log-in have at most 32 bytes.
        out.push(answer.len() as u8);
        out.extend_from_slice(answer);
        if bits & Capabilities::PLUGIN_AUTH != 0 {
            out.extend_from_slice(plugin.as_bytes());
            out.push(0);
        }
        if bits & Capabilities::CONNECT_ATTRIBUTES != 0 {
            let pid = std::process::id().to_string();
            let mut attributes = Vec::new();
            for text in ["_client_name", "afterimage", "program_name", &options.program_name, "_pid", &pid] {
                // A name has less than 251 bytes, so its length is one byte.
                let text = text.get(..text.len().min(200)).unwrap_or_default();
                attributes.push(text.len() as u8);
                attributes.extend_from_slice(text.as_bytes());
            }
            if attributes.len() < 251 {
                out.push(attributes.len() as u8);
            } else {
                out.push(0xfc);
                out.extend_from_slice(&(attributes.len() as u16).to_le_bytes());
            }
            out.extend_from_slice(&attributes);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The greetings of MySQL 9.7.4 and MariaDB 10.11.19, as they came over the network.
    const MYSQL: &[u8] =
        b"\x0a9.7.4-2\0\x0b\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0\
                           caching_sha2_password\0";
    const MARIADB: &[u8] =
        b"\x0a5.5.5-10.11.19-MariaDB-0+deb12u1-log\0\x0d\0\0\0abcdefgh\0\xfe\xf7\x2d\x02\0\xff\x81\x15\0\0\
                             \0\0\0\0\x1d\0\0\0ijklmnopqrst\0mysql_native_password\0";

    #[track_caller]
    fn check(packet: &[u8], flavour: Flavour, version: (u16, u16, u16), plugin: &str) {
        let greeting = Greeting::parse(packet).unwrap();
        assert_eq!((greeting.flavour(), greeting.version_numbers()), (flavour, version), "{greeting:?}");
        assert_eq!(greeting.plugin, plugin.as_bytes());
        assert_eq!(greeting.nonce, b"abcdefghijklmnopqrst\0");
    }

    #[test]
    fn greetings() {
        check(MYSQL, Flavour::MySql, (9, 7, 4), "caching_sha2_password");
        check(MARIADB, Flavour::MariaDb, (10, 11, 19), "mysql_native_password");
    }

    #[test]
    fn other_first_packets() {
        for (packet, bad) in [
            (&b"\x095.0\0"[..], BadPacket::Greeting),
            (b"SSH-2.0-OpenSSH_9.2", BadPacket::Greeting),
            (b"\x0a8.0\0\x01", BadPacket::Short),
            (b"\x0a3.23\0\x01\0\0\0abcdefgh\0\0\0", BadPacket::Greeting),
        ] {
            assert_eq!(Greeting::parse(packet).unwrap_err(), bad, "{packet:?}");
        }
    }

    #[test]
    fn local_files_are_not_offered() {
        let greeting = Greeting::parse(MYSQL).unwrap();
        let response = greeting.response(&ConnectOptions::default(), false, "p", b"");
        assert_eq!(u32::from_le_bytes([response[0], response[1], response[2], response[3]]) & (1 << 7), 0);
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Greeting::parse(&bytes).map(|greeting| (greeting.flavour(), greeting.version_numbers()));
            let _ = Greeting::parse(&[b"\x0a", bytes.as_slice()].concat());
        }
    }
}
