//! Patterns of names in rules: targets, columns, and what is said of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name a Postgres server keeps, in bytes; it cuts longer ones without a word.
pub const NAME_BYTES_MAX: usize = 63;
/// The most bytes of any other pattern.
pub const PATTERN_BYTES_MAX: usize = 256;

/// A text that is no pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PatternError {
    /// Not three parts.
    #[error(
        "a column is written schema.table.column, each part a name, * or a name with * in it, \
         as in public.customers.email, *.*.ssn or *.*.\"Tax No\""
    )]
    Parts,
    /// A part that is no identifier.
    #[error(
        "a name without quotes begins with a letter or _ and goes on with letters, digits, _ and $; \
         every other stands in double quotes, quotes inside doubled"
    )]
    Name,
    /// A name that the server would cut.
    #[error(
        "a name has at most {NAME_BYTES_MAX} bytes: the server cuts longer ones, so that none is called so"
    )]
    LongName,
    /// An empty pattern, or one that is too long.
    #[error("a pattern has 1 to {PATTERN_BYTES_MAX} bytes, of which * stands for any")]
    Text,
}

/// A pattern of texts: `*` stands for any characters, none among them. Case counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TextPattern(Box<str>);

impl TextPattern {
    /// Reads one.
    ///
    /// # Errors
    /// Nothing in it, or more than [`PATTERN_BYTES_MAX`] bytes.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let fits = (1..=PATTERN_BYTES_MAX).contains(&text.len());
        if fits { Ok(Self(text.into())) } else { Err(PatternError::Text) }
    }

    /// True if the whole text is as the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        glob(self.0.as_bytes(), text.as_bytes(), u8::eq)
    }

    /// As [`TextPattern::matches`], ASCII letters of either case alike.
    pub fn matches_any_case(&self, text: &str) -> bool {
        glob(self.0.as_bytes(), text.as_bytes(), u8::eq_ignore_ascii_case)
    }
}

impl fmt::Display for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A column by the names of its schema, its table and itself: `public.customers.email`, `*.*.ssn`,
/// `*.*_archive."E-mail"`.
///
/// Names are read as Postgres reads them: without quotes ASCII letters become small, in quotes
/// everything stays, `*` too. Without quotes `*` stands for any characters.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ColumnPattern {
    schema: NamePattern,
    table: NamePattern,
    column: NamePattern,
}

impl ColumnPattern {
    /// Reads one.
    ///
    /// # Errors
    /// What isn't three names or patterns of names with a dot between, without blanks around.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (schema, rest) = NamePattern::first(text)?;
        let (table, rest) = NamePattern::first(rest.strip_prefix('.').ok_or(PatternError::Parts)?)?;
        let (column, rest) =
            NamePattern::first(rest.strip_prefix('.').ok_or(PatternError::Parts)?)?;
        if !rest.is_empty() {
            return Err(if rest.starts_with('.') {
                PatternError::Parts
            } else {
                PatternError::Name
            });
        }
        Ok(Self { schema, table, column })
    }

    /// True if a column of these names is meant. Names are as the catalog has them.
    pub fn matches(&self, schema: &str, table: &str, column: &str) -> bool {
        self.schema.matches(schema) && self.table.matches(table) && self.column.matches(column)
    }
}

impl fmt::Display for ColumnPattern {
    /// As it is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.schema, self.table, self.column)
    }
}

macro_rules! text_form {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = PatternError;

            fn try_from(text: String) -> Result<Self, PatternError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(pattern: $name) -> Self {
                pattern.to_string()
            }
        }
    )*};
}

text_form!(TextPattern, ColumnPattern);

/// One part of a [`ColumnPattern`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum NamePattern {
    /// This name.
    Name(Box<str>),
    /// Any name of this form, in small letters, with `*` for any characters.
    Like(Box<str>),
}

impl NamePattern {
    /// The first part of the text, and what is behind.
    fn first(text: &str) -> Result<(Self, &str), PatternError> {
        if let Some(quoted) = text.strip_prefix('"') {
            return Self::quoted(quoted);
        }
        let end = text.find(|c: char| !(is_inside(c) || c == '*')).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end).ok_or(PatternError::Name)?;
        match name.chars().next() {
            None if text.is_empty() || text.starts_with('.') => return Err(PatternError::Parts),
            None => return Err(PatternError::Name),
            Some(first) if !(first == '*' || is_first(first)) => return Err(PatternError::Name),
            Some(_) => {}
        }
        // Spec: the server folds ASCII letters only, in any encoding of several bytes.
        let name = name.to_ascii_lowercase();
        if name.len() > NAME_BYTES_MAX {
            return Err(PatternError::LongName);
        }
        let name = name.into_boxed_str();
        Ok((if name.contains('*') { Self::Like(name) } else { Self::Name(name) }, rest))
    }

    fn quoted(text: &str) -> Result<(Self, &str), PatternError> {
        let mut name = String::new();
        let mut rest = text;
        let rest = loop {
            let (part, behind) = rest.split_once('"').ok_or(PatternError::Name)?;
            name.push_str(part);
            match behind.strip_prefix('"') {
                Some(more) => {
                    name.push('"');
                    rest = more;
                }
                None => break behind,
            }
        };
        if name.is_empty() || name.contains('\0') {
            return Err(PatternError::Name);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(PatternError::LongName);
        }
        Ok((Self::Name(name.into()), rest))
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(wanted) => **wanted == *name,
            Self::Like(pattern) => glob(pattern.as_bytes(), name.as_bytes(), u8::eq),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Like(pattern) => f.write_str(pattern),
            Self::Name(name) if is_plain(name) => f.write_str(name),
            Self::Name(name) => write!(f, "\"{}\"", name.replace('"', "\"\"")),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(is_first)
        && characters.all(is_inside)
        && !name.bytes().any(|byte| byte.is_ascii_uppercase())
}

