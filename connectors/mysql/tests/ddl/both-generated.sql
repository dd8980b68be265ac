-- Generated columns, checks, expressions with every kind of bracket and quote.
create table g1(id int, v int as (id + 1) virtual, w int generated always as (id * 2) stored, x varchar(20) generated always as (concat('a)', id, "(b")) virtual, primary key(id));
create table g2(a int, b int, area int generated always as (a * b) stored, check (a > 0), constraint b_ok check (b < 1000), c int check (c in (1, 2, 3)));
create table g3(doc json, name varchar(20) as (json_unquote(json_extract(doc, '$.name'))) stored, n int as (json_length(doc)) virtual comment 'length');
alter table g1 add column late int generated always as (id + 5) virtual, add column later int as (case when id > 5 then 1 else 0 end) stored after id;
alter table g1 modify v bigint as (id + 2) virtual, change w w2 bigint generated always as (id * 3) stored;
alter table g1 drop column x;
create table g4(a int default (1 + (2 * 3)), b varchar(36) default (uuid()), c json default (json_object('a', json_array(1, ')'))), d datetime default (now() + interval 1 day), e varchar(10) default (concat(char(40), 'x')));
alter table g4 alter a set default (5 + 5), alter column b set default 'x';
create table g5(a varchar(10) default (case when 1 > 0 then 'y' else 'n' end), b int as (if(a = ')', 1, 0)) virtual unique);
