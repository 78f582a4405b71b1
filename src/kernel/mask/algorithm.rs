//! The algorithms by name, and how they are written in rules.
//!
//! `name` or `name(argument, …)`. An argument is a number, a word, or a text in single or double
//! quotes with the quote itself doubled inside. What each makes of a value of each type:
//!
//! | written | text | other types |
//! | --- | --- | --- |
//! | `null` | NULL | NULL |
//! | `full`, `full("#")` | `******`, or that | JSON and bytes: the same; else NULL |
//! | `fixed("x")` | that | that, where it reads as the type (labels of an enum as they are); else NULL |
//! | `partial` | `**`, the second and third quarter, `**` | bytes: the same; else NULL |
//! | `range(0, 3, "#", …)` | each slice gives way to its text | bytes: the same; else NULL |
//! | `inner(2, 2)`, `inner(2, 2, "#")` | keeps so many at both ends | bytes: the same; else NULL |
//! | `outer(2, 2)`, `outer(2, 2, "#")` | masks so many at both ends | bytes: the same; else NULL |
//! | `email` | `a***@example.com` | NULL |
//! | `card` | the last four digits | NULL |
//! | `hash` | 64 hexadecimal digits | integers, UUIDs and bytes: one of those; else NULL |
//! | `bucket(10)` | NULL | integers, decimals, floats: the multiple at or below; else NULL |
//! | `truncate(month)` | NULL | dates, times, timestamps: where the unit began; else NULL |
//! | `shift(30)` | NULL | dates and timestamps: moved by up to so many days; else NULL |
//! | `json($.a, full, …)` | NULL | JSON: what stands at the paths is masked so; else NULL |

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    WHOLE,
    decimal::Decimal,
    path::{BadPath, Path},
};

mod parse;

pub use parse::FORMS;

/// The most bytes an algorithm is written with.
pub const TEXT_BYTES_MAX: usize = 2048;
/// The most bytes of a text that stands for masked characters.
pub const SUBSTITUTION_BYTES_MAX: usize = 16;
/// The most slices of `range`, and paths of `json`.
pub const PARTS_MAX: usize = 16;
/// The farthest `shift`, in days: a hundred years.
pub const SHIFT_DAYS_MAX: u32 = 36_525;

/// How a value is hidden.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Algorithm {
    /// The e-mail's first character, `***@`, and its domain. Masked whole unless it reads as a local
    /// part of at least two characters, one `@` before a domain with a dot in it.
    Email,
    /// A card number's last four digits; the others become `*`, blanks and hyphens stay. Masked whole
    /// unless it has 12 to 19 digits.
    Card,
    /// Numbers in steps: the largest multiple of the width that isn't larger. A width that would leave
    /// the value clear gives NULL: integers need a whole one above 1, decimals one above a step of their
    /// last digit.
    Bucket {
        /// Above 0.
        width: Decimal,
    },
    /// The same value for all.
    Fixed {
        /// As it is written in the column's type.
        value: Box<str>,
    },
    /// The same text for all.
    Full {
        /// At most [`SUBSTITUTION_BYTES_MAX`] bytes.
        with: Box<str>,
    },
    /// HMAC-SHA-256 of the value.
    Hash,
    /// Keeps the ends, masks the middle, a substitution for each character. Masked whole (six
    /// substitutions) if the ends are all there is.
    Inner(Ends),
    /// What stands at paths of a JSON document. Of several paths to a value, the first holds.
    Json {
        /// At most [`PARTS_MAX`].
        parts: Box<[JsonPart]>,
    },
    /// NULL for all.
    Null,
    /// Masks the ends, keeps the middle, a substitution for each character. Masked whole (six
    /// substitutions) if there is no middle.
    Outer(Ends),
    /// `**`, the middle half, `**`: the length is cut to a multiple of four, and its second and third
    /// quarter are kept. `****` below four characters.
    Partial,
    /// Slices give way to texts.
    Range {
        /// At most [`PARTS_MAX`], as they were written.
        slices: Box<[Slice]>,
    },
    /// Dates and timestamps moved by as much as the key and the value say, never by nothing.
    Shift {
        /// How many days at most, either way: 1 to [`SHIFT_DAYS_MAX`].
        days: u32,
    },
    /// Dates and times cut down to where a unit began.
    Truncate {
        /// Which.
        unit: Unit,
    },
}

/// The ends of a text, and what stands for masked characters.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ends {
    /// Characters at the beginning.
    pub prefix: u16,
    /// Characters at the end.
    pub suffix: u16,
    /// For each masked character; not empty, at most [`SUBSTITUTION_BYTES_MAX`] bytes.
    pub with: Box<str>,
}

