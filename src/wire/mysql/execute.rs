//! Executions with their parameters, and the attributes of queries, which are written alike.
//!
//! Spec:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html>,
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html>, and for MariaDB's
//! bulk <https://mariadb.com/kb/en/com_stmt_bulk_execute/>.

use super::{
    Capabilities,
    field::Fields,
    value::{TypeCode, Value},
};
use crate::wire::WireError;

/// COM_STMT_EXECUTE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Execute<'a> {
    /// The statement; [`super::command::LAST_PREPARED`] where MariaDB's clients don't wait for its number.
    pub statement: u32,
    /// Which cursor it opens, and whether a count of parameters follows.
    pub flags: u8,
    /// The rest, which can be read by who knows how many parameters there are.
    rest: &'a [u8],
}

/// The rows stay with the server until they are fetched.
pub const CURSOR_READ_ONLY: u8 = 1;
/// All kinds of cursors.
const CURSORS: u8 = 7;
/// A count of parameters is there.
const COUNT_IS_THERE: u8 = 8;

/// The most attributes or parameters of one execution.
const COUNT_MAX: u64 = 65_535;

/// A type as it is bound to a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// The type.
    pub code: TypeCode,
    /// Whole numbers have no sign.
    pub unsigned: bool,
}

/// A value that goes along with a query or an execution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Attribute<'a> {
    /// Its name; empty for the parameter of an execution.
    pub name: &'a [u8],
    /// Its value.
    pub value: Value<'a>,
}

/// What an execution is given.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameters<'a> {
    /// The types that it binds anew; `None`: those of the execution before.
    pub types: Option<Vec<Bound>>,
    /// Its parameters, and behind them attributes with names. `None`: it was sent piece by piece before.
    pub values: Vec<Option<Attribute<'a>>>,
}

impl<'a> Execute<'a> {
    /// Reads it up to its parameters.
    pub(super) fn read(fields: &mut Fields<'a>) -> Result<Self, WireError> {
        let statement = fields.u32()?;
        let flags = fields.byte()?;
        // Spec: always 1. The server doesn't look at it.
        fields.u32()?;
        if flags & !(CURSORS | COUNT_IS_THERE) != 0 {
            return Err(WireError::BadValue { what: "flags of an execution" });
        }
        Ok(Self { statement, flags, rest: fields.rest() })
    }

    /// True if its rows wait for COM_STMT_FETCH.
    pub fn opens_cursor(&self) -> bool {
        self.flags & CURSORS != 0
    }

    /// Reads the parameters. `count`: how many the statement has; `long`: true for those that were sent
    /// piece by piece; `before`: the types of the execution before.
    ///
    /// # Errors
    /// They aren't whole, something is left, or types are missing.
    pub fn parameters(
        &self,
        count: usize,
        capabilities: Capabilities,
        long: impl Fn(usize) -> bool,
        before: &[Bound],
    ) -> Result<Parameters<'a>, WireError> {
        let mut fields = Fields::new(super::command::EXECUTE, self.rest);
        let named = capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let mut all = count;
        if named && (count > 0 || self.flags & COUNT_IS_THERE != 0) {
            all = read_count(&mut fields)?;
            if all < count {
                return Err(WireError::BadValue { what: "number of parameters" });
            }
        }
        if all == 0 {
            fields.end()?;
            return Ok(Parameters { types: None, values: Vec::new() });
        }
        let nulls = fields.bytes(all.div_ceil(8))?;
        let (types, names) = match fields.byte()? {
            0 => (None, Vec::new()),
            1 => {
                let (types, names) = bound(&mut fields, all, named)?;
                (Some(types), names)
            }
            _ => return Err(WireError::BadValue { what: "flag of new types" }),
        };
        let bound = types.as_deref().unwrap_or(before);
        let mut values = Vec::with_capacity(all);
        for at in 0..all {
            let bound = bound.get(at).ok_or(WireError::BadValue { what: "types of parameters" })?;
            let name = names.get(at).copied().unwrap_or_default();
            values.push(match (long(at), is_null(nulls, at)) {
                (true, _) => None,
                (false, true) => Some(Attribute { name, value: Value::Null }),
                (false, false) => {
                    let value = Value::read(&mut fields, bound.code, bound.unsigned)?;
                    Some(Attribute { name, value })
                }
            });
        }
        fields.end()?;
        Ok(Parameters { types, values })
    }
}

