//! What one parser saw in one statement: effects by its syntax, names as written.
//!
//! Both parsers' walkers make this, and nothing else of their trees leaves `kernel::sql`. Two
//! readings of one statement must agree ([`Reading::agrees_with`]) before either is believed.
//!
//! What counts, so that two walkers count alike:
//!
//! - **Kinds.** `VALUES` has a kind only where it is the statement itself or what EXPLAIN, PREPARE,
//!   DECLARE, COPY or CREATE TABLE AS holds, not as the rows of an INSERT or of FROM. `SELECT … INTO`
//!   (in any arm of a set operation) is `CreateTableAs` on top with `Select` beside it. DROP, RENAME
//!   and SET SCHEMA have the kind of what they touch: `CreateCode` for routines, triggers, rules,
//!   policies, extensions; but DROP of a routine, an operator or a trigger is `DropCode`. ALTER TABLE adds `Privileges` for OWNER TO, and `CreateCode` for enabling
//!   or disabling triggers, rules and row security. A statement inside a rule or a routine's body
//!   counts like any other.
//! - **Relations.** Tables, views, sequences, indexes by their names; a new index's own name is left
//!   out. INSERT, UPDATE, DELETE, MERGE, COPY FROM and REFRESH write their target, which is never a
//!   CTE; reading its rows for that is not listed again, but RETURNING is a read. What is created, altered, dropped,
//!   truncated, commented, analyzed, vacuumed, granted is defined; parents and partitions too.
//!   `REFERENCES t` and `LIKE t` refer to t.
//! - **Routines.** Calls as people write them. `extract(year FROM d)`, `trim(x)`,
//!   `substring(x FROM 1)`, `position(a IN b)`, AT TIME ZONE, OVERLAPS, coalesce, nullif, greatest,
//!   least, CURRENT_USER and the constructors of XML and JSON are syntax, not calls;
//!   `substring(x, 1)` is a call.

use std::{collections::BTreeSet, ops::Range};

use crate::kernel::sql::lineage::shape::Shape;

/// A name as written, qualifiers first, folded as the server folds it: `["public", "orders"]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RawName(pub Vec<String>);

impl RawName {
    /// The last part.
    pub fn base(&self) -> &str {
        self.0.last().map(String::as_str).unwrap_or_default()
    }

    /// The part before the last, if any.
    pub fn schema(&self) -> Option<&str> {
        self.0.len().checked_sub(2).and_then(|i| self.0.get(i)).map(String::as_str)
    }
}

impl std::fmt::Display for RawName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// What kind of statement a statement node is. Every statement node of a tree has one, wherever it
/// stands: a CTE's DELETE counts as much as a top-level one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StatementKind {
    /// SELECT, TABLE.
    Select,
    /// VALUES as a statement of its own.
    Values,
    /// SELECT … INTO, CREATE TABLE AS, CREATE MATERIALIZED VIEW.
    CreateTableAs,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// MERGE.
    Merge,
    /// COPY … TO STDOUT, its query or table inside.
    CopyToClient,
    /// COPY … FROM STDIN.
    CopyFromClient,
    /// COPY to or from a file or a program of the server.
    CopyServer,
    /// EXPLAIN without ANALYZE.
    Explain,
    /// EXPLAIN ANALYZE.
    ExplainAnalyze,
    /// SHOW.
    Show,
    /// SET, SET LOCAL, SET SESSION CHARACTERISTICS, RESET.
    Set,
    /// SET ROLE, SET SESSION AUTHORIZATION and their RESET.
    SetRole,
    /// SET CONSTRAINTS.
    SetConstraints,
    /// BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, SET TRANSACTION.
    Transaction,
    /// PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED.
    TwoPhase,
    /// PREPARE.
    Prepare,
    /// EXECUTE.
    Execute,
    /// DEALLOCATE.
    Deallocate,
    /// DECLARE CURSOR.
    Declare,
    /// FETCH.
    Fetch,
    /// MOVE.
    Move,
    /// CLOSE.
    Close,
    /// LISTEN.
    Listen,
    /// UNLISTEN.
    Unlisten,
    /// NOTIFY.
    Notify,
    /// LOCK TABLE … IN ACCESS SHARE MODE.
    LockShare,
    /// LOCK TABLE in any other mode.
    Lock,
    /// REFRESH MATERIALIZED VIEW.
    Refresh,
    /// DISCARD.
    Discard,
    /// CREATE, ALTER, DROP, COMMENT, REINDEX, ANALYZE of tables, indexes, views, sequences, types,
    /// schemas, statistics and the like.
    SchemaChange,
    /// TRUNCATE.
    Truncate,
    /// CREATE or ALTER of functions, procedures, triggers, rules, operators, casts, aggregates,
    /// languages, extensions, event triggers, policies: what puts code in place.
    CreateCode,
    /// DROP of a routine, an operator or a trigger.
    DropCode,
    /// DO.
    Do,
    /// CALL.
    Call,
    /// GRANT, REVOKE, roles, ownership, default privileges, security labels.
    Privileges,
    /// Databases, tablespaces, servers, publications, subscriptions, ALTER SYSTEM, LOAD, CHECKPOINT.
    Server,
    /// VACUUM, CLUSTER.
    Maintenance,
    /// MySQL: USE.
    Use,
    /// MySQL: KILL; whose session it is isn't known here.
    Kill,
    /// MySQL: UNLOCK TABLES, HANDLER … CLOSE.
    Unlock,
    /// MySQL: HANDLER … READ: rows of a table that was opened by a name.
    Handler,
    /// MySQL: SHOW of what gives out the source of routines.
    ShowSource,
    /// MySQL: SHOW WARNINGS, SHOW ERRORS.
    ShowWarnings,
    /// MySQL: SHOW of secrets, of other people's statements, of replication.
    ShowAdmin,
    /// Read by the parser, not on any list here. Needs admin.
    Other,
}

