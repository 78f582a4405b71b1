//! The same through a gateway: under exactly what the analysis says a statement needs, it passes, and
//! its reply is the server's own; with one right less it is refused, and the server never hears of it.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};

use hallpass::kernel::{
    access::{AtEnd, Grant, Permission, PermissionSet, Rights, Scope},
    ids::{GrantId, Principal, TargetName},
    policy::{Decision, decide, decide::Caps},
    sql::analysis::{Analysis, Need, NeedOn},
    time::{Timestamp, Window},
};

use super::{
    fits_a_transaction,
    generate::Dice,
    harms,
    laboratory::{Laboratory, first_number},
    same_key,
    server::{Session, say, status},
    support::{
        Gateway, Message, PATIENCE, Postgres, RawClient, eventually,
        gateway::TARGET,
        postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
        raw,
    },
};

/// How many statements of each class are tried.
const SAMPLE: [(&str, usize); 7] = [
    ("explain", 3),
    ("info", 5),
    ("select", 9),
    ("export", 2),
    ("dml", 9),
    ("ddl", 5),
    ("admin", 4),
];

/// Statements of the other test are not looked at again.
const APART: u64 = 500_000;

/// Some classes are rare.
const TRIES: u64 = 20_000;

/// As the gateway's without settings.
const CAPS: Caps = Caps { rows: 1000, bytes: 10 << 20, catalog_bytes: 100 << 20 };

/// A permission, on a relation or on everything.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Held {
    permission: Permission,
    on: Option<(String, String)>,
}

/// One statement and what is held for it.
struct Case {
    number: u64,
    sql: String,
    held: Vec<Held>,
    /// Without this one it must be refused.
    less: usize,
    /// Behind it names mean what they meant.
    settled: bool,
}

/// What became of all cases.
pub(crate) fn findings(laboratory: &Laboratory, times: usize) -> Vec<String> {
    let cases = sample(laboratory, times);
    let gateway = Gateway::start(&laboratory.server);
    let mut people: Vec<Person> = cases.iter().map(|case| Person::add(&gateway, case)).collect();
    wait_for(&gateway, people.last());
    let mut found = Vec::new();
    for (case, person) in cases.iter().zip(&people) {
        found.extend(passes(&laboratory.server, &gateway, case, person));
    }
    for (case, person) in cases.iter().zip(&mut people) {
        gateway.must(&["grant", "revoke", &person.grants.remove(case.less)]);
    }
    // What was revoked last is noticed last.
    std::thread::sleep(Duration::from_secs(1));
    for (case, person) in cases.iter().zip(&people) {
        found.extend(is_refused(&gateway, case, person));
    }
    let log = laboratory.server.log();
    for case in cases.iter().filter(|case| log.contains(&case.marked("less"))) {
        found.push(format!("{}: the server was told with less: {}", case.number, case.sql));
    }
    eprintln!("{} statements through the gateway", cases.len());
    found
}

fn sample(laboratory: &Laboratory, times: usize) -> Vec<Case> {
    let mut left: BTreeMap<&str, usize> =
        SAMPLE.iter().map(|(class, count)| (*class, count * times)).collect();
    let mut direct = Session::open(&laboratory.server);
    let mut cases = Vec::new();
    let mut number = first_number() + APART;
    while left.values().any(|count| *count > 0) && number < first_number() + APART + TRIES {
        number += 1;
        let sql = laboratory.statement(number);
        let Ok(batch) = laboratory.analyze(&sql) else { continue };
        let analyses: Vec<&Analysis> = batch.statements.iter().map(|a| &**a).collect();
        let class = analyses.iter().map(|a| a.class).max().map_or("session", |class| class.name());
        let room = left.get_mut(class).filter(|count| **count > 0);
        let (Some(room), true) = (room, fits(&analyses, &sql)) else { continue };
        let Some((held, less)) = least(&analyses, number) else { continue };
        if direct.witness(&sql).error.is_none() {
            *room -= 1;
            let settled = analyses.iter().all(|a| a.effects.is_empty());
            cases.push(Case { number, sql, held, less, settled });
        }
    }
    cases
}

