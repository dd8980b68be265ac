create type mood as enum ('sad', 'ok');
create table t (
    id bigint, code char(2), sm smallint not null default 3, i int, b boolean not null default true, r real,
    d double precision, n numeric(12, 3), nv numeric, m money, s text not null default 'x y', vc varchar(20), by bytea,
    u uuid, j jsonb, x xml, dt date not null default '2020-01-02', tm time(3), tmu time(6), ts3 timestamp(3),
    ts6 timestamp(6), tz timestamptz, tmz timetz, iv interval, mo mood not null default 'ok', bi bit(3),
    vb bit varying(8), b1 bit(1), ia int[], ta text[], na numeric(6, 2)[], pt point, ip inet, mac macaddr, rg int4range,
    o oid, dd int default 7,
    primary key (id, code)
);
alter table t replica identity full;
insert into t values (1, 'ab', 1, 2, true, 1.5, 2.25, 12.345, 1e30, '12.34', 'héllo 😀', 'v', '\xdeadbeef',
    '3f333df6-90a4-4fda-8dd3-9485d27cee36', '{"a": [1, 2]}', '<a/>', '2024-02-29', '12:34:56.789', '12:34:56.789123',
    '2024-01-02 03:04:05.678', '2024-01-02 03:04:05.678901', '2024-01-02 03:04:05.678901+02', '12:34:56+02',
    '1 year 2 days', 'sad', '101', '10101', '1', '{1,null,3}', '{a,"b,c"}', '{1.50,2.25}', '(1.5,2)', '10.1.2.3',
    '08:00:2b:01:02:03', '[1,10)', 4294967295, null);
insert into t (id, code) values (2, 'cd');
insert into t (id, code, r, d, nv) values (3, 'ef', 'NaN', '-Infinity', -0.000001);
