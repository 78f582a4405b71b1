//! What a statement is judged against: the names in force, and the code that is trusted.

use std::{collections::BTreeSet, sync::Arc};

use crate::kernel::{
    access::Permission,
    catalog::{Catalog, Routine},
    sql::{mode::LexMode, reading::RawName, seen::Sight},
};

/// Everything outside a statement that its judgement depends on.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// How the session's server reads text now.
    pub mode: LexMode,
    /// What the target contains.
    pub catalog: &'a Catalog,
    /// Where the session's server looks names up now.
    pub path: &'a SearchPath,
    /// What the session itself may have put in the way.
    pub overlay: &'a Overlay,
    /// Whose code may run below admin.
    pub trust: &'a Trust,
}

impl Context<'_> {
    /// True if the server finds a temporary table of the session's own that holds nothing masked.
    pub fn is_clean_temporary(&self, name: &RawName) -> bool {
        let comes_first = match (name.schema(), self.path) {
            (Some(schema), _) => schema == "pg_temp",
            (None, SearchPath::Known(path)) => {
                path.first().is_some_and(|schema| schema.starts_with("pg_temp_"))
            }
            (None, SearchPath::Unknown) => false,
        };
        comes_first && self.overlay.is_clean_temporary(name.base(), self.catalog.marks.version())
    }
}

/// The schemas in which unqualified names are looked up.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum SearchPath {
    /// In order, as `current_schemas(true)` gives them: with `pg_catalog` and the session's
    /// temporary schema where the server puts them.
    Known(Vec<String>),
    /// Something ran that may have changed it. Fail closed: every schema may come first.
    Unknown,
}

impl SearchPath {
    /// `pg_catalog` and `public`: a fresh session without temporary tables.
    pub fn usual() -> Self {
        Self::Known(vec!["pg_catalog".to_owned(), "public".to_owned()])
    }

    /// True if names may be found in that schema without writing it.
    pub fn may_contain(&self, schema: &str) -> bool {
        match self {
            Self::Known(path) => path.iter().any(|s| s == schema),
            Self::Unknown => true,
        }
    }
}

/// Names that this session created, altered or dropped since the catalog was read. They are never
/// taken for catalogs or built-ins, and no scope covers them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Overlay {
    names: BTreeSet<String>,
    moved: BTreeSet<String>,
    anything: bool,
    temporary: BTreeSet<String>,
    /// The version of the mask rules under which those were made.
    rules: u64,
    tainted: bool,
    /// Masked values may lie where the catalog knows of none.
    copied: bool,
    /// Types that the session has made or renamed, but for tables'.
    types: BTreeSet<String>,
    /// What the server says of the names, if nothing has changed since.
    sight: Option<Arc<Sight>>,
    messages: Messages,
    at_end: AtEnd,
    by_name: ByName,
}

/// What the end of the open transaction does to where names are looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum AtEnd {
    /// Nothing.
    #[default]
    Stays,
    /// It may take back what was changed in it, or make it last.
    Moves,
}

/// What EXECUTE, FETCH and their like do to where names are looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum ByName {
    #[default]
    Stays,
    Moves,
}

/// What the messages are that the server keeps for SHOW WARNINGS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Messages {
    #[default]
    Harmless,
    MayQuote,
}

impl Overlay {
    /// Adds names, unqualified, folded.
    pub fn add(&mut self, names: impl IntoIterator<Item = String>) {
        self.names.extend(names);
    }

    /// Adds names whose relations go by others now: what the catalog knows of them counts for any name
    /// that the session has touched.
    pub fn add_moved(&mut self, names: impl IntoIterator<Item = String>) {
        self.moved.extend(names);
    }

    /// The names that relations have had.
    pub fn moved(&self) -> impl Iterator<Item = &str> {
        self.moved.iter().map(String::as_str)
    }

    /// Code ran that may have created anything. Fail closed: where a temporary schema is on the
    /// path, no unqualified name is a catalog from now on.
    pub fn add_anything(&mut self) {
        self.anything = true;
    }

    /// Forgets all, once the catalog and the search path have been read again. They don't tell of this
    /// session's temporary tables.
    pub fn clear(&mut self) {
        let temporary = std::mem::take(&mut self.temporary);
        *self = Self {
            temporary,
            rules: self.rules,
            tainted: self.tainted,
            messages: self.messages,
            by_name: self.by_name,
            ..Self::default()
        };
    }

    /// Adds a temporary table of the session's that holds nothing that rules of this version mask.
    pub fn add_temporary(&mut self, name: String, rules: u64) {
        if rules != self.rules {
            self.temporary.clear();
            self.rules = rules;
        }
        self.temporary.insert(name);
    }

