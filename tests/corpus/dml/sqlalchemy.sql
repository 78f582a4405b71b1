-- SQLAlchemy 2.1 and Alembic 1.20 over psycopg 3: unit of work, upserts, locks, eager loading, on the wire.
-- The tables are the session's own (author, book); they exist only while it runs.

-- name: reflection
-- needs: info
select current_schema()

-- name: orm
-- needs: dml,select
INSERT INTO author (name, born, meta) VALUES ($1::VARCHAR, $2::DATE, $3::JSONB) RETURNING author.id

-- name: orm (2)
-- needs: dml,select
INSERT INTO author (name, born) SELECT p0::VARCHAR, p1::DATE FROM (VALUES ($1::VARCHAR, $2::DATE, 0), ($3::VARCHAR, $4::DATE, 1), ($5::VARCHAR, $6::DATE, 2)) AS imp_sen(p0, p1, sen_counter) ORDER BY sen_counter RETURNING author.id, author.id AS id__1

-- name: orm (3)
-- needs: dml,select
INSERT INTO book (title, author_id, price, kind, tags, version) SELECT p0::VARCHAR, p1::INTEGER, p2::NUMERIC(10, 2), p3::book_kind, p4::TEXT[], p5::INTEGER FROM (VALUES ($1::VARCHAR, $2::INTEGER, $3, $4, $5::TEXT[], $6::INTEGER, 0), ($7::VARCHAR, $8::INTEGER, $9, $10, $11::TEXT[], $12::INTEGER, 1)) AS imp_sen(p0, p1, p2, p3, p4, p5, sen_counter) ORDER BY sen_counter RETURNING book.id, book.id AS id__1

-- name: orm (4)
-- needs: select
SELECT author.id, author.name, author.born, author.meta 
FROM author 
WHERE author.name ILIKE $1::VARCHAR

-- name: orm (5)
-- needs: select
SELECT book.author_id, book.id, book.title, book.price, book.kind, book.tags, book.version 
FROM book 
WHERE book.author_id IN ($1::INTEGER)

-- name: orm (6)
-- needs: select
SELECT book.id, book.title, book.author_id, book.price, book.kind, book.tags, book.version, author_1.id AS id_1, author_1.name, author_1.born, author_1.meta 
FROM book LEFT OUTER JOIN author AS author_1 ON author_1.id = book.author_id ORDER BY book.price DESC 
 LIMIT $1::INTEGER OFFSET $2::INTEGER

-- name: orm (7)
-- needs: dml,select
SELECT book.id, book.title, book.author_id, book.price, book.kind, book.tags, book.version 
FROM book 
WHERE book.id = $1::INTEGER FOR UPDATE SKIP LOCKED

-- name: orm (8)
-- needs: dml
UPDATE book SET price=$1, version=$2::INTEGER WHERE book.id = $3::INTEGER AND book.version = $4::INTEGER

-- name: orm (9)
-- needs: dml,select
INSERT INTO author (name, born) VALUES ($1::VARCHAR, $2::DATE) RETURNING author.id

-- name: orm (10)
-- needs: dml
UPDATE book SET price=(book.price * $1::INTEGER) WHERE book.price > $2::INTEGER

-- name: orm (11)
-- needs: dml
DELETE FROM author WHERE author.name = $1::VARCHAR

-- name: orm (12)
-- needs: dml,select
INSERT INTO author (id, name) VALUES ($1::INTEGER, $2::VARCHAR) ON CONFLICT (id) DO UPDATE SET name = $3::VARCHAR RETURNING author.id

-- name: orm (13)
-- needs: dml
INSERT INTO author (id, name) VALUES ($1::INTEGER, $2::VARCHAR) ON CONFLICT DO NOTHING

-- name: orm (14)
-- needs: select
SELECT author.name, count(book.id) AS count_1 
FROM author JOIN book ON author.id = book.author_id GROUP BY author.name 
HAVING count(book.id) > $1::INTEGER

-- name: orm (15)
-- needs: select
SELECT author.id, author.name, author.born, author.meta 
FROM author 
WHERE EXISTS (SELECT * 
FROM book 
WHERE book.author_id = author.id)

-- name: orm (16)
-- needs: select
SELECT row_number() OVER (PARTITION BY book.author_id ORDER BY book.price) AS anon_1 
FROM book

-- name: orm (17)
-- needs: select
SELECT author.id, author.name, author.born, author.meta 
FROM author 
WHERE CAST((author.meta ->> $1::TEXT) AS INTEGER) = $2::INTEGER

-- name: orm (18)
-- needs: select
SELECT book.id, book.title, book.author_id, book.price, book.kind, book.tags, book.version 
FROM book 
WHERE $1::VARCHAR = ANY (book.tags)

-- name: orm (19)
-- needs: dml
DELETE FROM book WHERE book.id = $1::INTEGER AND book.version = $2::INTEGER

-- name: orm (20)
-- needs: dml
DELETE FROM author WHERE author.id = $1::INTEGER

-- name: alembic upgrade head
-- needs: dml
INSERT INTO account (name) VALUES ($1::VARCHAR)

-- name: alembic upgrade head (2)
-- needs: dml
UPDATE account SET age = 1

-- name: alembic upgrade head (3)
-- needs: dml,select
INSERT INTO alembic_version (version_num) VALUES ('a1') RETURNING alembic_version.version_num

-- name: alembic upgrade head (4)
-- needs: dml
UPDATE alembic_version SET version_num='a2' WHERE alembic_version.version_num = 'a1'

-- name: alembic current
-- needs: select
SELECT alembic_version.version_num 
FROM alembic_version

-- name: alembic downgrade -1
-- needs: dml
UPDATE alembic_version SET version_num='a1' WHERE alembic_version.version_num = 'a2'
