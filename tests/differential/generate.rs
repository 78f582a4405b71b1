//! Statements by a grammar, the same for the same seed.

use std::collections::HashMap;

/// A small generator of numbers; good enough to roll dice.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("fits").max(1);
        usize::try_from(self.next() % end).expect("fits")
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

/// Deeper than this, the first alternative is taken.
const DEPTH: usize = 7;

/// Texts longer than this are cut short by taking first alternatives.
const LENGTH: usize = 1200;

/// Names and what may stand for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grammar {
    rules: HashMap<String, Vec<String>>,
}

impl Grammar {
    /// Reads the form that `statements.grammar` explains.
    pub(crate) fn parse(text: &str) -> Self {
        let mut grammar = Self::default();
        let mut name = String::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(next) => next.clone_into(&mut name),
                None => match line.split_once("* ") {
                    Some((weight, rest)) if weight.bytes().all(|b| b.is_ascii_digit()) => {
                        for _ in 0..weight.parse().expect("a weight") {
                            grammar.add(&name, rest);
                        }
                    }
                    _ => grammar.add(&name, line),
                },
            }
        }
        grammar
    }

    pub(crate) fn add(&mut self, name: &str, alternative: &str) {
        self.rules.entry(name.to_owned()).or_default().push(alternative.to_owned());
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.rules.contains_key(name)
    }

    pub(crate) fn alternatives(&self, name: &str) -> &[String] {
        self.rules.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// One text for this name.
    pub(crate) fn text(&self, name: &str, dice: &mut Dice) -> String {
        self.filled(&format!("<{name}>"), dice)
    }

    /// This text with everything in angle brackets filled in.
    pub(crate) fn filled(&self, template: &str, dice: &mut Dice) -> String {
        let mut out = String::new();
        self.expand(template, 0, dice, &mut out);
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn expand(&self, template: &str, depth: usize, dice: &mut Dice, out: &mut String) {
        let mut rest = template;
        while let Some(at) = rest.find('<') {
            let after = &rest[at + 1..];
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(0);
            let optional = after[end..].starts_with("?>");
            if end == 0 || !optional && !after[end..].starts_with('>') {
                out.push_str(&rest[..=at]);
                rest = after;
                continue;
            }
            out.push_str(&rest[..at]);
            rest = &after[end + 1 + usize::from(optional)..];
            if optional && (depth > DEPTH || !dice.once_in(3)) {
                continue;
            }
            let alternatives = self.alternatives(&after[..end]);
            assert!(!alternatives.is_empty(), "no <{}> in the grammar", &after[..end]);
            let chosen = if depth > DEPTH || out.len() > LENGTH {
                &alternatives[0]
            } else {
                dice.pick(alternatives)
            };
            self.expand(chosen, depth + 1, dice, out);
        }
        out.push_str(rest);
    }

    /// Fails for a name that nothing stands for.
    pub(crate) fn check(&self) {
        for (name, alternatives) in &self.rules {
            for alternative in alternatives {
                for part in alternative.split('<').skip(1) {
                    let Some((used, _)) = part.split_once('>') else { continue };
                    let used = used.trim_end_matches('?');
                    let is_name = !used.is_empty()
                        && used.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                    assert!(!is_name || self.has(used), "<{used}> in [{name}] is nothing");
                }
            }
        }
    }
}

/// What may be put around or into a text of somebody else's.
const AROUND: [&str; 14] = [
    "EXPLAIN {}",
    "EXPLAIN ANALYZE {}",
    "EXPLAIN (ANALYZE off) {}",
    "WITH wrapped AS ({}) SELECT * FROM wrapped",
    "COPY ({}) TO STDOUT",
    "DECLARE wrapped CURSOR FOR {}",
    "PREPARE wrapped AS {}",
    "CREATE TABLE wrapped AS {}",
    "CREATE VIEW wrapped AS {}",
    "SELECT * FROM ({}) wrapped",
    "SELECT EXISTS ({})",
    "{} FOR UPDATE",
    "{} RETURNING *",
    "INSERT INTO wrapped_into {}",
];

/// A text of somebody else's, changed a little.
pub(crate) fn mutated(text: &str, others: &[String], dice: &mut Dice) -> String {
    let mut tokens = tokens(text);
    for _ in 0..dice.below(3) {
        if tokens.is_empty() {
            break;
        }
        let at = dice.below(tokens.len());
        match dice.below(6) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[at].clone()),
            2 => {
                let text: &String = dice.pick(others);
                let other = self::tokens(text);
                if !other.is_empty() {
                    tokens[at].clone_from(dice.pick(&other));
                }
            }
            3 => {
                let other = dice.below(tokens.len());
                tokens.swap(at, other);
            }
            4 => tokens[at] = odd_spelling(&tokens[at], dice),
            _ => {
                let (gap, more) = (dice.below(GAPS.len()), dice.below(4));
                tokens.insert(at, if more == 0 { ";".into() } else { GAPS[gap].into() });
            }
        }
    }
    let text = tokens.join(" ");
    match dice.below(3) {
        0 => dice.pick(&AROUND).replace("{}", text.trim_end_matches(';')),
        _ => text,
    }
}

const GAPS: [&str; 6] = ["/* x */", "-- x\n", "/* /* */ */", "\n\t", "\x0b", "\r\n"];

/// The same name or constant, written as few people would.
fn odd_spelling(token: &str, dice: &mut Dice) -> String {
    let is_word = token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && token.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if let Some(inner) = token.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return match dice.below(3) {
            0 => format!("$x${inner}$x$"),
            1 => format!("E'{inner}'"),
            _ => format!("''{token}"),
        };
    }
    match dice.below(4) {
        0 if is_word => token.to_ascii_uppercase(),
        1 if is_word => format!("\"{}\"", token.to_ascii_lowercase()),
        2 if is_word => format!("{token}$"),
        _ => format!("({token})"),
    }
}

/// Words, constants and signs: cut roughly, for what is made of them may be wrong.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if c.is_whitespace() => {
                rest = &rest[c.len_utf8()..];
                continue;
            }
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            c if c.is_alphanumeric() || c == '_' || c == '$' => rest
                .find(|c: char| !c.is_alphanumeric() && !"_$.".contains(c))
                .unwrap_or(rest.len()),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c if "+-*/<>=~!@#%^&|`?".contains(c) => {
                rest.find(|c: char| !"+-*/<>=~!@#%^&|`?".contains(c)).unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        tokens.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    for token in &mut tokens {
        if token.starts_with("--") {
            token.push('\n');
        }
    }
    tokens
}
