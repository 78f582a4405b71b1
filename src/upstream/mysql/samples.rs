//! What is asked of a target to guess which columns are sensitive: a few values.

use super::Control;
use crate::{
    kernel::catalog::{Column, Relation, RelationKind},
    upstream::{
        UpstreamError,
        samples::{VALUE_CHARS_MAX, VALUES_MAX},
    },
};

/// True if values can be read without running anybody's code: a text in a table. A view's query is somebody
/// else's.
pub fn is_readable(relation: &Relation, column: &Column) -> bool {
    let of_texts = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext"];
    let bare = column.type_name.split('(').next().unwrap_or_default();
    relation.kind == RelationKind::Table && of_texts.contains(&bare)
}

/// Makes a connection, which reads only already, ready for [`read`]: no question holds the server up for long.
///
/// # Errors
/// [`UpstreamError`].
pub async fn prepare(control: &mut Control) -> Result<(), UpstreamError> {
    let bounds = if control.version().contains("MariaDB") {
        "SET SESSION lock_wait_timeout = 1, SESSION max_statement_time = 2"
    } else {
        "SET SESSION lock_wait_timeout = 1, SESSION max_execution_time = 2000"
    };
    control.query(bounds).await.map(drop)
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
        (quoted(&relation.schema), quoted(&relation.name), quoted(&column.name));
    let sql = format!(
        "SELECT LEFT({column}, {VALUE_CHARS_MAX}) FROM {schema}.{table} \
         WHERE {column} IS NOT NULL LIMIT {VALUES_MAX}"
    );
    let rows = control.query(&sql).await?;
    Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
