-- Comments in odd places, and those that are code.
/* leading */ create /* mid */ table c1 ( id int unsigned not null auto_increment, -- end of line
 # hash comment
 name varchar(10) default 'a -- b', primary key using btree (id) ) auto_increment = 5 default charset = utf8mb4;
-- a line before
# another one
create table c2 (id int /* ; , ) */ primary key, -- with ; and ) and '
 v varchar(20) default '/* no comment */' comment '-- nor # this', # and " this
 w int);
create/**/table/**/c3/**/(/**/id/**/int/**/)/**/;
/*!40101 create table c4(id int primary key) */;
create table c5(id int /*!50000 unsigned */ not null /*!99999 this is not read */, v int) /*!50100 engine=innodb */;
alter table c5 /*!50000 add w int, */ add x int /*! , add y int */;
/*!50001 alter table c5 drop column x */;
create table c6(a int, b int /* comment with `back-ticks` and 'quotes */, c int);
alter table c6 -- comment
add -- comment
column -- comment
d -- comment
int; 
create table c7(a varchar(10) default '#', b varchar(10) default '--', c varchar(20) default '/*', d varchar(10) default '*/', e varchar(10) default '`');
create table c9(a int comment 'one', b int comment "two ""words""", c int comment 'three ''words'' \'more\'', d int comment '\\');
create   table
	c10	(
		id	int
	)
;
drop table /* both */ c9 /* of */ , /* them */ c10;
rename /* a */ table /* b */ c7 /* c */ to /* d */ c77;
