//! XA transactions that are prepared and not yet ended.
//!
//! Sources: MySQL Reference Manual and MariaDB Knowledge Base, "XA Transactions". MySQL 8.0 and later want XA_RECOVER_ADMIN.

use super::Sql;
use crate::Flavour;
use crate::error::Error;
use crate::gtid::Xid;
use crate::wire::Row;

/// Reads a row of `XA RECOVER`: the format's number, the lengths of the name's two parts, and both parts in one text.
fn xid(row: &Row) -> Option<Xid> {
    let (format, global_len) = (row.number::<i64>(0)? as u32, row.number::<usize>(1)?);
    let (branch_len, data) = (row.number::<usize>(2)?, row.text(3)?);
    let bytes = match data.split_at_checked(2) {
        Some(("0x" | "0X", digits)) => hex(digits)?,
        // MariaDB: X'6162',X'63',1.
        Some(("X'" | "x'", _)) => {
            data.split(',').filter_map(|part| part.strip_prefix(['X', 'x'])).try_fold(Vec::new(), |mut all, part| {
                all.extend(hex(part.strip_prefix('\'')?.strip_suffix('\'')?)?);
                Some(all)
            })?
        }
        // MariaDB, of what can be printed: 'ab','c',1.
        _ => {
            let global = data.as_bytes().get(1..1 + global_len)?;
            let behind = global_len + 4;
            let branch = if branch_len == 0 { &[] } else { data.as_bytes().get(behind..behind + branch_len)? };
            [global, branch].concat()
        }
    };
    let (global, branch) = bytes.split_at_checked(global_len)?;
    (branch.len() == branch_len).then(|| Xid::new(format, global, branch))
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    digits.as_bytes().chunks(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

impl Sql {
    /// The XA transactions that are prepared now.
    ///
    /// # Errors
    /// Where the account may not ask: the server's answer.
    pub async fn prepared(&mut self) -> Result<Vec<Xid>, Error> {
        // MariaDB before 10.5 writes an XA transaction to the binlog as a whole when it is committed (MDEV-742).
        if self.flavour() == Flavour::MariaDb && self.version() < (10, 5, 0) {
            return Ok(Vec::new());
        }
        let sql = match self.flavour() {
            Flavour::MySql => "XA RECOVER CONVERT XID",
            Flavour::MariaDb => "XA RECOVER FORMAT='SQL'",
        };
        let doing = "looking for XA transactions that are prepared";
        let rows = self.query(doing, sql).await?;
        let xids: Option<Vec<_>> = rows.iter().map(xid).collect();
        xids.ok_or_else(|| self.strange(doing, "the answer has an XA transaction's name in an unknown form"))
    }

    /// Whether any session has prepared an XA transaction since the server was started.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn has_prepared(&mut self) -> Result<bool, Error> {
        let sql = "SHOW GLOBAL STATUS WHERE Variable_name = 'Com_xa_prepare'";
        let rows = self.query("looking whether XA transactions are used", sql).await?;
        Ok(rows.first().and_then(|row| row.number::<u64>(1)).is_some_and(|count| count > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: u32, lengths: (usize, usize), data: &str, expect: Option<(&[u8], &[u8])>) {
        let row = Row::of(&[&format.to_string(), &lengths.0.to_string(), &lengths.1.to_string(), data]);
        assert_eq!(xid(&row), expect.map(|(global, branch)| Xid::new(format, global, branch)), "{data}");
    }

    #[test]
    fn names_as_the_servers_show_them() {
        check(1, (2, 1), "0x616263", Some((b"ab", b"c")));
        check(1, (2, 1), "'ab','c'", Some((b"ab", b"c")));
        check(7, (2, 0), "'ab','',7", Some((b"ab", b"")));
        check(1, (2, 0), "'ab'", Some((b"ab", b"")));
        check(1, (3, 1), "'a,'','c'", Some((b"a,'", b"c")));
        check(1, (1, 2), "X'00',X'0102',1", Some((b"\0", b"\x01\x02")));
        check(1, (1, 0), "X'ff'", Some((b"\xff", b"")));
        check(1, (9, 0), "'ab'", None);
        check(1, (2, 2), "0x6162", None);
    }
}
