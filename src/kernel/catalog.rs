//! A snapshot of what a target contains, keyed both by name and by id.
//!
//! Read by `upstream::catalog` with the gateway's own log-in and shared by every session on the
//! target; replaced whole, never changed. Built-in routines are *not* in it: they are on the
//! reviewed lists of `kernel::sql`.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::kernel::{
    mask::{ColumnType, Kind, marks::Marks},
    sql::mode::Dialect,
};

/// The schemas, relations and routines of one database at one time.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Grows by one with every snapshot of the target and with every change of its masks; part of the
    /// analysis cache's key.
    pub epoch: u64,
    /// The server changed while it was read: something is missing that is there, and it is to be read again.
    pub is_torn: bool,
    /// As the server says it: 150018 for 15.18.
    pub server_version_num: u32,
    /// Which server it is of: whose language its definitions are in, and how its names are compared.
    pub dialect: Dialect,
    /// The upstream's database.
    pub database: String,
    /// The role that every session begins as; `None` if that may differ from its log-in.
    pub login: Option<String>,
    /// Schemas in force for a session of the gateway's log-in, `current_schemas(true)`.
    pub default_path: Vec<String>,
    /// The extensions that are installed, by name.
    pub extensions: BTreeSet<String>,
    /// Which of its columns are masked.
    pub marks: Arc<Marks>,
    relations: HashMap<u32, Relation>,
    relations_by_name: HashMap<String, HashMap<String, u32>>,
    routines: HashMap<u32, Routine>,
    routines_by_name: HashMap<String, Vec<u32>>,
    routines_folded: HashMap<String, Vec<u32>>,
    operators: HashMap<String, Vec<UserOperator>>,
    casts: Vec<UserCast>,
    types: HashMap<String, Vec<UserType>>,
    shapes: HashMap<u32, TypeShape>,
    shapes_by_name: HashMap<String, Vec<u32>>,
    comments: HashMap<u32, HashMap<i16, String>>,
    /// Shared by the marks, which outlive the catalog in statements that run.
    kinds: Arc<HashMap<u32, ColumnType>>,
    labels: HashMap<u32, Vec<String>>,
}

/// What a relation is; `pg_class.relkind`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelationKind {
    /// `r`, and `p` for a partitioned one.
    Table,
    /// `v`.
    View,
    /// `m`.
    MaterializedView,
    /// `f`.
    ForeignTable,
    /// `S`.
    Sequence,
    /// `i`, `I`.
    Index,
    /// `c`.
    CompositeType,
    /// `t`.
    Toast,
}

/// A table, view or the like.
#[derive(Clone, Debug)]
pub struct Relation {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// Its columns, dropped ones left out.
    pub columns: Vec<Column>,
    /// A view's query.
    pub definition: Option<String>,
    /// Relations that a view's query names, directly.
    pub reads: Vec<u32>,
    /// Built-in routines that a view's query or a table's row security policies call, directly; those
    /// behind the server's own casts are left out.
    pub built_ins: Vec<String>,
    /// User routines that planning any statement over it may run: what index predicates, checks and the
    /// like call with constants only, and what compares partition keys; those of its partitions and
    /// inheriting tables too.
    pub planned: Vec<u32>,
    /// User routines that its query, defaults, constraints, policies, rules and index expressions
    /// call, directly.
    pub calls: Vec<u32>,
    /// User routines that its row security policies call: reading it runs them.
    pub policies: Vec<u32>,
    /// User routines that its triggers call.
    pub triggers: Vec<u32>,
    /// Tables it inherits from or is a partition of.
    pub parents: Vec<u32>,
    /// It is a partition, so that all its rows are its parent's, and its parent's columns are all it has.
    pub is_partition: bool,
    /// The table that a sequence belongs to: by OWNED BY, `serial` or as an identity.
    pub owned_by: Option<u32>,
    /// Foreign keys that refer to it and change rows of other tables with its own.
    pub cascades: Vec<Cascade>,
    /// The columns of its primary key, by number.
    pub primary_key: Vec<i16>,
    /// The columns that decide which of its rows can't stand beside each other, by number: those of unique
    /// indexes and exclusion constraints, of their expressions too.
    pub unique: Vec<i16>,
    /// Columns that `*` doesn't show, by number.
    pub invisible: Vec<i16>,
    /// The columns that its rows are parted by, by number; 0 for an expression.
    pub partition_key: Vec<i16>,
    /// It has rules other than a view's own.
    pub has_rules: bool,
}

impl Relation {
    /// One that has nothing yet but what it is.
    pub fn new(
        oid: u32,
        schema: impl Into<String>,
        name: impl Into<String>,
        kind: RelationKind,
    ) -> Self {
        Self {
            oid,
            schema: schema.into(),
            name: name.into(),
            kind,
            columns: Vec::new(),
            definition: None,
            reads: Vec::new(),
            built_ins: Vec::new(),
            planned: Vec::new(),
            calls: Vec::new(),
            policies: Vec::new(),
            triggers: Vec::new(),
            parents: Vec::new(),
            is_partition: false,
            owned_by: None,
            cascades: Vec::new(),
            primary_key: Vec::new(),
            unique: Vec::new(),
            invisible: Vec::new(),
            partition_key: Vec::new(),
            has_rules: false,
        }
    }
}

