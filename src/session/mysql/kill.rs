//! KILL: of one's own sessions by the numbers that their clients know, and of what the gateway ends.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::{
    query::Came,
    talk::{Pass, Talk},
};
use crate::{
    kernel::{
        audit::record::{Ended, IntentKind},
        policy::Decision,
        refusal::{Refusal, RefusalKind},
    },
    session::{services::Target, signal::Wake},
    upstream::mysql::{ConnectOptions, Control},
    wire::mysql::reply::{self, OkPacket},
};

/// How long passing on a cancel may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// A statement that is KILL: whom, and whether its session ends with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Killing {
    pub(super) connection: u64,
    pub(super) session: bool,
}

impl Talk {
    /// COM_PROCESS_KILL is KILL.
    pub(super) fn kill_command(&mut self, connection: u32, next: u8) -> Pass {
        let text = format!("KILL {connection}");
        let killing = Killing { connection: u64::from(connection), session: true };
        let came = Came { kind: IntentKind::Query, next };
        match self.kill_own(&text, (killing, came)) {
            Some(pass) => pass,
            None => {
                let why = Refusal::new(
                    RefusalKind::StatementDenied,
                    format!("{connection} is no session of yours here"),
                )
                .with_hint("With sql.admin: KILL and the server's own number, as a statement.");
                self.refused((&text, None), came, &why)
            }
        }
    }

    /// KILL of a session of one's own. `None`: it is something else, to be judged as any other statement.
    pub(super) fn kill_statement(&mut self, text: &str, came: Came) -> Option<Pass> {
        let killing = read(text)?;
        self.kill_own(text, (killing, came))
    }

    fn kill_own(&mut self, text: &str, (killing, came): (Killing, Came)) -> Option<Pass> {
        let number = u32::try_from(killing.connection).ok()?;
        let registry = &self.core.services.registry;
        let other = registry.by_process(i32::from_ne_bytes(number.to_ne_bytes()))?;
        if other.principal != self.handle.principal || other.target != self.handle.target {
            return None;
        }
        // Being connected is enough: nothing is asked of the rights.
        let Decision::Permit(permit) = self.judge(std::iter::empty()) else { return None };
        let recorded = self.scribe().local(&permit, text, ("", None), &[]);
        let statement = match recorded {
            Ok(statement) => statement,
            Err(refusal) => return Some(self.tell_no(came.next, &refusal)),
        };
        other.signal.raise(if killing.session { Wake::Kill } else { Wake::Cancel });
        let own = other.id == self.handle.id;
        let ended = if own { Ended::Cancelled } else { Ended::Completed };
        self.scribe().close_alone(statement, ended, None);
        if own {
            let text = "Query execution was interrupted";
            return Some(
                self.tell_no(came.next, &Refusal::new(RefusalKind::StatementCancelled, text)),
            );
        }
        let ok = OkPacket { status: self.status, ..OkPacket::default() };
        ok.write(&mut self.down, (came.next, reply::OK), self.client);
        Some(Pass::Drop)
    }
}

/// `KILL [HARD | SOFT] [CONNECTION | QUERY] n`.
fn read(text: &str) -> Option<Killing> {
    let text = text.trim_ascii_end();
    let mut words = text.strip_suffix(';').unwrap_or(text).split_ascii_whitespace();
    if !words.next()?.eq_ignore_ascii_case("kill") {
        return None;
    }
    let mut word = words.next()?;
    if ["hard", "soft"].iter().any(|w| word.eq_ignore_ascii_case(w)) {
        word = words.next()?;
    }
    let query = word.eq_ignore_ascii_case("query");
    if query || word.eq_ignore_ascii_case("connection") {
        word = words.next()?;
    }
    let connection = word.parse().ok()?;
    words.next().is_none().then_some(Killing { connection, session: !query })
}

/// Cancels what runs on an upstream's connection, or ends that.
pub(super) fn kill(
    control: &tokio::runtime::Handle,
    target: &Arc<Target>,
    options: &ConnectOptions,
    (connection, session): (u32, bool),
) -> JoinHandle<()> {
    let (target, options) = (Arc::clone(target), options.clone());
    control.spawn(async move {
        let kill = async {
            let mut control = Control::connect(&options, PATIENCE).await?;
            let what = if session { "CONNECTION" } else { "QUERY" };
            control.query(&format!("KILL {what} {connection}")).await
        };
        match tokio::time::timeout(PATIENCE, kill).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(target = %target.name, error = %error, "a cancel was not passed on");
            }
            Err(_) => tracing::warn!(target = %target.name, "a cancel took too long"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_number_is_translated() {
        let query = |connection| Some(Killing { connection, session: false });
        assert_eq!(read("KILL QUERY 12"), query(12));
        assert_eq!(read("kill  hard query 12"), query(12));
        assert_eq!(read("KILL 7"), Some(Killing { connection: 7, session: true }));
        for other in ["KILL QUERY ID 12", "KILL 1+1", "KILL USER a", "SELECT 1", "KILL", "KILL 1 2"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
