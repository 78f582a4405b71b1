-- The web shop of shop.sql for MySQL and MariaDB: the same made-up rows, by the same arithmetic, in the
-- schemas `shop` and `billing`. Lists are JSON here, and moments are in UTC.
--
--     mariadb < samples/shop_mysql.sql

SET NAMES utf8mb4;
SET time_zone = '+00:00';
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE billing CHARACTER SET utf8mb4;
USE shop;

-- A number between 0 and `below` - 1 that depends on a word and a row number only.
CREATE FUNCTION pick(word varchar(20), n bigint, below bigint) RETURNS bigint DETERMINISTIC NO SQL
    RETURN CAST(CONV(SUBSTR(MD5(CONCAT(word, ':', n)), 1, 15), 16, 10) AS UNSIGNED) % below;

CREATE TABLE customers (
    id          bigint AUTO_INCREMENT PRIMARY KEY,
    full_name   varchar(100) NOT NULL,
    email       varchar(150) NOT NULL UNIQUE,
    phone       varchar(30),
    birth_date  date,
    country     char(2) NOT NULL,
    city        varchar(60) NOT NULL,
    newsletter  boolean NOT NULL DEFAULT false,
    credit      decimal(10, 2) NOT NULL DEFAULT 0,
    created_at  timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
) COMMENT = 'Everybody who has ever registered';

CREATE TABLE products (
    id          int AUTO_INCREMENT PRIMARY KEY,
    sku         varchar(20) NOT NULL UNIQUE,
    name        varchar(60) NOT NULL,
    price       decimal(10, 2) NOT NULL CHECK (price > 0),
    tags        json NOT NULL,
    attributes  json NOT NULL
);

CREATE TABLE orders (
    id           bigint AUTO_INCREMENT PRIMARY KEY,
    customer_id  bigint NOT NULL,
    status       enum('new', 'paid', 'shipped', 'delivered', 'returned', 'cancelled') NOT NULL DEFAULT 'new',
    placed_at    timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    shipped_at   timestamp NULL,
    total        decimal(12, 2) NOT NULL DEFAULT 0,
    note         text,
    KEY orders_by_customer (customer_id),
    FOREIGN KEY (customer_id) REFERENCES customers (id)
);

CREATE TABLE order_items (
    order_id    bigint NOT NULL,
    position    smallint NOT NULL,
    product_id  int NOT NULL,
    quantity    int NOT NULL CHECK (quantity > 0),
    unit_price  decimal(10, 2) NOT NULL,
    PRIMARY KEY (order_id, position),
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY (product_id) REFERENCES products (id)
);

