//! `rules.toml` → mask rules: a file of `[[rule]]` sections, refused with file, line and accepted values.

use std::{ops::Range, path::Path};

use toml::de::DeTable;

use crate::{
    config::{
        ConfigError, Issue, line_of,
        section::{Findings, Section},
    },
    kernel::mask::{
        Predicates, Rule, RuleError,
        rule::{Form, Selector},
    },
    store::mask_rule_twice,
};

/// The fields that say which columns a rule means; one of them is there.
const SELECTORS: [&str; 4] = ["column", "type", "comment", "tag"];

/// Reads and checks a file of mask rules.
///
/// # Errors
/// Unreadable, or refused with every problem found.
pub fn load(file: &Path) -> Result<Vec<Rule>, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|cause| ConfigError::Unreadable { file: file.to_owned(), cause })?;
    parse(file, &text)
}

/// Checks mask rules that were read from `file`.
///
/// # Errors
/// Refused with every problem found.
pub fn parse(file: &Path, text: &str) -> Result<Vec<Rule>, ConfigError> {
    let findings = Findings::default();
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        findings.issue(error.span().unwrap_or(0..0), error.message());
    }
    let mut rules = Vec::new();
    // After a syntax error the rest may be read askew: its problems would only confuse.
    if errors.is_empty() {
        let top = Section::new("", 0..0, Some(document.get_ref()), &findings);
        let read: Vec<_> = top.sections("rule").into_iter().map(read_rule).collect();
        top.finish();
        if let Some((first, second)) = twice(&read) {
            let message = format!(
                "rule {} is for the same columns of the same targets: this one would never hold",
                first + 1
            );
            findings.issue(second, message);
        }
        rules = read.into_iter().filter_map(|(rule, _)| rule).collect();
    }
    let (issues, _) = findings.into_parts();
    if issues.is_empty() {
        return Ok(rules);
    }
    let issue = |(span, message)| Issue { line: line_of(text, &span), message };
    let issues = issues.into_iter().map(issue).collect();
    Err(ConfigError::Refused { file: file.to_owned(), issues })
}

/// The first rule that can never hold: which one is before it, and where it stands.
fn twice(read: &[(Option<Rule>, Range<usize>)]) -> Option<(usize, Range<usize>)> {
    let whole: Option<Vec<Rule>> = read.iter().map(|(rule, _)| rule.clone()).collect();
    // With other problems in the file the numbers would be askew.
    let (first, second) = mask_rule_twice(&whole?)?;
    Some((first, read.get(second)?.1.clone()))
}

/// A rule, if it can be made, and where it stands.
fn read_rule(section: Section<'_>) -> (Option<Rule>, Range<usize>) {
    let span = section.span();
    for key in ["target", "with"] {
        if section.place(key).is_none() {
            section.issue(span.clone(), format!("rule needs {key}"));
        }
    }
    let text = |key| section.text(key).map(|(text, _)| text);
    let form = Form {
        target: text("target").unwrap_or_default(),
        column: text("column"),
        type_name: text("type"),
        comment: text("comment"),
        tag: text("tag"),
        with: text("with").unwrap_or_default(),
        predicates: section
            .choice(
                "predicates",
                &[
                    ("equality", Predicates::Equality),
                    ("deny", Predicates::Deny),
                    ("allow", Predicates::Allow),
                ],
            )
            .map(|(predicates, _)| predicates),
        mask_null: section.truth("mask_null", false),
    };
    let has = |key: &'static str| section.place(key).is_some();
    let is_whole = has("target") && has("with") && !form.target.is_empty() && !form.with.is_empty();
    let selectors = SELECTORS.into_iter().filter(|key| has(key)).count();
    let read =
        [&form.column, &form.type_name, &form.comment, &form.tag].into_iter().flatten().count();
    let rule = if selectors != 1 {
        section.issue(span.clone(), RuleError::Selector.to_string());
        None
    } else if is_whole && read == 1 {
        checked(&section, form)
    } else {
        // A value of the wrong type has been told already.
        None
    };
    section.finish();
    (rule, span)
}

/// A rule of fields that are there.
fn checked(section: &Section<'_>, form: Form) -> Option<Rule> {
    let error = match Rule::try_from(form) {
        Ok(rule) => return Some(rule),
        Err(error) => error,
    };
    let key = match &error {
        RuleError::Selector => None,
        RuleError::Target(_) => Some("target"),
        RuleError::Pattern { field, .. } => SELECTORS.into_iter().find(|key| key == field),
        RuleError::With(_) => Some("with"),
    };
    let place = key.and_then(|key| section.place(key)).unwrap_or_else(|| section.span());
    section.issue(place, error.to_string());
    None
}

/// A rule as it is written in a file, `[[rule]]` and its lines.
pub fn write(rule: &Rule) -> String {
    let form = Form::from(rule.clone());
    let mut text = format!("[[rule]]\ntarget = {}\n", quoted(&form.target));
    let selectors = [&form.column, &form.type_name, &form.comment, &form.tag];
    for (key, value) in SELECTORS.into_iter().zip(selectors) {
        if let Some(value) = value {
            text.push_str(&format!("{key} = {}\n", quoted(value)));
        }
    }
    text.push_str(&format!("with = {}\n", quoted(&form.with)));
    let predicates = match form.predicates {
        None => None,
        Some(Predicates::Allow) => Some("allow"),
        Some(Predicates::Deny) => Some("deny"),
        Some(Predicates::Equality) => Some("equality"),
    };
    if let Some(predicates) = predicates {
        text.push_str(&format!("predicates = \"{predicates}\"\n"));
    }
    if form.mask_null {
        text.push_str("mask_null = true\n");
    }
    text
}

