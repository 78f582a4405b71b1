//! `hallpass explain`: what a statement needs and why, and whether it would pass for somebody now.
//!
//! It asks the target for its catalog, as the gateway does, and runs nothing else there. Without the
//! catalog it still answers, says so, and ends with exit code 4: what nothing is known of counts as
//! what it may be at worst.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::{
        Error, Workplace,
        output::{show_distance, show_time},
        trial::{Answer, Court, Output, Shows, Trial, Verdict},
    },
    kernel::{
        access::Grant,
        sql::{
            analysis::{Analysis, LocalShape, Need, NeedOn, StatementClass, Unreadable},
            reading::Access,
        },
        time::Timestamp,
    },
};

/// How much of a statement is shown to say which is meant.
const SHOWN: usize = 72;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// On which target
    #[arg(long)]
    target: String,
    /// For whom; without it: only what the statement needs
    #[arg(long = "as", value_name = "PRINCIPAL")]
    principal: Option<String>,
    /// One or more statements, in quotes
    sql: String,
}

/// What was found out.
struct Explanation<'a>(Trial<'a>);

impl Arguments {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let court = Court::sit(place, &self.target, None, self.principal.as_deref()).await?;
        let explanation = Explanation(court.hear(&self.sql).await?);
        place.output.answer(&explanation.json(), &explanation.text())?;
        Ok(explanation.0.exit_code())
    }
}

/// For people.
impl Explanation<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        self.0.court.preface(&mut text);
        match &self.0.read {
            Ok(batch) => {
                for analysis in &batch.statements {
                    self.statement(analysis, &mut text);
                }
                if batch.statements.is_empty() {
                    text.push_str("There is no statement in it.\n");
                }
            }
            Err(why) => text.push_str(&unreadable_text(why)),
        }
        if let Some(verdict) = &self.0.verdict {
            verdict.text(&mut text);
        }
        text
    }

    fn statement(&self, analysis: &Analysis, text: &mut String) {
        text.push_str(&one_line(self.0.statement_text(analysis)));
        text.push('\n');
        let mut rows = vec![("class", analysis.class.name().to_owned(), notes(analysis))];
        if analysis.needs.is_empty() {
            rows.push(("needs", "nothing".to_owned(), String::new()));
        }
        for need in &analysis.needs {
            rows.push(("needs", need.permission.to_string(), reason(need)));
        }
        for relation in &analysis.relations {
            let known = match (relation.oid, relation.is_catalog) {
                (_, true) => ", a catalog",
                (Some(_), false) => "",
                (None, false) => ", not in the target's catalog",
            };
            let access = format!("{}{known}", access_word(relation.access));
            rows.push(("relations", relation.to_string(), access));
        }
        for routine in &analysis.routines {
            rows.push(("routines", format!("{}()", routine.name), String::new()));
        }
        for output in self.0.outputs(analysis).iter().filter(|o| o.shows != Shows::Clear) {
            let name = output.name.as_deref().unwrap_or("–");
            rows.push((
                "masked",
                name.to_owned(),
                format!("{}, {}", output.shows.text(), output.why),
            ));
        }
        push_rows(&rows, text);
        text.push('\n');
    }
}

impl Verdict {
    pub(super) fn text(&self, text: &mut String) {
        let who = &self.principal;
        let mut rows = Vec::new();
        if self.disabled {
            text.push_str(&format!("{who} is disabled and can't log in.\n"));
        }
        match &self.answer {
            Answer::Passes(permit) => {
                if !self.disabled {
                    text.push_str(&format!("It would pass for {who} now.\n"));
                }
                for grant in permit.grants() {
                    rows.push(("by", grant.id.to_string(), grant_text(grant, self.now)));
                }
                if permit.grants().is_empty() {
                    let standing = if self.needs_nothing {
                        "no permission is needed".to_owned()
                    } else {
                        format!("standing: {}", self.rights.standing.short_list())
                    };
                    rows.push(("by", standing, String::new()));
                }
                if let (Some(most), Some(bytes)) = (permit.row_cap(), permit.byte_cap()) {
                    rows.push(("cap", format!("{most} rows, {bytes} bytes"), String::new()));
                }
            }
            Answer::Refused { refusal, denial } => {
                text.push_str(&format!("It would be refused to {who} now.\n"));
                for missing in denial.iter().flat_map(|d| &d.missing) {
                    let elsewhere =
                        if missing.out_of_scope { "; held on other tables only" } else { "" };
                    let why = format!("{}{elsewhere}", missing.need.why);
                    rows.push(("missing", missing.need.permission.to_string(), why));
                }
                if denial.is_none() {
                    rows.push(("told", refusal.to_string(), String::new()));
                }
                if !self.disabled {
                    rows.push(("holds", self.rights.held().to_string(), String::new()));
                }
                if let Some(hint) = &refusal.hint {
                    rows.push(("to ask", hint.clone(), String::new()));
                }
            }
        }
        push_rows(&rows, text);
    }
}

