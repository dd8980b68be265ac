//! The shape of a table after statements, rule by rule.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

#[path = "ddl/show.rs"]
mod show;

use mysql::Flavour;
use mysql::ddl::{Catalog, Dialect, Query, Rules};
use mysql::model::TableId;
use show::{T, catalog, check_table, check_table_in, legacy, maria, run, show, table};

// --- the model ---

#[test]
fn keys() {
    check_table(&["create table t(a int not null, b int not null, unique(b), primary key(a))"], "(a) a INT !, b INT !");
    check_table(&["create table t(a int, b int not null, unique(a), unique(b))"], "(b) a INT, b INT !");
    check_table(&["create table t(a int unique, b int not null, unique(b))"], "(a) a INT, b INT !");
    check_table(&["create table t(a int not null, unique((a + 1)), unique(a))"], "(a) a INT !");
    check_table(&["create table t(a int, primary key(A))"], "(a) a INT !");
    check_table(
        &["create table t(a int not null, unique(a))", "alter table t add b int primary key"],
        "(b) a INT !, b INT !",
    );
}

#[test]
fn keys_are_lost_and_found() {
    let two = "create table t(a int not null, b int not null, primary key(a), unique(b))";
    check_table(&[two, "alter table t drop primary key"], "() a INT !, b INT !");
    check_table(&[two, "alter table t drop primary key", "alter table t add unique u(b)"], "(b) a INT !, b INT !");
    check_table(&["create table t(a int not null, unique u(a))", "alter table t drop index u"], "(a) a INT !");
    check_table(&["create table t(a int, b int, primary key(a, b))", "alter table t drop a"], "(b) b INT !");
    check_table(&[T, "alter table t change id key_ int not null"], "(key_) key_ INT !");
}

#[test]
fn a_unique_column_that_is_added_is_a_key_only_to_the_older_grammar() {
    let statements = ["create table t(a int)", "alter table t add b int not null unique"];
    check_table(&statements, "() a INT, b INT !");
    check_table_in(legacy(), &statements, "(b) a INT, b INT !");
}

#[test]
fn nullability() {
    check_table(&["create table t(a int, b int null, c int not null)"], "() a INT, b INT, c INT !");
    check_table(&["create table t(a int not null)", "alter table t modify a bigint"], "() a BIGINT");
    check_table(&["create table t(a int not null)", "alter table t change a b bigint"], "() b BIGINT");
}

#[test]
fn defaults() {
    let of = |definition: &str| format!("create table t(a {definition})");
    for (definition, expect) in [
        ("int default 5", "a INT =5"),
        ("int default -5", "a INT =-5"),
        ("int default - 5", "a INT =-5"),
        ("int default null", "a INT"),
        ("int not null default (1 + (2))", "a INT ! =NULL"),
        ("timestamp(3) default current_timestamp(3)", "a TIMESTAMP(3) =1970-01-01 00:00:00"),
        ("datetime default NOW()", "a DATETIME =1970-01-01 00:00:00"),
        ("datetime default localtime", "a DATETIME =1970-01-01 00:00:00"),
        ("bit(3) default b'101'", "a BIT(3) =101"),
        ("binary(2) default x'4142'", "a BINARY(2) =4142"),
        ("int default 0x10", "a INT =16"),
        ("varchar(9) default 'it''s'", "a VARCHAR(9) utf8mb4 =it''s"),
        (r"varchar(9) default 'a\'b\\'", r"a VARCHAR(9) utf8mb4 =a\'b\\"),
        ("varchar(9) default _utf8mb4'x'", "a VARCHAR(9) utf8mb4 =x"),
        ("varchar(9) default n'x'", "a VARCHAR(9) utf8mb4 =x"),
        ("varchar(9) default ''", "a VARCHAR(9) utf8mb4 ="),
        ("bool default false", "a BOOL =false"),
        ("date default date '2020-01-01'", "a DATE =2020-01-01"),
    ] {
        check_table(&[&of(definition)], &format!("() {expect}"));
    }
}

