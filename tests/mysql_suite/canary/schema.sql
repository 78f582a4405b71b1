-- Values of marked columns carry a mark, so that it can be told in whatever bytes they come.
CREATE DATABASE other;
CREATE DATABASE kennel;
USE kennel;
CREATE TABLE customers (
    id int PRIMARY KEY,
    name varchar(100),
    email varchar(100) UNIQUE,
    phone varchar(60),
    salary int,
    doc json,
    born date,
    secret varbinary(100),
    domain varchar(120) AS (substring_index(email, '@', -1)) STORED,
    shout varchar(120) AS (upper(email)) VIRTUAL,
    FULLTEXT (email),
    KEY (salary),
    KEY (phone)
);
INSERT INTO customers (id, name, email, phone, salary, doc, born, secret)
SELECT n, concat('name ', n), concat('kn4ry', left(sha2(concat('a', n), 256), 32), '@kn4ry', n % 5),
       if(n % 4 = 0, NULL, concat('kn4ry-', left(left(sha2(concat('b', n), 256), 32), 8))),
       910000000 + conv(left(left(sha2(concat('c', n), 256), 32), 5), 16, 10),
       json_object('k', concat('kn4ry', left(sha2(concat('d', n), 256), 32)), 'l', json_array(1, concat('kn4ry', n))),
       date '1961-07-01' + interval n day, concat('kn4ry', left(sha2(concat('e', n), 256), 32))
FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6) numbers;
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, total int, note varchar(200), domain varchar(100));
INSERT INTO orders SELECT id, id % 6 + 1, id * 10, concat('note ', id), 'shop' FROM customers;
CREATE TABLE logs (id int, at date, email varchar(100), PRIMARY KEY (id, at))
    PARTITION BY RANGE (to_days(at)) (PARTITION p25 VALUES LESS THAN (to_days('2026-01-01')), PARTITION p26 VALUES LESS THAN MAXVALUE);
INSERT INTO logs SELECT id, date '2025-12-28' + interval id day, concat('kn4ry', left(sha2(concat('log', id), 256), 32)) FROM customers;
CREATE VIEW contacts AS SELECT id, email AS mail, upper(phone) AS tel, name FROM customers;
CREATE VIEW wide AS SELECT c.*, o.total FROM customers c JOIN orders o ON o.customer_id = c.id;
CREATE VIEW deep AS SELECT w.mail AS a, w.name AS b, o.note FROM contacts w LEFT JOIN orders o ON o.id = w.id;
CREATE VIEW sums AS SELECT count(*) AS n, max(mail) AS top, max(name) AS last FROM contacts;
CREATE VIEW merged AS SELECT id, email, name FROM customers UNION ALL SELECT id, note, note FROM orders;
CREATE TABLE copies LIKE orders;
CREATE TABLE other.customers (id int, email varchar(50), name varchar(50), salary int);
INSERT INTO other.customers SELECT id, concat('public ', id), concat('nobody ', id), id FROM customers;
CREATE VIEW other.orders AS SELECT id, email AS note, salary AS total, name FROM kennel.customers;
CREATE VIEW other.contacts AS SELECT id, name AS mail, email AS name, phone AS tel FROM kennel.customers;
CREATE FUNCTION peek() RETURNS varchar(100) READS SQL DATA RETURN (SELECT min(email) FROM customers);
CREATE FUNCTION twice(x varchar(100)) RETURNS varchar(200) DETERMINISTIC RETURN concat(x, x);
CREATE PROCEDURE tell(OUT x varchar(100)) READS SQL DATA SELECT min(email) INTO x FROM customers;
