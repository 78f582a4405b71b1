//! MySQL compares what is of different types by turning one side into the other's: to a number nearly
//! every text is 0, so that `email = 0` finds nearly every row. What it can't turn it warns of, and quotes
//! it.

use std::collections::BTreeSet;

use crate::kernel::{
    catalog::Routine,
    mask::{ColumnType, Kind, Width},
    sql::{
        builtins::{mysql, never_fails},
        lineage::{
            Label,
            resolve::Follower,
            rows::{Holds, Place},
            shape::{Amount, Constant, Expression, Step, Wanted},
        },
        mode::Dialect,
        reading::RawName,
    },
};

impl Follower<'_> {
    /// True if comparing the column with constants of these classes asks for one of its values each.
    /// Parameters that have to be strings for that are noted.
    pub(super) fn fits(&mut self, label: &Label, classes: &BTreeSet<Constant>) -> bool {
        let (number, moment) = (self.all_are(label, is_number), self.all_are(label, is_moment));
        classes.iter().all(|class| match class {
            Constant::Null | Constant::Text => true,
            Constant::Number => number || moment,
            Constant::Moment => moment,
            Constant::Parameter(at) => {
                if !number && !moment {
                    self.texts.insert(*at);
                }
                true
            }
        })
    }

    /// True if all marked columns are declared as such, and nothing else is known to be in it.
    fn all_are(&self, label: &Label, what: impl Fn(Kind) -> bool) -> bool {
        let catalog = self.cx.catalog;
        !label.is_unknown()
            && label.columns().all(|id| {
                let relation = catalog.relation_by_oid(id.relation);
                let columns = relation.iter().flat_map(|relation| &relation.columns);
                let mut kinds = columns
                    .filter(|column| column.number == id.number)
                    .map(|column| catalog.kinds().get(&column.type_oid));
                kinds.any(|kind| match kind {
                    Some(ColumnType::One(kind)) => what(*kind),
                    Some(ColumnType::Array(_)) | None => false,
                })
            })
    }
}

fn is_number(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Integer(_) | Kind::Decimal | Kind::Single | Kind::Double | Kind::Enumeration
    )
}

fn is_moment(kind: Kind) -> bool {
    matches!(kind, Kind::Date | Kind::Timestamp | Kind::Time)
}

impl<'a> Follower<'a> {
    /// True unless the step is known to give one value, and no warning, whatever it gets: where a row is
    /// written, a warning is an error.
    pub(super) fn may_warn(&mut self, step: &'a Step, label: &Label, place: &Place<'a>) -> bool {
        if self.only_reads {
            return self.may_err(step, label, place);
        }
        match step {
            Step::Function(name) => {
                // Spec: a built-in function comes before a user's of that name.
                let [name] = name.0.as_slice() else { return true };
                // What those of a type turn into it stands beside them.
                self.may_not_be_text(name, label)
                    || !never_fails::mysql_function(name)
                        && !never_fails::mysql_function_of_numbers(name)
                        && !never_fails::mysql_function_of_moments(name)
                        && name != "json_extract"
            }
            Step::Operator(name) => name != "like",
            Step::Wants(wanted, column) => {
                !self.kind_of(column, place).is_some_and(|of| is_wanted(of.kind, *wanted))
            }
            Step::Cast(to) => match to.as_str() {
                "char" | "char in utf8mb4" => !self.all_are(label, |kind| kind != Kind::Bytes),
                _ => true,
            },
            Step::Bytes | Step::Quoted => self.may_be_bytes(step),
            Step::Converts
            | Step::ReadsJson
            | Step::Nests(_)
            | Step::Part
            | Step::Reckons(_)
            | Step::Unmarked(_)
            | Step::Harmless(_)
            | Step::Keyed(..)
            | Step::HarmlessOperator(_)
            | Step::Scales(..)
            | Step::Turns(..) => true,
        }
    }

