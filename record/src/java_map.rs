//! The order in which Java's `HashMap` lists texts.
//!
//! Confluent's converters keep the parts of a schema in such maps, and a registry compares documents to the letter, so a
//! document must list them in the same order. Connect finds a stored offset by the bytes of its key, which list a source
//! partition in that order.
//!
//! Must not know: schemas.

/// How a map came to its entries, which decides how many buckets it has.
#[derive(Clone, Copy, Debug)]
pub enum Made {
    /// One by one, from an empty map.
    Growing,
    /// As a copy of a map.
    Copied,
    /// One by one, from a map that was made for that many entries.
    Sized,
}

/// The items in the order in which the map lists their keys. `items` are in the order in which they were put; no key may
/// occur twice.
pub fn listed<T>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> &str, made: Made) -> Vec<T> {
    let mut items: Vec<(u32, T)> = items.into_iter().map(|item| (spread(key(&item)), item)).collect();
    let hashes: Vec<u32> = items.iter().map(|(hash, _)| *hash).collect();
    let mask = buckets(&hashes, made) - 1;
    items.sort_by_key(|(hash, _)| hash & mask);
    items.into_iter().map(|(_, item)| item).collect()
}

/// The number of buckets, a power of two, of a map with keys of these hashes.
fn buckets(hashes: &[u32], made: Made) -> u32 {
    let count = hashes.len();
    let mut buckets = match made {
        Made::Growing => 16,
        Made::Copied => (count * 4 / 3 + 1).next_power_of_two() as u32,
        Made::Sized => count.next_power_of_two() as u32,
    };
    for (i, hash) in hashes.iter().enumerate() {
        // A small map is enlarged too when a bucket gets its ninth entry.
        let is_full = |buckets: u32| {
            let others = hashes[..i].iter().filter(|other| (*other ^ hash) & (buckets - 1) == 0);
            buckets < 64 && others.count() >= 8
        };
        if is_full(buckets) {
            buckets *= 2;
        }
        if i + 1 > buckets as usize / 4 * 3 {
            buckets *= 2;
        }
    }
    buckets
}

/// Java's hash of a text, whose upper half is mixed into the lower one by the map.
fn spread(text: &str) -> u32 {
    let hash = text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ hash >> 16
}
