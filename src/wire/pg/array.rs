//! One-dimensional arrays as the server prints them.
//!
//! Spec: `array_out` of the server: an element that could be misread stands in double quotes, with a
//! backslash before what would end or change it.

/// The elements; `None` among them is NULL. Nothing for what the server wouldn't print: bounds, more
/// dimensions, blanks, quotes where they aren't closed.
pub fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    if rest.is_empty() {
        return Some(elements);
    }
    loop {
        let (element, behind) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (element, behind) = quoted_element(quoted)?;
                (Some(element), behind)
            }
            None => bare_element(rest)?,
        };
        elements.push(element);
        if behind.is_empty() {
            return Some(elements);
        }
        rest = behind.strip_prefix(',')?;
    }
}

/// Up to the quote that closes it, and what follows.
fn quoted_element(text: &str) -> Option<(String, &str)> {
    let mut element = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((element, chars.as_str())),
            '\\' => element.push(chars.next()?),
            c => element.push(c),
        }
    }
}

/// Up to the next comma, and what follows from there.
fn bare_element(text: &str) -> Option<(Option<String>, &str)> {
    let end = text.find(',').unwrap_or(text.len());
    let (element, behind) = text.split_at_checked(end)?;
    // Spec: these and blanks are never printed without quotes.
    let odd = |c: char| matches!(c, '{' | '}' | '"' | '\\' | '\u{b}') || c.is_ascii_whitespace();
    if element.is_empty() || element.contains(odd) {
        return None;
    }
    Some(((element != "NULL").then(|| element.to_owned()), behind))
}

/// The elements of an array of texts, NULLs left out.
pub fn texts(text: &str) -> Option<Vec<String>> {
    Some(elements(text)?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_read_as_the_server_prints_them() {
        assert_eq!(texts("{pg_catalog,public}"), Some(vec!["pg_catalog".into(), "public".into()]));
        assert_eq!(texts("{}"), Some(vec![]));
        assert_eq!(
            texts(r#"{"a,b","c\"d",e}"#),
            Some(vec!["a,b".into(), "c\"d".into(), "e".into()])
        );
        assert_eq!(texts(r#"{"",NULL,"NULL"}"#), Some(vec![String::new(), "NULL".into()]));
        let bad = [
            "",
            "{",
            "{\"a}",
            "{\"a\"x}",
            "{,a}",
            "{a,}",
            "{a,,b}",
            "{{a}}",
            "{a b}",
            "{a\"b}",
            "[0:0]={a}",
        ];
        for text in bad {
            assert_eq!(texts(text), None, "{text}");
        }
    }
}
