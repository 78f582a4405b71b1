//! Reading algorithms as they are written in rules.

use std::str::FromStr;

use super::{
    Algorithm, AlgorithmError, Ends, JsonPart, PARTS_MAX, SHIFT_DAYS_MAX, SUBSTITUTION_BYTES_MAX,
    Slice, TEXT_BYTES_MAX, Unit,
};
use crate::kernel::mask::{decimal::Decimal, path::Path};

/// Each name with its form, for errors and help.
pub const FORMS: [(&str, &str); 14] = [
    ("null", "null"),
    ("full", "full or full(\"TEXT\")"),
    ("fixed", "fixed(\"VALUE\")"),
    ("partial", "partial"),
    ("range", "range(START, END, \"TEXT\", …)"),
    ("inner", "inner(PREFIX, SUFFIX) or inner(PREFIX, SUFFIX, \"CHARACTER\")"),
    ("outer", "outer(PREFIX, SUFFIX) or outer(PREFIX, SUFFIX, \"CHARACTER\")"),
    ("email", "email"),
    ("card", "card"),
    ("hash", "hash"),
    ("bucket", "bucket(WIDTH)"),
    ("truncate", "truncate(year|quarter|month|week|day|hour|minute)"),
    ("shift", "shift(DAYS)"),
    ("json", "json($.PATH, ALGORITHM, …)"),
];

impl FromStr for Algorithm {
    type Err = AlgorithmError;

    /// Reads one. Blanks around arguments are allowed; names are in lower case. Two names of other
    /// products are read as what they are here: `keep-first-n-last-m(2, 2)` as `inner(2, 2)` and
    /// `mask-first-n-last-m(2, 2)` as `outer(2, 2)`.
    fn from_str(text: &str) -> Result<Self, AlgorithmError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(AlgorithmError::Shape { why: "it is too long" });
        }
        read(text, Nesting::Outermost)
    }
}

/// `json` takes algorithms that aren't `json`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Outermost,
    InsideJson,
}

fn read(text: &str, nesting: Nesting) -> Result<Algorithm, AlgorithmError> {
    let text = text.trim();
    let (name, inside) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => {
            let inside = rest.strip_suffix(')');
            (
                name.trim_end(),
                Some(inside.ok_or(AlgorithmError::Shape { why: "it ends without )" })?),
            )
        }
    };
    let name = match name {
        "keep-first-n-last-m" => "inner",
        "mask-first-n-last-m" => "outer",
        other => other,
    };
    let Some((name, form)) = FORMS.iter().find(|(known, _)| *known == name) else {
        let name = name.chars().take(40).collect();
        return Err(AlgorithmError::Unknown { name });
    };
    let arguments = match inside {
        None => Vec::new(),
        Some(inside) => split(inside)?,
    };
    // `name()` is `name`: an empty text has to be written as one.
    let arguments = Arguments { form, list: arguments };
    with_arguments(name, &arguments, nesting)
}

fn with_arguments(
    name: &str,
    arguments: &Arguments<'_>,
    nesting: Nesting,
) -> Result<Algorithm, AlgorithmError> {
    match name {
        "null" => arguments.none(Algorithm::Null),
        "partial" => arguments.none(Algorithm::Partial),
        "email" => arguments.none(Algorithm::Email),
        "card" => arguments.none(Algorithm::Card),
        "hash" => arguments.none(Algorithm::Hash),
        "full" => match arguments.list[..] {
            [] => Ok(Algorithm::full()),
            [with] => Ok(Algorithm::Full { with: arguments.substitution(with)? }),
            _ => arguments.wrong("too many arguments"),
        },
        "fixed" => match arguments.list[..] {
            [value] => Ok(Algorithm::Fixed { value: arguments.text(value)? }),
            _ => arguments.wrong("it takes one value"),
        },
        "inner" => arguments.ends().map(Algorithm::Inner),
        "outer" => match arguments.ends()? {
            Ends { prefix: 0, suffix: 0, .. } => arguments.wrong("this would mask nothing"),
            ends => Ok(Algorithm::Outer(ends)),
        },
        "range" => arguments.slices(),
        "bucket" => match arguments.list[..] {
            [width] => match Decimal::parse(width).filter(|width| width.is_positive()) {
                Some(width) => Ok(Algorithm::Bucket { width }),
                None => arguments.wrong("the width is a number above 0"),
            },
            _ => arguments.wrong("it takes a width"),
        },
        "truncate" => match arguments.list[..] {
            [name] => match Unit::ALL.iter().find(|(_, known)| *known == name) {
                Some((unit, _)) => Ok(Algorithm::Truncate { unit: *unit }),
                None => arguments.wrong("there is no such unit"),
            },
            _ => arguments.wrong("it takes a unit"),
        },
        "shift" => match arguments.list[..] {
            [days] => match days.parse() {
                Ok(days @ 1..=SHIFT_DAYS_MAX) => Ok(Algorithm::Shift { days }),
                Ok(_) | Err(_) => {
                    arguments.wrong(&format!("the days are a number from 1 to {SHIFT_DAYS_MAX}"))
                }
            },
            _ => arguments.wrong("it takes a number of days"),
        },
        // All that is left in FORMS.
        _ if nesting == Nesting::InsideJson => {
            arguments.wrong("json takes algorithms that aren't json")
        }
        _ => arguments.json(),
    }
}