/// What a simple transaction around it doesn't change.
fn fits(analyses: &[&Analysis], sql: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    let ends = ["commit", "rollback", "abort", "end", "prepare transaction"];
    !analyses.is_empty()
        && fits_a_transaction(analyses, sql)
        && !harms(sql)
        && !ends.iter().any(|word| lower.contains(word))
        && analyses.iter().all(|a| a.hidden.is_none())
}

/// Exactly what these statements need, and one of it without which they are refused. `None`: nobody may
/// run them, or they need nothing.
fn least(analyses: &[&Analysis], number: u64) -> Option<(Vec<Held>, usize)> {
    let mut held: Vec<Held> = Vec::new();
    for need in analyses.iter().flat_map(|a| &a.needs) {
        held.push(holding(need)?);
    }
    held.sort();
    held.dedup();
    let whole: Vec<Permission> =
        held.iter().filter(|h| h.on.is_none()).map(|h| h.permission).collect();
    held.retain(|h| h.on.is_none() || !whole.contains(&h.permission));
    if !allowed(analyses, &held) {
        // Code runs, and the session may write: then dml must be held on everything.
        held.retain(|h| h.permission != Permission::Dml);
        held.push(Held { permission: Permission::Dml, on: None });
        assert!(allowed(analyses, &held), "{number}: {held:?} is not enough");
    }
    let needed: Vec<usize> = (0..held.len())
        .filter(|at| {
            let mut fewer = held.clone();
            fewer.remove(*at);
            !allowed(analyses, &fewer)
        })
        .collect();
    (!needed.is_empty()).then(|| (held, *Dice::new(number).pick(&needed)))
}

fn holding(need: &Need) -> Option<Held> {
    let on = match &need.on {
        NeedOn::Relation { schema, name, .. } if !schema.is_empty() => {
            Some((schema.clone(), name.clone()))
        }
        NeedOn::Relation { .. } | NeedOn::WholeTarget | NeedOn::Code | NeedOn::Moved { .. } => None,
        NeedOn::Anything => Some(("public".to_owned(), "people".to_owned())),
        NeedOn::Nobody => return None,
    };
    Some(Held { permission: need.permission, on })
}

/// What the kernel says to that.
fn allowed(analyses: &[&Analysis], held: &[Held]) -> bool {
    let grants: Vec<Arc<Grant>> = held.iter().map(|held| Arc::new(grant(held))).collect();
    let rights = Rights::at(NOON, PermissionSet::default(), &grants);
    let decision = decide(analyses.iter().copied(), &rights, CAPS, NOON);
    matches!(decision, Decision::Permit(_))
}

/// Version 3.0.
const PROTOCOL: i32 = 196_608;

const NOON: Timestamp = Timestamp(1_800_000_000_000_000);

fn grant(held: &Held) -> Grant {
    Grant {
        id: GrantId(1),
        principal: Principal::new("alice"),
        target: TargetName::new(TARGET),
        permissions: [held.permission].into_iter().collect(),
        scope: match held.scope() {
            Some(scope) => Scope::parse_list(&scope).expect("a scope"),
            None => Scope::All,
        },
        window: Window { from: Timestamp(0), until: Timestamp(i64::MAX) },
        max_rows: None,
        row_budget: 1_000_000,
        rows_used: 0,
        at_end: AtEnd::Cancel,
        request: None,
        approved_by: "bob".to_owned(),
        reason: "a test".to_owned(),
        created: Timestamp(0),
        revoked: None,
    }
}

impl Held {
    fn scope(&self) -> Option<String> {
        let (schema, name) = self.on.as_ref()?;
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        Some(format!("{}.{}", quoted(schema), quoted(name)))
    }
}

impl Case {
    /// The text with a word in front by which the server's log tells it apart.
    fn marked(&self, how: &str) -> String {
        format!("/* {how} {} */ {}", self.number, self.sql)
    }

    fn told(&self, what: &str) -> String {
        let mut text = format!("{}: {what}: {}\n      under", self.number, self.sql);
        for held in &self.held {
            let scope = held.scope().unwrap_or_else(|| "everything".to_owned());
            write!(text, " {} on {scope};", held.permission).expect("writes");
        }
        text
    }
}

