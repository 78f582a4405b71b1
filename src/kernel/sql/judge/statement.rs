//! What each kind of statement needs by itself. Relations and code are judged elsewhere.

use crate::kernel::{
    access::Permission,
    sql::{
        analysis::{NeedOn, SessionEffect},
        judge::Judge,
        reading::{Access, RoleChanged, StatementKind},
    },
};

impl Judge<'_> {
    /// Adds what every statement node needs.
    pub(super) fn statement(&mut self) {
        if self.only_planned {
            self.needs.anything(Permission::Explain, "shows a plan");
            if self.has(StatementKind::Execute) && self.reading.object.is_none() {
                self.needs.admin("plans a prepared statement without a name");
            }
            return;
        }
        let reading = self.reading;
        for kind in &reading.kinds {
            self.kind(*kind);
        }
        self.moves();
        // SELECT without relations and with reviewed built-ins only: SELECT 1.
        if self.needs.is_empty()
            && (self.has(StatementKind::Select) || self.has(StatementKind::Values))
        {
            self.needs.anything(Permission::Info, "computes a value");
        }
    }

    /// The permission table of DESIGN.md, one arm per row.
    fn kind(&mut self, kind: StatementKind) {
        use StatementKind::*;
        match kind {
            // By their relations and routines alone.
            Select | Values => {}
            Explain | ExplainAnalyze => self.needs.anything(Permission::Explain, "shows a plan"),
            Show => match self.reading.object.clone() {
                Some(name) if !self.is_mysql() => self.shows(&name),
                Some(_) | None => {
                    self.needs.anything(Permission::Info, "shows settings");
                    self.process_list();
                    self.status_list();
                }
            },
            Insert | Update | Delete | Merge | CopyFromClient => self.row_change(kind),
            CopyToClient => {
                self.needs.anything(Permission::Select, "copies rows out");
                self.needs.anything(Permission::Export, "copies rows out: COPY … TO STDOUT");
            }
            CreateTableAs => self.schema_change("creates a table from a query"),
            SchemaChange => self.schema_change("changes the schema"),
            Truncate => self.schema_change("empties a table with TRUNCATE"),
            Set => self.set(),
            Transaction => {
                if self.reading.transaction.is_none() {
                    self.needs.admin("a transaction statement of an unknown kind");
                }
            }
            // Deferred triggers fire.
            SetConstraints => {
                let catalog = self.cx.catalog;
                self.user_code |= catalog.relations().any(|r| !r.triggers.is_empty());
            }
            Deallocate | Close | Unlisten | Discard | Use | Unlock => {}
            ShowSource => self.needs.whole(Permission::Select, "shows the source of routines"),
            ShowWarnings => self.shows_messages(),
            // Which table it is was said when it was opened: any.
            Handler => {
                self.user_rows = true;
                self.needs.whole(Permission::Select, "reads rows by HANDLER");
            }
            ShowAdmin => self.needs.admin("shows secrets or what others do"),
            Kill => self.admin("ends a connection or what it runs"),
            Prepare | Declare => {
                if self.reading.inner.is_none() || self.reading.object.is_none() {
                    self.needs.admin("prepares something unknown");
                }
            }
            // What the named statement or cursor needs is added by who knows it. MOVE runs its
            // cursor's query as much as FETCH does.
            Execute | Fetch | Move => {
                if self.reading.object.is_none() {
                    self.needs.admin("runs something without a name");
                }
            }
            Listen => self.needs.anything(Permission::Select, "listens for notifications"),
            Notify => {
                self.needs.writes = true;
                self.needs.anything(Permission::Dml, "notifies other sessions");
            }
            LockShare | Lock => self.expects(Access::LockTable, "locks something unknown"),
            Refresh => {
                self.needs.writes = true;
                let names_one = self.reading.relations.iter().any(|r| r.access == Access::Define);
                if !names_one {
                    self.expects(Access::Write, "refreshes something unknown");
                }
            }
            SetRole => self.set_role(),
            TwoPhase => self.admin("uses two-phase commit"),
            CopyServer => self.admin("reads or writes a file or runs a program on the server"),
            CreateCode if self.has_extension() => {
                self.needs.writes = true;
                self.needs.whole(Permission::Ddl, "creates an extension unless there is one");
            }
            CreateCode => self.admin("puts code in place"),
            DropCode => self.schema_change("drops code"),
            Do => self.admin("runs code with DO"),
            Call => self.call(),
            Privileges => {
                self.admin("changes roles, owners or privileges");
                self.spare_log_ins();
            }
            Server => self.admin("changes the server"),
            Maintenance => self.admin("maintains the server: VACUUM, CLUSTER"),
            Other => self.admin("is not understood"),
        }
    }

    /// True if it creates nothing, because the extension is there: migrations and dumps begin so. If it
    /// has been dropped a moment ago, that comes back which was there.
    pub(super) fn has_extension(&self) -> bool {
        let wanted = self.reading.wanted_extension.as_ref();
        wanted.is_some_and(|name| self.cx.catalog.extensions.contains(name))
            && !self.cx.overlay.may_hold_anything()
    }

    fn admin(&mut self, why: &str) {
        self.needs.writes = true;
        self.needs.admin(why);
    }

    fn schema_change(&mut self, why: &str) {
        self.needs.writes = true;
        let defined = self.reading.relations.iter().find(|r| r.access == Access::Define);
        let why = match defined {
            Some(relation) => format!("{why}: {}", relation.name),
            None => why.to_owned(),
        };
        self.needs.whole(Permission::Ddl, why);
        if defined.is_none() {
            self.code_of_anything();
        }
    }

    fn row_change(&mut self, kind: StatementKind) {
        self.needs.writes = true;
        let why = match kind {
            StatementKind::Merge => "merges into something unknown",
            _ => "writes something unknown",
        };
        self.expects(Access::Write, why);
    }

    /// Fail closed: a statement that works on a relation without naming one was not understood.
    fn expects(&mut self, access: Access, why: &str) {
        if !self.reading.relations.iter().any(|r| r.access == access) {
            self.needs.admin(why);
        }
    }

    fn set(&mut self) {
        let reading = self.reading;
        // SET SESSION CHARACTERISTICS is an effect on transactions.
        let nothing = reading.settings.is_empty() && reading.transaction.is_none();
        if nothing && reading.mysql.assigned.is_empty() {
            self.needs.admin("sets something unknown");
        }
        for change in &reading.settings {
            self.setting(change);
        }
    }

    /// The roles that the gateway itself logs in as are what everybody's sessions hang on: nobody takes
    /// them away, or makes them more than grants may ever give.
    fn spare_log_ins(&mut self) {
        for role in &self.reading.roles {
            let why = match role {
                RoleChanged::Named(name) if self.cx.trust.is_log_in(name) => {
                    format!("it changes {name}, which the gateway itself logs in as")
                }
                RoleChanged::Named(_) => continue,
                RoleChanged::Current => {
                    "it changes the current role, which is the gateway's own".to_owned()
                }
                RoleChanged::All => "it changes every role, the gateway's own too".to_owned(),
            };
            self.needs.add(Permission::Admin, NeedOn::Nobody, why);
        }
    }

    fn set_role(&mut self) {
        // The schema of the role's own name, `$user`, comes and goes with it.
        let changes = self.reading.settings.iter().cloned().map(SessionEffect::Setting);
        self.effects.extend(changes);
        if !self.stays_its_log_in() {
            self.admin("becomes another role");
        }
    }

    /// Back to the role that every session begins as: Flyway says so after each migration, Npgsql when
    /// a connection goes back to its pool, and DISCARD ALL does it for everybody. Whatever the role is
    /// by then, this is the one that is judged for.
    fn stays_its_log_in(&self) -> bool {
        let [change] = self.reading.settings.as_slice() else { return false };
        match (change.name.as_str(), change.value.as_deref()) {
            ("role" | "session_authorization", None) => true,
            // The catalog knows a log-in only if every session begins as that, and in no other role.
            ("role", Some(name)) => {
                let login = self.cx.catalog.login.as_deref();
                login.is_some_and(|login| name == "none" || name == login)
            }
            _ => false,
        }
    }

    /// What the procedure needs is judged with the routines: trusted ones pass, others need admin.
    fn call(&mut self) {
        self.needs.writes = true;
        self.user_code = true;
        if self.reading.routines.is_empty() {
            self.needs.admin("calls something unknown");
        }
    }
}
