//! What masks let pass because it only warns, whatever the value: no value makes it fail at a server.

use std::collections::BTreeMap;

use crate::support::mysql::{Family, MySql};

/// Values that functions and casts don't expect.
const HOSTILE: &str = r#"
CREATE TABLE hostile (id int PRIMARY KEY AUTO_INCREMENT, t varchar(200), l longtext, n decimal(10, 2),
    u int unsigned, i int, s smallint, f double, d date, m datetime, h time, y year, e enum('a', 'b'), b varbinary(200),
    p decimal(30, 10), g bigint, c char(20) CHARACTER SET latin1, j json) DEFAULT CHARSET utf8mb4;
SET sql_mode = '';
INSERT INTO hostile (t, l, n, u, i, s, f, d, m, h, y, e, b, p, g, c, j) VALUES
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('', '', 0, 0, 0, 0, 0, '0000-00-00', '0000-00-00', '00:00:00', 0, 'a', '', 0, 0, '', '{}'),
    ('ada@example.com', 'x', 99999999.99, 4294967295, 2147483647, 32767, 1.7e308, '9999-12-31', '9999-12-31 23:59:59', '838:59:59', 2155, 'b', x'ff00', 99999999999999999999.9999999999, 9223372036854775807, 'ada', '{"a": "b", "c": {"d": [1, 2]}}'),
    ('1e999', '-1e999', -99999999.99, 1, -2147483648, -32768, -1.7e308, '2024-02-30', '2024-02-00', '-838:59:59', 1901, 'a', x'c3', -99999999999999999999.9999999999, -9223372036854775808, '99999999999999999999999', '[]'),
    ('"half', '{"a":', 1, 1, 1, 1, 4.9e-324, '0000-01-01', '0001-00-00', '00:00:01', 2000, 'a', 'text', 1, 1, '"', '"half"'),
    ('2024-13-45 99:99:99', '2024-01-01T00:00:00Z', 1, 1, 1, 1, 1, '2024-01-01', '2024-01-01', '1:1:1', 2024, 'a', '1', 1, 1, '\\', 'null'),
    ('99999999999999999999999999999999999999999999999999999999999999999999999999999', '☃𝄞', 1, 1, 1, 1, 1, '2024-01-01', '2024-01-01', '1:1:1', 2024, 'a', x'f09d849e', 1, 1, 'é', '123456789012345678901234567890'),
    ('(((', '%s%n%\\', 1, 1, 1, 1, 1, '2024-01-01', '2024-01-01', '1:1:1', 2024, 'a', '🎉', 1, 1, '🎉', '1.7e308'),
    ('𝄞𝄞☃', '-', 1, 1, 1, 1, 1, '2024-01-01', '2024-01-01', '1:1:1', 2024, 'a', '-', 1, 1, '-', '[[[[1]]]]'),
    ('-9223372036854775808', '0x41', -1, 1, -1, -1, -1, '1000-01-01', '1000-01-01', '-1:1:1', 1999, 'a', '-', -1, -1, '0', 'true');
"#;