/// Who holds what a case needs, and no more.
struct Person {
    name: String,
    secret: String,
    grants: Vec<String>,
}

impl Person {
    fn add(gateway: &Gateway, case: &Case) -> Self {
        let name = format!("n{}", case.number);
        let added = gateway.json(&["principal", "add", &name, "--role", "approver"]);
        let secret = added["secret"].as_str().expect("a secret").to_owned();
        let grants = case.held.iter().map(|held| give(gateway, &name, held)).collect();
        Self { name, secret, grants }
    }

    fn connect(&self, gateway: &Gateway) -> RawClient {
        gateway.connect(&self.name, &self.secret)
    }
}

fn give(gateway: &Gateway, name: &str, held: &Held) -> String {
    let allow = held.permission.to_string();
    let mut arguments = vec!["grant", "create", "--to", name, "--target", TARGET];
    arguments.extend(["--allow", &allow, "--reason", "a test", "--for", "30m"]);
    let scope = held.scope();
    if let Some(scope) = &scope {
        arguments.extend(["--scope", scope]);
    }
    let made = gateway.json(&arguments);
    made["id"].as_str().unwrap_or_else(|| panic!("no id: {made}")).to_owned()
}

fn wait_for(gateway: &Gateway, last: Option<&Person>) {
    let Some(last) = last else { return };
    let known = || {
        let mut client = RawClient::open(&gateway.address());
        client.startup(PROTOCOL, &[("user", &last.name), ("database", TARGET)]);
        client.login(&last.secret).is_ok()
    };
    assert!(eventually(PATIENCE, known), "{} isn't known", last.name);
    std::thread::sleep(Duration::from_secs(1));
}

/// Straight to the server, under some name: through the gateway a session goes by the gateway's.
fn direct(server: &Postgres, name: &str) -> RawClient {
    let mut client = RawClient::open(&server.address());
    let named = [("user", UPSTREAM_USER), ("database", DATABASE), ("application_name", name)];
    client.startup(PROTOCOL, &named);
    client.login(UPSTREAM_PASSWORD).unwrap_or_else(|error| panic!("{error:?}"));
    client
}

/// What the client sees of a text in a transaction that is rolled back.
fn reply(client: &mut RawClient, sql: &str) -> Vec<Message> {
    client.query("BEGIN");
    let mut answer = say(client, sql);
    client.query("ROLLBACK");
    // When a status is told is the server's own affair.
    answer.retain(|message| !matches!(message.tag, b'S' | b'A'));
    answer
}

/// The statement, and behind it one with the same cache key: its analysis comes from the cache.
fn passes(server: &Postgres, gateway: &Gateway, case: &Case, person: &Person) -> Option<String> {
    let mut client = person.connect(gateway);
    let sql = case.marked("full");
    let mut texts = if case.settled { same_key::with_the_key_of(&sql) } else { Vec::new() };
    texts.truncate(2);
    texts.insert(0, sql);
    texts.iter().find_map(|sql| {
        let [one, other] = ["one", "other"].map(|name| reply(&mut direct(server, name), sql));
        let through = reply(&mut client, sql);
        match (raw::error(&one), raw::error(&through)) {
            (None, Some(error)) => Some(case.told(&format!("{error:?}"))),
            // What two sessions see differently says nothing.
            _ if one != other || one == through => None,
            _ => Some(case.told(&format!("{sql}: other replies: {one:?}\n      {through:?}"))),
        }
    })
}

fn is_refused(gateway: &Gateway, case: &Case, person: &Person) -> Option<String> {
    let answer = reply(&mut person.connect(gateway), &case.marked("less"));
    let less = case.held.get(case.less);
    let code = raw::error(&answer).map(|error| error.field('C'));
    let held_back = answer.iter().all(|message| matches!(message.tag, b'E' | b'Z'));
    if code.as_deref() == Some("42501") && held_back && status(&answer) == b'E' {
        return None;
    }
    Some(case.told(&format!("without {less:?} not refused but {answer:?}")))
}
