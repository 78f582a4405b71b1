-- The laboratory of the differential check: every kind of object through which code may run or rows may
-- move without the statement saying so. Runs as a superuser, who gives it all to the gateway's log-in.
--
-- Every routine says over INFO that it ran, `ran KIND:NAME`, which no setting keeps from the client.
-- The kind says who may let it run: `s` says it doesn't write (stable or immutable), `v` may write
-- (volatile, or with its owner's rights), `t` belongs to a table that is written or redefined, `p`
-- belongs to a table that is read (a policy), `ds` and `dv` are the checks of domains: as `s` and `v`, but the
-- table's own where a row is stored.

CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION intarray;
CREATE EXTENSION btree_gist;
CREATE EXTENSION cube;
CREATE EXTENSION tablefunc;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION "uuid-ossp";
CREATE EXTENSION unaccent;
CREATE EXTENSION fuzzystrmatch;
CREATE EXTENSION isn;
CREATE EXTENSION tsm_system_rows;
GRANT CREATE ON DATABASE shop TO hallpass;
ALTER SCHEMA public OWNER TO hallpass;

SET SESSION AUTHORIZATION hallpass;
CREATE SCHEMA lab;
CREATE SCHEMA side;
-- Volatile: else the first plan of a session would say it, and no later call.
CREATE FUNCTION lab.ran(what text) RETURNS void LANGUAGE plpgsql VOLATILE AS
    $$BEGIN RAISE INFO 'ran %', what; END$$;
CREATE PROCEDURE lab.make(kind text, signature text, result text, options text, value text)
LANGUAGE plpgsql AS $$BEGIN
    EXECUTE format('CREATE FUNCTION %s RETURNS %s LANGUAGE plpgsql %s AS %L', signature, result, options,
        format('BEGIN PERFORM lab.ran(%L); RETURN %s; END',
            kind || ':' || split_part(signature, '(', 1), value));
END$$;

-- Called by name.
CALL lab.make('s', 'stable_int(integer)', 'integer', 'STABLE', '$1');
CALL lab.make('s', 'fixed_int(integer)', 'integer', 'IMMUTABLE', '$1');
CALL lab.make('v', 'free_int(integer)', 'integer', 'VOLATILE', '$1');
CALL lab.make('v', 'definer_int(integer)', 'integer', 'STABLE SECURITY DEFINER', '$1');
CALL lab.make('s', 'stable_text(text)', 'text', 'STABLE', '$1');
CALL lab.make('s', 'fixed_text(text)', 'text', 'IMMUTABLE', '$1');
CALL lab.make('v', 'free_text(text)', 'text', 'VOLATILE', '$1');
CALL lab.make('s', 'fixed_bool(integer)', 'boolean', 'IMMUTABLE', 'true');
CALL lab.make('v', 'free_bool(integer)', 'boolean', 'VOLATILE', 'true');
CALL lab.make('s', 'of_any(anyelement)', 'text', 'IMMUTABLE', '''x''');
CALL lab.make('v', 'free_any(anyelement)', 'text', 'VOLATILE', '''x''');
CALL lab.make('s', 'spread(VARIADIC integer[])', 'integer', 'IMMUTABLE', '1');
CALL lab.make('s', 'with_default(a integer, b integer DEFAULT 7)', 'integer', 'STABLE', '$2');
CREATE FUNCTION stable_set(integer) RETURNS SETOF integer LANGUAGE plpgsql STABLE AS
    $$BEGIN PERFORM lab.ran('s:stable_set'); RETURN QUERY SELECT 1; END$$;
CREATE FUNCTION free_set(integer) RETURNS TABLE (a integer, b text) LANGUAGE plpgsql AS
    $$BEGIN PERFORM lab.ran('v:free_set'); RETURN QUERY SELECT 1, 'x'::text; END$$;
CREATE FUNCTION sql_int(integer) RETURNS integer LANGUAGE sql STABLE AS 'SELECT public.stable_int($1)';
CREATE FUNCTION sql_free(integer) RETURNS integer LANGUAGE sql AS 'SELECT public.free_int($1)';
CREATE FUNCTION sql_std(a integer) RETURNS integer LANGUAGE sql STABLE RETURN public.stable_int(a);
CREATE FUNCTION sql_atomic(a integer) RETURNS integer LANGUAGE sql
    BEGIN ATOMIC SELECT public.free_int(a); END;
CREATE PROCEDURE proc(integer) LANGUAGE plpgsql AS $$BEGIN PERFORM lab.ran('v:proc'); END$$;
-- Names of built-ins: another argument's type, and another schema.
CALL lab.make('s', 'abs(text)', 'integer', 'IMMUTABLE', '1');
CALL lab.make('v', 'length(integer)', 'integer', 'VOLATILE', '1');
CALL lab.make('v', 'side.lower(text)', 'text', 'VOLATILE', '$1');
CALL lab.make('s', 'side.upper(text)', 'text', 'IMMUTABLE', '$1');

-- Called by types.
CALL lab.make('ds', 'check_fixed(integer)', 'boolean', 'IMMUTABLE', 'true');
CALL lab.make('dv', 'check_free(text)', 'boolean', 'VOLATILE', 'true');
CREATE DOMAIN dom_s AS integer CHECK (check_fixed(VALUE));
CREATE DOMAIN dom_v AS text CHECK (check_free(VALUE));
CREATE DOMAIN dom_nested AS dom_s;
CALL lab.make('dv', 'dom_default()', 'integer', 'VOLATILE', '1');
CREATE DOMAIN dom_d AS integer DEFAULT dom_default();
CREATE DOMAIN dom_plain AS integer CHECK (VALUE > -1000000);
CREATE TYPE pair AS (a dom_s, b text);
CREATE TYPE plain_pair AS (a integer, b text);
CREATE TYPE mood AS ENUM ('low', 'mid', 'high');
CREATE TYPE feel AS ENUM ('bad', 'good');
CALL lab.make('s', 'gap(integer, integer)', 'double precision', 'IMMUTABLE', '$2 - $1');
CREATE TYPE spans AS RANGE (SUBTYPE = integer, SUBTYPE_DIFF = gap);
CREATE TYPE dom_range AS RANGE (SUBTYPE = dom_s);

-- Called by operators, of own types and of the server's.
CALL lab.make('s', 'op_near(integer, integer)', 'boolean', 'IMMUTABLE', 'true');
CREATE OPERATOR ~~~ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = op_near);
CALL lab.make('v', 'op_bang(integer)', 'integer', 'VOLATILE', '$1');
CREATE OPERATOR !!! (RIGHTARG = integer, FUNCTION = op_bang);
CALL lab.make('v', 'mood_eq(mood, text)', 'boolean', 'VOLATILE', 'true');
CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = text, FUNCTION = mood_eq);
CALL lab.make('s', 'pair_plus(plain_pair, plain_pair)', 'plain_pair', 'IMMUTABLE', '$1');
CREATE OPERATOR + (LEFTARG = plain_pair, RIGHTARG = plain_pair, FUNCTION = pair_plus);
CALL lab.make('v', 'side.plus(integer, integer)', 'integer', 'VOLATILE', '$1');
CREATE OPERATOR side.+~ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = side.plus);

