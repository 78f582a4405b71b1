//! Names as Postgres folds them, and the conventions in which both layers are compared.

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};

use crate::kernel::sql::{
    engine::Walker,
    mode::NAME_BYTES_MAX,
    reading::{RawName, RoutineUse},
};

/// Functions that the server's grammar makes of a syntax of their own. They are always the built-in
/// of `pg_catalog`, are pure, and the layers spell them differently.
const BY_SYNTAX: [&str; 21] = [
    "btrim",
    "extract",
    "is_normalized",
    "json_array",
    "json_object",
    "like_escape",
    "ltrim",
    "normalize",
    "overlaps",
    "overlay",
    "pg_collation_for",
    "position",
    "rtrim",
    "similar_to_escape",
    "similar_escape",
    "substring",
    "system",
    "bernoulli",
    "timezone",
    "xmlexists",
    "xmlserialize",
];

/// Names that look like a function to layer B and are a node of their own to the server. Only
/// without quotes and schema.
const EXPRESSIONS: [&str; 41] = [
    "all",
    "any",
    "coalesce",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "greatest",
    "grouping",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_value",
    "least",
    "localtime",
    "localtimestamp",
    "merge_action",
    "normalize",
    "nullif",
    "row",
    "session_user",
    "some",
    "system_user",
    "user",
    "values",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
];

/// Those of them that are called without parentheses, in FROM too. No relation goes by these names
/// without quotes.
pub(super) const VALUES_WITHOUT_ARGUMENTS: [&str; 11] = [
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
];

/// An identifier as the server keeps it: ASCII letters to lower case unless quoted, cut at 63 bytes.
pub(super) fn fold(ident: &Ident) -> String {
    let mut name = match ident.quote_style {
        None => ident.value.to_ascii_lowercase(),
        Some(_) => ident.value.clone(),
    };
    if name.len() > NAME_BYTES_MAX {
        let mut end = NAME_BYTES_MAX;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
    }
    name
}

/// True if layer B shows as a function what the server knows as an expression.
pub(super) fn is_expression(name: &ObjectName, has_arguments: bool) -> bool {
    let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else { return false };
    if ident.quote_style.is_some() {
        return false;
    }
    let folded = fold(ident);
    // `current_schema` is an expression, `current_schema()` a call.
    EXPRESSIONS.contains(&folded.as_str()) || (folded == "current_schema" && !has_arguments)
}

/// True if the name is one of these words, without quotes or schema.
pub(super) fn is_word(name: &ObjectName, words: &[&str]) -> bool {
    let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else { return false };
    ident.quote_style.is_none() && words.contains(&fold(ident).as_str())
}

/// False of what the layers spell differently though it is the same and harmless.
pub(super) fn is_compared(used: &RoutineUse) -> bool {
    used.name.schema() != Some("pg_catalog") || !BY_SYNTAX.contains(&used.name.base())
}

impl Walker {
    /// A name's parts; a part that is no identifier belongs to other servers.
    pub(super) fn name(&mut self, name: &ObjectName) -> RawName {
        let mut parts = Vec::with_capacity(name.0.len());
        for part in &name.0 {
            match part {
                ObjectNamePart::Identifier(ident) => parts.push(fold(ident)),
                ObjectNamePart::Function(_) => self.foreign = true,
            }
        }
        RawName(parts)
    }
}
