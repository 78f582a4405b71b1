//! `hallpass mask suggest`: proposes rules for the columns of a target that have none.

mod signs;

use std::{process::ExitCode, time::Duration};

use clap::Args;
use serde_json::{Value, json};

use self::signs::Holds;
use crate::{
    cli::{
        Error, Workplace,
        serve::world::{connect_options, mysql_log_ins},
        trial,
        workplace::now,
    },
    config::{Engine, Target, masks},
    kernel::{
        catalog::{Catalog, Column, Relation, RelationKind},
        mask::{ColumnFacts, Rule, Rules, marks::FIRST_USER_OID, rule::Form},
    },
    net::tls,
    upstream::{Control, UpstreamError, catalog, mysql, samples},
};

/// How long one answer of the target may take.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// For which target
    #[arg(long)]
    target: String,
    /// Look at up to 100 values of each text column whose name says nothing, with the gateway's own
    /// log-in; they are never shown, and the trail says that they were read
    #[arg(long)]
    samples: bool,
}

/// A column of a table of the target.
#[derive(Clone, Copy)]
struct Place<'c> {
    relation: &'c Relation,
    column: &'c Column,
    comment: Option<&'c str>,
}

/// A rule that is proposed, and why.
struct Proposal<'c> {
    place: Place<'c>,
    rule: Rule,
    why: String,
}

/// What was found, and what was passed over.
#[derive(Default)]
struct Found<'c> {
    proposals: Vec<Proposal<'c>>,
    /// Columns that have a rule.
    ruled: usize,
    /// Columns of names that no rule can have.
    odd: usize,
    /// Columns whose values could not be read.
    unread: usize,
}

impl Arguments {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let target = trial::target(place, &self.target)?;
        tls::install_provider();
        let store = place.store().await?;
        let rules = store.masks().await?.rules;
        let mut asked = Asked::connect(target).await?;
        let catalog = asked.catalog().await?;
        let (mut found, silent) = look(target, &rules, &catalog);
        if self.samples && !silent.is_empty() {
            let name = target.name.as_str();
            store.note_samples_read(&place.actor, now(), name, silent.len()).await?;
            look_at_values(&mut asked, target, &silent, &mut found).await?;
        }
        if let Asked::Postgres(control) = asked {
            control.close().await;
        }
        store.close().await;
        found.proposals.sort_by_key(|p| {
            (&p.place.relation.schema, &p.place.relation.name, p.place.column.number)
        });
        let json = Value::Array(found.proposals.iter().map(Proposal::json).collect());
        place.output.answer(&json, &text(target, &found, self.samples))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What names, types and comments say; and the columns of texts of which they say nothing.
fn look<'c>(target: &Target, rules: &Rules, catalog: &'c Catalog) -> (Found<'c>, Vec<Place<'c>>) {
    let (mut found, mut silent) = (Found::default(), Vec::new());
    for relation in catalog.relations().filter(|relation| is_place_of_data(relation)) {
        for column in &relation.columns {
            let comment = catalog.comment(relation.oid, column.number);
            let place = Place { relation, column, comment };
            if rules.first(target.name.as_str(), &place.facts()).is_some() {
                found.ruled += 1;
                continue;
            }
            let holds = Holds::of(&column.type_name);
            let said = match signs::by_name(&column.name, holds) {
                Some(sensitive) => Some((sensitive, format!("named like {}", sensitive.what()))),
                None => comment
                    .and_then(signs::by_comment)
                    .map(|word| (signs::Sensitive::Personal, format!("its comment says {word}"))),
            };
            match said {
                Some((sensitive, why)) => found.propose(target, place, sensitive, why),
                None if holds == Holds::Network => {
                    let sensitive = signs::Sensitive::NetworkAddress;
                    found.propose(target, place, sensitive, "by its type".to_owned());
                }
                None if is_readable(target, relation, column) => silent.push(place),
                None => {}
            }
        }
    }
    (found, silent)
}

/// Tables of the users' own. What views show comes from them, and partitions are their parent's.
fn is_place_of_data(relation: &Relation) -> bool {
    relation.oid >= FIRST_USER_OID
        && !relation.is_partition
        && matches!(relation.kind, RelationKind::Table | RelationKind::ForeignTable)
}

/// A connection to the target that is asked.
enum Asked {
    Postgres(Control),
    MySql(mysql::Control),
}

impl Asked {
    async fn connect(target: &Target) -> Result<Self, Error> {
        Ok(match target.engine {
            Engine::Postgres => {
                Self::Postgres(Control::connect(&connect_options(target)?, PATIENCE).await?)
            }
            Engine::MySql | Engine::MariaDb => {
                let log_in = mysql_log_ins(target)?.full;
                Self::MySql(mysql::Control::connect(&log_in, PATIENCE).await?)
            }
        })
    }

