-- Class 12: becoming someone else, or making somebody to become. Own texts. Valid on PostgreSQL 15.
-- Everything here needs admin unless it says otherwise.

-- name: set role
SET ROLE postgres

-- name: set local role
BEGIN; SET LOCAL ROLE postgres

-- name: set session role
SET SESSION ROLE 'postgres'

-- name: role as a setting
SET role = 'postgres'

-- name: role as a setting with to
SET "role" TO postgres

-- name: role by function
SELECT set_config('role', 'postgres', false)

-- name: set session authorization
-- shows: done
SET SESSION AUTHORIZATION postgres

-- name: session authorization as a setting
-- shows: done
SET session_authorization = 'postgres'

-- name: session authorization by function
-- shows: rows
SELECT set_config('session_authorization', 'postgres', false)

-- name: settings of a role
ALTER ROLE postgres SET search_path = evil

-- name: create a role
CREATE ROLE intruder LOGIN SUPERUSER

-- name: password of another
ALTER ROLE postgres PASSWORD 'x'
