//! Which constants and parameters of a text are compared with masked columns or assigned to them, so that no
//! record holds them in clear.
//!
//! By words, not by a tree: a record's text may be one that nobody could read, and what was read was read
//! for another text of the same key. A text falls into *clauses*: items of a list, what AND and OR join,
//! one value of a tuple. All constants of a clause count where one of its names may be that of a masked
//! column, or of what was made of one. Fail closed: where it can't be told which, more are found, not
//! fewer: all of the lists inside of subqueries, of VALUES and of functions in FROM.

use std::{collections::BTreeSet, ops::Range};

use crate::kernel::sql::{
    lex::{Cut, Limits, Token, TokenKind, mysql, pg},
    mode::{Dialect, LexMode},
};

/// What has to be known of a statement to find them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Guarded {
    /// The names of masked columns, in tables and in views, that it may mean.
    pub names: BTreeSet<String>,
    /// The columns of the table that it adds rows to, in order; empty: nobody knows.
    pub columns: Vec<String>,
    /// Any column may be masked: all constants count.
    pub unknown: bool,
}

/// Which constants of a text a record must not show.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Guard<'a> {
    /// None.
    #[default]
    Nothing,
    /// Those that have to do with these.
    Some(&'a Guarded),
    /// All, and all parameters.
    All,
}

/// The constants that were found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Where they stand, and their values: as the server knows them where that can be told.
    pub constants: Vec<(Range<usize>, String)>,
    /// The numbers of parameters.
    pub parameters: BTreeSet<usize>,
    /// All parameters are meant.
    pub all: bool,
    /// From this byte on the text can't be read: all of it is meant.
    pub rest: Option<usize>,
}

/// Finds them.
pub fn find(text: &str, mode: LexMode, guard: Guard<'_>) -> Found {
    let guarded = match guard {
        Guard::Nothing => return Found::default(),
        Guard::Some(guarded) => Some(guarded).filter(|guarded| !guarded.unknown),
        Guard::All => None,
    };
    let (tokens, rest) = tokens(text, mode);
    let marked: Vec<usize> = match guarded {
        Some(guarded) if rest.is_none() => Clauses::new(text, &tokens, guarded, mode).found(),
        // Fail closed: it can't be told which.
        Some(_) | None => (0..tokens.len()).collect(),
    };
    let mut found = Found { all: guarded.is_none() || rest.is_some(), rest, ..Found::default() };
    for token in marked.into_iter().filter_map(|at| tokens.get(at)) {
        let written = token.text(text);
        if token.kind == TokenKind::Parameter {
            found.parameters.extend(written.get(1..).and_then(|n| n.parse::<usize>().ok()));
        } else if token.kind.is_literal() {
            let value = value(token, written, mode);
            let place = token.start as usize..token.end as usize;
            found.constants.push((place, value.unwrap_or_else(|| written.to_owned())));
        }
    }
    found
}

/// The value of a string constant, if that can be told.
fn value(token: &Token, written: &str, mode: LexMode) -> Option<String> {
    match mode.dialect {
        Dialect::Postgres => {
            let backslashes = !mode.standard_conforming_strings;
            pg::literal::string_value(token.kind, written, backslashes)
        }
        Dialect::MySql | Dialect::MariaDb => {
            let backslashes = !mode.sql.no_backslash_escapes;
            mysql::literal::string_value(token.kind, written, backslashes)
        }
    }
}

/// The tokens of a text, and from where on it can't be read.
pub(crate) fn tokens(text: &str, mode: LexMode) -> (Vec<Token>, Option<usize>) {
    let read = match mode.dialect {
        Dialect::Postgres => {
            pg::scanner::Scanner::new(text, mode, Limits::DEFAULT.comment_nesting).map(read_all)
        }
        Dialect::MySql | Dialect::MariaDb => mysql::scanner::Scanner::new(text, mode).map(read_all),
    };
    read.unwrap_or((Vec::new(), Some(0)))
}

