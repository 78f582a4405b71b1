//! Calls of everything that the server itself can compute, added to the grammar from its catalogs.

use std::collections::BTreeSet;

use super::{generate::Grammar, server::Session};

/// Functions, aggregates and operators of `pg_catalog` that SQL can call.
const CALLS: &str = "
SELECT 'f', p.proname, p.prokind, rtrim(format_type(p.prorettype, NULL)), p.proretset,
       ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, o) ORDER BY o),
       p.provariadic <> 0
FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'a', 'w')
  AND NOT p.proargtypes::oid[] && ARRAY['internal'::regtype, 'cstring'::regtype]::oid[]
  AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
UNION ALL
SELECT 'o', o.oprname, o.oprkind, format_type(o.oprresult, NULL), false,
       ARRAY(SELECT format_type(t, NULL) FROM unnest(ARRAY[o.oprleft, o.oprright]) AS t WHERE t <> 0), false
FROM pg_operator o WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprresult <> 0
ORDER BY 1, 2, 3, 4, 6";

/// What would only cost time, or hurt those who run beside: sleeping, ending others' sessions.
const LEFT_OUT: [&str; 12] = [
    "pg_sleep",
    "pg_sleep_for",
    "pg_sleep_until",
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_wal_replay_pause",
    "repeat",
    "lpad",
    "rpad",
    "generate_series",
    "pg_import_system_collations",
    "pg_reload_conf",
];

/// Constants of types; others get NULL.
const VALUES: [(&str, &[&str]); 62] = [
    ("integer", &["1", "<int_value>", "0", "-1"]),
    ("bigint", &["1", "<int_value>", "4711"]),
    ("smallint", &["1::smallint"]),
    ("text", &["'x'", "<text_value>", "'people'", "'a.b'", "'search_path'"]),
    ("character varying", &["'x'::varchar"]),
    ("character", &["'x'::bpchar"]),
    ("\"char\"", &["'r'::\"char\""]),
    ("name", &["'people'::name"]),
    ("boolean", &["true", "false"]),
    ("numeric", &["1.5", "2"]),
    ("double precision", &["0.5::float8", "1"]),
    ("real", &["0.5::real"]),
    ("json", &["'{\"a\": 1}'::json", "'[1, 2]'::json"]),
    ("jsonb", &["'{\"a\": 1}'::jsonb", "'[1, 2]'::jsonb"]),
    ("jsonpath", &["'$.a'::jsonpath"]),
    ("date", &["'2026-01-02'::date"]),
    ("time without time zone", &["'10:00'::time"]),
    ("time with time zone", &["'10:00+01'::timetz"]),
    ("timestamp without time zone", &["'2026-01-02 10:00'::timestamp"]),
    ("timestamp with time zone", &["'2026-01-02 10:00+01'::timestamptz", "now()"]),
    ("interval", &["'1 day'::interval"]),
    ("bytea", &["'\\x0102'::bytea", "'abc'::bytea"]),
    ("oid", &["1259::oid", "4711::oid", "'people'::regclass::oid"]),
    ("regclass", &["'people'::regclass", "'numbers'::regclass", "'side.secrets'::regclass"]),
    ("regtype", &["'integer'::regtype"]),
    ("regproc", &["'now'::regproc"]),
    ("regprocedure", &["'now()'::regprocedure"]),
    ("regconfig", &["'english'::regconfig"]),
    ("regdictionary", &["'simple'::regdictionary"]),
    ("regnamespace", &["'public'::regnamespace"]),
    ("regrole", &["'hallpass'::regrole"]),
    ("tsvector", &["'a:1 b:2'::tsvector"]),
    ("tsquery", &["'a & b'::tsquery"]),
    ("inet", &["'10.0.0.1/8'::inet"]),
    ("cidr", &["'10.0.0.0/8'::cidr"]),
    ("macaddr", &["'08:00:2b:01:02:03'::macaddr"]),
    ("macaddr8", &["'08:00:2b:01:02:03:04:05'::macaddr8"]),
    ("uuid", &["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid"]),
    ("bit", &["B'101'"]),
    ("bit varying", &["B'101'::varbit"]),
    ("money", &["1::money"]),
    ("point", &["'(1,2)'::point"]),
    ("box", &["'((0,0),(1,1))'::box"]),
    ("circle", &["'<(0,0),1>'::circle"]),
    ("line", &["'{1,2,3}'::line"]),
    ("lseg", &["'[(0,0),(1,1)]'::lseg"]),
    ("path", &["'((0,0),(1,1))'::path"]),
    ("polygon", &["'((0,0),(1,1),(1,0))'::polygon"]),
    ("xml", &["'<a >1</a>'::xml"]),
    ("pg_lsn", &["'0/1'::pg_lsn"]),
    ("tid", &["'(0,1)'::tid"]),
    ("int4range", &["'[1,5)'::int4range"]),
    ("int4multirange", &["'{[1,5)}'::int4multirange"]),
    ("integer[]", &["ARRAY[1, 2]", "a.arr"]),
    ("text[]", &["ARRAY['x', 'y']", "ARRAY[<text_value>]"]),
    ("aclitem", &["'hallpass=r/hallpass'::aclitem"]),
    ("refcursor", &["'c'::refcursor"]),
    ("pg_snapshot", &["'1:2:'::pg_snapshot"]),
    ("xid8", &["'1'::xid8"]),
    ("record", &["ROW(1, 'x')", "a", "ROW(<int_value>)"]),
    ("\"any\"", &["1", "'x'::text", "a", "<text_value>"]),
    ("anyelement", &["1", "a.x", "a", "<int_value>", "'(1,x)'::pair", "1::dom_s"]),
];

