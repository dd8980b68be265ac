//! A bounded cache for what is made once for a table or a schema and used for each of its records.

use std::collections::HashMap;
use std::hash::Hash;

/// A bounded cache. Records of one table often follow each other, so the entry that was found last is tried first. All
/// others are found by hash, so the number of tables does not slow a look-up.
///
/// A full cache drops a random entry. When tables take turns and are more than the cache holds, most look-ups still find
/// their entry; if the oldest entry were dropped, none would.
#[derive(Debug)]
pub struct Cache<K, V> {
    most: usize,
    places: HashMap<K, usize>,
    entries: Vec<(K, V)>,
    last: usize,
    dice: u64,
}

impl<K: Hash + Eq + Clone, V> Cache<K, V> {
    /// An empty cache of at most `most` entries, but of at least one.
    pub fn new(most: usize) -> Self {
        // Any seed but 0 will do.
        Self { most: most.max(1), places: HashMap::new(), entries: Vec::new(), last: 0, dice: 0x9E37_79B9_7F4A_7C15 }
    }

    /// The place of the wanted entry, if the cache has it. `is` tells whether a key is the wanted one. `key` makes the wanted
    /// key; it is called only when the entry found last is another one.
    pub fn place(&mut self, is: impl FnOnce(&K) -> bool, key: impl FnOnce() -> K) -> Option<usize> {
        if self.entries.get(self.last).is_some_and(|(known, _)| is(known)) {
            return Some(self.last);
        }
        self.last = *self.places.get(&key())?;
        Some(self.last)
    }

    /// The entry at a place. A place is good until the next insertion.
    pub fn at(&mut self, place: usize) -> &mut V {
        &mut self.entries[place].1
    }

    /// Adds an entry and gives its place.
    pub fn insert(&mut self, key: K, value: V) -> usize {
        if let Some(&place) = self.places.get(&key) {
            self.entries[place].1 = value;
            self.last = place;
            return place;
        }
        let place = if self.entries.len() < self.most { self.entries.len() } else { self.roll() };
        if let Some(entry) = self.entries.get_mut(place) {
            self.places.remove(&entry.0);
            *entry = (key.clone(), value);
        } else {
            self.entries.push((key.clone(), value));
        }
        self.places.insert(key, place);
        self.last = place;
        place
    }

    /// A random place (xorshift; need not be secure).
    fn roll(&mut self) -> usize {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice % self.entries.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(cache: &mut Cache<u32, u32>, key: u32) -> Option<u32> {
        let place = cache.place(|known| *known == key, || key)?;
        Some(*cache.at(place))
    }

    #[test]
    fn what_was_put_is_found() {
        let mut cache = Cache::new(100);
        for key in 0..100 {
            cache.insert(key, key + 1);
        }
        cache.insert(7, 70);
        for key in (0..100).chain([5, 5]) {
            assert_eq!(find(&mut cache, key), Some(if key == 7 { 70 } else { key + 1 }));
        }
        assert_eq!(find(&mut cache, 100), None);
    }

    #[test]
    fn it_is_bounded_and_still_of_use_when_more_comes_in_turn_than_it_holds() {
        let mut cache = Cache::new(100);
        let mut hits = 0;
        for _ in 0..10 {
            for key in 0..120 {
                if let Some(value) = find(&mut cache, key) {
                    assert_eq!(value, key);
                    hits += 1;
                } else {
                    cache.insert(key, key);
                }
            }
        }
        assert_eq!((cache.entries.len(), cache.places.len()), (100, 100));
        assert!(hits > 600, "{hits} of 1200 were found");
    }
}
