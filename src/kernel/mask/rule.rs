//! Rules: which columns of which targets are sensitive, how they are masked, and what may be asked of
//! them. The first rule that means a column holds for it.

use serde::{Deserialize, Serialize};

use super::{
    algorithm::{Algorithm, AlgorithmError},
    kind::{ColumnType, Kind},
    pattern::{ColumnPattern, PatternError, TextPattern},
    plan::Nulls,
};

/// Texts declared shorter than this are codes that few questions find out: countries, PINs, postcodes.
pub const SHORT_CODE_CHARACTERS: u32 = 10;

/// One rule, as an operator writes it.
///
/// As TOML or JSON it is `target`, one of `column`, `type`, `comment` and `tag`, `with`, and where wanted
/// `predicates` and `mask_null`. Fields of other names are refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Rule {
    /// Names of targets.
    pub target: TextPattern,
    /// Which of their columns.
    pub columns: Selector,
    /// How they are masked.
    pub with: Algorithm,
    /// What may be asked of them; `None`: as [`Predicates::of`] the column's type.
    pub predicates: Option<Predicates>,
    /// What becomes of NULL.
    pub nulls: Nulls,
}

/// How a rule means columns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selector {
    /// By name.
    Column(ColumnPattern),
    /// By the type's name without length and brackets, with its schema or without: `email_address`,
    /// `app.*`, `varchar` as well as `character varying`. ASCII letters of either case are alike.
    Type(TextPattern),
    /// By the column's comment, of which the pattern is the whole: `*personal*`. ASCII letters of
    /// either case are alike.
    Comment(TextPattern),
    /// By a tag, of which the pattern is the whole: one of the [`tags`] in the column's comment. ASCII
    /// letters of either case are alike.
    Tag(TextPattern),
}

/// What clients without `unmask` may ask of a masked column in conditions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Predicates {
    /// Anything.
    Allow,
    /// Nothing.
    Deny,
    /// Whether it is one of a few constants, so that somebody can be looked up by what is known of them.
    Equality,
}

impl Predicates {
    /// What holds where a rule doesn't say: equality for texts and UUIDs, nothing for what few questions
    /// find out: numbers, dates, truth values, labels, and texts declared shorter than
    /// [`SHORT_CODE_CHARACTERS`]. `length` is the declared length in characters, if there is one.
    pub fn of(column: ColumnType, length: Option<u32>) -> Self {
        let is_code = length.is_some_and(|length| length < SHORT_CODE_CHARACTERS);
        match column {
            ColumnType::One(Kind::Text | Kind::Padded) if !is_code => Self::Equality,
            ColumnType::One(Kind::Uuid) => Self::Equality,
            ColumnType::One(_) | ColumnType::Array(_) => Self::Deny,
        }
    }
}

/// What rules go by: one column as the catalog knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ColumnFacts<'a> {
    /// The schema's name.
    pub schema: &'a str,
    /// The table's name.
    pub table: &'a str,
    /// The column's own name.
    pub column: &'a str,
    /// The type's name as `format_type` prints it: `character varying(20)`, `text[]`.
    pub type_name: &'a str,
    /// The column's comment, if it has one.
    pub comment: Option<&'a str>,
}

impl Rule {
    /// True if the rule holds for this column of this target.
    pub fn means(&self, target: &str, column: &ColumnFacts<'_>) -> bool {
        self.target.matches(target)
            && match &self.columns {
                Selector::Column(pattern) => {
                    pattern.matches(column.schema, column.table, column.column)
                }
                Selector::Type(pattern) => is_called(&bare_type(column.type_name), pattern),
                Selector::Comment(pattern) => {
                    column.comment.is_some_and(|text| pattern.matches_any_case(text))
                }
                Selector::Tag(pattern) => column
                    .comment
                    .is_some_and(|text| tags(text).any(|t| pattern.matches_any_case(t))),
            }
    }

    /// True if the rule goes by what the column's comment says: who changes that changes what is masked.
    pub fn is_by_comment(&self) -> bool {
        matches!(self.columns, Selector::Comment(_) | Selector::Tag(_))
    }
}

/// What a tag in a comment begins with.
const TAG: &str = "hallpass:";