-- Called by casts.
CALL lab.make('v', 'feel_int(feel)', 'integer', 'VOLATILE', '1');
CREATE CAST (feel AS integer) WITH FUNCTION feel_int(feel) AS IMPLICIT;
CALL lab.make('s', 'pair_text(plain_pair)', 'text', 'IMMUTABLE', '$1.b');
CREATE CAST (plain_pair AS text) WITH FUNCTION pair_text(plain_pair) AS ASSIGNMENT;
CALL lab.make('v', 'int_mood(integer)', 'mood', 'VOLATILE', '''low''::mood');
CREATE CAST (integer AS mood) WITH FUNCTION int_mood(integer);

-- Called by aggregates.
CALL lab.make('s', 'step_fixed(integer, integer)', 'integer', 'IMMUTABLE', '$1 + 1');
CALL lab.make('v', 'step_free(integer, integer)', 'integer', 'VOLATILE', '$1 + 1');
CREATE AGGREGATE agg_s (integer) (SFUNC = step_fixed, STYPE = integer, INITCOND = '0');
CREATE AGGREGATE agg_v (integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', FINALFUNC = op_bang);
CREATE AGGREGATE agg_m (integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0',
    MSFUNC = step_free, MINVFUNC = step_free, MSTYPE = integer, MINITCOND = '0');

-- Tables, all with the same first columns.
CREATE TABLE lab.shape (id integer, n integer, x text, b boolean, num numeric, at timestamptz, j jsonb, arr integer[]);
CREATE TABLE people (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n integer, x text DEFAULT 'x', b boolean,
    num numeric, at timestamptz DEFAULT now(), j jsonb, arr integer[]);
CREATE UNIQUE INDEX people_lower ON people (lower(x));
INSERT INTO people (n, x, b, num, j, arr)
    SELECT i, 'x' || i, i % 2 = 0, i, jsonb_build_object('a', i), ARRAY[i] FROM generate_series(1, 20) AS i;
CALL lab.make('s', 'label(people)', 'text', 'STABLE', '$1.x');
CALL lab.make('v', 'free_label(people)', 'text', 'VOLATILE', '$1.x');
CALL lab.make('v', 'upper(people)', 'text', 'VOLATILE', '$1.x');
CREATE TABLE side.secrets (LIKE people INCLUDING ALL);
INSERT INTO side.secrets SELECT * FROM people;

-- Code that belongs to tables.
CALL lab.make('t', 'default_int()', 'integer', 'VOLATILE', '1');
CALL lab.make('t', 'generated_int(integer)', 'integer', 'IMMUTABLE', '1');
CALL lab.make('t', 'check_row(text)', 'boolean', 'IMMUTABLE', 'true');
CALL lab.make('t', 'index_int(integer)', 'integer', 'IMMUTABLE', '$1');
CALL lab.make('t', 'index_where(integer)', 'boolean', 'IMMUTABLE', 'true');
CALL lab.make('t', 'key_int(integer)', 'integer', 'IMMUTABLE', '$1');
CALL lab.make('t', 'stat_int(integer)', 'integer', 'IMMUTABLE', '$1');
CALL lab.make('t', 'trigger_when(integer)', 'boolean', 'VOLATILE', 'true');
CALL lab.make('t', 'rule_int(integer)', 'integer', 'VOLATILE', '$1');
CREATE FUNCTION on_change() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN PERFORM lab.ran('t:on_change'); RETURN coalesce(NEW, OLD); END$$;
CREATE FUNCTION on_later() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN PERFORM lab.ran('t:on_later'); RETURN NULL; END$$;
CREATE TABLE traps (LIKE lab.shape,
    made integer DEFAULT default_int(),
    twice integer GENERATED ALWAYS AS (generated_int(n)) STORED,
    CHECK (check_row(x)));
CREATE INDEX traps_expression ON traps (index_int(n));
CREATE INDEX traps_partial ON traps (id) WHERE index_where(n);
CREATE STATISTICS traps_statistics ON (stat_int(n)), id FROM traps;
INSERT INTO traps (id, n, x) SELECT i, i, 'x' FROM generate_series(1, 5) AS i;
CREATE TRIGGER on_change BEFORE INSERT OR UPDATE OR DELETE ON traps
    FOR EACH ROW EXECUTE FUNCTION on_change();
CREATE TRIGGER on_when AFTER UPDATE OF n ON traps FOR EACH ROW WHEN (trigger_when(NEW.n))
    EXECUTE FUNCTION on_later();
CREATE CONSTRAINT TRIGGER on_later AFTER INSERT ON traps DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION on_later();
CREATE TRIGGER on_truncate BEFORE TRUNCATE ON traps EXECUTE FUNCTION on_later();
CREATE TABLE typed (LIKE lab.shape, dom dom_s, free dom_v, p pair, pp plain_pair, m mood, f feel, doms dom_s[],
    s spans, dr dom_range, dd dom_d, ci citext, h hstore);
INSERT INTO typed (id, n, x, dom, p, pp, m, f, s) VALUES (1, 1, 'x', 1, '(1,x)', '(1,x)', 'low', 'bad', '[1,4)');
CREATE TABLE moods (LIKE lab.shape, m mood);
INSERT INTO moods (id, m) VALUES (1, 'low'), (2, 'high');
CREATE TABLE feels (LIKE lab.shape, f feel);
INSERT INTO feels (id, f) VALUES (1, 'bad');
CREATE TABLE domed (LIKE lab.shape, dom dom_s);
INSERT INTO domed (id, dom) VALUES (1, 1), (2, 2);
CREATE TABLE paired (LIKE lab.shape, p pair, pp plain_pair);
INSERT INTO paired (id, p, pp) VALUES (1, '(1,x)', '(1,x)');
CREATE TABLE spanned (LIKE lab.shape, s spans, EXCLUDE USING gist (s WITH &&));
INSERT INTO spanned (id, s) VALUES (1, '[1,5)'), (2, '[10,20)');

-- Keys that act by themselves.
CREATE TABLE parents (LIKE lab.shape, PRIMARY KEY (id), UNIQUE (n));
INSERT INTO parents (id, n) SELECT i, i FROM generate_series(1, 9) AS i;
CREATE TABLE kids (LIKE lab.shape, FOREIGN KEY (n) REFERENCES parents (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE side.orphans (LIKE lab.shape, FOREIGN KEY (n) REFERENCES parents (id) ON DELETE SET NULL);
CREATE TABLE defaulted (LIKE lab.shape,
    up integer DEFAULT default_int() REFERENCES parents (id) ON DELETE SET DEFAULT);
CREATE TABLE side.grandkids (LIKE lab.shape, PRIMARY KEY (id), FOREIGN KEY (n) REFERENCES parents (n) ON DELETE CASCADE);
CREATE TABLE side.deepest (LIKE lab.shape, FOREIGN KEY (n) REFERENCES side.grandkids (id) ON DELETE CASCADE);
CREATE TABLE kept_kids (LIKE lab.shape, FOREIGN KEY (n) REFERENCES parents (id));
INSERT INTO kids (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO side.orphans (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO defaulted (id, up) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO side.grandkids (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO side.deepest (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO kept_kids (id, n) VALUES (1, 9);
CREATE TRIGGER on_change BEFORE UPDATE OR DELETE ON kids FOR EACH ROW EXECUTE FUNCTION on_change();

-- The same where no code hides that nobody was asked: chains, views that rename and swap the columns,
-- generated columns, keys of two columns, partitions on both sides.
CREATE TABLE roots (LIKE lab.shape, PRIMARY KEY (id), UNIQUE (n));
CREATE TABLE side.stems (LIKE lab.shape, PRIMARY KEY (id), UNIQUE (n),
    FOREIGN KEY (n) REFERENCES roots (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE side.leaves (LIKE lab.shape,
    FOREIGN KEY (n) REFERENCES side.stems (n) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE VIEW seen_roots AS SELECT id AS ident, n AS other, x FROM roots;
CREATE VIEW seen_roots_swapped AS SELECT ident AS n, other AS id, x FROM seen_roots;
CREATE TABLE keyed (LIKE lab.shape, made integer GENERATED ALWAYS AS (n + 1) STORED UNIQUE);
CREATE TABLE side.followers (LIKE lab.shape, FOREIGN KEY (n) REFERENCES keyed (made) ON UPDATE CASCADE);
CREATE TABLE doubles (LIKE lab.shape, UNIQUE (id, n));
CREATE TABLE side.double_kids (LIKE lab.shape,
    FOREIGN KEY (id, n) REFERENCES doubles (id, n) ON DELETE SET NULL (n) ON UPDATE CASCADE);
CREATE TABLE plots (LIKE lab.shape, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE plots_low PARTITION OF plots FOR VALUES FROM (MINVALUE) TO (3);
CREATE TABLE plots_high PARTITION OF plots FOR VALUES FROM (3) TO (MAXVALUE);
CREATE TABLE side.plotted (LIKE lab.shape,
    FOREIGN KEY (n) REFERENCES plots (id) ON DELETE CASCADE ON UPDATE CASCADE) PARTITION BY RANGE (id);
CREATE TABLE side.plotted_all PARTITION OF side.plotted DEFAULT;
CREATE TABLE side.looped (LIKE lab.shape, PRIMARY KEY (id),
    FOREIGN KEY (n) REFERENCES side.looped (id) ON DELETE CASCADE);
INSERT INTO roots (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO side.stems (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO side.leaves (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO keyed (id, n) SELECT i, i - 1 FROM generate_series(1, 4) AS i;
INSERT INTO side.followers (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO doubles (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO side.double_kids (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO plots (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO side.plotted (id, n) SELECT i, i FROM generate_series(1, 4) AS i;
INSERT INTO side.looped (id, n) SELECT i, greatest(i - 1, 1) FROM generate_series(1, 4) AS i;

-- Partitions and heirs.
CREATE TABLE parts (LIKE lab.shape) PARTITION BY RANGE (key_int(n));
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE side.parts_high PARTITION OF parts FOR VALUES FROM (10) TO (100);
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
CREATE TRIGGER on_change BEFORE INSERT OR UPDATE ON side.parts_high FOR EACH ROW EXECUTE FUNCTION on_change();
CREATE INDEX ON side.parts_high (index_int(n));
INSERT INTO parts (id, n) SELECT i, i FROM generate_series(1, 20) AS i;
CREATE TABLE elders (LIKE lab.shape);
CREATE TABLE side.heirs (more text CHECK (check_row(more))) INHERITS (elders);
CREATE TRIGGER on_change BEFORE UPDATE ON side.heirs FOR EACH ROW EXECUTE FUNCTION on_change();
INSERT INTO side.heirs (id, n) VALUES (1, 1);

-- Rules.
CREATE TABLE ruled (LIKE lab.shape);
CREATE TABLE side.ledger (LIKE lab.shape);
INSERT INTO ruled (id, n) VALUES (1, 1);
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO side.ledger (id) VALUES (rule_int(NEW.id));
CREATE RULE other AS ON UPDATE TO ruled DO INSTEAD UPDATE side.ledger SET n = 1;
CREATE RULE maybe AS ON DELETE TO ruled WHERE OLD.n > 0 DO INSTEAD NOTHING;

-- Views.
CREATE VIEW seen AS SELECT id, n, x, b, num, at, j, arr FROM people WHERE n < 15;
CREATE VIEW seen_checked AS SELECT * FROM seen WHERE b WITH CASCADED CHECK OPTION;
CREATE VIEW seen_barrier WITH (security_barrier) AS SELECT * FROM people WHERE n < 10;
CREATE VIEW seen_invoker WITH (security_invoker) AS SELECT * FROM side.secrets;
CREATE VIEW seen_joined AS SELECT p.id, p.n, s.x, p.b, p.num, p.at, p.j, p.arr FROM seen p JOIN side.secrets s USING (id);
CREATE VIEW seen_stable AS SELECT id, stable_int(n) AS n, x, b, num, at, j, arr FROM people;
CREATE VIEW seen_free AS SELECT id, free_int(n) AS n, x, b, num, at, j, arr FROM people;
CREATE VIEW seen_traps AS SELECT id, n, x, b, num, at, j, arr FROM traps;
CREATE VIEW seen_instead AS SELECT * FROM people;
CREATE TRIGGER on_instead INSTEAD OF INSERT OR UPDATE OR DELETE ON seen_instead
    FOR EACH ROW EXECUTE FUNCTION on_change();
CREATE MATERIALIZED VIEW kept AS SELECT id, n, x, b, num, at, j, arr FROM people;
CREATE UNIQUE INDEX ON kept (id);
CREATE MATERIALIZED VIEW kept_stable AS SELECT id, stable_int(n) AS n, x, b, num, at, j, arr FROM side.secrets;
CREATE SEQUENCE numbers;
CREATE SEQUENCE side.more_numbers;

-- Row security.
CALL lab.make('p', 'policy_fixed(integer)', 'boolean', 'STABLE', 'true');
CALL lab.make('v', 'policy_free(integer)', 'boolean', 'VOLATILE', 'true');
CREATE TABLE guarded (LIKE lab.shape);
INSERT INTO guarded (id, n) VALUES (1, 1);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY one ON guarded USING (policy_fixed(n)) WITH CHECK (policy_free(n));

SELECT lo_create(4711);
ANALYZE;
DROP PROCEDURE lab.make;
RESET SESSION AUTHORIZATION;

-- Sorted and compared by code of its own; only a superuser can make an operator class.
CREATE TYPE public.odd AS (v integer);
CREATE FUNCTION public.odd_cmp(public.odd, public.odd) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN PERFORM lab.ran('s:odd_cmp'); RETURN btint4cmp($1.v, $2.v); END$$;
CREATE FUNCTION public.odd_lt(public.odd, public.odd) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN PERFORM lab.ran('s:odd_lt'); RETURN $1.v < $2.v; END$$;
CREATE FUNCTION public.odd_eq(public.odd, public.odd) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN PERFORM lab.ran('s:odd_eq'); RETURN $1.v = $2.v; END$$;
CREATE FUNCTION public.odd_hash(public.odd) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN PERFORM lab.ran('s:odd_hash'); RETURN $1.v; END$$;
CREATE OPERATOR public.<% (LEFTARG = public.odd, RIGHTARG = public.odd, FUNCTION = public.odd_lt);
CREATE OPERATOR public.=% (LEFTARG = public.odd, RIGHTARG = public.odd, FUNCTION = public.odd_eq, HASHES, MERGES);
CREATE OPERATOR CLASS public.odd_ops DEFAULT FOR TYPE public.odd USING btree AS
    OPERATOR 1 public.<%, OPERATOR 3 public.=%, FUNCTION 1 public.odd_cmp(public.odd, public.odd);
CREATE OPERATOR CLASS public.odd_hash_ops DEFAULT FOR TYPE public.odd USING hash AS
    OPERATOR 1 public.=%, FUNCTION 1 public.odd_hash(public.odd);
CREATE TABLE public.odds (LIKE lab.shape, o public.odd);
INSERT INTO public.odds (id, n, o) SELECT i, i, ROW (i)::public.odd FROM generate_series(1, 5) AS i;
ALTER TABLE public.odds OWNER TO hallpass;
ALTER TYPE public.odd OWNER TO hallpass;
