//! The stage and the rounds that are played on it.

use std::{
    collections::HashMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    alike,
    moves::{self, Composer, Move},
    random::Random,
    support::{
        Gateway, Message, Postgres, RawClient, eventually,
        gateway::{Options, TARGET},
        postgres::{
            self, DATABASE, SUPERUSER, SUPERUSER_PASSWORD, UPSTREAM_PASSWORD, UPSTREAM_USER,
        },
        raw,
    },
    texts::{ADMIN, ALL, DDL, DML, EXPORT, OPEN, Rights},
    watch::{Known, Watch},
};

/// Rows of a result below export.
const CAP: usize = 40;
/// How long an answer may take before a session counts as stuck.
const STUCK: Duration = Duration::from_secs(4);
/// The database of the bare server's side.
const TWIN: &str = "shop_twin";
/// What must never be seen without the right to read it.
const CANARY: &str = "CANARY";

/// Seeds that have found something, tried first in each run.
fn found(kind: Kind) -> &'static [u64] {
    match kind {
        Kind::Alike => &[50_422, 50_523, 50_592, 50_730, 51_319, 60_174, 61_145, 70_729],
        Kind::Anything => &[61_621],
    }
}

const SETUP: &str = "SET SESSION AUTHORIZATION hallpass;
CREATE SCHEMA open;
CREATE SCHEMA closed;
CREATE TABLE open.t (v text);
INSERT INTO open.t VALUES ('open row'), ('another');
CREATE TABLE closed.t (v text);
INSERT INTO closed.t VALUES ('CANARY of the closed table');
CREATE TABLE public.w (v text);
CREATE TABLE public.late (v int UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE public.many AS SELECT 'row ' || i AS v FROM generate_series(1, 60) i;
CREATE SEQUENCE public.s;
CREATE SEQUENCE public.trap;
CREATE FUNCTION public.opened() RETURNS text STABLE LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_read_only') = 'off' THEN
        PERFORM nextval('public.trap');
    END IF;
    RETURN 'looked';
END $$;";

/// Who attacks.
const PEOPLE: [(&str, &str, &str, Rights); 6] = [
    ("nobody", "", "", 0),
    ("scoped", "select", "open.*", OPEN),
    ("reader", "select", "", ALL),
    ("writer", "select,dml", "", ALL | DML),
    ("builder", "select,export,dml,ddl", "", ALL | EXPORT | DML | DDL),
    (
        "root",
        "explain,info,select,export,dml,ddl,admin,unmask",
        "",
        ALL | EXPORT | DML | DDL | ADMIN,
    ),
];

/// What a round is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Only what a bare server answers alike; compared with one.
    Alike,
    /// Whatever there is.
    Anything,
}

/// A server with both databases, the gateway, and everybody's secrets.
pub(crate) struct Stage {
    server: Postgres,
    gateway: Gateway,
    secrets: Vec<String>,
    keeper: RawClient,
    twin_keeper: RawClient,
    watch: Watch,
    known: HashMap<String, Known>,
}

/// What came of one sequence.
struct Answer {
    messages: Vec<Message>,
    /// The last question was answered.
    in_step: bool,
}

impl Stage {
    pub(crate) fn start() -> Self {
        let options = postgres::Options {
            settings: vec![("log_min_duration_statement", "0".into())],
            ..Default::default()
        };
        let server = Postgres::start_with(&options);
        server.sql(SETUP);
        server.sql(&format!("CREATE DATABASE {TWIN} TEMPLATE {DATABASE} OWNER hallpass"));
        let options = Options {
            rest: format!("[limits]\nmax_rows = {CAP}\nconnections_per_principal = 100\n"),
            ..Options::default()
        };
        let gateway = Gateway::start_with(&server, &options);
        let secrets = PEOPLE
            .iter()
            .map(|(name, permissions, scope, _)| {
                let secret = gateway.principal(name, "developer");
                let mut more = vec!["--for", "12h", "--row-budget", "1000000000"];
                if !scope.is_empty() {
                    more.extend(["--scope", scope]);
                }
                if !permissions.is_empty() {
                    gateway.grant_with(name, permissions, &more);
                }
                secret
            })
            .collect();
        let keeper = |database: &str| {
            RawClient::connect(&server.address(), SUPERUSER, SUPERUSER_PASSWORD, database)
        };
        let (keeper, twin_keeper) = (keeper(DATABASE), keeper(TWIN));
        Self {
            server,
            gateway,
            secrets,
            keeper,
            twin_keeper,
            watch: Watch::default(),
            known: HashMap::new(),
        }
    }