    async fn catalog(&mut self) -> Result<Catalog, UpstreamError> {
        match self {
            Self::Postgres(control) => catalog::read(control, 1).await,
            Self::MySql(control) => mysql::catalog::read(control, 1).await,
        }
    }

    async fn prepare(&mut self) -> Result<(), UpstreamError> {
        match self {
            Self::Postgres(control) => samples::prepare(control).await,
            Self::MySql(control) => mysql::samples::prepare(control).await,
        }
    }

    async fn values(&mut self, place: &Place<'_>) -> Result<Vec<String>, UpstreamError> {
        let (relation, column) = (place.relation, place.column);
        match self {
            Self::Postgres(control) => samples::read(control, relation, column).await,
            Self::MySql(control) => mysql::samples::read(control, relation, column).await,
        }
    }
}

fn is_readable(target: &Target, relation: &Relation, column: &Column) -> bool {
    match target.engine {
        Engine::Postgres => samples::is_readable(relation, column),
        Engine::MySql | Engine::MariaDb => mysql::samples::is_readable(relation, column),
    }
}

async fn look_at_values<'c>(
    asked: &mut Asked,
    target: &Target,
    silent: &[Place<'c>],
    found: &mut Found<'c>,
) -> Result<(), UpstreamError> {
    asked.prepare().await?;
    for place in silent {
        let values = match asked.values(place).await {
            Ok(values) => values,
            // The log-in may not read it, row security is in the way, or it took too long.
            Err(UpstreamError::Server(_)) => {
                found.unread += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Some(shape) = signs::by_values(values.iter().map(String::as_str)) {
            let (matching, of) = (shape.matching, shape.of);
            let why = format!("{matching} of {of} values look like {}", shape.sensitive.what());
            found.propose(target, *place, shape.sensitive, why);
        }
    }
    Ok(())
}

impl<'c> Place<'c> {
    fn facts(&self) -> ColumnFacts<'c> {
        ColumnFacts {
            schema: &self.relation.schema,
            table: &self.relation.name,
            column: &self.column.name,
            type_name: &self.column.type_name,
            comment: self.comment,
        }
    }

    /// As a rule names it.
    fn name(&self) -> String {
        let names = [&self.relation.schema, &self.relation.name, &self.column.name];
        names.map(|name| format!("\"{}\"", name.replace('"', "\"\""))).join(".")
    }
}

impl<'c> Found<'c> {
    fn propose(
        &mut self,
        target: &Target,
        place: Place<'c>,
        sensitive: signs::Sensitive,
        why: String,
    ) {
        let name = place.name();
        let form = Form {
            target: target.name.to_string(),
            column: Some(name.clone()),
            with: signs::algorithm(sensitive, Holds::of(&place.column.type_name)).to_owned(),
            ..Form::default()
        };
        match Rule::try_from(form) {
            // A file of rules takes no control characters.
            Ok(rule) if !name.contains(char::is_control) => {
                self.proposals.push(Proposal { place, rule, why });
            }
            Ok(_) | Err(_) => self.odd += 1,
        }
    }
}

impl Proposal<'_> {
    fn json(&self) -> Value {
        let mut json = json!(Form::from(self.rule.clone()));
        json["type"] = json!(self.place.column.type_name);
        json["reason"] = json!(self.why);
        json
    }
}

fn text(target: &Target, found: &Found<'_>, samples: bool) -> String {
    let mut text = format!(
        "# {} rules proposed for {}. They are guesses: read them, change them, look for what is missing.\n",
        found.proposals.len(),
        target.name
    );
    text.push_str(
        "# `hallpass mask apply FILE` replaces ALL rules: put these beside the ones you have.\n",
    );
    for (count, what) in [
        (found.ruled, "columns have a rule already"),
        (found.odd, "columns look sensitive, and have names that no rule in a file can have"),
        (found.unread, "columns of texts could not be read"),
    ] {
        if count > 0 {
            text.push_str(&format!("# {count} {what}.\n"));
        }
    }
    if !samples {
        text.push_str("# Values were not looked at; --samples does.\n");
    }
    for proposal in &found.proposals {
        let (_, column) = masks::selector(&proposal.rule);
        let type_name = &proposal.place.column.type_name;
        let about = format!("{column}, {type_name}: {}", proposal.why);
        text.push_str(&format!("\n# {}\n", about.replace(char::is_control, " ")));
        text.push_str(&masks::write(&proposal.rule));
    }
    text
}
