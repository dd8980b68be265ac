//! What is read from DER here, because rustls does not tell it: the hash of a certificate's signature, its dates, its common
//! name, and the kind of a key file. Layouts: RFC 5280, RFC 5958, RFC 7292.

use std::ops::RangeInclusive;

use ring::digest;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_3: u8 = 0xa3;
/// 2.5.29.17 and 2.5.4.3.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 3];

/// Takes one element off the front: its tag and its contents.
fn take<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(count)?;
        (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some((tag, contents))
}

/// Takes one element that must have this tag.
fn expect<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    take(bytes).filter(|(found, _)| *found == tag).map(|(_, contents)| contents)
}

/// The hash function of a certificate's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The digest of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// The hash to use for `tls-server-end-point`: that of the signature, SHA-256 in place of MD5 and SHA-1 (RFC 5929).
pub fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    let mut outer = certificate;
    let mut certificate = expect(&mut outer, SEQUENCE)?;
    expect(&mut certificate, SEQUENCE)?;
    let mut algorithm = expect(&mut certificate, SEQUENCE)?;
    match expect(&mut algorithm, OBJECT_ID)? {
        // 1.2.840.113549.1.1.n: RSA with …
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n] => match n {
            4 | 5 | 11 => Some(Hash::Sha256),
            10 => pss_hash(algorithm),
            12 => Some(Hash::Sha384),
            13 => Some(Hash::Sha512),
            _ => None,
        },
        // 1.2.840.10045.4.1 and 1.2.840.10045.4.3.n: ECDSA with …
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01] | [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 2] => {
            Some(Hash::Sha256)
        }
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 3] => Some(Hash::Sha384),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 4] => Some(Hash::Sha512),
        _ => None,
    }
}

/// RSASSA-PSS names its hash in the parameters. Without one it is SHA-1, for which SHA-256 is used.
fn pss_hash(mut parameters: &[u8]) -> Option<Hash> {
    let mut fields = expect(&mut parameters, SEQUENCE)?;
    let Some(mut hash) = expect(&mut fields, CONTEXT_0) else {
        return Some(Hash::Sha256);
    };
    let mut hash = expect(&mut hash, SEQUENCE)?;
    match expect(&mut hash, OBJECT_ID)? {
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 2] => Some(Hash::Sha384),
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 3] => Some(Hash::Sha512),
        _ => Some(Hash::Sha256),
    }
}

/// The fields of a certificate after its serial number: signature, issuer, validity, subject …
fn after_serial_number(mut certificate: &[u8]) -> Option<&[u8]> {
    let mut certificate = expect(&mut certificate, SEQUENCE)?;
    let mut body = expect(&mut certificate, SEQUENCE)?;
    if body.first() == Some(&CONTEXT_0) {
        take(&mut body)?;
    }
    expect(&mut body, INTEGER)?;
    Some(body)
}

/// Whether a certificate is of X.509's first version: it says no version and has no extensions.
pub(super) fn is_first_version(certificate: &[u8]) -> bool {
    let mut outer = certificate;
    let body = expect(&mut outer, SEQUENCE).and_then(|mut fields| expect(&mut fields, SEQUENCE));
    body.is_some_and(|body| body.first() == Some(&INTEGER))
}

/// What a certificate's signature is over, how it was made, and the signature.
pub(super) struct Signed<'a> {
    /// The signed bytes.
    pub(super) body: &'a [u8],
    /// The contents of the AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    /// The signature.
    pub(super) signature: &'a [u8],
}

/// A certificate as its authority signed it.
pub(super) fn signed(certificate: &[u8]) -> Option<Signed<'_>> {
    let mut outer = certificate;
    let fields = expect(&mut outer, SEQUENCE)?;
    let mut rest = fields;
    expect(&mut rest, SEQUENCE)?;
    let body = &fields[..fields.len() - rest.len()];
    let algorithm = expect(&mut rest, SEQUENCE)?;
    let signature = expect(&mut rest, BITS)?.strip_prefix(&[0])?;
    Some(Signed { body, algorithm, signature })
}

/// A public key.
pub(super) struct PublicKey<'a> {
    /// The contents of the AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    /// The key's bits.
    pub(super) bits: &'a [u8],
    /// The whole SubjectPublicKeyInfo.
    pub(super) info: &'a [u8],
}

