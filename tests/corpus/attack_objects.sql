-- What an attacker with DDL, or an owner in good faith, may have left in the database of schema.sql: routines that
-- lie about themselves and the many ways to call them without writing a call. Run after schema.sql, as the owner
-- (the cast needs the owner of the type). Used by attacks/09_functions_that_lie.sql and attacks/14_names_that_move.sql.

CREATE TABLE loot (at timestamptz DEFAULT now(), what text);

-- Says it computes; writes. The server refuses a write in the body of an immutable routine itself, but not in one
-- that it calls.
CREATE FUNCTION writing(what text) RETURNS integer LANGUAGE sql VOLATILE AS
    'INSERT INTO public.loot (what) VALUES (what) RETURNING 1';
CREATE FUNCTION lying(what text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN PERFORM public.writing(what); RETURN 1; END$$;
CREATE FUNCTION lying_stable() RETURNS integer LANGUAGE sql STABLE AS 'SELECT public.writing(''stable'')';
CREATE FUNCTION honest_writer() RETURNS integer LANGUAGE sql VOLATILE AS
    'INSERT INTO loot (what) VALUES (''volatile'') RETURNING 1';
CREATE FUNCTION definer() RETURNS text LANGUAGE sql SECURITY DEFINER AS
    'DELETE FROM jobs WHERE false RETURNING state';
CREATE FUNCTION runs_text(t text) RETURNS void LANGUAGE plpgsql AS $$BEGIN EXECUTE t; END$$;
CREATE FUNCTION many() RETURNS SETOF customers LANGUAGE sql AS 'SELECT * FROM customers';
CREATE PROCEDURE tidy_up() LANGUAGE plpgsql AS $$BEGIN DELETE FROM loot; COMMIT; END$$;

-- Called as an attribute: c.contact_of.
CREATE FUNCTION contact_of(c customers) RETURNS text LANGUAGE plpgsql AS
    $$BEGIN PERFORM lying('attribute'); RETURN c.email; END$$;

-- Called by an operator, a unary one among them.
CREATE FUNCTION lying_pair(a text, b text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN PERFORM lying('operator'); RETURN true; END$$;
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = lying_pair);
CREATE OPERATOR @@@ (RIGHTARG = text, FUNCTION = lying);

-- Called by an operator that looks built in.
CREATE FUNCTION lying_status(a customer_status, b text) RETURNS boolean LANGUAGE plpgsql AS
    $$BEGIN PERFORM lying('='); RETURN true; END$$;
CREATE OPERATOR = (LEFTARG = customer_status, RIGHTARG = text, FUNCTION = lying_status);

-- Called by a cast that nobody writes.
CREATE FUNCTION status_number(s customer_status) RETURNS integer LANGUAGE plpgsql AS
    $$BEGIN RETURN lying('cast'); END$$;
CREATE CAST (customer_status AS integer) WITH FUNCTION status_number(customer_status) AS IMPLICIT;

-- Called by the coercion to a domain, at Bind already.
CREATE FUNCTION lying_check(n integer) RETURNS boolean LANGUAGE plpgsql AS
    $$BEGIN RETURN lying('domain') = 1; END$$;
CREATE DOMAIN checked AS integer CHECK (lying_check(VALUE));
CREATE DOMAIN checked_twice AS checked;
CREATE TYPE holder AS (inner_value checked);

-- Called by aggregates and windows.
CREATE FUNCTION lying_step(state integer, n integer) RETURNS integer LANGUAGE plpgsql AS
    $$BEGIN RETURN state + lying('aggregate'); END$$;
CREATE AGGREGATE total_of(integer) (SFUNC = lying_step, STYPE = integer, INITCOND = '0');

-- Called by views, one upon another.
CREATE VIEW harmless_view AS SELECT id, lying('view') AS one FROM customers;
CREATE VIEW harmless_view_of_view AS SELECT id, one FROM harmless_view;
CREATE VIEW honest_view AS SELECT id, honest_writer() AS n FROM departments;

-- Called by defaults, triggers, rules, generated columns, index expressions, policies.
CREATE TABLE trapped (
    id integer DEFAULT lying('default'),
    name text,
    twice integer GENERATED ALWAYS AS (lying('generated')) STORED
);
CREATE INDEX trapped_name ON trapped (lying(name));
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN PERFORM lying('trigger'); RETURN NEW; END$$;
CREATE TRIGGER trap BEFORE INSERT OR UPDATE ON trapped FOR EACH ROW EXECUTE FUNCTION trap();
CREATE TABLE ruled (a integer);
CREATE RULE also AS ON INSERT TO ruled DO ALSO DELETE FROM loot;
CREATE TABLE guarded (id integer, owner text);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY lying_policy ON guarded USING (lying('policy') = 1);

-- Named like built-ins, in a schema that may come first on the path.
CREATE SCHEMA evil;
CREATE FUNCTION evil.lower(t text) RETURNS text LANGUAGE plpgsql AS
    $$BEGIN PERFORM public.lying('lower'); RETURN pg_catalog.lower(t); END$$;
CREATE FUNCTION evil.count_all(t text) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.customers';
CREATE FUNCTION evil.length(t integer) RETURNS integer LANGUAGE sql AS 'SELECT public.lying(''length'')';
CREATE VIEW evil.orders AS SELECT *, public.lying('orders') AS one FROM public.orders;
CREATE TABLE evil.pg_class (relname text);
CREATE FUNCTION evil.plus(a integer, b integer) RETURNS integer LANGUAGE plpgsql AS
    $$BEGIN RETURN public.lying('+'); END$$;
CREATE OPERATOR evil.+ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.plus);
-- In public and unlike any built-in's arguments: found before a built-in that needs a coercion.
CREATE FUNCTION public.abs(s customer_status) RETURNS integer LANGUAGE sql AS 'SELECT lying(''abs'')';