fn read_all(mut scanner: impl Cut) -> (Vec<Token>, Option<usize>) {
    let mut tokens: Vec<Token> = Vec::new();
    loop {
        match scanner.next_token() {
            Ok(Some(token)) => tokens.push(token),
            Ok(None) => return (tokens, None),
            Err(_) => {
                let end = tokens.last().map_or(0, |token| token.end as usize);
                return (tokens, Some(end));
            }
        }
    }
}

/// What part of a query a clause belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Section {
    /// Whatever else.
    Other,
    /// Outputs.
    List,
    /// Tables.
    From,
    /// Conditions, assignments, keys: anything where a name is a column.
    Values,
    /// VALUES.
    Tuples,
    /// INSERT INTO.
    Into,
    /// WITH.
    With,
}

/// What a parenthesis holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A query, or the text itself.
    Query,
    /// Conditions that AND and OR join.
    Joined,
    /// One row behind VALUES.
    Tuple,
    /// Columns behind INSERT INTO.
    Columns,
    /// Names for the columns of something in FROM or WITH, or arguments of a function there.
    Gives,
    /// Part of the clause around it.
    Part,
}

struct Frame {
    kind: Kind,
    section: Section,
    clause: usize,
    /// The first clause that began in it.
    first: usize,
    /// The clause around it.
    around: usize,
    cases: u32,
    between: bool,
    /// Columns that get the values of its list, in order.
    gets: Option<Vec<String>>,
    /// Which item of a list or row comes.
    item: usize,
    /// Rows of its list are compared or go on elsewhere.
    goes_on: bool,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one clause, not a state")]
struct Clause {
    tokens: Vec<usize>,
    names: Vec<String>,
    /// Functions that it calls: it may be called so elsewhere.
    gives: Vec<String>,
    /// Its last name, which it may be called as well.
    last: Option<String>,
    guarded: bool,
    /// Its constants may be compared with anything.
    goes_elsewhere: bool,
    /// An output, or a value of a row.
    listed: bool,
    /// An output of a subquery.
    inner: bool,
}

struct Clauses<'t> {
    text: &'t str,
    tokens: &'t [Token],
    guarded: &'t Guarded,
    folds: bool,
    frames: Vec<Frame>,
    all: Vec<Clause>,
    /// Names that count as those of masked columns.
    names: BTreeSet<String>,
    /// If the first is guarded, the second is.
    links: Vec<(usize, usize)>,
    /// Clauses of conditions in parentheses that have just been closed.
    closed: Option<(usize, usize)>,
}

impl<'t> Clauses<'t> {
    fn new(text: &'t str, tokens: &'t [Token], guarded: &'t Guarded, mode: LexMode) -> Self {
        // Where names of columns are alike in any case.
        let folds = mode.dialect != Dialect::Postgres;
        let names = guarded.names.iter();
        let top = Frame::new(Kind::Query, Section::Other, (0, 0));
        Self {
            text,
            tokens,
            guarded,
            frames: vec![top],
            all: vec![Clause::default()],
            names: if folds {
                names.map(|name| name.to_lowercase()).collect()
            } else {
                names.cloned().collect()
            },
            folds,
            links: Vec::new(),
            closed: None,
        }
    }

    /// The tokens that are found, in order.
    fn found(mut self) -> Vec<usize> {
        for at in 0..self.tokens.len() {
            self.token(at);
        }
        loop {
            let mut grows = false;
            for clause in &mut self.all {
                let is = clause.guarded || clause.names.iter().any(|n| self.names.contains(n));
                grows |= is != clause.guarded;
                clause.guarded = is;
                if is && clause.inner {
                    let before = self.names.len();
                    self.names.extend(clause.gives.drain(..).chain(clause.last.take()));
                    grows |= self.names.len() != before;
                }
            }
            for (from, to) in &self.links {
                let from = self.all.get(*from).is_some_and(|clause| clause.guarded);
                if let Some(to) = self.all.get_mut(*to).filter(|to| from && !to.guarded) {
                    to.guarded = true;
                    grows = true;
                }
            }
            if !grows {
                break;
            }
        }
        let guarded = self.all.into_iter().filter(|c| c.guarded || c.goes_elsewhere);
        let mut found: Vec<usize> = guarded.flat_map(|clause| clause.tokens).collect();
        found.sort_unstable();
        found
    }

