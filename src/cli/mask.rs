//! `hallpass mask …`: which columns are sensitive, and how they are masked.

mod near;
mod suggest;
mod test;

use std::{
    fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::{
    cli::{
        Error, Workplace,
        output::{show_distance, show_time, table},
        workplace::now,
    },
    config::masks,
    kernel::{
        mask::{
            self, Algorithm, Nulls, Rule,
            pattern::{ColumnPattern, TextPattern},
            rule::{Form, Selector},
        },
        secret::Secret,
        time::Timestamp,
    },
    store::{MaskChange, MaskChanges, MaskPlace, MaskVersion, Store},
};

/// What the help says of it.
const ROTATE_KEY: &str = "\
Give hashes and shifts another key

The key is made at random, or is that of --key-file; it lies in the store and nowhere else, and is never \
shown, only eight digits that tell it from others. \
Whoever has it, from an old backup of the store, can test guesses against hashes and undo shifts: then it is \
time for another one. From then on the same value has another hash and another shift, in every session within \
a second: what was exported before can't be joined with what comes now. The old key is gone; a backup of the \
store still has it. Rules stay as they are, and it is on the trail.

Without --yes it says so, and exits with 1.";

/// How long a key from a file is, in bytes: 128 bits written as hexadecimal digits at least.
const KEY_FILE_MIN: u64 = 32;
const KEY_FILE_MAX: u64 = 4096;

/// How many versions `history` shows unless it is told.
const HISTORY: u32 = 50;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Mark columns as sensitive: one rule more
    Add(Add),
    /// The rules in force, in order: the first that means a column holds for it
    List {
        /// Those of an older version instead
        #[arg(long, value_name = "VERSION")]
        version: Option<u64>,
        /// As a file for apply
        #[arg(long)]
        toml: bool,
    },
    /// Take a rule away
    Remove {
        /// Its number in the list
        number: usize,
        /// Only if that is still the version in force, so that the number means what it meant
        #[arg(long, value_name = "VERSION")]
        version: Option<u64>,
        /// Why, in one line: stands in the history and on the trail
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Replace all rules by those of a file; the same rules again change nothing
    Apply {
        /// A file of [[rule]] sections
        file: PathBuf,
        /// Say what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Take a file without any rule: nothing is masked then
        #[arg(long)]
        allow_empty: bool,
        /// Why, in one line: stands in the history and on the trail
        #[arg(long, default_value = "")]
        note: String,
    },
    /// The versions of the rules: when, by whom, what changed; the youngest first
    History {
        /// How many
        #[arg(long, value_name = "NUMBER", default_value_t = HISTORY)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Give hashes and shifts another key
    #[command(long_about = ROTATE_KEY)]
    RotateKey {
        /// Do it
        #[arg(long)]
        yes: bool,
        /// Take the key from a file, not from chance: at least 32 bytes, a line end at its end left out
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// Why, in one line: stands on the trail
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Propose rules for a target, as a file for apply: by names, types and comments of its columns
    Suggest(suggest::Arguments),
    /// What becomes of each column of a statement's result, and why; runs nothing
    Test(test::Arguments),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("columns").required(true))]
pub(super) struct Add {
    /// On which targets: a name, or a pattern with * for any characters
    #[arg(long, value_parser = TextPattern::parse)]
    target: TextPattern,
    /// Columns by name, as in public.customers.email or '*.*.ssn'
    #[arg(long, group = "columns", value_parser = ColumnPattern::parse)]
    column: Option<ColumnPattern>,
    /// Columns by type, as in citext or '*.email_address'
    #[arg(long = "type", group = "columns", value_name = "TYPE", value_parser = TextPattern::parse)]
    type_name: Option<TextPattern>,
    /// Columns by comment, as in '*personal*'
    #[arg(long, group = "columns", value_parser = TextPattern::parse)]
    comment: Option<TextPattern>,
    /// Columns by tag
    #[arg(long, group = "columns", value_parser = TextPattern::parse)]
    tag: Option<TextPattern>,
    /// How they are masked, as in email, 'inner(0, 4)', hash
    #[arg(long, value_name = "ALGORITHM")]
    with: Algorithm,
    /// What may be asked of them in conditions; without it: equality for texts and uuids, else nothing
    #[arg(long, value_enum)]
    predicates: Option<Predicates>,
    /// Hide NULL, too, where the algorithm has a value for it
    #[arg(long)]
    mask_null: bool,
    /// Put it before all other rules, not behind
    #[arg(long)]
    first: bool,
    /// Put it in the place of the rule for the same columns, in one version
    #[arg(long, conflicts_with = "first")]
    replace: bool,
    /// Why, in one line: stands in the history and on the trail
    #[arg(long, default_value = "")]
    note: String,
}

/// What may be asked of masked columns in conditions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Predicates {
    /// Whether it is one of a few constants
    Equality,
    /// Nothing
    Deny,
    /// Anything
    Allow,
}

impl Add {
    /// Without a way to mean columns clap has refused it.
    fn rule(&self) -> Option<Rule> {
        let columns = (self.column.clone().map(Selector::Column))
            .or_else(|| self.type_name.clone().map(Selector::Type))
            .or_else(|| self.comment.clone().map(Selector::Comment))
            .or_else(|| self.tag.clone().map(Selector::Tag))?;
        Some(Rule {
            target: self.target.clone(),
            columns,
            with: self.with.clone(),
            predicates: self.predicates.map(|predicates| match predicates {
                Predicates::Equality => mask::Predicates::Equality,
                Predicates::Deny => mask::Predicates::Deny,
                Predicates::Allow => mask::Predicates::Allow,
            }),
            nulls: if self.mask_null { Nulls::Hidden } else { Nulls::Stay },
        })
    }
}

impl Command {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        if let Self::Suggest(arguments) = self {
            return arguments.run(place).await;
        }
        if let Self::Test(arguments) = self {
            return arguments.run(place).await;
        }
        let store = place.store().await?;
        let done = match self {
            Self::RotateKey { yes, key_file, note } => {
                rotate_key(place, &store, (*yes, key_file.as_deref()), note).await
            }
            Self::Add(_)
            | Self::List { .. }
            | Self::Remove { .. }
            | Self::Apply { .. }
            | Self::History { .. }
            | Self::Suggest(_)
            | Self::Test(_) => self.act(place, &store, now()).await.map(|()| ExitCode::SUCCESS),
        };
        store.close().await;
        done
    }

    async fn act(&self, place: &Workplace, store: &Store, now: Timestamp) -> Result<(), Error> {
        let actor = &place.actor;
        match self {
            Self::Add(add) => {
                let Some(rule) = add.rule() else { return Ok(()) };
                let at = match (add.replace, add.first) {
                    (true, _) => MaskPlace::InPlace,
                    (false, true) => MaskPlace::First,
                    (false, false) => MaskPlace::Last,
                };
                let change = MaskChange::Add { rule: rule.clone(), place: at };
                let (made, changes) = store.masks_change(actor, now, change, &add.note).await?;
                let number = made.rules.list.iter().position(|known| *known == rule);
                let number = number.map_or(0, |at| at + 1);
                let mut json = rule_json(number, &rule);
                json["version"] = made.rules.version.into();
                let version = made.rules.version;
                let mut text = format!("mask rule {number}: {}; version {version}", line(&rule));
                if let Some((before, _)) = changes.changed.first() {
                    json["replaced"] = rule_json(number, before);
                    text.push_str(&format!("; it was {}", line(before)));
                } else if add.replace {
                    text.push_str("; it was so before");
                }
                // It stands whatever comes of this: a table may be yet to come.
                let warnings = near::warnings(place, &rule).await;
                for warning in &warnings {
                    text.push_str(&format!("\nwarning: {warning}"));
                }
                json["warnings"] = warnings.into();
                place.output.answer(&json, &text)
            }
            Self::List { version, toml } => {
                let version = match version {
                    None => store.masks().await?,
                    Some(version) => store.mask_version(*version).await?,
                };
                let text = if *toml { file_text(&version) } else { list_text(&version, now) };
                place.output.answer(&version_json(&version), &text)
            }
            Self::Remove { number, version, note } => {
                let change = MaskChange::Remove { number: *number, expected: *version };
                let (made, changes) = store.masks_change(actor, now, change, note).await?;
                let Some(rule) = changes.removed.first() else { return Ok(()) };
                let mut json = rule_json(*number, rule);
                json["version"] = made.rules.version.into();
                let version = made.rules.version;
                let text = format!("no mask rule any more: {}; version {version}", line(rule));
                place.output.answer(&json, &text)
            }
            Self::Apply { file, dry_run, allow_empty, note } => {
                let rules = masks::load(file)?;
                if rules.is_empty() && !allow_empty {
                    return Err(Error::NoRules { file: file.clone() });
                }
                let before = store.masks().await?;
                let changes = MaskChanges::between(&before.rules.list, &rules);
                let expected = before.rules.version;
                let version = if *dry_run || changes.is_none() {
                    expected
                } else {
                    let change = MaskChange::Replace { expected, list: rules };
                    store.masks_change(actor, now, change, note).await?.0.rules.version
                };
                let text = changes_text(&changes, version, *dry_run);
                place.output.answer(&changes_json(&changes, version, *dry_run), &text)
            }
            Self::History { limit } => {
                // One more, to compare the oldest shown with.
                let versions = store.mask_history(limit.saturating_add(1)).await?;
                let shown = versions.len().min(*limit as usize);
                let nothing: &[Rule] = &[];
                let told: Vec<_> = versions
                    .iter()
                    .enumerate()
                    .take(shown)
                    .map(|(at, version)| {
                        let before = versions.get(at + 1).map_or(nothing, |v| &v.rules.list);
                        (version, MaskChanges::between(before, &version.rules.list))
                    })
                    .collect();
                let json = told.iter().map(|(v, changes)| history_json(v, changes)).collect();
                let rows: Vec<_> =
                    told.iter().map(|(v, changes)| history_row(v, changes)).collect();
                let header = ["version", "at", "by", "rules", "changes", "note"];
                place.output.list(json, &header, &rows, "there were never any mask rules")
            }
            Self::Suggest(_) | Self::Test(_) | Self::RotateKey { .. } => Ok(()),
        }
    }
}

