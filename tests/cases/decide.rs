//! The stage and the answers of `tests/cases/decide`.

use std::sync::Arc;

use hallpass::kernel::{
    access::{AtEnd, Grant, PermissionSet, Rights, Scope, grant::Revocation},
    ids::{GrantId, Principal, TargetName},
    policy::{Decision, decide, decide::Caps},
    sql::analysis::Analysis,
    time::{Timestamp, Window},
};

use crate::Stage;

/// As in the settings, unless somebody says otherwise.
const CAPS: Caps = Caps { rows: 1000, bytes: 10 << 20, catalog_bytes: 100 << 20 };
const ROW_BUDGET: u64 = 50_000;

/// A text, and what the session holds.
pub(crate) struct Case {
    text: crate::Case,
    standing: PermissionSet,
    grants: Vec<Arc<Grant>>,
    now: Timestamp,
}

impl Default for Case {
    fn default() -> Self {
        let (text, standing) = (crate::Case::default(), PermissionSet::default());
        Self { text, standing, grants: Vec::new(), now: clock("12:00") }
    }
}

impl Stage for Case {
    fn line(&mut self, line: &str) {
        if let Some(list) = line.strip_prefix("-- stands: ") {
            self.standing = PermissionSet::parse_list(list).expect("permissions");
        } else if let Some(time) = line.strip_prefix("-- now: ") {
            self.now = clock(time);
        } else if let Some((id, rest)) = line.strip_prefix("-- G-").and_then(|l| l.split_once(": "))
        {
            self.grants.push(Arc::new(grant(id.parse().expect("a number"), rest)));
        } else {
            self.text.line(line);
        }
    }

    fn sql(&self) -> &str {
        self.text.sql()
    }

    fn answer(&self) -> String {
        let batch = match self.text.read() {
            Ok(batch) => batch,
            Err(why) => return format!("unreadable: {why}"),
        };
        let rights = Rights::at(self.now, self.standing, &self.grants);
        let analyses = batch.statements.iter().map(|a| -> &Analysis { a });
        match decide(analyses, &rights, CAPS, self.now) {
            Decision::Permit(permit) => {
                let mut parts = vec!["permit".to_owned()];
                parts.extend(permit.grant_ids().map(|id| id.to_string()));
                parts.extend(permit.row_cap().map(|rows| format!("cap {rows}")));
                if permit.needs_write() {
                    parts.push("opens the wall".to_owned());
                }
                parts.join("; ")
            }
            Decision::Denial(denial) => {
                let refusal = denial.refusal();
                let detail = refusal.detail.as_deref().unwrap_or_default();
                let hint = refusal.hint.as_deref().unwrap_or_default();
                format!("denial: {} | {detail} | {hint}", refusal.message)
            }
        }
    }
}

fn grant(id: u64, text: &str) -> Grant {
    let mut parts = text.split("; ");
    let permissions = parts.next().unwrap_or_default();
    let mut grant = Grant {
        id: GrantId(id),
        principal: Principal::new("alice"),
        target: TargetName::new("shop"),
        permissions: PermissionSet::parse_list(permissions).expect("permissions"),
        scope: Scope::All,
        window: Window { from: clock("11:00"), until: clock("13:00") },
        max_rows: None,
        row_budget: ROW_BUDGET,
        rows_used: 0,
        at_end: AtEnd::Cancel,
        request: None,
        approved_by: "bob".to_owned(),
        reason: "INC-42".to_owned(),
        created: clock("10:00"),
        revoked: None,
    };
    for part in parts {
        let (key, value) = part.split_once(' ').expect("a key and a value");
        let number = || value.parse().expect("a number");
        match key {
            "on" => grant.scope = Scope::parse_list(value).expect("a scope"),
            "rows" => grant.max_rows = Some(number()),
            "budget" => grant.row_budget = number(),
            "used" => grant.rows_used = number(),
            "from" => grant.window.from = clock(value),
            "until" => grant.window.until = clock(value),
            "revoked" => {
                grant.revoked = Some(Revocation { at: clock(value), by: "bob".to_owned() });
            }
            other => panic!("`{other}` is nothing that a grant has"),
        }
    }
    grant
}

/// `12:30` of one day.
fn clock(time: &str) -> Timestamp {
    let (hours, minutes) = time.trim().split_once(':').expect("hours and minutes");
    let [hours, minutes] = [hours, minutes].map(|n| n.parse::<i64>().expect("a number"));
    Timestamp((hours * 60 + minutes) * 60_000_000)
}