// Spec: ident_start and ident_cont of the server's scanner; everything beyond ASCII is a letter.
fn is_first(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn is_inside(c: char) -> bool {
    is_first(c) || c.is_ascii_digit() || c == '$'
}

/// Matches with `*` for any bytes. In UTF-8 no character's bytes are found inside another's, so that
/// bytes are as good as characters. Linear in the text for each `*`, never more than the product.
fn glob(pattern: &[u8], text: &[u8], same: fn(&u8, &u8) -> bool) -> bool {
    let (mut at, mut from) = (0_usize, 0_usize);
    // Where to go on if what follows the last `*` doesn't fit.
    let mut again: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at), text.get(from)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                at = at.saturating_add(1);
                again = Some((at, from));
            }
            (Some(wanted), Some(byte)) if same(wanted, byte) => {
                at = at.saturating_add(1);
                from = from.saturating_add(1);
            }
            (Some(_), None) => return false,
            (Some(_) | None, Some(_)) => {
                let Some((behind, start)) = again else { return false };
                at = behind;
                from = start.saturating_add(1);
                again = Some((behind, from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, schema: &str, table: &str, column: &str) -> bool {
        ColumnPattern::parse(pattern).expect(pattern).matches(schema, table, column)
    }

    #[test]
    fn names_are_read_as_the_server_reads_them() {
        assert!(matches("public.customers.email", "public", "customers", "email"));
        assert!(matches("Public.CUSTOMERS.Email", "public", "customers", "email"));
        assert!(!matches("public.customers.\"Email\"", "public", "customers", "email"));
        assert!(matches("public.customers.\"Email\"", "public", "customers", "Email"));
        assert!(matches("public.t.\"a.b \"\"c\"\"\"", "public", "t", "a.b \"c\""));
        // Letters beyond ASCII aren't folded.
        assert!(matches("public.t.GRÖSSE", "public", "t", "grÖsse"));
        assert!(!matches("public.t.GRÖSSE", "public", "t", "größe"));
    }

    #[test]
    fn a_star_is_any_name_or_any_part_of_one() {
        assert!(matches("*.*.ssn", "hr", "people", "ssn"));
        assert!(!matches("*.*.ssn", "hr", "people", "ssn2"));
        assert!(matches("*.*_archive.*e*mail", "a", "mails_archive", "customer_email"));
        assert!(!matches("*.*_archive.x", "a", "archive", "x"));
        // In quotes it is a name.
        assert!(!matches("*.*.\"*\"", "a", "b", "c"));
        assert!(matches("*.*.\"*\"", "a", "b", "*"));
    }

    #[test]
    fn what_no_column_can_be_called_is_refused() {
        for (text, error) in [
            ("", PatternError::Parts),
            ("email", PatternError::Parts),
            ("customers.email", PatternError::Parts),
            ("a.b.c.d", PatternError::Parts),
            ("a..c", PatternError::Parts),
            ("a.b.", PatternError::Parts),
            ("a.b.1c", PatternError::Name),
            ("a.b.c d", PatternError::Name),
            ("a. b.c", PatternError::Name),
            ("a.b.\"\"", PatternError::Name),
            ("a.b.\"c", PatternError::Name),
            ("a.b.c\"d\"", PatternError::Name),
            ("a.b.\"c\"d", PatternError::Name),
            ("a.b.c-d", PatternError::Name),
        ] {
            assert_eq!(ColumnPattern::parse(text), Err(error), "{text}");
        }
        let long = format!("a.b.{}", "c".repeat(64));
        assert_eq!(ColumnPattern::parse(&long), Err(PatternError::LongName));
        // A prefix makes no other quotes: U&"…" isn't read.
        assert!(ColumnPattern::parse("a.b.U&\"c\"").is_err());
    }

    #[test]
    fn texts_match_whole() {
        let matches =
            |pattern: &str, text| TextPattern::parse(pattern).expect("fits").matches(text);
        assert!(matches("*", "") && matches("shop*", "shop-prod") && matches("*a*b*", "xaxbx"));
        assert!(!matches("shop", "shop-prod") && !matches("*prod", "prod2"));
        assert!(matches("*aab", "aaab"));
        assert!(TextPattern::parse("*PII*").expect("fits").matches_any_case("is pii, really"));
        assert_eq!(TextPattern::parse(""), Err(PatternError::Text));
    }

    proptest! {
        #[test]
        fn a_pattern_prints_as_it_is_read(text in r#"[a-cA-C*."_$1ä ]{1,12}"#) {
            if let Ok(pattern) = ColumnPattern::parse(&text) {
                prop_assert_eq!(ColumnPattern::parse(&pattern.to_string()), Ok(pattern));
            }
        }

        #[test]
        fn stars_match_as_a_slow_matcher_says(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            fn slow(pattern: &[u8], text: &[u8]) -> bool {
                match pattern {
                    [] => text.is_empty(),
                    [b'*', rest @ ..] => (0..=text.len()).any(|at| slow(rest, &text[at..])),
                    [first, rest @ ..] => text.first() == Some(first) && slow(rest, &text[1..]),
                }
            }
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(glob(pattern, text, u8::eq), slow(pattern, text));
        }
    }
}
