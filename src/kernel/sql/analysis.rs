//! What a statement does and what it needs, resolved against the catalog.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use crate::kernel::{
    access::Permission,
    mask::marks::Masked,
    sql::{
        constants::Guarded,
        reading::{Access, RoutineUse, SettingChange, StatementKind, Temporary, TransactionChange},
    },
};

/// What a statement does, in one word: for records, metrics and people.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StatementClass {
    /// Transaction control, harmless settings, names: needs no permission.
    Session,
    /// Plans.
    Explain,
    /// Catalogs and settings.
    Info,
    /// Reads user relations.
    Select,
    /// Hands out whole relations: COPY TO STDOUT.
    Export,
    /// Changes rows.
    Dml,
    /// Changes the schema.
    Ddl,
    /// Everything else.
    Admin,
    /// Answered by the gateway: `hallpass.*`.
    Hallpass,
}

impl StatementClass {
    /// As on record and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Explain => "explain",
            Self::Info => "info",
            Self::Select => "select",
            Self::Export => "export",
            Self::Dml => "dml",
            Self::Ddl => "ddl",
            Self::Admin => "admin",
            Self::Hallpass => "hallpass",
        }
    }
}

/// A relation after resolution.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ResolvedRelation {
    /// Its schema; for a name that nothing is known of, the schema as written or empty.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its oid, if the catalog knows it.
    pub oid: Option<u32>,
    /// What is done with it.
    pub access: Access,
    /// On the reviewed list of catalogs, so that `info` suffices to read it.
    pub is_catalog: bool,
}

impl std::fmt::Display for ResolvedRelation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.schema.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}.{}", self.schema, self.name)
        }
    }
}

/// A relation that a grant's scope must cover.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NeedOn {
    /// This relation. A name that nothing is known of has an empty schema unless one was written,
    /// and is then covered by unscoped grants only.
    Relation {
        /// Its schema.
        schema: String,
        /// Its name.
        name: String,
        /// What it belongs to, by schema and name: a partition to its partitioned tables, a sequence to
        /// the table whose column it fills. A scope that covers one of these covers it.
        of: Vec<(String, String)>,
    },
    /// Nothing in particular; but where a scoped grant can't be enough (DDL, admin, a call that may
    /// touch any table) only an unscoped one covers it.
    WholeTarget,
    /// Code of the target's own that says it doesn't write. An unscoped grant covers it; where the session
    /// may write, nothing but its own word keeps it from doing so, and dml must be unscoped too.
    Code,
    /// Rows that are put under another name or another table. The permission must be unscoped; and who
    /// holds select or dml on some tables only, these among which the rows come to lie, must hold it on
    /// where they lie until then: nobody moves rows into her scope, or in front of it on the search path.
    Moved {
        /// Where the rows lie.
        from: Box<NeedOn>,
        /// Where they come to lie, by schema and name; without a schema, under that name in any. `None`:
        /// nobody knows, or in many places.
        to: Option<(Option<String>, String)>,
        /// No row comes to be read there, but what is written there shows where the others lie: dml alone
        /// matters.
        written_only: bool,
    },
    /// Nothing: any grant of the permission covers it, scoped or not.
    Anything,
    /// Something that nobody may touch through the gateway: no permission covers it.
    Nobody,
}

/// One thing that must be allowed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Need {
    /// The permission.
    pub permission: Permission,
    /// On what.
    pub on: NeedOn,
    /// Why, to be read after "needs sql.dml: ": `writes public.orders`, `calls setval()`.
    pub why: String,
}

/// What a statement does to the state of its session that matters for judging the next ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionEffect {
    /// The transaction changes.
    Transaction(TransactionChange),
    /// A setting changes.
    Setting(SettingChange),
    /// DISCARD ALL.
    DiscardAll,
    /// DISCARD PLANS, TEMP or SEQUENCES.
    DiscardPart,
    /// PREPARE.
    Prepare {
        /// Its name.
        name: String,
        /// What running it does.
        inner: Arc<Analysis>,
    },
    /// DEALLOCATE; `None`: ALL.
    Deallocate(Option<String>),
    /// DECLARE CURSOR.
    Declare {
        /// Its name.
        name: String,
        /// WITH HOLD.
        holds: bool,
        /// What fetching does.
        inner: Arc<Analysis>,
    },
    /// CLOSE; `None`: ALL.
    Close(Option<String>),
    /// Creates or drops relations, types or routines: the catalog is stale when it commits, and
    /// names resolve differently from now on. The unqualified names touched.
    SchemaChange(Vec<String>),
    /// Relations of these names go by others behind it.
    Renamed(Vec<String>),
    /// Made a temporary table, and put nothing into it that rules of this version mask.
    MadeTemporary(Temporary, u64),
    /// Made a type of this name, or gave one this name.
    MadeType(String),
    /// MySQL: what is open is committed before it runs, and as a rule behind it.
    Commits,
    /// MySQL: USE.
    Use(String),
    /// MySQL: its warnings may quote values of rows which it doesn't return.
    Quotes,
    /// Runs code that may change any of this: the search path must be asked for again.
    RunsUserCode,
}