    fn token(&mut self, at: usize) {
        let Some(token) = self.tokens.get(at).copied() else { return };
        let word = if token.kind == TokenKind::Word { self.word(at) } else { String::new() };
        self.joins_closed(token.kind, &word);
        match token.kind {
            TokenKind::OpenParen => self.opens(at),
            TokenKind::CloseParen => self.closes(),
            TokenKind::Comma => self.comma(),
            TokenKind::Semicolon => {
                self.frames.truncate(1);
                self.begins(Section::Other);
            }
            TokenKind::Word if !self.is_name(at) && self.keyword(at, &word) => {}
            TokenKind::Word | TokenKind::QuotedIdentifier => self.name(at),
            TokenKind::Operator if token.text(self.text).starts_with('*') && self.is_dotted(at) => {
                self.clause().guarded = true;
            }
            TokenKind::Parameter => self.clause().tokens.push(at),
            kind if kind.is_literal() => self.clause().tokens.push(at),
            _ => {}
        }
    }

    /// What is in parentheses and goes on behind them is part of one comparison: `(a) = 'x'`.
    fn joins_closed(&mut self, kind: TokenKind, word: &str) {
        let Some((first, end)) = self.closed.take() else { return };
        let ends = matches!(kind, TokenKind::CloseParen | TokenKind::Comma | TokenKind::Semicolon)
            || matches!(word, "and" | "or")
            || section(word).is_some();
        if !ends {
            let around = self.frame().clause;
            for clause in first..end {
                self.links.extend([(clause, around), (around, clause)]);
            }
        }
    }

