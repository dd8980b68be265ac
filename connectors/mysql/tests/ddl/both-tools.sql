-- The kinds of statements that tools make: dumps, administration, migrations, online changes, shops and blogs.
-- As mysqldump writes.
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET NAMES utf8mb4 */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
DROP TABLE IF EXISTS `actor`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
CREATE TABLE `actor` (
  `actor_id` smallint unsigned NOT NULL AUTO_INCREMENT,
  `first_name` varchar(45) NOT NULL,
  `last_name` varchar(45) NOT NULL,
  `last_update` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`actor_id`),
  KEY `idx_actor_last_name` (`last_name`)
) ENGINE=InnoDB AUTO_INCREMENT=201 DEFAULT CHARSET=utf8mb4;
LOCK TABLES `actor` WRITE;
/*!40000 ALTER TABLE `actor` DISABLE KEYS */;
INSERT INTO `actor` VALUES (1,'A','B','2006-02-15 04:34:33');
/*!40000 ALTER TABLE `actor` ENABLE KEYS */;
UNLOCK TABLES;
DROP TABLE IF EXISTS `film`;
CREATE TABLE `film` (
  `film_id` smallint(5) unsigned NOT NULL AUTO_INCREMENT,
  `title` varchar(128) NOT NULL,
  `description` text DEFAULT NULL,
  `release_year` year DEFAULT NULL,
  `language_id` tinyint(3) unsigned NOT NULL,
  `rental_rate` decimal(4,2) NOT NULL DEFAULT '4.99',
  `rating` enum('G','PG','PG-13','R','NC-17') DEFAULT 'G',
  `special_features` set('Trailers','Commentaries','Deleted Scenes','Behind the Scenes') DEFAULT NULL,
  PRIMARY KEY (`film_id`),
  KEY `idx_title` (`title`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE `film_actor` (
  `actor_id` smallint(5) unsigned NOT NULL,
  `film_id` smallint(5) unsigned NOT NULL,
  PRIMARY KEY (`actor_id`,`film_id`),
  KEY `idx_fk_film_id` (`film_id`),
  CONSTRAINT `fk_film_actor_actor` FOREIGN KEY (`actor_id`) REFERENCES `actor` (`actor_id`) ON DELETE RESTRICT ON UPDATE CASCADE,
  CONSTRAINT `fk_film_actor_film` FOREIGN KEY (`film_id`) REFERENCES `film` (`film_id`) ON UPDATE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
DELIMITER ;;
/*!50003 CREATE*/ /*!50003 TRIGGER `ins_film` AFTER INSERT ON `film` FOR EACH ROW BEGIN
    INSERT INTO actor (first_name, last_name) VALUES (new.title, 'x');
  END */;;
DELIMITER ;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=CURRENT_USER SQL SECURITY DEFINER */
/*!50001 VIEW `actor_info` AS select `a`.`actor_id` AS `actor_id` from `actor` `a` */;
DROP VIEW actor_info;
DROP TRIGGER ins_film;
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
-- As phpMyAdmin writes.
SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";
SET time_zone = "+00:00";
CREATE TABLE `pma_users` (
  `id` int(11) NOT NULL,
  `user` varchar(64) NOT NULL DEFAULT '',
  `active` tinyint(1) NOT NULL DEFAULT 1,
  `created` datetime NOT NULL DEFAULT current_timestamp()
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
ALTER TABLE `pma_users`
  ADD PRIMARY KEY (`id`),
  ADD UNIQUE KEY `user` (`user`),
  ADD KEY `active` (`active`);
ALTER TABLE `pma_users`
  MODIFY `id` int(11) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=3;
ALTER TABLE `pma_users` CHANGE `user` `login` VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL DEFAULT '';
ALTER TABLE `pma_users` ADD `note` TEXT NOT NULL AFTER `login`, ADD `rank_` INT NULL DEFAULT NULL COMMENT 'a; b' FIRST;
ALTER TABLE `pma_users` DROP `note`;
ALTER TABLE `pma_users` ADD INDEX(`created`), ADD FULLTEXT(`login`);
ALTER TABLE `{db}`.`pma_users` DROP INDEX `created`, ADD INDEX `created` (`created`) USING BTREE;
RENAME TABLE `{db}`.`pma_users` TO `{db}`.`pma_accounts`;
CREATE TABLE `{db}`.`pma_copy` ( `id` int(11) NOT NULL, `login` varchar(80) NOT NULL ) ENGINE = InnoDB;
SET sql_mode = default;
-- As Rails makes.
CREATE TABLE `ar_internal_metadata` (`key` varchar(255) NOT NULL PRIMARY KEY, `value` varchar(255), `created_at` datetime(6) NOT NULL, `updated_at` datetime(6) NOT NULL);
CREATE TABLE `schema_migrations` (`version` varchar(255) NOT NULL PRIMARY KEY);
CREATE TABLE `posts` (`id` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, `title` varchar(255), `body` text, `published` tinyint(1) DEFAULT FALSE, `score` decimal(10,2) DEFAULT '0.0' NOT NULL, `created_at` datetime(6) NOT NULL, `updated_at` datetime(6) NOT NULL) CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
ALTER TABLE `posts` ADD `author_id` bigint;
CREATE INDEX `index_posts_on_author_id` ON `posts` (`author_id`);
CREATE UNIQUE INDEX `index_posts_on_title` ON `posts` (`title`);
ALTER TABLE `posts` ADD INDEX `index_posts_on_score` (`score`), ALGORITHM = INPLACE;
ALTER TABLE `posts` ALTER COLUMN `published` SET DEFAULT 1;
ALTER TABLE `posts` CHANGE `published` `published` tinyint(1) DEFAULT TRUE NOT NULL;
ALTER TABLE `posts` RENAME COLUMN `body` TO `content`;
ALTER TABLE `posts` ADD CONSTRAINT `fk_rails_5b5ddfd518` FOREIGN KEY (`author_id`) REFERENCES `posts` (`id`);
ALTER TABLE `posts` DROP FOREIGN KEY `fk_rails_5b5ddfd518`;
DROP INDEX `index_posts_on_title` ON `posts`;
ALTER TABLE `posts` DROP COLUMN `author_id`, DROP COLUMN `score`;
ALTER TABLE `posts` COMMENT 'posts of authors';
CREATE TABLE `tags_posts` (`tag_id` bigint NOT NULL, `post_id` bigint NOT NULL, INDEX `index_tags` (`tag_id`), CONSTRAINT `fk_rails_1` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE CASCADE);
RENAME TABLE `tags_posts` TO `posts_tags`;
DROP TABLE IF EXISTS `posts_tags` CASCADE;
-- As Django makes.
CREATE TABLE `django_migrations` (`id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY, `app` varchar(255) NOT NULL, `name` varchar(255) NOT NULL, `applied` datetime(6) NOT NULL);
CREATE TABLE `auth_permission` (`id` integer AUTO_INCREMENT NOT NULL PRIMARY KEY, `name` varchar(50) NOT NULL, `content_type_id` integer NOT NULL, `codename` varchar(100) NOT NULL);
CREATE TABLE `auth_user` (`id` integer AUTO_INCREMENT NOT NULL PRIMARY KEY, `password` varchar(128) NOT NULL, `last_login` datetime(6) NOT NULL, `is_superuser` bool NOT NULL, `username` varchar(30) NOT NULL UNIQUE, `data` json NULL, `uid` char(32) NOT NULL, `score` double precision NULL, `small` smallint UNSIGNED NOT NULL CHECK (`small` >= 0));
ALTER TABLE `auth_permission` ADD CONSTRAINT `auth_permission_uniq` UNIQUE (`content_type_id`, `codename`);
ALTER TABLE `auth_user` MODIFY `last_login` datetime(6) NULL;
ALTER TABLE `auth_user` MODIFY `username` varchar(150) NOT NULL;
ALTER TABLE `auth_user` ADD COLUMN `first_name` varchar(30) DEFAULT '' NOT NULL;
ALTER TABLE `auth_user` ALTER COLUMN `first_name` DROP DEFAULT;
ALTER TABLE `auth_user` CHANGE `uid` `guid` char(32) NOT NULL;
ALTER TABLE `auth_user` DROP COLUMN `score`;
ALTER TABLE `auth_user` RENAME TO `accounts_user`;
CREATE INDEX `accounts_user_guid_idx` ON `accounts_user` (`guid`);
-- As Flyway and Liquibase make.
CREATE TABLE `{db}`.`flyway_schema_history` (
    `installed_rank` INT NOT NULL,
    `version` VARCHAR(50),
    `description` VARCHAR(200) NOT NULL,
    `type` VARCHAR(20) NOT NULL,
    `checksum` INT,
    `installed_on` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    `success` BOOL NOT NULL,
    CONSTRAINT `flyway_schema_history_pk` PRIMARY KEY (`installed_rank`)
) ENGINE=InnoDB AS SELECT 1 as "installed_rank", '1' as "version", '<< x >>' as "description", 'BASELINE' as "type", NULL as "checksum", CURRENT_TIMESTAMP as "installed_on", TRUE as "success";
CREATE INDEX `flyway_schema_history_s_idx` ON `{db}`.`flyway_schema_history` (`success`);
CREATE TABLE {db}.DATABASECHANGELOG (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, DATEEXECUTED datetime NOT NULL, ORDEREXECUTED INT NOT NULL, EXECTYPE VARCHAR(10) NOT NULL, MD5SUM VARCHAR(35) NULL, `DESCRIPTION` VARCHAR(255) NULL);
CREATE TABLE {db}.DATABASECHANGELOGLOCK (ID INT NOT NULL, `LOCKED` TINYINT(1) NOT NULL, LOCKGRANTED datetime NULL, LOCKEDBY VARCHAR(255) NULL, CONSTRAINT PK_DATABASECHANGELOGLOCK PRIMARY KEY (ID));
ALTER TABLE {db}.DATABASECHANGELOG ADD CONTEXTS VARCHAR(255) NULL, ADD LABELS VARCHAR(255) NULL;
ALTER TABLE {db}.DATABASECHANGELOG MODIFY AUTHOR VARCHAR(300);
-- As gh-ost does.
create table items(id int unsigned not null auto_increment primary key, name varchar(50) not null, price int);
create /* gh-ost */ table `{db}`.`_items_ghc` (
			id bigint unsigned auto_increment,
			last_update timestamp not null DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
			hint varchar(64) charset ascii not null,
			value varchar(4096) charset ascii not null,
			primary key(id),
			unique key hint_uidx(hint)
		) auto_increment=256;
create /* gh-ost */ table `{db}`.`_items_gho` like `{db}`.`items`;
alter /* gh-ost */ table `{db}`.`_items_gho` add column stock int not null default 0 after name, modify price decimal(10,2);
create /* gh-ost */ table `{db}`.`_items_del` (id int auto_increment primary key) engine=InnoDB comment='ghost-cut-over-sentry';
drop /* gh-ost */ table if exists `{db}`.`_items_del`;
rename /* gh-ost */ table `{db}`.`items` to `{db}`.`_items_del`, `{db}`.`_items_gho` to `{db}`.`items`;
drop /* gh-ost */ table if exists `{db}`.`_items_ghc`;
drop /* gh-ost */ table if exists `{db}`.`_items_del`;
-- As pt-online-schema-change does.
CREATE TABLE `{db}`.`_items_new` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `name` varchar(50) NOT NULL,
  `stock` int NOT NULL DEFAULT '0',
  `price` decimal(10,2) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
ALTER TABLE `{db}`.`_items_new` drop column price, add key (stock);
CREATE TRIGGER `pt_osc_items_del` AFTER DELETE ON `{db}`.`items` FOR EACH ROW DELETE IGNORE FROM `{db}`.`_items_new` WHERE `{db}`.`_items_new`.`id` <=> OLD.`id`;
CREATE TRIGGER `pt_osc_items_ins` AFTER INSERT ON `{db}`.`items` FOR EACH ROW REPLACE INTO `{db}`.`_items_new` (`id`, `name`, `stock`) VALUES (NEW.`id`, NEW.`name`, NEW.`stock`);
RENAME TABLE `{db}`.`items` TO `{db}`.`_items_old`, `{db}`.`_items_new` TO `{db}`.`items`;
DROP TABLE IF EXISTS `{db}`.`_items_old`;
DROP TRIGGER IF EXISTS `{db}`.`pt_osc_items_del`;
-- As WordPress makes.
CREATE TABLE wp_users (
	ID bigint(20) unsigned NOT NULL auto_increment,
	user_login varchar(60) NOT NULL default '',
	user_pass varchar(255) NOT NULL default '',
	user_registered datetime NOT NULL default '2000-01-01 00:00:00',
	user_status int(11) NOT NULL default '0',
	PRIMARY KEY  (ID),
	KEY user_login_key (user_login)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;
CREATE TABLE wp_posts (
	ID bigint(20) unsigned NOT NULL auto_increment,
	post_author bigint(20) unsigned NOT NULL default '0',
	post_content longtext NOT NULL,
	post_title text NOT NULL,
	post_status varchar(20) NOT NULL default 'publish',
	post_name varchar(200) NOT NULL default '',
	menu_order int(11) NOT NULL default '0',
	PRIMARY KEY  (ID),
	KEY post_name (post_name(191)),
	KEY type_status (post_status,ID)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;
ALTER TABLE wp_posts ADD COLUMN comment_count bigint(20) NOT NULL default '0';
ALTER TABLE wp_posts CHANGE COLUMN `post_status` post_status varchar(25) NOT NULL default 'draft';
ALTER TABLE wp_posts DROP INDEX post_name, ADD INDEX post_name (post_name(100));
CREATE TABLE wp_options ( option_id bigint(20) unsigned NOT NULL auto_increment, option_name varchar(191) NOT NULL default '', option_value longtext NOT NULL, autoload varchar(20) NOT NULL default 'yes', PRIMARY KEY (option_id), UNIQUE KEY option_name (option_name), KEY autoload (autoload) );
-- As Magento makes.
CREATE TABLE IF NOT EXISTS `store` (`store_id` smallint UNSIGNED NOT NULL AUTO_INCREMENT COMMENT "Store ID", `code` varchar(32) NULL COMMENT "Code", `name` varchar(255) NOT NULL COMMENT "Store Name", `is_active` smallint UNSIGNED NOT NULL DEFAULT 0 COMMENT "Store Activity", CONSTRAINT PRIMARY KEY (`store_id`), CONSTRAINT `STORE_CODE` UNIQUE KEY (`code`), INDEX `STORE_IS_ACTIVE` (`is_active`)) ENGINE=innodb DEFAULT CHARSET=utf8mb4 COMMENT="Stores";
CREATE TABLE `catalog_product_entity_decimal` (`value_id` int NOT NULL AUTO_INCREMENT COMMENT "Value ID", `attribute_id` smallint UNSIGNED NOT NULL DEFAULT 0 COMMENT "Attribute ID", `value` decimal(20,6) NULL COMMENT "Value", `created_at` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP COMMENT "Created", `updated_at` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP COMMENT "Updated", CONSTRAINT PRIMARY KEY (`value_id`), CONSTRAINT `UNQ_1` UNIQUE KEY (`attribute_id`,`value_id`)) ENGINE=innodb DEFAULT CHARACTER SET=utf8mb4 COMMENT="Catalog Product's ""Decimal"" values";
ALTER TABLE `store` ADD COLUMN `sort_order` smallint UNSIGNED NOT NULL DEFAULT 0 COMMENT "Sort Order", MODIFY COLUMN `code` varchar(64) NULL COMMENT "Code", DROP INDEX `STORE_IS_ACTIVE`;
ALTER TABLE `store` COMMENT='All stores', ADD INDEX `STORE_SORT` (`sort_order`, `is_active`) USING BTREE;
CREATE TEMPORARY TABLE `search_tmp` (`entity_id` int UNSIGNED NOT NULL COMMENT "Entity", `score` decimal(32,16) NOT NULL, PRIMARY KEY (`entity_id`)) ENGINE=MEMORY;
DROP TEMPORARY TABLE `search_tmp`;
-- As Doctrine, Hibernate, Sequelize, Prisma, Laravel, EF and others make.
CREATE TABLE doctrine_product (id INT AUTO_INCREMENT NOT NULL, name VARCHAR(255) NOT NULL, tags LONGTEXT NOT NULL COMMENT '(DC2Type:array)', created DATETIME NOT NULL COMMENT '(DC2Type:datetime_immutable)', UNIQUE INDEX UNIQ_D34A04AD5E237E06 (name), INDEX IDX_1 (created), PRIMARY KEY(id)) DEFAULT CHARACTER SET utf8mb4 COLLATE `utf8mb4_unicode_ci` ENGINE = InnoDB;
ALTER TABLE doctrine_product ADD price NUMERIC(10, 2) DEFAULT NULL, CHANGE name name VARCHAR(100) DEFAULT 'n' NOT NULL, DROP tags;
create table hib_entity (id bigint not null auto_increment, active bit not null, amount decimal(19,2), created datetime(6), kind tinyint, payload longblob, primary key (id)) engine=InnoDB;
alter table hib_entity add constraint UK_1 unique (amount);
alter table hib_entity modify column kind enum ('A','B');
CREATE TABLE IF NOT EXISTS `Users` (`id` INTEGER NOT NULL auto_increment , `firstName` VARCHAR(255), `data` JSON, `uuid` CHAR(36) BINARY, `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL, UNIQUE `users_uuid` (`uuid`), PRIMARY KEY (`id`)) ENGINE=InnoDB;
ALTER TABLE `Users` ADD `kind` ENUM('a', 'b') DEFAULT 'a';
ALTER TABLE `Users` CHANGE `firstName` `firstName` TEXT;
CREATE TABLE `Post` (
    `id` VARCHAR(191) NOT NULL,
    `title` VARCHAR(191) NOT NULL,
    `published` BOOLEAN NOT NULL DEFAULT false,
    `createdAt` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    `meta` JSON NULL,
    UNIQUE INDEX `Post_title_key`(`title`),
    INDEX `Post_published_idx`(`published`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE `Post` DROP COLUMN `meta`, ADD COLUMN `views` INTEGER NOT NULL DEFAULT 0, MODIFY `title` VARCHAR(300) NULL;
create table `password_resets` (`email` varchar(255) not null, `token` varchar(255) not null, `created_at` timestamp null) default character set utf8mb4 collate 'utf8mb4_unicode_ci';
alter table `password_resets` add index `password_resets_email_index`(`email`);
alter table `password_resets` add `deleted_at` timestamp null after `token`, add `level` tinyint unsigned not null default '1';
alter table `password_resets` add primary key `password_resets_pk`(`email`);
ALTER DATABASE CHARACTER SET utf8mb4;
CREATE TABLE `__EFMigrationsHistory` (`MigrationId` varchar(150) CHARACTER SET utf8mb4 NOT NULL, `ProductVersion` varchar(32) CHARACTER SET utf8mb4 NOT NULL, CONSTRAINT `PK___EFMigrationsHistory` PRIMARY KEY (`MigrationId`)) CHARACTER SET=utf8mb4;
CREATE TABLE `Blogs` (`BlogId` int NOT NULL AUTO_INCREMENT, `Url` longtext CHARACTER SET utf8mb4 NOT NULL, `Guid` char(36) COLLATE ascii_general_ci NOT NULL, `When` datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), CONSTRAINT `PK_Blogs` PRIMARY KEY (`BlogId`)) CHARACTER SET=utf8mb4;
ALTER TABLE `Blogs` MODIFY COLUMN `Url` varchar(500) CHARACTER SET utf8mb4 NULL;
ALTER TABLE `Blogs` ADD `Rating` decimal(18,2) NOT NULL DEFAULT 0.0;
CREATE TABLE oc_filecache (fileid BIGINT AUTO_INCREMENT NOT NULL, storage BIGINT DEFAULT 0 NOT NULL, path VARCHAR(4000) DEFAULT NULL, path_hash VARCHAR(32) DEFAULT '' NOT NULL, etag VARCHAR(40) DEFAULT NULL, INDEX fs_storage_path_prefix (storage, path(64)), UNIQUE INDEX fs_storage_path_hash (storage, path_hash), PRIMARY KEY(fileid)) DEFAULT CHARACTER SET utf8mb4 COLLATE `utf8mb4_bin` ENGINE = InnoDB ROW_FORMAT = compressed;
CREATE TABLE `engine_meta`(`guid` BINARY(16) NOT NULL,`t` TIMESTAMP(6)NOT NULL DEFAULT CURRENT_TIMESTAMP(6),`n`INT(10)UNSIGNED ZEROFILL,PRIMARY KEY(`guid`))ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