/// Adds `call_int`, `call_text`, `call_bool`, `call_aggregate` and `any_call`.
pub(crate) fn add_calls(grammar: &mut Grammar, server: &mut Session) {
    for (type_name, values) in VALUES {
        for value in values {
            grammar.add(&nonterminal(type_name), value);
        }
    }
    for polymorphic in [
        "anycompatible",
        "anynonarray",
        "anycompatiblenonarray",
        "anyrange",
        "anymultirange",
        "anyarray",
    ] {
        let value = match polymorphic {
            "anyrange" => "'[1,5)'::int4range",
            "anymultirange" => "'{[1,5)}'::int4multirange",
            "anyarray" => "ARRAY[1, 2]",
            _ => "1",
        };
        grammar.add(&nonterminal(polymorphic), value);
    }
    grammar.add(&nonterminal("anyrange"), "'[1,5)'::spans");
    grammar.add(&nonterminal("anyarray"), "'{1,2}'::dom_s[]");
    grammar.add(&nonterminal("anycompatiblearray"), "ARRAY[1, 2]");
    grammar.add(&nonterminal("anyenum"), "'low'::mood");
    for name in ["call_int", "call_text", "call_bool", "call_aggregate", "any_call"] {
        let first = match name {
            "call_bool" => "isfinite(now())",
            "call_text" => "md5('x')",
            "call_aggregate" => "count(*)",
            _ => "abs(-1)",
        };
        grammar.add(name, first);
    }
    let mut seen = BTreeSet::new();
    for row in server.rows(CALLS) {
        let [what, name, kind, result, set, arguments, variadic] = row.as_slice() else {
            panic!("{row:?}")
        };
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let arguments = array(arguments);
        let places: Vec<String> = arguments
            .iter()
            .map(|type_name| {
                let name = nonterminal(type_name);
                if !grammar.has(&name) {
                    grammar.add(&name, &format!("NULL::{type_name}"));
                }
                format!("<{name}>")
            })
            .collect();
        let call = match (what.as_str(), places.as_slice()) {
            ("f", places) => {
                let quoted = format!("\"{name}\"");
                let name = if name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b"_0123456789".contains(&b))
                {
                    if RESERVED.contains(&name.as_str()) { &quoted } else { name }
                } else {
                    &quoted
                };
                let mut list = places.join(", ");
                if variadic == "t" && places.len() > 1 {
                    list = places[..places.len() - 1].join(", ") + ", 'x'";
                }
                format!("{name}({list})")
            }
            (_, [right]) => format!("({name} {right})"),
            (_, [left, right]) => format!("({left} {name} {right})"),
            _ => continue,
        };
        if !seen.insert(call.clone()) {
            continue;
        }
        grammar.add("any_call", &call);
        if kind == "a" {
            grammar.add("call_aggregate", &call);
        } else if set == "f" && kind != "w" {
            match result.as_str() {
                "integer" | "bigint" | "smallint" => {
                    grammar.add("call_int", &format!("{call}::integer"));
                }
                "text" | "name" | "character varying" => {
                    grammar.add("call_text", &format!("{call}::text"));
                }
                "boolean" => grammar.add("call_bool", &call),
                _ => {}
            }
        }
    }
}

/// Functions whose bare names are syntax.
const RESERVED: [&str; 9] = [
    "overlaps",
    "overlay",
    "position",
    "substring",
    "collation",
    "left",
    "right",
    "timezone",
    "normalize",
];

fn nonterminal(type_name: &str) -> String {
    let safe: String =
        type_name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("of_type_{safe}")
}

/// An array of texts as the server prints it.
fn array(printed: &str) -> Vec<String> {
    let inner = printed.trim_start_matches('{').trim_end_matches('}');
    let mut items = Vec::new();
    let (mut item, mut quoted, mut escaped) = (String::new(), false, false);
    for c in inner.chars() {
        match c {
            _ if escaped => {
                item.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => items.push(std::mem::take(&mut item)),
            _ => item.push(c),
        }
    }
    if !inner.is_empty() {
        items.push(item);
    }
    items
}
