//! The server that statements are tried on, what is known of it, and the statements.

use std::{fs, path::Path, sync::Arc, time::Duration};

use hallpass::{
    kernel::{
        catalog::Catalog,
        sql::{
            analysis::{Batch, Unreadable},
            analyze,
            context::{Context, Overlay, SearchPath, Trust},
            mode::LexMode,
            text::StatementText,
        },
    },
    net::tls::{ClientTls, ClientTlsOptions, TlsMode},
    upstream::{Address, ConnectOptions, Control, Credential, catalog, credential::Source},
};

use super::{
    builtins,
    check::Belongings,
    corpus,
    generate::{self, Dice, Grammar},
    server::Session,
    support::{
        self, Postgres,
        postgres::{self, DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
    },
};

const GRAMMAR: &str = include_str!("statements.grammar");
const SCHEMA: &str = include_str!("schema.sql");
const CORPUS: &str = include_str!("../corpus/schema.sql");

/// Numbers of statements with one seed.
pub(crate) const PER_SEED: u64 = 1_000_000;

/// Texts of the corpus that are longer are many of the same.
const TEXT_BYTES_MAX: usize = 1500;

/// A number from the environment.
pub(crate) fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// The number of the first statement of this run.
pub(crate) fn first_number() -> u64 {
    from_environment("HALLPASS_DIFFER_SEED").unwrap_or(1) * PER_SEED
}

/// The parsers descend into what they read.
pub(crate) fn with_room(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(run);
    thread.expect("spawns").join().expect("passes");
}

/// A server with the corpus' database and the laboratory's schema in it.
pub(crate) struct Laboratory {
    pub(crate) server: Postgres,
    pub(crate) catalog: Catalog,
    path: SearchPath,
    grammar: Grammar,
    texts: Vec<String>,
}

impl Laboratory {
    pub(crate) fn start() -> Self {
        let server = Postgres::start_with(&postgres::Options {
            settings: vec![
                ("track_functions", "all".into()),
                ("max_prepared_transactions", "0".into()),
            ],
            ..postgres::Options::default()
        });
        server.sql(&format!(
            "SET client_min_messages = error;
             DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS billing CASCADE;
             CREATE SCHEMA public AUTHORIZATION {UPSTREAM_USER};
             SET SESSION AUTHORIZATION {UPSTREAM_USER}; {CORPUS}
             RESET SESSION AUTHORIZATION; {SCHEMA}"
        ));
        let mut grammar = Grammar::parse(GRAMMAR);
        builtins::add_calls(&mut grammar, &mut Session::open(&server));
        grammar.check();
        let catalog = catalog_of(&server, DATABASE);
        let path = SearchPath::Known(catalog.default_path.clone());
        Self { server, catalog, path, grammar, texts: corpus_texts() }
    }

    pub(crate) fn belongings(&self) -> Belongings {
        Belongings::read(&mut Session::open(&self.server))
    }

    /// What the gateway would say of this text at the beginning of a session.
    pub(crate) fn analyze(&self, sql: &str) -> Result<Batch, Unreadable> {
        let (overlay, trust) = (Overlay::default(), Trust::default());
        let cx = Context {
            mode: LexMode::POSTGRES,
            catalog: &self.catalog,
            path: &self.path,
            overlay: &overlay,
            trust: &trust,
        };
        let text = StatementText::new(sql.as_bytes(), 1 << 20)
            .map_err(|e| Unreadable::Ambiguous { what: e.to_string() })?;
        analyze(&text, &cx)
    }

    /// The statement of a number: the same number, the same statement.
    pub(crate) fn statement(&self, number: u64) -> String {
        let mut dice = Dice::new(number);
        match dice.below(5) {
            0 => {
                let text: &String = dice.pick(&self.texts);
                generate::mutated(text, &self.texts, &mut dice)
            }
            1 => {
                let call = self.grammar.text("any_call", &mut dice);
                dice.pick(&PLACES).replace("{}", &call)
            }
            2 => {
                let base = self.grammar.text("statement", &mut dice);
                generate::mutated(&base, &self.texts, &mut dice)
            }
            _ => self.grammar.text("statement", &mut dice),
        }
    }
}

/// Where calls of built-ins are put.
const PLACES: [&str; 8] = [
    "SELECT {}",
    "SELECT {} FROM people a",
    "SELECT * FROM people a WHERE ({})::text = 'x'",
    "SELECT * FROM people a ORDER BY {}",
    "INSERT INTO kids (x) SELECT ({})::text FROM people a LIMIT 1",
    "UPDATE people a SET x = ({})::text",
    "SELECT a.id FROM people a GROUP BY a.id HAVING ({}) IS NOT NULL",
    "EXPLAIN SELECT {} FROM people a",
];

/// What the gateway would know of a database.
pub(crate) fn catalog_of(server: &Postgres, database: &str) -> Catalog {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let options = ClientTlsOptions { mode: TlsMode::Disable, ca: None, certificate: None };
        let password = vec!["printf".into(), "%s".into(), UPSTREAM_PASSWORD.into()];
        let options = ConnectOptions {
            address: Address::Tcp { host: "127.0.0.1".into(), port: server.port() },
            tls: ClientTls::load(&options).expect("loads"),
            user: UPSTREAM_USER.into(),
            credential: Arc::new(Credential::new(Source::Command(password))),
            database: database.into(),
            minor: 2,
            timeout: support::PATIENCE,
            keepalive: Duration::from_secs(60),
        };
        let mut control = Control::connect(&options, support::PATIENCE).await.expect("connects");
        catalog::read(&mut control, 1).await.expect("reads")
    })
}

/// The corpus' texts: what everybody says, to be changed a little.
fn corpus_texts() -> Vec<String> {
    ["info", "select", "dml", "ddl", "session", "attacks"]
        .into_iter()
        .flat_map(corpus::read_folder)
        .flat_map(|(_, entries)| entries)
        .map(|entry| entry.sql)
        .chain(case_texts())
        .filter(|sql| sql.len() < TEXT_BYTES_MAX && !sql.contains('\0'))
        .collect()
}

/// The texts of the literate cases, without their answers and stages.
fn case_texts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/classify");
    let files = fs::read_dir(&folder).expect("cases").map(|file| file.expect("listed").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let mut texts = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("reads");
        for block in text.split("```sql\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            let lines = block.lines().filter(|line| !line.starts_with("-- "));
            let mut one = String::new();
            for line in lines {
                if line.starts_with("-->") {
                    texts.push(std::mem::take(&mut one).trim().to_owned());
                } else {
                    one.push_str(line);
                    one.push('\n');
                }
            }
        }
    }
    texts
}