    /// Plays rounds until the time is up, and looks at the records of each few dozen.
    pub(crate) fn play(mut self, kind: Kind, first: u64) {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let only: Option<u64> = number("HALLPASS_ATTACK_SEED");
        let seconds = number("HALLPASS_ATTACK_SECONDS").unwrap_or(8);
        let keep = number("HALLPASS_ATTACK_KEEP").is_some();
        let until = Instant::now() + Duration::from_secs(seconds);
        let mut seed = only.or(number("HALLPASS_ATTACK_START")).unwrap_or(first);
        let mut failures = 0;
        let found = if only.is_none() { found(kind) } else { &[] };
        let mut found = found.iter();
        eprintln!("{kind:?} from seed {seed}");
        loop {
            let again = found.next().copied();
            let mut wrong = self.round(kind, again.unwrap_or(seed));
            seed += u64::from(again.is_none());
            let over = only.is_some() || Instant::now() > until && found.len() == 0;
            if self.known.len() >= 30 || over || !wrong.is_empty() {
                wrong.extend(self.judge_records());
            }
            for what in &wrong {
                failures += 1;
                eprintln!("=== {kind:?} {what}\n");
            }
            if over || !keep && failures > 0 {
                break;
            }
        }
        eprintln!("{kind:?} up to seed {seed}");
        assert_eq!(failures, 0, "see above");
    }

    fn judge_records(&mut self) -> Vec<String> {
        let log: PathBuf = self.server.socket_folder().join("log");
        let trail = self.gateway.data().join("trail");
        let Self { watch, known, .. } = self;
        let closed = eventually(Duration::from_secs(20), || {
            watch.read(&log, &trail);
            watch.all_closed(known)
        });
        let mut wrong = Vec::new();
        if !closed {
            wrong.push("a session has not ended on the trail".to_owned());
        }
        // What the upstream had begun ends by itself.
        std::thread::sleep(Duration::from_millis(300));
        watch.read(&log, &trail);
        wrong.extend(watch.judge(known));
        known.clear();
        wrong
    }

    fn round(&mut self, kind: Kind, seed: u64) -> Vec<String> {
        let mut random = Random::new(seed);
        let person = random.below(PEOPLE.len());
        let holds = PEOPLE[person].3;
        let composed = Composer {
            random: &mut random,
            holds,
            alike: kind == Kind::Alike,
            application: format!("r{seed}"),
            next: seed * 1_000,
        }
        .sequence();
        let found = self.try_sequence(kind, (seed, 0), person, &composed);
        if found.is_empty() {
            return found;
        }
        eprintln!("seed {seed} fails: {}", found.join("\n"));
        let (least, found) = self.shrink(kind, (seed, person), (composed, found));
        let shown: Vec<&str> = least.iter().map(|m| m.shown.as_str()).collect();
        let name = PEOPLE[person].0;
        found.into_iter().map(|what| format!("seed {seed}, {name}: {what}\n{shown:#?}")).collect()
    }

    /// Leaves out what isn't needed to fail.
    fn shrink(
        &mut self,
        kind: Kind,
        (seed, person): (u64, usize),
        (mut least, mut found): (Vec<Move>, Vec<String>),
    ) -> (Vec<Move>, Vec<String>) {
        let mut tries = 0;
        loop {
            let before = least.len();
            let mut at = 0;
            while at < least.len() {
                let mut fewer = least.clone();
                fewer.remove(at);
                tries += 1;
                let again = self.try_sequence(kind, (seed, tries), person, &fewer);
                if again.is_empty() {
                    at += 1;
                } else {
                    (least, found) = (fewer, again);
                }
            }
            if least.len() == before {
                return (least, found);
            }
        }
    }

    /// Everything that is wrong at once about what came of a sequence.
    fn try_sequence(
        &mut self,
        kind: Kind,
        (seed, again): (u64, u64),
        person: usize,
        moves: &[Move],
    ) -> Vec<String> {
        let (name, _, _, holds) = PEOPLE[person];
        let application = format!("r{seed}.{again}");
        let mark = format!("end of {seed}");
        let mut moves = moves.to_vec();
        moves.push(moves::ending(&mark));
        let mut random = Random::new(seed ^ (again << 32));
        let trap = self.trap();
        let mut client = RawClient::open(&self.gateway.address());
        let start = [("user", name), ("database", TARGET), ("application_name", &*application)];
        client.startup(raw::PROTOCOL_3_0, &start);
        client.login(&self.secrets[person]).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let answer = converse(client, &pieces(&mut random, &moves), &mark);
        let mut wrong = Vec::new();
        let last = answer.messages.last();
        let ended = last.is_some_and(|m| alike::is_fatal(m) && m.field('C') == "08P01");
        if !answer.in_step && !ended {
            let last = &answer.messages[answer.messages.len().saturating_sub(3)..];
            wrong.push(format!("it ended out of step: {last:?}"));
        }
        wrong.extend(seen(holds, &answer.messages, &moves));
        if !moves::writes(holds) && self.trap() != trap {
            wrong.push("the session was writable".to_owned());
        }
        if kind == Kind::Alike {
            let said = (&*application, &*mark);
            wrong.extend(self.compare_with_a_bare_server(&moves, said, &answer));
        }
        self.clear();
        let rows = answer.messages.iter().filter(|m| matches!(m.tag, b'D' | b'd')).count();
        self.known.insert(
            format!("{name}/{application}"),
            Known {
                holds,
                said: moves::said(&moves),
                shown: moves.iter().map(|m| m.shown.clone()).collect(),
                rows: answer.in_step.then_some(rows as u64),
            },
        );
        wrong
    }

