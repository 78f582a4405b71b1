//! Where in a JSON document: `$.address.street`, `$.mails[*]`, `$."odd.key"[0]`, `$.*`.

use std::fmt;

/// The most steps of one path.
pub const STEPS_MAX: usize = 16;

/// One step further in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// The members of this name. On an array: of each of its elements.
    Member(Box<str>),
    /// All members. On an array: of each of its elements.
    AnyMember,
    /// The element at this place, from 0.
    Element(u32),
    /// All elements.
    AnyElement,
}

/// A path from the document's root.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Path(Box<[Step]>);

/// A text that is no path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "a path is $ and steps of the forms .name, .\"any name\", .*, [0] and [*], at most {STEPS_MAX}"
)]
pub struct BadPath;

impl Path {
    /// Reads one. Names with other characters than letters, digits, `_` and `-` stand in double quotes,
    /// quotes inside doubled.
    ///
    /// # Errors
    /// [`BadPath`], which says what a path is.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        let mut rest = text.strip_prefix('$').ok_or(BadPath)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = step(rest).ok_or(BadPath)?;
            steps.push(step);
            rest = after;
        }
        if steps.len() > STEPS_MAX {
            return Err(BadPath);
        }
        Ok(Self(steps.into()))
    }

    /// From the root inwards.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, rest) = rest.split_once(']')?;
        let step = match inside {
            "*" => Step::AnyElement,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Step::Element(digits.parse().ok()?)
            }
            _ => return None,
        };
        return Some((step, rest));
    }
    let rest = text.strip_prefix('.')?;
    if let Some(rest) = rest.strip_prefix('*') {
        return Some((Step::AnyMember, rest));
    }
    if let Some(quoted) = rest.strip_prefix('"') {
        let mut name = String::new();
        let mut rest = quoted;
        loop {
            let (part, after) = rest.split_once('"')?;
            name.push_str(part);
            let Some(more) = after.strip_prefix('"') else {
                return Some((Step::Member(name.into()), after));
            };
            name.push('"');
            rest = more;
        }
    }
    let end = rest.find(|c: char| !is_plain(c)).unwrap_or(rest.len());
    let (name, rest) = rest.split_at_checked(end)?;
    (!name.is_empty()).then(|| (Step::Member(name.into()), rest))
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::AnyMember => f.write_str(".*")?,
                Step::AnyElement => f.write_str("[*]")?,
                Step::Element(at) => write!(f, "[{at}]")?,
                Step::Member(name) if !name.is_empty() && name.chars().all(is_plain) => {
                    write!(f, ".{name}")?;
                }
                Step::Member(name) => write!(f, ".\"{}\"", name.replace('"', "\"\""))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prints_as_it_was_read() {
        for text in [
            "$",
            "$.a",
            "$.a.b-c[0][*].*",
            "$.\"a.b\"",
            "$.\"say \"\"hi\"\"\"",
            "$.\"\"",
            "$.größe",
        ] {
            assert_eq!(Path::parse(text).map(|p| p.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "a",
            ".a",
            "$a",
            "$.",
            "$..a",
            "$[",
            "$[]",
            "$[-1]",
            "$[1",
            "$.a b",
            "$.\"a",
            "$[99999999999]",
        ] {
            assert_eq!(Path::parse(text), Err(BadPath), "{text}");
        }
        assert_eq!(Path::parse(&format!("${}", ".a".repeat(17))), Err(BadPath));
    }
}
