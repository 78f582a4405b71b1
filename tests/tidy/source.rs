//! Source text, cut into words: what the rules look at.

use std::ops::Range;

use crate::rules::Finding;

/// One source file: its text, and the text with comments and literals blanked.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) words: Vec<Word>,
    /// Lines of test code.
    pub(crate) tests: Vec<Range<usize>>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let words = words(&blank(text));
        let tests = if path.ends_with("/tests.rs") {
            std::iter::once(0..usize::MAX).collect()
        } else {
            test_modules(&words)
        };
        Self { path: path.to_owned(), text: text.to_owned(), words, tests }
    }

    /// The module that this file is: `["wire", "pg", "frame"]`; empty for the crate's root.
    pub(crate) fn module(&self) -> Vec<String> {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
        if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            parts.pop();
        }
        parts
    }

    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&line))
    }

    pub(crate) fn finding(
        &self,
        line: usize,
        rule: impl Into<String>,
        remedy: &'static str,
    ) -> Finding {
        Finding { file: self.path.clone(), line, rule: rule.into(), remedy }
    }
}

/// A name, a number, or one sign.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Word {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text
    }
}

fn words(code: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            let length = match rest.find(|c: char| !is_name(c)) {
                Some(0) => first.len_utf8(),
                Some(length) => length,
                None => rest.len(),
            };
            let (word, behind) = rest.split_at(length);
            if !first.is_whitespace() {
                words.push(Word { text: word.to_owned(), line: number + 1 });
            }
            rest = behind;
        }
    }
    words
}

/// The text with comments and the insides of literals blanked; lines stay where they are.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut i = 0;
    while i < chars.len() {
        let end = match at(i) {
            '/' if at(i + 1) == '/' => line_end(&chars, i),
            '/' if at(i + 1) == '*' => comment_end(&chars, i),
            '"' => string_end(&chars, i),
            'r' if !is_in_name(&chars, i) && raw_hashes(&chars, i).is_some() => raw_end(&chars, i),
            '\'' => char_end(&chars, i),
            _ => i,
        };
        if end == i {
            out.push(at(i));
            i += 1;
        } else {
            let blanked = chars.iter().take(end).skip(i);
            out.extend(blanked.map(|c| if *c == '\n' { '\n' } else { ' ' }));
            i = end;
        }
    }
    out
}

/// True if the letter continues a name that isn't just a literal's `b` or `c`.
fn is_in_name(chars: &[char], i: usize) -> bool {
    let name = |i: usize| chars.get(i).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    match i.checked_sub(1) {
        Some(before) if name(before) => {
            let is_prefix = matches!(chars.get(before), Some('b' | 'c'));
            !is_prefix || before.checked_sub(1).is_some_and(name)
        }
        _ => false,
    }
}

fn line_end(chars: &[char], from: usize) -> usize {
    chars.iter().skip(from).position(|c| *c == '\n').map_or(chars.len(), |n| from + n)
}

