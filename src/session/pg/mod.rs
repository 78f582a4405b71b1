//! A Postgres session after its log-in: the serving loop.
//!
//! One task moves both directions. Each turn takes what others have told the session, looks at what
//! the client sent, at what the upstream sent, writes, reads, and sleeps until one of the sockets, a
//! signal, a piece of work or the clock wakes it.

mod alarm;
mod cancel;
mod changes;
mod conversation;
mod copy;
mod cut;
mod extended;
mod farewell;
mod fast_path;
mod hide;
mod levels;
mod live;
mod local;
mod login;
mod mask;
mod mask_copy;
mod mask_rows;
mod meaning;
mod owed;
mod quotes;
mod records;
mod refused;
mod replace;
mod replies;
pub mod settings;
mod simple;
pub mod startup;
pub mod stead;
mod unsent;
mod wall;
mod work;

use std::{
    future::{Future as _, poll_fn},
    io,
    panic::{self, AssertUnwindSafe},
    task::{Context, Poll},
    time::Duration,
};

use cancel::{Aim, UpstreamKey};
use conversation::{Conversation, End, Held, Pass, Reply};
use replace::{Ending, Replacement};
use stead::Sent;
use tokio::{sync::oneshot, task::JoinHandle};
use work::{Synced, Work};

use super::{
    alarm::Alarm,
    room::Place,
    signal::{Doing, Wake},
    waiting::Waiting,
};
use crate::{
    kernel::{
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
    net::{faults, link::Link, stream::Stream},
    trail::Passage,
    upstream::{self, door::Door},
    wire::pg::{backend, frame, frontend},
};

pub use login::accept;

/// How long a question of the gateway's own to an upstream may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes waiting for a side that make us stop reading the other.
const HIGH_WATER: usize = 64 * 1024;
/// Unread bytes of a client that is held, beyond which nothing more is read.
const HELD_MAX: usize = 64 * 1024;
/// The longest message of a client that is taken in without asking for room.
const UNASKED_MAX: usize = 1 << 20;
/// Replies that may be owed. Nobody looks at more messages before some have come: what is remembered
/// with each would grow without end, and so would the search through them. More than a server holds
/// back in its own buffer (8 KiB of replies of 5 bytes), so that it always goes on.
const OWED_MAX: usize = 4096;
/// How long a session may look at messages before the others of its thread have a turn.
const TURN_MAX: Duration = Duration::from_millis(1);
/// After how many replies of the upstream it is asked whether that time is over.
const REPLIES_A_LOOK: usize = 32;
/// The longest message of the upstream that must be in memory as a whole (an error, a description).
const WHOLE_MAX: usize = 64 << 20;
/// A longer text of an error or a notice goes out cut: the server has quoted a value that is as long.
const TEXT_MAX: usize = 1 << 20;
/// So much of it.
const TEXT_KEPT: usize = 64 << 10;

/// Why the loop ended.
#[derive(Debug, thiserror::Error)]
enum Over {
    #[error(transparent)]
    End(#[from] End),
    #[error("client: {0}")]
    Client(io::Error),
    #[error("the client closed the connection")]
    ClientClosed,
    #[error("upstream: {0}")]
    Upstream(io::Error),
    #[error("the upstream closed the connection")]
    UpstreamClosed,
    #[error("a mistake in the gateway ended the session")]
    Panicked,
}

/// How the rest of a frame that isn't whole in the buffer goes on.
#[derive(Clone, Copy, Debug)]
struct Rest {
    left: usize,
    forward: bool,
}

/// Which side has said in this turn that nothing is there: it will wake us, and isn't asked again.
#[derive(Clone, Copy, Debug, Default)]
struct Asleep {
    client: bool,
    upstream: bool,
    /// The trail: a statement's record isn't written yet.
    trail: bool,
}

/// One session's sockets and state.
struct Relay {
    talk: Conversation,
    client: Stream,
    upstream: Stream,
    door: Door,
    to_client: Link,
    from_client: Option<Rest>,
    from_upstream: Option<Rest>,
    /// Bytes that the next frame of each side needs to be whole.
    client_needs: usize,
    upstream_needs: usize,
    /// The room for a long message of the client.
    place: Option<Place>,
    asleep: Asleep,
    /// Its time on the thread is up: the others first.
    yields: bool,
    work: Option<Work>,
    unsynced: Option<(Synced, usize)>,
    cancelling: Option<JoinHandle<()>>,
    /// Dropped when what a cancel was for has ended, so that it isn't said again.
    cancel_again: Option<oneshot::Sender<()>>,
    /// The client's wish to cancel, until it is known what it hits.
    cancel_for: Aim,
    cancel_key: UpstreamKey,
    /// What was last told of what it has sent.
    word: Sent,
    /// What the upstream's session began with, for another that takes its place.
    parameters: Box<[(String, String)]>,
    ending: Ending,
    replacement: Option<Replacement>,
    alarm: Alarm,
    last_heard: Timestamp,
    draining: bool,
    /// The upstream's own last error has gone to the client.
    said_goodbye: bool,
}

impl Relay {
    fn new(
        talk: Conversation,
        (client, upstream): (Stream, Stream),
        (door, to_client): (Door, Link),
        (cancel_key, parameters): (UpstreamKey, Box<[(String, String)]>),
    ) -> Self {
        let last_heard = talk.now;
        Self {
            talk,
            client,
            upstream,
            door,
            to_client,
            from_client: None,
            from_upstream: None,
            client_needs: 0,
            upstream_needs: 0,
            place: None,
            asleep: Asleep::default(),
            yields: false,
            work: None,
            unsynced: None,
            cancelling: None,
            cancel_again: None,
            cancel_for: Aim::Nothing,
            cancel_key,
            word: Sent::default(),
            parameters,
            ending: Ending::No,
            replacement: None,
            alarm: Alarm::default(),
            last_heard,
            draining: false,
            said_goodbye: false,
        }
    }

    /// Serves until either side ends, or somebody ends the session.
    async fn serve(&mut self) -> Over {
        poll_fn(|cx| {
            // A panic costs this session, not those beside it: what it holds is given up in order.
            let turn = panic::catch_unwind(AssertUnwindSafe(|| self.turn(cx)));
            turn.unwrap_or(Poll::Ready(Over::Panicked))
        })
        .await
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<Over> {
        match self.try_turn(cx) {
            Ok(()) => Poll::Pending,
            Err(over) => Poll::Ready(over),
        }
    }

    fn try_turn(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        self.talk.now = self.talk.now.max(self.talk.core.services.clock.now());
        self.take_signals(cx)?;
        self.asleep = Asleep::default();
        self.move_log_in(cx);
        if self.talk.held == Held::No && !self.waits_for_others() {
            // What woke us is nearly always bytes: taking them first saves a round of the loop.
            self.fill(cx)?;
        }
        loop {
            let had_enough = self.has_enough_to_do();
            let mut progress = self.poll_work(cx);
            let cancels = self.cancelling.is_some();
            progress |= self.poll_replacement(cx)?;
            progress |= self.pump_client()?;
            progress |= self.pump_upstream()?;
            let held = self.talk.held != Held::No;
            self.housekeep();
            // The catalog may be there by now: nothing else wakes the session for the frame that waited.
            progress |= held && self.talk.held == Held::No;
            if let Some(refusal) = self.talk.fatal.take() {
                return Err(End::Refused(refusal).into());
            }
            progress |= self.flush(cx)?;
            progress |= self.aim_cancel();
            // One that has just begun is looked at before this turn ends: where the answer is here already,
            // nothing else wakes the session when it is done.
            progress |= !cancels && self.cancelling.is_some();
            progress |= had_enough && !self.has_enough_to_do();
            progress |= self.fill(cx)?;
            progress |= self.move_log_in(cx);
            // A text for the pool must be on its way before this turn ends.
            progress |= self.talk.to_read.is_some() && self.work.is_none();
            if !progress {
                break;
            }
            if std::mem::take(&mut self.yields) {
                after_the_others(cx);
                break;
            }
        }
        if self.draining && self.talk.is_quiet() && !self.talk.in_transaction() {
            return Err(End::Refused(stopping()).into());
        }
        let doing = match (self.talk.is_quiet(), self.talk.in_transaction()) {
            (false, _) => Doing::Active,
            (true, false) => Doing::Idle,
            (true, true) => Doing::IdleInTransaction,
        };
        self.talk.facts.handle.activity.is(doing);
        self.on_time(cx)
    }

    /// True while something but the two sockets must move on first.
    fn waits_for_others(&self) -> bool {
        self.work.is_some()
            || self.cancelling.is_some()
            || self.unsynced.is_some()
            || self.is_between_upstreams()
    }

    fn take_signals(&mut self, cx: &Context<'_>) -> Result<(), Over> {
        let flags = self.talk.facts.handle.signal.take(cx);
        if flags.is_empty() {
            return Ok(());
        }
        if flags.has(Wake::Access) {
            // The clock may have been set: what is due is due at another moment.
            self.alarm.forget();
            self.talk.refresh_rights();
            self.take_back_what_ended();
        }
        if flags.has(Wake::Masks) {
            self.talk.end_unmasked();
        }
        self.take_over();
        if flags.has(Wake::Cancel) && self.cancel_for == Aim::Nothing {
            self.cancel_for = Aim::Any;
        }
        if flags.has(Wake::Kill) {
            let why = Refusal::new(RefusalKind::ShuttingDown, "session ended by an operator");
            return Err(End::Refused(why).into());
        }
        if flags.has(Wake::Stop) {
            return Err(End::Refused(stopping()).into());
        }
        self.draining |= flags.has(Wake::Drain);
        Ok(())
    }

    /// What follows from this turn: cancels, own messages, answers, names.
    fn housekeep(&mut self) {
        self.talk.release();
        self.pass_on_cancels();
        if self.talk.application_stale && self.talk.is_quiet() {
            self.talk.name_application();
        }
        if self.place.is_some()
            && self.client_needs == 0
            && self.door.unread().len() + self.door.waiting() <= UNASKED_MAX
        {
            self.place = None;
        }
        self.send_controls();
        if !self.talk.down.is_empty() {
            self.to_client.inject().append(&mut self.talk.down);
        }
        if self.from_upstream.is_none() && !self.talk.notices.is_empty() {
            self.to_client.inject().append(&mut self.talk.notices);
        }
    }

    /// The gateway's own messages, between two of the client.
    fn send_controls(&mut self) {
        if self.from_client.is_none() && std::mem::take(&mut self.talk.fail_copy) {
            self.door.send_control(&upstream::door::Control::CopyFail);
        }
        if self.talk.controls.is_empty() {
            return;
        }
        if matches!(self.from_client, Some(Rest { forward: true, .. })) {
            // Inside a frame ours would be read as its data, and as many of its last bytes as
            // messages that nobody has judged. No client leaves copy data half sent behind the end
            // of its copy.
            let text = "a message was left half sent when the transaction had to end";
            self.talk.controls.clear();
            self.talk.fatal = Some(Refusal::new(RefusalKind::ProtocolViolation, text));
            return;
        }
        while let Some(control) = self.talk.controls.pop_front() {
            self.door.send_control(&control);
        }
    }

    /// Looks at what the client sent, as far as it may be looked at now.
    fn pump_client(&mut self) -> Result<bool, Over> {
        if self.talk.exchange.strays() > OWED_MAX {
            let text = "too many Sync messages among copy data";
            return Err(End::Refused(Refusal::new(RefusalKind::ProtocolViolation, text)).into());
        }
        let mut progress = false;
        loop {
            self.talk.release();
            if let Some(rest) = &mut self.from_client {
                let here = self.door.unread().len().min(rest.left);
                if here == 0 {
                    return Ok(progress);
                }
                if rest.forward {
                    self.talk.exchange.some_sent();
                    self.door.relay(upstream::door::Relayed::Copy, here);
                } else {
                    self.door.discard(here);
                }
                rest.left -= here;
                if rest.left == 0 {
                    self.from_client = None;
                }
                progress = true;
                continue;
            }
            if self.talk.held != Held::No
                || self.cancelling.is_some()
                || self.unsynced.is_some()
                || self.talk.fatal.is_some()
                || self.is_between_upstreams()
                || self.talk.log_in_moves().is_some()
                || self.yields
                || self.has_enough_to_do()
            {
                return Ok(progress);
            }
            if !self.one_from_client()? {
                return Ok(progress);
            }
            progress = true;
            self.yields = self.talk.is_turn_over() && !self.door.unread().is_empty();
        }
    }

    /// True while the client must read what it has been told, or the upstream answer what it was
    /// asked, before more of the client's messages are looked at. A server waits in the same way.
    fn has_enough_to_do(&self) -> bool {
        self.to_client.waiting() >= HIGH_WATER || self.talk.exchange.len() >= OWED_MAX
    }

    /// One frame of the client. False if there is none, or it must wait.
    fn one_from_client(&mut self) -> Result<bool, Over> {
        let Self { talk, door, .. } = self;
        let limits = talk.frame_limits;
        let unread = door.unread();
        let header = frame::from_client(unread, &limits).map_err(broken)?;
        let Some(header) = header else {
            self.client_needs = 0;
            return Ok(false);
        };
        if header.tag == frontend::COPY_DATA {
            let forward = matches!(talk.copy(false), Pass::Relay(_));
            self.from_client = Some(Rest { left: header.length, forward });
            return Ok(true);
        }
        let Some(frame) = unread.get(..header.length) else {
            self.client_needs = header.length;
            return Ok(false);
        };
        let rest = unread.get(header.length..).unwrap_or_default();
        self.client_needs = 0;
        faults::panic_at("relay", frame);
        let pass = talk.client_message(frame, rest)?;
        while let Some(control) = talk.controls.pop_front() {
            door.send_control(&control);
        }
        self.last_heard = talk.now;
        if !matches!(pass, Pass::Hold) {
            talk.waiting = Waiting::default();
        }
        match pass {
            Pass::Statement(clearance) if clearance.is_durable() => {
                door.send_statement(&clearance, header.length);
            }
            Pass::Statement(mut clearance) => {
                let synced: Synced = Box::pin(async move {
                    let result = clearance.synced().await;
                    (clearance, result)
                });
                self.unsynced = Some((synced, header.length));
            }
            Pass::Relay(what) => door.relay(what, header.length),
            Pass::Drop => door.discard(header.length),
            Pass::Hold => {
                if talk.waits_for_batch() {
                    door.send_control(&upstream::door::Control::Flush);
                }
                return Ok(false);
            }
        }
        if self.unsynced.is_none() {
            self.send_after();
        }
        Ok(true)
    }

    /// What must leave right behind the client's frame.
    fn send_after(&mut self) {
        while let Some(control) = self.talk.after.pop_front() {
            self.door.send_control(&control);
        }
        if self.talk.waits_for_batch() {
            self.door.send_control(&upstream::door::Control::Flush);
        }
    }

    /// Looks at what the upstream sent, until the turn is over or a little longer: what the client's
    /// messages left of it may be nothing.
    fn pump_upstream(&mut self) -> Result<bool, Over> {
        let yields = std::mem::take(&mut self.yields);
        let progress = self.all_from_upstream();
        self.yields |= yields;
        progress
    }

    fn all_from_upstream(&mut self) -> Result<bool, Over> {
        let mut progress = false;
        loop {
            if let Some(rest) = &mut self.from_upstream {
                let here = self.to_client.unread().len().min(rest.left);
                if here == 0 {
                    return Ok(progress);
                }
                if rest.forward {
                    self.to_client.approve(here);
                } else {
                    self.to_client.discard(here);
                }
                rest.left -= here;
                if rest.left == 0 {
                    self.from_upstream = None;
                }
                progress = true;
                continue;
            }
            if self.talk.exchange.is_local_next() {
                if self.work.is_none() {
                    self.begin_work();
                }
                self.say();
                // An answer that must wait for the store stops what follows it.
                if self.talk.local_runs || self.talk.exchange.is_local_next() {
                    return Ok(progress);
                }
                progress = true;
                continue;
            }
            if self.talk.local_runs
                || self.replacement.is_some()
                || self.must_be_read()
                || !(self.masked_rows()? || self.one_run_from_upstream()?)
            {
                return Ok(progress);
            }
            progress = true;
            if self.yields {
                return Ok(progress);
            }
        }
    }

    /// What the conversation has to say to the client, in its place.
    fn say(&mut self) {
        if !self.talk.down.is_empty() {
            self.to_client.inject().append(&mut self.talk.down);
        }
    }

    /// As many whole frames as pass untouched, and the one that ends the run. False if nothing more
    /// can be done with what is here.
    fn one_run_from_upstream(&mut self) -> Result<bool, Over> {
        let Self { talk, to_client, upstream_needs, .. } = self;
        let (mut run, mut replies) = (0, 0);
        *upstream_needs = 0;
        // What is to be done with the frame behind the run: its length, and whether it goes out.
        let (mut last, mut long) = (None, None);
        let unread = to_client.unread();
        let available = unread.len();
        while let Some(header) = frame::from_upstream(unread.get(run..).unwrap_or_default())
            .map_err(|e| Over::End(End::Upstream(e)))?
        {
            let here = available - run;
            let is_text = matches!(header.tag, backend::ERROR_RESPONSE | backend::NOTICE_RESPONSE);
            if is_text && header.length > TEXT_MAX {
                if here < TEXT_KEPT {
                    *upstream_needs = TEXT_KEPT;
                    break;
                }
                let mut short = Vec::new();
                backend::cut_short(
                    &mut short,
                    unread.get(run..run + TEXT_KEPT).unwrap_or_default(),
                    talk.client_text,
                );
                if talk.reply(header.tag, &short)? == Reply::Forward {
                    talk.down.extend_from_slice(&short);
                }
                last = Some((header.length, false));
                break;
            }
            let is_row = matches!(header.tag, backend::DATA_ROW | backend::COPY_DATA);
            let wanted = is_row && talk.wants_row(header.tag)?;
            if here < header.length && (!is_row || wanted) {
                let is_long = header.tag == backend::DATA_ROW && header.length > HIGH_WATER;
                if is_long && talk.is_masking() {
                    long = Some(header);
                    break;
                }
                if header.length > WHOLE_MAX {
                    let error = io::Error::other("a message too long to be looked at");
                    return Err(Over::Upstream(error));
                }
                *upstream_needs = header.length;
                break;
            }
            let frame = unread.get(run..run + header.length.min(here)).unwrap_or_default();
            let reply = if is_row {
                if wanted {
                    talk.own_row(frame)?;
                }
                talk.row(header, frame)?
            } else if header.tag == backend::ERROR_RESPONSE && is_fatal(frame) {
                match &mut self.ending {
                    // We asked for it.
                    Ending::Told { confirmed, .. } => {
                        *confirmed = true;
                        Reply::Swallow
                    }
                    Ending::No => {
                        // Whatever was owed: what ends the session is told.
                        self.said_goodbye = true;
                        match talk.reply(header.tag, frame)? {
                            Reply::Swallow if talk.down.is_empty() => Reply::Forward,
                            reply => reply,
                        }
                    }
                }
            } else {
                talk.reply(header.tag, frame)?
            };
            let plain = talk.down.is_empty() && talk.controls.is_empty();
            if reply == Reply::Forward && plain && here >= header.length {
                run += header.length;
                replies += usize::from(!is_row);
                self.yields = replies >= REPLIES_A_LOOK && talk.is_turn_over();
                if talk.exchange.is_local_next() || self.yields {
                    break;
                }
                replies %= REPLIES_A_LOOK;
                continue;
            }
            last = Some((header.length, reply == Reply::Forward));
            break;
        }
        to_client.approve(run);
        if let Some(header) = long {
            return Ok(self.head_of_masked_row(header)? || run > 0);
        }
        let Some((length, forward)) = last else { return Ok(run > 0) };
        self.say();
        self.from_upstream = Some(Rest { left: length, forward });
        Ok(true)
    }

    /// Writes to both sides. True if something is to be looked at again.
    fn flush(&mut self, cx: &mut Context<'_>) -> Result<bool, Over> {
        let refused = self.door.is_owed() && self.replacement.is_none() && self.flush_door(cx)?;
        let stays = self.unsynced.is_some() || !self.talk.controls.is_empty();
        if self.door.waiting() == 0 && !stays {
            self.talk.all_sent();
        }
        self.leave_word();
        if self.to_client.is_owed()
            && let Poll::Ready(Err(error)) = self.to_client.poll_flush(cx, &mut self.client)
        {
            return Err(Over::Client(error));
        }
        Ok(refused)
    }

    /// Sends what may leave. True if a statement was refused instead, and its answer must go out.
    fn flush_door(&mut self, cx: &mut Context<'_>) -> Result<bool, Over> {
        match self.door.passage() {
            Passage::Open => {}
            Passage::Waits => {
                if !std::mem::replace(&mut self.asleep.trail, true) {
                    self.talk.core.wake_when_written(cx.waker());
                }
                return Ok(false);
            }
            Passage::Closed => {
                self.refuse_unsent(None)?;
                return Ok(true);
            }
        }
        if let Poll::Ready(Err(error)) = self.door.poll_flush(cx, &mut self.upstream) {
            // What the upstream said before it went away is told first.
            if self.to_client.unread().is_empty() {
                self.upstream_gone(Over::Upstream(error))?;
            }
        }
        if self.door.waiting() > 0 {
            self.talk.exchange.some_sent();
        }
        Ok(false)
    }

    /// True if what the upstream says now goes nowhere, so that a client who doesn't read must not
    /// hold it up: a server that can't write sees no cancel. What is left of a row that has begun to
    /// go out waits in memory, if it is small.
    fn drains(&self) -> bool {
        let small = |rest: Rest| !rest.forward || rest.left <= HIGH_WATER;
        self.from_upstream.is_none_or(small) && self.talk.is_cut_running()
    }

    /// True if there is memory for the client's next message. If not, whoever gives some back wakes us.
    fn has_place(&mut self, cx: &Context<'_>) -> bool {
        if self.client_needs > UNASKED_MAX && self.place.is_none() {
            let services = &self.talk.core.services;
            let most = services.world.load().limits.room_bytes;
            let principal = &self.talk.facts.handle.principal;
            self.place = services.room.take(principal, self.client_needs, (most, cx.waker()));
            self.asleep.client = self.place.is_none();
        }
        !self.asleep.client
    }

    fn fill(&mut self, cx: &mut Context<'_>) -> Result<bool, Over> {
        let mut progress = false;
        let unread = self.door.unread().len();
        let room = unread < self.client_needs.max(1) || unread < HELD_MAX;
        if !self.asleep.client && self.door.waiting() < HIGH_WATER && room && self.has_place(cx) {
            match self.door.poll_fill(cx, &mut self.client, self.client_needs) {
                Poll::Ready(Ok(0)) => return Err(Over::ClientClosed),
                Poll::Ready(Ok(_)) => progress = true,
                Poll::Ready(Err(error)) => return Err(Over::Client(error)),
                Poll::Pending => self.asleep.client = true,
            }
        }
        // While an answer of our own is being made, the upstream waits: order is everything.
        let unread = self.to_client.unread().len();
        // With less than a header nothing can be decided.
        let room = unread < self.upstream_needs.max(frame::HEADER_LENGTH);
        let takes = self.to_client.waiting() < HIGH_WATER || self.drains();
        if !self.asleep.upstream && takes && room && self.replacement.is_none() {
            match self.to_client.poll_fill(cx, &mut self.upstream, self.upstream_needs) {
                Poll::Ready(Ok(0)) => {
                    self.upstream_gone(Over::UpstreamClosed)?;
                    progress = true;
                }
                Poll::Ready(Ok(_)) => progress = true,
                Poll::Ready(Err(error)) => {
                    self.upstream_gone(Over::Upstream(error))?;
                    progress = true;
                }
                Poll::Pending => self.asleep.upstream = true,
            }
        }
        Ok(progress)
    }
}

/// Wakes whoever asks when this thread has looked at its sockets: one that woke itself would have its
/// next sixty turns before that, and whoever's bytes come meanwhile would wait for all of them.
fn after_the_others(cx: &mut Context<'_>) {
    // Polled once it has left our waker where the runtime finds it; it has nothing more to do.
    let yielding = std::pin::pin!(tokio::task::yield_now());
    if yielding.poll(cx).is_ready() {
        cx.waker().wake_by_ref();
    }
}

fn is_fatal(frame: &[u8]) -> bool {
    backend::ErrorFields::new(frame::body(frame)).is_ok_and(|fields| fields.is_fatal())
}

fn broken(error: crate::wire::WireError) -> Over {
    Over::End(End::Refused(error.refusal()))
}

fn stopping() -> Refusal {
    Refusal::new(RefusalKind::ShuttingDown, "the gateway is stopping")
        .with_hint("Connect again in a moment.")
}
