-- Knex 3, Sequelize 6 and TypeORM over node-postgres 8: transactions and settings, on the wire.

-- name: knex
BEGIN;

-- name: knex (2)
SAVEPOINT trx3;

-- name: knex (3)
RELEASE SAVEPOINT trx3;

-- name: knex (4)
COMMIT;

-- name: sequelize
SET client_min_messages TO warning;SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE;

-- name: sequelize (2)
START TRANSACTION;

-- name: sequelize (3)
SAVEPOINT "0e1dc81c-0ba9-4e75-8965-8e36552b4805-sp-1";

-- name: sequelize (4)
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;

-- name: typeorm
START TRANSACTION

-- name: typeorm (2)
COMMIT