/// `{}` is every column; `~` all but bytes; `@` only those of texts; `#` only whole and decimal numbers of up to 32 bits or ten
/// digits with a sign.
const FORMS: &str = "
SUBSTRING_INDEX(~, '@', -1)
HEX({})
REPLACE(~, '@', '##')
SHA({}), SHA1({}), SHA2({}, 256), SHA2({}, 7), MD5({}), CRC32({})
ELT(1, {}), ELT({}, 'a', 'b')
FIELD(~, 'a', 'b'), FIELD('a', ~, 'b'), FIELD(~, 1, 2), FIND_IN_SET(~, 'a,b'), FIND_IN_SET('a', ~)
LPAD(~, 50, 'x'), RPAD(~, 9999, '.'), LPAD('x', 50, ~), REPEAT('xxxxxxxx', 9999), REPEAT('*', CHAR_LENGTH({}) - 4)
INSERT(~, 2, 3, '***'), INSERT('abc', ~, ~, 'x'), ASCII({}), ORD({}), TO_BASE64({}), QUOTE(~), SOUNDEX({}), BIN({}), OCT({})
STRCMP(~, 'a'), STRCMP('é', ~), FORMAT({}, 2), FORMAT({}, 2, 'de_DE'), FORMAT(1, {})
GROUP_CONCAT({}), GROUP_CONCAT({} SEPARATOR '; '), GROUP_CONCAT(t, {} ORDER BY id)
CONCAT({}, t), CONCAT_WS({}, t, c), UPPER({}), LOWER({}), TRIM(~), TRIM(~ FROM t), LTRIM(~), RTRIM(~), REVERSE({})
LEFT({}, 3), RIGHT({}, LENGTH({}) - 4), SUBSTR(~, 1, LOCATE('@', ~) - 1), MID({}, 2), LEFT(t, {}), SUBSTR(t, {}, {})
LOCATE('a', ~), LOCATE(~, t), INSTR(~, 'x'), POSITION('x' IN ~), CHAR_LENGTH({}), LENGTH({}) - 1000, BIT_LENGTH({})
COALESCE({}, 'none'), COALESCE({}, 0), IFNULL({}, 'x'), IF({}, 1, 0), NULLIF({}, ''), NULLIF({}, 0), NULLIF({}, DATE '2020-01-01')
CASE WHEN {} THEN 1 END, CASE {} WHEN 1 THEN 'a' WHEN 2 THEN 'b' END, CASE {} WHEN 'x' THEN 1 END
{} = 1, {} > 1.5, {} = 'x', {} < 'x', {} <=> 1, {} BETWEEN 1 AND 2, {} IN (1, 2), {} IN ('a', 'b'), {} LIKE 'a%', NOT {}, {} AND 1, {} XOR 1
{} = t, {} > n, {} < d, {} = m, {} <> j, {} = b, {} IS TRUE, {} > DATE '2020-01-01', {} < TIMESTAMP '2020-01-01 00:00:00'
CAST({} AS SIGNED), CAST({} AS UNSIGNED), CAST({} AS DECIMAL), CAST({} AS DECIMAL(10, 2)), CAST({} AS DECIMAL(65, 30))
CAST({} AS DATE), CAST({} AS DATETIME), CAST({} AS DATETIME(6)), CAST({} AS TIME), CAST({} AS BINARY), CAST({} AS BINARY(3))
CAST(@ AS CHAR), CAST(@ AS CHAR(3)), CONVERT(@, CHAR(3)), CONVERT(@ USING utf8mb4), CONVERT(@ USING latin1), CONVERT(@ USING ascii)
CONVERT(@ USING utf8mb3), CONVERT(@ USING utf16), CAST(@ AS CHAR CHARACTER SET latin1), CONVERT(@ USING sjis), CONVERT(@ USING gbk)
CAST(# AS CHAR), CAST(# AS CHAR(1)), CONVERT(#, CHAR)
DATE_FORMAT({}, '%Y-%m'), DATE_FORMAT({}, '%X %V %W %j %U %u %c %e %f'), DATE_FORMAT(NOW(), {}), TIME_FORMAT({}, '%H'), TIME_FORMAT('10:00:00', {}), DATEDIFF({}, NOW()), DATEDIFF('x', {})
TIMESTAMPDIFF(YEAR, {}, CURDATE()), TIMESTAMPDIFF(MICROSECOND, '0001-01-01', {}), TIMESTAMPADD(DAY, 1, {}), TIMESTAMPADD(YEAR, 99999, {})
DATE_ADD({}, INTERVAL 18 YEAR), DATE_SUB({}, INTERVAL 9999 YEAR), {} + INTERVAL 1 DAY, {} - INTERVAL 1 MONTH, ADDDATE({}, 31), SUBDATE({}, 31)
LAST_DAY({}), TO_DAYS({}), TO_SECONDS({}), DAYNAME({}), MONTHNAME({}), DAYOFWEEK({}), DAYOFYEAR({}), WEEKDAY({}), WEEK({}), WEEK({}, 3), WEEKOFYEAR({}), YEARWEEK({})
YEAR({}), MONTH({}), DAY({}), QUARTER({}), HOUR({}), MINUTE({}), SECOND({}), MICROSECOND({}), DATE({}), TIME({}), EXTRACT(YEAR FROM {}), EXTRACT(DAY_MICROSECOND FROM {})
UNIX_TIMESTAMP({}), FROM_UNIXTIME({}), FROM_UNIXTIME({}, '%Y'), STR_TO_DATE({}, '%d.%m.%Y'), STR_TO_DATE('1', {}), TIMESTAMP({}), TIME_TO_SEC({}), SEC_TO_TIME({}), TIMEDIFF({}, '10:00:00')
GREATEST({}, 'a'), LEAST({}, 'a'), GREATEST({}, 1), LEAST({}, t, n), GREATEST({}, d)
JSON_ARRAY({}), JSON_OBJECT('a', {}), JSON_QUOTE(@), JSON_VALID({})
JSON_ARRAYAGG({}), JSON_OBJECTAGG(id, {}), JSON_ARRAYAGG(JSON_OBJECT('id', id, 'x', {}))
JSON_EXTRACT(j, '$.a'), JSON_KEYS(j), JSON_KEYS(j, '$.c'), JSON_LENGTH(j), JSON_LENGTH(j, '$.c'), JSON_TYPE(j), JSON_DEPTH(j), JSON_UNQUOTE(j), JSON_UNQUOTE(JSON_EXTRACT(j, '$.a')), JSON_CONTAINS(j, '1'), JSON_CONTAINS(j, '1', '$.a'), JSON_CONTAINS_PATH(j, 'one', '$.a')
JSON_EXTRACT(j, '$**.d', '$[0 to 2]')
LN({}), LOG({}), LOG10({}), LOG2({}), SQRT({}), SIGN({}), LOG(2, {}), LOG({}, 2)
ROUND({}), ROUND({}, 2), TRUNCATE({}, 1), CEIL({}), FLOOR({})
SUM({}), AVG({}), MIN({}), MAX({}), COUNT({}), BIT_COUNT({})
STDDEV(#), STDDEV_SAMP(#), VARIANCE(#), VAR_SAMP(#), STD(# * 100)
SUM(IF({} = 1, 1e308, 1e308)), AVG(IF({} = 1, 1.7e308, 1.7e308)), SUM({} LIKE 'a%')
SUM(IF({} = 1, 99999999999999999999999999999999999999999999999999999999999999999, 99999999999999999999999999999999999999999999999999999999999999999))
LAG({}) OVER (ORDER BY id), LEAD({}, 2) OVER (ORDER BY id), FIRST_VALUE({}) OVER (ORDER BY id), NTH_VALUE({}, 2) OVER (ORDER BY id), SUM({}) OVER (ORDER BY id), AVG({}) OVER (PARTITION BY id), COUNT({}) OVER ()
INET_NTOA({}), INET6_NTOA({}), INET_ATON({}), IS_IPV4({}), IS_IPV6({})
# * 12, # / 12, # + 1000, # - 1000, -#, # * 1.19, # / 0, # DIV 100, # % 7, MOD(#, 0), # DIV 0, ABS(#), ROUND(# * 100 / 7, 2), 99999999 * # * 1.5, 1 / #
SUM(# * 12), AVG(# / 12), SUM(IF(e = 'a', #, 0)) / COUNT(*) * 100, ROUND(AVG(#) * 1.2, 2), # * s, s * s * #
n * p, p * p, n / p, p * 1.5, p / 7, FLOOR(p * 100), -p, SUM(p * n), SUM(p) / SUM(n) * 100
u * 12, u + 1, u / 12, u % 7, SUM(u) + 1
YEAR(d) * 100 + MONTH(d), TIMESTAMPDIFF(DAY, d, m) / 365.25, DATEDIFF(d, m) * 24, LENGTH(t) * 100 - 5000, COUNT(*) * 100 - 5, d + 0, d - 1, CHAR_LENGTH(t) - LOCATE('@', t) - 9999
t || 'x', NVL2(t, 'a', 'b'), LENGTHB(t)
";

const COLUMNS: [&str; 17] =
    ["t", "l", "n", "u", "i", "s", "f", "d", "m", "h", "y", "e", "b", "p", "g", "c", "j"];

/// The items of a line, cut at commas outside of parentheses and strings.
fn items(line: &str) -> Vec<String> {
    let (mut items, mut item, mut depth, mut quoted) = (Vec::new(), String::new(), 0, false);
    for letter in line.chars() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                items.push(std::mem::take(&mut item).trim().to_owned());
                continue;
            }
            _ => {}
        }
        item.push(letter);
    }
    items.push(item.trim().to_owned());
    items
}