#[test]
fn defaults_that_are_altered() {
    let t = "create table t(a int default 1)";
    check_table(&[t, "alter table t alter a set default 2"], "() a INT =2");
    check_table(&[t, "alter table t alter column a drop default"], "() a INT without default");
    check_table(&[t, "alter table t alter a set default null"], "() a INT");
    check_table(&[t, "alter table t alter a set default (5)"], "() a INT");
}

#[test]
fn defaults_of_mariadb_may_be_calls() {
    for default in ["uuid()", "nextval(s)", "next value for d.s", "concat('a', ')')", "case when 1 then 2 else 3 end"] {
        check_table_in(
            maria(),
            &[&format!("create table t(a int not null default {default} comment 'c')")],
            "() a INT ! =NULL",
        );
    }
}

#[test]
fn columns_that_number_themselves() {
    check_table(&["create table t(a int auto_increment primary key)"], "(a) a INT ! #");
    let on_update = "create table t(a timestamp null on update current_timestamp)";
    check_table(&[on_update], "() a TIMESTAMP #");
    check_table_in(legacy(), &[on_update], "() a TIMESTAMP");
    check_table(&["create table t(a serial)"], "(a) a BIGINT UNSIGNED ! #");
    check_table(&["create table t(a int as (1) stored)"], "() a INT");
}

#[test]
fn character_sets() {
    for (definition, expect) in [
        ("a varchar(1)) charset latin1", "latin1"),
        ("a varchar(1)) collate latin1_bin", "latin1"),
        ("a varchar(1)) default character set = 'latin1'", "latin1"),
        ("a varchar(1) charset gbk) charset latin1", "gbk"),
        ("a varchar(1) collate gbk_bin) charset latin1", "gbk"),
        ("a varchar(1))", "utf8mb4"),
        ("a varchar(1)) charset default", "utf8mb4"),
        ("a nvarchar(1)) charset latin1", "utf8"),
    ] {
        let expect = if expect == "utf8" { "a NVARCHAR(1) utf8".to_owned() } else { format!("a VARCHAR(1) {expect}") };
        check_table(&[&format!("create table t({definition}")], &format!("() {expect}"));
    }
}

#[test]
fn character_sets_are_inherited() {
    let t = "create table t(a char(1))";
    check_table(&["create database d charset latin1", t], "() a CHAR(1) latin1");
    check_table(&["create database d collate latin1_bin", t], "() a CHAR(1) latin1");
    check_table(&["alter database d charset gbk", t], "() a CHAR(1) gbk");
    check_table(&["set character_set_server=sjis", t], "() a CHAR(1) sjis");
    check_table(&["create database d charset latin1", "drop database d", t], "() a CHAR(1) utf8mb4");
}

#[test]
fn character_sets_are_converted() {
    let t = "create table t(a char(1), b int, c text charset gbk)";
    check_table(
        &[t, "alter table t convert to character set latin1, add d text"],
        "() a CHAR(1) latin1, b INT, c TEXT latin1, d TEXT latin1",
    );
    let default = [t, "alter table t default charset latin1", "alter table t add d text"];
    // Debezium's default grammar does not see it.
    check_table(&default, "() a CHAR(1) utf8mb4, b INT, c TEXT gbk, d TEXT utf8mb4");
    check_table_in(legacy(), &default, "() a CHAR(1) utf8mb4, b INT, c TEXT gbk, d TEXT latin1");
}

#[test]
fn change_starts_from_the_column_and_modify_from_nothing() {
    let mut catalog = catalog(Dialect::new(Flavour::MySql), true);
    for text in [
        "create table t(a enum('x') comment 'c' default 'x', b int auto_increment key comment 'd')",
        "alter table t change a a2 enum('y'), modify b int not null",
    ] {
        run(&mut catalog, text);
    }
    let id = TableId { database: "d".into(), table: "t".into() };
    assert_eq!(table(catalog.table(&id).unwrap()), "(b) a2 ENUM(1) utf8mb4 'c', b INT !");
}

