-- What cannot change a table: routines, triggers, views, events, users, grants.
create table r(id int primary key, v int);
create table log(id int auto_increment primary key, what varchar(30));
delimiter //
create procedure p1(in x int) begin declare y int default 1;
 if x > 0 then insert into r(id) values (1);
 else while y < 3 do set y = y + 1;
 end while;
 end if;
end//
create procedure p2() comment 'it''s' language sql sql security invoker
begin
  create temporary table tmp_in_p2(a int);
  alter table r add column never int;
  drop table r;
end//
create definer = current_user procedure p3(out o int, inout io varchar(10) character set latin1) deterministic reads sql data
lbl: loop
  leave lbl;
end loop//
create function f1(x int) returns int deterministic return x + 1//
create function f2(s varchar(10)) returns varchar(20) no sql begin return concat(s, ';', "create table x(a int);"); end//
create trigger t1 after insert on r for each row insert into log(what) values (concat('r ', new.id))//
create trigger t2 before update on r for each row begin
  if new.v is null then set new.v = 0; end if;
  -- alter table r drop column v;
  set new.v = new.v + 1;
end//
create event e1 on schedule every 1 day starts '2030-01-01 00:00:00' disable do begin delete from log; truncate table log; end//
delimiter ;
create view v1 as select * from r;
create or replace view v1 as select id from r;
create algorithm = merge sql security invoker view v2 (a, b) as select id, v from r with check option;
alter view v1 as select v from r;
create view v3 as with cte as (select id from r) select * from cte;
alter procedure p1 comment 'changed';
alter function f1 sql security invoker;
alter event e1 comment 'changed';
drop event e1;
drop trigger t1;
drop trigger if exists t2;
drop procedure p1;
drop procedure if exists p2;
drop procedure if exists nothere;
drop function f1;
drop view v1, v2;
drop view if exists v3;
create user if not exists '{db}'@'%' identified by 'secret;1';
grant select, insert on {db}.* to '{db}'@'%';
revoke insert on {db}.* from '{db}'@'%';
alter user '{db}'@'%' account lock;
drop user '{db}'@'%';
create role if not exists {db}_role;
drop role {db}_role;
analyze table r;
optimize table r;
repair table r;
check table r;
flush tables;
insert into r(id, v) values (1, 2);
update r set v = 3;
delete from r;
replace into r values (1, 1);
alter table r add column after_all int;
