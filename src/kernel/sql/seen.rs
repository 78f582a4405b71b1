//! What the session's own server says of the relations that it has made or altered since the catalog was
//! read: the session alone may see them yet.

mod foreseen;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use foreseen::Foreseen;
use serde::Deserialize;

/// A relation as the server has it now.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Deserialize)]
pub struct Seen {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `pg_class.relkind`.
    kind: String,
    /// Rules, triggers that are no constraint's, policies, defaults, checks, indexes or domains of it call
    /// routines of the users': what stands in it hangs on code.
    runs_code: bool,
    /// What a view shows, or a materialized view, if no code of the users' stands in it.
    #[serde(default)]
    definition: Option<String>,
    /// What it inherits from or is a partition of, and what is so of it, directly.
    pub ties: BTreeSet<u32>,
    /// Its columns, dropped ones left out.
    pub columns: Vec<SeenColumn>,
}

/// A column of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Deserialize)]
pub struct SeenColumn {
    /// `pg_attribute.attnum`.
    pub number: i16,
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_oid: u32,
    /// The type as `format_type` prints it, on the session's path.
    pub type_name: String,
    /// Its type isn't the server's own.
    pub of_users_type: bool,
    /// Its comment.
    pub comment: Option<String>,
    /// It is computed from others of its row.
    pub generated: bool,
}

impl Seen {
    /// The query of a view, of the server's own functions only.
    pub fn definition(&self) -> Option<&str> {
        self.definition.as_deref().filter(|_| matches!(self.kind.as_str(), "v" | "m"))
    }

    /// True of a table whose rows are what was written to it, by statements and nothing else; and of a
    /// sequence.
    pub fn is_plain_table(&self) -> bool {
        matches!(self.kind.as_str(), "r" | "p" | "S") && !self.runs_code
    }
}

/// A type as the server has it now.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Deserialize)]
struct SeenType {
    name: String,
    /// `pg_type.oid`, and that of its arrays.
    oids: [u32; 2],
    /// It is an enum, and has no casts, operators and operator classes of its own: no value of it runs code.
    is_plain_enum: bool,
}

/// All relations and types of the names that were asked for, in whatever schema.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Sight {
    relations: BTreeMap<u32, Seen>,
    types: Vec<SeenType>,
    whole: bool,
}

#[derive(Deserialize)]
struct Answer {
    relations: Vec<Seen>,
    types: Vec<SeenType>,
}

impl Sight {
    /// From the server's answer. `None`: it can't be read.
    pub fn read(answer: &str) -> Option<Self> {
        let Answer { relations, types } = serde_json::from_str(answer).ok()?;
        let relations = relations.into_iter().map(|seen| (seen.oid, seen)).collect();
        Some(Self { relations, types, whole: false })
    }

    /// The answer to a question for all names that there are.
    #[must_use]
    pub fn of_all(self) -> Self {
        Self { whole: true, ..self }
    }

    /// True if nothing goes by any of them.
    pub fn is_empty(&self) -> bool {
        self.relations.is_empty() && self.types.is_empty()
    }

    /// True if it was asked for all names that there are.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The one of that oid.
    pub fn of(&self, oid: u32) -> Option<&Seen> {
        self.relations.get(&oid)
    }

    /// The one that a schema has under that name.
    pub fn named(&self, schema: &str, name: &str) -> Option<&Seen> {
        self.relations.values().find(|seen| seen.schema == schema && seen.name == name)
    }

    /// All of that name.
    pub fn all_named(&self, name: &str) -> impl Iterator<Item = &Seen> {
        self.relations.values().filter(move |seen| seen.name == name)
    }

    /// True if all types of that name are enums of which no value runs code.
    pub fn is_plain_enum(&self, name: &str) -> bool {
        let mut found = self.types.iter().filter(|one| one.name == name).peekable();
        found.peek().is_some() && found.all(|one| one.is_plain_enum)
    }

    /// The types of all columns, but for the server's own, and enums of which no value runs code.
    pub fn users_types(&self) -> BTreeSet<u32> {
        let plain = self.types.iter().filter(|one| one.is_plain_enum);
        let plain: BTreeSet<u32> = plain.flat_map(|one| one.oids).collect();
        let columns = self.relations.values().flat_map(|seen| &seen.columns);
        let of_users = columns.filter(|column| column.of_users_type).map(|column| column.type_oid);
        of_users.filter(|oid| !plain.contains(oid)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_or_tells_nothing() {
        let column = r#"{"number":1,"name":"x","type_oid":25,"type_name":"text","of_users_type":false,"comment":null,"generated":false}"#;
        let table = |kind: &str, code: bool| {
            format!(
                r#"{{"types":[],"relations":[{{"oid":4294967295,"schema":"s","name":"t","kind":"{kind}","runs_code":{code},"ties":[7],"columns":[{column}]}}]}}"#
            )
        };
        let plain = |kind, code| {
            let sight = Sight::read(&table(kind, code)).expect("reads");
            sight.named("s", "t").is_some_and(Seen::is_plain_table)
        };
        assert!(plain("r", false) && plain("p", false));
        assert!(
            !plain("v", false) && !plain("f", false) && !plain("m", false) && !plain("r", true)
        );
        let sight = Sight::read(&table("r", false)).expect("reads");
        assert!(sight.named("t", "t").is_none() && sight.of(u32::MAX).is_some());
        for odd in ["", "null", "{}", "[1]", "[]", r#"{"relations":[{"oid":1}],"types":[]}"#] {
            assert!(Sight::read(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn an_enum_is_plain_where_all_types_of_its_name_are() {
        let answer = r#"{"relations":[],"types":[
            {"name":"a","oids":[20000,20001],"is_plain_enum":true},
            {"name":"b","oids":[20002,20003],"is_plain_enum":true},
            {"name":"b","oids":[20004,0],"is_plain_enum":false}]}"#;
        let sight = Sight::read(answer).expect("reads");
        assert!(sight.is_plain_enum("a") && !sight.is_plain_enum("b") && !sight.is_plain_enum("c"));
        assert!(!sight.is_whole() && sight.of_all().is_whole());
    }
}
