//! Reads what a database contains into a [`Catalog`]: a few big questions over the control
//! connection, in one snapshot. Works for servers 13 to 18 and for a log-in without any privilege.
//!
//! What is here of `pg_catalog` and `information_schema` is their relations and columns; their
//! routines, operators and types are on the reviewed lists of `kernel::sql`. An object counts as the
//! users' if it lies outside these schemas *or* came after the server was set up: nobody hides
//! anything by putting it into `pg_catalog`.

mod kinds;
mod planned;
mod ties;

use std::collections::{HashMap, HashSet};

use super::{
    UpstreamError,
    control::{Control, Row},
};
use crate::{
    kernel::catalog::{
        Catalog, Column, Relation, RelationKind, Routine, RoutineKind, TypeShape, UserCast,
        UserOperator, UserType, Volatility,
    },
    wire::{WireError, pg::array},
};

/// Reads the whole catalog. `epoch` is the caller's count of snapshots.
///
/// # Errors
/// [`UpstreamError`]; the control connection is outside a transaction if it is still of use.
pub async fn read(control: &mut Control, epoch: u64) -> Result<Catalog, UpstreamError> {
    let read = read_snapshot(control, epoch).await;
    if control.is_ready() {
        control.simple_query("ROLLBACK").await?;
    }
    read
}

async fn read_snapshot(control: &mut Control, epoch: u64) -> Result<Catalog, UpstreamError> {
    control.simple_query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let default_path = control.simple_query(DEFAULT_PATH).await?;
    let default_path = default_path.iter().map(|row| text(row, 0)).collect::<Result<_, _>>()?;
    // From here on every name below means the server's own, whatever lies on the log-in's path; and
    // view definitions and types print with their schema.
    control.simple_query(OWN_PATH).await?;

    let mut catalog = Catalog::default();
    catalog.epoch = epoch;
    catalog.default_path = default_path;
    let server = control.simple_query(SERVER).await?;
    as_a_whole(server.first().ok_or(ODD)?, &mut catalog)?;

    for row in control.simple_query(ROUTINES).await? {
        catalog.add_routine(routine(&row)?);
    }
    let mut operators = HashMap::new();
    for row in control.simple_query(OPERATORS).await? {
        let (oid, routine): (u32, u32) = (number(&row, 0)?, number(&row, 3)?);
        operators.insert(oid, routine);
        let operands = numbers(&row, 4)?;
        catalog.add_operator(
            text(&row, 2)?,
            UserOperator { schema: text(&row, 1)?, routine, operands },
        );
    }
    for row in control.simple_query(CASTS).await? {
        catalog.add_cast(UserCast {
            target: text(&row, 0)?,
            target_oid: number(&row, 1)?,
            routine: number(&row, 2)?,
            implicit: flag(&row, 3)?,
            from: numbers(&row, 4)?.first().copied(),
            to: numbers(&row, 5)?.first().copied(),
            in_expressions: flag(&row, 6)?,
        });
    }

    let mut relations = HashMap::new();
    for row in control.simple_query(RELATIONS).await? {
        if let Some(relation) = relation(&row)? {
            relations.insert(relation.oid, relation);
        }
    }
    for row in control.simple_query(COLUMNS).await? {
        if let Some(relation) = relations.get_mut(&number(&row, 0)?) {
            relation.columns.push(Column {
                number: number(&row, 1)?,
                name: text(&row, 2)?,
                type_oid: number(&row, 3)?,
                type_name: text(&row, 4)?,
                generated: row.get(5).cloned().flatten(),
            });
        }
    }
    for row in control.simple_query(PARENTS).await? {
        if let Some(relation) = relations.get_mut(&number(&row, 0)?) {
            relation.parents.push(number(&row, 1)?);
        }
    }
    for row in control.simple_query(READS).await? {
        if let Some(relation) = relations.get_mut(&number(&row, 0)?) {
            relation.reads.push(number(&row, 1)?);
        }
    }
    for row in control.simple_query(BUILT_INS).await? {
        if let Some(relation) = relations.get_mut(&number(&row, 0)?) {
            relation.built_ins.push(text(&row, 1)?);
        }
    }
    ties::read(control, &mut relations).await?;

    let arguments = control.simple_query(ARGUMENTS).await?;
    let types = control.simple_query(TYPES).await?;
    let references = control.simple_query(REFERENCES).await?;
    let planned = control.simple_query(planned::TREES).await?;
    let compared = control.simple_query(planned::COMPARED).await?;
    let uses = Uses::new(&catalog, operators, &types, &references, &relations)?;
    let mut compares: HashMap<u32, Vec<u32>> = HashMap::new();
    for row in control.simple_query(COMPARES).await? {
        compares.entry(number(&row, 0)?).or_default().push(number(&row, 1)?);
    }
    for row in &types {
        let oid = number(row, 0)?;
        let calls = uses.of_type(oid, Depth::AndInputOutput);
        let parts = uses.types.get(&oid).map(|t| t.parts.clone()).unwrap_or_default();
        let compares = compares.remove(&oid).unwrap_or_default();
        catalog.add_shape(text(row, 2)?, oid, TypeShape { parts, calls: calls.clone(), compares });
        if !calls.is_empty() {
            catalog.add_type(text(row, 2)?, UserType { schema: text(row, 1)?, calls });
        }
    }
    for row in &arguments {
        let oid = number(row, 1)?;
        catalog.add_routine_type(number(row, 0)?, oid, uses.of_type(oid, Depth::Checks));
    }
    for relation in relations.values_mut() {
        relation.calls = uses.of_owner(&uses.relations, relation.oid);
        relation.policies = uses.of_owner(&uses.policies, relation.oid);
        relation.triggers = uses.of_owner(&uses.triggers, relation.oid);
    }
    for (relation, oid) in planned::routines(&planned, &compared, &uses.operators)? {
        if catalog.routine_by_oid(oid).is_some() {
            planned::add(&mut relations, relation, oid);
        }
    }
    for relation in relations.into_values() {
        catalog.add_relation(relation);
    }
    kinds::read(control, &mut catalog, &types).await?;
    for row in control.simple_query(COMMENTS).await? {
        catalog.add_comment(number(&row, 0)?, number(&row, 1)?, text(&row, 2)?);
    }
    Ok(catalog)
}

