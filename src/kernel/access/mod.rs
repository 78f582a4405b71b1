//! Who may do what, until when: permissions, scopes, requests, grants, and the rights that a session
//! holds at one moment.

pub mod credentials;
pub mod grant;
pub mod leavings;
pub mod permission;
pub mod request;
pub mod rights;
pub mod scope;

pub use credentials::{ScramCredentials, ScramVerifier};
pub use grant::{AtEnd, Grant, GrantStatus};
pub use leavings::{Change, Holding, Leaving, Survey};
pub use permission::{Duty, Level, Permission, PermissionSet, Role};
pub use request::{AccessRequest, RequestState};
pub use rights::Rights;
pub use scope::Scope;
