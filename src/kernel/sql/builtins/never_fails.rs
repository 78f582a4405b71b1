//! What computes one value of whatever it gets: no value makes it fail, none makes it several rows.
//!
//! Where a masked column goes through anything else, whether the statement fails or how many rows come
//! out would tell its value, bit by bit: `1 / (salary - 50000)`, `generate_series(1, salary)`,
//! `email::int`. By name, so that all overloads of a name must keep to it.

/// Built-in functions and aggregates.
const FUNCTIONS: [&str; 33] = [
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "btrim",
    "char_length",
    "character_length",
    "concat",
    "concat_ws",
    "count",
    "every",
    "first_value",
    "initcap",
    "json_agg",
    "json_build_array",
    "jsonb_agg",
    "jsonb_build_array",
    "lag",
    "last_value",
    "lead",
    "left",
    "length",
    "lower",
    "ltrim",
    "max",
    "md5",
    "min",
    "reverse",
    "right",
    "row_to_json",
    "rtrim",
    "string_agg",
    "sum",
];

/// More of them: what makes JSON of anything, and the rest of the alphabet.
const MORE_FUNCTIONS: [&str; 4] = ["to_json", "to_jsonb", "upper", "json_array"];

/// Operators: comparisons, and what puts texts together.
const OPERATORS: [&str; 8] = ["<", "<=", "<>", "=", ">", ">=", "||", "!="];

/// Types that every value has a text of.
const CASTS: [&str; 2] = ["text", "varchar"];

/// True if no value makes a call of a built-in function of this name fail or return several rows.
pub fn function(name: &str) -> bool {
    FUNCTIONS.contains(&name) || MORE_FUNCTIONS.contains(&name)
}

/// True if no value makes an operator of this name fail.
pub fn operator(name: &str) -> bool {
    OPERATORS.contains(&name)
}

/// True if every value can be cast to the type of this name.
pub fn cast(to: &str) -> bool {
    CASTS.contains(&to)
}