#[test]
fn columns_in_brackets_keep_less_in_the_default_grammar() {
    let statements = ["create table t(a int)", "alter table t add (b int not null auto_increment, c text not null)"];
    check_table(&statements, "() a INT, b INT !, c TEXT utf8mb4 !");
    check_table_in(legacy(), &statements, "() a INT, b INT ! #, c TEXT utf8mb4 !");
}

#[test]
fn clauses_name_columns_as_they_were() {
    let t = "create table t(a int, b date)";
    check_table(&[t, "alter table t rename column a to b, rename column b to a"], "() b INT, a DATE");
    check_table(&[t, "alter table t change a b int, change b a date"], "() b INT, a DATE");
    check_table(&[t, "alter table t drop a, add a text first"], "() a TEXT utf8mb4, b DATE");
    check_table(&[t, "alter table t add c int after a, modify A bigint after c"], "() c INT, A BIGINT, b DATE");
}

#[test]
fn names_of_tables_without_case() {
    let rules = Rules { dialect: Dialect::new(Flavour::MySql), comments: false, lower_case_table_names: 1 };
    let mut catalog = Catalog::new(rules);
    run(&mut catalog, "create table T(a int)");
    let outcome = run(&mut catalog, "alter table D.t add b int");
    assert_eq!(show(&outcome), "[d:t] alter table D.t add b int -> Alter d.t () a INT, b INT");
    let mut catalog = Catalog::new(Rules { lower_case_table_names: 2, ..rules });
    run(&mut catalog, "create table T(a int)");
    let outcome = run(&mut catalog, "alter table t add b int");
    assert_eq!(show(&outcome), "[d:T] alter table t add b int -> Alter d.T () a INT, b INT");
}

#[test]
fn sql_mode_of_the_session_decides_on_quotes() {
    let mut catalog = catalog(Dialect::new(Flavour::MySql), false);
    let text = "create table \"t\"(\"a\" varchar(5) default 'x\\', b int)";
    let ansi_without_escapes = Some((1 << 2) | (1 << 20));
    let outcome = catalog.apply(&Query { text, database: "d", sql_mode: ansi_without_escapes });
    assert_eq!(show(&outcome), format!("[d:t] {text} -> Create d.t () a VARCHAR(5) utf8mb4 =x\\, b INT"));
}

// --- MariaDB ---

#[test]
fn guards_of_mariadb() {
    let t = ["create table t(id int primary key, a int)"];
    let with = |statement| [t[0], statement];
    check_table_in(
        maria(),
        &with("alter table t add column if not exists a int, drop if exists z"),
        "(id) id INT !, a INT",
    );
    check_table_in(
        maria(),
        &with("alter table if exists t add if not exists b int first"),
        "(id) b INT, id INT !, a INT",
    );
    check_table_in(
        maria(),
        &with("alter table t modify if exists z int, change if exists a b int"),
        "(id) id INT !, b INT",
    );
    // A column of another type stays: its cells could not be read as what the statement says.
    check_table_in(maria(), &with("alter table t add column if not exists a text"), "(id) id INT !, a INT");
}

#[test]
fn versioned_tables_of_mariadb() {
    // The times of a row's version are no columns, unless the statement names them.
    let t = "create table t(a int) with system versioning";
    check_table_in(maria(), &[t], "() a INT");
    check_table_in(maria(), &["create table t(a int with system versioning, b int)"], "() a INT, b INT");
    check_table_in(maria(), &[t, "alter table t drop system versioning, add b int"], "() a INT, b INT");
    check_table_in(
        maria(),
        &["create table t(a int)", "alter table t add system versioning, add b int"],
        "() a INT, b INT",
    );
    let own = "create table t(a int, s timestamp(6) as row start, e timestamp(6) as row end, period for system_time(s, e)) with \
               system versioning";
    check_table_in(maria(), &[own], "() a INT, s TIMESTAMP(6), e TIMESTAMP(6)");
    let later =
        "alter table t add s timestamp(6) as row start, add (e timestamp(6) as row end, period for system_time(s, e))";
    check_table_in(maria(), &["create table t(a int)", later], "() a INT, s TIMESTAMP(6), e TIMESTAMP(6)");
}

