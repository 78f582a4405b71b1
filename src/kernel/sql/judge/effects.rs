//! What a statement does to the session.

use std::sync::Arc;

use crate::kernel::sql::{
    analysis::SessionEffect,
    judge::{Judge, judge},
    reading::{Access, Moved, StatementKind},
};

impl Judge<'_> {
    /// Adds all effects but the settings, which are judged where they are found.
    pub(super) fn effects(&mut self) {
        self.messages();
        if self.only_planned {
            // A plan changes nothing; a function evaluated for it may.
            if self.user_code {
                self.effects.push(SessionEffect::RunsUserCode);
            }
            return;
        }
        if let Some(change) = &self.reading.transaction {
            self.effects.push(SessionEffect::Transaction(change.clone()));
        }
        self.mysql_effects();
        self.named();
        self.schema();
        if self.user_code {
            self.effects.push(SessionEffect::RunsUserCode);
        }
    }

    fn named(&mut self) {
        let reading = self.reading;
        let name = reading.object.clone();
        let all = || name.clone().filter(|n| n != "*");
        let inner = || {
            let inner = reading.inner.as_deref()?;
            Some((name.clone()?, Arc::new(judge(inner, self.cx))))
        };
        let effect = match reading.top {
            StatementKind::Prepare => {
                inner().map(|(name, inner)| SessionEffect::Prepare { name, inner })
            }
            StatementKind::Declare => inner().map(|(name, inner)| SessionEffect::Declare {
                name,
                holds: reading.holds,
                inner,
            }),
            StatementKind::Deallocate => Some(SessionEffect::Deallocate(all())),
            StatementKind::Close => Some(SessionEffect::Close(all())),
            // Fail closed: without a word about what is discarded, all is.
            StatementKind::Discard => Some(match reading.object.as_deref() {
                Some("plans" | "temp" | "temporary" | "sequences") => SessionEffect::DiscardPart,
                _ => SessionEffect::DiscardAll,
            }),
            _ => None,
        };
        self.effects.extend(effect);
    }

    fn schema(&mut self) {
        use StatementKind::{CreateCode, CreateTableAs, Do, DropCode, SchemaChange, Server};
        let changes =
            [CreateCode, CreateTableAs, Do, DropCode, SchemaChange, Server, StatementKind::Other];
        if changes.into_iter().any(|kind| self.has(kind)) {
            let defined = self.reading.relations.iter().filter(|r| r.access == Access::Define);
            let mut names: Vec<String> = defined.map(|r| r.name.base().to_owned()).collect();
            let mut renamed = Vec::new();
            for moved in &self.reading.moved {
                match moved {
                    Moved::Renamed { relation, .. } => renamed.push(relation.base().to_owned()),
                    // All that is in it is to be found in another.
                    Moved::Schema(schema) => {
                        let inside = self.cx.catalog.relations().filter(|r| r.schema == *schema);
                        names.extend(inside.map(|r| r.name.clone()));
                    }
                    Moved::ToSchema { .. }
                    | Moved::Under { .. }
                    | Moved::Into { .. }
                    | Moved::ShownIn { .. } => {}
                }
            }
            self.effects.push(SessionEffect::SchemaChange(names));
            if !renamed.is_empty() {
                self.effects.push(SessionEffect::Renamed(renamed));
            }
        }
        self.effects.extend(self.reading.made_type.clone().map(SessionEffect::MadeType));
        // What a dropped operator or routine stood in front of is what its name means now.
        self.user_code |= !self.has_extension()
            && [CreateCode, DropCode, Do, StatementKind::Call, StatementKind::Other]
                .into_iter()
                .any(|kind| self.has(kind));
    }
}