/// The answer to the question for the server and the database.
fn as_a_whole(row: &Row, catalog: &mut Catalog) -> Result<(), WireError> {
    catalog.server_version_num = number(row, 0)?;
    catalog.database = text(row, 1)?;
    catalog.login = text(row, 2).ok().filter(|name| !name.is_empty());
    let extensions = array::elements(&text(row, 3)?).ok_or(ODD)?;
    catalog.extensions = extensions.into_iter().flatten().collect();
    Ok(())
}

/// Which user routines run when something is used: through operators and types too.
struct Uses {
    routines: HashSet<u32>,
    operators: HashMap<u32, u32>,
    types: HashMap<u32, TypeParts>,
    relations: HashMap<u32, Vec<Reference>>,
    policies: HashMap<u32, Vec<Reference>>,
    triggers: HashMap<u32, Vec<Reference>>,
}

/// What a user's type is made of.
#[derive(Default)]
struct TypeParts {
    is_base: bool,
    parts: Vec<u32>,
    references: Vec<Reference>,
}

#[derive(Clone, Copy)]
enum Reference {
    Routine(u32),
    Operator(u32),
    Type(u32),
}

/// How far to look into a type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Checks and defaults of domains: what runs when a value is stored.
    Checks,
    /// And the input and output functions of base types, which only a superuser can make.
    AndInputOutput,
}

