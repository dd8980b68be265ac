//! MariaDB's sets.

use std::fmt;
use std::str::FromStr;

use super::GtidError;

/// An id of MariaDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MariaGtid {
    /// The replication domain.
    pub domain: u32,
    /// The server that ran the transaction first.
    pub server: u32,
    /// The transaction's number in the domain.
    pub sequence: u64,
}

/// A position in MariaDB's binlog: the last id of each domain and server. An entry keeps its place when it moves on, as in
/// Debezium's stored offsets.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MariaSet {
    /// Grouped by domain, in the order in which domains and servers were first seen.
    entries: Vec<MariaGtid>,
}

impl MariaSet {
    /// Whether it has no id.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The ids, in order.
    pub fn entries(&self) -> &[MariaGtid] {
        &self.entries
    }

    /// Takes an id as the last of its domain and server.
    pub fn add(&mut self, new: MariaGtid) {
        let same = |old: &&mut MariaGtid| old.domain == new.domain && old.server == new.server;
        if let Some(old) = self.entries.iter_mut().find(same) {
            old.sequence = new.sequence;
            return;
        }
        let behind =
            self.entries.iter().rposition(|old| old.domain == new.domain).map_or(self.entries.len(), |i| i + 1);
        self.entries.insert(behind, new);
    }

    /// Takes all ids of the other.
    pub fn union(&mut self, other: &Self) {
        for entry in &other.entries {
            self.add(*entry);
        }
    }

    /// The greatest number of a domain; a position in a domain is one number, whichever server wrote it.
    fn sequence(&self, domain: u32) -> Option<u64> {
        self.entries.iter().filter(|entry| entry.domain == domain).map(|entry| entry.sequence).max()
    }

    /// Whether every domain of the other is here, and has come as far.
    pub fn contains(&self, other: &Self) -> bool {
        other.entries.iter().all(|entry| self.sequence(entry.domain).is_some_and(|ours| entry.sequence <= ours))
    }

    /// Takes away the domains in which the other has come as far or farther: what is left is to be read from a server at
    /// this position by a reader at the other.
    pub fn subtract(&mut self, other: &Self) {
        let ours = self.clone();
        self.entries.retain(|entry| other.sequence(entry.domain) < ours.sequence(entry.domain));
    }

    /// Keeps the ids for which `keep` says so; it is given `domain-server`.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.entries.retain(|entry| keep(&format!("{}-{}", entry.domain, entry.server)));
    }

    /// The text for `@slave_connect_state`, which takes one id a domain: the one with the greatest number.
    pub fn connect_state(&self) -> String {
        let mut state = Self::default();
        for entry in &self.entries {
            if state.sequence(entry.domain).is_none_or(|sequence| sequence < entry.sequence) {
                state.entries.retain(|other| other.domain != entry.domain);
                state.entries.push(*entry);
            }
        }
        state.to_string()
    }
}

impl FromStr for MariaSet {
    type Err = GtidError;

    fn from_str(text: &str) -> Result<Self, GtidError> {
        let mut set = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            set.add(entry.parse()?);
        }
        Ok(set)
    }
}

impl FromStr for MariaGtid {
    type Err = GtidError;

    fn from_str(text: &str) -> Result<Self, GtidError> {
        const WRONG: GtidError = GtidError("an id of MariaDB is domain-server-sequence");
        let [domain, server, sequence] = text.split('-').collect::<Vec<_>>()[..] else { return Err(WRONG) };
        Ok(Self {
            domain: domain.parse().map_err(|_| WRONG)?,
            server: server.parse().map_err(|_| WRONG)?,
            sequence: sequence.parse().map_err(|_| WRONG)?,
        })
    }
}

impl fmt::Display for MariaGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server, self.sequence)
    }
}

impl fmt::Display for MariaSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, entry) in self.entries.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            entry.fmt(f)?;
        }
        Ok(())
    }
}
