//! What columns hold by their declared type, as far as masking cares.

use std::collections::HashMap;

use crate::kernel::mask::{ColumnType, Kind, Width};

/// The number that a declared type has in a catalog. Servers of this family number none that a catalog
/// shows; these are ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TypeId(pub(super) u32);

/// Declared types, as `information_schema.COLUMNS.DATA_TYPE` has them. The place is the number.
const TYPES: [(&str, Kind); 42] = [
    ("", Kind::Unknown),
    ("tinyint", Kind::Integer(Width::One)),
    ("smallint", Kind::Integer(Width::Two)),
    ("mediumint", Kind::Integer(Width::Three)),
    ("int", Kind::Integer(Width::Four)),
    ("bigint", Kind::Integer(Width::Eight)),
    ("year", Kind::Integer(Width::Two)),
    ("decimal", Kind::Decimal),
    ("float", Kind::Single),
    ("double", Kind::Double),
    ("bit", Kind::Unknown),
    ("date", Kind::Date),
    ("datetime", Kind::Timestamp),
    ("timestamp", Kind::Timestamp),
    ("time", Kind::Time),
    ("char", Kind::Text),
    ("varchar", Kind::Text),
    ("tinytext", Kind::Text),
    ("text", Kind::Text),
    ("mediumtext", Kind::Text),
    ("longtext", Kind::Text),
    ("binary", Kind::Bytes),
    ("varbinary", Kind::Bytes),
    ("tinyblob", Kind::Bytes),
    ("blob", Kind::Bytes),
    ("mediumblob", Kind::Bytes),
    ("longblob", Kind::Bytes),
    ("enum", Kind::Enumeration),
    ("set", Kind::Unknown),
    ("json", Kind::Json),
    ("uuid", Kind::Unknown),
    ("inet4", Kind::Unknown),
    ("inet6", Kind::Unknown),
    ("vector", Kind::Unknown),
    ("geometry", Kind::Unknown),
    ("point", Kind::Unknown),
    ("linestring", Kind::Unknown),
    ("polygon", Kind::Unknown),
    ("multipoint", Kind::Unknown),
    ("multilinestring", Kind::Unknown),
    ("multipolygon", Kind::Unknown),
    ("geomcollection", Kind::Unknown),
];

impl TypeId {
    /// That of a declared type; one that isn't known holds what only NULL masks.
    pub(super) fn of(data_type: &str) -> Self {
        let at = TYPES.iter().position(|(name, _)| name.eq_ignore_ascii_case(data_type));
        Self(at.map_or(0, |at| at as u32))
    }

    /// What its values are.
    pub(super) fn holds(self) -> ColumnType {
        let found = TYPES.get(self.0 as usize);
        ColumnType::One(found.map_or(Kind::Unknown, |(_, kind)| *kind))
    }
}

/// The numbers of ENUMs: each declaration is a type of its own, with labels of its own.
#[derive(Default)]
pub(super) struct Enums(HashMap<String, u32>);

impl Enums {
    /// The number of a declaration, and whether it is new; `None` if it is no ENUM.
    pub(super) fn of(&mut self, declared: &str) -> Option<(u32, bool)> {
        if !declared.starts_with("enum(") {
            return None;
        }
        if let Some(known) = self.0.get(declared) {
            return Some((*known, false));
        }
        let number = u32::try_from(TYPES.len().saturating_add(self.0.len())).ok()?;
        self.0.insert(declared.to_owned(), number);
        Some((number, true))
    }
}

/// The labels of an ENUM, from its declaration: `enum('new','it''s paid')`.
pub(super) fn labels(declared: &str) -> Vec<String> {
    let Some(list) = declared.strip_prefix("enum(").and_then(|rest| rest.strip_suffix(')')) else {
        return Vec::new();
    };
    let (mut labels, mut rest) = (Vec::new(), list);
    while let Some(inner) = rest.strip_prefix('\'') {
        let (mut label, mut from) = (String::new(), inner);
        loop {
            let Some((part, behind)) = from.split_once('\'') else { return labels };
            label.push_str(part);
            match behind.strip_prefix('\'') {
                Some(more) => {
                    label.push('\'');
                    from = more;
                }
                None => {
                    from = behind;
                    break;
                }
            }
        }
        labels.push(label);
        rest = from.strip_prefix(',').unwrap_or(from);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_name_and_others_hold_nobody_knows_what() {
        assert_eq!(TypeId::of("VARCHAR").holds(), ColumnType::TEXT);
        assert_eq!(TypeId::of("varbinary").holds(), ColumnType::One(Kind::Bytes));
        assert_eq!(TypeId::of("hypercube").holds(), ColumnType::UNKNOWN);
        assert_eq!(TypeId(1000).holds(), ColumnType::UNKNOWN);
    }

    #[test]
    fn each_enum_is_a_type_of_its_own() {
        let mut enums = Enums::default();
        let (first, is_new) = enums.of("enum('a')").expect("one");
        assert!(is_new && first as usize >= TYPES.len());
        let (second, is_new) = enums.of("enum('b')").expect("one");
        assert!(is_new && second != first);
        assert_eq!(enums.of("enum('a')"), Some((first, false)));
        assert_eq!(enums.of("set('a')"), None);
    }

    #[test]
    fn labels_are_read_from_a_declaration() {
        assert_eq!(labels("enum('new','it''s, paid','')"), ["new", "it's, paid", ""]);
        for other in ["set('a')", "enum(", "enum()", "varchar(5)", "enum('a"] {
            assert!(labels(other).is_empty(), "{other}");
        }
    }
}