/// Attributes before the text of a query.
pub(super) fn attributes<'a>(fields: &mut Fields<'a>) -> Result<Vec<Attribute<'a>>, WireError> {
    let count = read_count(fields)?;
    if fields.number()? != 1 {
        return Err(WireError::BadValue { what: "number of parameter sets" });
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let nulls = fields.bytes(count.div_ceil(8))?;
    if fields.byte()? != 1 {
        return Err(WireError::BadValue { what: "flag of new types" });
    }
    let (types, names) = bound(fields, count, true)?;
    let mut values = Vec::with_capacity(count);
    for (at, (bound, name)) in types.iter().zip(names).enumerate() {
        let value = if is_null(nulls, at) {
            Value::Null
        } else {
            Value::read(fields, bound.code, bound.unsigned)?
        };
        values.push(Attribute { name, value });
    }
    Ok(values)
}

fn read_count(fields: &mut Fields<'_>) -> Result<usize, WireError> {
    let count = fields.number()?;
    // Each takes two bytes at least.
    if count > COUNT_MAX || count > fields.left() as u64 {
        return Err(WireError::BadValue { what: "number of parameters" });
    }
    Ok(count as usize)
}

fn bound<'a>(
    fields: &mut Fields<'a>,
    count: usize,
    named: bool,
) -> Result<(Vec<Bound>, Vec<&'a [u8]>), WireError> {
    let (mut types, mut names) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let code = TypeCode(fields.byte()?);
        code.form()?;
        types.push(Bound { code, unsigned: fields.byte()? & 0x80 != 0 });
        if named {
            names.push(fields.string()?);
        }
    }
    Ok((types, names))
}

fn is_null(nulls: &[u8], at: usize) -> bool {
    nulls.get(at / 8).is_some_and(|byte| byte & (1 << (at % 8)) != 0)
}

/// COM_STMT_BULK_EXECUTE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BulkExecute<'a> {
    /// The statement.
    pub statement: u32,
    /// What is asked for.
    pub flags: u16,
    /// The rest, which can be read by who knows how many parameters there are.
    rest: &'a [u8],
}

/// Types stand before the rows.
const BULK_TYPES: u16 = 128;
/// The numbers that the rows were given are wanted.
const BULK_NUMBERS: u16 = 64;

/// One value of a bulk.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Given<'a> {
    /// This one.
    Value(Value<'a>),
    /// The column's default.
    Default,
    /// The column isn't touched.
    Ignored,
}

/// What one value of a bulk is, by its mark.
const MARKS: [u8; 4] = [0, 1, 2, 3];

impl<'a> BulkExecute<'a> {
    /// Reads it up to its types.
    pub(super) fn read(fields: &mut Fields<'a>) -> Result<Self, WireError> {
        let statement = fields.u32()?;
        let flags = fields.u16()?;
        if flags & !(BULK_TYPES | BULK_NUMBERS) != 0 {
            return Err(WireError::BadValue { what: "flags of a bulk execution" });
        }
        Ok(Self { statement, flags, rest: fields.rest() })
    }

    /// Reads types and rows, and hands each row to `row`. Gives the types. `before`: those of the
    /// execution before.
    ///
    /// # Errors
    /// They aren't whole, or types are missing.
    pub fn rows(
        &self,
        count: usize,
        before: &[Bound],
        mut row: impl FnMut(&[Given<'a>]),
    ) -> Result<Vec<Bound>, WireError> {
        let mut fields = Fields::new(0xfa, self.rest);
        let types = if self.flags & BULK_TYPES != 0 {
            bound(&mut fields, count, false)?.0
        } else {
            before.to_vec()
        };
        if types.len() < count || count == 0 {
            return Err(WireError::BadValue { what: "types of parameters" });
        }
        let mut values = Vec::with_capacity(count);
        while !fields.is_empty() {
            values.clear();
            for bound in types.iter().take(count) {
                let mark = fields.byte()?;
                values.push(match MARKS.iter().position(|known| *known == mark) {
                    Some(0) => Given::Value(Value::read(&mut fields, bound.code, bound.unsigned)?),
                    Some(1) => Given::Value(Value::Null),
                    Some(2) => Given::Default,
                    Some(_) => Given::Ignored,
                    None => return Err(WireError::BadValue { what: "mark of a value" }),
                });
            }
            row(&values);
        }
        Ok(types)
    }
}

#[cfg(test)]
mod tests;
