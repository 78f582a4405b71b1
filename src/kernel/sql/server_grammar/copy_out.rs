//! COPY … TO STDOUT: where its rows come from, and its options.

use pg_query::protobuf::{self as pg, node::Node as N};

use super::{columns::text as string, parse};
use crate::kernel::sql::{
    copy::{CopyForm, CopyOptions, CopyOut, CopySource, Forced, quote},
    lex::{Limits, StatementRange, Tokens, tokenize},
    mode::LexMode,
    text::StatementText,
};

/// Reads the one statement of a text that has been judged to be a COPY … TO STDOUT. `None`: it is none.
///
/// The query of `COPY (query) TO …` is cut out by its parentheses and not read again, whatever its size.
pub fn copy_out(text: &str, mode: LexMode) -> Option<CopyOut> {
    let checked = StatementText::new(text.as_bytes(), usize::MAX).ok()?;
    let tokens = tokenize(&checked, mode, &Limits::DEFAULT).ok()?;
    let [only] = tokens.statements() else { return None };
    let query = query(text, &tokens, only);
    let alike = match &query {
        Some((_, end)) => format!("COPY (SELECT 1) {}", text.get(*end..only.bytes.end)?),
        None => text.get(only.bytes.clone())?.to_owned(),
    };
    let parsed = parse(&alike, mode).ok()?;
    let [only] = parsed.stmts.as_slice() else { return None };
    let Some(N::CopyStmt(copy)) = &only.stmt.as_deref()?.node else { return None };
    if copy.is_from || copy.is_program || !copy.filename.is_empty() {
        return None;
    }
    let source = match (query, &copy.relation) {
        (Some((query, _)), None) => CopySource::Query(query),
        (None, Some(table)) => table_of(copy, table)?,
        (Some(_), Some(_)) | (None, None) => return None,
    };
    Some(CopyOut { source, options: options(&copy.options) })
}