    /// Forgets temporary tables of these names.
    pub fn forget_temporary<'n>(&mut self, names: impl IntoIterator<Item = &'n String>) {
        for name in names {
            self.temporary.remove(name);
        }
    }

    /// Forgets all temporary tables.
    pub fn forget_all_temporary(&mut self) {
        self.temporary.clear();
    }

    /// From now on any temporary table may hold what is masked, whatever it was made of.
    pub fn taint(&mut self) {
        self.tainted = true;
    }

    /// Masked values may have been copied into what the catalog doesn't know yet.
    pub fn note_copy(&mut self) {
        self.copied = true;
    }

    /// True if masked values may lie in what the catalog doesn't know yet.
    pub fn holds_copies(&self) -> bool {
        self.copied
    }

    /// Says what the end of the open transaction does to where names are looked up.
    pub fn set_at_end(&mut self, at_end: AtEnd) {
        self.at_end = at_end;
    }

    /// What the end of the open transaction does to where names are looked up.
    pub fn at_end(&self) -> AtEnd {
        self.at_end
    }

    /// From now on what EXECUTE, FETCH and their like run may move where names are looked up.
    pub fn let_names_move(&mut self) {
        self.by_name = ByName::Moves;
    }

    /// True if it may.
    pub fn names_may_move(&self) -> bool {
        self.by_name == ByName::Moves
    }

    /// Adds a type, unqualified, folded.
    pub fn add_type(&mut self, name: String) {
        self.types.insert(name);
    }

    /// The names, those of types too, for asking the server what they stand for.
    pub fn names(&self) -> BTreeSet<&str> {
        self.names.iter().chain(&self.types).map(String::as_str).collect()
    }

    /// The server has said what the names stand for.
    pub fn set_sight(&mut self, sight: Option<Sight>) {
        self.sight = sight.map(Arc::new);
    }

    /// What is known of the names by other ways.
    pub(super) fn foresee(&mut self, sight: Option<Arc<Sight>>) {
        self.sight = sight;
    }

    /// What is known of the names, to be kept.
    pub(super) fn shared_sight(&self) -> Option<Arc<Sight>> {
        self.whole_sight().and(self.sight.clone())
    }

    /// Something has changed since the server has said what the names stand for.
    pub fn lose_sight(&mut self) {
        self.sight = None;
    }

    /// What the server says of the names. `None`: it wasn't asked since something changed, or it doesn't
    /// count, because masked values may lie there.
    pub fn sight(&self) -> Option<&Sight> {
        self.sight.as_deref().filter(|_| !self.copied)
    }

    /// The same, if it was asked for all of them, and no code ran that may have made others.
    pub fn whole_sight(&self) -> Option<&Sight> {
        self.sight().filter(|sight| sight.is_whole() && !self.anything)
    }

    /// From now on the session's messages may quote values of rows that weren't shown. Nothing tells when
    /// they are gone: a SELECT without tables leaves them where they are.
    pub fn quote(&mut self) {
        self.messages = Messages::MayQuote;
    }

    /// True if the session's messages may quote values of rows that weren't shown.
    pub fn is_quoted(&self) -> bool {
        self.messages == Messages::MayQuote
    }

    /// True if temporary tables may hold what is masked.
    pub fn is_tainted(&self) -> bool {
        self.tainted
    }

    /// True if what the session calls so in its temporary schema is a table that holds nothing that
    /// rules of this version mask.
    pub fn is_clean_temporary(&self, name: &str, rules: u64) -> bool {
        !self.tainted && !self.anything && self.rules == rules && self.temporary.contains(name)
    }

    /// True if this name is one of them.
    pub fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// True if this may be the name of a type that the session has made: every relation has one too.
    pub fn holds_type(&self, name: &str) -> bool {
        self.names.contains(name) || self.types.contains(name)
    }

    /// True if the session itself has created, altered or dropped something.
    pub fn holds_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// True if code ran that may have created anything.
    pub fn may_hold_anything(&self) -> bool {
        self.anything
    }
}

/// What the settings say about a target: `trust`, routines that may run below admin and what calling
/// them needs; the gateway's own log-ins there, which nobody may change through it; and `mask`, what
/// becomes of masked columns beyond what rules say.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Trust {
    entries: Vec<TrustEntry>,
    log_ins: BTreeSet<String>,
    masking: Masking,
}

/// What the settings of a target say about masked columns. The default is the stricter one for writes,
/// and the one that refuses less for what isn't known, which is masked whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Masking {
    /// Who sees a column masked may set it all the same.
    pub writes_allowed: bool,
    /// What may hold masked values, for all that is known, is refused instead of being masked whole.
    pub unknown_refused: bool,
    /// COPY TO of what would come masked is refused: no masked dump or file comes into being.
    pub copies_refused: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct TrustEntry {
    whom: Trusted,
    permission: Permission,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Trusted {
    Extension(String),
    Schema(String),
    Routine(String, String),
}

/// A text that is no entry of `trust`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{entry}` can't be trusted; write ext:NAME, SCHEMA.ROUTINE or SCHEMA.*, and (dml) or (ddl) \
     behind it if it writes"
)]
pub struct BadTrust {
    entry: String,
}

