//! A statement as far as rows flow through it: its queries, where they read from, what they give out and
//! what decides which rows. Names stand as written; nothing is resolved here.
//!
//! Made from the server's own tree by `server_grammar::shape`. What has no place here is
//! [`Expression::opaque`] or [`Source::Opaque`]: nobody knows what comes out of it.

use std::collections::BTreeSet;

use crate::kernel::sql::reading::RawName;

/// A statement that reads, writes or hands out rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shape {
    /// SELECT, VALUES, TABLE, or INSERT, UPDATE, DELETE, MERGE: its result goes to the client.
    Query(Query),
    /// The query's rows become a relation's: CREATE TABLE AS, SELECT INTO, a view.
    Stored(Query),
    /// COPY TO of a table: these columns, or all of them that aren't generated.
    Copied {
        /// The table.
        table: RawName,
        /// As written; empty: all.
        columns: Vec<String>,
    },
    /// EXPLAIN: the query doesn't hand out rows, but what it asks shows in its plan.
    Explained(Query),
    /// EXPLAIN in a form in which MySQL prints what it has read of a table already.
    Printed(Query),
    /// Rows that flow in a way that isn't modelled.
    Opaque(&'static str),
}

/// WITH, a body, ORDER BY and LIMIT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// In order.
    pub ctes: Vec<Cte>,
    /// WITH RECURSIVE: each sees itself.
    pub recursive: bool,
    /// Where the rows come from.
    pub body: Body,
    /// ORDER BY. A bare name or number may mean an output.
    pub sorted: Vec<Key>,
    /// LIMIT and OFFSET.
    pub limits: Vec<Expression>,
}

/// A query of WITH.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cte {
    /// Its name.
    pub name: String,
    /// Names for its first columns.
    pub columns: Vec<String>,
    /// It.
    pub query: Query,
    /// SEARCH or CYCLE adds columns made of its rows.
    pub adds_columns: bool,
    /// CYCLE: rows that are alike in these end it.
    pub cycle: Vec<String>,
}

/// Where a query's rows come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// SELECT.
    Select(Box<Select>),
    /// UNION, INTERSECT, EXCEPT.
    Set(Box<SetOperation>),
    /// VALUES.
    Values(Vec<Vec<Expression>>),
    /// INSERT, UPDATE, DELETE, MERGE.
    Write(Box<Write>),
    /// MySQL's UPDATE and DELETE, which may change several tables.
    Change(Box<Change>),
}

/// SELECT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Select {
    /// FROM.
    pub from: Vec<Source>,
    /// The list.
    pub outputs: Vec<Output>,
    /// WHERE, and HAVING if that sees no more.
    pub conditions: Vec<Condition>,
    /// HAVING where the names of outputs may stand in it.
    pub having: Vec<Condition>,
    /// GROUP BY and DISTINCT ON. A bare name or number may mean an output.
    pub groups: Vec<Key>,
    /// WINDOW.
    pub compared: Vec<Expression>,
    /// DISTINCT: all outputs are compared.
    pub distinct: bool,
}

/// UNION, INTERSECT, EXCEPT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetOperation {
    /// Its rows are compared: anything but UNION ALL.
    pub compares: bool,
    /// One arm.
    pub left: Query,
    /// The other.
    pub right: Query,
}

/// INSERT, UPDATE, DELETE, MERGE.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// MERGE: what it merges stands before the table in `RETURNING *`.
    pub merges: bool,
    /// The table.
    pub table: RawName,
    /// What it goes by, if not by its name.
    pub alias: Option<String>,
    /// What it goes by too: `excluded`, `old`, `new` or what RETURNING WITH names them.
    pub also_known_as: Vec<String>,
    /// INSERT's rows, and the columns they are for; none: the first ones.
    pub rows: Option<(Vec<String>, Query)>,
    /// FROM of UPDATE, USING of DELETE and MERGE.
    pub from: Vec<Source>,
    /// WHERE, ON, WHEN … AND, and what ON CONFLICT looks for.
    pub conditions: Vec<Condition>,
    /// ON CONFLICT without a word of which columns it looks for: how many rows ask.
    pub conflicts: Option<usize>,
    /// REPLACE: the columns that it gives get new values in existing rows.
    pub replaces: bool,
    /// Columns that existing rows get new values in, each list with what it gets.
    pub assigned: Vec<Assignment>,
    /// Columns that new rows of MERGE get, with their values.
    pub inserted: Vec<Assignment>,
    /// RETURNING.
    pub returning: Vec<Output>,
}