/// What is done with a relation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Access {
    /// Its rows are read.
    Read,
    /// Its rows are changed; reading its own rows for that is part of it, RETURNING is not: with
    /// that it is listed under [`Access::Read`] too.
    Write,
    /// Its rows are locked: FOR UPDATE and its like. Reading them is counted separately.
    LockRows,
    /// LOCK TABLE.
    LockTable,
    /// It is created, altered or dropped.
    Define,
    /// Its definition is used for that of another: REFERENCES, LIKE.
    Refer,
}

/// A relation in a statement.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RelationUse {
    /// As written; names bound to a CTE in scope are left out.
    pub name: RawName,
    /// What is done with it.
    pub access: Access,
}

/// A routine called.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RoutineUse {
    /// As written. Constructs with a syntax of their own (COALESCE, EXTRACT, CURRENT_USER …) are
    /// left out where the server needs no routine look-up for them.
    pub name: RawName,
    /// The arguments that are plain string constants, by position from 0; other arguments are
    /// `None`. For functions whose effect depends on a text (`set_config`, `nextval`).
    pub literals: Vec<Option<String>>,
}

/// What a statement says about columns. Needed where one column of a catalog is more than the others,
/// and because Postgres calls `f(x)` for `(x).f`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Columns {
    /// Every name that may be a column's: the last part of each column reference.
    pub names: BTreeSet<String>,
    /// Those of them that stand behind a dot, `t.x`: a column, or a function called on a whole row.
    pub qualified: BTreeSet<String>,
    /// The same names with each relation, as written, whose row may stand before the dot; `None` for
    /// a row that may be of something else: a subquery, a CTE, a function.
    pub dotted: BTreeSet<(String, Option<RawName>)>,
    /// Names after a dot behind an expression, `(x).f`: a field, or a function called on any value.
    /// `f.x` too if `f` is a function in FROM: what it returns may be any value.
    pub fields: BTreeSet<String>,
    /// Relations, as written, of which every column may be meant: by `*`, by a whole row, by an
    /// alias that renames columns, by TABLE or by COPY without a column list.
    pub whole: BTreeSet<RawName>,
}

/// The most columns that a server puts into one result; it refuses a text with more.
pub const OUTPUTS_MAX: usize = 1664;

