//! The ramp of FunctionCall: a function called by its number, without SQL. Clients use it for large
//! objects; which function it is can be anything, so it needs admin.

use std::{rc::Rc, sync::Arc};

use super::{
    conversation::{Conversation, Held, Pass},
    refused::Asked,
    wall::Need as WallNeed,
};
use crate::{
    kernel::{audit::record::IntentKind, policy::Decision, sql::analysis::Batch},
    session::gate,
    wire::pg::frontend::FunctionCall,
};

impl Conversation {
    /// A FunctionCall: judged, recorded and answered like a Query of one statement. Unlike one, it
    /// leaves the unnamed statement as it is, allowed or refused.
    pub(super) fn function_call(&mut self, call: FunctionCall) -> Pass {
        let unnamed = self.names.statement("").map(Rc::clone);
        let pass = self.call_judged(call);
        if let Some(unnamed) = unnamed {
            drop(self.names.prepare("", unnamed));
        }
        pass
    }

    fn call_judged(&mut self, call: FunctionCall) -> Pass {
        if self.pipeline.discarding || self.exchange.is_skipping() {
            // Spec: after an error in the extended protocol the server skips everything until Sync.
            return Pass::Drop;
        }
        let known = LARGE_OBJECTS.iter().find(|(oid, _)| *oid == call.oid).map(|(_, name)| *name);
        let text = match known {
            Some(name) => format!("fast-path call of {name} with {} arguments", call.arguments),
            None => {
                format!("fast-path call of function {} with {} arguments", call.oid, call.arguments)
            }
        };
        let analysis = gate::called_by_number(&text, known.is_none(), self.has_masks());
        let asked =
            Asked { analysis: Some(&analysis), ..Asked::text(IntentKind::Query, text.as_str()) };
        if !self.exchange.is_empty() {
            // A capped result, a name or a setting under way: nothing overtakes them.
            self.held = Held::UntilAnswered;
            return Pass::Hold;
        }
        if let Some(why) = self.transaction.rolled_back.clone() {
            return self.refused(asked, why);
        }
        let permit = match self.judge(std::iter::once(&analysis)) {
            Decision::Permit(permit) => permit,
            Decision::Denial(denial) => return self.denied(asked, &denial, None),
        };
        match self.wall_for(&permit, false) {
            WallNeed::None => {}
            WallNeed::Wait => return Pass::Hold,
            WallNeed::Refuse(refusal) => return self.refused(asked, refusal),
        }
        let batch = Batch { statements: vec![Arc::new(analysis)], fingerprint: "".into() };
        self.send_query(&text, Arc::new(batch), &permit)
    }
}

/// The functions of large objects, whose numbers have never changed: they touch no name or setting.
const LARGE_OBJECTS: [(u32, &str); 20] = [
    (715, "lo_create"),
    (764, "lo_import"),
    (765, "lo_export"),
    (767, "lo_import"),
    (952, "lo_open"),
    (953, "lo_close"),
    (954, "loread"),
    (955, "lowrite"),
    (956, "lo_lseek"),
    (957, "lo_creat"),
    (958, "lo_tell"),
    (964, "lo_unlink"),
    (1004, "lo_truncate"),
    (3170, "lo_lseek64"),
    (3171, "lo_tell64"),
    (3172, "lo_truncate64"),
    (3457, "lo_from_bytea"),
    (3458, "lo_get"),
    (3459, "lo_get"),
    (3460, "lo_put"),
];
