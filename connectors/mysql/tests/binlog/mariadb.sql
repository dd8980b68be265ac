-- file mariadb-types
SET GLOBAL binlog_row_metadata=FULL;
CREATE DATABASE bin_types; USE bin_types;
CREATE TABLE `all` (
  id BIGINT UNSIGNED PRIMARY KEY, t TINYINT, y YEAR, iu INT UNSIGNED, i INT, f FLOAT, d DOUBLE UNSIGNED, n DECIMAL(10,2),
  b BIT(10), da DATE, ti TIME(3), dt DATETIME(6), ts TIMESTAMP(2) NULL, c CHAR(255), v VARCHAR(300), la VARCHAR(20) CHARACTER
  SET latin1, bi BINARY(8), tx TEXT, lb LONGBLOB, e ENUM('a','b,c','ö'), st SET('q','r','s') CHARACTER SET latin1, j JSON,
  g GEOMETRY, p POINT, u UUID, i6 INET6, i4 INET4, vc VARCHAR(300) COMPRESSED, tc TEXT COMPRESSED, inv INT INVISIBLE,
  gen INT GENERATED ALWAYS AS (i + 1) STORED
) DEFAULT CHARSET utf8mb4;
INSERT INTO `all` (id, t, y, iu, i, f, d, n, b, da, ti, dt, ts, c, v, la, bi, tx, lb, e, st, j, g, p, u, i6, i4, vc, tc, inv)
VALUES (18446744073709551615, -128, 2024, 4294967295, -5, 1.5, 0.1, -1234.56, b'1000000001', '2024-02-29', '-12:34:56.789',
  '9999-12-31 23:59:59.999999', '1970-01-01 12:00:01.25', REPEAT('ü', 130), REPEAT('v', 260), 'é', x'0102030405060708',
  'text', x'deadbeef', 'ö', 'q,s', '{"a": 1}', ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(3 4)'),
  '123e4567-e89b-12d3-a456-426655440000', '2001:db8::1', '10.1.2.3', REPEAT('compressed ', 20), REPEAT('compressed ', 30), 7);
