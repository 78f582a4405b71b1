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

/// Functions of MySQL and MariaDB that neither fail nor warn, whatever type their arguments are of. A number
/// among them that isn't written in the statement is looked at apart.
const MYSQL: [&str; 52] = [
    "any_value",
    "bit_length",
    "char_length",
    "character_length",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "cume_dist",
    "default",
    "dense_rank",
    "first_value",
    "if",
    "ifnull",
    "instr",
    "isnull",
    "json_array",
    "json_arrayagg",
    "json_object",
    "json_valid",
    "lag",
    "last_value",
    "lcase",
    "lead",
    "left",
    "length",
    "locate",
    "lower",
    "ltrim",
    "max",
    "md5",
    "mid",
    "min",
    "nullif",
    "nvl",
    "octet_length",
    "percent_rank",
    "position",
    "rank",
    "reverse",
    "right",
    "row",
    "row_number",
    "rtrim",
    "sha1",
    "substr",
    "substring",
    "trim",
    "ucase",
    "upper",
    "value",
    "values",
];

/// Those that expect numbers: of anything else they warn, and quote it.
const MYSQL_OF_NUMBERS: [&str; 16] = [
    "avg",
    "ceil",
    "ceiling",
    "floor",
    "round",
    "sign",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "truncate",
    "var_pop",
    "var_samp",
    "variance",
    "bit_count",
];

/// Those that expect days and times: of anything else they warn, and quote it.
const MYSQL_OF_MOMENTS: [&str; 10] = [
    "date",
    "day",
    "dayofmonth",
    "extract",
    "hour",
    "minute",
    "month",
    "quarter",
    "second",
    "year",
];

/// True if no value makes a call of this function of MySQL fail or warn.
pub fn mysql_function(name: &str) -> bool {
    MYSQL.contains(&name)
}

/// True if no number does.
pub fn mysql_function_of_numbers(name: &str) -> bool {
    MYSQL_OF_NUMBERS.contains(&name)
}

/// True if no day or time does.
pub fn mysql_function_of_moments(name: &str) -> bool {
    MYSQL_OF_MOMENTS.contains(&name)
}
