//! The digests of `column.mask.hash.*`: all algorithms of Java's `MessageDigest`, under the names that Java accepts.
//!
//! The digest is computed over the salt followed by the bytes of the text, and written in hexadecimal digits. The key
//! decides the bytes of a text: `column.mask.hash.v2.*` takes its UTF-8, `column.mask.hash.*` (version 1) takes what
//! Java's object serialisation writes for a string.
//!
//! Must not know: columns, records.

use super::java::write_serialised;

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// MD2, 16 bytes.
    Md2,
    /// MD5, 16 bytes.
    Md5,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-224, 28 bytes.
    Sha224,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-384, 48 bytes.
    Sha384,
    /// SHA-512, 64 bytes.
    Sha512,
    /// SHA-512/224, 28 bytes.
    Sha512To224,
    /// SHA-512/256, 32 bytes.
    Sha512To256,
    /// SHA3-224, 28 bytes.
    Sha3To224,
    /// SHA3-256, 32 bytes.
    Sha3To256,
    /// SHA3-384, 48 bytes.
    Sha3To384,
    /// SHA3-512, 64 bytes.
    Sha3To512,
}

/// Java's names for each algorithm: the standard name first, then its aliases.
const NAMES: &[(&str, Digest)] = &[
    ("MD2", Digest::Md2),
    ("MD5", Digest::Md5),
    ("SHA-1", Digest::Sha1),
    ("SHA1", Digest::Sha1),
    ("SHA", Digest::Sha1),
    ("SHA-224", Digest::Sha224),
    ("SHA224", Digest::Sha224),
    ("SHA-256", Digest::Sha256),
    ("SHA256", Digest::Sha256),
    ("SHA-384", Digest::Sha384),
    ("SHA384", Digest::Sha384),
    ("SHA-512", Digest::Sha512),
    ("SHA512", Digest::Sha512),
    ("SHA-512/224", Digest::Sha512To224),
    ("SHA512/224", Digest::Sha512To224),
    ("SHA-512/256", Digest::Sha512To256),
    ("SHA512/256", Digest::Sha512To256),
    ("SHA3-224", Digest::Sha3To224),
    ("SHA3-256", Digest::Sha3To256),
    ("SHA3-384", Digest::Sha3To384),
    ("SHA3-512", Digest::Sha3To512),
];

/// Which bytes stand for a text in the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Java's serialised string, for `column.mask.hash.*`.
    Serialised,
    /// UTF-8, for `column.mask.hash.v2.*`.
    Plain,
}

impl Digest {
    /// The algorithm that Java finds by this name; case does not matter.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, digest)| *digest)
    }

    /// The standard names of all algorithms, for an error message.
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<&'static str> = Vec::new();
        for (i, (name, digest)) in NAMES.iter().enumerate() {
            if i == 0 || NAMES[i - 1].1 != *digest {
                names.push(name);
            }
        }
        names
    }

    /// The digest of salt and text, in lower-case hexadecimal digits.
    pub fn hex(self, salt: &[u8], text: &str, form: Form) -> String {
        match self {
            Self::Md2 => run::<md2::Md2>(salt, text, form),
            Self::Md5 => run::<md5::Md5>(salt, text, form),
            Self::Sha1 => run::<sha1::Sha1>(salt, text, form),
            Self::Sha224 => run::<sha2::Sha224>(salt, text, form),
            Self::Sha256 => run::<sha2::Sha256>(salt, text, form),
            Self::Sha384 => run::<sha2::Sha384>(salt, text, form),
            Self::Sha512 => run::<sha2::Sha512>(salt, text, form),
            Self::Sha512To224 => run::<sha2::Sha512_224>(salt, text, form),
            Self::Sha512To256 => run::<sha2::Sha512_256>(salt, text, form),
            Self::Sha3To224 => run::<sha3::Sha3_224>(salt, text, form),
            Self::Sha3To256 => run::<sha3::Sha3_256>(salt, text, form),
            Self::Sha3To384 => run::<sha3::Sha3_384>(salt, text, form),
            Self::Sha3To512 => run::<sha3::Sha3_512>(salt, text, form),
        }
    }
}

fn run<D: sha2::Digest>(salt: &[u8], text: &str, form: Form) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digest = D::new();
    digest.update(salt);
    match form {
        Form::Plain => digest.update(text),
        Form::Serialised => write_serialised(text, |bytes| digest.update(bytes)),
    }
    let digest = digest.finalize();
    let mut out = String::with_capacity(digest.len() * 2);
    for byte in &digest {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_s_names_in_any_case() {
        for (name, digest) in [("sha", Digest::Sha1), ("Sha-256", Digest::Sha256), ("sha512/224", Digest::Sha512To224)]
        {
            assert_eq!(Digest::named(name), Some(digest), "{name}");
        }
        for name in ["", "MD-5", "SHA3256", "SHAKE128-256", "ROT13"] {
            assert_eq!(Digest::named(name), None, "{name}");
        }
        assert_eq!(Digest::names().len(), 13);
        assert!(Digest::names().contains(&"SHA-1"));
    }

    /// Compares with what a Debezium 3.6.1 worker wrote to a topic for these texts, with salt `s` for v1 and `ü.x` for
    /// v2.
    #[test]
    fn known_answers() {
        let file = include_str!("digest/answers.txt");
        let mut seen = 0;
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            let mut parts = line.split('\t');
            let (Some(family), Some(name), Some(text), Some(expect)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                panic!("{line}")
            };
            let (salt, form) = if family == "v1" { ("s", Form::Serialised) } else { ("ü.x", Form::Plain) };
            let text = match text.split_once('*') {
                Some((unit, count)) => unit.repeat(count.parse().unwrap()),
                None => text.replace("\\x01", "\u{1}"),
            };
            let found = Digest::named(name).unwrap().hex(salt.as_bytes(), &text, form);
            assert_eq!(found, expect, "{family} {name} of {} bytes", text.len());
            seen += 1;
        }
        assert!(seen >= 150, "{seen} answers");
    }
}
