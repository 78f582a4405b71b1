//! `hallpass explain`: what a statement needs and why, and whether it would pass for somebody now.
//!
//! It asks the target for its catalog, as the gateway does, and runs nothing else there. Without the
//! catalog it still answers, says so, and ends with exit code 4: what nothing is known of counts as
//! what it may be at worst.

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::{
        Error, Workplace,
        output::{show_distance, show_time},
        serve::world::{self, connect_options},
        workplace::now,
    },
    config::Target,
    kernel::{
        access::{Grant, Rights},
        catalog::Catalog,
        ids::Principal,
        policy::{Decision, Denial, Permit, decide, decide::Caps},
        refusal::Refusal,
        sql::{
            self, Context, Overlay, SearchPath, Trust,
            analysis::{Analysis, Batch, LocalShape, Need, NeedOn, StatementClass, Unreadable},
            mode::LexMode,
            reading::Access,
            text::StatementText,
        },
        time::Timestamp,
    },
    net::tls,
    session::{
        gate::{self, Opinion},
        parsers,
    },
    store,
    upstream::{Control, UpstreamError, catalog},
};

/// How long one answer of the target may take.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// What came of the target's catalog.
enum Known {
    Read(Arc<Catalog>),
    Unreachable(UpstreamError),
}

/// What was found out.
struct Explanation<'a> {
    target: &'a Target,
    sql: &'a str,
    known: Known,
    read: Result<Batch, Unreadable>,
    verdict: Option<Verdict>,
}

/// The answer for one principal.
struct Verdict {
    principal: Principal,
    disabled: bool,
    now: Timestamp,
    rights: Rights,
    needs_nothing: bool,
    answer: Answer,
}

enum Answer {
    Passes(Permit),
    Refused { refusal: Refusal, denial: Option<Denial> },
}

impl Arguments {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let target = place.config.target(&self.target).ok_or_else(|| no_target(place, self))?;
        let trust = world::trust(target)?;
        let rights = match &self.principal {
            Some(name) => Some(rights(place, name, target).await?),
            None => None,
        };
        let known = read_catalog(target).await?;
        let limit = usize::try_from(place.config.limits.statement_bytes).unwrap_or(usize::MAX);
        let (catalog, path) = match &known {
            Known::Read(catalog) => {
                (Arc::clone(catalog), SearchPath::Known(catalog.default_path.clone()))
            }
            // Fail closed: nothing is known of any schema, so every one may come first.
            Known::Unreachable(_) => (Arc::default(), SearchPath::Unknown),
        };
        let read = analyze(self.sql.clone(), limit, catalog, path, trust).await;
        let caps = place.config.limits.caps();
        let verdict = rights.map(|asked| asked.judge(&read, &self.sql, caps));
        let explanation = Explanation { target, sql: &self.sql, known, read, verdict };
        place.output.answer(&explanation.json(), &explanation.text())?;
        Ok(explanation.exit_code())
    }
}

