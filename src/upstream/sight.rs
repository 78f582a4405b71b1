//! The question what relations and types of some names are, to a session's own server: it sees what the
//! session has made and not committed yet. The answer is read by [`crate::kernel::sql::seen`].

use std::fmt::Write as _;

/// What the names are in all schemas but other sessions' temporary ones, as one expression: NULL if nothing
/// is asked. The names are of ASCII letters and without line breaks.
///
/// Every name in it says whose it is, operators too: the session's path may lead anywhere. Where a
/// transaction sees what was there when it began, names lead to what is there now: nothing is answered then.
pub(super) fn question(names: &[String]) -> String {
    if names.is_empty() {
        return "NULL".to_owned();
    }
    let mut digits = String::new();
    for byte in names.join("\n").bytes() {
        // Writing to a String can't fail.
        write!(digits, "{byte:02x}").ok();
    }
    let text = SIGHT.replace("USERS_TYPE", USERS_TYPE).replace("USERS_CODE", USERS_CODE);
    let text = text.replace(" = ", " OPERATOR(pg_catalog.=) ");
    let text = text.replace(" >= ", " OPERATOR(pg_catalog.>=) ");
    let text = text.replace(" <> ", " OPERATOR(pg_catalog.<>) ");
    text.replace("NAMES", &digits)
}

const SIGHT: &str = "(SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(\
'relations', COALESCE((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(\
'oid', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind::pg_catalog.text, \
'runs_code', c.relhasrules OR c.relrowsecurity OR EXISTS (SELECT FROM pg_catalog.pg_trigger AS t \
WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) \
OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE (\
d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND (d.objid = c.oid OR d.objid = ANY (ARRAY(\
SELECT i.indexrelid FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid))) \
OR d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = ANY (ARRAY(\
SELECT f.oid FROM pg_catalog.pg_attrdef AS f WHERE f.adrelid = c.oid)) \
OR d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = ANY (ARRAY(\
SELECT k.oid FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = c.oid))) AND USERS_CODE) \
OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a, pg_catalog.pg_type AS t \
WHERE a.attrelid = c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped \
AND t.oid = a.atttypid AND USERS_TYPE), \
'definition', CASE WHEN (c.relkind::pg_catalog.text = 'v' OR c.relkind::pg_catalog.text = 'm') AND NOT EXISTS (\
SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass \
AND d.objid = ANY (ARRAY(SELECT r.oid FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class = c.oid)) \
AND (USERS_CODE)) THEN pg_catalog.pg_get_viewdef(c.oid) END, \
'ties', ARRAY(SELECT i.inhparent::pg_catalog.int8 FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid \
UNION ALL SELECT i.inhrelid::pg_catalog.int8 FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid), \
'columns', COALESCE((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(\
'number', a.attnum, 'name', a.attname, 'type_oid', a.atttypid::pg_catalog.int8, \
'type_name', pg_catalog.format_type(a.atttypid, a.atttypmod), \
'of_users_type', a.atttypid >= 16384::pg_catalog.oid, \
'comment', pg_catalog.col_description(a.attrelid, a.attnum::pg_catalog.int4), \
'generated', a.attgenerated::pg_catalog.text <> ''\
) ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a \
WHERE a.attrelid = c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped), '[]'::pg_catalog.json)\
)) FROM pg_catalog.pg_class AS c, pg_catalog.pg_namespace AS n \
WHERE n.oid = c.relnamespace AND c.relname = ANY (asked.names) \
AND (n.oid = pg_catalog.pg_my_temp_schema() \
OR NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_temp_'))), '[]'::pg_catalog.json), \
'types', COALESCE((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(\
'name', t.typname, 'oids', ARRAY[t.oid::pg_catalog.int8, t.typarray::pg_catalog.int8], \
'is_plain_enum', t.typtype::pg_catalog.text = 'e' \
AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast AS c \
WHERE c.castsource = ANY (ARRAY[t.oid, t.typarray]) OR c.casttarget = ANY (ARRAY[t.oid, t.typarray])) \
AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator AS o \
WHERE o.oprleft = ANY (ARRAY[t.oid, t.typarray]) OR o.oprright = ANY (ARRAY[t.oid, t.typarray])) \
AND NOT EXISTS (SELECT FROM pg_catalog.pg_opclass AS o \
WHERE o.opcintype = ANY (ARRAY[t.oid, t.typarray]))\
)) FROM pg_catalog.pg_type AS t WHERE t.typname = ANY (asked.names)), '[]'::pg_catalog.json)\
)::pg_catalog.text, 'UTF8'), 'hex') \
FROM (SELECT pg_catalog.string_to_array(\
pg_catalog.convert_from(pg_catalog.decode('NAMES', 'hex'), 'UTF8'), pg_catalog.chr(10))::pg_catalog.name[] \
AS names) AS asked \
WHERE pg_catalog.current_setting('transaction_isolation') = 'read committed')";

/// What `d` says that something hangs on is code of the users': no routine or operator of an extension.
const USERS_CODE: &str = "(d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND NOT EXISTS (\
SELECT FROM pg_catalog.pg_depend AS e, pg_catalog.pg_proc AS p, pg_catalog.pg_language AS l \
WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e' \
AND p.oid = d.refobjid AND l.oid = p.prolang \
AND (l.lanname = 'c' OR p.provolatile <> 'v' AND NOT p.prosecdef)) \
OR (d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass \
OR d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass) AND NOT EXISTS (\
SELECT FROM pg_catalog.pg_depend AS e \
WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e'))";

/// Values of the type `t` may run code of the users': it is none of the server's own or an extension's, no
/// enum, no array of these, and no domain of these that calls nothing.
const USERS_TYPE: &str = "t.oid >= 16384::pg_catalog.oid AND NOT EXISTS (\
SELECT FROM pg_catalog.pg_type AS i, pg_catalog.pg_type AS b WHERE \
i.oid = CASE WHEN t.typelem <> 0::pg_catalog.oid AND t.typcategory = 'A' THEN t.typelem ELSE t.oid END \
AND b.oid = CASE WHEN i.typtype = 'd' THEN i.typbasetype ELSE i.oid END \
AND (b.typtype = 'e' OR b.oid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid \
OR EXISTS (SELECT FROM pg_catalog.pg_depend AS e \
WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND e.objid = b.oid AND e.deptype = 'e')) \
AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE (\
d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = i.oid AND i.typtype = 'd' \
OR d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = ANY (ARRAY(\
SELECT k.oid FROM pg_catalog.pg_constraint AS k WHERE k.contypid = i.oid))) AND USERS_CODE))";

#[cfg(test)]
mod tests {
    use super::question;

    #[test]
    fn names_are_asked_by_their_bytes_and_operators_by_their_schema() {
        assert_eq!(question(&[]), "NULL");
        let text = question(&["a'b".to_owned(), "NAMES = ".to_owned()]);
        assert!(text.contains("decode('6127620a4e414d4553203d20', 'hex')"), "{text}");
        let operators = ["=", ">=", "<>", ">", "<"];
        let bare = operators.into_iter().fold(text.clone(), |text, operator| {
            text.replace(&format!("OPERATOR(pg_catalog.{operator})"), "")
        });
        assert!(!bare.contains(['=', '<', '>']), "{bare}");
        for word in [" IN ", " LIKE ", " BETWEEN ", " JOIN ", "||", "USERS_", "DISTINCT"] {
            assert!(!text.contains(word), "{word} looks an operator up, or is one of ours: {text}");
        }
        assert!(!text.contains("a'b"), "{text}");
    }
}