/// The tags in a column's comment: `pii` and `gdpr-9` in `where we write; hallpass:pii hallpass:gdpr-9`.
/// A tag goes on as long as there are letters, digits, `_`, `-`, `.` and `:`; it ends with none of the
/// last two.
pub fn tags(comment: &str) -> impl Iterator<Item = &str> {
    let is_of_tag = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let words = comment.split(move |c| !is_of_tag(c));
    let tag = |word: &'_ str| {
        let (begin, tag) = word.split_at_checked(TAG.len())?;
        let tag = tag.trim_end_matches(['.', ':']);
        (begin.eq_ignore_ascii_case(TAG) && !tag.is_empty()).then_some(tag.len())
    };
    words.filter_map(move |word| {
        let length = tag(word)?;
        word.get(TAG.len()..TAG.len().saturating_add(length))
    })
}

/// True if the pattern means a type of that name: by one of the names that people know it by.
fn is_called(name: &str, pattern: &TextPattern) -> bool {
    // A type of the server's own is printed without a schema, and by the standard's words.
    let mut quoted = false;
    let dot = name.char_indices().filter(|(_, c)| {
        quoted ^= *c == '"';
        *c == '.' && !quoted
    });
    let without_schema = dot.last().and_then(|(at, _)| name.get(at.saturating_add(1)..));
    let without_schema = without_schema.unwrap_or(name).trim_matches('"').replace("\"\"", "\"");
    let others = OTHER_NAMES.iter().filter(|(own, _)| *own == name).map(|(_, other)| *other);
    [name, &without_schema].into_iter().chain(others).any(|name| pattern.matches_any_case(name))
}

/// What `format_type` calls a type, and what else it may be called where tables are made.
const OTHER_NAMES: [(&str, &str); 17] = [
    ("character varying", "varchar"),
    ("character", "char"),
    ("character", "bpchar"),
    ("smallint", "int2"),
    ("integer", "int"),
    ("integer", "int4"),
    ("bigint", "int8"),
    ("numeric", "decimal"),
    ("real", "float4"),
    ("double precision", "float8"),
    ("boolean", "bool"),
    ("bit varying", "varbit"),
    ("timestamp without time zone", "timestamp"),
    ("timestamp with time zone", "timestamptz"),
    ("time without time zone", "time"),
    ("time with time zone", "timetz"),
    ("double precision", "float"),
];

/// `character varying(20)[]` as `character varying`; of `timestamp(3) with time zone` the length only.
fn bare_type(name: &str) -> std::borrow::Cow<'_, str> {
    let name = name.trim_end_matches("[]");
    match (name.find('('), name.rfind(')')) {
        (Some(open), Some(close)) if open < close && !name.contains('"') => {
            let (before, after) = (name.get(..open), name.get(close.saturating_add(1)..));
            let parts = [before.unwrap_or_default(), after.unwrap_or_default()];
            parts.concat().into()
        }
        _ => name.into(),
    }
}

/// All rules of one version, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    /// Counted up with every change; 0 before the first.
    pub version: u64,
    /// The first that means a column holds.
    pub list: Vec<Rule>,
}

impl Rules {
    /// The rule for a column, with its place in the list.
    pub fn first<'r>(
        &'r self,
        target: &str,
        column: &ColumnFacts<'_>,
    ) -> Option<(usize, &'r Rule)> {
        self.list.iter().enumerate().find(|(_, rule)| rule.means(target, column))
    }

    /// True if some rule may hold for a column. `of_users_type`: its type isn't the server's own, and nobody
    /// knows all the names that it goes by.
    pub fn may_mean(&self, target: &str, column: &ColumnFacts<'_>, of_users_type: bool) -> bool {
        self.list.iter().any(|rule| {
            let by_type = of_users_type && matches!(rule.columns, Selector::Type(_));
            rule.means(target, column) || by_type && rule.target.matches(target)
        })
    }

    /// True if a rule means columns of this target by their type.
    pub fn go_by_types(&self, target: &str) -> bool {
        let by_type = |rule: &Rule| matches!(rule.columns, Selector::Type(_));
        self.list.iter().any(|rule| by_type(rule) && rule.target.matches(target))
    }

    /// True if a rule can hold on this target at all.
    pub fn concern(&self, target: &str) -> bool {
        self.list.iter().any(|rule| rule.target.matches(target))
    }
}