async fn rotate_key(
    place: &Workplace,
    store: &Store,
    (yes, file): (bool, Option<&Path>),
    note: &str,
) -> Result<ExitCode, Error> {
    let given = file.map(read_key).transpose()?;
    let (code, before, after, text) = if yes {
        let (before, after) = store.mask_key_rotate(&place.actor, now(), note, given).await?;
        let text = format!(
            "hashes and shifts have key {after} instead of {before}; what was exported before can't be \
             joined with what comes now"
        );
        (ExitCode::SUCCESS, before, Some(after), text)
    } else {
        let before = store.mask_key_name().await?;
        let text = format!(
            "hashes and shifts have key {before}\nunder another one the same value has another hash and \
             another shift: what was exported before can't be joined any more, and the old key is gone\n\
             nothing has been changed: add --yes"
        );
        (ExitCode::from(1), before, None, text)
    };
    let json = json!({"done": yes, "key_before": before, "key": after});
    place.output.answer(&json, &text)?;
    Ok(code)
}

/// A key that an operator brings along, from a KMS for instance.
fn read_key(path: &Path) -> Result<Secret, Error> {
    let failed = |cause| Error::File { path: path.to_owned(), cause };
    let refused = |why: &str| failed(io::Error::new(io::ErrorKind::InvalidData, why));
    let file = fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_file() && metadata.mode() & 0o007 != 0 {
        return Err(refused("every user can read it: chmod 600 it, and take another key"));
    }
    let mut bytes = Vec::new();
    file.take(KEY_FILE_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    let length = bytes.len() as u64;
    let secret = Secret::new(bytes);
    if !(KEY_FILE_MIN..=KEY_FILE_MAX).contains(&length) {
        return Err(refused("a key has 32 to 4096 bytes; openssl rand -hex 32 makes one"));
    }
    Ok(secret)
}

/// A rule in a few words: `shop public.customers.email with email`.
pub(super) fn line(rule: &Rule) -> String {
    let (field, pattern) = masks::selector(rule);
    let field = if field == "column" { String::new() } else { format!("{field} ") };
    let asked = rule.predicates.map_or_else(String::new, |p| format!(", {} asked", predicates(p)));
    let nulls = if rule.nulls == Nulls::Hidden { ", NULL too" } else { "" };
    format!("{} {field}{pattern} with {}{asked}{nulls}", rule.target, rule.with)
}

fn predicates(predicates: mask::Predicates) -> &'static str {
    match predicates {
        mask::Predicates::Allow => "anything",
        mask::Predicates::Deny => "nothing",
        mask::Predicates::Equality => "equality",
    }
}