    /// True unless the step is known to give one value whatever it gets, be it with a warning, which nobody
    /// is told of who may not see the value.
    fn may_err(&mut self, step: &'a Step, label: &Label, place: &Place<'a>) -> bool {
        let is_maria = self.cx.mode.dialect == Dialect::MariaDb;
        match step {
            Step::Function(name) => {
                let [name] = name.0.as_slice() else { return true };
                let known = never_fails::mysql_function(name)
                    || never_fails::mysql_function_of_numbers(name)
                    || never_fails::mysql_function_of_moments(name)
                    || never_fails::mysql_function_that_warns(name)
                    || name == "json_value" && is_maria;
                // Of what is no text it fails, on MySQL.
                let reads = self.cx.mode.quotes_bytes && name.starts_with("json_");
                let of_texts = (name == "json_quote" || reads) && !is_maria;
                !known || of_texts || self.may_not_be_text(name, label)
            }
            Step::Operator(name) => name != "like" && name != "||",
            // Spec: MariaDB warns of what is no JSON, MySQL fails.
            Step::Wants(Wanted::Json, column) => {
                let is_json = |of: Holds<'_>| is_wanted(of.kind, Wanted::Json);
                !is_maria && !self.kind_of(column, place).is_some_and(is_json)
            }
            Step::Wants(..) | Step::Converts => false,
            Step::ReadsJson => !is_maria,
            Step::Bytes | Step::Quoted => self.may_be_bytes(step),
            Step::Nests(column) => {
                let is_known = |of: Holds<'_>| !matches!(of.kind, Kind::Json | Kind::Unknown);
                !is_maria && !self.kind_of(column, place).is_some_and(is_known)
            }
            Step::Cast(to) => {
                let never = |of: &str| to == of || to.starts_with(&format!("{of}("));
                let of_any = ["signed", "unsigned", "decimal", "date", "datetime", "time"];
                let turns = to.starts_with("char");
                let of_integers = ["signed integer", "unsigned integer"];
                let fits = turns && self.all_are(label, |kind| kind != Kind::Bytes);
                !(fits || of_any.into_iter().chain(of_integers).any(never))
            }
            Step::Reckons(amount) => self.is_beyond(amount, place),
            Step::Unmarked(column) => !self.reference(column, place).is_clear(),
            Step::Part
            | Step::Harmless(_)
            | Step::Keyed(..)
            | Step::HarmlessOperator(_)
            | Step::Scales(..)
            | Step::Turns(..) => true,
        }
    }

    /// True if a constant may be bytes that are no text, which MySQL fails for beside texts.
    fn may_be_bytes(&self, step: &Step) -> bool {
        let is_quoted = *step == Step::Quoted;
        self.cx.mode.dialect == Dialect::MySql && (!is_quoted || self.cx.mode.quotes_bytes)
    }

    /// True if the function makes text of its arguments, for which bytes may be none: MySQL fails then.
    fn may_not_be_text(&self, name: &str, label: &Label) -> bool {
        never_fails::mysql_function_of_texts(name)
            && !self.all_are(label, |kind| !matches!(kind, Kind::Bytes | Kind::Unknown))
    }

    /// True if MySQL may take bytes for a text in it: beside bytes, a text becomes bytes, and a piece of it may
    /// be none any more. Whether it fails by that may hang on a masked value then.
    pub(super) fn takes_bytes_for_text(
        &mut self,
        value: &'a Expression,
        place: &Place<'a>,
    ) -> bool {
        let is_of_texts = |step: &Step| match step {
            Step::Function(name) => {
                name.0.last().is_some_and(|n| never_fails::mysql_function_of_texts(n))
            }
            _ => false,
        };
        if self.cx.mode.dialect != Dialect::MySql || !value.through.iter().any(is_of_texts) {
            return false;
        }
        let is_text = |of: Holds<'_>| !matches!(of.kind, Kind::Bytes | Kind::Unknown);
        value.variable
            || !value.queries.is_empty()
            || value.columns.iter().any(|column| !self.kind_of(column, place).is_some_and(is_text))
    }

    /// True if what is reckoned may be too large for its type, for all that is known.
    fn is_beyond(&mut self, amount: &'a Amount, place: &Place<'a>) -> bool {
        let mut met = Met::default();
        let size = self.size(amount, place, &mut met);
        // Spec: what has no sign on one side has none as a whole.
        size.is_none() || met.unsigned && met.falls
    }