    fn compare_with_a_bare_server(
        &mut self,
        moves: &[Move],
        (application, mark): (&str, &str),
        answer: &Answer,
    ) -> Option<String> {
        let mut client = RawClient::open(&self.server.address());
        let start =
            [("user", UPSTREAM_USER), ("database", TWIN), ("application_name", application)];
        client.startup(raw::PROTOCOL_3_0, &start);
        client.login(UPSTREAM_PASSWORD).unwrap_or_else(|e| panic!("{e:?}"));
        let whole: Vec<u8> = moves.iter().flat_map(|m| m.twin.clone()).collect();
        let direct = converse(client, &[(whole, false)], mark);
        let differs = alike::difference(&direct.messages, &answer.messages);
        differs.or_else(|| {
            let contents = "SELECT (SELECT string_agg(v, ',' ORDER BY v) FROM public.w),
                (SELECT count(*) FROM public.late), (SELECT last_value FROM public.s)";
            let settled = |keeper: &mut RawClient| raw::rows(&keeper.query(contents));
            let (one, two) = (settled(&mut self.twin_keeper), settled(&mut self.keeper));
            (one != two).then(|| format!("directly it left {one:?}, through the gateway {two:?}"))
        })
    }

    fn trap(&mut self) -> Vec<Vec<String>> {
        raw::rows(&self.keeper.query("SELECT last_value, is_called FROM public.trap"))
    }

    fn clear(&mut self) {
        for keeper in [&mut self.keeper, &mut self.twin_keeper] {
            keeper.query(
                "TRUNCATE public.w, public.late; DROP TABLE IF EXISTS public.made;
                 SELECT setval('public.s', 1, false);
                 SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
            );
            keeper.record.clear();
        }
    }
}

/// What must not have come.
fn seen(holds: Rights, messages: &[Message], moves: &[Move]) -> Vec<String> {
    let mut wrong = Vec::new();
    let holds_word = |m: &Message, word: &str| {
        m.body.windows(word.len()).any(|window| window == word.as_bytes())
    };
    if holds & ALL != ALL && messages.iter().any(|m| holds_word(m, CANARY)) {
        wrong.push("a row came that is not covered".to_owned());
    }
    if holds & EXPORT == 0 {
        for tag in moves.iter().filter_map(|m| m.tag.as_deref()) {
            let count = messages.iter().filter(|m| m.tag == b'D' && holds_word(m, tag)).count();
            if count > CAP {
                wrong.push(format!("{count} rows of {tag} passed the cap"));
            }
        }
    }
    wrong
}

/// The bytes in the pieces they are sent in, and whether what comes is waited for behind each.
fn pieces(random: &mut Random, moves: &[Move]) -> Vec<(Vec<u8>, bool)> {
    let each = moves.iter().map(|m| m.sent.clone());
    match random.below(4) {
        0 => vec![(each.flatten().collect(), false)],
        1 => each.map(|bytes| (bytes, true)).collect(),
        2 => each.map(|bytes| (bytes, random.percent(15))).collect(),
        _ => {
            let whole: Vec<u8> = each.flatten().collect();
            let mut rest = whole.as_slice();
            let mut pieces = Vec::new();
            while !rest.is_empty() {
                let length = (1 + random.below(60)).min(rest.len());
                let (piece, behind) = rest.split_at(length);
                pieces.push((piece.to_vec(), random.percent(10)));
                rest = behind;
            }
            pieces
        }
    }
}

/// Sends all of it and reads until the last question is answered, or nobody is there.
fn converse(mut client: RawClient, pieces: &[(Vec<u8>, bool)], mark: &str) -> Answer {
    let start = client.record.len();
    for (bytes, wait) in pieces {
        if client.try_send_bytes(bytes).is_err() {
            break;
        }
        while *wait && !client.is_silent_for(Duration::from_millis(2)) {
            if !matches!(client.try_read(), Ok(Some(_))) {
                break;
            }
        }
    }
    // The question stands last and its answer may have come while something else was waited for.
    let is_mark = |m: &Message| m.tag == b'D' && m.body.ends_with(mark.as_bytes());
    let is_over = |record: &[Message]| {
        let end = record.iter().position(is_mark);
        end.is_some_and(|at| record[at..].iter().any(|m| m.tag == b'Z'))
    };
    client.wait_at_most(STUCK);
    let mut in_step = is_over(&client.record[start..]);
    while !in_step && let Ok(Some(message)) = client.try_read() {
        in_step = message.tag == b'Z' && is_over(&client.record[start..]);
        if alike::is_fatal(&message) {
            break;
        }
    }
    let messages = client.record.split_off(start);
    drop(client.try_send_bytes(&raw::frame(b'X', &[])));
    while let Ok(Some(_)) = client.try_read() {}
    Answer { messages, in_step }
}