/// One of the statements that the gateway answers itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalCall {
    /// The function or view after `hallpass.`, lower case: `request`, `requests`.
    pub name: String,
    /// Function or view.
    pub shape: LocalShape,
    /// What the column of its answer is called, if the statement says.
    pub output: Option<String>,
}

impl LocalCall {
    /// One whose answer is called as it calls itself.
    pub fn new(name: String, shape: LocalShape) -> Self {
        Self { name, shape, output: None }
    }
}

/// How a local call is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LocalShape {
    /// `SELECT hallpass.f(…)` or `SELECT * FROM hallpass.f(…)`: a result set.
    Function(Vec<LocalArgument>),
    /// `CALL hallpass.f(…)`.
    Procedure(Vec<LocalArgument>),
    /// `SELECT … FROM hallpass.v`.
    View(LocalView),
    /// `SHOW hallpass.x`.
    Show,
    /// `SET hallpass.x = value`; `None`: DEFAULT or RESET.
    Set(Option<String>),
}

/// What is asked of a view.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LocalView {
    /// Output columns by name; empty: all. `count(*)` alone is the one name `count(*)`.
    pub columns: Vec<String>,
    /// `WHERE column = value AND …`.
    pub equals: Vec<(String, LocalArgument)>,
    /// `ORDER BY column [DESC]`.
    pub order: Vec<(String, bool)>,
    /// `LIMIT n`.
    pub limit: Option<u64>,
}

/// An argument of a local call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LocalArgument {
    /// A string or number constant, as text.
    Text(String),
    /// `$n` or the nth `?`, counted from 1.
    Parameter(u16),
    /// MySQL: `@name`, without the `@` and its quotes, in lower case: the session asks its server for it.
    Variable(String),
    /// NULL.
    Null,
}

impl LocalShape {
    /// The variables among its arguments, each as often as it stands there.
    pub fn variables(&self) -> Vec<String> {
        self.arguments()
            .filter_map(|argument| match argument {
                LocalArgument::Variable(name) => Some(name.clone()),
                LocalArgument::Text(_) | LocalArgument::Parameter(_) | LocalArgument::Null => None,
            })
            .collect()
    }

    /// Puts these values in the places of the variables, in their order.
    pub fn put_values(&mut self, values: Vec<Option<String>>) {
        let mut values = values.into_iter();
        let arguments: Box<dyn Iterator<Item = &mut LocalArgument>> = match self {
            Self::Function(arguments) | Self::Procedure(arguments) => {
                Box::new(arguments.iter_mut())
            }
            Self::View(view) => Box::new(view.equals.iter_mut().map(|(_, value)| value)),
            Self::Show | Self::Set(_) => return,
        };
        for argument in arguments.filter(|a| matches!(a, LocalArgument::Variable(_))) {
            *argument = values.next().flatten().map_or(LocalArgument::Null, LocalArgument::Text);
        }
    }

    fn arguments(&self) -> Box<dyn Iterator<Item = &LocalArgument> + '_> {
        match self {
            Self::Function(arguments) | Self::Procedure(arguments) => Box::new(arguments.iter()),
            Self::View(view) => Box::new(view.equals.iter().map(|(_, value)| value)),
            Self::Show | Self::Set(_) => Box::new(std::iter::empty()),
        }
    }
}

/// Columns of a result to be hidden from whoever doesn't hold admin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hidden {
    /// How many columns the result has.
    pub width: usize,
    /// Which are hidden, from 0. They are text.
    pub columns: BTreeSet<usize>,
    /// Only in rows whose first column says one of these, in whatever letters; `None`: in all.
    pub only: Option<&'static [&'static str]>,
}

impl Hidden {
    /// True of a row that begins with this.
    pub fn is_about(&self, first: Option<&[u8]>) -> bool {
        let Some(names) = self.only else { return true };
        // Fail closed: what says nothing may be one of them.
        first.is_none_or(|said| names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(said)))
    }
}