#[test]
fn what_only_warns_fails_for_no_value() {
    for family in Family::ALL {
        let server = MySql::start(family);
        server.sql(HOSTILE);
        server.sql("CREATE TABLE empty_one LIKE hostile");
        let mut texts = Vec::new();
        for item in FORMS.lines().filter(|line| !line.is_empty()).flat_map(items) {
            let (holes, columns): (_, &[&str]) = if item.contains("{}") {
                ("{}", &COLUMNS)
            } else if item.contains('~') {
                (
                    "~",
                    &[
                        "t", "l", "n", "u", "i", "s", "f", "d", "m", "h", "y", "e", "p", "g", "c",
                        "j",
                    ],
                )
            } else if item.contains('@') && !item.contains("'@'") {
                ("@", &["t", "l", "c"])
            } else {
                ("#", &["n", "i", "s"])
            };
            texts.extend(columns.iter().map(|column| item.replace(holes, column)));
        }
        // Both as these servers come, and as strict as they can be.
        for mode in ["DEFAULT", "'TRADITIONAL,ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH'", "''"] {
            // What fails over no rows at all doesn't fail by a value.
            let of_none = failing(&server, mode, &texts, "empty_one");
            let of_all = failing(&server, mode, &texts, "hostile");
            assert!(of_none.len() < 120, "{family:?} {mode}\n{of_none:?}");
            let failed: Vec<_> =
                of_all.iter().filter(|(at, _)| !of_none.contains_key(at)).collect();
            assert!(failed.is_empty(), "{family:?} {mode}\n{failed:#?}");
        }
        let fails = ["1e300 * f".to_owned(), "g * 3".to_owned()];
        assert_eq!(failing(&server, "DEFAULT", &fails, "hostile").len(), 2, "{family:?}");
    }
}

/// Which texts fail over the rows of a table, and how.
fn failing(server: &MySql, mode: &str, texts: &[String], table: &str) -> BTreeMap<usize, String> {
    let queries = texts.iter().map(|text| format!("SELECT {text} FROM {table};\n"));
    let script = format!("SET sql_mode = {mode};\n{}", queries.collect::<String>());
    let told = server.client(script.as_bytes(), &["--force", "--batch"]);
    assert!(!String::from_utf8_lossy(&told.stdout).contains("Usage:"), "it ran nothing");
    let errors = String::from_utf8_lossy(&told.stderr);
    let of = errors.lines().filter(|line| line.starts_with("ERROR")).map(|line| {
        let at = line.split("at line ").nth(1).and_then(|l| l.split(':').next());
        let at: usize = at.and_then(|n| n.parse().ok()).expect("a line");
        (at - 2, format!("{line} in {}", texts[at - 2]))
    });
    of.collect()
}
