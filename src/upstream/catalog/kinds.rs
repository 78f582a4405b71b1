//! What values of the users' types are on the wire, as far as masking cares.

use std::collections::HashMap;

use super::{number, text};
use crate::{
    kernel::{
        catalog::Catalog,
        mask::{ColumnType, Kind},
    },
    upstream::{
        UpstreamError,
        control::{Control, Row},
    },
    wire::{WireError, pg::types},
};

const LABELS: &str = "
SELECT enumtypid, enumlabel FROM pg_enum WHERE enumtypid >= 16384 ORDER BY enumtypid, enumsortorder";

/// How many domains may stand on one another. Deeper ones hold what nobody knows.
const DEPTH_MAX: usize = 32;

/// A user's type, as far as it says what its values are.
enum Type {
    Array { of: u32 },
    Domain { over: u32 },
    Text,
    Enumeration,
    Composite,
    Other,
}

/// Adds to a catalog what its types hold. `types`: the answer to the question for them.
pub(super) async fn read(
    control: &mut Control,
    catalog: &mut Catalog,
    types: &[Row],
) -> Result<(), UpstreamError> {
    let known = types.iter().map(one).collect::<Result<HashMap<u32, Type>, _>>()?;
    catalog.set_kinds(known.keys().map(|oid| (*oid, holds(*oid, &known, DEPTH_MAX))).collect());
    let mut labelled: HashMap<u32, Vec<u32>> = HashMap::new();
    for oid in known.keys() {
        let below = below(*oid, &known);
        if matches!(known.get(&below), Some(Type::Enumeration)) {
            labelled.entry(below).or_default().push(*oid);
        }
    }
    if labelled.is_empty() {
        return Ok(());
    }
    for row in control.simple_query(LABELS).await? {
        let label = text(&row, 1)?;
        for oid in labelled.get(&number(&row, 0)?).into_iter().flatten() {
            catalog.add_label(*oid, label.clone());
        }
    }
    Ok(())
}

fn one(row: &Row) -> Result<(u32, Type), WireError> {
    let known = match text(row, 8)?.as_str() {
        "array" => Type::Array { of: number(row, 5)? },
        "d" => Type::Domain { over: number(row, 4)? },
        "text" => Type::Text,
        "e" => Type::Enumeration,
        "c" => Type::Composite,
        _ => Type::Other,
    };
    Ok((number(row, 0)?, known))
}

/// A domain's values are those of what it restricts. An array in an array's element is no dimension of
/// it, and nothing masks that.
fn holds(oid: u32, known: &HashMap<u32, Type>, depth: usize) -> ColumnType {
    let Some(depth) = depth.checked_sub(1) else { return ColumnType::UNKNOWN };
    match known.get(&oid) {
        None => types::column_type(oid),
        Some(Type::Array { of }) => match holds(*of, known, depth) {
            ColumnType::One(kind) => ColumnType::Array(kind),
            ColumnType::Array(_) => ColumnType::Array(Kind::Unknown),
        },
        Some(Type::Domain { over }) => holds(*over, known, depth),
        Some(Type::Text) => ColumnType::TEXT,
        Some(Type::Enumeration) => ColumnType::One(Kind::Enumeration),
        Some(Type::Composite) => ColumnType::One(Kind::Composite),
        Some(Type::Other) => ColumnType::UNKNOWN,
    }
}

/// What a type's values or their elements are, below all arrays and domains.
fn below(mut oid: u32, known: &HashMap<u32, Type>) -> u32 {
    for _ in 0..DEPTH_MAX {
        match known.get(&oid) {
            Some(Type::Array { of: below } | Type::Domain { over: below }) => oid = *below,
            Some(Type::Text | Type::Enumeration | Type::Composite | Type::Other) | None => break,
        }
    }
    oid
}
