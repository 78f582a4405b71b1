//! Which texts of the server's quote nothing but what anybody may see, whatever the statement reads.

use crate::{kernel::catalog::Catalog, wire::pg::backend::ErrorFields};

/// Classes of errors that the server's parser raises about a place in a text: names and types that
/// don't fit, constants that don't read as their type, what it doesn't support.
const OF_TEXTS: [&[u8]; 3] = [b"0A", b"22", b"42"];

/// Classes of errors about names: taken, missing, needed by others, or not to be used so.
const OF_NAMES: [&[u8]; 3] = [b"0A", b"2B", b"42"];

/// Where the server checks the constraints of one table, and quotes columns of that table alone. Foreign
/// keys aren't among them: these quote rows of two tables, and name one.
const OF_ONE_TABLE: [&[u8]; 6] = [
    b"execIndexing.c",
    b"execMain.c",
    b"nbtinsert.c",
    b"tablecmds.c",
    b"tuplesort.c",
    b"tuplesortvariants.c",
];

/// Where the server defines things: it speaks of their names and types, never of rows.
/// Not where it looks names up (`namespace.c`): a value that is cast to `regclass` is one.
const OF_DEFINITIONS: [&[u8]; 11] = [
    b"aclchk.c",
    b"catalog.c",
    b"dependency.c",
    b"dropcmds.c",
    b"heap.c",
    b"index.c",
    b"indexcmds.c",
    b"objectaddress.c",
    b"parse_utilcmd.c",
    b"relation.c",
    b"tablecmds.c",
];

/// True of an error about a place in the client's own text. It is raised while the text is parsed, before
/// any row is read: what it quotes are the text's names and constants. Whoever runs other texts meanwhile,
/// as functions do, adds a context or a query to it, which this doesn't have.
pub(super) fn is_of_the_text(fields: &ErrorFields<'_>) -> bool {
    let has = |code| fields.field(code).is_some();
    has(b'P') && comes_alone(fields) && OF_TEXTS.contains(&class(fields))
}

/// True of an error about a definition: what is missing, there already, or depended on.
pub(super) fn is_of_a_definition(fields: &ErrorFields<'_>) -> bool {
    OF_NAMES.contains(&class(fields))
        && comes_alone(fields)
        && OF_DEFINITIONS.contains(&source(fields))
}

/// True if a constraint of a table without masked columns failed: UNIQUE, CHECK, NOT NULL, EXCLUDE.
pub(super) fn is_of_a_plain_table(fields: &ErrorFields<'_>, catalog: &Catalog) -> bool {
    let name = |code| fields.field(code).and_then(|name| std::str::from_utf8(name).ok());
    let (Some(schema), Some(table)) = (name(b's'), name(b't')) else { return false };
    let Some(relation) = catalog.relation(schema, table) else { return false };
    OF_ONE_TABLE.contains(&source(fields))
        && comes_alone(fields)
        && !catalog.marks.sensitive().reaches(relation.oid)
}

/// True if no code on the server stands between the statement and the error.
fn comes_alone(fields: &ErrorFields<'_>) -> bool {
    ![b'W', b'p', b'q'].iter().any(|code| fields.field(*code).is_some())
}

fn class<'a>(fields: &ErrorFields<'a>) -> &'a [u8] {
    fields.sqlstate().get(..2).unwrap_or_default()
}

/// The file of the server's that raised it. Code in procedural languages can't choose it.
fn source<'a>(fields: &ErrorFields<'a>) -> &'a [u8] {
    fields.field(b'F').unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[(u8, &str)]) -> Vec<u8> {
        let each =
            fields.iter().flat_map(|(code, text)| [&[*code], text.as_bytes(), b"\0"].concat());
        each.chain([0]).collect()
    }

    #[test]
    fn an_error_about_a_place_in_the_text_is_of_the_text_unless_code_ran() {
        let place = [(b'C', "42703"), (b'P', "8"), (b'F', "parse_relation.c")];
        let is = |fields: &[(u8, &str)]| {
            let body = of(fields);
            is_of_the_text(&ErrorFields::new(&body).expect("fields"))
        };
        assert!(is(&place));
        assert!(!is(&place[..1]), "regclass of a value has no place");
        for (code, text) in [(b'W', "SQL function"), (b'q', "SELECT x"), (b'p', "7")] {
            assert!(!is(&[&place[..], &[(code, text)]].concat()));
        }
        assert!(!is(&[(b'C', "P0001"), (b'P', "8")]));
    }

    #[test]
    fn a_definition_is_told_by_the_servers_own_place_alone() {
        let is = |fields: &[(u8, &str)]| {
            let body = of(fields);
            is_of_a_definition(&ErrorFields::new(&body).expect("fields"))
        };
        assert!(is(&[(b'C', "42701"), (b'F', "tablecmds.c")]));
        assert!(is(&[(b'C', "2BP01"), (b'F', "dependency.c")]));
        assert!(!is(&[(b'C', "42P01"), (b'F', "regproc.c")]));
        assert!(!is(&[(b'C', "42P01"), (b'F', "namespace.c")]));
        assert!(!is(&[(b'C', "42701"), (b'F', "pl_exec.c")]));
        assert!(!is(&[(b'C', "23514"), (b'F', "tablecmds.c")]));
    }
}
