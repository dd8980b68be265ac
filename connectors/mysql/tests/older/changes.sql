-- What is run on each old server. A line `[mysql 5.6]` in front of a statement limits it to MySQL 5.6 and later, `[mysql -5.5]`
-- to MySQL up to 5.5, and `[mariadb 10.2]` likewise; without such a mark both run it. A statement stands on one line.
-- `look TABLE` writes the binlog's position and the table's rows, as the server itself shows them, beside the binlog.
-- file full
SET NAMES utf8mb4; SET sql_mode = ''; SET time_zone = '+00:00';
CREATE DATABASE older CHARACTER SET utf8mb4;
USE older
CREATE TABLE numbers (id INT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED, i INT, iu INT UNSIGNED ZEROFILL, b BIGINT, bu BIGINT UNSIGNED, f FLOAT, d DOUBLE, n DECIMAL(10,2), n65 DECIMAL(65,30), nu DECIMAL(5,0) UNSIGNED, b1 BIT(1), b10 BIT(10), b64 BIT(64), y YEAR, o BOOL);
INSERT INTO numbers VALUES (1, -128, 255, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295, -9223372036854775808, 18446744073709551615, 1.5, 0.1, -1234.56, -12345678901234567890123456789012345.678901234567890123456789012345, 99999, b'1', b'1000000001', 18446744073709551615, 2155, 1), (2, 127, 0, 32767, 0, 8388607, 0, 2147483647, 42, 9223372036854775807, 0, -0.25, -1.7976931348623157e308, 0.01, 0.000000000000000000000000000001, 0, b'0', b'1', 1, 1901, 0), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE numbers SET t = 5, n = 12345678.91 WHERE id = 1;
-- look numbers
CREATE TABLE texts (id INT PRIMARY KEY, c CHAR(10), c255 CHAR(255), v VARCHAR(20), v300 VARCHAR(300), la VARCHAR(20) CHARACTER SET latin1, u3 VARCHAR(20) CHARACTER SET utf8, u2 VARCHAR(10) CHARACTER SET ucs2, gb CHAR(10) CHARACTER SET gbk, sj VARCHAR(10) CHARACTER SET sjis, bi BINARY(8), vb VARBINARY(300), tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT CHARACTER SET latin1, tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB, e ENUM('a','it''s','','ö'), st SET('q','r','ß'));
INSERT INTO texts VALUES (1, 'abc', REPEAT('ü', 130), 'ten 😀', REPEAT('v', 260), 'é', 'ключ', '日本', '中文', 'カナ', x'0102030405060708', x'00ff00', 'tiny', 'text', 'medium', 'lang é', 'tb', x'ff', x'00', x'deadbeef', 'ö', 'q,ß'), (2, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', ''), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE texts SET tx = REPEAT('long ', 300), e = 'it''s', st = '' WHERE id = 1;
-- look texts
CREATE TABLE moments (id INT PRIMARY KEY, da DATE, ti TIME, dt DATETIME, ts TIMESTAMP NULL);
INSERT INTO moments VALUES (1, '2024-02-29', '12:34:56', '2024-02-29 23:59:59', '2038-01-19 03:14:07'), (2, '1000-01-01', '-838:59:59', '1000-01-01 00:00:00', '1970-01-01 00:00:01'), (3, '9999-12-31', '838:59:59', '9999-12-31 23:59:59', NULL), (4, '0000-00-00', '-00:00:01', '0000-00-00 00:00:00', NULL), (5, '2020-00-15', NULL, '2020-01-00 00:00:00', NULL);
-- look moments
[mysql 5.6] CREATE TABLE fractions (id INT PRIMARY KEY, t1 TIME(1), t3 TIME(3), t6 TIME(6), d1 DATETIME(1), d3 DATETIME(3), d6 DATETIME(6), s2 TIMESTAMP(2) NULL, s6 TIMESTAMP(6) NULL);
[mariadb 10.0] CREATE TABLE fractions (id INT PRIMARY KEY, t1 TIME(1), t3 TIME(3), t6 TIME(6), d1 DATETIME(1), d3 DATETIME(3), d6 DATETIME(6), s2 TIMESTAMP(2) NULL, s6 TIMESTAMP(6) NULL);
[mysql 5.6] INSERT INTO fractions VALUES (1, '23:59:59.9', '-00:00:00.001', '838:59:58.999999', '1969-12-31 23:59:59.9', '2024-02-29 23:59:59.987', '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01.25', '2038-01-19 03:14:07.499999'), (2, '-00:00:00.1', '24:00:00.001', '-838:59:58.000001', '1582-10-04 12:00:00.1', '0099-12-31 01:02:03.004', '0099-12-31 01:02:03.000004', '2024-02-29 23:59:59.5', '2024-02-29 00:00:00.100000'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
[mariadb 10.0] INSERT INTO fractions VALUES (1, '23:59:59.9', '-00:00:00.001', '838:59:58.999999', '1969-12-31 23:59:59.9', '2024-02-29 23:59:59.987', '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01.25', '2038-01-19 03:14:07.499999'), (2, '-00:00:00.1', '24:00:00.001', '-838:59:58.000001', '1582-10-04 12:00:00.1', '0099-12-31 01:02:03.004', '0099-12-31 01:02:03.000004', '2024-02-29 23:59:59.5', '2024-02-29 00:00:00.100000'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
[mysql 5.6] -- look fractions
[mariadb 10.0] -- look fractions
[mariadb 10.1] SET @@global.mysql56_temporal_format = OFF;
[mariadb 10.1] CREATE TABLE old_moments (id INT PRIMARY KEY, ti TIME, dt DATETIME, ts TIMESTAMP NULL);
[mariadb 10.1] INSERT INTO old_moments VALUES (1, '12:34:56', '2024-02-29 23:59:59', '2024-02-29 23:59:59'), (2, '-838:59:59', '1000-01-01 00:00:00', '1970-01-01 00:00:01'), (3, NULL, NULL, NULL);
[mariadb 10.1] -- look old_moments
[mariadb 10.1] SET @@global.mysql56_temporal_format = ON;
CREATE TABLE shapes (id INT PRIMARY KEY, p POINT, g GEOMETRY, l LINESTRING);
[mysql -5.5] INSERT INTO shapes VALUES (1, GeomFromText('POINT(1.5 -2)'), GeomFromText('POLYGON((0 0,4 0,4 4,0 4,0 0))'), GeomFromText('LINESTRING(0 0,1 1)')), (2, NULL, NULL, NULL);
[mysql 5.6] INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(1.5 -2)'), ST_GeomFromText('POLYGON((0 0,4 0,4 4,0 4,0 0))'), ST_GeomFromText('LINESTRING(0 0,1 1)')), (2, NULL, NULL, NULL);
[mariadb 10.1] INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(1.5 -2)'), ST_GeomFromText('POLYGON((0 0,4 0,4 4,0 4,0 0))'), ST_GeomFromText('LINESTRING(0 0,1 1)')), (2, NULL, NULL, NULL);
-- look shapes
[mysql 5.7] CREATE TABLE documents (id INT PRIMARY KEY, j JSON, v INT AS (id + 1) VIRTUAL, s INT AS (id * 2) STORED);
[mysql 5.7] INSERT INTO documents (id, j) VALUES (1, '{"a": [1, -2, 2.5, null, true], "b": "x", "c": {"d": "ü"}}'), (2, '18446744073709551615'), (3, '[]'), (4, NULL);
[mysql 5.7] UPDATE documents SET j = JSON_SET(j, '$.a[1]', CAST('2024-02-29 12:34:56' AS DATETIME)) WHERE id = 1;
[mysql 5.7] -- look documents
[mysql 8.0] CREATE TABLE partly (id INT PRIMARY KEY, j JSON, n INT DEFAULT (1 + 1)); INSERT INTO partly (id, j) VALUES (1, JSON_OBJECT('name', 'long enough that a difference is shorter than the document', 'list', JSON_ARRAY(1, 2, 3)));
[mysql 8.0] -- look partly
[mariadb 10.2] CREATE TABLE documents (id INT PRIMARY KEY, j JSON, n INT DEFAULT (1 + 1), s INT AS (id * 2) PERSISTENT); INSERT INTO documents (id, j) VALUES (1, '{"a": [1, 2.50],  "b": null}'), (2, NULL);
[mariadb 10.2] -- look documents
[mariadb 10.3] CREATE TABLE squeezed (id INT PRIMARY KEY, v VARCHAR(300) COMPRESSED, t TEXT COMPRESSED CHARACTER SET latin1, b BLOB COMPRESSED); INSERT INTO squeezed VALUES (1, REPEAT('squeezed ', 20), REPEAT('ü', 300), REPEAT(x'ab', 500)), (2, 'short', '', NULL);
[mariadb 10.3] -- look squeezed
[mariadb 10.5] CREATE TABLE addresses (id INT PRIMARY KEY, a INET6); INSERT INTO addresses VALUES (1, '2001:db8::1'), (2, '::ffff:1.2.3.4'), (3, NULL);
[mariadb 10.5] -- look addresses
[mariadb 10.10] CREATE TABLE identities (id INT PRIMARY KEY, u UUID, a INET4); INSERT INTO identities VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '1.2.3.4'), (2, '018f3f5e-0000-7abc-8def-0123456789ab', '255.255.255.0'), (3, NULL, NULL);
[mariadb 10.10] -- look identities
[mariadb 11.7] CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3)); INSERT INTO vectors VALUES (1, Vec_FromText('[1,2.5,-3]')), (2, NULL);
[mariadb 11.7] -- look vectors
CREATE TABLE changed (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(10) NOT NULL DEFAULT 'x', b INT);
INSERT INTO changed (b) VALUES (1), (2), (3);
ALTER TABLE changed ADD COLUMN c DECIMAL(6,3) DEFAULT 1.5 AFTER id, MODIFY b BIGINT UNSIGNED;
INSERT INTO changed (a, b) VALUES ('é', 18446744073709551615);
ALTER TABLE changed CHANGE b bb INT, DROP COLUMN a;
UPDATE changed SET c = c - 1.625, bb = 7;
RENAME TABLE changed TO renamed;
DELETE FROM renamed WHERE id = 3;
UPDATE renamed SET id = 30 WHERE id = 1;
-- look renamed
TRUNCATE TABLE renamed;
INSERT INTO renamed VALUES (1, 2.5, 3);
-- look renamed
CREATE TABLE unsafe (id INT PRIMARY KEY, v VARCHAR(10)) ENGINE=MyISAM;
INSERT INTO unsafe VALUES (1, 'a'), (2, 'b');
UPDATE unsafe SET v = 'c' WHERE id = 2;
-- look unsafe
START TRANSACTION; INSERT INTO numbers (id, i) VALUES (10, 10); INSERT INTO renamed VALUES (10, 1, 1); SAVEPOINT s; INSERT INTO renamed VALUES (11, 1, 1); ROLLBACK TO s; UPDATE numbers SET i = 11 WHERE id = 10; COMMIT;
START TRANSACTION; INSERT INTO numbers (id) VALUES (99); ROLLBACK;
-- look numbers
-- look renamed
XA START 'x'; INSERT INTO renamed VALUES (20, 1, 1); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x';
-- look renamed
CREATE TABLE pairs (a INT, b INT, v VARCHAR(10), PRIMARY KEY (b, a)) PARTITION BY HASH (a) PARTITIONS 2;
INSERT INTO pairs VALUES (1, 1, 'x'), (2, 1, 'y'), (1, 2, 'z');
DELETE FROM pairs WHERE a = 2;
-- look pairs
CREATE TABLE copied LIKE pairs;
INSERT INTO copied SELECT a, b, v FROM pairs;
-- look copied
-- file images
SET NAMES utf8mb4; SET sql_mode = ''; SET time_zone = '+00:00';
CREATE DATABASE older CHARACTER SET utf8mb4;
USE older
CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(20), c TEXT, d DATETIME DEFAULT '2020-02-02 02:02:02') ENGINE=InnoDB;
INSERT INTO t VALUES (1, 1, 'one', 'c1', '2024-02-29 12:34:56'), (2, 2, 'two', 'c2', NULL), (3, 3, 'three', 'c3', NULL);
UPDATE t SET a = 10 WHERE id = 1;
-- look t
[mysql 5.6] SET SESSION binlog_row_image = MINIMAL;
[mariadb 10.1] SET SESSION binlog_row_image = MINIMAL;
INSERT INTO t (id, a) VALUES (4, 40), (5, 50);
UPDATE t SET b = 'new', a = NULL WHERE id = 2;
DELETE FROM t WHERE id = 3;
-- look t
[mysql 5.6] SET SESSION binlog_row_image = NOBLOB;
[mariadb 10.1] SET SESSION binlog_row_image = NOBLOB;
UPDATE t SET a = 11 WHERE id = 1;
UPDATE t SET c = 'blob' WHERE id = 1;
-- look t