/// A rule that can't be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RuleError {
    /// None of the ways to mean columns, or several.
    #[error("a rule has one of column, type, comment and tag")]
    Selector,
    /// The target's pattern.
    #[error("target: {0}")]
    Target(#[source] PatternError),
    /// The columns' pattern.
    #[error("{field}: {error}")]
    Pattern {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        #[source]
        error: PatternError,
    },
    /// The algorithm.
    #[error("with: {0}")]
    With(#[from] AlgorithmError),
}

/// A rule's fields, as they are written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// [`Rule::target`].
    pub target: String,
    /// [`Selector::Column`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// [`Selector::Type`].
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// [`Selector::Comment`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// [`Selector::Tag`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// [`Rule::with`].
    pub with: String,
    /// [`Rule::predicates`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicates: Option<Predicates>,
    /// [`Nulls::Hidden`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mask_null: bool,
}

impl TryFrom<Form> for Rule {
    type Error = RuleError;

    fn try_from(form: Form) -> Result<Self, RuleError> {
        let text = |field, text: &str| {
            TextPattern::parse(text).map_err(|error| RuleError::Pattern { field, error })
        };
        let columns = match (&form.column, &form.type_name, &form.comment, &form.tag) {
            (Some(column), None, None, None) => {
                let parsed = ColumnPattern::parse(column);
                Selector::Column(
                    parsed.map_err(|error| RuleError::Pattern { field: "column", error })?,
                )
            }
            (None, Some(name), None, None) => Selector::Type(text("type", name)?),
            (None, None, Some(comment), None) => Selector::Comment(text("comment", comment)?),
            (None, None, None, Some(tag)) => Selector::Tag(text("tag", tag)?),
            (_, _, _, _) => return Err(RuleError::Selector),
        };
        Ok(Self {
            target: TextPattern::parse(&form.target).map_err(RuleError::Target)?,
            columns,
            with: form.with.parse()?,
            predicates: form.predicates,
            nulls: if form.mask_null { Nulls::Hidden } else { Nulls::Stay },
        })
    }
}

