//! Who does something to the store.

use std::fmt;

use crate::kernel::ids::Principal;

/// Who does something to the store: on every record of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// A principal, identified by a gateway. May do what the duties of its roles say.
    Principal(Principal),
    /// A user of the machine, who works on the store directly and could as well edit it: may do
    /// everything, and the record says so.
    Os {
        /// The user's name.
        user: String,
        /// Who became this user with sudo, as sudo says.
        sudo_user: Option<String>,
    },
    /// A gateway itself, by its node's name: for what nobody asked it to do.
    Gateway(String),
}

impl Actor {
    /// True if the act went past every gateway.
    pub fn is_direct(&self) -> bool {
        match self {
            Self::Principal(_) | Self::Gateway(_) => false,
            Self::Os { .. } => true,
        }
    }

    /// True if this is that principal: by log-in, or by a namesake on the machine.
    pub fn is(&self, principal: &Principal) -> bool {
        match self {
            Self::Principal(name) => name == principal,
            Self::Os { user, sudo_user } => {
                user == principal.as_str() || sudo_user.as_deref() == Some(principal.as_str())
            }
            Self::Gateway(_) => false,
        }
    }
}

impl fmt::Display for Actor {
    /// `alice`, `os:root`, `os:root (sudo: alice)`, `gateway:eu-1`. No principal's name has a colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal(name) => write!(f, "{name}"),
            Self::Os { user, sudo_user: None } => write!(f, "os:{user}"),
            Self::Os { user, sudo_user: Some(by) } => write!(f, "os:{user} (sudo: {by})"),
            Self::Gateway(node) => write!(f, "gateway:{node}"),
        }
    }
}