impl Uses {
    fn new(
        catalog: &Catalog,
        operators: HashMap<u32, u32>,
        types: &[Row],
        references: &[Row],
        relations: &HashMap<u32, Relation>,
    ) -> Result<Self, WireError> {
        let mut uses = Self {
            routines: HashSet::new(),
            operators,
            types: HashMap::new(),
            relations: HashMap::new(),
            policies: HashMap::new(),
            triggers: HashMap::new(),
        };
        for row in types {
            let mut parts = vec![number(row, 4)?, number(row, 5)?, number(row, 7)?];
            if let Some(relation) = relations.get(&number(row, 6)?) {
                parts.extend(relation.columns.iter().map(|column| column.type_oid));
            }
            let is_base = text(row, 3)? == "b";
            let parts = TypeParts { is_base, parts, references: Vec::new() };
            uses.types.insert(number(row, 0)?, parts);
        }
        for row in references {
            let (owner, oid) = (number(row, 1)?, number(row, 3)?);
            let reference = match text(row, 2)?.as_str() {
                "routine" => {
                    if catalog.routine_by_oid(oid).is_some() {
                        uses.routines.insert(oid);
                    }
                    Reference::Routine(oid)
                }
                "operator" => Reference::Operator(oid),
                _ => Reference::Type(oid),
            };
            match text(row, 0)?.as_str() {
                "relation" => uses.relations.entry(owner).or_default().push(reference),
                "policy" => uses.policies.entry(owner).or_default().push(reference),
                "trigger" => uses.triggers.entry(owner).or_default().push(reference),
                _ => uses.types.entry(owner).or_default().references.push(reference),
            }
        }
        let behind_operators = uses.operators.values().copied();
        uses.routines.extend(behind_operators.filter(|oid| catalog.routine_by_oid(*oid).is_some()));
        Ok(uses)
    }

    fn of_owner(&self, owners: &HashMap<u32, Vec<Reference>>, oid: u32) -> Vec<u32> {
        let mut found = HashSet::new();
        for reference in owners.get(&oid).into_iter().flatten() {
            self.follow(*reference, Depth::Checks, &mut HashSet::new(), &mut found);
        }
        sorted(found)
    }

    fn of_type(&self, oid: u32, depth: Depth) -> Vec<u32> {
        let mut found = HashSet::new();
        self.follow(Reference::Type(oid), depth, &mut HashSet::new(), &mut found);
        sorted(found)
    }

    /// `seen` are types on the way here: a composite type may hold an array of itself.
    fn follow(
        &self,
        reference: Reference,
        depth: Depth,
        seen: &mut HashSet<u32>,
        found: &mut HashSet<u32>,
    ) {
        // A work list, not recursion: types nest as deep as somebody cares to nest them.
        let mut left = vec![reference];
        while let Some(reference) = left.pop() {
            match reference {
                Reference::Routine(oid) => {
                    found.extend(self.routines.get(&oid));
                }
                Reference::Operator(oid) => {
                    left.extend(self.operators.get(&oid).map(|oid| Reference::Routine(*oid)));
                }
                Reference::Type(oid) => {
                    let Some(parts) = self.types.get(&oid).filter(|_| seen.insert(oid)) else {
                        continue;
                    };
                    left.extend(parts.parts.iter().map(|oid| Reference::Type(*oid)));
                    if !parts.is_base || depth == Depth::AndInputOutput {
                        left.extend(&parts.references);
                    }
                }
            }
        }
    }
}

fn sorted(found: HashSet<u32>) -> Vec<u32> {
    let mut found: Vec<u32> = found.into_iter().collect();
    found.sort_unstable();
    found
}

/// `None` for a kind that a future server may add: what isn't in the catalog isn't understood.
fn relation(row: &Row) -> Result<Option<Relation>, WireError> {
    let kind = match text(row, 3)?.as_str() {
        "r" | "p" => RelationKind::Table,
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        "f" => RelationKind::ForeignTable,
        "S" => RelationKind::Sequence,
        "i" | "I" => RelationKind::Index,
        "c" => RelationKind::CompositeType,
        "t" => RelationKind::Toast,
        _ => return Ok(None),
    };
    let mut relation = Relation::new(number(row, 0)?, text(row, 1)?, text(row, 2)?, kind);
    relation.has_rules = flag(row, 4)?;
    relation.definition = row.get(5).cloned().flatten();
    relation.is_partition = flag(row, 6)?;
    Ok(Some(relation))
}