struct Arguments<'a> {
    form: &'static str,
    list: Vec<&'a str>,
}

impl Arguments<'_> {
    fn wrong<T>(&self, why: &str) -> Result<T, AlgorithmError> {
        Err(AlgorithmError::Arguments { why: why.to_owned(), form: self.form })
    }

    fn none(&self, algorithm: Algorithm) -> Result<Algorithm, AlgorithmError> {
        if self.list.is_empty() { Ok(algorithm) } else { self.wrong("it takes no arguments") }
    }

    /// A text, with or without quotes.
    fn text(&self, argument: &str) -> Result<Box<str>, AlgorithmError> {
        let Some(quote) = argument.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            if argument.is_empty() || argument.contains(['"', '\'', '(', ')', '\0']) {
                return self
                    .wrong("a text with quotes, parentheses or nothing in it stands in quotes");
            }
            return Ok(argument.into());
        };
        let inside = argument.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        let doubled = format!("{quote}{quote}");
        match inside {
            // No server takes a NUL in a value.
            Some(inside) if !inside.replace(&doubled, "").contains([quote, '\0']) => {
                Ok(inside.replace(&doubled, &quote.to_string()).into())
            }
            Some(_) | None => self.wrong("something stands behind a text's last quote"),
        }
    }

    fn substitution(&self, argument: &str) -> Result<Box<str>, AlgorithmError> {
        let text = self.text(argument)?;
        if text.len() > SUBSTITUTION_BYTES_MAX {
            return self.wrong(&format!("the text has more than {SUBSTITUTION_BYTES_MAX} bytes"));
        }
        Ok(text)
    }

    fn ends(&self) -> Result<Ends, AlgorithmError> {
        let (prefix, suffix, with) = match self.list[..] {
            [prefix, suffix] => (prefix, suffix, "*".into()),
            [prefix, suffix, with] => (prefix, suffix, self.substitution(with)?),
            _ => return self.wrong("it takes two numbers of characters"),
        };
        if with.is_empty() {
            return self.wrong("something must stand for a masked character");
        }
        match (prefix.parse(), suffix.parse()) {
            (Ok(prefix), Ok(suffix)) => Ok(Ends { prefix, suffix, with }),
            _ => self.wrong("the numbers of characters are from 0 to 65535"),
        }
    }

    fn slices(&self) -> Result<Algorithm, AlgorithmError> {
        let triples = self.list.chunks_exact(3);
        if self.list.is_empty() || !triples.remainder().is_empty() {
            return self.wrong("each slice has a start, an end and a text");
        }
        if triples.len() > PARTS_MAX {
            return self.wrong(&format!("there are more than {PARTS_MAX} slices"));
        }
        let mut slices = Vec::new();
        for triple in triples {
            let [start, end, with] = triple else { continue };
            let (Ok(start), Ok(end)) = (start.parse(), end.parse()) else {
                return self.wrong("starts and ends are whole numbers");
            };
            slices.push(Slice { start, end, with: self.substitution(with)? });
        }
        Ok(Algorithm::Range { slices: slices.into() })
    }

    fn json(&self) -> Result<Algorithm, AlgorithmError> {
        let pairs = self.list.chunks_exact(2);
        if self.list.is_empty() || !pairs.remainder().is_empty() {
            return self.wrong("each path has an algorithm");
        }
        if pairs.len() > PARTS_MAX {
            return self.wrong(&format!("there are more than {PARTS_MAX} paths"));
        }
        let mut parts = Vec::new();
        for pair in pairs {
            let [path, with] = pair else { continue };
            let with = read(with, Nesting::InsideJson)?;
            parts.push(JsonPart { path: Path::parse(path)?, with });
        }
        Ok(Algorithm::Json { parts: parts.into() })
    }
}

