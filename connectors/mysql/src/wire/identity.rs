//! Which server answers: a name may lead to one server now and to another one the next time.

use super::Connection;
use crate::error::Error;

/// The variables that tell servers apart. MySQL has the first; the second came to MariaDB in 2024.
const NAMES: [&str; 5] = ["server_uuid", "server_uid", "server_id", "hostname", "port"];

/// What a server calls itself, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity([Option<String>; NAMES.len()]);

impl Identity {
    /// Asks over a connection.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn of(connection: &mut Connection) -> Result<Self, Error> {
        let names = NAMES.map(|name| format!("'{name}'")).join(", ");
        let sql = format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})");
        let mut identity = Self::default();
        for row in connection.query("asking which server it is", &sql).await? {
            let name = row.text(0).unwrap_or_default();
            if let Some(at) = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name)) {
                identity.0[at] = row.text(1).filter(|value| !value.is_empty()).map(str::to_owned);
            }
        }
        Ok(identity)
    }

    /// In which variable another server differs from this one, with both values; none if it is the same server. A UUID decides
    /// alone. Variables that one of them does not have are passed over.
    pub fn differs(&self, other: &Self) -> Option<String> {
        for ((name, own), others) in NAMES.iter().zip(&self.0).zip(&other.0) {
            let (Some(own), Some(others)) = (own, others) else { continue };
            if own != others {
                return Some(format!("{name} '{others}', not '{own}'"));
            }
            if *name == NAMES[0] {
                return None;
            }
        }
        None
    }

    /// See that both are one server.
    ///
    /// # Errors
    /// If they are not. `at` says where they answered, as `host:port`.
    pub fn same_at(&self, other: &Self, at: impl FnOnce() -> String) -> Result<(), Error> {
        match self.differs(other) {
            None => Ok(()),
            Some(differs) => Err(Error::OtherServer { at: at(), differs }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(values: [&str; 5]) -> Identity {
        Identity(values.map(|value| Some(value.to_owned()).filter(|value| !value.is_empty())))
    }

    #[track_caller]
    fn check(own: [&str; 5], other: [&str; 5], expect: Option<&str>) {
        assert_eq!(identity(own).differs(&identity(other)).as_deref(), expect);
    }

    #[test]
    fn servers_behind_one_name() {
        check(["u", "", "1", "a", "3306"], ["u", "", "1", "b", "3307"], None);
        check(["u", "", "1", "a", "3306"], ["v", "", "1", "a", "3306"], Some("server_uuid 'v', not 'u'"));
        check(["", "x", "1", "a", "3306"], ["", "y", "1", "a", "3306"], Some("server_uid 'y', not 'x'"));
        check(["", "x", "1", "a", "3306"], ["", "", "2", "a", "3306"], Some("server_id '2', not '1'"));
        check(["", "", "1", "a", "3306"], ["", "", "1", "b", "3306"], Some("hostname 'b', not 'a'"));
        check(["", "", "1", "a", "3306"], ["", "", "1", "a", "3306"], None);
    }
}
