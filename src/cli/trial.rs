//! A statement on trial: read and judged as the gateway would, against the target's catalog and the mask
//! rules of now or of a file, and run nowhere.

mod outputs;

use std::{process::ExitCode, sync::Arc, time::Duration};

use crate::{
    cli::{
        Error, Workplace,
        serve::{
            catalogs,
            world::{self, connect_options},
        },
        workplace::now,
    },
    config::{Engine, Target},
    kernel::{
        access::Rights,
        catalog::Catalog,
        ids::Principal,
        mask::{Rule, Rules},
        policy::{Decision, Denial, Permit, decide, decide::Caps},
        refusal::Refusal,
        sql::{
            self, Context, Overlay, SearchPath, Trust,
            analysis::{Analysis, Batch, Unreadable},
            mode::LexMode,
            text::StatementText,
        },
        time::Timestamp,
    },
    net::tls,
    session::{
        gate::{self, Opinion},
        parsers,
    },
    store::{self, Masks},
    upstream::{Control, UpstreamError, catalog, mysql},
};

pub(super) use outputs::{Output, Shows};

/// How long one answer of the target may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A target as it is now, to try statements on.
pub(super) struct Court<'a> {
    place: &'a Workplace,
    pub(super) target: &'a Target,
    pub(super) catalog: Arc<Catalog>,
    /// Why the catalog isn't known; then every column may be masked if any rule is for the target.
    pub(super) unreachable: Option<UpstreamError>,
    pub(super) rules: Arc<Rules>,
    asked: Option<Asked>,
}

/// What came of a text.
pub(super) struct Trial<'a> {
    pub(super) court: &'a Court<'a>,
    pub(super) sql: &'a str,
    pub(super) read: Result<Batch, Unreadable>,
    pub(super) verdict: Option<Verdict>,
}

/// The answer for one principal.
pub(super) struct Verdict {
    pub(super) principal: Principal,
    pub(super) disabled: bool,
    pub(super) now: Timestamp,
    pub(super) rights: Rights,
    pub(super) needs_nothing: bool,
    pub(super) answer: Answer,
}

pub(super) enum Answer {
    Passes(Permit),
    Refused { refusal: Refusal, denial: Option<Denial> },
}

/// What somebody holds now.
struct Asked {
    principal: Principal,
    disabled: bool,
    now: Timestamp,
    rights: Rights,
}

/// The target of that name.
pub(super) fn target<'p>(place: &'p Workplace, name: &str) -> Result<&'p Target, Error> {
    place.config.target(name).ok_or_else(|| {
        let known: Vec<&str> = place.config.targets.iter().map(|t| t.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Error::NoSuchTarget { name: name.to_owned(), known }
    })
}

impl<'a> Court<'a> {
    /// Reads the target's catalog and the store. `rules`: others than the store's; `principal`: who
    /// would send the statements.
    pub(super) async fn sit(
        place: &'a Workplace,
        name: &str,
        rules: Option<Vec<Rule>>,
        principal: Option<&str>,
    ) -> Result<Self, Error> {
        let target = target(place, name)?;
        let store = place.store().await?;
        // What can't be read is told; a gateway would go on by what it knew before.
        let version = store.masks().await?.rules.version;
        let now = store.time(now());
        let snapshot = store.snapshot(now).await?;
        store.close().await;
        let asked = match principal {
            Some(name) => {
                let principal = Principal::new(name);
                let state = snapshot.principal(name);
                let state = state.ok_or(store::Error::NoSuchPrincipal(principal.clone()))?;
                let now = now.max(snapshot.highest_time);
                let rights = snapshot.rights(&principal, &target.name, now);
                Some(Asked { principal, disabled: state.disabled, now, rights })
            }
            None => None,
        };
        let masks = match rules {
            Some(list) => Masks {
                rules: Arc::new(Rules { version, list }),
                key: Arc::clone(&snapshot.masks.key),
                trouble: None,
            },
            None => Masks::clone(&snapshot.masks),
        };
        let rules = Arc::clone(&masks.rules);
        // Fail closed: without the catalog nothing is known of any schema, so every one may come first.
        let (catalog, unreachable) = match read_catalog(target, false).await? {
            Ok(catalog) => (catalog, None),
            Err(error) => (Catalog::default(), Some(error)),
        };
        let catalog = Arc::new(catalogs::marked(catalog, &target.name, Arc::new(masks)).await);
        Ok(Self { place, target, catalog, unreachable, rules, asked })
    }