fn rule_json(number: usize, rule: &Rule) -> Value {
    let mut json = json!(Form::from(rule.clone()));
    json["number"] = number.into();
    json
}

fn version_json(version: &MaskVersion) -> Value {
    let rules = version.rules.list.iter().enumerate();
    json!({
        "version": version.rules.version,
        "at": version.at.map(show_time),
        "by": version.by,
        "note": version.note,
        "rules": rules.map(|(at, rule)| rule_json(at + 1, rule)).collect::<Vec<_>>(),
    })
}

fn list_text(version: &MaskVersion, now: Timestamp) -> String {
    let (Some(at), Some(by)) = (version.at, &version.by) else {
        return "no mask rules".to_owned();
    };
    let note = if version.note.is_empty() { String::new() } else { format!(": {}", version.note) };
    let head =
        format!("version {}, {} by {by}{note}\n", version.rules.version, show_distance(now, at));
    if version.rules.list.is_empty() {
        return format!("{head}no mask rules");
    }
    let row = |(at, rule): (usize, &Rule)| {
        let (field, pattern) = masks::selector(rule);
        vec![
            (at + 1).to_string(),
            rule.target.to_string(),
            if field == "column" { pattern } else { format!("{field} {pattern}") },
            rule.with.to_string(),
            rule.predicates.map_or("by type", predicates).to_owned(),
            if rule.nulls == Nulls::Hidden { "masked" } else { "stays" }.to_owned(),
        ]
    };
    let rows: Vec<_> = version.rules.list.iter().enumerate().map(row).collect();
    head + &table(&["no", "target", "columns", "with", "asked", "null"], &rows)
}