fn routine(row: &Row) -> Result<Routine, WireError> {
    Ok(Routine {
        oid: number(row, 0)?,
        schema: text(row, 1)?,
        name: text(row, 2)?,
        kind: match text(row, 3)?.as_str() {
            "p" => RoutineKind::Procedure,
            "a" => RoutineKind::Aggregate,
            "w" => RoutineKind::Window,
            _ => RoutineKind::Function,
        },
        volatility: match text(row, 4)?.as_str() {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        security_definer: flag(row, 5)?,
        language: text(row, 6)?,
        extension: row.get(7).cloned().flatten(),
        takes_rows: flag(row, 8)?,
        argument_code: Vec::new(),
        types: Vec::new(),
    })
}

/// An answer that isn't of the shape asked for.
const ODD: WireError = WireError::BadValue { what: "answer about the catalog" };

fn text(row: &Row, at: usize) -> Result<String, WireError> {
    row.get(at).cloned().flatten().ok_or(ODD)
}

/// Numbers as `{1,2}`.
fn numbers<T: std::str::FromStr>(row: &Row, at: usize) -> Result<Vec<T>, WireError> {
    let elements = array::elements(&text(row, at)?).ok_or(ODD)?;
    elements.iter().map(|one| one.as_deref().and_then(|one| one.parse().ok()).ok_or(ODD)).collect()
}

fn number<T: std::str::FromStr>(row: &Row, at: usize) -> Result<T, WireError> {
    text(row, at)?.parse().map_err(|_| ODD)
}

fn flag(row: &Row, at: usize) -> Result<bool, WireError> {
    Ok(text(row, at)? == "t")
}

const DEFAULT_PATH: &str = "SELECT pg_catalog.unnest(pg_catalog.current_schemas(true))";

const OWN_PATH: &str = "SELECT pg_catalog.set_config('search_path', 'pg_catalog', true), \
    pg_catalog.set_config('statement_timeout', '0', true)";

/// The log-in is told only where no setting makes a session begin as another role.
const SERVER: &str = "
SELECT current_setting('server_version_num'), current_database(),
       CASE WHEN current_user = session_user AND current_setting('role') = 'none' AND NOT EXISTS (
           SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
           WHERE c.setting LIKE 'role=%' AND s.setrole IN (0, (
               SELECT oid FROM pg_roles WHERE rolname = current_user)))
       THEN current_user ELSE '' END,
       ARRAY(SELECT extname FROM pg_extension)";

/// Other sessions' temporary relations are theirs alone.
const RELATIONS: &str = "
SELECT c.oid, n.nspname, c.relname, c.relkind,
       EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'),
       CASE WHEN c.relkind IN ('v', 'm') AND c.oid >= 16384 THEN pg_get_viewdef(c.oid) END,
       c.relispartition
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relpersistence <> 't'";

const COLUMNS: &str = "
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
  AND c.relpersistence <> 't' AND c.relkind NOT IN ('i', 'I')
ORDER BY a.attrelid, a.attnum";

/// What people say of their columns: rules of masks may go by it.
const COMMENTS: &str = "
SELECT objoid, objsubid, description FROM pg_description
WHERE classoid = 'pg_class'::regclass AND objsubid > 0 AND objoid >= 16384";

const PARENTS: &str = "
SELECT inhrelid, inhparent FROM pg_inherits ORDER BY inhrelid, inhseqno";

/// From the stored query itself: dependencies on the server's own relations aren't recorded, and a
/// view over pg_authid must say so. In the tree's text blanks inside of names are escaped, so that
/// nobody can name a column `:relid 1`.
const READS: &str = "
SELECT DISTINCT r.ev_class, m.found[1]::oid
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class,
     LATERAL regexp_matches(r.ev_action::text, ':relid ([0-9]+)', 'g') AS m (found)
WHERE c.oid >= 16384 AND c.relkind IN ('v', 'm') AND r.rulename = '_RETURN'
  AND m.found[1] <> '0' AND m.found[1]::oid <> r.ev_class
ORDER BY 1, 2";

/// The built-in routines of the same queries, and of policies: these aren't recorded as dependencies
/// either. What the server casts by is left out.
const BUILT_INS: &str = "
WITH trees AS (
    SELECT r.ev_class AS relation, r.ev_action::text AS tree
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.oid >= 16384 AND c.relkind IN ('v', 'm') AND r.rulename = '_RETURN'
    UNION ALL SELECT p.polrelid, concat(p.polqual::text, p.polwithcheck::text)
    FROM pg_policy p JOIN pg_class t ON t.oid = p.polrelid AND t.relrowsecurity
)
SELECT DISTINCT t.relation, p.proname
FROM trees t,
     LATERAL regexp_matches(t.tree, ':(?:funcid|aggfnoid|winfnoid) ([0-9]+)', 'g') AS m (found),
     pg_proc p
WHERE p.oid = m.found[1]::oid AND p.oid < 16384
  AND NOT EXISTS (SELECT FROM pg_cast k WHERE k.castfunc = p.oid)
ORDER BY 1, 2";

/// Rows fit arguments of their own type, of every pseudo-type, and of whatever somebody lets them be
/// cast to.
const ROUTINES: &str = "
SELECT p.oid, n.nspname, p.proname, p.prokind,
       CASE WHEN p.prokind = 'a' THEN parts.volatility ELSE p.provolatile::text END,
       p.prosecdef OR coalesce(parts.definer, false), l.lanname, e.extname,
       p.pronargs >= 1 AND p.pronargs - p.pronargdefaults <= 1 AND (
           EXISTS (SELECT FROM pg_type t WHERE t.oid IN (p.proargtypes[0], p.provariadic)
                   AND (t.typtype = 'p' OR t.typcategory = 'C'))
           OR EXISTS (SELECT FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource
                      WHERE c.oid >= 16384 AND s.typcategory IN ('C', 'P')))
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
     AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
LEFT JOIN pg_extension e ON e.oid = d.refobjid
LEFT JOIN LATERAL (
    SELECT CASE WHEN bool_or(f.provolatile = 'v') THEN 'v' WHEN bool_or(f.provolatile = 's') THEN 's'
           ELSE 'i' END AS volatility, bool_or(f.prosecdef) AS definer
    FROM pg_aggregate a JOIN pg_proc f ON f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn,
         a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
    WHERE a.aggfnoid = p.oid
) parts ON p.prokind = 'a'
WHERE p.oid >= 16384 OR n.nspname NOT IN ('pg_catalog', 'information_schema')";

const OPERATORS: &str = "
SELECT o.oid, n.nspname, o.oprname, o.oprcode::oid,
       ARRAY(SELECT CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END FROM pg_type t
             WHERE t.oid IN (o.oprleft, o.oprright)
               AND CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END >= 16384)
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE o.oid >= 16384 OR n.nspname NOT IN ('pg_catalog', 'information_schema')";

const CASTS: &str = "
SELECT e.typname, e.oid,
       CASE WHEN castfunc >= 16384 THEN castfunc::oid ELSE 0 END, castcontext IN ('i', 'a'),
       ARRAY(SELECT CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END FROM pg_type t
             WHERE t.oid = castsource
               AND CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END >= 16384),
       ARRAY(SELECT CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END FROM pg_type t
             WHERE t.oid = casttarget
               AND CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END >= 16384),
       castcontext = 'i'
FROM pg_cast c JOIN pg_type t ON t.oid = c.casttarget
JOIN pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END
WHERE c.castfunc >= 16384 OR c.castcontext = 'i' AND c.oid >= 16384";

/// The support functions and operators of operator classes for users' types: what sorts, compares and
/// hashes their values where nobody writes an operator.
const COMPARES: &str = "
SELECT c.opcintype, p.amproc::oid FROM pg_opclass c
JOIN pg_amproc p ON p.amprocfamily = c.opcfamily AND p.amproclefttype = c.opcintype
WHERE c.opcintype >= 16384 AND p.amproc >= 16384
UNION SELECT c.opcintype, o.oprcode::oid FROM pg_opclass c
JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype
JOIN pg_operator o ON o.oid = m.amopopr
WHERE c.opcintype >= 16384 AND o.oprcode >= 16384
UNION SELECT r.rngtypid, f.oid::oid FROM pg_range r,
     LATERAL unnest(ARRAY[r.rngsubdiff, r.rngcanonical]::oid[]) AS f (oid)
WHERE f.oid >= 16384
UNION SELECT r.rngtypid, p.amproc::oid FROM pg_range r
JOIN pg_opclass c ON c.oid = r.rngsubopc
JOIN pg_amproc p ON p.amprocfamily = c.opcfamily AND p.amproclefttype = c.opcintype
WHERE p.amproc >= 16384";

/// Which of the users' types the arguments of the users' routines and what they return have.
const ARGUMENTS: &str = "
SELECT DISTINCT p.oid, a.type FROM pg_proc p,
     LATERAL unnest(p.prorettype || p.proargtypes::oid[] || coalesce(p.proallargtypes, '{}')) AS a (type)
WHERE p.oid >= 16384 AND a.type >= 16384";

/// Arrays are made of their elements, domains of what they restrict, composites of their columns,
/// ranges of their bounds, multiranges (from 14 on) of their ranges. A base type is `text` on the wire
/// if the functions that read and write its values are those of text, in both formats.
const TYPES: &str = "
SELECT t.oid, n.nspname, t.typname, CASE WHEN t.typelem <> 0 THEN 'a' ELSE t.typtype END,
       t.typbasetype, t.typelem, t.typrelid, coalesce(r.rngsubtype, m.rngtypid, 0),
       CASE WHEN EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)
            THEN 'array'
            WHEN t.typtype = 'b' AND t.typlen = -1 AND t.typelem = 0 AND (
                SELECT count(*) = 4 FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang,
                     (VALUES (t.typinput, 'textin'), (t.typoutput, 'textout'),
                             (t.typreceive, 'textrecv'), (t.typsend, 'textsend')) AS f (oid, name)
                WHERE p.oid = f.oid AND l.lanname = 'internal' AND p.prosrc = f.name)
            THEN 'text'
            ELSE t.typtype::text END
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_range m ON (to_jsonb(m) ->> 'rngmultitypid')::oid = t.oid
WHERE t.oid >= 16384 AND n.nspname !~ '^pg_(toast_)?temp_'";