impl Trust {
    /// Reads entries like `ext:postgis`, `billing.refund(dml)`, `reports.*`. Without parentheses the
    /// code is trusted to read only: calling it needs `select`.
    ///
    /// # Errors
    /// [`BadTrust`] with the first entry that is none.
    pub fn parse<'t>(entries: impl IntoIterator<Item = &'t str>) -> Result<Self, BadTrust> {
        entries
            .into_iter()
            .map(parse_entry)
            .collect::<Result<_, _>>()
            .map(|entries| Self { entries, ..Self::default() })
    }

    /// With these as the gateway's own log-ins, as the server spells them.
    #[must_use]
    pub fn with_log_ins(self, log_ins: impl IntoIterator<Item = String>) -> Self {
        Self { log_ins: log_ins.into_iter().collect(), ..self }
    }

    /// With this as what holds for masked columns.
    #[must_use]
    pub fn with_masking(self, masking: Masking) -> Self {
        Self { masking, ..self }
    }

    /// What holds for masked columns.
    pub fn masking(&self) -> Masking {
        self.masking
    }

    /// True if the gateway itself logs in by that name.
    pub fn is_log_in(&self, role: &str) -> bool {
        self.log_ins.contains(role)
    }

    /// What calling this routine needs if it is trusted. The entry that asks for most counts.
    pub fn permission_for(&self, routine: &Routine) -> Option<Permission> {
        self.entries
            .iter()
            .filter(|entry| match &entry.whom {
                Trusted::Extension(name) => routine.extension.as_ref() == Some(name),
                Trusted::Schema(schema) => routine.schema == *schema,
                Trusted::Routine(schema, name) => {
                    routine.schema == *schema && routine.name == *name
                }
            })
            .map(|entry| entry.permission)
            .max()
    }
}

fn parse_entry(text: &str) -> Result<TrustEntry, BadTrust> {
    let bad = || BadTrust { entry: text.chars().take(128).collect() };
    let text = text.trim();
    let (whom, permission) = match text.split_once('(') {
        None => (text, Permission::Select),
        Some((whom, rest)) => {
            let name = rest.strip_suffix(')').ok_or_else(bad)?;
            let permission = name.parse().map_err(|_| bad())?;
            match permission {
                Permission::Select | Permission::Dml | Permission::Ddl => (whom, permission),
                Permission::Explain
                | Permission::Info
                | Permission::Export
                | Permission::Admin
                | Permission::Unmask
                | Permission::IssuesCreate => return Err(bad()),
            }
        }
    };
    let plain = |name: &str| !name.is_empty() && !name.contains(['.', '*', ' ', '(', ')']);
    let whom = if let Some(extension) = whom.strip_prefix("ext:") {
        if !plain(&extension.replace('-', "_")) {
            return Err(bad());
        }
        Trusted::Extension(extension.to_owned())
    } else {
        let (schema, name) = whom.split_once('.').ok_or_else(bad)?;
        match name {
            "*" if plain(schema) => Trusted::Schema(schema.to_owned()),
            name if plain(schema) && plain(name) => {
                Trusted::Routine(schema.to_owned(), name.to_owned())
            }
            _ => return Err(bad()),
        }
    };
    Ok(TrustEntry { whom, permission })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::catalog::{RoutineKind, Volatility};

    fn routine(schema: &str, name: &str, extension: Option<&str>) -> Routine {
        Routine {
            oid: 1,
            schema: schema.into(),
            name: name.into(),
            kind: RoutineKind::Function,
            volatility: Volatility::Volatile,
            security_definer: false,
            language: "plpgsql".into(),
            extension: extension.map(str::to_owned),
            takes_rows: false,
            argument_code: Vec::new(),
            types: Vec::new(),
        }
    }

    #[test]
    fn trust_names_extensions_schemas_and_routines() {
        let trust =
            Trust::parse(["ext:postgis", "billing.refund(dml)", "reports.*"]).expect("reads");
        let of = |r: &Routine| trust.permission_for(r);
        assert_eq!(of(&routine("public", "st_x", Some("postgis"))), Some(Permission::Select));
        assert_eq!(of(&routine("billing", "refund", None)), Some(Permission::Dml));
        assert_eq!(of(&routine("billing", "refund2", None)), None);
        assert_eq!(of(&routine("reports", "anything", None)), Some(Permission::Select));
    }

    #[test]
    fn half_an_entry_is_refused() {
        for bad in
            ["", "refund", "ext:", "a.b.c", "billing.refund(", "billing.refund(admin)", "*.*"]
        {
            assert!(Trust::parse([bad]).is_err(), "{bad}");
        }
    }
}