/// The arguments, cut at commas that stand in no quotes and no parentheses.
fn split(inside: &str) -> Result<Vec<&str>, AlgorithmError> {
    let mut list = Vec::new();
    let (mut quote, mut depth, mut from) = (None, 0_usize, 0);
    for (at, c) in inside.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth = depth.saturating_add(1),
            (None, ')') => {
                let less = depth.checked_sub(1);
                depth = less.ok_or(AlgorithmError::Shape { why: "something stands behind )" })?;
            }
            (None, ',') if depth == 0 => {
                list.push(inside.get(from..at).unwrap_or_default().trim());
                from = at.saturating_add(1);
            }
            (None, _) => {}
        }
    }
    if quote.is_some() {
        return Err(AlgorithmError::Shape { why: "a quote doesn't close" });
    }
    if depth > 0 {
        return Err(AlgorithmError::Shape { why: "a parenthesis doesn't close" });
    }
    let last = inside.get(from..).unwrap_or_default().trim();
    if !list.is_empty() || !last.is_empty() {
        list.push(last);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn algorithm(text: &str) -> Algorithm {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn told(text: &str) -> String {
        text.parse::<Algorithm>().expect_err(text).to_string()
    }

    #[test]
    fn every_form_prints_as_it_was_read() {
        for text in [
            "null",
            "full",
            "full(\"#\")",
            "full(\"\")",
            "fixed(\"n/a\")",
            "fixed(\"say \"\"hi\"\", it's (fun)\")",
            "partial",
            "range(0, 3, \"***\")",
            "range(-4, -1, \"\", 0, 2, \"ä\")",
            "inner(0, 4)",
            "inner(2, 2, \"#\")",
            "outer(2, 2)",
            "email",
            "card",
            "hash",
            "bucket(10)",
            "bucket(0.50)",
            "truncate(month)",
            "shift(30)",
            "json($.a.b, full, $.\"x, y\"[*], inner(0, 4), $.n, bucket(10))",
        ] {
            assert_eq!(algorithm(text).to_string(), text);
        }
        for (name, form) in FORMS {
            assert!(form.starts_with(name));
        }
    }

    #[test]
    fn other_spellings_are_read() {
        for (written, same) in [
            ("inner(0,4)", "inner(0, 4)"),
            (" full ( '#' ) ", "full(\"#\")"),
            ("fixed(n/a)", "fixed(\"n/a\")"),
            ("fixed('it''s')", "fixed(\"it's\")"),
            ("full(******)", "full"),
            ("full()", "full"),
            ("keep-first-n-last-m(1,2)", "inner(1, 2)"),
            ("mask-first-n-last-m(1,2)", "outer(1, 2)"),
        ] {
            assert_eq!(algorithm(written).to_string(), same);
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_form() {
        for (text, parts) in [
            ("md5(salt)", &["`md5`", "hash", "inner(PREFIX, SUFFIX)"][..]),
            ("", &["``", "null"]),
            ("inner(1)", &["two numbers", "inner(PREFIX, SUFFIX)"]),
            ("inner(-1, 2)", &["0 to 65535"]),
            ("inner(1, 2, '')", &["something must stand"]),
            ("outer(0, 0)", &["mask nothing"]),
            ("range(1, 2)", &["start, an end and a text"]),
            ("range(a, 2, x)", &["whole numbers"]),
            ("bucket(0)", &["above 0", "bucket(WIDTH)"]),
            ("bucket(-1)", &["above 0"]),
            ("truncate(decade)", &["no such unit", "year|quarter"]),
            ("shift(0)", &["1 to 36525"]),
            ("full(12345678901234567)", &["16 bytes"]),
            ("json($.a)", &["each path", "json($.PATH"]),
            ("json(a, full)", &["a path is $"]),
            ("json($.a, json($.b, full))", &["aren't json"]),
            ("null(1)", &["no arguments"]),
            ("fixed()", &["one value"]),
            ("fixed('a'b')", &["doesn't close"]),
            ("fixed('a' b)", &["behind"]),
            ("inner(1,2", &["without )"]),
            ("inner(1,2))", &["behind )"]),
        ] {
            let told = told(text);
            for part in parts {
                assert!(told.contains(part), "{text}: {told}");
            }
        }
        assert!(told(&"x".repeat(3000)).contains("too long"));
    }

    proptest! {
        #[test]
        fn what_reads_prints_and_reads_again(
            text in r#"(full|fixed|range|inner|outer|bucket|shift|json)\((([0-9"',.$a-c*ä()-]{0,6}),? ?){0,6}\)"#
        ) {
            if let Ok(read) = text.parse::<Algorithm>() {
                prop_assert_eq!(read.to_string().parse::<Algorithm>(), Ok(read));
            }
        }
    }
}
