//! What is asked of a target to guess which columns are sensitive: a few values.

use super::{UpstreamError, control::Control};
use crate::kernel::catalog::{Column, Relation, RelationKind};

/// The most values of one column.
pub const VALUES_MAX: usize = 100;

/// The most characters of one value.
pub(super) const VALUE_CHARS_MAX: usize = 200;

/// Names below are the server's own. A table whose policies would hide rows answers with an error, and
/// none of their code runs. No question holds the server up for long.
const PREPARE: &str = "
SELECT pg_catalog.set_config('search_path', 'pg_catalog', false),
       pg_catalog.set_config('row_security', 'off', false),
       pg_catalog.set_config('default_transaction_read_only', 'on', false),
       pg_catalog.set_config('lock_timeout', '1s', false),
       pg_catalog.set_config('statement_timeout', '2s', false)";

/// True if values can be read without running anybody's code: a text of the server's own types in a
/// table. A view's query and a foreign table's server are somebody else's.
pub fn is_readable(relation: &Relation, column: &Column) -> bool {
    let of_texts = ["text", "character varying", "character"];
    let bare = column.type_name.split('(').next().unwrap_or_default();
    relation.kind == RelationKind::Table && of_texts.contains(&bare)
}

/// Makes a connection ready for [`read`]; for nothing else afterwards.
///
/// # Errors
/// [`UpstreamError`].
pub async fn prepare(control: &mut Control) -> Result<(), UpstreamError> {
    control.simple_query(PREPARE).await.map(drop)
}

/// Some values of a column, those that aren't NULL, long ones cut.
///
/// # Errors
/// [`UpstreamError::Server`] if the log-in may not read it, or if it takes too long.
pub async fn read(
    control: &mut Control,
    relation: &Relation,
    column: &Column,
) -> Result<Vec<String>, UpstreamError> {
    let (schema, table, column) =
        (identifier(&relation.schema), identifier(&relation.name), identifier(&column.name));
    let sql = format!(
        "SELECT pg_catalog.left({column}::pg_catalog.text, {VALUE_CHARS_MAX}) \
         FROM {schema}.{table} WHERE {column} IS NOT NULL LIMIT {VALUES_MAX}"
    );
    let rows = control.simple_query(&sql).await?;
    Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
