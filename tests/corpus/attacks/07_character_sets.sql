-- Class 7: client character sets that have a backslash inside letters. Own texts. Valid on PostgreSQL 15.
-- Everything here needs admin unless it says otherwise.

-- name: client encoding to one with backslashes inside letters
SET client_encoding = 'SJIS'

-- name: client encoding by its other name
SET NAMES 'GBK'

-- name: client encoding by function
SELECT set_config('client_encoding', 'BIG5', false)

-- name: client encoding from the settings view
UPDATE pg_settings SET setting = 'GBK' WHERE name = 'client_encoding'
