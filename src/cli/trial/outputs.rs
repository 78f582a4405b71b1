//! What becomes of each column of a result, and why.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Court;
use crate::{
    cli::mask::line,
    kernel::{
        catalog::Column,
        mask::{
            Algorithm, CellMask, ColumnType, Format, Key, Kind, Mask, Nulls, Shown as Cell,
            marks::{Marked, Shown},
        },
        sql::{
            analysis::Analysis,
            lineage::{ColumnId, Label},
        },
    },
    wire::pg::{cell, types},
};

/// Characters of a `hash`.
const HASH_CHARACTERS: u32 = 64;

/// One column of a result.
pub(in crate::cli) struct Output {
    /// Its name; `None`: the server makes one up.
    pub(in crate::cli) name: Option<String>,
    pub(in crate::cli) shows: Shows,
    /// Why, in a few words.
    pub(in crate::cli) why: String,
    /// The masked columns that it tells of.
    from: Vec<String>,
    rules: BTreeSet<usize>,
}

/// What a column of a result shows.
#[derive(PartialEq, Eq)]
pub(in crate::cli) enum Shows {
    /// Its values.
    Clear,
    /// What a rule's algorithm makes of them.
    Masked(String),
    /// `******` for texts, NULL for all else.
    Whole,
}

impl Shows {
    /// In a word.
    pub(in crate::cli) fn text(&self) -> &str {
        match self {
            Self::Clear => "clear",
            Self::Masked(with) => with,
            Self::Whole => "whole",
        }
    }
}

impl Output {
    pub(in crate::cli) fn json(&self) -> Value {
        let (shows, with) = match &self.shows {
            Shows::Clear => ("clear", None),
            Shows::Masked(with) => ("masked", Some(with)),
            Shows::Whole => ("whole", None),
        };
        json!({
            "name": self.name,
            "shows": shows,
            "with": with,
            "why": self.why,
            "from": self.from,
            "rules": self.rules,
        })
    }
}

/// The columns of one statement's result. None where nothing is masked and nobody has to know which there
/// are.
pub(super) fn of(analysis: &Analysis, court: &Court<'_>, shown: &Shown) -> Vec<Output> {
    let Some(masked) = &analysis.masked else { return Vec::new() };
    let lineage = &masked.lineage;
    match &lineage.outputs {
        Some(outputs) => {
            let one = |output: &crate::kernel::sql::lineage::OutputColumn| {
                court.output(output.name.clone(), &output.label, shown)
            };
            outputs.iter().map(one).collect()
        }
        None if lineage.rest.is_clear() => Vec::new(),
        None => {
            let any = court.output(None, &Label::unknown(), shown);
            let why = match any.shows {
                Shows::Whole => {
                    "nobody knows how many columns there are, and any may be masked".into()
                }
                Shows::Clear | Shows::Masked(_) => any.why,
            };
            vec![Output { why, ..any }]
        }
    }
}

impl Court<'_> {
    /// What becomes of a value with this label.
    pub(in crate::cli) fn output(
        &self,
        name: Option<String>,
        label: &Label,
        shown: &Shown,
    ) -> Output {
        let marks = &self.catalog.marks;
        let columns: Vec<(ColumnId, &Marked)> =
            label.columns().filter_map(|id| Some((id, marks.marked(id)?))).collect();
        let mut from: Vec<String> = columns.iter().map(|(_, mark)| mark.to_string()).collect();
        from.sort();
        let rules: BTreeSet<usize> = columns.iter().map(|(_, mark)| mark.rule).collect();
        let list = from.join(", ");
        let (shows, why) = match marks.mask_of(label, shown) {
            None if label.is_clear() => (Shows::Clear, String::new()),
            None if label.is_unknown() => (Shows::Clear, "unmask is held on ALL tables".to_owned()),
            None => (Shows::Clear, format!("unmask is held on {list}")),
            Some((Mask::Column(with), _)) => {
                let mut why = self.rules_text(&rules);
                let places = columns.iter().filter_map(|(id, _)| self.column(*id));
                let notes: BTreeSet<String> =
                    places.filter_map(|column| self.note(column, &with)).collect();
                for note in notes {
                    why.push_str(&format!("; {note}"));
                }
                (Shows::Masked(with.to_string()), why)
            }
            Some((Mask::Whole, _)) if label.is_unknown() => {
                (Shows::Whole, "nobody knows what it tells".to_owned())
            }
            Some((Mask::Whole, _)) if label.is_derived() => {
                (Shows::Whole, format!("derived from {list}: {}", self.rules_text(&rules)))
            }
            Some((Mask::Whole, _)) => {
                (Shows::Whole, format!("one of {list}, which are masked in different ways"))
            }
        };
        Output { name, shows, why, from, rules }
    }

    /// Rules by number and text.
    fn rules_text(&self, numbers: &BTreeSet<usize>) -> String {
        let rule = |number: &usize| {
            let rule = self.rules.list.get(number.checked_sub(1)?)?;
            Some(format!("rule {number}: {}", line(rule)))
        };
        numbers.iter().filter_map(rule).collect::<Vec<_>>().join("; ")
    }

    fn column(&self, id: ColumnId) -> Option<&Column> {
        let relation = self.catalog.relation_by_oid(id.relation)?;
        relation.columns.iter().find(|column| column.number == id.number)
    }

    /// What an operator should know of an algorithm on a column of this type.
    fn note(&self, column: &Column, with: &Algorithm) -> Option<String> {
        let known = self.catalog.kinds().get(&column.type_oid).copied();
        let holds = known.unwrap_or_else(|| types::column_type(column.type_oid));
        if *with == Algorithm::Null {
            return None;
        }
        let type_name = &column.type_name;
        if !has_value(with, holds) {
            return Some(format!("NULL: {} has no value of type {type_name}", with.name()));
        }
        let length = crate::kernel::mask::marks::declared_length(type_name)?;
        (*with == Algorithm::Hash && length < HASH_CHARACTERS)
            .then(|| format!("{HASH_CHARACTERS} characters, longer than {type_name}"))
    }
}

/// True if an algorithm makes something else than NULL of an ordinary value.
fn has_value(with: &Algorithm, holds: ColumnType) -> bool {
    let (ColumnType::One(kind) | ColumnType::Array(kind)) = holds;
    let sample = match kind {
        Kind::Text | Kind::Padded => "Jane.Doe@example.org",
        Kind::Integer(_) => "12345",
        Kind::Single | Kind::Double | Kind::Decimal => "12345.50",
        Kind::Boolean => "t",
        Kind::Date => "2001-02-03",
        Kind::Time => "10:20:30",
        Kind::Timestamp => "2001-02-03 10:20:30",
        Kind::TimestampTz => "2001-02-03 10:20:30+00",
        Kind::Uuid => "00112233-4455-6677-8899-aabbccddeeff",
        Kind::Json | Kind::Jsonb => "{\"a\": 1}",
        Kind::Bytes => "\\x00112233",
        Kind::Enumeration => "label",
        Kind::Money | Kind::Interval | Kind::Inet | Kind::Composite | Kind::Unknown => {
            return false;
        }
    };
    // What it makes of the sample isn't shown: any key will do.
    let Ok(key) = Key::new(&[0; 32]) else { return false };
    let mask = CellMask {
        mask: Mask::Column(std::sync::Arc::new(with.clone())),
        nulls: Nulls::Stay,
        holds: ColumnType::One(kind),
        format: Format::Text,
    };
    cell::apply(&mask, Some(sample.as_bytes()), &key, &mut Vec::new()) == Cell::Value
}