    fn opens(&mut self, at: usize) {
        let next = self.word(at.saturating_add(1));
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|t| t.kind);
        let behind_name = matches!(before, Some(TokenKind::Word | TokenKind::QuotedIdentifier));
        let behind = if before == Some(TokenKind::Word) {
            self.word(at.saturating_sub(1))
        } else {
            String::new()
        };
        let Frame { kind, section, clause, .. } = *self.frame();
        let queries = ["select", "with", "values", "insert", "update", "delete", "table", "merge"];
        let opened = if queries.contains(&next.as_str()) {
            Kind::Query
        } else {
            match (kind, section) {
                (Kind::Query, Section::Tuples) => Kind::Tuple,
                (Kind::Query, Section::Into) if behind_name => Kind::Columns,
                (Kind::Query, Section::With | Section::From)
                    if behind_name && behind != "using" =>
                {
                    Kind::Gives
                }
                (Kind::Query | Kind::Joined, Section::Values)
                    if matches!(
                        behind.as_str(),
                        "where" | "on" | "having" | "and" | "or" | "not" | "when"
                    ) || before == Some(TokenKind::OpenParen) =>
                {
                    Kind::Joined
                }
                _ => Kind::Part,
            }
        };
        let mut frame = Frame::new(opened, section, (clause, self.all.len()));
        match opened {
            Kind::Query => frame.section = Section::Other,
            Kind::Tuple => frame.gets.clone_from(&self.frame().gets),
            Kind::Joined | Kind::Columns | Kind::Gives | Kind::Part => {}
        }
        self.frames.push(frame);
        match opened {
            Kind::Query | Kind::Joined => self.begins(self.frame().section),
            Kind::Tuple => self.item(),
            Kind::Columns => self.frames_gets(Vec::new()),
            // What a function in FROM makes is compared elsewhere.
            Kind::Gives => {
                self.begins(section);
                self.clause().goes_elsewhere = section == Section::From;
            }
            Kind::Part => {}
        }
    }

    fn closes(&mut self) {
        if self.frames.len() < 2 {
            return;
        }
        let Some(frame) = self.frames.pop() else { return };
        match frame.kind {
            Kind::Query => {
                let inside = frame.first..self.all.len();
                self.links.extend(inside.map(|clause| (clause, frame.around)));
            }
            Kind::Joined => self.closed = Some((frame.first, self.all.len())),
            Kind::Columns => self.frames_gets(frame.gets.unwrap_or_default()),
            Kind::Tuple | Kind::Gives | Kind::Part => {}
        }
    }

    fn comma(&mut self) {
        match self.frame().kind {
            Kind::Query if self.frame().section == Section::List => {
                self.frame_mut().item += 1;
                self.item();
            }
            Kind::Query => self.begins(self.frame().section),
            Kind::Tuple => {
                self.frame_mut().item += 1;
                self.item();
            }
            Kind::Joined | Kind::Columns | Kind::Gives | Kind::Part => {}
        }
    }

    /// True if the word does what it says.
    fn keyword(&mut self, at: usize, word: &str) -> bool {
        if !matches!(self.frame().kind, Kind::Query | Kind::Joined) {
            return false;
        }
        let next = self.word(at.saturating_add(1));
        let frame = self.frame_mut();
        match word {
            "case" => frame.cases += 1,
            "end" => frame.cases = frame.cases.saturating_sub(1),
            "between" => frame.between = true,
            "and" if frame.between => frame.between = false,
            "and" | "or" if frame.cases == 0 => self.begins(self.frame().section),
            // UNION ALL compares nothing.
            "union" if frame.cases == 0 && next == "all" => self.begins(Section::Other),
            "union" | "intersect" | "except" => self.combines(),
            _ if frame.cases > 0 || frame.kind == Kind::Joined => return false,
            "on" if self.word(at.saturating_sub(1)) == "distinct" => {}
            "insert" | "into" => {
                let columns = self.guarded.columns.clone();
                self.begins(Section::Into);
                self.frames_gets(columns);
            }
            _ => match section(word) {
                Some(section) => {
                    self.begins(section);
                    if section == Section::List {
                        self.frame_mut().item = 0;
                        // RETURNING gives to nobody.
                        if word == "returning" {
                            self.frame_mut().gets = None;
                        }
                        self.item();
                    }
                }
                None => return false,
            },
        }
        true
    }

    /// Rows of both sides are compared.
    fn combines(&mut self) {
        let first = self.frame().first;
        self.frame_mut().goes_on = true;
        self.begins(Section::Other);
        for clause in self.all.iter_mut().skip(first) {
            // Of what stood before only the lists: others are no less than they are.
            clause.goes_elsewhere |= clause.listed;
        }
    }

    /// A new item of a list or a row.
    fn item(&mut self) {
        self.begins(self.frame().section);
        let inside = self.frames.len() > 1;
        let Frame { item, goes_on, kind, .. } = *self.frame();
        let column = self.frame().gets.as_ref().map(|gets| gets.get(item).cloned());
        let goes_elsewhere = column.is_none() && (goes_on || kind == Kind::Tuple || inside);
        // Fail closed: a column that nobody knows.
        let is_masked = |column: Option<String>| {
            column.is_none_or(|name| {
                let name = if self.folds { name.to_lowercase() } else { name };
                self.names.contains(&name)
            })
        };
        let guarded = column.is_some_and(is_masked);
        let clause = self.clause();
        clause.guarded = guarded;
        clause.goes_elsewhere = goes_elsewhere;
        clause.listed = true;
        clause.inner = inside;
    }

    fn name(&mut self, at: usize) {
        let name = self.name_of(at);
        let next = self.tokens.get(at.saturating_add(1)).map(|t| t.kind);
        let frame = self.frame();
        match (frame.kind, frame.section) {
            (Kind::Columns, _) => {
                if let Some(gets) = &mut self.frame_mut().gets {
                    gets.push(name);
                }
            }
            (Kind::Gives, _) => drop(self.names.insert(name)),
            // A table or what it is called: a whole row goes by that.
            (Kind::Query, Section::From | Section::Into) => {
                if next != Some(TokenKind::Dot) {
                    self.names.insert(name);
                }
            }
            (Kind::Query, Section::With) => {}
            _ => {
                let clause = self.clause();
                match next {
                    Some(TokenKind::OpenParen) => clause.gives.push(name),
                    Some(TokenKind::Dot) => {}
                    _ => {
                        clause.last = Some(name.clone());
                        clause.names.push(name);
                    }
                }
            }
        }
    }

    /// A new clause in the innermost parenthesis.
    fn begins(&mut self, section: Section) {
        self.all.push(Clause::default());
        let clause = self.all.len() - 1;
        let frame = self.frame_mut();
        frame.section = section;
        frame.clause = clause;
        frame.between = false;
    }

    /// Columns that get what comes.
    fn frames_gets(&mut self, columns: Vec<String>) {
        self.frame_mut().gets = Some(columns);
    }

    /// True if the word can only be a name: behind a dot, or behind AS where no query comes.
    fn is_name(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map(|at| self.word(at)).unwrap_or_default();
        let queries =
            ["select", "with", "values", "insert", "update", "delete", "materialized", "not"];
        self.is_dotted(at) || before == "as" && !queries.contains(&self.word(at).as_str())
    }

    fn is_dotted(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|token| token.kind == TokenKind::Dot)
    }

    /// The word in lower case; empty if it is none.
    fn word(&self, at: usize) -> String {
        let token = self.tokens.get(at).filter(|token| token.kind == TokenKind::Word);
        token.map(|token| token.text(self.text).to_ascii_lowercase()).unwrap_or_default()
    }

    fn name_of(&self, at: usize) -> String {
        let Some(token) = self.tokens.get(at) else { return String::new() };
        let written = token.text(self.text);
        let quoted = |quote| written.strip_prefix(quote).and_then(|name| name.strip_suffix(quote));
        let name = match (quoted('"'), quoted('`')) {
            (Some(name), _) => name.replace("\"\"", "\""),
            (None, Some(name)) => name.replace("``", "`"),
            (None, None) => written.to_ascii_lowercase(),
        };
        if self.folds { name.to_lowercase() } else { name }
    }

    // There is always one: the first is never taken off.
    fn frame(&self) -> &Frame {
        self.frames.last().unwrap_or(&NONE)
    }

    fn frame_mut(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::new(Kind::Query, Section::Other, (0, 0)));
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn clause(&mut self) -> &mut Clause {
        let at = self.frame().clause.min(self.all.len().saturating_sub(1));
        if self.all.is_empty() {
            self.all.push(Clause::default());
        }
        &mut self.all[at]
    }
}

static NONE: Frame = Frame::new(Kind::Query, Section::Other, (0, 0));

impl Frame {
    const fn new(kind: Kind, section: Section, (clause, first): (usize, usize)) -> Self {
        Self {
            kind,
            section,
            clause,
            first,
            around: clause,
            cases: 0,
            between: false,
            gets: None,
            item: 0,
            goes_on: false,
        }
    }
}

/// The part of a query that a word begins.
fn section(word: &str) -> Option<Section> {
    Some(match word {
        "select" | "returning" => Section::List,
        "from" | "using" | "join" | "update" | "delete" | "merge" => Section::From,
        "where" | "having" | "on" | "set" | "group" | "order" | "window" | "limit" | "offset"
        | "fetch" | "for" | "when" | "then" | "do" => Section::Values,
        "values" => Section::Tuples,
        "into" => Section::Into,
        "with" => Section::With,
        "union" | "intersect" | "except" => Section::Other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