/// A slice of characters, counted from 0, without its end. −1 is the end of the text, −2 one before.
///
/// A value that ends at or before a slice's start is masked whole. A slice that would be empty is one
/// character. Slices that overlap are one, with the first one's text.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Slice {
    /// The first character.
    pub start: i32,
    /// The first character behind.
    pub end: i32,
    /// Stands for the slice, once. At most [`SUBSTITUTION_BYTES_MAX`] bytes.
    pub with: Box<str>,
}

/// A place in JSON and how what stands there is masked.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct JsonPart {
    /// Where.
    pub path: Path,
    /// How; not `json` again.
    pub with: Algorithm,
}

/// Units of time, from the shortest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Unit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
    /// Three months from January, April, July or October.
    Quarter,
    /// From 1 January.
    Year,
}

impl Unit {
    /// All of them, with their names.
    pub const ALL: [(Self, &str); 7] = [
        (Self::Year, "year"),
        (Self::Quarter, "quarter"),
        (Self::Month, "month"),
        (Self::Week, "week"),
        (Self::Day, "day"),
        (Self::Hour, "hour"),
        (Self::Minute, "minute"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(unit, _)| *unit == self).map_or("", |(_, name)| name)
    }
}

/// A text that names no algorithm.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AlgorithmError {
    /// No such name.
    #[error("there is no mask algorithm `{name}`; the forms are {}", FORMS.map(|(_, form)| form).join(", "))]
    Unknown {
        /// The name, cut where it is long.
        name: String,
    },
    /// The name is known, the arguments don't fit.
    #[error("{why}; the form is {form}")]
    Arguments {
        /// What is wrong.
        why: String,
        /// How it is written.
        form: &'static str,
    },
    /// Quotes or parentheses that don't close, or something behind the last.
    #[error("an algorithm is written name or name(argument, …), texts in quotes: {why}")]
    Shape {
        /// What is wrong.
        why: &'static str,
    },
    /// Not a path, in `json`.
    #[error(transparent)]
    Path(#[from] BadPath),
}

impl Algorithm {
    /// `full`, as it is without an argument.
    pub fn full() -> Self {
        Self::Full { with: WHOLE.into() }
    }

    /// Its name, without arguments.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Card => "card",
            Self::Bucket { .. } => "bucket",
            Self::Fixed { .. } => "fixed",
            Self::Full { .. } => "full",
            Self::Hash => "hash",
            Self::Inner(_) => "inner",
            Self::Json { .. } => "json",
            Self::Null => "null",
            Self::Outer(_) => "outer",
            Self::Partial => "partial",
            Self::Range { .. } => "range",
            Self::Shift { .. } => "shift",
            Self::Truncate { .. } => "truncate",
        }
    }
}

impl fmt::Display for Algorithm {
    /// As it is read: what is printed here reads as the same algorithm.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Email | Self::Card | Self::Hash | Self::Null | Self::Partial => Ok(()),
            Self::Full { with } if &**with == WHOLE => Ok(()),
            Self::Full { with } => write!(f, "({})", Quoted(with)),
            Self::Fixed { value } => write!(f, "({})", Quoted(value)),
            Self::Inner(ends) | Self::Outer(ends) => {
                write!(f, "({}, {}", ends.prefix, ends.suffix)?;
                if &*ends.with != "*" {
                    write!(f, ", {}", Quoted(&ends.with))?;
                }
                f.write_str(")")
            }
            Self::Bucket { width } => write!(f, "({width})"),
            Self::Shift { days } => write!(f, "({days})"),
            Self::Truncate { unit } => write!(f, "({})", unit.name()),
            Self::Range { slices } => list(f, slices.iter(), |f, slice| {
                write!(f, "{}, {}, {}", slice.start, slice.end, Quoted(&slice.with))
            }),
            Self::Json { parts } => {
                list(f, parts.iter(), |f, part| write!(f, "{}, {}", part.path, part.with))
            }
        }
    }
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    f.write_str("(")?;
    for (at, item) in items.enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    f.write_str(")")
}

/// A text in double quotes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl TryFrom<String> for Algorithm {
    type Error = AlgorithmError;

    fn try_from(text: String) -> Result<Self, AlgorithmError> {
        text.parse()
    }
}

impl From<Algorithm> for String {
    fn from(algorithm: Algorithm) -> Self {
        algorithm.to_string()
    }
}
