//! Collecting what must be allowed.

use std::collections::BTreeSet;

use crate::kernel::{
    access::Permission,
    sql::analysis::{Need, NeedOn, StatementClass},
};

/// What a statement needs, each permission once per object, with the first reason found.
#[derive(Default)]
pub(super) struct Needs {
    list: Vec<Need>,
    seen: BTreeSet<(Permission, NeedOn)>,
    /// The statement may change something that a COMMIT would make last.
    pub(super) writes: bool,
}

impl Needs {
    pub(super) fn add(&mut self, permission: Permission, on: NeedOn, why: impl Into<String>) {
        if self.seen.insert((permission, on.clone())) {
            self.list.push(Need { permission, on, why: why.into() });
        }
    }

    pub(super) fn anything(&mut self, permission: Permission, why: impl Into<String>) {
        self.add(permission, NeedOn::Anything, why);
    }

    pub(super) fn whole(&mut self, permission: Permission, why: impl Into<String>) {
        self.add(permission, NeedOn::WholeTarget, why);
    }

    /// What isn't understood or may do anything.
    pub(super) fn admin(&mut self, why: impl Into<String>) {
        self.whole(Permission::Admin, why);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The word for it all, by the weightiest need; and the needs, the weightiest first, because a
    /// refusal quotes the first reason.
    pub(super) fn into_class_and_list(mut self) -> (StatementClass, Vec<Need>) {
        self.list.sort_by_key(|need| std::cmp::Reverse(class_of(need.permission)));
        let class =
            self.list.first().map_or(StatementClass::Session, |need| class_of(need.permission));
        (class, self.list)
    }
}

fn class_of(permission: Permission) -> StatementClass {
    match permission {
        Permission::Explain => StatementClass::Explain,
        Permission::Info => StatementClass::Info,
        Permission::Select => StatementClass::Select,
        Permission::Export => StatementClass::Export,
        Permission::Dml => StatementClass::Dml,
        Permission::Ddl => StatementClass::Ddl,
        Permission::Admin | Permission::Unmask | Permission::IssuesCreate => StatementClass::Admin,
    }
}