/// The outputs of a statement that is one SELECT without DISTINCT, GROUP BY, window, CTE or set
/// operation, over plain relations and joins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outputs {
    /// In order.
    pub list: Vec<Output>,
    /// The relations in FROM, in order, by what they go by.
    pub from: Vec<(String, RawName)>,
    /// What all of the statement says about columns but the outputs that are a star or a column.
    pub elsewhere: Columns,
    /// Bare names in ORDER BY: outputs, or else columns.
    pub sorted_by: BTreeSet<String>,
    /// Bare numbers in ORDER BY: places of outputs, from 1.
    pub sorted_by_place: BTreeSet<usize>,
}

/// One output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Such a column as it is, `t.x AS y`, or an excerpt of it: `left(t.x, 60)`. Only of names that
    /// may have to be hidden.
    Column {
        /// What stands before the dot.
        before: Option<String>,
        /// The column.
        name: String,
        /// The output's own name.
        known_as: String,
        /// The functions and types of the server that make the excerpt, if nothing else has their name.
        through: BTreeSet<String>,
    },
    /// `*` or `t.*`.
    Star(Option<String>),
    /// Anything else that is one column.
    Value,
}

/// A setting that is set.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SettingChange {
    /// Lower case, as in `pg_settings`; `*` for RESET ALL.
    pub name: String,
    /// The constant value; lists joined by `, `; `None` for DEFAULT, RESET, FROM CURRENT and
    /// anything that is no constant.
    pub value: Option<String>,
    /// SET LOCAL: until the end of the transaction.
    pub local: bool,
}

/// What happens to the transaction.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TransactionChange {
    /// BEGIN, START TRANSACTION. `read_write`: what it says about that, if anything.
    Begin {
        /// READ WRITE is `Some(true)`, READ ONLY is `Some(false)`.
        read_write: Option<bool>,
    },
    /// COMMIT, END. `chain`: AND CHAIN.
    Commit {
        /// A new transaction follows at once.
        chain: bool,
    },
    /// ROLLBACK, ABORT.
    Rollback {
        /// A new transaction follows at once.
        chain: bool,
    },
    /// SAVEPOINT.
    Savepoint(String),
    /// RELEASE SAVEPOINT.
    Release(String),
    /// ROLLBACK TO SAVEPOINT.
    RollbackTo(String),
    /// SET TRANSACTION (`session: false`) or SET SESSION CHARACTERISTICS AS TRANSACTION.
    Set {
        /// What it says about writing, if anything.
        read_write: Option<bool>,
        /// SET SESSION CHARACTERISTICS.
        session: bool,
    },
}

/// A role that a statement drops, renames, alters, gives members or makes a member.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RoleChanged {
    /// That one.
    Named(String),
    /// CURRENT_USER, CURRENT_ROLE, SESSION_USER.
    Current,
    /// Every one: `ALTER ROLE ALL SET`.
    All,
}

/// Rows that a statement puts under another name, or under another table besides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moved {
    /// A relation gets another name in its schema.
    Renamed {
        /// What it is called until then.
        relation: RawName,
        /// Its new name.
        name: String,
    },
    /// A relation goes to another schema.
    ToSchema {
        /// What it is called until then.
        relation: RawName,
        /// Where it goes.
        schema: String,
    },
    /// A table becomes a partition of another, or inherits from it.
    Under {
        /// The part.
        relation: RawName,
        /// What shows its rows from then on.
        whole: RawName,
    },
    /// A table becomes a partition of another, whose rows come to lie in it.
    Into {
        /// Whose rows they are.
        whole: RawName,
        /// Where they come to lie.
        part: RawName,
    },
    /// A table comes to inherit from another: what is written to it shows there.
    ShownIn {
        /// What shows its rows from then on.
        whole: RawName,
        /// What is written to.
        part: RawName,
    },
    /// A schema gets another name, and all its relations with it.
    Schema(String),
}

