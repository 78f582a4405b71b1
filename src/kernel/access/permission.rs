//! Permissions, sets of them, and the roles that hold some standing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kernel::ids::RoleName;

/// One thing a principal may be allowed to do on a target. In the order of the permission table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Permission {
    /// `sql.explain`: plans, without running anything.
    Explain,
    /// `sql.info`: catalogs and SHOW.
    Info,
    /// `sql.select`: read user relations, up to the cap.
    Select,
    /// `sql.export`: results beyond the cap, COPY TO STDOUT. Reads nothing by itself.
    Export,
    /// `sql.dml`: change rows.
    Dml,
    /// `sql.ddl`: change the schema.
    Ddl,
    /// `sql.admin`: everything else, all that is not understood included; not unmask.
    Admin,
    /// `sql.unmask`: see masked columns in clear.
    Unmask,
    /// `issues.create`: propose a change for review. Runs nothing.
    IssuesCreate,
}

/// How much a log-in at the upstream must be able to do; each as much as those before it, and more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Level {
    /// Read.
    #[default]
    Read,
    /// Change rows.
    Dml,
    /// Change the schema.
    Ddl,
    /// Everything.
    Admin,
}

impl Level {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Read, Self::Dml, Self::Ddl, Self::Admin];

    /// As in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Dml => "dml",
            Self::Ddl => "ddl",
            Self::Admin => "admin",
        }
    }
}

impl Permission {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Explain,
        Self::Info,
        Self::Select,
        Self::Export,
        Self::Dml,
        Self::Ddl,
        Self::Admin,
        Self::Unmask,
        Self::IssuesCreate,
    ];

    /// The full name, as on record: `sql.select`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Explain => "sql.explain",
            Self::Info => "sql.info",
            Self::Select => "sql.select",
            Self::Export => "sql.export",
            Self::Dml => "sql.dml",
            Self::Ddl => "sql.ddl",
            Self::Admin => "sql.admin",
            Self::Unmask => "sql.unmask",
            Self::IssuesCreate => "issues.create",
        }
    }

    /// The name as people type it: without `sql.`.
    pub fn short_name(self) -> &'static str {
        self.name().strip_prefix("sql.").unwrap_or(self.name())
    }

    /// What holding this one includes, itself among them.
    pub fn includes(self) -> PermissionSet {
        let set = |list: &[Self]| list.iter().copied().collect();
        match self {
            Self::Explain | Self::Info | Self::Export | Self::Unmask | Self::IssuesCreate => {
                set(&[self])
            }
            Self::Select | Self::Dml | Self::Ddl => set(&[self, Self::Explain, Self::Info]),
            Self::Admin => Self::ALL.iter().copied().filter(|p| *p != Self::Unmask).collect(),
        }
    }

    /// True if a holder may change something, so that the upstream's read-only wall must open.
    pub fn writes(self) -> bool {
        match self {
            Self::Dml | Self::Ddl | Self::Admin => true,
            Self::Explain
            | Self::Info
            | Self::Select
            | Self::Export
            | Self::Unmask
            | Self::IssuesCreate => false,
        }
    }

    /// Which log-in at the upstream it takes.
    pub fn level(self) -> Level {
        match self {
            Self::Explain
            | Self::Info
            | Self::Select
            | Self::Export
            | Self::Unmask
            | Self::IssuesCreate => Level::Read,
            Self::Dml => Level::Dml,
            Self::Ddl => Level::Ddl,
            Self::Admin => Level::Admin,
        }
    }

    fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no permission.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{text}` is not a permission; there are explain, info, select, export, dml, ddl, admin, \
     unmask (each also with `sql.` before it) and issues.create"
)]
pub struct UnknownPermission {
    text: String,
}

impl std::str::FromStr for Permission {
    type Err = UnknownPermission;

    /// Accepts the full and the short name, in any case.
    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        let wanted = text.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|p| p.name() == wanted || p.short_name() == wanted)
            .ok_or_else(|| UnknownPermission { text: text.chars().take(64).collect() })
    }
}

/// A set of permissions, as given: what they include is asked with [`PermissionSet::allows`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PermissionSet(u16);

impl PermissionSet {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// True if exactly this permission was given.
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// True if a given permission is, or includes, this one.
    pub fn allows(self, permission: Permission) -> bool {
        self.iter().any(|held| held.includes().contains(permission))
    }

    /// Adds one.
    pub fn insert(&mut self, permission: Permission) {
        self.0 |= permission.bit();
    }

    /// Both together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True if nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members in order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |p| self.contains(*p))
    }

    /// Reads `select,dml` (also with blanks and `sql.`). An empty list is refused.
    ///
    /// # Errors
    /// [`UnknownPermission`] with the first name that is none.
    pub fn parse_list(text: &str) -> Result<Self, UnknownPermission> {
        text.split(',').map(str::parse::<Permission>).collect()
    }

    /// `select,dml`: what [`PermissionSet::parse_list`] reads back.
    pub fn short_list(self) -> String {
        self.iter().map(Permission::short_name).collect::<Vec<_>>().join(",")
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(iter: I) -> Self {
        let mut set = Self::NONE;
        for permission in iter {
            set.insert(permission);
        }
        set
    }
}

impl fmt::Display for PermissionSet {
    /// `sql.select, sql.dml`; `nothing` if empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        f.write_str(&self.iter().map(Permission::name).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

impl Serialize for PermissionSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Permission::name))
    }
}

impl<'de> Deserialize<'de> for PermissionSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().map(|n| n.parse::<Permission>().map_err(serde::de::Error::custom)).collect()
    }
}

/// What a role lets its holder do about other people's access.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duty {
    /// May approve and deny other people's requests.
    Approver,
    /// May read the audit.
    Auditor,
    /// May do both, and revoke anybody's grants.
    Owner,
}

/// A role: standing permissions on every target, and duties.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// What its holders may do without any grant.
    pub standing: PermissionSet,
    /// What its holders may decide.
    pub duties: Vec<Duty>,
}

impl Role {
    /// The roles that exist without settings; a `[roles.NAME]` section replaces its namesake.
    pub fn built_in() -> Vec<Self> {
        let role = |name: &str, standing: &[Permission], duties: &[Duty]| Self {
            name: RoleName::new(name),
            standing: standing.iter().copied().collect(),
            duties: duties.to_vec(),
        };
        vec![
            role(
                "developer",
                &[Permission::Explain, Permission::Info, Permission::IssuesCreate],
                &[],
            ),
            role("approver", &[], &[Duty::Approver]),
            role("auditor", &[], &[Duty::Auditor]),
            role("owner", &[], &[Duty::Owner]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_includes_all_but_unmask() {
        let admin: PermissionSet = [Permission::Admin].into_iter().collect();
        for permission in Permission::ALL {
            assert_eq!(admin.allows(permission), permission != Permission::Unmask, "{permission}");
        }
    }

    #[test]
    fn export_alone_reads_nothing() {
        let export: PermissionSet = [Permission::Export].into_iter().collect();
        assert!(!export.allows(Permission::Select) && !export.allows(Permission::Info));
    }

    #[test]
    fn lists_read_with_and_without_the_prefix() {
        let list = PermissionSet::parse_list("sql.select, DML,unmask").expect("reads");
        assert_eq!(list.short_list(), "select,dml,unmask");
        assert!(PermissionSet::parse_list("select,everything").is_err());
        assert!(PermissionSet::parse_list("").is_err());
    }
}
