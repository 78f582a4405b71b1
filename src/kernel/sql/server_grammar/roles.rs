//! Roles that a statement makes other than they were.

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{reading::RoleChanged, server_grammar::Reader};

impl Reader {
    /// These roles are changed.
    pub(super) fn changes_roles(&mut self, roles: &[pg::Node]) {
        for role in roles {
            match &role.node {
                Some(N::RoleSpec(role)) => self.changes_role(Some(role)),
                // GRANT a TO b names a like a privilege.
                Some(N::AccessPriv(role)) => self.changes_named(&role.priv_name),
                // Fail closed: whoever this is.
                _ => self.changes_role(None),
            }
        }
    }

    /// This role is changed; `None`: whichever there is.
    pub(super) fn changes_role(&mut self, role: Option<&pg::RoleSpec>) {
        use pg::RoleSpecType as T;
        let Some(role) = role else {
            self.reading.roles.insert(RoleChanged::All);
            return;
        };
        match T::try_from(role.roletype) {
            Ok(T::RolespecCstring) => self.changes_named(&role.rolename),
            Ok(T::RolespecCurrentRole | T::RolespecCurrentUser | T::RolespecSessionUser) => {
                self.reading.roles.insert(RoleChanged::Current);
            }
            // Not a role that anybody logs in as.
            Ok(T::RolespecPublic) => {}
            Ok(T::Undefined) | Err(_) => {
                self.reading.roles.insert(RoleChanged::All);
            }
        }
    }

    /// This role is changed.
    pub(super) fn changes_named(&mut self, name: &str) {
        self.reading.roles.insert(RoleChanged::Named(name.to_owned()));
    }

    /// Members that a role gets by the options of CREATE ROLE and ALTER GROUP, and what it becomes a
    /// member of.
    pub(super) fn changes_members(&mut self, options: &[pg::Node]) {
        for option in options {
            let Some(N::DefElem(option)) = &option.node else { continue };
            if let Some(N::List(roles)) = option.arg.as_ref().and_then(|arg| arg.node.as_ref()) {
                self.changes_roles(&roles.items);
            }
        }
    }
}