/// The names and the key of a certificate.
pub(super) struct Named<'a> {
    /// Who signed it.
    pub(super) issuer: &'a [u8],
    /// Whose it is.
    pub(super) subject: &'a [u8],
    /// Its public key.
    pub(super) key: PublicKey<'a>,
}

/// The names and the key of a certificate.
pub(super) fn named(certificate: &[u8]) -> Option<Named<'_>> {
    let mut body = after_serial_number(certificate)?;
    expect(&mut body, SEQUENCE)?;
    let issuer = expect(&mut body, SEQUENCE)?;
    expect(&mut body, SEQUENCE)?;
    let subject = expect(&mut body, SEQUENCE)?;
    let from_key = body;
    let mut key = expect(&mut body, SEQUENCE)?;
    let info = &from_key[..from_key.len() - body.len()];
    let algorithm = expect(&mut key, SEQUENCE)?;
    let bits = expect(&mut key, BITS)?.strip_prefix(&[0])?;
    Some(Named { issuer, subject, key: PublicKey { algorithm, bits, info } })
}

/// The times between which a certificate is valid, in seconds since 1970.
pub(super) fn validity(certificate: &[u8]) -> Option<RangeInclusive<u64>> {
    let mut body = after_serial_number(certificate)?;
    expect(&mut body, SEQUENCE)?;
    expect(&mut body, SEQUENCE)?;
    let mut dates = expect(&mut body, SEQUENCE)?;
    Some(time(take(&mut dates)?)?..=time(take(&mut dates)?)?)
}

/// The common name of a certificate without a subjectAltName. libpq and the JDBC driver take it for the host's name, the
/// rules of the web (RFC 6125) do not. `None` if there is a subjectAltName, or not exactly one common name.
pub(super) fn lone_common_name(certificate: &[u8]) -> Option<&str> {
    let mut body = after_serial_number(certificate)?;
    for _ in ["signature", "issuer", "validity"] {
        expect(&mut body, SEQUENCE)?;
    }
    let mut subject = expect(&mut body, SEQUENCE)?;
    expect(&mut body, SEQUENCE)?;
    while let Some((tag, mut contents)) = take(&mut body) {
        if tag == CONTEXT_3 {
            let mut extensions = expect(&mut contents, SEQUENCE)?;
            while !extensions.is_empty() {
                let mut extension = expect(&mut extensions, SEQUENCE)?;
                if expect(&mut extension, OBJECT_ID)? == SUBJECT_ALT_NAME {
                    return None;
                }
            }
        }
    }
    let mut name = None;
    while !subject.is_empty() {
        let mut set = expect(&mut subject, SET)?;
        while !set.is_empty() {
            let mut attribute = expect(&mut set, SEQUENCE)?;
            if expect(&mut attribute, OBJECT_ID)? == COMMON_NAME {
                let (_, text) = take(&mut attribute)?;
                if name.replace(std::str::from_utf8(text).ok()?).is_some() {
                    return None;
                }
            }
        }
    }
    name
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`, the only forms that RFC 5280 allows.
fn time((tag, text): (u8, &[u8])) -> Option<u64> {
    let digits = text.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<u64> {
        Some(digits.get(range)?.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
    };
    let (year, at) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let year = number(0..2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, 2)
        }
        (GENERALIZED_TIME, 14) => (number(0..4)?, 4),
        _ => return None,
    };
    let (month, day) = (number(at..at + 2)?, number(at + 2..at + 4)?);
    let (hour, minute, second) = (number(at + 4..at + 6)?, number(at + 6..at + 8)?, number(at + 8..at + 10)?);
    if year < 1970 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    // Days of the civil calendar, with the year beginning in March so that the leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some(((days - 719_468) * 24 + hour) * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times() {
        assert_eq!(time((UTC_TIME, b"700101000000Z")), Some(0));
        assert_eq!(time((UTC_TIME, b"000301000000Z")), Some(951_868_800));
        assert_eq!(time((GENERALIZED_TIME, b"20380119031407Z")), Some(2_147_483_647));
        assert_eq!(time((GENERALIZED_TIME, b"20240229235959Z")), Some(1_709_251_199));
        for bad in [&b"700101000000"[..], b"7001010000Z", b"701301000000Z", b"70010a000000Z"] {
            assert_eq!(time((UTC_TIME, bad)), None);
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _ = (signature_hash(&bytes), validity(&bytes), lone_common_name(&bytes));
            let _ = (is_first_version(&bytes), signed(&bytes).is_some(), named(&bytes).is_some());
        }
    }
}