pub(super) fn unreadable_text(why: &Unreadable) -> String {
    match why {
        Unreadable::Syntax { message, position } => {
            let at = position.map_or_else(String::new, |p| format!(", at character {p}"));
            format!("It can't be read: {message}{at}.\n\n")
        }
        Unreadable::NotAnswered { what } => {
            format!("It names the gateway's own schema in a form that isn't answered: {what}\n\n")
        }
        Unreadable::Ambiguous { .. } | Unreadable::TooLarge { .. } | Unreadable::Disagreement => {
            format!("It is not understood, and so needs sql.admin: {why}.\n\n")
        }
    }
}

/// What is worth knowing beside the class.
fn notes(analysis: &Analysis) -> String {
    let mut notes = Vec::new();
    if let Some(call) = &analysis.local {
        let form = match call.shape {
            LocalShape::Function(_) | LocalShape::Procedure(_) => "()",
            LocalShape::View(_) | LocalShape::Show | LocalShape::Set(_) => "",
        };
        notes.push(format!("answered by the gateway: hallpass.{}{form}", call.name));
    }
    if let Some(name) = &analysis.executes {
        notes.push(format!("and what the session's prepared statement {name} needs"));
    }
    if let Some(name) = &analysis.fetches {
        notes.push(format!("and what the session's cursor {name} needs"));
    }
    if analysis.writes {
        notes.push("may change something".to_owned());
    }
    if analysis.returns_user_rows {
        notes.push("returns rows of tables: capped without sql.export".to_owned());
    }
    notes.join("; ")
}

pub(super) fn reason(need: &Need) -> String {
    match need.on {
        NeedOn::WholeTarget | NeedOn::Code | NeedOn::Moved { .. } => {
            format!("{} (a grant on ALL tables)", need.why)
        }
        NeedOn::Nobody => format!("{} (nobody may, whatever is granted)", need.why),
        NeedOn::Relation { .. } | NeedOn::Anything => need.why.clone(),
    }
}

fn grant_text(grant: &Grant, now: Timestamp) -> String {
    format!(
        "{} on {}, ends {}",
        grant.permissions.short_list(),
        grant.scope,
        show_distance(now, grant.window.until)
    )
}

fn access_word(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::Write => "written",
        Access::LockRows => "rows locked",
        Access::LockTable => "locked",
        Access::Define => "defined",
        Access::Refer => "referred to",
    }
}

/// Three columns: the label once for rows that share it, the subject, the rest.
pub(super) fn push_rows(rows: &[(&str, String, String)], text: &mut String) {
    let labels = rows.iter().map(|r| r.0.len()).max().unwrap_or(0);
    let subjects = rows.iter().filter(|r| !r.2.is_empty()).map(|r| r.1.chars().count());
    let subjects = subjects.max().unwrap_or(0);
    let mut before = "";
    for (label, subject, rest) in rows {
        let shown = if *label == before { "" } else { label };
        let line = format!("  {shown:<labels$}  {subject:<subjects$}  {rest}");
        text.push_str(line.trim_end());
        text.push('\n');
        before = label;
    }
}

/// The beginning of a statement, on one line.
pub(super) fn one_line(sql: &str) -> String {
    let mut line = String::new();
    for word in sql.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > SHOWN {
            let cut: String = line.chars().take(SHOWN).collect();
            return format!("{cut} …");
        }
    }
    line
}

impl Court<'_> {
    /// Says what is missing where the catalog can't be read.
    pub(super) fn preface(&self, text: &mut String) {
        if let Some(error) = &self.unreachable {
            text.push_str(&format!(
                "The catalog of {} can't be read: {error}.\nWithout it tables and routines are \
                 unknown; what follows may ask for more than is needed.\n\n",
                self.target.name
            ));
        }
    }
}