/// UPDATE and DELETE of MySQL: the tables that change stand in FROM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// All tables, joined as they are.
    pub from: Vec<Source>,
    /// WHERE.
    pub conditions: Vec<Condition>,
    /// SET: each column with what it gets.
    pub assigned: Vec<(Reference, Expression)>,
    /// RETURNING.
    pub returning: Vec<Output>,
}

/// `SET a = …`, `SET (a, b) = …`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignment {
    /// The columns; empty: whichever come first.
    pub columns: Vec<String>,
    /// What they get.
    pub values: Vec<Expression>,
}

/// One of FROM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A table, a view or a CTE.
    Relation {
        /// As written.
        name: RawName,
        /// What it goes by.
        alias: Alias,
    },
    /// A subquery.
    Query {
        /// It.
        query: Query,
        /// LATERAL: it sees what stands before it.
        lateral: bool,
        /// What it goes by.
        alias: Alias,
    },
    /// Functions, XMLTABLE, JSON_TABLE: these always see what stands before them.
    Function {
        /// What they are given.
        arguments: Vec<Expression>,
        /// How many columns come of it and their names, if that is written.
        columns: Option<Vec<String>>,
        /// What it goes by.
        alias: Alias,
    },
    /// A join.
    Join(Box<Join>),
    /// Something else.
    Opaque(&'static str),
}

/// A join.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Join {
    /// One side.
    pub left: Source,
    /// The other.
    pub right: Source,
    /// USING.
    pub using: Vec<String>,
    /// NATURAL: USING of all names that both have.
    pub natural: bool,
    /// RIGHT JOIN of MySQL: what `*` shows of the right side stands first if columns are merged.
    pub right_first: bool,
    /// ON.
    pub on: Vec<Condition>,
    /// What all of it goes by; then its sides go by nothing.
    pub alias: Alias,
    /// What its merged columns go by: `USING (a) AS x`.
    pub merged_as: Option<String>,
}

/// What a source goes by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Alias {
    /// The name; none: its own, if it has one.
    pub name: Option<String>,
    /// Names for its first columns.
    pub columns: Vec<String>,
}

/// One of a select list, or of RETURNING.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// `*`, `t.*`.
    Star(Vec<String>),
    /// `(t).*`, `(c).*`, `(t.c).*`: of a table, or of a column that is a row.
    Fields(Vec<String>),
    /// One column.
    Value {
        /// AS, or the column's own name; none: the server makes one up.
        name: Option<String>,
        /// What the server makes up, if that is known.
        made_up: Option<String>,
        /// Whatever the server makes up has signs or blanks in it that no bare word has.
        is_odd: bool,
        /// What it is.
        value: Box<Expression>,
    },
}

/// What rows are ordered or grouped by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// The output of that place, from 1.
    Place(usize),
    /// An expression; a bare name may be an output's.
    Value(Box<Expression>),
}

/// What decides which rows come out, cut at AND, OR and NOT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// `column = constant`, `column IN (constants)`.
    Equals {
        /// The column.
        column: Reference,
        /// How many constants or parameters.
        constants: usize,
        /// What they are, where the server compares what is of different types.
        classes: BTreeSet<Constant>,
    },
    /// `column IS NULL`, `column IS NOT NULL`.
    IsNull(Reference),
    /// `column = column`, of USING too.
    Joins(Reference, Reference),
    /// Anything else.
    Other(Expression),
}

/// What a constant is, as far as that decides how the server compares a column with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Constant {
    /// NULL.
    Null,
    /// A string.
    Text,
    /// A number, TRUE, FALSE.
    Number,
    /// `DATE '…'` and its like.
    Moment,
    /// A parameter, from 1 if its number is known.
    Parameter(Option<u16>),
}

/// A value, and what it is made of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expression {
    /// It is this column, unchanged, and nothing else.
    pub column: Option<Reference>,
    /// Every column whose value it may depend on, [`Expression::column`] too.
    pub columns: Vec<Reference>,
    /// Queries whose outputs it may depend on.
    pub queries: Vec<Query>,
    /// Queries that are only asked whether they have rows: EXISTS.
    pub asked: Vec<Query>,
    /// Columns that are only counted, or asked whether they are null.
    pub counted: Vec<Reference>,
    /// FILTER (WHERE …).
    pub conditions: Vec<Condition>,
    /// What is sorted or grouped by inside: ORDER BY of an aggregate, DISTINCT, windows.
    pub compared: Vec<Reference>,
    /// The functions, operators and types that the value goes through, by their bare names: what may
    /// fail because of a value, or make rows of it.
    pub through: Vec<Step>,
    /// It reads a variable of the session's.
    pub variable: bool,
    /// It is put into such a variable.
    pub kept: bool,
    /// It holds something that isn't modelled.
    pub opaque: Option<&'static str>,
}

