//! What part of a target a grant covers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// All tables, or a list of schemas and tables.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Every table of the target.
    All,
    /// These only.
    Only(Vec<ScopeItem>),
}

/// One entry of a scope: `schema.*` or `schema.table`, names as the catalog has them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScopeItem {
    /// The schema.
    pub schema: String,
    /// The table; `None` stands for every table of the schema.
    pub table: Option<String>,
}

/// A text that is no scope.
#[derive(Debug, thiserror::Error)]
#[error("`{item}` is not a scope; write schema.table or schema.*, with commas between")]
pub struct BadScope {
    item: String,
}

impl Scope {
    /// Reads `public.orders,billing.*`. Names are taken as written; double quotes keep case, dots
    /// and commas, without them upper case folds to lower as in Postgres.
    ///
    /// # Errors
    /// [`BadScope`] with the first entry that is none.
    pub fn parse_list(text: &str) -> Result<Self, BadScope> {
        let mut items = Vec::new();
        for item in split_outside_quotes(text, ',') {
            let bad = || BadScope { item: item.chars().take(128).collect() };
            let parts = split_outside_quotes(item.trim(), '.');
            let [schema, table] = parts.as_slice() else { return Err(bad()) };
            let schema = identifier(schema).ok_or_else(bad)?;
            let table = match *table {
                "*" => None,
                name => Some(identifier(name).ok_or_else(bad)?),
            };
            items.push(ScopeItem { schema, table });
        }
        Ok(Self::Only(items))
    }

    /// True if the relation is covered.
    pub fn covers(&self, schema: &str, relation: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(items) => items.iter().any(|item| {
                item.schema == schema && item.table.as_deref().is_none_or(|t| t == relation)
            }),
        }
    }

    /// True if a relation of this name may be covered, in some schema.
    pub fn may_hold(&self, relation: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(items) => {
                items.iter().any(|item| item.table.as_deref().is_none_or(|t| t == relation))
            }
        }
    }
}

impl fmt::Display for Scope {
    /// `ALL tables`, or the list as [`Scope::parse_list`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = match self {
            Self::All => return f.write_str("ALL tables"),
            Self::Only(items) => items,
        };
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write_identifier(f, &item.schema)?;
            f.write_str(".")?;
            match &item.table {
                None => f.write_str("*")?,
                Some(table) => write_identifier(f, table)?,
            }
        }
        Ok(())
    }
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    let mut parts = Vec::new();
    let mut start = 0;
    for (index, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == separator && !quoted {
            parts.push(text.get(start..index).unwrap_or_default());
            start = index + separator.len_utf8();
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

fn identifier(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix('"') {
        let inner = inner.strip_suffix('"').filter(|inner| !inner.contains('\0'))?;
        let name = inner.replace("\"\"", "\0");
        return (!name.is_empty() && !name.contains('"')).then(|| name.replace('\0', "\""));
    }
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    (!text.is_empty() && text.chars().all(plain)).then(|| text.to_ascii_lowercase())
}

fn write_identifier(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if identifier(name).as_deref() == Some(name) {
        f.write_str(name)
    } else {
        write!(f, "\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_it_names() {
        let scope =
            Scope::parse_list("public.orders, Billing.*,\"Odd.Schema\".\"T\"").expect("reads");
        assert!(scope.covers("public", "orders") && scope.covers("billing", "anything"));
        assert!(scope.covers("Odd.Schema", "T") && !scope.covers("Odd.Schema", "t"));
        assert!(!scope.covers("public", "orders2") && !scope.covers("orders", "public"));
    }

    #[test]
    fn a_scope_survives_print_and_parse() {
        let scope = Scope::parse_list("public.orders,\"A b\".*,x.\"q\"\"q\"").expect("reads");
        assert_eq!(Scope::parse_list(&scope.to_string()).expect("reads"), scope);
    }

    #[test]
    fn half_a_scope_is_refused() {
        for bad in [
            "",
            "orders",
            "public.",
            ".orders",
            "a.b.c",
            "public.or ders",
            "*.*",
            "a.\"b",
            "a.\"b\0c\"",
        ] {
            assert!(Scope::parse_list(bad).is_err(), "{bad}");
        }
    }
}