fn no_target(place: &Workplace, asked: &Arguments) -> Error {
    let known: Vec<&str> = place.config.targets.iter().map(|t| t.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Error::NoSuchTarget { name: asked.target.clone(), known }
}

async fn read_catalog(target: &Target) -> Result<Known, Error> {
    tls::install_provider();
    let options = connect_options(target)?;
    let read = async {
        let mut control = Control::connect(&options, PATIENCE).await?;
        let catalog = catalog::read(&mut control, 1).await;
        control.close().await;
        catalog
    };
    Ok(match read.await {
        Ok(catalog) => Known::Read(Arc::new(catalog)),
        Err(error) => Known::Unreachable(error),
    })
}

/// On a thread with a large stack, as the gateway does for large texts.
async fn analyze(
    text: String,
    limit: usize,
    catalog: Arc<Catalog>,
    path: SearchPath,
    trust: Trust,
) -> Result<Batch, Unreadable> {
    let job = move || {
        let text = StatementText::new(text.as_bytes(), limit)
            .map_err(|bad| Unreadable::TooLarge { what: bad.to_string() })?;
        let cx = Context {
            mode: LexMode::POSTGRES,
            catalog: &catalog,
            path: &path,
            overlay: &Overlay::default(),
            trust: &trust,
        };
        sql::analyze(&text, &cx)
    };
    // Fail closed: a reading that came to no end is none.
    let nobody = Principal::new("explain");
    parsers::submit(&nobody, job).await.unwrap_or_else(|_| {
        Err(Unreadable::TooLarge { what: "reading it came to no end".to_owned() })
    })
}

/// What somebody holds now.
struct Asked {
    principal: Principal,
    disabled: bool,
    now: Timestamp,
    rights: Rights,
}

async fn rights(place: &Workplace, name: &str, target: &Target) -> Result<Asked, Error> {
    let store = place.store().await?;
    let now = store.time(now());
    let snapshot = store.snapshot(now).await?;
    store.close().await;
    let principal = Principal::new(name);
    let state =
        snapshot.principal(name).ok_or_else(|| store::Error::NoSuchPrincipal(principal.clone()))?;
    let now = now.max(snapshot.highest_time);
    let rights = snapshot.rights(&principal, &target.name, now);
    Ok(Asked { principal, disabled: state.disabled, now, rights })
}

impl Asked {
    /// As a session of this principal would be answered at this moment.
    fn judge(self, read: &Result<Batch, Unreadable>, text: &str, caps: Caps) -> Verdict {
        let Self { principal, disabled, now, rights } = self;
        let answer = match read {
            Ok(batch) => {
                let all = batch.statements.iter().map(AsRef::as_ref);
                match decide(all, &rights, caps, now) {
                    Decision::Permit(permit) => Answer::Passes(permit),
                    Decision::Denial(denial) => {
                        Answer::Refused { refusal: denial.refusal(), denial: Some(denial) }
                    }
                }
            }
            Err(why) => answer_of(gate::unreadable(why, (text, false), &rights, caps, now)),
        };
        let needs_nothing =
            read.as_ref().is_ok_and(|b| b.statements.iter().all(|a| a.needs.is_empty()));
        Verdict { principal, disabled, now, rights, needs_nothing, answer }
    }
}

fn answer_of(opinion: Opinion) -> Answer {
    match opinion {
        Opinion::Permit(permit, _) => Answer::Passes(permit),
        Opinion::Refuse(refusal) => Answer::Refused { refusal, denial: None },
    }
}

impl Verdict {
    fn passes(&self) -> bool {
        !self.disabled && matches!(self.answer, Answer::Passes(_))
    }
}

impl Explanation<'_> {
    fn exit_code(&self) -> ExitCode {
        if matches!(self.known, Known::Unreachable(_)) {
            ExitCode::from(4)
        } else if self.verdict.as_ref().is_some_and(|v| !v.passes()) {
            ExitCode::from(1)
        } else {
            ExitCode::SUCCESS
        }
    }

    fn statement_text(&self, analysis: &Analysis) -> &str {
        self.sql.get(analysis.span.clone()).unwrap_or_default().trim()
    }
}

/// For people.
impl Explanation<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        if let Known::Unreachable(error) = &self.known {
            text.push_str(&format!(
                "The catalog of {} can't be read: {error}.\nWithout it tables and routines are \
                 unknown; what follows may ask for more than is needed.\n\n",
                self.target.name
            ));
        }
        match &self.read {
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
        if let Some(verdict) = &self.verdict {
            verdict.text(&mut text);
        }
        text
    }

    fn statement(&self, analysis: &Analysis, text: &mut String) {
        text.push_str(&one_line(self.statement_text(analysis)));
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
        push_rows(&rows, text);
        text.push('\n');
    }
}

impl Verdict {
    fn text(&self, text: &mut String) {
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

fn unreadable_text(why: &Unreadable) -> String {
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

fn reason(need: &Need) -> String {
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
fn push_rows(rows: &[(&str, String, String)], text: &mut String) {
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
fn one_line(sql: &str) -> String {
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

/// For programs.
impl Explanation<'_> {
    fn json(&self) -> Value {
        let (catalog, error) = match &self.known {
            Known::Read(_) => ("read", None),
            Known::Unreachable(error) => ("unreachable", Some(error.to_string())),
        };
        let statements: Vec<Value> = match &self.read {
            Ok(batch) => batch.statements.iter().map(|a| self.statement_json(a)).collect(),
            Err(_) => Vec::new(),
        };
        json!({
            "target": self.target.name,
            "catalog": catalog,
            "catalog_error": error,
            "understood": self.read.is_ok(),
            "not_understood": self.read.as_ref().err().map(unreadable_json),
            "fingerprint": self.read.as_ref().ok().map(|b| b.fingerprint.as_ref()),
            "statements": statements,
            "verdict": self.verdict.as_ref().map(Verdict::json),
        })
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
            "text": self.statement_text(analysis),
            "class": analysis.class.name(),
            "needs": analysis.needs.iter().map(need_json).collect::<Vec<_>>(),
            "relations": relations,
            "routines": routines,
            "executes": analysis.executes,
            "fetches": analysis.fetches,
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

fn need_json(need: &Need) -> Value {
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
