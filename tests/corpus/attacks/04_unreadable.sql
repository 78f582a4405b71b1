-- Class 4: text that a parser gives up on while the server runs it, or nobody runs. Own texts. What is not
-- understood needs admin; the huge ones are made by the tests themselves.

-- name: broken
-- shows: error 42601
SELEC 1

-- name: unterminated string
-- shows: error 42601
SELECT 'abc

-- name: unterminated comment
-- shows: error 42601
SELECT 1 /* no end

-- name: unterminated dollar quote
-- shows: error 42601
SELECT $x$ no end $y$

-- name: unterminated identifier
-- shows: error 42601
SELECT "abc

-- name: unbalanced parentheses
-- shows: error 42601
SELECT ((1)

-- name: deeply nested parentheses
-- needs: info
SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))

-- name: security label
-- shows: error 22023
SECURITY LABEL ON TABLE orders IS 'x'

-- name: import of a schema
-- shows: error 42704
IMPORT FOREIGN SCHEMA public FROM SERVER far INTO public

-- name: transform
-- shows: error 42704
CREATE TRANSFORM FOR hstore LANGUAGE sql (FROM SQL WITH FUNCTION a(internal), TO SQL WITH FUNCTION b(internal))

-- name: access method
CREATE ACCESS METHOD x TYPE INDEX HANDLER bthandler

-- name: reassign
-- shows: done
REASSIGN OWNED BY plain TO postgres

-- name: load
-- shows: done
LOAD 'plpgsql'

-- name: checkpoint
-- shows: done
CHECKPOINT

-- name: vacuum
-- shows: done
VACUUM orders

-- name: cluster
CLUSTER customers USING customers_pkey

-- name: alter system
-- shows: done
ALTER SYSTEM SET log_statement = 'none'

-- name: event trigger
CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION note_ddl()

-- name: two-phase
-- shows: done
PREPARE TRANSACTION 'x'

-- name: commit of another's transaction
-- shows: error 42704
COMMIT PREPARED 'x'