/// A foreign key by which a change of a row changes rows of another table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cascade {
    /// The table that refers.
    pub from: u32,
    /// Its columns, by number.
    pub from_columns: Vec<i16>,
    /// The columns referred to, by number.
    pub to_columns: Vec<i16>,
    /// What happens there to a row whose referent is deleted.
    pub on_delete: CascadeAction,
    /// What happens there to a row whose referent gets another key.
    pub on_update: CascadeAction,
}

/// `pg_constraint.confdeltype`, `confupdtype`. The worst is last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CascadeAction {
    /// NO ACTION, RESTRICT: an error, or nothing.
    Nothing,
    /// Its columns are set: ON UPDATE CASCADE, SET NULL, SET DEFAULT.
    Updates,
    /// It is deleted: ON DELETE CASCADE.
    Deletes,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// `pg_attribute.attnum`.
    pub number: i16,
    /// Its name.
    pub name: String,
    /// Its type's oid.
    pub type_oid: u32,
    /// Its type as `format_type` prints it.
    pub type_name: String,
    /// The expression that a generated column is computed by, as the server prints it.
    pub generated: Option<String>,
}

/// `pg_proc.provolatile`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Volatility {
    /// Says it depends on its arguments only.
    Immutable,
    /// Says it doesn't change the database.
    Stable,
    /// May do anything.
    Volatile,
}

/// `pg_proc.prokind`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoutineKind {
    /// `f`.
    Function,
    /// `p`.
    Procedure,
    /// `a`.
    Aggregate,
    /// `w`.
    Window,
}

/// A routine outside `pg_catalog` and `information_schema`.
#[derive(Clone, Debug)]
pub struct Routine {
    /// `pg_proc.oid`.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RoutineKind,
    /// What it says of itself; an attacker with DDL can make it lie. Of an aggregate: the worst that
    /// the functions it is made of say, for it says nothing itself.
    pub volatility: Volatility,
    /// Runs with its owner's rights, or a function that an aggregate is made of does.
    pub security_definer: bool,
    /// `sql`, `plpgsql`, `c`, `internal`, …
    pub language: String,
    /// The extension it belongs to.
    pub extension: Option<String>,
    /// It can be called with a row as its only argument, so that `t.f` may mean it.
    pub takes_rows: bool,
    /// User routines that coercing a value to one of its arguments' types runs.
    pub argument_code: Vec<u32>,
    /// The users' types among those of its arguments and of what it returns.
    pub types: Vec<u32>,
}

/// An operator outside `pg_catalog`.
#[derive(Clone, Debug)]
pub struct UserOperator {
    /// Its schema.
    pub schema: String,
    /// The routine behind it.
    pub routine: u32,
    /// The users' types among its operands'; of arrays, their elements'. Empty: it takes built-in
    /// types only.
    pub operands: Vec<u32>,
}

/// A cast with a user routine behind it, or one that turns values into something else unsaid.
#[derive(Clone, Debug)]
pub struct UserCast {
    /// The target's name, without schema; of an array, its element's.
    pub target: String,
    /// The target's oid, whosever it is; of an array, its element's.
    pub target_oid: u32,
    /// The routine behind it; 0 if there is none, or the server's own.
    pub routine: u32,
    /// The source if it is a user's type; of an array, its element.
    pub from: Option<u32>,
    /// The target if it is a user's type; of an array, its element.
    pub to: Option<u32>,
    /// Applied without being written (`pg_cast.castcontext` `i` or `a`).
    pub implicit: bool,
    /// Applied unsaid in every expression, not only where a value is stored (`i`).
    pub in_expressions: bool,
}

/// A type outside `pg_catalog` whose use runs user code: domains with checks, base types.
#[derive(Clone, Debug)]
pub struct UserType {
    /// Its schema.
    pub schema: String,
    /// User routines that using it may call.
    pub calls: Vec<u32>,
}

/// What a type of a user's is made of, whether or not its use runs code.
#[derive(Clone, Debug, Default)]
pub struct TypeShape {
    /// The types inside: of an array its elements, of a domain what it restricts, of a row its columns,
    /// of a range its bounds', of a multirange its ranges.
    pub parts: Vec<u32>,
    /// User routines that using it may call.
    pub calls: Vec<u32>,
    /// User routines that sort, compare and hash its values unsaid: those of its operator classes; and
    /// of a range those that subtract bounds and make them canonical.
    pub compares: Vec<u32>,
}

impl Catalog {
    /// Adds a relation; a second one of the same oid or name replaces the first.
    pub fn add_relation(&mut self, relation: Relation) {
        self.relations_by_name
            .entry(relation.schema.clone())
            .or_default()
            .insert(relation.name.clone(), relation.oid);
        self.relations.insert(relation.oid, relation);
    }

    /// Adds a routine.
    pub fn add_routine(&mut self, routine: Routine) {
        self.routines_by_name.entry(routine.name.clone()).or_default().push(routine.oid);
        self.routines_folded.entry(routine.name.to_lowercase()).or_default().push(routine.oid);
        self.routines.insert(routine.oid, routine);
    }