CREATE TABLE payments (
    id           char(36) PRIMARY KEY,
    order_id     bigint NOT NULL,
    method       varchar(10) NOT NULL CHECK (method IN ('card', 'transfer', 'wallet')),
    card_number  varchar(30),
    iban         varchar(40),
    amount       decimal(12, 2) NOT NULL,
    paid_at      timestamp NOT NULL,
    KEY payments_by_order (order_id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
);

CREATE TABLE employees (
    id           int AUTO_INCREMENT PRIMARY KEY,
    full_name    varchar(100) NOT NULL,
    email        varchar(150) NOT NULL UNIQUE,
    team         varchar(30) NOT NULL,
    manager_id   int,
    salary       decimal(10, 2) NOT NULL,
    national_id  varchar(20) NOT NULL,
    hired_on     date NOT NULL,
    FOREIGN KEY (manager_id) REFERENCES employees (id)
);

CREATE TABLE billing.invoices (
    number      varchar(20) PRIMARY KEY,
    order_id    bigint NOT NULL,
    issued_on   date NOT NULL,
    gross       decimal(12, 2) NOT NULL,
    tax         decimal(12, 2) NOT NULL,
    FOREIGN KEY (order_id) REFERENCES shop.orders (id)
);

CREATE TABLE numbers (n int PRIMARY KEY);
INSERT INTO numbers
WITH RECURSIVE digits AS (SELECT 0 AS d UNION ALL SELECT d + 1 FROM digits WHERE d < 9)
SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 1
FROM digits AS a, digits AS b, digits AS c, digits AS e WHERE e.d < 6;

INSERT INTO customers (id, full_name, email, phone, birth_date, country, city, newsletter, credit, created_at)
SELECT n, CONCAT(first, ' ', last),
       CONCAT(LOWER(first), '.', LOWER(last), '.', n, '@example.', ELT(1 + pick('domain', n, 3), 'com', 'net', 'org')),
       CASE WHEN pick('phone?', n, 10) > 0 THEN CONCAT('+1-202-555-01', LPAD(pick('phone', n, 100), 2, '0')) END,
       CASE WHEN pick('birth?', n, 12) > 0 THEN DATE '1945-01-01' + INTERVAL pick('birth', n, 22000) DAY END,
       ELT(1 + pick('place', n, 10), 'DE', 'FR', 'NL', 'ES', 'IT', 'SE', 'PL', 'AT', 'US', 'GB'),
       ELT(1 + pick('place', n, 10), 'Hamburg', 'Lyon', 'Utrecht', 'Valencia', 'Bologna', 'Malmö', 'Gdańsk',
           'Graz', 'Portland', 'Leeds'),
       pick('newsletter', n, 3) = 0,
       CASE WHEN pick('credit?', n, 4) = 0 THEN pick('credit', n, 20000) / 100.0 ELSE 0 END,
       TIMESTAMP '2023-01-01 08:00:00' + INTERVAL n * 39600 + pick('created', n, 36000) SECOND
FROM (SELECT n,
             ELT(1 + pick('first', n, 25), 'Ada', 'Ben', 'Clara', 'David', 'Elif', 'Farid', 'Greta', 'Hugo', 'Ines',
                 'Jonas', 'Kira', 'Lena', 'Marek', 'Nora', 'Omar', 'Paula', 'Quentin', 'Rosa', 'Samir', 'Tessa',
                 'Ulla', 'Viktor', 'Wanda', 'Yusuf', 'Zoe') AS first,
             ELT(1 + pick('last', n, 25), 'Abel', 'Berger', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Garcia',
                 'Hansen', 'Ivanova', 'Jansen', 'Kowalski', 'Lindgren', 'Moreau', 'Novak', 'Okafor', 'Petrov',
                 'Quist', 'Rossi', 'Schmidt', 'Tanaka', 'Ueda', 'Vogel', 'Weber', 'Yilmaz', 'Zimmer') AS last
      FROM numbers WHERE n <= 2000) AS names
ORDER BY n;

INSERT INTO products (id, sku, name, price, tags, attributes)
SELECT n, CONCAT('SKU-', LPAD(n, 4, '0')),
       CONCAT(ELT(1 + pick('colour', n, 7), 'Red', 'Blue', 'Green', 'Black', 'White', 'Amber', 'Grey'), ' ',
           ELT(1 + pick('thing', n, 8), 'lamp', 'chair', 'kettle', 'backpack', 'notebook', 'umbrella', 'desk', 'mug')),
       (199 + pick('price', n, 24800)) / 100.0,
       JSON_ARRAY(ELT(1 + pick('tag1', n, 3), 'home', 'office', 'travel'),
           ELT(1 + pick('tag2', n, 3), 'sale', 'new', 'classic')),
       JSON_OBJECT('weight_g', 50 + pick('weight', n, 5000),
           'colour', ELT(1 + pick('colour', n, 7), 'red', 'blue', 'green', 'black', 'white', 'amber', 'grey'))
FROM numbers WHERE n <= 120 ORDER BY n;

INSERT INTO orders (id, customer_id, status, placed_at, note)
SELECT n, 1 + pick('buyer', n, 2000),
       ELT(1 + pick('status', n, 10), 'new', 'paid', 'paid', 'shipped', 'delivered', 'delivered', 'delivered',
           'delivered', 'returned', 'cancelled'),
       TIMESTAMP '2024-06-01 06:00:00' + INTERVAL n * 10800 + pick('placed', n, 10000) SECOND,
       CASE pick('note', n, 9) WHEN 0 THEN 'leave with the neighbours'
            WHEN 1 THEN 'it''s a gift: no invoice in the box' END
FROM numbers WHERE n <= 6000 ORDER BY n;
UPDATE orders SET shipped_at = placed_at + INTERVAL 26 HOUR WHERE status IN ('shipped', 'delivered', 'returned');

INSERT INTO order_items (order_id, position, product_id, quantity, unit_price)
SELECT o.id, i.n, p.id, 1 + pick('quantity', o.id * 10 + i.n, 4), p.price
FROM orders AS o
JOIN numbers AS i ON i.n <= 4 AND i.n <= 1 + pick('items', o.id, 4)
JOIN products AS p ON p.id = 1 + pick('product', o.id * 10 + i.n, 120);
UPDATE orders JOIN (SELECT order_id, SUM(quantity * unit_price) AS total FROM order_items GROUP BY order_id) AS s
    ON s.order_id = orders.id SET orders.total = s.total;

INSERT INTO payments (id, order_id, method, card_number, iban, amount, paid_at)
SELECT INSERT(INSERT(INSERT(INSERT(MD5(CONCAT('payment:', id)), 21, 0, '-'), 17, 0, '-'), 13, 0, '-'), 9, 0, '-'),
       id, method,
       CASE WHEN method = 'card' THEN CONCAT('4000 00', LPAD(pick('c1', id, 100), 2, '0'), ' ',
            LPAD(pick('c2', id, 10000), 4, '0'), ' ', LPAD(pick('c3', id, 10000), 4, '0')) END,
       CASE WHEN method = 'transfer' THEN CONCAT('XX00 0000 ', LPAD(pick('i1', id, 10000), 4, '0'), ' ',
            LPAD(pick('i2', id, 10000), 4, '0')) END,
       total, placed_at + INTERVAL pick('paid', id, 7200) SECOND
FROM (SELECT *, ELT(1 + pick('method', id, 5), 'card', 'card', 'card', 'transfer', 'wallet') AS method
      FROM orders WHERE status NOT IN ('new', 'cancelled')) AS paid;

INSERT INTO employees (id, full_name, email, team, manager_id, salary, national_id, hired_on)
SELECT n, CONCAT(first, ' ', last), CONCAT(LOWER(first), '.', LOWER(last), '.', n, '@shop.example'),
       ELT(1 + pick('team', n, 5), 'engineering', 'engineering', 'support', 'logistics', 'finance'),
       CASE WHEN n > 4 THEN 1 + pick('manager', n, 4) WHEN n > 1 THEN 1 END,
       36000 + pick('salary', n, 700) * 100,
       CONCAT('ID-', UPPER(SUBSTR(MD5(CONCAT('national:', n)), 1, 9))),
       DATE '2012-03-01' + INTERVAL pick('hired', n, 4500) DAY
FROM (SELECT n,
             ELT(1 + pick('efirst', n, 8), 'Anton', 'Birgit', 'Carmen', 'Dilan', 'Emil', 'Flora', 'Goran', 'Hanna') AS first,
             ELT(1 + pick('elast', n, 8), 'Arnold', 'Brandt', 'Castro', 'Demir', 'Engel', 'Frost', 'Gruber', 'Holm') AS last
      FROM numbers WHERE n <= 40) AS names
ORDER BY n;

INSERT INTO billing.invoices (number, order_id, issued_on, gross, tax)
SELECT CONCAT('RE-', YEAR(placed_at), '-', LPAD(id, 6, '0')), id, DATE(placed_at), total, ROUND(total * 0.19 / 1.19, 2)
FROM orders WHERE status NOT IN ('new', 'cancelled');

DROP TABLE numbers;
DROP FUNCTION pick;

CREATE VIEW customer_overview AS
SELECT c.id, c.full_name, c.email, c.country, COUNT(o.id) AS orders,
       COALESCE(SUM(o.total), 0) AS spent, MAX(o.placed_at) AS last_order
FROM customers AS c LEFT JOIN orders AS o ON o.customer_id = c.id
GROUP BY c.id;