/// One statement, read and resolved. Immutable; shared by `Arc` from the cache.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Analysis {
    /// The bytes of the text it was read from, without the semicolon.
    pub span: Range<usize>,
    /// The kind of the top node.
    pub kind: StatementKind,
    /// What it does in one word.
    pub class: StatementClass,
    /// All that must be allowed. EXECUTE and FETCH list only their own part: what the named
    /// statement or cursor needs is added by the gate, from the session's table.
    pub needs: Vec<Need>,
    /// Every relation, resolved.
    pub relations: Vec<ResolvedRelation>,
    /// Every routine called that is not on the list of pure built-ins.
    pub routines: Vec<RoutineUse>,
    /// What it does to the session, in order.
    pub effects: Vec<SessionEffect>,
    /// Runs the prepared statement of this name.
    pub executes: Option<String>,
    /// Reads the cursor of this name.
    pub fetches: Option<String>,
    /// Returns rows of user relations, so that the cap applies.
    pub returns_user_rows: bool,
    /// May change something that a COMMIT would make last.
    pub writes: bool,
    /// Columns of its result that only admin may see. What it needs is enough for the others.
    pub hidden: Option<Hidden>,
    /// What it does with masked columns.
    pub masked: Option<Arc<Masked>>,
    /// The version of the mask rules that it was judged by; `None`: it wasn't.
    pub rules: Option<u64>,
    /// What of its text no record may show: constants that have to do with masked columns.
    pub guarded: Option<Arc<Guarded>>,
    /// Answered by the gateway.
    pub local: Option<LocalCall>,
    /// The highest parameter number.
    pub parameters: u16,
}

impl Analysis {
    /// True if it ends a transaction so that what came before lasts.
    pub fn commits(&self) -> bool {
        self.kind == StatementKind::TwoPhase
            || self.effects.iter().any(|effect| {
                matches!(
                    effect,
                    SessionEffect::Transaction(TransactionChange::Commit { .. })
                        | SessionEffect::Commits
                )
            })
    }
}

impl Analysis {
    /// True if it does what only somebody may who sees what is masked.
    pub fn needs_unmask(&self) -> bool {
        self.needs.iter().any(|need| need.permission == Permission::Unmask)
    }

    /// An estimate of what it takes in memory, in bytes.
    fn weight(&self) -> usize {
        let needs: usize = self.needs.iter().map(|n| size_of::<Need>() + n.why.len()).sum();
        let relation = |r: &ResolvedRelation| size_of_val(r) + r.schema.len() + r.name.len();
        let relations: usize = self.relations.iter().map(relation).sum();
        let words = |u: &RoutineUse| {
            let literals = u.literals.iter().flatten().map(String::len).sum::<usize>();
            let empty = size_of::<Option<String>>() * (u.literals.len() + u.name.0.len());
            size_of_val(u) + empty + literals + u.name.0.iter().map(String::len).sum::<usize>()
        };
        let routines: usize = self.routines.iter().map(words).sum();
        let effects: usize = self.effects.iter().map(SessionEffect::weight).sum();
        size_of::<Self>() + needs + relations + routines + effects
    }
}

impl SessionEffect {
    fn weight(&self) -> usize {
        let inside = match self {
            Self::Prepare { name, inner } | Self::Declare { name, inner, .. } => {
                name.len() + inner.weight()
            }
            Self::SchemaChange(names) | Self::Renamed(names) => {
                names.len() * size_of::<String>() * 2
            }
            Self::MadeTemporary(made, _) => made.name.len(),
            Self::Use(name) | Self::MadeType(name) => name.len(),
            Self::Transaction(_)
            | Self::Setting(_)
            | Self::DiscardAll
            | Self::DiscardPart
            | Self::Deallocate(_)
            | Self::Close(_)
            | Self::Commits
            | Self::Quotes
            | Self::RunsUserCode => 0,
        };
        size_of::<Self>() + inside
    }
}

impl Batch {
    /// An estimate of what it takes in memory, in bytes.
    pub fn weight(&self) -> usize {
        self.statements.iter().map(|analysis| analysis.weight()).sum()
    }
}

/// All statements of one text, in order; empty for a text without any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// The statements.
    pub statements: Vec<Arc<Analysis>>,
    /// Hash of the normalized text: the same for texts that differ in literals, white space and
    /// comments only. Hexadecimal digits.
    pub fingerprint: Arc<str>,
}

impl Batch {
    /// True if it says what every text with the same cache key does. What the gateway answers itself
    /// goes by the constants of the one text: `SELECT * FROM hallpass.requests WHERE state = 'denied'`.
    pub fn stands_for_its_key(&self) -> bool {
        self.statements.iter().all(|analysis| analysis.local.is_none())
    }
}

/// Why a text was not read. Either way it needs admin.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// The server's own grammar refuses it: most likely a typing mistake.
    #[error("{message}")]
    Syntax {
        /// The server's message: `syntax error at or near "FORM"`.
        message: String,
        /// In characters from 1.
        position: Option<u32>,
    },
    /// Our lexer won't have it: it could be read in two ways.
    #[error("{what}")]
    Ambiguous {
        /// What, and what to write instead.
        what: String,
    },
    /// Over a limit of length, depth, tokens or operators.
    #[error("{what}")]
    TooLarge {
        /// Which limit.
        what: String,
    },
    /// It names the gateway's own schema in a form that isn't answered. Nobody may send that on, and
    /// admin doesn't help.
    #[error("{what}")]
    NotAnswered {
        /// What, and the forms that are answered.
        what: String,
    },
    /// The parsers disagree.
    #[error("this statement can be read in two ways")]
    Disagreement,
}