    fn size(&mut self, amount: &'a Amount, place: &Place<'a>, met: &mut Met) -> Option<Size> {
        let (is_whole, bits) = match amount {
            Amount::Column(column) => {
                let of = self.kind_of(column, place)?;
                let unsigned = of.declared.contains("unsigned") || of.declared.contains("zerofill");
                met.unsigned |= unsigned;
                met.falls |= !unsigned;
                match of.kind {
                    Kind::Integer(width) => (true, bits_of(width)),
                    Kind::Decimal => {
                        (false, digits_of(of.declared)?.saturating_mul(10).div_ceil(3))
                    }
                    Kind::Date => (true, 27),
                    _ => return None,
                }
            }
            Amount::Whole(bits) => (true, *bits),
            Amount::Exact(bits) => (false, *bits),
            Amount::Made(bits) => {
                met.falls = true;
                (true, *bits)
            }
            // Spec: YEAR() and its like have a sign on MariaDB, and none on MySQL.
            Amount::OfMoment(bits) => {
                let signed = self.cx.mode.dialect == Dialect::MariaDb;
                met.falls |= signed;
                met.unsigned |= !signed;
                (true, *bits)
            }
            Amount::Unsigned(bits) => {
                met.unsigned = true;
                (true, *bits)
            }
            Amount::OneOf(list) => {
                let mut size = (true, 0);
                for one in list {
                    let one = self.size(one, place, met)?;
                    size = (size.0 && one.is_whole, size.1.max(one.bits));
                }
                size
            }
            Amount::Sum(a, b) | Amount::Difference(a, b) => {
                met.falls |= matches!(amount, Amount::Difference(..));
                let (a, b) = (self.size(a, place, met)?, self.size(b, place, met)?);
                (a.is_whole && b.is_whole, a.bits.max(b.bits).saturating_add(1))
            }
            Amount::Product(a, b) | Amount::Ratio(a, b) | Amount::Quotient(a, b) => {
                let (a, b) = (self.size(a, place, met)?, self.size(b, place, met)?);
                let is_whole = match amount {
                    Amount::Ratio(..) => false,
                    Amount::Quotient(..) => true,
                    _ => a.is_whole && b.is_whole,
                };
                (is_whole, a.bits.saturating_add(b.bits))
            }
        };
        let is_leaf = matches!(
            amount,
            Amount::Column(_) | Amount::Unsigned(_) | Amount::OfMoment(_) | Amount::Made(_)
        );
        let most = if is_whole { WHOLE_MAX } else { EXACT_MAX };
        (bits <= most || is_leaf).then_some(Size { is_whole, bits })
    }

    /// True of what isn't one of the server's own functions: it reads what it likes, unless the settings
    /// trust it.
    pub(super) fn may_read_rows(&self, name: &RawName) -> bool {
        let own = |name: &str| mysql::function(name).is_some() || SYNTAX.contains(&name);
        if let [name] = name.0.as_slice()
            && own(name)
        {
            return false;
        }
        if let [schema, name] = name.0.as_slice()
            && schema.eq_ignore_ascii_case("sys")
        {
            return !mysql::is_pure_in_sys(name);
        }
        let called =
            |routine: &&Routine| name.schema().is_none_or(|schema| schema == routine.schema);
        let mut found = self.cx.catalog.routines_folded(name.base()).filter(called).peekable();
        found.peek().is_none() || found.any(|r| self.cx.trust.permission_for(r).is_none())
    }
}

/// Bits of a whole number with a sign, and those of 65 digits.
const WHOLE_MAX: u32 = 62;
const EXACT_MAX: u32 = 210;

/// How large a number may be.
#[derive(Clone, Copy)]
struct Size {
    is_whole: bool,
    bits: u32,
}

/// What a reckoning is made of.
#[derive(Default)]
struct Met {
    /// Numbers without a sign.
    unsigned: bool,
    /// Something that may be below zero.
    falls: bool,
}

fn bits_of(width: Width) -> u32 {
    match width {
        Width::One => 8,
        Width::Two => 16,
        Width::Three => 24,
        Width::Four => 32,
        Width::Eight => 64,
    }
}

/// The digits of `decimal(10,2)`.
fn digits_of(declared: &str) -> Option<u32> {
    let (name, rest) = declared.split_once('(')?;
    let digits = rest.split([',', ')']).next()?;
    digits.trim().parse().ok().filter(|_| matches!(name, "decimal" | "numeric"))
}

/// What has a syntax of its own, so that nobody calls it as a function.
const SYNTAX: [&str; 11] = [
    "cast",
    "convert",
    "default",
    "extract",
    "match",
    "member_of",
    "position",
    "row",
    "trim",
    "value",
    "values",
];

fn is_wanted(kind: Kind, wanted: Wanted) -> bool {
    match wanted {
        Wanted::Comparable => is_number(kind) || is_moment(kind),
        Wanted::Number => is_number(kind),
        Wanted::Quantity => matches!(kind, Kind::Integer(_) | Kind::Decimal),
        Wanted::Moment => is_moment(kind),
        Wanted::Json => kind == Kind::Json,
    }
}
