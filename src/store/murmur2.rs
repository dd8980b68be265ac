//! Java's partitioner: murmur2 of the key, made positive, modulo the partitions.
//!
//! librdkafka does the same with `partitioner=murmur2_random`; this module tells a record's partition without a client.

/// The 32-bit murmur2 of Kafka's Java client (seed `0x9747b28c`).
pub fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mix = |k: u32| {
        let k = k.wrapping_mul(M);
        (k ^ (k >> 24)).wrapping_mul(M)
    };
    let mut hash = 0x9747_b28c ^ data.len() as u32;
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        hash = hash.wrapping_mul(M) ^ mix(u32::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        for (i, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * i);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// The partition of a keyed record among `partitions` (which must not be 0).
pub fn partition_of(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) % partitions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &[u8], hash: i32) {
        assert_eq!(murmur2(key), hash as u32, "{:?}", String::from_utf8_lossy(key));
    }

    /// Values of Kafka's own `UtilsTest` and of librdkafka's unit test of its murmur2.
    #[test]
    fn known_values() {
        for (key, hash) in [
            (&b"21"[..], -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
            (b"kafka", 0xd067_cf64_u32 as i32),
            (b"giberish123456789", 0x8f55_2b0c_u32 as i32),
            (b"1234", 0x9fc9_7b14_u32 as i32),
            (b"", 0x106e_08d9),
        ] {
            check(key, hash);
        }
        assert_eq!(partition_of(b"", 25), 0x106e_08d9 % 25);
    }

    /// What the Java client computes for keys of all internal topics, and for bytes of every length up to 40.
    #[test]
    fn a_thousand_of_javas() {
        let mut count = 0;
        for line in include_str!("../../tests/data/state/murmur2.txt").lines().filter(|line| !line.starts_with('#')) {
            let mut parts = line.split(' ');
            let key: Vec<u8> = parts
                .next()
                .unwrap_or_default()
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap_or_default(), 16).unwrap_or_default())
                .collect();
            let numbers: Vec<i64> = parts.filter_map(|number| number.parse().ok()).collect();
            let ours = [i64::from(murmur2(&key) as i32), partition_of(&key, 25).into(), partition_of(&key, 5).into()];
            assert_eq!(ours[..], numbers, "{line}");
            count += 1;
        }
        assert!(count >= 1000, "{count} keys");
    }
}
