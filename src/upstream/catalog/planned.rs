//! User code that runs while a statement over a table is merely planned, though the statement names
//! none of it: the planner computes what index predicates, index and statistics expressions, checks and
//! partition keys call with constants only, and compares keys to find partitions.

use std::collections::{HashMap, HashSet};

use super::{Row, number, text};
use crate::{kernel::catalog::Relation, wire::WireError};

/// The tables' routines, each with its table, from what [`TREES`] and [`COMPARED`] answer; `operators`
/// are the routines behind the users' operators.
pub(super) fn routines(
    trees: &[Row],
    compared: &[Row],
    operators: &HashMap<u32, u32>,
) -> Result<Vec<(u32, u32)>, WireError> {
    let mut found = Vec::new();
    for row in trees {
        let relation = number(row, 0)?;
        let constant = called_with_constants(&text(row, 1)?);
        found.extend(constant.into_iter().filter_map(|called| {
            let routine = match called {
                Called::Routine(oid) => Some(oid),
                Called::Operator(oid) => operators.get(&oid).copied(),
            };
            routine.map(|oid| (relation, oid))
        }));
    }
    for row in compared {
        found.push((number(row, 0)?, number(row, 1)?));
    }
    Ok(found)
}

/// Adds one to its table, and to all that it is planned with.
pub(super) fn add(relations: &mut HashMap<u32, Relation>, relation: u32, routine: u32) {
    let (mut left, mut seen) = (vec![relation], HashSet::new());
    while let Some(oid) = left.pop() {
        if let Some(relation) = relations.get_mut(&oid).filter(|_| seen.insert(oid)) {
            if !relation.planned.contains(&routine) {
                relation.planned.push(routine);
            }
            left.extend(&relation.parents);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Called {
    Routine(u32),
    Operator(u32),
}

/// What the tree calls without any column among the arguments. Spec: a node is `{TYPE :field value …}`;
/// braces and blanks inside of names and strings have a backslash before them.
fn called_with_constants(tree: &str) -> Vec<Called> {
    let mut open: Vec<(Option<Called>, bool)> = Vec::new();
    let mut found = Vec::new();
    let mut escaped = false;
    for (at, byte) in tree.bytes().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match byte {
            b'\\' => escaped = true,
            b'{' => {
                let node = tree.get(at + 1..).unwrap_or_default();
                open.push((called(node), node.starts_with("VAR ")));
            }
            b'}' => {
                let Some((node, has_column)) = open.pop() else { continue };
                if let Some(outer) = open.last_mut() {
                    outer.1 |= has_column;
                }
                found.extend(node.filter(|_| !has_column));
            }
            _ => {}
        }
    }
    found
}

fn called(node: &str) -> Option<Called> {
    let oid = |rest: &str| rest.split(' ').next().and_then(|oid| oid.parse().ok());
    if let Some(rest) = node.strip_prefix("FUNCEXPR :funcid ") {
        return oid(rest).map(Called::Routine);
    }
    ["OPEXPR :opno ", "DISTINCTEXPR :opno ", "NULLIFEXPR :opno ", "SCALARARRAYOPEXPR :opno "]
        .into_iter()
        .find_map(|kind| node.strip_prefix(kind))
        .and_then(oid)
        .map(Called::Operator)
}

/// The stored expressions of tables that name something of users'. Statistics have expressions from 14
/// on.
pub(super) const TREES: &str = "
SELECT relation, tree FROM (
    SELECT indrelid, concat(indexprs::text, indpred::text) FROM pg_index
    UNION ALL SELECT conrelid, conbin::text FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0
    UNION ALL SELECT stxrelid, to_jsonb(s) ->> 'stxexprs' FROM pg_statistic_ext s
    UNION ALL SELECT partrelid, partexprs::text FROM pg_partitioned_table
) AS t (relation, tree)
WHERE tree ~ ':(funcid|opno) [0-9]{5}'";

/// What compares the keys of partitioned tables, if it isn't the server's own.
pub(super) const COMPARED: &str = "
SELECT t.partrelid, p.amproc::oid
FROM pg_partitioned_table t, LATERAL unnest(t.partclass) AS k (class)
JOIN pg_opclass c ON c.oid = k.class
JOIN pg_amproc p ON p.amprocfamily = c.opcfamily AND p.amproclefttype = c.opcintype
WHERE p.amproc >= 16384";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_over_a_column_is_none_that_the_planner_makes() {
        let constant = "{FUNCEXPR :funcid 20001 :args ({CONST :consttype 25 :constvalue 5 [ 1 ]})}";
        let column = "{FUNCEXPR :funcid 20002 :args ({VAR :varno 1 :varattno 1})}";
        assert_eq!(called_with_constants(constant), [Called::Routine(20001)]);
        assert_eq!(called_with_constants(column), []);
        let both = format!("{{BOOLEXPR :boolop and :args ({column} {constant})}}");
        assert_eq!(called_with_constants(&both), [Called::Routine(20001)]);
        let inner = format!("{{OPEXPR :opno 30001 :opfuncid 0 :args ({constant} {column})}}");
        assert_eq!(called_with_constants(&inner), [Called::Routine(20001)]);
        let outer = format!("{{OPEXPR :opno 30001 :opfuncid 0 :args ({constant})}}");
        let expected = [Called::Routine(20001), Called::Operator(30001)];
        assert_eq!(called_with_constants(&outer), expected);
    }

    #[test]
    fn names_close_no_node() {
        let tree = "{FUNCEXPR :funcid 20001 :args ({RELABEL :name a\\}b {VAR :varno 1})}";
        assert_eq!(called_with_constants(tree), []);
    }
}