/// The query between the parentheses, behind blanks, and where the closing one ends.
fn query(text: &str, tokens: &Tokens, statement: &StatementRange) -> Option<(String, usize)> {
    let tokens = tokens.of(statement);
    let (first, rest) = tokens.split_first()?;
    let open = rest.first()?;
    if !first.text(text).eq_ignore_ascii_case("copy") || open.text(text) != "(" {
        return None;
    }
    let mut depth = 0_u32;
    let close = rest.iter().find(|token| {
        match token.text(text) {
            "(" => depth = depth.saturating_add(1),
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })?;
    let before = text.get(..open.end as usize)?;
    let inside = text.get(open.end as usize..close.start as usize)?;
    let blanks = " ".repeat(before.chars().count());
    Some((format!("{blanks}{inside}"), close.end as usize))
}

fn table_of(copy: &pg::CopyStmt, table: &pg::RangeVar) -> Option<CopySource> {
    if !table.catalogname.is_empty() {
        return None;
    }
    let mut name = quote(&table.relname);
    if !table.schemaname.is_empty() {
        name = format!("{}.{name}", quote(&table.schemaname));
    }
    let columns: Vec<_> = copy.attlist.iter().filter_map(string).collect();
    (columns.len() == copy.attlist.len()).then_some(CopySource::Table { name, columns })
}

fn options(list: &[pg::Node]) -> Option<CopyOptions> {
    let mut options = CopyOptions::default();
    let mut seen = Vec::new();
    for node in list {
        let Some(N::DefElem(option)) = &node.node else { return None };
        let name = option.defname.as_str();
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        let argument = option.arg.as_deref();
        let word = || argument.and_then(string);
        let byte = || match word()?.as_bytes() {
            [byte] if byte.is_ascii() => Some(*byte),
            _ => None,
        };
        match name {
            "format" => {
                options.form = match word()?.as_str() {
                    "text" => CopyForm::Text,
                    "csv" => CopyForm::Csv,
                    "binary" => CopyForm::Binary,
                    _ => return None,
                }
            }
            "delimiter" => options.delimiter = Some(byte()?),
            "null" => options.null = Some(word()?),
            "header" => options.header = truth(argument)?,
            "quote" => options.quote = Some(byte()?),
            "escape" => options.escape = Some(byte()?),
            "force_quote" => options.force_quote = forced(argument?)?,
            "encoding" => options.encoding = Some(word()?),
            _ => return None,
        }
    }
    Some(options)
}

/// Spec: `defGetCopyHeaderChoice` and `defGetBoolean`; an option alone is true.
fn truth(argument: Option<&pg::Node>) -> Option<bool> {
    match argument.map(|node| node.node.as_ref()) {
        None => Some(true),
        Some(Some(N::Boolean(word))) => Some(word.boolval),
        Some(Some(N::Integer(number))) => match number.ival {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Some(Some(N::String(word))) => match word.sval.to_ascii_lowercase().as_str() {
            "true" | "on" => Some(true),
            "false" | "off" => Some(false),
            _ => None,
        },
        Some(_) => None,
    }
}

fn forced(argument: &pg::Node) -> Option<Forced> {
    match argument.node.as_ref()? {
        N::AStar(_) => Some(Forced::All),
        N::List(list) => {
            let columns: Vec<_> = list.items.iter().filter_map(string).collect();
            (columns.len() == list.items.len()).then_some(Forced::Columns(columns))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<CopyOut> {
        copy_out(text, LexMode::POSTGRES)
    }

    fn described(text: &str) -> String {
        read(text).expect("a copy").source.query(&["id", "a \"b\""])
    }

    #[test]
    fn the_query_of_a_copy_stands_where_it_stood() {
        assert_eq!(described("COPY (SELECT (1)) TO STDOUT"), "      SELECT (1)");
        let odd = "/* ü ( */ copy(select ')', $$)$$ -- )\n) to stdout with csv";
        assert_eq!(described(odd).trim_start(), "select ')', $$)$$ -- )\n");
        assert_eq!(
            described(odd).chars().position(|c| c == 's'),
            odd.chars().position(|c| c == 's')
        );
    }

    #[test]
    fn a_table_is_asked_for_the_columns_that_are_copied() {
        assert_eq!(described("COPY t TO STDOUT"), r#"SELECT "id", "a ""b""" FROM ONLY "t""#);
        assert_eq!(described("COPY S.\"T\" (X) TO STDOUT"), r#"SELECT "x" FROM ONLY "s"."T""#);
    }

    #[test]
    fn options_are_read_in_both_spellings_and_unknown_ones_not_at_all() {
        let options = |text: &str| read(text).and_then(|copy| copy.options);
        let csv = CopyOptions {
            form: CopyForm::Csv,
            delimiter: Some(b';'),
            header: true,
            force_quote: Forced::Columns(vec!["a".to_owned()]),
            ..CopyOptions::default()
        };
        for text in [
            "COPY t TO STDOUT WITH CSV HEADER DELIMITER ';' FORCE QUOTE a",
            "COPY t TO STDOUT (FORMAT csv, HEADER, DELIMITER ';', FORCE_QUOTE (a))",
            "COPY t TO STDOUT (HEADER 1, FORMAT 'csv', DELIMITER E'\\x3b', FORCE_QUOTE (a))",
            "COPY t TO STDOUT (HEADER on, FORMAT csv, DELIMITER ';', FORCE_QUOTE (a))",
        ] {
            assert_eq!(options(text), Some(csv.clone()), "{text}");
        }
        let binary = CopyOptions { form: CopyForm::Binary, ..CopyOptions::default() };
        assert_eq!(options("COPY BINARY t TO STDOUT"), Some(binary));
        let star = options("COPY t TO STDOUT (FORMAT csv, FORCE_QUOTE *, HEADER false)");
        assert!(star.is_some_and(|o| o.force_quote == Forced::All && !o.header));
        for text in [
            "COPY t TO STDOUT (FORMAT json)",
            "COPY t TO STDOUT (DELIMITER ';;')",
            "COPY t TO STDOUT (HEADER match)",
            "COPY t TO STDOUT (SOMETHING 1)",
            "COPY t TO STDOUT (NULL 'a', NULL 'b')",
            "COPY t FROM STDIN",
            "COPY t TO '/tmp/x'",
            "COPY t TO STDOUT; COPY t TO STDOUT",
            "SELECT 1",
        ] {
            assert_eq!(options(text), None, "{text}");
        }
    }
}
