//! The transactions that have been read, as far as they have ids.
//!
//! Must not know: files, positions, rows.

use std::sync::Arc;

use crate::gtid::{GtidError, MariaGtid, MariaSet, MySqlSet, Source};

/// A transaction of MySQL.
pub(crate) type MySqlId = (Source, u64);

#[derive(Clone, Debug)]
enum Ids {
    None,
    MySql(MySqlSet),
    MariaDb(MariaSet),
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Executed {
    ids: Ids,
    /// Whether nothing is missing in front of what was read. A set that begins somewhere in the log would tell the next start
    /// that everything before it is still to be sent, so it is not stored.
    is_complete: bool,
    /// The set's text, until the set changes.
    text: Option<Arc<str>>,
}

impl Executed {
    /// Positions are a file and a place in it, and ids are not shown.
    pub(crate) const NONE: Self = Self { ids: Ids::None, is_complete: false, text: None };

    /// MySQL: the server was told to leave out this set.
    pub(crate) fn mysql(set: MySqlSet) -> Self {
        Self { ids: Ids::MySql(set), is_complete: true, text: None }
    }

    /// MariaDB: the server was told to leave out this set.
    pub(crate) fn mariadb(set: MariaSet) -> Self {
        Self { ids: Ids::MariaDb(set), is_complete: true, text: None }
    }

    /// MySQL: the server sends from a place of a file, and the ids before it are not known.
    pub(crate) fn mysql_from_file() -> Self {
        Self { is_complete: false, ..Self::mysql(MySqlSet::default()) }
    }

    /// MariaDB: the server sends from a place of a file, and the ids before it are not known.
    pub(crate) fn mariadb_from_file() -> Self {
        Self { is_complete: false, ..Self::mariadb(MariaSet::default()) }
    }

    /// Whether ids are shown.
    pub(crate) fn has_ids(&self) -> bool {
        !matches!(self.ids, Ids::None)
    }

    /// The set's text, if the set is whole.
    pub(crate) fn text(&mut self) -> Option<Arc<str>> {
        if !self.is_complete {
            return None;
        }
        if self.text.is_none() {
            self.text = match &self.ids {
                Ids::None => None,
                Ids::MySql(set) => Some(set.to_string().into()),
                Ids::MariaDb(set) => Some(set.to_string().into()),
            };
        }
        self.text.clone()
    }

    /// Adds a transaction of MySQL.
    pub(crate) fn add(&mut self, (source, number): MySqlId) {
        if let Ids::MySql(set) = &mut self.ids {
            set.add(source, number);
            self.text = None;
        }
    }

    /// Takes a transaction of MySQL away, so that a restart is sent it again. False where sets have no gaps, or no set is
    /// stored.
    pub(crate) fn remove(&mut self, (source, number): MySqlId) -> bool {
        let Ids::MySql(set) = &mut self.ids else { return false };
        if !self.is_complete {
            return false;
        }
        let mut one = MySqlSet::default();
        one.add(source, number);
        set.subtract(&one);
        self.text = None;
        true
    }

    /// Adds a transaction of MariaDB.
    pub(crate) fn add_mariadb(&mut self, id: MariaGtid) {
        if let Ids::MariaDb(set) = &mut self.ids {
            set.add(id);
            self.text = None;
        }
    }

    /// A file of MySQL begins with the ids of all files before it. True if that made the set whole.
    ///
    /// # Errors
    /// When the bytes are no set.
    pub(crate) fn before_file(&mut self, encoded: &[u8]) -> Result<bool, GtidError> {
        let Ids::MySql(set) = &mut self.ids else { return Ok(false) };
        if self.is_complete {
            return Ok(false);
        }
        set.union(&MySqlSet::decode(encoded)?);
        self.is_complete = true;
        self.text = None;
        Ok(true)
    }

    /// As [`Executed::before_file`] for MariaDB: the last id of each domain and server.
    pub(crate) fn before_mariadb_file(&mut self, list: &[(u32, u32, u64)]) -> bool {
        let Ids::MariaDb(set) = &mut self.ids else { return false };
        if self.is_complete {
            return false;
        }
        let mut whole = MariaSet::default();
        for (domain, server, sequence) in list {
            whole.add(MariaGtid { domain: *domain, server: *server, sequence: *sequence });
        }
        whole.union(set);
        *set = whole;
        self.is_complete = true;
        self.text = None;
        true
    }
}
