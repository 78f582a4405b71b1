//! `hallpass mask test`: what becomes of each column of a result, and why; or which columns are masked.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::{Value, json};

use super::{line, predicates};
use crate::{
    cli::{
        Error, Workplace,
        explain::{need_json, one_line, push_rows, reason, unreadable_text},
        output::table,
        trial::{Court, Output, Trial},
    },
    config::masks,
    kernel::{
        access::Permission,
        catalog::{Column, Relation},
        mask::{Rule, marks::Shown},
        sql::{
            analysis::{Analysis, Need},
            lineage::ColumnId,
        },
    },
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// On which target
    #[arg(long)]
    target: String,
    /// For whom: what she may see in clear counts, and whether it would pass
    #[arg(long = "as", value_name = "PRINCIPAL", requires = "sql")]
    principal: Option<String>,
    /// By the rules of a file for apply, not those in force
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// One or more statements, in quotes; without it: all masked columns of the target
    sql: Option<String>,
}

impl Arguments {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let rules = self.rules.as_deref().map(masks::load).transpose()?;
        let court = Court::sit(place, &self.target, rules, self.principal.as_deref()).await?;
        let Some(sql) = &self.sql else {
            let found = Columns::of(&court);
            place.output.answer(&found.json(&court, self), &found.text(&court))?;
            let code = if court.unreachable.is_some() { 4 } else { 0 };
            return Ok(ExitCode::from(code));
        };
        let trial = court.hear(sql).await?;
        place.output.answer(&self.json(&trial), &text(&trial))?;
        Ok(trial.exit_code())
    }

    fn json(&self, trial: &Trial<'_>) -> Value {
        let one = |analysis: &std::sync::Arc<Analysis>| {
            json!({
                "text": trial.statement_text(analysis),
                "columns": trial.outputs(analysis).iter().map(Output::json).collect::<Vec<_>>(),
                "needs": unmask(analysis).map(need_json).collect::<Vec<_>>(),
            })
        };
        let statements = trial.read.iter().flat_map(|batch| &batch.statements).map(one);
        let mut json = trial.json();
        json["statements"] = statements.collect::<Vec<_>>().into();
        self.add_rules(trial.court, &mut json);
        json
    }

    fn add_rules(&self, court: &Court<'_>, json: &mut Value) {
        json["version"] = court.rules.version.into();
        json["rules_file"] = json!(self.rules);
    }
}

/// What of the needs masks ask for.
fn unmask(analysis: &Analysis) -> impl Iterator<Item = &Need> {
    analysis.needs.iter().filter(|need| need.permission == Permission::Unmask)
}

fn text(trial: &Trial<'_>) -> String {
    let mut text = String::new();
    trial.court.preface(&mut text);
    match &trial.read {
        Ok(batch) => {
            for analysis in &batch.statements {
                statement(trial, analysis, &mut text);
            }
            if batch.statements.is_empty() {
                text.push_str("There is no statement in it.\n");
            }
        }
        Err(why) => text.push_str(&unreadable_text(why)),
    }
    if let Some(verdict) = &trial.verdict {
        verdict.text(&mut text);
    }
    text
}

fn statement(trial: &Trial<'_>, analysis: &Analysis, text: &mut String) {
    text.push_str(&one_line(trial.statement_text(analysis)));
    text.push('\n');
    let outputs = trial.outputs(analysis);
    let named = analysis.executes.as_ref().or(analysis.fetches.as_ref());
    if let Some(name) = named {
        text.push_str(&format!("Its columns are those of {name}, which only the session knows.\n"));
    } else if outputs.is_empty() {
        text.push_str("No masked column is in its result.\n");
    } else {
        let row = |(number, output): (usize, &Output)| {
            let name = output.name.as_deref().unwrap_or("–");
            let cells = [&number.to_string(), name, output.shows.text(), &output.why];
            cells.map(str::to_owned).to_vec()
        };
        let rows: Vec<_> = (1..).zip(&outputs).map(row).collect();
        text.push_str(&table(&["no", "column", "shows", "why"], &rows));
    }
    let needs: Vec<_> =
        unmask(analysis).map(|n| ("needs", n.permission.to_string(), reason(n))).collect();
    push_rows(&needs, text);
    text.push('\n');
}

