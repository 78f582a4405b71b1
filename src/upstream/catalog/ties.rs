//! What ties relations to each other: foreign keys that change rows elsewhere, sequences that belong to
//! tables, and the keys that others refer to and that part rows.

use std::collections::HashMap;

use super::{Control, UpstreamError, number, numbers, text};
use crate::kernel::catalog::{Cascade, CascadeAction, Relation};

/// Adds them to the relations.
pub(super) async fn read(
    control: &mut Control,
    relations: &mut HashMap<u32, Relation>,
) -> Result<(), UpstreamError> {
    for row in control.simple_query(CASCADES).await? {
        let cascade = Cascade {
            from: number(&row, 1)?,
            from_columns: numbers(&row, 2)?,
            to_columns: numbers(&row, 3)?,
            on_delete: action(&text(&row, 4)?),
            on_update: action(&text(&row, 5)?),
        };
        if let Some(relation) = relations.get_mut(&number(&row, 0)?) {
            relation.cascades.push(cascade);
        }
    }
    for row in control.simple_query(OWNED).await? {
        if let Some(sequence) = relations.get_mut(&number(&row, 0)?) {
            sequence.owned_by = Some(number(&row, 1)?);
        }
    }
    for row in control.simple_query(KEYS).await? {
        if let Some(relation) = relations.get_mut(&number(&row, 0)?) {
            relation.primary_key.extend(numbers::<i16>(&row, 1)?);
            relation.partition_key.extend(numbers::<i16>(&row, 2)?);
            relation.unique.extend(numbers::<i16>(&row, 3)?);
        }
    }
    Ok(())
}

/// Fail closed: an action that a later server may bring deletes.
fn action(word: &str) -> CascadeAction {
    match word {
        "nothing" => CascadeAction::Nothing,
        "updates" => CascadeAction::Updates,
        _ => CascadeAction::Deletes,
    }
}

/// A generated column that is referred to changes with any other.
const CASCADES: &str = "
SELECT confrelid, conrelid, conkey,
       CASE WHEN EXISTS (SELECT FROM pg_attribute a
                         WHERE attrelid = confrelid AND attnum = ANY (confkey) AND attgenerated <> '')
            THEN ARRAY(SELECT attnum FROM pg_attribute WHERE attrelid = confrelid AND attnum > 0)
            ELSE confkey END,
       CASE WHEN confdeltype IN ('a', 'r') THEN 'nothing' WHEN confdeltype IN ('n', 'd') THEN 'updates'
            ELSE 'deletes' END,
       CASE WHEN confupdtype IN ('a', 'r') THEN 'nothing' WHEN confupdtype IN ('c', 'n', 'd')
            THEN 'updates' ELSE 'deletes' END
FROM pg_constraint
WHERE contype = 'f' AND NOT (confdeltype IN ('a', 'r') AND confupdtype IN ('a', 'r'))
ORDER BY oid";

const KEYS: &str = "
SELECT conrelid, conkey, '{}'::int2[], '{}'::int2[] FROM pg_constraint
WHERE contype = 'p' AND conrelid <> 0
UNION ALL
SELECT partrelid, '{}', string_to_array(partattrs::text, ' ')::int2[], '{}' FROM pg_partitioned_table
UNION ALL
SELECT indrelid, '{}', '{}', ARRAY(
    SELECT k FROM unnest(string_to_array(indkey::text, ' ')::int2[]) k WHERE k <> 0
    UNION SELECT refobjsubid::int2 FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = indexrelid
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = indrelid AND d.refobjsubid > 0)
FROM pg_index WHERE (indisunique OR indisexclusion) AND indrelid >= 16384
ORDER BY 1";

const OWNED: &str = "
SELECT d.objid, d.refobjid FROM pg_depend d
JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
ORDER BY 1";
