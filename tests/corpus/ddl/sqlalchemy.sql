-- SQLAlchemy 2.1 create_all and drop_all, Alembic 1.20 migrations, on the wire.

-- name: create_all
-- needs: ddl
CREATE TYPE book_kind AS ENUM ('novel', 'essay')

-- name: create_all (2)
-- needs: ddl
CREATE TABLE author (
	id SERIAL NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	born DATE, 
	meta JSONB, 
	PRIMARY KEY (id)
)

-- name: create_all (3)
-- needs: ddl
CREATE TABLE book (
	id SERIAL NOT NULL, 
	title TEXT, 
	author_id INTEGER, 
	price NUMERIC(10, 2), 
	kind book_kind, 
	tags TEXT[], 
	version INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (title, author_id), 
	CONSTRAINT price_ok CHECK (price >= 0), 
	FOREIGN KEY(author_id) REFERENCES author (id) ON DELETE CASCADE
)

-- name: create_all (4)
-- needs: ddl
CREATE INDEX book_price ON book (price)

-- name: drop_all
-- needs: ddl
DROP TABLE book

-- name: drop_all (2)
-- needs: ddl
DROP TABLE author

-- name: drop_all (3)
-- needs: ddl
DROP TYPE book_kind

-- name: alembic upgrade head
-- needs: ddl
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)

-- name: alembic upgrade head (2)
-- needs: ddl
CREATE TABLE account (
	id BIGSERIAL NOT NULL, 
	name VARCHAR(50) NOT NULL, 
	data JSONB DEFAULT '{}', 
	at TIMESTAMP WITH TIME ZONE DEFAULT now(), 
	PRIMARY KEY (id)
)

-- name: alembic upgrade head (3)
-- needs: ddl
COMMENT ON TABLE account IS 'accounts'

-- name: alembic upgrade head (4)
-- needs: ddl
COMMENT ON COLUMN account.name IS 'who'

-- name: alembic upgrade head (5)
-- needs: ddl
CREATE UNIQUE INDEX ix_account_name ON account (name)

-- name: alembic upgrade head (6)
-- needs: ddl
ALTER TABLE account ADD COLUMN age INTEGER

-- name: alembic upgrade head (7)
-- needs: ddl
ALTER TABLE account ALTER COLUMN age TYPE SMALLINT USING age::smallint

-- name: alembic upgrade head (8)
-- needs: ddl
ALTER TABLE account ALTER COLUMN age SET NOT NULL

-- name: alembic upgrade head (9)
-- needs: ddl
ALTER TABLE account ALTER COLUMN age SET DEFAULT '0'

-- name: alembic upgrade head (10)
-- needs: ddl
ALTER TABLE account ADD CONSTRAINT age_ok CHECK (age >= 0)

-- name: alembic upgrade head (11)
-- needs: ddl
CREATE TABLE entry (
	id UUID DEFAULT gen_random_uuid() NOT NULL, 
	account_id BIGINT, 
	PRIMARY KEY (id)
)

-- name: alembic upgrade head (12)
-- needs: ddl
ALTER TABLE entry ADD CONSTRAINT fk_entry_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE

-- name: alembic upgrade head (13)
-- needs: ddl
CREATE INDEX CONCURRENTLY ix_entry_account ON entry (account_id)

-- name: alembic upgrade head (14)
-- needs: ddl
ALTER TABLE entry RENAME TO item

-- name: alembic upgrade head (15)
-- needs: ddl
ALTER TABLE account DROP CONSTRAINT age_ok

-- name: alembic upgrade head (16)
-- needs: ddl
ALTER TABLE account DROP COLUMN age

-- name: alembic upgrade head (17)
-- needs: ddl,select
CREATE VIEW names AS SELECT name FROM account

-- name: alembic downgrade -1
-- needs: ddl
DROP VIEW names

-- name: alembic downgrade -1 (2)
-- needs: ddl
ALTER TABLE item RENAME TO entry