/// All columns of a target that rules and what shows the same values mask.
struct Columns<'c> {
    rows: Vec<(&'c Relation, &'c Column, Output)>,
    /// Rules for the target that mean no column of it, by number.
    idle: Vec<(usize, &'c Rule)>,
}

impl<'c> Columns<'c> {
    fn of(court: &'c Court<'_>) -> Self {
        let marks = &court.catalog.marks;
        let mut rows = Vec::new();
        for relation in court.catalog.relations() {
            for column in &relation.columns {
                let label = marks.sensitive().label(relation.oid, column.number);
                if !label.is_clear() && marks.sensitive().reaches(relation.oid) {
                    let name =
                        Some(format!("{}.{}.{}", relation.schema, relation.name, column.name));
                    rows.push((relation, column, court.output(name, &label, &Shown::default())));
                }
            }
        }
        rows.sort_by_key(|(relation, column, _)| (&relation.schema, &relation.name, column.number));
        let name = court.target.name.as_str();
        let used = |number: usize| {
            let own = |(relation, column, _): &(&Relation, &Column, Output)| {
                let id = ColumnId { relation: relation.oid, number: column.number };
                marks.marked(id).is_some_and(|mark| mark.rule == number)
            };
            rows.iter().any(own)
        };
        let meant = (1..).zip(&court.rules.list).filter(|(_, rule)| rule.target.matches(name));
        let idle = meant.filter(|(number, _)| !used(*number)).collect();
        Self { rows, idle }
    }

    fn json(&self, court: &Court<'_>, arguments: &Arguments) -> Value {
        let row = |(relation, column, output): &(&Relation, &Column, Output)| {
            let mut json = output.json();
            json["type"] = json!(column.type_name);
            json["asked"] = json!(asked(court, relation, column));
            json
        };
        let error = &court.unreachable;
        let mut json = json!({
            "target": court.target.name,
            "catalog": if error.is_none() { "read" } else { "unreachable" },
            "catalog_error": error.as_ref().map(ToString::to_string),
            "columns": self.rows.iter().map(row).collect::<Vec<_>>(),
            "rules_without_columns": self.idle.iter().map(|(number, _)| number).collect::<Vec<_>>(),
        });
        arguments.add_rules(court, &mut json);
        json
    }

    fn text(&self, court: &Court<'_>) -> String {
        let mut text = String::new();
        court.preface(&mut text);
        let row = |(relation, column, output): &(&Relation, &Column, Output)| {
            vec![
                output.name.clone().unwrap_or_default(),
                column.type_name.clone(),
                output.shows.text().to_owned(),
                asked(court, relation, column).unwrap_or_default().to_owned(),
                output.why.clone(),
            ]
        };
        let rows: Vec<_> = self.rows.iter().map(row).collect();
        if court.unreachable.is_some() {
            text.push_str(
                "Until it can be, every column counts as masked where a rule is for the target.\n",
            );
        } else if rows.is_empty() {
            text.push_str(&format!("no column of {} is masked\n", court.target.name));
        } else {
            text.push_str(&table(&["column", "type", "shows", "asked", "why"], &rows));
        }
        for (number, rule) in &self.idle {
            text.push_str(&format!("rule {number} holds for no column here: {}\n", line(rule)));
        }
        text
    }
}

/// What may be asked of a column, where a rule means itself.
fn asked(court: &Court<'_>, relation: &Relation, column: &Column) -> Option<&'static str> {
    let id = ColumnId { relation: relation.oid, number: column.number };
    court.catalog.marks.marked(id).map(|mark| predicates(mark.predicates))
}
