//! The start-up parameter `options`: a command line in one text.
//!
//! Spec: `pg_split_opts` and `process_postgres_switches` of the server.

/// Reads `-c name=value`, `-cname=value`, `--name=value`, with backslashes before blanks; nothing else
/// that a command line may say. Names come with underscores where dashes stand.
pub fn split(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut words = words(text).into_iter();
    while let Some(word) = words.next() {
        let assignment = match word.strip_prefix("-c").or_else(|| word.strip_prefix("--")) {
            Some("") if word == "-c" => words.next()?,
            // Spec: behind a bare `--` the server takes no more options.
            Some("") | None => return None,
            Some(rest) => rest.to_owned(),
        };
        let (name, value) = assignment.split_once('=')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || !name.chars().all(plain) {
            return None;
        }
        // Spec: ParseLongOption turns dashes of a name into underscores.
        pairs.push((name.replace('-', "_"), value.to_owned()));
    }
    Some(pairs)
}

/// A backslash makes a word, even with nothing behind it.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c if is_space(c) => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Writes one more setting, as [`split`] reads it.
pub fn push(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push(' ');
    }
    out.push_str("-c ");
    out.push_str(name);
    out.push('=');
    for c in value.chars() {
        if c == '\\' || is_space(c) {
            out.push('\\');
        }
        out.push(c);
    }
}

/// Spec: `isspace` of the server's C library, which knows the vertical tab too.
fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_read_as_the_server_reads_them() {
        let text = r"-c search_path=a,b --statement-timeout=5s -cTimeZone=Europe/\ X -c x.y=";
        let pairs = split(text).expect("reads");
        let names: Vec<(&str, &str)> =
            pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let expected = [
            ("search_path", "a,b"),
            ("statement_timeout", "5s"),
            ("TimeZone", "Europe/ X"),
            ("x.y", ""),
        ];
        assert_eq!(names, expected);
        let bad = [
            "-f x",
            "-c",
            "-c x",
            "-W 5",
            "search_path=a",
            "-c x y=z",
            "-- x=y",
            "--",
            "-c =x",
            "\\",
            "-c a=b \\",
        ];
        for text in bad {
            assert_eq!(split(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let mut out = String::new();
        push(&mut out, "a", "b c\\d\u{b}\n\t");
        push(&mut out, "x.y", "");
        let expected = [("a", "b c\\d\u{b}\n\t"), ("x.y", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(split(&out).as_deref(), Some(&expected[..]));
    }
}