/// What a value goes through.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// A function or an aggregate.
    Function(RawName),
    /// One that no value makes fail as it is called here.
    Harmless(RawName),
    /// One that fails only where this column is NULL.
    Keyed(RawName, Reference),
    /// An operator.
    Operator(String),
    /// One that no value makes fail as it stands here.
    HarmlessOperator(String),
    /// One between numbers: what this column is made to by it is about as large, if it is a decimal.
    Scales(String, Reference),
    /// A cast to this type.
    Cast(String),
    /// A cast of this column to this type, whatever its precision.
    Turns(String, Reference),
    /// A subscript, a field, a path.
    Part,
    /// MySQL: something that turns this column into another type unless it is of one that is wanted.
    Wants(Wanted, Reference),
    /// MySQL: something that may turn what it gets into another type.
    Converts,
    /// MySQL: a text is read as JSON or as a path in it, which fails there if it is none. MariaDB warns.
    ReadsJson,
    /// MySQL: this column goes into a document, which it may make too deep if it is one itself.
    Nests(Reference),
    /// MySQL: a constant of bytes, which fails where it stands beside texts and is none.
    Bytes,
    /// MySQL: a constant between quotes that isn't ASCII: bytes where the session takes quotes for that.
    Quoted,
    /// MySQL: arithmetic, which fails if what comes of it is too large for its type.
    Reckons(Amount),
    /// MySQL: something that may fail by what this column holds.
    Unmarked(Reference),
}

/// How large a number may become, in bits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Amount {
    /// As large as what this column holds.
    Column(Reference),
    /// A whole number that is written there, without a sign.
    Whole(u32),
    /// A number that is written there, with digits behind the point.
    Exact(u32),
    /// A whole number, of which a function makes so many bits at most.
    Made(u32),
    /// The same of a function whose numbers have no sign.
    Unsigned(u32),
    /// The same of a part of a day or a time.
    OfMoment(u32),
    /// Any of these.
    OneOf(Vec<Self>),
    /// `+`, `%`.
    Sum(Box<Self>, Box<Self>),
    /// `-`.
    Difference(Box<Self>, Box<Self>),
    /// `*`.
    Product(Box<Self>, Box<Self>),
    /// `/`.
    Ratio(Box<Self>, Box<Self>),
    /// `DIV`.
    Quotient(Box<Self>, Box<Self>),
}

/// Of what type a column has to be, so that MySQL doesn't turn it into another one and warns of what it
/// can't turn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wanted {
    /// What can be compared with a number: numbers, days and times.
    Comparable,
    /// A number, or a label, which has one.
    Number,
    /// A number of a fixed number of digits.
    Quantity,
    /// A day or a time.
    Moment,
    /// JSON.
    Json,
}

/// A column as written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reference {
    /// `c`, `t.c`, `s.t.c`. A bare name may be a whole row, and `t.c` a call `c(t)`.
    Column(Vec<String>),
    /// `t.*` inside an expression: a whole row; `*` alone: all of FROM.
    Row(Vec<String>),
    /// `(a).b`: a field of a column, or a column of a row.
    Field(Vec<String>, String),
}

impl Expression {
    /// A column by its bare name.
    pub fn of_column(name: &str) -> Self {
        let column = Reference::Column(vec![name.to_owned()]);
        Self { column: Some(column.clone()), columns: vec![column], ..Self::default() }
    }

    /// True if it depends on no row at all.
    pub fn is_constant(&self) -> bool {
        self.columns.is_empty()
            && self.queries.is_empty()
            && self.asked.is_empty()
            && self.counted.is_empty()
            && self.compared.is_empty()
            && !self.variable
            && !self.kept
            && self.opaque.is_none()
    }
}

impl Reference {
    /// The last part of what it is called, which an output of it goes by.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Column(names) => names.last().map(String::as_str),
            Self::Field(_, name) => Some(name),
            Self::Row(_) => None,
        }
    }
}

impl Reference {
    /// The name, if nothing stands before it.
    pub fn bare(&self) -> Option<&str> {
        match self {
            Self::Column(names) => match names.as_slice() {
                [only] => Some(only),
                _ => None,
            },
            Self::Row(_) | Self::Field(..) => None,
        }
    }
}
