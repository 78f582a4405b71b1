//! What changing and showing settings needs, on every route: SET, RESET, `set_config`.

use crate::kernel::{
    access::Permission,
    sql::{
        analysis::SessionEffect,
        builtins::{self, SettingRule},
        judge::Judge,
        reading::{RoutineUse, SettingChange},
    },
};

impl Judge<'_> {
    /// One SET or RESET. The change is among the effects, whatever it needs.
    pub(super) fn setting(&mut self, change: &SettingChange) {
        if self.is_mysql() {
            return self.mysql_setting(change);
        }
        self.effects.push(SessionEffect::Setting(change.clone()));
        let name = change.name.as_str();
        // RESET ALL goes back to what the session began with, which was judged then. It leaves role
        // and session_authorization alone.
        if name == "*" {
            return;
        }
        match builtins::setting(name) {
            SettingRule::Harmless | SettingRule::Path | SettingRule::Wall => {}
            SettingRule::Resource => {
                self.needs.anything(Permission::Info, format!("sets {name}"));
                if !change.value.as_deref().is_none_or(|v| builtins::setting_is_fair(name, v)) {
                    self.needs
                        .admin(format!("sets {name} higher than a statement may without admin"));
                }
            }
            SettingRule::Encoding => {
                let is_read = change.value.as_deref().is_none_or(builtins::is_read_encoding);
                if !is_read {
                    self.needs.admin(format!("sets {name} to one in which texts are not read"));
                }
            }
            SettingRule::Lexer => {
                // DEFAULT and RESET: what the session began with, and the start-up options are judged too.
                let value = change.value.as_deref();
                if !value.is_none_or(|v| builtins::is_default_lexer(name, v)) {
                    self.needs.admin(format!("sets {name}, which changes how SQL is read"));
                }
            }
            SettingRule::Identity => self.needs.admin(format!("sets {name}: becomes someone else")),
            // A value that row security may look at.
            SettingRule::Custom => self.needs.anything(Permission::Select, format!("sets {name}")),
            SettingRule::Admin => self.needs.admin(format!("sets {name}")),
        }
    }

    /// `set_config(name, value, is_local)`: SET by a function.
    pub(super) fn set_config(&mut self, used: &RoutineUse) {
        let literal = |index: usize| used.literals.get(index).cloned().flatten();
        let name = match (literal(0), literal(1).as_deref()) {
            (Some(name), _) => name,
            // pg_dump takes the name from pg_settings, where old servers don't have it. No setting
            // of the server that matters takes this value: as a search_path it is no list.
            (None, Some(PG_DUMP_VALUE)) => "restrict_nonsystem_relation_kind".to_owned(),
            (None, _) => {
                // It may be the path.
                self.user_code = true;
                self.needs.admin("calls set_config() with a name that is no constant");
                return;
            }
        };
        let change =
            SettingChange { name: name.to_ascii_lowercase(), value: literal(1), local: false };
        let needs_value = match builtins::setting(&change.name) {
            SettingRule::Encoding | SettingRule::Lexer | SettingRule::Wall => true,
            SettingRule::Resource => builtins::setting_has_bound(&change.name),
            SettingRule::Harmless
            | SettingRule::Path
            | SettingRule::Identity
            | SettingRule::Custom
            | SettingRule::Admin => false,
        };
        // Fail closed: nobody knows what it is set to.
        if needs_value && change.value.is_none() {
            self.needs.admin(format!("sets {name} to a value that is no constant"));
        }
        self.setting(&change);
    }

    /// `current_setting(name)`: SHOW by a function.
    pub(super) fn current_setting(&mut self, used: &RoutineUse) {
        match used.literals.first().cloned().flatten() {
            Some(name) => self.shows(&name),
            // As reading pg_settings.
            None => {
                self.needs.anything(Permission::Info, "calls current_setting()");
                self.user_rows = true;
            }
        }
    }

    /// SHOW name.
    pub(super) fn shows(&mut self, name: &str) {
        // Rows of tables may have been put there before: see `set_config`.
        self.user_rows |= builtins::setting(name) == SettingRule::Custom;
        if builtins::setting_is_hidden(name) {
            self.needs.admin(format!("shows {name}"));
        } else {
            self.needs.anything(Permission::Info, format!("shows {name}"));
        }
    }
}

const PG_DUMP_VALUE: &str = "view, foreign-table";