    /// Adds a user's type that a routine takes or returns, and what coercing a value to it runs.
    pub fn add_routine_type(&mut self, oid: u32, type_oid: u32, calls: Vec<u32>) {
        if let Some(routine) = self.routines.get_mut(&oid) {
            routine.types.push(type_oid);
            routine.argument_code.extend(calls);
        }
    }

    /// Adds an operator.
    pub fn add_operator(&mut self, name: impl Into<String>, operator: UserOperator) {
        self.operators.entry(name.into()).or_default().push(operator);
    }

    /// Adds a cast.
    pub fn add_cast(&mut self, cast: UserCast) {
        self.casts.push(cast);
    }

    /// Adds a type.
    pub fn add_type(&mut self, name: impl Into<String>, user_type: UserType) {
        self.types.entry(name.into()).or_default().push(user_type);
    }

    /// Adds what a user's type is made of.
    pub fn add_shape(&mut self, name: impl Into<String>, oid: u32, shape: TypeShape) {
        self.shapes_by_name.entry(name.into()).or_default().push(oid);
        self.shapes.insert(oid, shape);
    }

    /// What the user's type of that oid is made of.
    pub fn shape(&self, oid: u32) -> Option<&TypeShape> {
        self.shapes.get(&oid)
    }

    /// All users' types of that name; a table's row type has the table's.
    pub fn shapes_named(&self, name: &str) -> &[u32] {
        self.shapes_by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds a column's comment.
    pub fn add_comment(&mut self, relation: u32, column: i16, comment: impl Into<String>) {
        self.comments.entry(relation).or_default().insert(column, comment.into());
    }

    /// A column's comment.
    pub fn comment(&self, relation: u32, column: i16) -> Option<&str> {
        self.comments.get(&relation)?.get(&column).map(String::as_str)
    }

    /// Says what the users' types hold; of others nothing is known but that NULL is a value of them.
    pub fn set_kinds(&mut self, kinds: HashMap<u32, ColumnType>) {
        self.kinds = Arc::new(kinds);
    }

    /// What the users' types hold, by oid.
    pub fn kinds(&self) -> &Arc<HashMap<u32, ColumnType>> {
        &self.kinds
    }

    /// Adds a label of an enum; of its array the same.
    pub fn add_label(&mut self, type_oid: u32, label: impl Into<String>) {
        self.labels.entry(type_oid).or_default().push(label.into());
    }

    /// True if a text is a value of the type, as far as that hangs on labels.
    pub fn has_label(&self, type_oid: u32, text: &str) -> bool {
        match self.kinds.get(&type_oid) {
            Some(ColumnType::One(Kind::Enumeration) | ColumnType::Array(Kind::Enumeration)) => {
                let mut labels = self.labels.get(&type_oid).into_iter().flatten();
                labels.any(|label| label == text)
            }
            _ => true,
        }
    }

    /// True before the first reading: nothing is known of the target.
    pub fn is_unread(&self) -> bool {
        self.server_version_num == 0
    }

    /// All operators, in no order.
    pub fn operators(&self) -> impl Iterator<Item = &UserOperator> {
        self.operators.values().flatten()
    }

    /// The relation of that schema and name.
    pub fn relation(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.relations.get(self.relations_by_name.get(schema)?.get(name)?)
    }

    /// All relations of that name, in whatever schema.
    pub fn relations_named(&self, name: &str) -> impl Iterator<Item = &Relation> + use<'_> {
        let oids: Vec<u32> =
            self.relations_by_name.values().filter_map(|names| names.get(name).copied()).collect();
        oids.into_iter().filter_map(|oid| self.relations.get(&oid))
    }

    /// The relation of that oid.
    pub fn relation_by_oid(&self, oid: u32) -> Option<&Relation> {
        self.relations.get(&oid)
    }

    /// All relations, in no order.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.values()
    }

    /// All routines of that name, whatever their schema and arguments.
    pub fn routines_named(&self, name: &str) -> impl Iterator<Item = &Routine> {
        self.routines_by_name
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|oid| self.routines.get(oid))
    }

    /// All routines of that name in whatever case, `name` being in lower case.
    pub fn routines_folded(&self, name: &str) -> impl Iterator<Item = &Routine> {
        self.routines_folded
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|oid| self.routines.get(oid))
    }

    /// All routines, in no order.
    pub fn routines(&self) -> impl Iterator<Item = &Routine> {
        self.routines.values()
    }

    /// The routine of that oid.
    pub fn routine_by_oid(&self, oid: u32) -> Option<&Routine> {
        self.routines.get(&oid)
    }

    /// All operators of that name, whatever their schema and arguments.
    pub fn operators_named(&self, name: &str) -> &[UserOperator] {
        self.operators.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// All casts with user code behind them.
    pub fn casts(&self) -> &[UserCast] {
        &self.casts
    }

    /// All types of that name with user code behind them.
    pub fn types_named(&self, name: &str) -> &[UserType] {
        self.types.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}
