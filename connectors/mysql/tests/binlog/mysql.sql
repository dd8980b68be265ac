-- file mysql-types
SET GLOBAL binlog_row_metadata=FULL;
SET SESSION time_zone='+02:00', sql_mode='ANSI_QUOTES';
CREATE DATABASE bin_types; USE bin_types;
CREATE TABLE "all" (
  id BIGINT UNSIGNED PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, y YEAR, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT,
  mu MEDIUMINT UNSIGNED, i INT, iu INT UNSIGNED, b BIGINT, f FLOAT, fu FLOAT UNSIGNED, d DOUBLE, n DECIMAL(65,30),
  nu DECIMAL(5,0) UNSIGNED, b1 BIT(1), b10 BIT(10), b64 BIT(64), da DATE, ti TIME, ti3 TIME(3), dt DATETIME,
  dt6 DATETIME(6), ts TIMESTAMP NULL, ts2 TIMESTAMP(2) NULL, c CHAR(3), c255 CHAR(255), v10 VARCHAR(10),
  v300 VARCHAR(300), la VARCHAR(20) CHARACTER SET latin1, bi BINARY(8), vb VARBINARY(300), tt TINYTEXT, tx TEXT,
  mt MEDIUMTEXT, lt LONGTEXT CHARACTER SET latin1, tb TINYBLOB, bl BLOB, lb LONGBLOB, e ENUM('a','b,c','ä'),
  e2 ENUM('x','y') CHARACTER SET latin1, st SET('q','r','s'), j JSON, g GEOMETRY, p POINT SRID 4326, ls LINESTRING,
  ve VECTOR(3), inv INT INVISIBLE, gen INT GENERATED ALWAYS AS (i + 1) STORED, virt INT GENERATED ALWAYS AS (i + 2) VIRTUAL
) DEFAULT CHARSET utf8mb4;
INSERT INTO "all" (id, t, tu, y, s, su, m, mu, i, iu, b, f, fu, d, n, nu, b1, b10, b64, da, ti, ti3, dt, dt6, ts, ts2, c,
  c255, v10, v300, la, bi, vb, tt, tx, mt, lt, tb, bl, lb, e, e2, st, j, g, p, ls, ve, inv)
VALUES (18446744073709551615, -128, 255, 2024, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295,
  -9223372036854775808, 1.5, 0.25, -0.1, -12345678901234567890123456789012345.678901234567890123456789012345, 99999, b'1',
  b'1000000001', b'1', '2024-02-29', '-838:59:59', '12:34:56.789', '1000-01-01 00:00:00', '9999-12-31 23:59:59.999999',
  '2038-01-19 05:14:07', '1970-01-01 02:00:01.25', 'abc', REPEAT('ü', 130), 'ten', REPEAT('v', 260), 'é',
  x'0102030405060708', x'ff00', 'tiny', 'text', 'medium', 'lang é', 'tb', 'bl', x'deadbeef', 'ä', 'y', 'q,s',
  '{"a": [1, 2.5, null, true], "b": "x"}', ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(10 20)', 4326),
  ST_GeomFromText('LINESTRING(0 0,1 1)'), STRING_TO_VECTOR('[1,2.5,-3]'), 7);
