//! A session of MySQL or MariaDB after its log-in: the serving loop.
//!
//! A command is answered before the next one is looked at: what a client has sent ahead waits in the buffer.
//! Each turn takes what others have told the session, looks at what the upstream sent, at what the client
//! sent, writes, reads, and sleeps until one of the sockets, a signal, a piece of work or the clock wakes it.

mod answer;
mod columns;
mod commands;
mod held;
mod hide;
mod kill;
mod live;
mod local;
mod login;
mod named;
mod notes;
mod prepared;
mod query;
mod replies;
mod rows;
mod talk;
mod work;

use std::{
    future::{Future as _, poll_fn},
    io,
    panic::{self, AssertUnwindSafe},
    task::{Context, Poll},
    time::Duration,
};

use tokio::task::JoinHandle;

use replies::Onward;
use rows::RowIs;
use talk::{End, Pass, Talk};
use work::{Synced, Work};

use super::{
    alarm::{Alarm, Idle},
    room::Place,
    signal::{Doing, Wake},
    waiting::Waiting,
};
use crate::{
    kernel::{
        audit::record::Ended,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
    net::{faults, link::Link, stream::Stream},
    trail::Passage,
    upstream::{
        door::Door,
        mysql::{
            ConnectOptions,
            own::{Relayed, Said, Word},
        },
    },
    wire::mysql::{
        command::Command,
        login::LogIn,
        packet::{self, Extent, HEADER_LENGTH, Header, PART_MAX},
        reply,
    },
};

pub use login::accept;

/// Bytes waiting for a side that make us stop reading the other.
const HIGH_WATER: usize = 64 * 1024;
/// Unread bytes of a client that is held, beyond which nothing more is read.
const HELD_MAX: usize = 64 * 1024;
/// The longest command of a client that is taken in without asking for room.
const UNASKED_MAX: usize = 1 << 20;
/// How long a session may look at packets before the others of its thread have a turn.
const TURN_MAX: Duration = Duration::from_millis(1);
/// After how many packets of the upstream it is asked whether that time is over.
const PACKETS_A_LOOK: usize = 32;
/// After how long a session is ended whose statement doesn't react to a cancel.
const GIVE_UP_AFTER: Duration = Duration::from_secs(5);
/// The longest packet of the upstream that isn't a row, in bytes.
const WHOLE_MAX: usize = 1 << 20;

/// Why the loop ended.
#[derive(Debug, thiserror::Error)]
enum Over {
    #[error(transparent)]
    End(#[from] End),
    #[error("client: {0}")]
    Client(io::Error),
    #[error("the client closed the connection")]
    ClientClosed,
    #[error("the client changed its user")]
    ChangesUser {
        /// Whose log-in it sent.
        log_in: Box<LogIn>,
        /// The sequence number of the answer.
        next: u8,
    },
    #[error("upstream: {0}")]
    Upstream(io::Error),
    #[error("the upstream closed the connection")]
    UpstreamClosed,
    #[error("a mistake in the gateway ended the session")]
    Panicked,
}

/// How the rest of a packet that isn't whole in the buffer goes on.
#[derive(Clone, Copy, Debug)]
struct Rest {
    left: usize,
    forward: bool,
}

/// A client that goes on as somebody else.
struct Changing {
    stream: Stream,
    /// What it has sent behind its command.
    read: Vec<u8>,
    log_in: Box<LogIn>,
    next: u8,
}

/// Which side has said in this turn that nothing is there.
#[derive(Clone, Copy, Debug, Default)]
struct Asleep {
    client: bool,
    upstream: bool,
    trail: bool,
}

/// One session's sockets and state.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one session, not a state")]
struct Relay {
    talk: Talk,
    client: Stream,
    upstream: Stream,
    door: Door,
    to_client: Link,
    from_upstream: Option<Rest>,
    /// The rest of a packet of a file that the client sends.
    from_client: Option<usize>,
    client_needs: usize,
    upstream_needs: usize,
    place: Option<Place>,
    asleep: Asleep,
    yields: bool,
    work: Option<Work>,
    unsynced: Option<(Synced, usize)>,
    killing: Option<JoinHandle<()>>,
    options: ConnectOptions,
    alarm: Alarm,
    last_heard: Timestamp,
    draining: bool,
    said_goodbye: bool,
    /// The row goes out that the next packet may belong to.
    row_goes: bool,
}

impl Relay {
    fn new(
        talk: Talk,
        (client, upstream): (Stream, Stream),
        (door, to_client): (Door, Link),
        options: ConnectOptions,
    ) -> Self {
        let last_heard = talk.now;
        Self {
            talk,
            client,
            upstream,
            door,
            to_client,
            from_upstream: None,
            from_client: None,
            client_needs: 0,
            upstream_needs: 0,
            place: None,
            asleep: Asleep::default(),
            yields: false,
            work: None,
            unsynced: None,
            killing: None,
            options,
            alarm: Alarm::default(),
            last_heard,
            draining: false,
            said_goodbye: false,
            row_goes: false,
        }
    }

    /// Serves, then says what is left to be said, closes what is open on the trail, and sees to it that
    /// nothing of the session runs on. Gives the reason for the session's record, and the connection if its
    /// client goes on in it.
    async fn run(mut self: Box<Self>) -> (String, Option<Changing>) {
        let over = poll_fn(|cx| {
            // A panic costs this session, not those beside it.
            let turn = panic::catch_unwind(AssertUnwindSafe(|| self.turn(cx)));
            turn.unwrap_or(Poll::Ready(Over::Panicked))
        })
        .await;
        let reason = over.to_string();
        let over = match over {
            Over::ChangesUser { log_in, next } => {
                return self.give_away((log_in, next), reason).await;
            }
            other => other,
        };
        let runs = self.talk.answer.is_some();
        // Fail closed: what ends a session ends what it does, before anything else is waited for.
        let told = (runs && !matches!(over, Over::UpstreamClosed)).then(|| self.kill(true));
        self.say_why(&over).await;
        self.end(told).await;
        (reason, None)
    }

    /// Ends the session, whose connection goes on with another one: nothing is owed, and nothing of it stays.
    async fn give_away(
        mut self: Box<Self>,
        (log_in, next): (Box<LogIn>, u8),
        reason: String,
    ) -> (String, Option<Changing>) {
        // What answers earlier commands comes first.
        let patience = self.talk.core.services.world.load().limits.login_timeout;
        let flushed = poll_fn(|cx| self.to_client.poll_flush(cx, &mut self.client));
        let flushed = tokio::time::timeout(patience, flushed).await;
        self.end(None).await;
        let changing = matches!(flushed, Ok(Ok(()))).then(|| Changing {
            read: self.door.unread().to_vec(),
            stream: self.client,
            log_in,
            next,
        });
        (reason, changing)
    }

    /// Closes what is open on the trail, and says goodbye to the upstream. `told`: it is being told to end
    /// the connection.
    async fn end(&mut self, told: Option<JoinHandle<()>>) {
        self.talk.core.write_intents();
        let unsent = match self.door.passage() {
            Passage::Open => None,
            Passage::Waits | Passage::Closed => self.door.forget_waiting(),
        };
        if let Some(Work::Desk(call, _)) = self.work.take() {
            self.talk.scribe().close_alone(call.statement, Ended::Unknown, None);
        }
        self.talk.abandon(unsent.is_some());
        self.door.send_control(&self.said(Word::Quit));
        let bye = poll_fn(|cx| self.door.poll_flush(cx, &mut self.upstream));
        drop(tokio::time::timeout(Duration::from_secs(1), bye).await);
        if let Some(told) = told {
            drop(told.await);
        }
    }

    fn said(&self, word: Word) -> Said {
        Said::new(word, self.talk.shared)
    }

    async fn say_why(&mut self, over: &Over) {
        let refusal = match over {
            Over::End(End::Refused(refusal)) => refusal.clone(),
            Over::UpstreamClosed | Over::Upstream(_) if self.said_goodbye => return,
            Over::UpstreamClosed | Over::Upstream(_) => Refusal::new(
                RefusalKind::UpstreamUnavailable,
                "the connection to the target is gone",
            ),
            Over::End(End::Upstream(error)) => {
                tracing::error!(session = %self.talk.handle.id, error = %error, "upstream");
                let text = "the target does not speak the protocol as expected";
                Refusal::new(RefusalKind::UpstreamUnavailable, text)
            }
            Over::Panicked => {
                Refusal::new(RefusalKind::Internal, "a mistake in the gateway ended the session")
            }
            Over::End(End::Quit)
            | Over::Client(_)
            | Over::ClientClosed
            | Over::ChangesUser { .. } => return,
        };
        if self.from_upstream.is_none_or(|rest| !rest.forward) {
            // Spec: an error between two commands begins anew; clients take any number then.
            let next = self.talk.answer.as_ref().map_or(0, |answer| answer.response.next());
            reply::refuse(self.to_client.inject(), next, &refusal);
        }
        let flushed = poll_fn(|cx| self.to_client.poll_flush(cx, &mut self.client));
        drop(tokio::time::timeout(Duration::from_secs(2), flushed).await);
    }

    fn kill(&self, session: bool) -> JoinHandle<()> {
        let control = &self.talk.core.services.control;
        let what = (self.talk.connection, session);
        kill::kill(control, &self.talk.target, &self.options, what)
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
        loop {
            let mut progress = self.poll_work(cx);
            let kills = self.killing.is_some();
            progress |= self.pump_upstream()?;
            self.housekeep();
            progress |= self.pump_client()?;
            self.housekeep();
            if let Some(refusal) = self.talk.fatal.take() {
                return Err(End::Refused(refusal).into());
            }
            // What has been held back because the client must read goes on as soon as it has.
            let was_full = self.to_client.waiting() >= HIGH_WATER;
            let refused = self.flush(cx)?;
            progress |= refused;
            progress |= was_full && self.to_client.waiting() < HIGH_WATER;
            progress |= self.fill(cx)?;
            // One that has just begun is looked at before this turn ends: where the answer is here already,
            // nothing else wakes the session when it is done.
            progress |= !kills && self.killing.is_some();
            // A text for the pool, or a call, must be on its way before this turn ends.
            progress |= self.work.is_none() && self.talk.has_work();
            if !progress || !refused && self.has_nothing_to_do() {
                break;
            }
            if std::mem::take(&mut self.yields) {
                let yielding = std::pin::pin!(tokio::task::yield_now());
                if yielding.poll(cx).is_ready() {
                    cx.waker().wake_by_ref();
                }
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
        self.talk.handle.activity.is(doing);
        self.on_time(cx)
    }

    /// True if another look would find nothing: neither side has said anything that isn't dealt with, and
    /// nothing is done elsewhere.
    fn has_nothing_to_do(&self) -> bool {
        self.asleep.client
            && self.asleep.upstream
            && self.door.unread().is_empty()
            && self.to_client.unread().is_empty()
            && self.work.is_none()
            && self.unsynced.is_none()
            && self.killing.is_none()
            && !self.talk.has_work()
    }

    fn take_signals(&mut self, cx: &Context<'_>) -> Result<(), Over> {
        let flags = self.talk.handle.signal.take(cx);
        if flags.is_empty() {
            return Ok(());
        }
        if flags.has(Wake::Access) {
            // The clock may have been set: what is due is due at another moment.
            self.alarm.forget();
            self.talk.refresh_rights();
        }
        if flags.has(Wake::Masks) {
            self.talk.end_unmasked();
        }
        if flags.has(Wake::Cancel) {
            self.talk.cancel();
        }
        if flags.has(Wake::Kill) {
            let why = Refusal::new(
                RefusalKind::ShuttingDown,
                "the session was ended by an operator, or by KILL",
            );
            return Err(End::Refused(why).into());
        }
        if flags.has(Wake::Stop) {
            return Err(End::Refused(stopping()).into());
        }
        self.draining |= flags.has(Wake::Drain);
        Ok(())
    }

    /// What follows from this turn: cancels, own words, answers.
    fn housekeep(&mut self) {
        if std::mem::take(&mut self.talk.kill_wanted)
            && self.killing.is_none()
            && self.talk.answer.is_some()
        {
            self.killing = Some(self.kill(false));
            // Counted from the first one: who cancels again and again waits no longer.
            let later = self.talk.now.plus(GIVE_UP_AFTER);
            self.talk.escalate_at.get_or_insert(later);
        }
        self.talk.roll_back_if_due();
        self.talk.look_at_catalog();
        if let Some(word) = self.talk.word.take() {
            let said = self.said(word);
            self.door.send_control(&said);
        }
        if !self.talk.down.is_empty() && self.from_upstream.is_none_or(|rest| !rest.forward) {
            self.to_client.inject().append(&mut self.talk.down);
        }
        if self.place.is_some() && self.door.unread().len() + self.door.waiting() <= UNASKED_MAX {
            self.place = None;
        }
    }

    /// Looks at what the client sent, as far as it may be looked at now.
    fn pump_client(&mut self) -> Result<bool, Over> {
        let mut progress = false;
        loop {
            let file = self.talk.answer.as_ref().is_some_and(|a| a.response.wants_file());
            let waits = !self.talk.is_quiet() && !file
                || self.talk.waits_for_catalog()
                || self.talk.fatal.is_some()
                || self.killing.is_some()
                || self.unsynced.is_some()
                || self.work.is_some()
                || self.to_client.waiting() >= HIGH_WATER;
            if waits {
                return Ok(progress);
            }
            let took = if file { self.file_from_client()? } else { self.one_from_client()? };
            if !took {
                return Ok(progress);
            }
            progress = true;
            self.housekeep();
        }
    }

    /// One command of the client. False if there is none, or it must wait.
    fn one_from_client(&mut self) -> Result<bool, Over> {
        // A server that has answered reads no more of a file.
        self.from_client = None;
        let unread = self.door.unread();
        let Some(first) = unread.get(HEADER_LENGTH) else {
            // A command without a byte is none.
            if Header::read(unread).is_some_and(|header| header.length == 0) {
                return Err(broken("an empty command"));
            }
            self.client_needs = HEADER_LENGTH + 1;
            return Ok(false);
        };
        let world = self.talk.core.services.world.load();
        let (text, values) = (world.limits.statement_bytes, world.limits.frames.bind);
        let most = Command::length_max(*first, text.max(values), values);
        drop(world);
        let span = match packet::extent(unread, 0, most) {
            Ok(Extent::Here(span)) => span,
            Ok(Extent::Wants(bytes)) => {
                self.client_needs = bytes;
                return Ok(false);
            }
            Err(error) => return Err(End::Refused(error.refusal()).into()),
        };
        let payload = packet::payload(unread.get(..span.length).unwrap_or_default());
        self.client_needs = 0;
        faults::panic_at("relay", &payload);
        let pass = self.talk.command(&payload, span.next);
        drop(payload);
        let pass = pass?;
        self.last_heard = self.talk.now;
        self.talk.holds = matches!(pass, Pass::Hold);
        if !self.talk.holds {
            self.talk.waiting = Waiting::default();
        }
        match pass {
            Pass::Statement(clearance) if clearance.is_durable() => {
                self.door.send_statement(&clearance, span.length);
            }
            Pass::Statement(mut clearance) => {
                let synced: Synced = Box::pin(async move {
                    let result = clearance.synced().await;
                    (clearance, result)
                });
                self.unsynced = Some((synced, span.length));
            }
            Pass::Relay(what) => self.door.relay(what, span.length),
            Pass::Drop => self.door.discard(span.length),
            Pass::ChangeUser(log_in) => {
                self.door.discard(span.length);
                return Err(Over::ChangesUser { log_in, next: span.next });
            }
            // What it waits for is on its way, or the pool has been asked.
            Pass::Hold => return Ok(self.talk.word.is_some()),
        }
        Ok(true)
    }

    /// A packet of the file that the server has asked for.
    fn file_from_client(&mut self) -> Result<bool, Over> {
        if let Some(left) = self.from_client {
            let here = self.door.unread().len().min(left);
            if here == 0 {
                return Ok(false);
            }
            self.door.relay(Relayed::File, here);
            self.from_client = Some(left - here).filter(|left| *left > 0);
            return Ok(true);
        }
        let Some(header) = Header::read(self.door.unread()) else {
            self.client_needs = HEADER_LENGTH;
            return Ok(false);
        };
        let Some(answer) = &mut self.talk.answer else { return Ok(false) };
        let sequence = answer.response.next();
        // Spec: a client that compresses counts compressed packets where it should count these.
        if header.sequence != sequence && !self.client.is_compressed() {
            return Err(broken("order of a file's packets"));
        }
        answer.response.file_packet(header);
        self.door.relay_numbered(Relayed::File, sequence);
        self.from_client = Some(header.length).filter(|left| *left > 0);
        Ok(true)
    }

    /// Looks at what the upstream sent, until the turn is over.
    fn pump_upstream(&mut self) -> Result<bool, Over> {
        let mut count = 0;
        while self.to_client.waiting() < 2 * HIGH_WATER && self.one_from_upstream()? {
            count += 1;
            if !self.talk.down.is_empty() && self.from_upstream.is_none() {
                self.to_client.inject().append(&mut self.talk.down);
            }
            let over = || self.talk.core.services.clock.now().since(self.talk.now) >= TURN_MAX;
            if count % PACKETS_A_LOOK == 0 && over() {
                self.yields = true;
                break;
            }
        }
        Ok(count > 0)
    }

    /// One packet of the upstream. False if there is none.
    fn one_from_upstream(&mut self) -> Result<bool, Over> {
        if let Some(rest) = &mut self.from_upstream {
            let here = self.to_client.unread().len().min(rest.left);
            if here == 0 {
                return Ok(false);
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
            return Ok(true);
        }
        let unread = self.to_client.unread();
        let clear = self.talk.clear_rows(unread);
        if clear > 0 {
            self.upstream_needs = 0;
            if !self.talk.down.is_empty() {
                self.to_client.inject().append(&mut self.talk.down);
            }
            self.to_client.approve(clear);
            return Ok(true);
        }
        let Some(header) = Header::read(unread) else {
            self.upstream_needs = HEADER_LENGTH;
            return Ok(false);
        };
        let first = unread.get(HEADER_LENGTH).copied();
        if first.is_none() && header.length > 0 {
            self.upstream_needs = HEADER_LENGTH + 1;
            return Ok(false);
        }
        let first = first.filter(|_| header.length > 0).unwrap_or_default();
        let is_row = self.talk.answer.as_ref().is_some_and(|a| a.response.is_row(header, first));
        if is_row {
            return self.row_from_upstream(header);
        }
        if header.length > WHOLE_MAX {
            return Err(broken("the length of a packet of the upstream"));
        }
        let Some(frame) = unread.get(..header.whole()) else {
            self.upstream_needs = header.whole();
            return Ok(false);
        };
        self.upstream_needs = 0;
        let asked = self.talk.answer.is_some();
        let payload = frame.get(HEADER_LENGTH..).unwrap_or_default();
        match self.talk.reply(header, payload)? {
            Onward::Forward => self.to_client.approve(header.whole()),
            Onward::Swallow => self.to_client.discard(header.whole()),
        }
        if !asked {
            self.said_goodbye = true;
        }
        Ok(true)
    }

    fn row_from_upstream(&mut self, header: Header) -> Result<bool, Over> {
        if self.talk.answer.as_ref().is_some_and(|a| a.response.continues()) {
            self.begin_row(header, self.row_goes)?;
            return Ok(true);
        }
        // Of a row that is written anew nothing may go out before it is known.
        if self.talk.wants_whole_rows() {
            if header.length >= PART_MAX && !self.talk.cut_long_row() {
                return Err(broken("a row of 16 MiB to the gateway itself"));
            }
            let unread = self.to_client.unread();
            if header.length < PART_MAX && unread.len() < header.whole() {
                self.upstream_needs = header.whole();
                return Ok(false);
            }
            self.upstream_needs = 0;
        }
        match self.talk.row_is(header) {
            RowIs::Clear => self.begin_row(header, true)?,
            RowIs::Dropped => self.begin_row(header, false)?,
            RowIs::Whole => {
                let unread = self.to_client.unread();
                let payload = unread.get(HEADER_LENGTH..header.whole()).unwrap_or_default();
                self.talk.whole_row(header, payload)?;
                self.talk.row_taken(header)?;
                self.to_client.discard(header.whole());
            }
        }
        Ok(true)
    }

    fn begin_row(&mut self, header: Header, forward: bool) -> Result<(), Over> {
        self.talk.row_taken(header)?;
        self.row_goes = forward;
        if !self.talk.down.is_empty() {
            self.to_client.inject().append(&mut self.talk.down);
        }
        let here = self.to_client.unread().len().min(header.whole());
        if forward {
            self.to_client.approve(here);
        } else {
            self.to_client.discard(here);
        }
        let left = header.whole() - here;
        self.from_upstream = (left > 0).then_some(Rest { left, forward });
        Ok(())
    }

    /// Writes to both sides. True if a statement was refused instead of being sent.
    fn flush(&mut self, cx: &mut Context<'_>) -> Result<bool, Over> {
        let refused = self.door.is_owed() && self.flush_door(cx)?;
        if self.to_client.is_owed()
            && let Poll::Ready(Err(error)) = self.to_client.poll_flush(cx, &mut self.client)
        {
            return Err(Over::Client(error));
        }
        Ok(refused)
    }

    fn flush_door(&mut self, cx: &mut Context<'_>) -> Result<bool, Over> {
        match self.door.passage() {
            Passage::Open => {
                if let Poll::Ready(Err(error)) = self.door.poll_flush(cx, &mut self.upstream)
                    && self.to_client.unread().is_empty()
                {
                    return Err(Over::Upstream(error));
                }
            }
            Passage::Waits => {
                if !std::mem::replace(&mut self.asleep.trail, true) {
                    self.talk.core.wake_when_written(cx.waker());
                }
            }
            Passage::Closed => {
                // Nothing of it has left: one command at a time is on its way.
                self.door.forget_waiting();
                self.talk.refuse_unsent();
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// True if there is memory for the client's next command. If not, whoever gives some back wakes us.
    fn has_place(&mut self, cx: &Context<'_>) -> bool {
        if self.client_needs > UNASKED_MAX && self.place.is_none() {
            let services = &self.talk.core.services;
            let most = services.world.load().limits.room_bytes;
            let principal = &self.talk.handle.principal;
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
        let unread = self.to_client.unread().len();
        let room = unread < self.upstream_needs.max(HEADER_LENGTH + 1);
        let takes = self.to_client.waiting() < HIGH_WATER || self.drains();
        if !self.asleep.upstream && takes && room {
            match self.to_client.poll_fill(cx, &mut self.upstream, self.upstream_needs) {
                Poll::Ready(Ok(0)) => return Err(Over::UpstreamClosed),
                Poll::Ready(Ok(_)) => progress = true,
                Poll::Ready(Err(error)) => return Err(Over::Upstream(error)),
                Poll::Pending => self.asleep.upstream = true,
            }
        }
        Ok(progress)
    }

    /// True if what the upstream says now goes nowhere: a client who doesn't read must not hold it up.
    fn drains(&self) -> bool {
        self.from_upstream.is_none_or(|rest| !rest.forward) && self.talk.is_told()
    }

    fn on_time(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        while self.alarm.rings(self.due(), self.talk.now, cx) {
            self.talk.now = self.talk.now.max(self.talk.core.services.clock.now());
            if let Some(idle) = self.idle()
                && self.talk.now >= idle.until(self.last_heard)
            {
                return Err(End::Refused(idle.refusal()).into());
            }
            self.talk.on_time();
            self.housekeep();
            if self.killing.is_some() {
                // It was begun here, and nobody has asked it yet.
                cx.waker().wake_by_ref();
            }
            self.flush(cx)?;
            if let Some(refusal) = self.talk.fatal.take() {
                return Err(End::Refused(refusal).into());
            }
        }
        Ok(())
    }

    fn idle(&self) -> Option<Idle> {
        if !self.talk.is_quiet() {
            return None;
        }
        Idle::of(&self.talk.core.services.world.load().limits, self.talk.in_transaction())
    }

    fn due(&self) -> Option<Timestamp> {
        let idle = self.idle().map(|idle| idle.until(self.last_heard));
        self.talk.next_time().into_iter().chain(idle).min()
    }
}

fn broken(what: &'static str) -> Over {
    let error = crate::wire::WireError::BadValue { what };
    Over::End(End::Refused(error.refusal()))
}

fn stopping() -> Refusal {
    Refusal::new(RefusalKind::ShuttingDown, "the gateway is stopping")
        .with_hint("Connect again in a moment.")
}