/// How a rule says which columns it means: the field and its pattern.
pub fn selector(rule: &Rule) -> (&'static str, String) {
    match &rule.columns {
        Selector::Column(pattern) => ("column", pattern.to_string()),
        Selector::Type(pattern) => ("type", pattern.to_string()),
        Selector::Comment(pattern) => ("comment", pattern.to_string()),
        Selector::Tag(pattern) => ("tag", pattern.to_string()),
    }
}

/// A text as TOML: without quotes inside where a literal one will do, for patterns have quotes of
/// their own.
fn quoted(text: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains('"') && !text.contains('\'') && !text.contains(odd) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // What a terminal would obey is written by its number.
            c if odd(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        match parse(Path::new("rules.toml"), text) {
            Ok(rules) => panic!("{} rules were accepted", rules.len()),
            Err(error) => error.to_string().lines().map(str::to_owned).collect(),
        }
    }

    #[test]
    fn rules_are_read_in_order_and_written_as_they_read() {
        let text = "[[rule]]\ntarget = \"shop\"\ncolumn = \"public.customers.email\"\nwith = \"email\"\n\
             [[rule]]\ntarget = \"*\"\ncolumn = '*.*.\"Tax No\"'\nwith = 'full(\"it''s\")'\n\
             predicates = \"deny\"\nmask_null = true\n\
             [[rule]]\ntarget = \"*\"\ncomment = \"*personal*\"\nwith = \"inner(0, 4)\"\n";
        let text = text.replace("''", "’");
        let rules = parse(Path::new("rules.toml"), &text).expect("accepted");
        assert_eq!(rules.len(), 3);
        assert_eq!(selector(&rules[1]), ("column", "*.*.\"Tax No\"".to_owned()));
        let written: String = rules.iter().map(write).collect();
        assert_eq!(written, text);
        let odd = "[[rule]]\ntarget = \"*\"\ntag = \"a'\\\"\\u202e\\\\\"\nwith = \"null\"\n";
        let rules = parse(Path::new("rules.toml"), odd).expect("accepted");
        assert_eq!(write(&rules[0]), odd);
        assert_eq!(
            parse(Path::new("rules.toml"), "# none\n").map(|rules| rules.len()).ok(),
            Some(0)
        );
    }

    #[test]
    fn every_problem_is_named_with_its_line_and_what_is_accepted() {
        let lines = told(
            "note = 1\n\
             [[rule]]\n\
             target = \"shop\"\n\
             colum = \"public.customers.email\"\n\
             with = \"email\"\n\
             [[rule]]\n\
             target = \"shop\"\n\
             column = \"customers.email\"\n\
             with = \"email\"\n\
             predicates = \"some\"\n\
             [[rule]]\n\
             column = \"a.b.c\"\n\
             with = \"md5\"\n\
             mask_null = \"yes\"\n\
             [[rule]]\n\
             target = \"shop\"\n\
             type = \"text\"\n\
             tag = 7\n\
             with = \"truncate(century)\"\n\
             [[rule]]\n\
             target = \"shop\"\n\
             tag = \"x\"\n\
             with = \"truncate(century)\"\n",
        );
        for (at, part) in [
            ("rules.toml:1:", "unknown key `note` at the top of the file; accepted: rule"),
            ("rules.toml:2:", "a rule has one of column, type, comment and tag"),
            (
                "rules.toml:4:",
                "unknown key `colum` in rule; accepted: target, column, type, comment, tag, with, \
                 predicates, mask_null",
            ),
            ("rules.toml:8:", "column: a column is written schema.table.column"),
            ("rules.toml:10:", "one of \"equality\", \"deny\", \"allow\""),
            ("rules.toml:11:", "rule needs target"),
            ("rules.toml:14:", "mask_null = \"yes\": expected true or false"),
            ("rules.toml:15:", "a rule has one of column, type, comment and tag"),
            ("rules.toml:18:", "tag = 7: expected a text of one line"),
            ("rules.toml:23:", "with: "),
        ] {
            let found = lines.iter().any(|line| line.starts_with(at) && line.contains(part));
            assert!(found, "{at} {part}\n{}", lines.join("\n"));
        }
        assert_eq!(lines.len(), 10, "{}", lines.join("\n"));
    }

    #[test]
    fn a_rule_that_would_never_hold_is_refused() {
        let one = "[[rule]]\ntarget = \"shop\"\ncolumn = \"a.b.c\"\nwith = \"email\"\n";
        let lines = told(&format!("{one}\n{}", one.replace("a.b.c", "A.b.C")));
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("rules.toml:6: rule 1 is for the same columns"), "{lines:?}");
    }

    #[test]
    fn broken_toml_is_named_with_its_line() {
        let lines = told("[[rule]]\ntarget = \"shop\n");
        assert!(lines[0].starts_with("rules.toml:2:"), "{lines:?}");
    }
}