-- Called by casts that are written otherwise, or by what asks for a cast: a domain over the target, a column of a
-- composite, an array, to_json and its like.
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE TABLE moods (id integer, mood mood);
INSERT INTO moods VALUES (1, 'calm');
CREATE FUNCTION mood_number(m mood) RETURNS integer LANGUAGE plpgsql AS $$BEGIN RETURN lying('cast'); END$$;
CREATE CAST (mood AS integer) WITH FUNCTION mood_number(mood);
CREATE FUNCTION mood_json(m mood) RETURNS json LANGUAGE plpgsql AS
    $$BEGIN RETURN lying('json')::text::json; END$$;
CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood);
CREATE DOMAIN small AS integer;
CREATE TYPE numbered AS (number integer);
CREATE VIEW mood_lines AS SELECT row_to_json(m) AS line FROM moods m;

-- Called by an operator that NOT BETWEEN means, and nobody writes.
CREATE FUNCTION mood_above(m mood, t text) RETURNS boolean LANGUAGE plpgsql AS
    $$BEGIN RETURN lying('>') = 1; END$$;
CREATE OPERATOR > (LEFTARG = mood, RIGHTARG = text, FUNCTION = mood_above);

-- Named like a column, and called where the column has got another name.
CREATE FUNCTION budget(d departments) RETURNS numeric LANGUAGE plpgsql AS $$BEGIN RETURN lying('budget'); END$$;
CREATE FUNCTION relname(c pg_class) RETURNS integer LANGUAGE plpgsql AS $$BEGIN RETURN lying('relname'); END$$;

-- Views that call built-ins.
CREATE VIEW next_invoice AS SELECT nextval('invoice_number') AS number;
CREATE VIEW locked_departments AS SELECT id, pg_try_advisory_lock(id) AS got FROM departments;
CREATE VIEW told_departments AS SELECT id, pg_notify('told', name)::text AS told FROM departments;
CREATE VIEW everything_as_xml AS SELECT query_to_xml('SELECT email FROM customers', true, false, '') AS x;
CREATE VIEW reset_timeout AS SELECT set_config('statement_timeout', '1', false) AS x;
CREATE VIEW server_file AS SELECT pg_read_file('PG_VERSION') AS line;

-- Called while a statement over the table is merely planned. (A transaction that writes nothing can't make a rule
-- that lies; these lock, which is to be seen as well.)
CREATE FUNCTION locking(n integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN PERFORM pg_advisory_lock(n); RETURN true; END$$;
CREATE TABLE half_indexed (id integer);
CREATE INDEX half_indexed_some ON half_indexed (id) WHERE locking(1);
CREATE FUNCTION distance(a integer, b integer) RETURNS double precision LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN PERFORM public.locking(2); RETURN a - b; END$$;
CREATE TYPE stretch AS RANGE (SUBTYPE = integer, SUBTYPE_DIFF = distance);
CREATE TABLE stretches (s stretch);
INSERT INTO stretches SELECT stretch(n, n + 5) FROM generate_series(1, 500) n;
ANALYZE stretches;

-- What attacks with DDL refer to.
CREATE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN NULL; END$$;

-- What attacks on large objects and by CALL refer to.
SELECT lo_from_bytea(4711, 'loot');
CREATE PROCEDURE tidy(days integer) LANGUAGE sql AS 'DELETE FROM jobs';

-- Honest, and behind it nobody knows where names lead.
CREATE FUNCTION steady() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 1';