/// What a change of definitions touches of the values that are there: looks at, so that it fails by them,
/// or parts from the names and tables that rules know them by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Definition {
    /// These columns.
    Columns {
        /// Whose.
        of: RawName,
        /// Their names.
        columns: BTreeSet<String>,
        /// Those of them that the statement itself makes, if it is they.
        made: BTreeSet<String>,
        /// What happens to them, in words.
        what: &'static str,
    },
    /// All of a relation.
    Whole {
        /// It.
        of: RawName,
        /// What happens to it, in words.
        what: &'static str,
    },
    /// Expressions are run over the rows that are there.
    Runs,
    /// It fails if a column holds NULL.
    Nulls {
        /// Whose.
        of: RawName,
        /// Its name.
        column: String,
    },
    /// A column goes.
    Drops {
        /// Whose.
        of: RawName,
        /// Its name.
        column: String,
    },
    /// The columns of a table's primary key are referred to.
    Key(RawName),
    /// The columns that rows are parted by decide whether another partition may be made.
    Partition(RawName),
    /// A table becomes a part of another, and its rows are the other's too.
    Joins {
        /// The part.
        part: RawName,
        /// The other.
        whole: RawName,
    },
    /// A table is no part of any other any more.
    Leaves(RawName),
    /// All in a schema gets another name.
    Schema(String),
    /// Something about a type that columns may be of, in words.
    Types(&'static str),
}

/// What a statement makes of relations and types, where that is all that it does to them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A table of these columns and no others comes into being, or a sequence.
    Table {
        /// Its name.
        name: RawName,
        /// Its columns, in order.
        columns: Vec<MadeColumn>,
    },
    /// Something comes into being, or takes the place of what had the name, of which nothing is known.
    Opaque(RawName),
    /// A temporary table of this name comes into being.
    Temporary(String),
    /// Columns of a table change, one after the other.
    Columns {
        /// Whose.
        of: RawName,
        /// How.
        steps: Vec<ColumnStep>,
    },
    /// A relation gets another name in its schema.
    Renamed {
        /// What it is called until then.
        of: RawName,
        /// Its new name.
        name: String,
    },
    /// Relations go.
    Dropped(Vec<RawName>),
    /// Their columns stay as they are, and so does whose rows are whose.
    Kept(Vec<RawName>),
    /// An enum comes into being.
    Enum(RawName),
}

/// A column that is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MadeColumn {
    /// Its name.
    pub name: String,
    /// Its type; the elements' of an array.
    pub of: RawName,
    /// It holds arrays.
    pub is_array: bool,
    /// It is computed from others of its row.
    pub generated: bool,
}

/// What becomes of a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ColumnStep {
    /// It is made, unless there is one of that name.
    Made(MadeColumn),
    /// It goes.
    Gone(String),
    /// It is called otherwise.
    Renamed {
        /// Its name until then.
        from: String,
        /// Its new name.
        to: String,
    },
    /// It is of another type.
    Retyped(MadeColumn),
    /// It has another comment, or none.
    Commented(String, Option<String>),
}