impl From<Rule> for Form {
    fn from(rule: Rule) -> Self {
        let mut form = Self {
            target: rule.target.to_string(),
            with: rule.with.to_string(),
            predicates: rule.predicates,
            mask_null: rule.nulls == Nulls::Hidden,
            ..Self::default()
        };
        match rule.columns {
            Selector::Column(pattern) => form.column = Some(pattern.to_string()),
            Selector::Type(pattern) => form.type_name = Some(pattern.to_string()),
            Selector::Comment(pattern) => form.comment = Some(pattern.to_string()),
            Selector::Tag(pattern) => form.tag = Some(pattern.to_string()),
        }
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Rule {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    fn told(json: &str) -> String {
        serde_json::from_str::<Rule>(json).expect_err(json).to_string()
    }

    const EMAIL: ColumnFacts<'_> = ColumnFacts {
        schema: "public",
        table: "customers",
        column: "email",
        type_name: "character varying(80)",
        comment: Some("where we write; PERSONAL, hallpass:pii (HALLPASS:gdpr:contact). hallpass:"),
    };

    #[test]
    fn the_first_rule_that_means_a_column_holds() {
        let rules = Rules {
            version: 7,
            list: vec![
                rule(r#"{"target":"other","column":"*.*.*","with":"null"}"#),
                rule(r#"{"target":"shop*","column":"public.customers.email","with":"email"}"#),
                rule(r#"{"target":"*","column":"*.*.*","with":"full"}"#),
            ],
        };
        let first = |target| rules.first(target, &EMAIL).map(|(at, rule)| (at, rule.with.name()));
        assert_eq!(first("shop-prod"), Some((1, "email")));
        assert_eq!(first("other"), Some((0, "null")));
        assert_eq!(first("third"), Some((2, "full")));
        assert!(rules.concern("third"));
        assert!(!Rules::default().concern("shop"));
    }

    #[test]
    fn columns_are_meant_by_name_type_comment_or_tag() {
        for (selector, means) in [
            (r#""column":"*.*.email""#, true),
            (r#""column":"*.*.mail""#, false),
            (r#""type":"character varying""#, true),
            (r#""type":"CHARACTER*""#, true),
            (r#""type":"varchar""#, true),
            (r#""type":"text""#, false),
            (r#""comment":"*personal*""#, true),
            (r#""comment":"personal""#, false),
            (r#""tag":"pii""#, true),
            (r#""tag":"gdpr:*""#, true),
            (r#""tag":"PII""#, true),
            (r#""tag":"gdpr:contact""#, true),
            (r#""tag":"contact""#, false),
            (r#""tag":"hallpass:pii""#, false),
        ] {
            let rule = rule(&format!(r#"{{"target":"*",{selector},"with":"full"}}"#));
            assert_eq!(rule.means("shop", &EMAIL), means, "{selector}");
        }
        for (name, pattern, means) in [
            ("public.citext", "citext", true),
            ("public.citext[]", "citext", true),
            ("public.citext", "app.citext", false),
            ("app.email", "app.*", true),
            ("app.email", "mail", false),
            ("app.\"E-Mail\"", "e-mail", true),
            ("app.\"odd.name\"", "odd.name", true),
            ("\"App.2\".email", "email", true),
            ("timestamp(3) with time zone", "timestamptz", true),
            ("integer[]", "int", true),
            ("bigint", "int", false),
        ] {
            let rule = rule(&format!(r#"{{"target":"*","type":"{pattern}","with":"full"}}"#));
            let column = ColumnFacts { type_name: name, ..EMAIL };
            assert_eq!(rule.means("shop", &column), means, "{name} {pattern}");
        }
        assert_eq!(tags("none; hallpass: x:hallpass:no").count(), 0);
        assert_eq!(bare_type("timestamp(3) with time zone"), "timestamp with time zone");
        assert_eq!(bare_type("numeric(10,2)[]"), "numeric");
        assert_eq!(bare_type("app.\"odd(1)\""), "app.\"odd(1)\"");
    }

    #[test]
    fn a_rule_is_written_as_it_was_read() {
        for json in [
            r#"{"target":"shop","column":"public.customers.email","with":"email"}"#,
            r#"{"target":"*","type":"citext","with":"inner(0, 4)","predicates":"deny"}"#,
            r#"{"target":"*","tag":"pii","with":"full","predicates":"equality","mask_null":true}"#,
        ] {
            assert_eq!(serde_json::to_string(&rule(json)).expect("writes"), json);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_field() {
        for (json, part) in [
            (r#"{"target":"s","with":"full"}"#, "one of column, type, comment and tag"),
            (r#"{"target":"s","column":"*.*.a","tag":"x","with":"full"}"#, "one of"),
            (r#"{"target":"","tag":"x","with":"full"}"#, "target: a pattern"),
            (r#"{"target":"s","column":"a.b","with":"full"}"#, "column: a column is written"),
            (r#"{"target":"s","tag":"","with":"full"}"#, "tag: a pattern"),
            (r#"{"target":"s","tag":"x","with":"md5"}"#, "with: there is no mask algorithm `md5`"),
            (r#"{"target":"s","tag":"x","with":"full","masked":1}"#, "unknown field `masked`"),
            (r#"{"target":"s","tag":"x","with":"full","predicates":"some"}"#, "unknown variant"),
        ] {
            let told = told(json);
            assert!(told.contains(part), "{json}: {told}");
        }
    }

    #[test]
    fn what_few_questions_find_out_may_not_be_asked() {
        let of = |kind| Predicates::of(ColumnType::One(kind), None);
        assert_eq!(of(Kind::Text), Predicates::Equality);
        assert_eq!(of(Kind::Uuid), Predicates::Equality);
        for kind in [Kind::Date, Kind::Decimal, Kind::Boolean, Kind::Enumeration, Kind::Unknown] {
            assert_eq!(of(kind), Predicates::Deny);
        }
        assert_eq!(Predicates::of(ColumnType::TEXT, Some(5)), Predicates::Deny);
        assert_eq!(Predicates::of(ColumnType::TEXT, Some(80)), Predicates::Equality);
        assert_eq!(Predicates::of(ColumnType::Array(Kind::Text), None), Predicates::Deny);
    }
}
