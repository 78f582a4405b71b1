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

/// Operators that take JSON apart, or ask what it, an array or a range has. Where it is kept as a text, a part
/// of it may be no text of the server's.
const PARTS: [&str; 10] = ["#>", "#>>", "&&", "->", "->>", "<@", "?", "?&", "?|", "@>"];

/// Types that every value has a text of.
const CASTS: [&str; 3] = ["bpchar", "text", "varchar"];

/// True if no value makes a call of a built-in function of this name fail or return several rows.
pub fn function(name: &str) -> bool {
    FUNCTIONS.contains(&name) || MORE_FUNCTIONS.contains(&name)
}

/// True if no value makes an operator of this name fail.
pub fn operator(name: &str) -> bool {
    OPERATORS.contains(&name)
}

/// True if no value but a text of JSON makes an operator of this name fail.
pub fn part(name: &str) -> bool {
    PARTS.contains(&name)
}

/// True if every value of a type, by its number, can be cast to the type of this name.
pub fn turn(from: u32, to: &str) -> bool {
    // Spec: pg_type.dat: int8 20, int2 21, int4 23, float4 700, float8 701, date 1082, and so on.
    match to {
        "float8" | "numeric" => matches!(from, 20 | 21 | 23 | 700 | 701 | 1700),
        "int8" => matches!(from, 20 | 21 | 23),
        "int4" => matches!(from, 21 | 23),
        "int2" => from == 21,
        "date" | "timestamp" | "timestamptz" => matches!(from, 1082 | 1114 | 1184),
        "jsonb" => from == 3802,
        "uuid" => from == 2950,
        "bool" => from == 16,
        _ => false,
    }
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

/// Those that warn of some values, and quote them, but fail for none in a statement that writes no row.
const MYSQL_WARNING: [&str; 93] = [
    "abs",
    "adddate",
    "ascii",
    "bin",
    "crc32",
    "curdate",
    "current_date",
    "current_time",
    "current_timestamp",
    "curtime",
    "date_add",
    "date_format",
    "date_sub",
    "datediff",
    "dayname",
    "dayofweek",
    "dayofyear",
    "elt",
    "field",
    "find_in_set",
    "format",
    "from_unixtime",
    "greatest",
    "group_concat",
    "hex",
    "inet6_ntoa",
    "inet_aton",
    "inet_ntoa",
    "insert",
    "is_ipv4",
    "is_ipv6",
    "is_uuid",
    "json_contains",
    "json_contains_path",
    "json_depth",
    "json_extract",
    "json_keys",
    "json_length",
    "json_objectagg",
    "json_quote",
    "json_type",
    "json_unquote",
    "last_day",
    "least",
    "lengthb",
    "ln",
    "localtime",
    "localtimestamp",
    "log",
    "log10",
    "log2",
    "lpad",
    "microsecond",
    "mod",
    "monthname",
    "now",
    "nth_value",
    "nvl2",
    "oct",
    "ord",
    "pi",
    "quote",
    "repeat",
    "replace",
    "rpad",
    "sec_to_time",
    "sha",
    "sha2",
    "soundex",
    "sqrt",
    "str_to_date",
    "strcmp",
    "subdate",
    "substring_index",
    "sysdate",
    "time",
    "time_format",
    "time_to_sec",
    "timediff",
    "timestamp",
    "timestampadd",
    "timestampdiff",
    "to_base64",
    "to_days",
    "to_seconds",
    "unix_timestamp",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "week",
    "weekday",
    "weekofyear",
    "yearweek",
];

/// Those that compare texts with each other or put them together: bytes become texts for that.
const MYSQL_OF_TEXTS: [&str; 13] = [
    "field",
    "find_in_set",
    "insert",
    "instr",
    "locate",
    "lpad",
    "position",
    "quote",
    "replace",
    "rpad",
    "strcmp",
    "substring_index",
    "trim",
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

/// True if no value makes a call of this function fail where no row is written.
pub fn mysql_function_that_warns(name: &str) -> bool {
    MYSQL_WARNING.contains(&name)
}

/// True if MySQL makes all arguments of this function texts of one set of characters.
pub fn mysql_function_of_texts(name: &str) -> bool {
    MYSQL_OF_TEXTS.contains(&name)
}