fn file_text(version: &MaskVersion) -> String {
    let rules = version.rules.list.iter().map(|rule| format!("\n{}", masks::write(rule)));
    format!("# Mask rules, version {}\n{}", version.rules.version, rules.collect::<String>())
}

fn changes_text(changes: &MaskChanges, version: u64, dry_run: bool) -> String {
    if changes.is_none() {
        return format!("nothing changes; version {version}");
    }
    let mut text = String::new();
    for rule in &changes.removed {
        text.push_str(&format!("- {}\n", line(rule)));
    }
    for (before, after) in &changes.changed {
        text.push_str(&format!("- {}\n+ {}\n", line(before), line(after)));
    }
    for rule in &changes.added {
        text.push_str(&format!("+ {}\n", line(rule)));
    }
    if changes.reordered {
        text.push_str("rules stand in another order\n");
    }
    let end = if dry_run { "nothing was changed; still version" } else { "version" };
    format!("{text}{}: {end} {version}", counts(changes))
}

fn counts(changes: &MaskChanges) -> String {
    let mut parts = Vec::new();
    for (count, what) in [
        (changes.added.len(), "added"),
        (changes.changed.len(), "changed"),
        (changes.removed.len(), "removed"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if changes.reordered {
        parts.push("reordered".to_owned());
    }
    parts.join(", ")
}

fn changes_json(changes: &MaskChanges, version: u64, dry_run: bool) -> Value {
    let pair = |(before, after): &(Rule, Rule)| json!({"from": before, "to": after});
    json!({
        "version": version,
        "dry_run": dry_run,
        "added": changes.added,
        "removed": changes.removed,
        "changed": changes.changed.iter().map(pair).collect::<Vec<_>>(),
        "reordered": changes.reordered,
    })
}

fn history_json(version: &MaskVersion, changes: &MaskChanges) -> Value {
    let mut json = changes_json(changes, version.rules.version, false);
    if let Some(fields) = json.as_object_mut() {
        fields.remove("dry_run");
    }
    json["at"] = json!(version.at.map(show_time));
    json["by"] = json!(version.by);
    json["note"] = json!(version.note);
    json["rules"] = version.rules.list.len().into();
    json
}

fn history_row(version: &MaskVersion, changes: &MaskChanges) -> Vec<String> {
    vec![
        version.rules.version.to_string(),
        version.at.map(show_time).unwrap_or_default(),
        version.by.clone().unwrap_or_default(),
        version.rules.list.len().to_string(),
        counts(changes),
        version.note.clone(),
    ]
}