    /// Reads and judges a text.
    pub(super) async fn hear(&'a self, text: &'a str) -> Result<Trial<'a>, Error> {
        let limits = &self.place.config.limits;
        let limit = usize::try_from(limits.statement_bytes).unwrap_or(usize::MAX);
        let path = match self.target.engine {
            _ if self.catalog.is_unread() => SearchPath::Unknown,
            Engine::Postgres => SearchPath::Known(self.catalog.default_path.clone()),
            Engine::MySql | Engine::MariaDb => {
                let schema = Some(&self.target.database).filter(|schema| !schema.is_empty());
                SearchPath::Known(schema.into_iter().cloned().collect())
            }
        };
        let known = self.catalog.server_version_num;
        let mode = match self.target.engine {
            Engine::Postgres => LexMode::POSTGRES,
            Engine::MySql => LexMode { version: known, ..LexMode::MYSQL },
            Engine::MariaDb => LexMode { version: known, ..LexMode::MARIADB },
        };
        let trust = world::trust(self.target)?;
        let catalog = Arc::clone(&self.catalog);
        let read = analyze((text.to_owned(), limit), mode, catalog, path, trust).await;
        let masks = !self.catalog.marks.is_empty();
        let verdict = self.asked.as_ref().map(|a| a.judge(&read, (text, masks), limits.caps()));
        Ok(Trial { court: self, sql: text, read, verdict })
    }
}

/// Waits for nobody: a table that is being altered isn't worth it, and nothing is left waiting behind.
const IN_A_HURRY: &str = "SET lock_timeout = '1s'; SET statement_timeout = '5s'";

/// What a target contains. `hurry`: it may as well not be known.
pub(super) async fn read_catalog(
    target: &Target,
    hurry: bool,
) -> Result<Result<Catalog, UpstreamError>, Error> {
    tls::install_provider();
    if target.engine != Engine::Postgres {
        let options = world::mysql_log_ins(target)?.full;
        let read = async {
            let mut control = mysql::Control::connect(&options, PATIENCE).await?;
            mysql::catalog::read(&mut control, 1).await
        };
        return Ok(read.await);
    }
    let options = connect_options(target)?;
    let read = async {
        let mut control = Control::connect(&options, PATIENCE).await?;
        if hurry {
            control.simple_query(IN_A_HURRY).await?;
        }
        let catalog = catalog::read(&mut control, 1).await;
        control.close().await;
        catalog
    };
    Ok(read.await)
}

/// On a thread with a large stack, as the gateway does for large texts.
async fn analyze(
    (text, limit): (String, usize),
    mode: LexMode,
    catalog: Arc<Catalog>,
    path: SearchPath,
    trust: Trust,
) -> Result<Batch, Unreadable> {
    let job = move || {
        let text = StatementText::new(text.as_bytes(), limit)
            .map_err(|bad| Unreadable::TooLarge { what: bad.to_string() })?;
        let cx = Context {
            mode,
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

impl Asked {
    /// As a session of this principal would be answered at this moment.
    fn judge(&self, read: &Result<Batch, Unreadable>, text: (&str, bool), caps: Caps) -> Verdict {
        let answer = match read {
            Ok(batch) => {
                let all = batch.statements.iter().map(AsRef::as_ref);
                match decide(all, &self.rights, caps, self.now) {
                    Decision::Permit(permit) => Answer::Passes(permit),
                    Decision::Denial(denial) => {
                        Answer::Refused { refusal: denial.refusal(), denial: Some(denial) }
                    }
                }
            }
            Err(why) => match gate::unreadable(why, text, &self.rights, caps, self.now) {
                Opinion::Permit(permit, _) => Answer::Passes(permit),
                Opinion::Refuse(refusal) => Answer::Refused { refusal, denial: None },
            },
        };
        let needs_nothing =
            read.as_ref().is_ok_and(|b| b.statements.iter().all(|a| a.needs.is_empty()));
        Verdict {
            principal: self.principal.clone(),
            disabled: self.disabled,
            now: self.now,
            rights: self.rights.clone(),
            needs_nothing,
            answer,
        }
    }
}

impl Verdict {
    pub(super) fn passes(&self) -> bool {
        !self.disabled && matches!(self.answer, Answer::Passes(_))
    }
}

impl Trial<'_> {
    pub(super) fn exit_code(&self) -> ExitCode {
        if self.court.unreachable.is_some() {
            ExitCode::from(4)
        } else if self.verdict.as_ref().is_some_and(|v| !v.passes()) {
            ExitCode::from(1)
        } else {
            ExitCode::SUCCESS
        }
    }

    pub(super) fn statement_text(&self, analysis: &Analysis) -> &str {
        self.sql.get(analysis.span.clone()).unwrap_or_default().trim()
    }

    /// What becomes of the columns of one statement's result, for the principal if there is one.
    pub(super) fn outputs(&self, analysis: &Analysis) -> Vec<Output> {
        // Refused, they are as she would see them were the rest not missing.
        let shown = self.verdict.as_ref().and_then(|verdict| match &verdict.answer {
            Answer::Passes(permit) => permit.shown().map(Arc::clone),
            Answer::Refused { .. } => decide::seen([analysis], &verdict.rights, verdict.now),
        });
        outputs::of(analysis, self.court, &shown.unwrap_or_default())
    }
}
