CREATE ROLE reader LOGIN PASSWORD 'scram-secret';
SET password_encryption = md5;
CREATE ROLE md5user LOGIN PASSWORD 'md5-secret';
SET password_encryption = 'scram-sha-256';
CREATE ROLE clearuser LOGIN PASSWORD 'clear-secret';
CREATE ROLE umlaut LOGIN PASSWORD U&'p\00e4ss\00aaword';
GRANT pg_signal_backend TO reader;
ALTER ROLE reader SET search_path = billing, public;

CREATE SCHEMA billing;
GRANT USAGE ON SCHEMA billing TO reader;
CREATE FUNCTION public.is_fine(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 <> ''bad''';
CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION public.next_code() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT ''x''::text';
CREATE FUNCTION public.same(text, text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 = $2';
CREATE FUNCTION public.to_point(text) RETURNS point LANGUAGE sql IMMUTABLE AS 'SELECT point(0, 0)';
CREATE PROCEDURE public.tidy() LANGUAGE sql AS 'SELECT 1';
CREATE OPERATOR public.=~= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same);
CREATE CAST (text AS point) WITH FUNCTION public.to_point(text) AS ASSIGNMENT;
CREATE DOMAIN public.fine AS text CHECK (public.is_fine(VALUE));
CREATE DOMAIN public.very_fine AS public.fine;
CREATE TYPE public.pair AS (one public.very_fine, two integer);
CREATE TYPE public.mood AS ENUM ('good', 'bad');

CREATE TABLE public.customers (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    gone integer,
    email public.fine,
    code text DEFAULT public.next_code(),
    mood public.mood,
    many public.very_fine[]
);
ALTER TABLE public.customers DROP COLUMN gone;
CREATE TABLE public.checked (v text CHECK (v OPERATOR(public.=~=) 'x'));
CREATE TABLE public.indexed (v text);
CREATE INDEX ON public.indexed (public.is_fine(v));
CREATE TABLE public.plain (id integer);
CREATE TRIGGER stamps BEFORE INSERT ON public.customers
    FOR EACH ROW EXECUTE FUNCTION public.stamp();
CREATE RULE quiet AS ON DELETE TO public.plain DO INSTEAD NOTHING;
CREATE TABLE billing.invoices (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE billing.invoices_2026 PARTITION OF billing.invoices
    FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW billing.named AS SELECT id, name FROM public.customers WHERE public.is_fine(name);
CREATE VIEW billing.twice AS SELECT n.id FROM billing.named n JOIN billing.invoices i USING (id);
CREATE VIEW billing.sneaky AS SELECT rolname AS ":relid 1" FROM pg_catalog.pg_roles;
CREATE VIEW billing.sneakier AS SELECT 1 AS x WHERE EXISTS (SELECT FROM pg_catalog.pg_authid);
CREATE MATERIALIZED VIEW billing.kept AS SELECT count(*) AS n FROM public.customers;
CREATE SEQUENCE billing.numbers;

CREATE FUNCTION public.of_pair(public.pair) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.one::text';
CREATE FUNCTION public.of_anything(anyelement, integer DEFAULT 1) RETURNS text
    LANGUAGE sql IMMUTABLE AS 'SELECT ''x''::text';
CREATE FUNCTION public.of_many(VARIADIC "any") RETURNS integer LANGUAGE internal AS 'pg_num_nulls';
CREATE FUNCTION public.of_two(public.pair, integer) RETURNS text LANGUAGE sql AS 'SELECT ''x''::text';