/// What one parser saw in one statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The bytes of the text it was read from, without the semicolon.
    pub span: Range<usize>,
    /// The kind of the top node.
    pub top: StatementKind,
    /// The kinds of all statement nodes, the top one included. PREPARE, DECLARE, EXPLAIN, COPY and
    /// CREATE … AS list what they contain too.
    pub kinds: BTreeSet<StatementKind>,
    /// Every relation, wherever it stands.
    pub relations: BTreeSet<RelationUse>,
    /// Every routine called, wherever it stands.
    pub routines: BTreeSet<RoutineUse>,
    /// Every operator by its bare name.
    pub operators: BTreeSet<String>,
    /// It makes arrays of what it names: `ARRAY[…]`, `ARRAY(SELECT …)`.
    pub makes_arrays: bool,
    /// It makes JSON by a construct with a syntax of its own: `JSON_OBJECT(…)`.
    pub makes_json: bool,
    /// Columns that UPDATE, ON CONFLICT or MERGE set.
    pub assigned: BTreeSet<String>,
    /// Every type named: casts, column definitions, function signatures.
    pub types: BTreeSet<RawName>,
    /// Settings changed by SET and RESET.
    pub settings: Vec<SettingChange>,
    /// Roles that it changes, as the server's grammar has it.
    pub roles: BTreeSet<RoleChanged>,
    /// Rows that it puts elsewhere, as the server's grammar has it.
    pub moved: Vec<Moved>,
    /// The transaction statement it is, if it is one.
    pub transaction: Option<TransactionChange>,
    /// The name in PREPARE, EXECUTE, DEALLOCATE (`*` for ALL), DECLARE, FETCH, MOVE, CLOSE (`*` for
    /// ALL), SHOW (the setting), LISTEN, UNLISTEN (`*` for all), NOTIFY; what DISCARD discards: `all`,
    /// `plans`, `sequences`, `temp`.
    pub object: Option<String>,
    /// DECLARE … WITH HOLD.
    pub holds: bool,
    /// The statement inside PREPARE or DECLARE, alone.
    pub inner: Option<Box<Reading>>,
    /// The highest parameter number, `$1` is 1.
    pub parameters: u16,
    /// What it says about columns; `None` if the walker didn't look, and then everything may be
    /// meant.
    pub columns: Option<Columns>,
    /// Its outputs one by one, if it is a plain SELECT of something that may have to be hidden.
    pub outputs: Option<Outputs>,
    /// What it touches by changing definitions, as the server's grammar has it. `None`: whatever it defines
    /// may be touched whole.
    pub defines: Option<Vec<Definition>>,
    /// How rows flow through it, if it reads or writes any; the server's grammar alone says so.
    pub shape: Option<Box<Shape>>,
    /// The temporary table that it makes; the server's grammar alone says so.
    pub temporary: Option<Temporary>,
    /// The table that it changes without bringing rows into it; the server's grammar alone says so.
    pub keeps: Option<RawName>,
    /// The type that it makes, or gives this name, but for relations'; the server's grammar alone says so.
    pub made_type: Option<String>,
    /// The table that it makes of columns that it writes out; the server's grammar alone says so.
    pub made_table: Option<RawName>,
    /// The search path that it sets for certain, name by name; the server's grammar alone says so.
    pub path: Option<Vec<String>>,
    /// What it makes of relations and types, if nothing else; the server's grammar alone says so.
    pub change: Option<Change>,
    /// The extension that it makes unless there is one; the server's grammar alone says so.
    pub wanted_extension: Option<String>,
    /// What MySQL and MariaDB alone have.
    pub mysql: OfMySql,
}

/// What MySQL and MariaDB alone have. Variables are in lower case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OfMySql {
    /// It commits what is open before it runs, and as a rule behind it.
    pub commits: bool,
    /// EXPLAIN in a form that tells what has been read of a table.
    pub prints: bool,
    /// It may quote values in messages, besides what changes rows or plans do.
    pub quotes: bool,
    /// Variables of the session's own that are read, with the `@`.
    pub read: BTreeSet<String>,
    /// Those that get a value: by SET, `:=`, INTO, LOAD DATA; with the `@`.
    pub assigned: BTreeSet<String>,
    /// The server's that are read, without scope: `@@session.sql_mode` is `sql_mode`.
    pub system: BTreeSet<String>,
}

/// A table that is its session's alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Temporary {
    /// Its name.
    pub name: String,
    /// ON COMMIT DROP.
    pub until_commit: bool,
}

impl Reading {
    /// An empty reading of a statement of this kind at this place.
    pub fn new(top: StatementKind, span: Range<usize>) -> Self {
        Self {
            span,
            top,
            kinds: BTreeSet::from([top]),
            relations: BTreeSet::new(),
            routines: BTreeSet::new(),
            operators: BTreeSet::new(),
            makes_arrays: false,
            makes_json: false,
            assigned: BTreeSet::new(),
            types: BTreeSet::new(),
            settings: Vec::new(),
            roles: BTreeSet::new(),
            moved: Vec::new(),
            transaction: None,
            object: None,
            holds: false,
            inner: None,
            parameters: 0,
            columns: None,
            outputs: None,
            defines: None,
            shape: None,
            temporary: None,
            keeps: None,
            made_type: None,
            made_table: None,
            path: None,
            change: None,
            wanted_extension: None,
            mysql: OfMySql::default(),
        }
    }

    /// True if both parsers saw the same kinds, relations and routines (by name; those that are compared
    /// at all). Operators, types and literals are not compared: the trees spell them differently.
    pub fn agrees_with(&self, other: &Self, is_compared: impl Fn(&RoutineUse) -> bool) -> bool {
        let [own, others] = [self, other].map(|reading| -> BTreeSet<_> {
            let compared = reading.routines.iter().filter(|used| is_compared(used));
            compared.map(|used| &used.name).collect()
        });
        self.kinds == other.kinds && self.relations == other.relations && own == others
    }
}