/// Who uses which of the users' routines, operators and types, directly. The server records these as
/// dependencies, down to each expression.
const REFERENCES: &str = "
WITH d AS (
    SELECT classid, objid, refobjid, CASE refclassid
           WHEN 'pg_proc'::regclass THEN 'routine'
           WHEN 'pg_operator'::regclass THEN 'operator' ELSE 'type' END AS what
    FROM pg_depend
    WHERE refobjid >= 16384
      AND refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
)
SELECT 'relation', a.adrelid, d.what, d.refobjid
FROM d JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid
UNION SELECT 'relation', c.conrelid, d.what, d.refobjid
FROM d JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
WHERE c.conrelid <> 0
UNION SELECT 'policy', p.polrelid, d.what, d.refobjid
FROM d JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
JOIN pg_class t ON t.oid = p.polrelid AND t.relrowsecurity
UNION SELECT 'relation', r.ev_class, d.what, d.refobjid
FROM d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
UNION SELECT 'relation', i.indrelid, d.what, d.refobjid
FROM d JOIN pg_index i ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
UNION SELECT 'relation', d.objid, d.what, d.refobjid
FROM d WHERE d.classid = 'pg_class'::regclass
UNION SELECT 'trigger', t.tgrelid, d.what, d.refobjid
FROM d JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
UNION SELECT 'trigger', t.tgrelid, 'routine', t.tgfoid FROM pg_trigger t WHERE t.tgfoid >= 16384
UNION SELECT 'type', c.contypid, d.what, d.refobjid
FROM d JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
WHERE c.contypid <> 0
UNION SELECT 'type', d.objid, d.what, d.refobjid
FROM d WHERE d.classid = 'pg_type'::regclass";