fn comment_end(chars: &[char], from: usize) -> usize {
    let (mut depth, mut i) = (0_usize, from);
    while i < chars.len() {
        match (chars.get(i), chars.get(i + 1)) {
            (Some('/'), Some('*')) => (depth, i) = (depth + 1, i + 2),
            (Some('*'), Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn string_end(chars: &[char], from: usize) -> usize {
    let mut i = from + 1;
    while let Some(c) = chars.get(i) {
        match c {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// `r"` or `r##"`: how many hashes.
fn raw_hashes(chars: &[char], from: usize) -> Option<usize> {
    let hashes = chars.iter().skip(from + 1).take_while(|c| **c == '#').count();
    (chars.get(from + 1 + hashes) == Some(&'"')).then_some(hashes)
}

fn raw_end(chars: &[char], from: usize) -> usize {
    let hashes = raw_hashes(chars, from).unwrap_or(0);
    let mut i = from + 2 + hashes;
    while i < chars.len() {
        let closing = chars.iter().skip(i + 1).take(hashes).filter(|c| **c == '#').count();
        if chars.get(i) == Some(&'"') && closing == hashes {
            return i + 1 + hashes;
        }
        i += 1;
    }
    chars.len()
}

/// The end of a character; a lifetime is left alone.
fn char_end(chars: &[char], from: usize) -> usize {
    match (chars.get(from + 1), chars.get(from + 2)) {
        (Some('\\'), _) => {
            let close = chars.iter().skip(from + 3).position(|c| *c == '\'');
            close.map_or(chars.len(), |n| from + 4 + n)
        }
        (Some(_), Some('\'')) => from + 3,
        _ => from,
    }
}

/// The lines of every `mod tests { … }`.
fn test_modules(words: &[Word]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (i, three) in words.windows(3).enumerate() {
        if let [a, b, c] = three
            && a.is("mod")
            && b.is("tests")
            && c.is("{")
        {
            found.push(a.line..closing(words, i + 2) + 1);
        }
    }
    found
}

/// The line of the brace that closes the one at this place.
fn closing(words: &[Word], open: usize) -> usize {
    let mut depth = 0_usize;
    for word in words.iter().skip(open) {
        match word.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return word.line;
        }
    }
    words.last().map_or(0, |word| word.line)
}

/// Every function with a body: its name and its lines.
pub(crate) fn functions(words: &[Word]) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    for (i, pair) in words.windows(2).enumerate() {
        let [a, name] = pair else { continue };
        // `fn(` is a type.
        if !a.is("fn") || name.is("(") {
            continue;
        }
        let mut depth = 0_usize;
        for (j, word) in words.iter().enumerate().skip(i + 2) {
            match word.text.as_str() {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                ";" if depth == 0 => break,
                "{" if depth == 0 => {
                    found.push((name.text.clone(), a.line..closing(words, j)));
                    break;
                }
                _ => {}
            }
        }
    }
    found
}

/// Every path to something of ours, from the crate's root, with its line.
pub(crate) fn paths(source: &Source) -> Vec<(usize, Vec<String>)> {
    let module = source.module();
    let mut resolved = Vec::new();
    for (line, path) in trees(source, &|word| matches!(word, "crate" | "self" | "super")) {
        // Inside `mod tests { … }` one is a module deeper.
        let mut base = module.clone();
        if source.tests.iter().any(|r| r.end != usize::MAX && r.contains(&line)) {
            base.push("tests".to_owned());
        }
        for part in path {
            match part.as_str() {
                "crate" => base.clear(),
                "self" => {}
                "super" => drop(base.pop()),
                "*" => base.extend((!base.is_empty()).then_some(part)),
                _ => base.push(part),
            }
        }
        resolved.push((line, base));
    }
    resolved
}

/// Every path whose first word is one of these, groups spread out: `a::{b, c::d}` is two.
pub(crate) fn trees(source: &Source, starts: &dyn Fn(&str) -> bool) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let words = &source.words;
    for (i, word) in words.iter().enumerate() {
        let continues = i >= 2
            && words.get(i - 1).is_some_and(|w| w.is(":"))
            && words.get(i - 2).is_some_and(|w| w.is(":"));
        let is_named = |n: usize, text: &str| words.get(i + n).is_some_and(|w| w.is(text));
        let leads = is_named(1, ":") && is_named(2, ":") || is_named(1, "as");
        if starts(&word.text) && !continues && leads {
            let mut at = i;
            spread(words, &mut at, &mut Vec::new(), &mut found);
        }
    }
    found
}

fn spread(
    words: &[Word],
    at: &mut usize,
    before: &mut Vec<String>,
    found: &mut Vec<(usize, Vec<String>)>,
) {
    let start = before.len();
    let text = |at: usize| words.get(at).map(|w| w.text.as_str()).unwrap_or_default();
    let mut line = words.get(*at).map_or(0, |w| w.line);
    loop {
        if text(*at) == "{" {
            *at += 1;
            while !matches!(text(*at), "}" | "") {
                spread(words, at, before, found);
                if text(*at) == "as" {
                    *at += 2;
                }
                if text(*at) == "," {
                    *at += 1;
                } else if text(*at) != "}" {
                    break;
                }
            }
            *at += 1;
            before.truncate(start);
            return;
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '*';
        if !text(*at).starts_with(is_name) {
            break;
        }
        line = words.get(*at).map_or(line, |w| w.line);
        before.push(text(*at).to_owned());
        *at += 1;
        if text(*at) != ":" || text(*at + 1) != ":" {
            break;
        }
        *at += 2;
    }
    found.push((line, before.clone()));
    before.truncate(start);
}
