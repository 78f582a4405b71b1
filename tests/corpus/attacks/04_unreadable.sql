-- Class 4: text that a parser gives up on while the server runs it, or nobody runs. Own texts. What is not
-- understood needs admin; the huge ones are made by the tests themselves.

-- name: broken
SELEC 1

-- name: unterminated string
SELECT 'abc

-- name: unterminated comment
SELECT 1 /* no end

-- name: unterminated dollar quote
SELECT $x$ no end $y$

-- name: unterminated identifier
SELECT "abc

-- name: unbalanced parentheses
SELECT ((1)

-- name: deeply nested parentheses
-- needs: info
SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))

-- name: security label
SECURITY LABEL ON TABLE orders IS 'x'

-- name: import of a schema
IMPORT FOREIGN SCHEMA public FROM SERVER far INTO public

-- name: transform
CREATE TRANSFORM FOR hstore LANGUAGE sql (FROM SQL WITH FUNCTION a(internal), TO SQL WITH FUNCTION b(internal))

-- name: access method
CREATE ACCESS METHOD x TYPE INDEX HANDLER bthandler

-- name: reassign
REASSIGN OWNED BY plain TO postgres

-- name: load
LOAD 'plpgsql'

-- name: checkpoint
CHECKPOINT

-- name: vacuum
VACUUM orders

-- name: cluster
CLUSTER customers USING customers_pkey

-- name: alter system
ALTER SYSTEM SET log_statement = 'none'

-- name: event trigger
CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION note_ddl()

-- name: two-phase
PREPARE TRANSACTION 'x'

-- name: commit of another's transaction
COMMIT PREPARED 'x'