/// For programs.
impl Trial<'_> {
    /// All but what is said of the statements.
    pub(super) fn json(&self) -> Value {
        let unreachable = &self.court.unreachable;
        json!({
            "target": self.court.target.name,
            "catalog": if unreachable.is_none() { "read" } else { "unreachable" },
            "catalog_error": unreachable.as_ref().map(ToString::to_string),
            "understood": self.read.is_ok(),
            "not_understood": self.read.as_ref().err().map(unreadable_json),
            "verdict": self.verdict.as_ref().map(Verdict::json),
        })
    }
}

/// For programs.
impl Explanation<'_> {
    fn json(&self) -> Value {
        let trial = &self.0;
        let statements: Vec<Value> = match &trial.read {
            Ok(batch) => batch.statements.iter().map(|a| self.statement_json(a)).collect(),
            Err(_) => Vec::new(),
        };
        let mut json = trial.json();
        json["fingerprint"] = json!(trial.read.as_ref().ok().map(|b| b.fingerprint.as_ref()));
        json["statements"] = statements.into();
        json
    }

    fn statement_json(&self, analysis: &Analysis) -> Value {
        let relations: Vec<Value> = analysis
            .relations
            .iter()
            .map(|r| {
                json!({
                    "schema": r.schema,
                    "name": r.name,
                    "access": access_word(r.access),
                    "known": r.oid.is_some(),
                    "is_catalog": r.is_catalog,
                })
            })
            .collect();
        let routines: Vec<String> =
            analysis.routines.iter().map(|routine| routine.name.to_string()).collect();
        json!({
            "text": self.0.statement_text(analysis),
            "class": analysis.class.name(),
            "needs": analysis.needs.iter().map(need_json).collect::<Vec<_>>(),
            "relations": relations,
            "routines": routines,
            "executes": analysis.executes,
            "fetches": analysis.fetches,
            "columns": self.0.outputs(analysis).iter().map(Output::json).collect::<Vec<_>>(),
            "writes": analysis.writes,
            "returns_user_rows": analysis.returns_user_rows,
            "answered_by_gateway": analysis.class == StatementClass::Hallpass,
        })
    }
}

impl Verdict {
    fn json(&self) -> Value {
        let mut json = json!({
            "principal": self.principal,
            "disabled": self.disabled,
            "passes": self.passes(),
            "standing": self.rights.standing,
            "held": self.rights.held(),
            "grants": [],
            "row_cap": null,
            "byte_cap": null,
            "missing": [],
            "refusal": null,
        });
        match &self.answer {
            Answer::Passes(permit) => {
                json["grants"] = permit
                    .grants()
                    .iter()
                    .map(|g| json!({"id": g.id.to_string(), "until": show_time(g.window.until)}))
                    .collect();
                json["row_cap"] = json!(permit.row_cap());
                json["byte_cap"] = json!(permit.byte_cap());
            }
            Answer::Refused { refusal, denial } => {
                json["missing"] = denial
                    .iter()
                    .flat_map(|d| &d.missing)
                    .map(|m| {
                        let mut need = need_json(&m.need);
                        need["out_of_scope"] = json!(m.out_of_scope);
                        need
                    })
                    .collect();
                json["refusal"] = json!({
                    "kind": refusal.kind.name(),
                    "sqlstate": refusal.kind.codes().sqlstate,
                    "message": refusal.message,
                    "detail": refusal.detail,
                    "hint": refusal.hint,
                });
            }
        }
        json
    }
}

pub(super) fn need_json(need: &Need) -> Value {
    let on = match &need.on {
        NeedOn::Relation { schema, name, of: _ } => json!({"schema": schema, "name": name}),
        NeedOn::WholeTarget | NeedOn::Code | NeedOn::Moved { .. } => json!("target"),
        NeedOn::Nobody => json!("nobody"),
        NeedOn::Anything => Value::Null,
    };
    json!({"permission": need.permission.name(), "on": on, "why": need.why})
}

fn unreadable_json(why: &Unreadable) -> Value {
    let (kind, position) = match why {
        Unreadable::Syntax { position, .. } => ("syntax", *position),
        Unreadable::Ambiguous { .. } => ("ambiguous", None),
        Unreadable::TooLarge { .. } => ("too_large", None),
        Unreadable::NotAnswered { .. } => ("not_answered", None),
        Unreadable::Disagreement => ("disagreement", None),
    };
    json!({"kind": kind, "message": why.to_string(), "position": position})
}