#[test]
fn partitions_of_mariadb_become_tables() {
    let mut catalog = catalog(maria(), false);
    for text in [
        "create table t(a int) partition by range(a) (partition p values less than (5))",
        "alter table t convert partition p to table u",
        "create table v like t",
        "alter table t convert table v to partition q values less than (9)",
    ] {
        run(&mut catalog, text);
    }
    let names: Vec<&str> = catalog.tables().map(|t| &*t.id.table).collect();
    assert_eq!(names, ["t", "u"]);
}

#[test]
fn date_of_oracle_mode_has_a_time() {
    check_table_in(
        maria(),
        &["set sql_mode='ORACLE'", "create table t(a date, b varchar2(5))"],
        "() a DATETIME, b VARCHAR2(5) utf8mb4",
    );
}

/// The tables among a, b, c, n and x of which it is not known how they are, after statements of which one is not understood.
#[track_caller]
fn check_doubts(statements: &[&str], expect: &str) {
    check_doubts_in(Dialect::new(Flavour::MySql), statements, expect);
}

#[track_caller]
fn check_doubts_in(dialect: Dialect, statements: &[&str], expect: &str) {
    let mut catalog = catalog(dialect, false);
    let made = ["create table a(id int not null)", "create table b(id int)", "create table c(id int)"];
    for text in made.iter().chain(statements) {
        catalog.apply(&Query { text, database: "d", sql_mode: None });
    }
    let id = |table: &&str| TableId { database: "d".into(), table: (*table).into() };
    let doubtful: Vec<&str> =
        ["a", "b", "c", "n", "x"].into_iter().filter(|t| catalog.doubt(&id(t)).is_some()).collect();
    assert_eq!(doubtful.join(" "), expect, "{statements:?}");
}

#[test]
fn what_a_statement_that_is_not_understood_leaves_in_doubt() {
    const UNREAD: &str = "alter table a add v no such type";
    check_doubts(&[UNREAD], "a");
    check_doubts(&["alter table a drop v"], "a");
    check_doubts(&["create table n(id no such type)"], "n");
    // Another name may be the table's new one.
    check_doubts(&["alter table a add v no such type, rename to n"], "a n x");
    check_doubts(&["rename table a to 5"], "a b c n x");
    // What alters, renames or copies a doubtful table leaves it so.
    check_doubts(&[UNREAD, "alter table a add w int"], "a");
    check_doubts(&[UNREAD, "alter table a add w int, rename to n"], "n");
    check_doubts(&[UNREAD, "rename table b to x, a to b"], "b");
    check_doubts(&["create table n(id no such type)", "rename table a to x, n to a"], "a");
    check_doubts(&[UNREAD, "create table n like a"], "a n");
    check_doubts_in(legacy(), &[UNREAD, "create unique index i on a(id)"], "a");
    // Also a table of which nothing else is known.
    check_doubts(&["create table n(id no such type)", "alter table n rename to x"], "x");
    check_doubts(&["create table n(id no such type)", "create table x like n"], "n x");
    // What makes or drops it does not.
    check_doubts(&[UNREAD, "drop table a"], "");
    check_doubts(&[UNREAD, "drop table a", "create table a(id int)"], "");
    check_doubts(&[UNREAD, "drop database d"], "");
    check_doubts(&["rename table a to 5", "create table n(id int)"], "a b c x");
    check_doubts(&["rename table a to 5", "create table if not exists n(id int)"], "a b c n x");
    check_doubts(&[UNREAD, "create table if not exists a(id int)"], "a");
}

#[test]
fn a_record_does_not_tell_how_a_doubtful_table_is() {
    let mut catalog = catalog(Dialect::new(Flavour::MySql), false);
    let mut apply = |text| catalog.apply(&Query { text, database: "d", sql_mode: None }).records;
    apply("create table a(id int)");
    apply("alter table a add v no such type");
    let records = apply("alter table a add w int");
    assert!(records[0].changes.is_empty() && records[0].tables.as_ref().is_some_and(|tables| tables.len() == 1));
    assert_eq!(records[0].ddl, "alter table a add w int");
}