INSERT INTO "all" (id) VALUES (1);
UPDATE "all" SET t = 5, c = NULL WHERE id = 18446744073709551615;
DELETE FROM "all" WHERE id = 1;
CREATE TABLE keyed (a VARCHAR(50), b INT, j JSON, PRIMARY KEY (a(10), b), INDEX m ((CAST(j->'$.t' AS UNSIGNED ARRAY))));
INSERT INTO keyed VALUES ('k', 1, '{"t": [1, 2]}');
SET GLOBAL binlog_row_metadata=MINIMAL;
INSERT INTO keyed VALUES ('l', 2, NULL);
DROP DATABASE bin_types;
-- file mysql-images
CREATE DATABASE bin_images; USE bin_images;
CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(20), c TEXT, d INT DEFAULT 4) PARTITION BY HASH(id) PARTITIONS 2;
SET SESSION binlog_row_image=MINIMAL;
INSERT INTO t (id, a) VALUES (1, 10), (2, 20);
UPDATE t SET b = 'new', a = NULL WHERE id = 1;
DELETE FROM t WHERE id = 2;
SET SESSION binlog_row_image=NOBLOB;
UPDATE t SET a = 11 WHERE id = 1;
UPDATE t SET c = 'blob' WHERE id = 1;
SET SESSION binlog_row_image=FULL;
SET gtid_next='AUTOMATIC:tag_a';
START TRANSACTION; INSERT INTO t VALUES (3, 3, 'c', 'c', 3); SAVEPOINT s; INSERT INTO t VALUES (4, 4, 'd', 'd', 4);
ROLLBACK TO s; COMMIT;
SET gtid_next='AUTOMATIC';
XA START 'x', 'branch', 7; INSERT INTO t VALUES (5, 5, 'e', 'e', 5); XA END 'x', 'branch', 7; XA PREPARE 'x', 'branch', 7;
XA COMMIT 'x', 'branch', 7;
XA START 'y'; INSERT INTO t VALUES (6, 6, 'f', 'f', 6); XA END 'y'; XA COMMIT 'y' ONE PHASE;
CREATE TABLE u AS SELECT * FROM t;
SET @x = 1; SET SESSION binlog_format=STATEMENT; INSERT INTO u (id, a) VALUES (7, @x), (8, RAND()), (9, LAST_INSERT_ID());
SET SESSION binlog_format=ROW;
TRUNCATE u;
-- file mysql-tags
DROP DATABASE bin_images;
SET GLOBAL binlog_checksum=NONE;
-- file mysql-nochecksum
CREATE DATABASE bin_none; USE bin_none;
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10));
INSERT INTO t VALUES (1, 'one');
DROP DATABASE bin_none;
SET GLOBAL binlog_checksum=CRC32;
-- file mysql-json
CREATE DATABASE bin_json; USE bin_json;
CREATE TABLE j (id INT PRIMARY KEY, a JSON, n INT, b JSON);
INSERT INTO j VALUES
  (1, JSON_OBJECT('name', 'long enough that a difference is shorter than the document', 'list', JSON_ARRAY(1, 2, 3),
     'deep', JSON_OBJECT('x', 1, 'a key.with "signs"', 'v')), 1, JSON_OBJECT('k', 'another document that is somewhat long')),
  (2, NULL, 2, JSON_ARRAY('an array in which one element is changed', 1, 2, 3, 4, 5, 6, 7, 8));
SET SESSION binlog_row_value_options=PARTIAL_JSON;
UPDATE j SET a = JSON_SET(a, '$.list[1]', 22), n = 11 WHERE id = 1;
UPDATE j SET a = JSON_SET(a, '$.new', 1.5, '$.deep."a key.with \\"signs\\""', 'w'), b = JSON_REMOVE(b, '$.k') WHERE id = 1;
UPDATE j SET a = JSON_REMOVE(a, '$.list[0]'), b = JSON_SET(b, '$.k', REPEAT('x', 70000)) WHERE id = 1;
UPDATE j SET a = JSON_ARRAY_APPEND(JSON_ARRAY_INSERT(a, '$.list[0]', 'first'), '$.list', 'last') WHERE id = 1;
UPDATE j SET b = JSON_SET(b, '$[8]', 'end'), n = 22 WHERE id = 2;
UPDATE j SET b = JSON_SET(b, '$[0]', 'b'), a = JSON_OBJECT() WHERE id = 2;
UPDATE j SET n = 23 WHERE id = 2;
SET SESSION binlog_row_image=MINIMAL;
UPDATE j SET b = JSON_SET(b, '$[1]', 'minimal') WHERE id = 2;
SET SESSION binlog_row_value_options='', binlog_row_image=FULL;
SELECT id, CAST(a AS CHAR), n, LENGTH(b) FROM j;
DROP DATABASE bin_json;
-- file mysql-compressed
CREATE DATABASE bin_compressed; USE bin_compressed;
SET SESSION binlog_transaction_compression=ON;
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(200));
START TRANSACTION;
INSERT INTO t SELECT n, REPEAT(CHAR(65 + n % 20), 150) FROM (WITH RECURSIVE s AS (SELECT 1 n UNION ALL SELECT n + 1 FROM s WHERE n < 300) SELECT n FROM s) x;
UPDATE t SET v = 'short' WHERE id = 7;
DELETE FROM t WHERE id > 290;
COMMIT;
SET SESSION binlog_transaction_compression=OFF;
DROP DATABASE bin_compressed;
-- file mysql-xa
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
-- file mysql-doubt
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
SET GLOBAL binlog_row_metadata=MINIMAL;
-- file mysql-two-tables
CREATE DATABASE bin_two; USE bin_two;
CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (id INT PRIMARY KEY);
START TRANSACTION; INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1); DELETE FROM a WHERE id = 1; UPDATE b SET id = 3;
COMMIT;
DROP DATABASE bin_two;
-- file mysql-rows
CREATE DATABASE bin_rows; USE bin_rows;
CREATE TABLE t (id BIGINT PRIMARY KEY, a INT NOT NULL, b BIGINT, c VARCHAR(120) NOT NULL, d DECIMAL(12,2), e TIMESTAMP(6));
SET SESSION cte_max_recursion_depth=1000;
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
  SELECT i, i % 1000, i * 7919, SHA2(i, 256), (i % 100000) / 100, NOW(6) FROM n;
DROP DATABASE bin_rows;