INSERT INTO `all` (id) VALUES (1);
UPDATE `all` SET t = 5, c = NULL WHERE id > 1;
DELETE FROM `all` WHERE id = 1;
CREATE TABLE v (id INT PRIMARY KEY, x INT) WITH SYSTEM VERSIONING;
INSERT INTO v VALUES (1, 1); UPDATE v SET x = 2;
SET GLOBAL binlog_row_metadata=NO_LOG;
SET SESSION binlog_row_image=MINIMAL;
UPDATE v SET x = 3; DELETE FROM v;
SET SESSION binlog_row_image=FULL;
XA START 'x', 'branch', 7; INSERT INTO v VALUES (5, 5); XA END 'x', 'branch', 7; XA PREPARE 'x', 'branch', 7;
XA COMMIT 'x', 'branch', 7;
DROP DATABASE bin_types;
-- file mariadb-compressed
SET GLOBAL log_bin_compress=ON, log_bin_compress_min_len=10;
SET SESSION gtid_domain_id=3;
CREATE DATABASE bin_compressed; USE bin_compressed;
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(200));
INSERT INTO t SELECT seq, REPEAT(CHAR(65 + seq % 20), 150) FROM seq_1_to_100;
UPDATE t SET v = 'short' WHERE id = 7;
DELETE FROM t WHERE id > 95;
DROP DATABASE bin_compressed;
SET GLOBAL log_bin_compress=OFF, log_bin_compress_min_len=256;
-- file mariadb-xa
CREATE DATABASE bin_xa; USE bin_xa;
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10));
INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c');
XA START 'x'; INSERT INTO t VALUES (10, 'x'), (11, 'x'); UPDATE t SET v = 'u' WHERE id = 10; XA END 'x'; XA PREPARE 'x';
connect bin_xa
XA START 'y'; INSERT INTO t VALUES (20, 'y'); XA END 'y'; XA PREPARE 'y';
connect bin_xa
START TRANSACTION; INSERT INTO t VALUES (4, 'd'), (5, 'e'); DELETE FROM t WHERE id = 1; COMMIT;
CREATE TABLE u (id INT PRIMARY KEY); INSERT INTO u VALUES (1); ALTER TABLE u ADD b INT; INSERT INTO u VALUES (2, 2);
XA ROLLBACK 'y';
XA START 'z'; INSERT INTO t VALUES (30, 'z'), (31, 'z'); XA END 'z'; XA PREPARE 'z';
connect bin_xa
INSERT INTO t VALUES (6, 'f');
XA COMMIT 'x';
INSERT INTO t VALUES (7, 'g'), (8, 'h');
XA COMMIT 'z';
XA START 'o'; INSERT INTO t VALUES (40, 'o'); XA END 'o'; XA COMMIT 'o' ONE PHASE;
CREATE TABLE n AS SELECT * FROM t WHERE id < 5;
START TRANSACTION; INSERT INTO t VALUES (9, 'i'); SAVEPOINT s; UPDATE t SET id = 12 WHERE id = 2; COMMIT;
TRUNCATE u;
DROP DATABASE bin_xa;
-- file mariadb-doubt
SET GLOBAL binlog_row_metadata=FULL;
CREATE DATABASE bin_doubt; USE bin_doubt;
CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(10) CHARACTER SET latin1 DEFAULT 'x', e ENUM('p','q') NOT NULL);
CREATE TABLE u (id INT PRIMARY KEY);
INSERT INTO t VALUES (1, 'one', 'p');
SET sql_log_bin=0; ALTER TABLE t ADD n INT NOT NULL; SET sql_log_bin=1;
ALTER TABLE t MODIFY n BIGINT UNSIGNED NOT NULL AFTER id;
INSERT INTO u VALUES (1);
INSERT INTO t (id, n, e) VALUES (2, 9, 'q'), (3, 9, 'q');
UPDATE t SET a = 'four' WHERE id = 3;
ALTER TABLE t ADD z INT;
INSERT INTO t (id, n, e) VALUES (4, 9, 'q');
SET sql_log_bin=0; ALTER TABLE t ADD w DATE; SET sql_log_bin=1;
ALTER TABLE t DROP w;
ALTER TABLE t RENAME TO v;
INSERT INTO v (id, n, e) VALUES (5, 9, 'q');
DROP DATABASE bin_doubt;
SET GLOBAL binlog_row_metadata=NO_LOG;
-- file mariadb-hidden
CREATE DATABASE bin_hidden; USE bin_hidden;
SET system_versioning_alter_history=KEEP;
CREATE TABLE b (id INT PRIMARY KEY, b BLOB, UNIQUE (b));
INSERT INTO b VALUES (1, 'x');
UPDATE b SET b = 'y';
CREATE TABLE m (id INT PRIMARY KEY, b BLOB UNIQUE, v VARCHAR(3000) CHARACTER SET utf8mb4 UNIQUE);
INSERT INTO m VALUES (2, 'x', 'v');
DELETE FROM m;
CREATE TABLE s (id INT PRIMARY KEY, v TEXT, UNIQUE (v)) WITH SYSTEM VERSIONING;
INSERT INTO s VALUES (3, 'v');
ALTER TABLE s ADD z BIGINT;
INSERT INTO s (id, z) VALUES (4, 5);
SET GLOBAL binlog_row_metadata=FULL;
CREATE TABLE n (id INT PRIMARY KEY, v TEXT, UNIQUE (v)) WITH SYSTEM VERSIONING;
INSERT INTO n VALUES (5, 'v');
INSERT INTO b VALUES (6, 'z');
DROP DATABASE bin_hidden;
SET GLOBAL binlog_row_metadata=NO_LOG;
-- file mariadb-servers
CREATE DATABASE bin_servers; USE bin_servers;
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10));
INSERT INTO t VALUES (1, 'a');
SET SESSION server_id=7;
INSERT INTO t VALUES (2, 'b'), (3, 'c');
SET SESSION gtid_domain_id=3;
INSERT INTO t VALUES (4, 'd');
SET SESSION server_id=8;
INSERT INTO t VALUES (5, 'e');
SET STATEMENT max_statement_time=10 FOR ALTER TABLE t ADD c INT FIRST;
INSERT INTO t VALUES (60, 6, 'f');
SET SESSION binlog_format=STATEMENT;
UPDATE t SET v = 'text' WHERE id > 1;
SET STATEMENT max_statement_time=10 FOR DELETE FROM t WHERE id = 1;
SET SESSION binlog_format=ROW;
INSERT INTO t VALUES (70, 7, 'g');
DROP DATABASE bin_servers;

-- file mariadb-computed
-- From 11.8, which leaves generated columns out of images.
create database bin_computed;
use bin_computed;
create table t (id int primary key, a int, s int as (a + 1) stored, v int generated always as (a + 2) virtual, n int not null default 5);
insert into t (id, a) values (1, 1);
update t set a = 5 where id = 1;
delete from t where id = 1;
replace into t (id, a) values (2, 2);
replace into t (id, a) values (2, 7);
alter table t add w int as (a + 3), drop s;
update t set a = 8 where id = 2;
set binlog_row_image = minimal;
update t set a = 9 where id = 2;
