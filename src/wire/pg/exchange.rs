//! The queue of replies that the upstream still owes, in order.
//!
//! Every message that a session sends upstream and that will be answered has an entry; so has every
//! answer that the gateway makes itself, so that it is given in its place. The next reply belongs to
//! the front entry or to nobody (notices, parameters, notifications). Entries of the gateway's own
//! messages are marked, so that their replies are swallowed.
//!
//! Pure: no socket, no clock. `T` is whatever the session remembers with an entry.
//!
//! Spec: <https://www.postgresql.org/docs/current/protocol-flow.html>, and for what is skipped after
//! an error `PostgresMain` in `src/backend/tcop/postgres.c`.

use std::collections::VecDeque;

use super::backend as tag;

/// What was sent, by what answers it.
///
/// Legal replies: `Query → (T | D | C | I | V | G | H | d | c | E)* Z`, `Parse → 1`, `Bind → 2`,
/// `DescribeStatement → t (T | n)`, `DescribePortal → T | n`,
/// `Execute → (D | G | H | d | c)* (C | I | s)`, `Close → 3`, `Sync → Z`; instead of each `E`, after
/// which everything up to the next Sync is dropped. `CopyData`, `CopyEnd` and `Local` are answered by
/// nothing from upstream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Query, and FunctionCall, which is answered alike.
    Query,
    /// Parse.
    Parse,
    /// Bind.
    Bind,
    /// Describe of a statement.
    DescribeStatement,
    /// Describe of a portal.
    DescribePortal,
    /// Execute.
    Execute,
    /// Close.
    Close,
    /// Sync.
    Sync,
    /// CopyData behind a Sync: a mark, because a copy that it makes fail has not failed before that Sync.
    CopyData,
    /// CopyDone or CopyFail: a mark, because a Sync before it is ignored by a server in copy mode.
    CopyEnd,
    /// An answer made here.
    Local,
}

/// Who is to see the replies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The client.
    Client,
    /// Nobody: the gateway sent it for itself.
    Gateway,
    /// The client, but an error is replaced by one of ours: a message that must fail upstream stands
    /// where a refused one stood.
    Fail,
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owed<T> {
    /// What was sent.
    pub step: Step,
    /// Who is to see the replies.
    pub whose: Whose,
    /// What the session remembers with it.
    pub tag: T,
}

/// What a reply means for the queue.
#[derive(PartialEq, Eq, Debug)]
pub enum Move<T> {
    /// It belongs to no entry: a notice, a parameter, a notification.
    Unasked,
    /// It belongs to the front entry, which stays.
    Part,
    /// It ends the front entry.
    Done(Owed<T>),
    /// An error: the front entry failed (a Query's entry stays until its ReadyForQuery and is not in
    /// here), and these were dropped with it, in order.
    Failed {
        /// The entry that failed; `None` for a Query, or an error that nothing asked for.
        failed: Option<Owed<T>>,
        /// Entries up to the next Sync, which the server skips.
        skipped: Vec<Owed<T>>,
    },
}

/// A reply that doesn't fit the front entry: the two sides no longer mean the same thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("upstream sent {reply:?} while {front:?} was next")]
pub struct OutOfStep {
    /// The reply's tag.
    pub reply: char,
    /// The front entry's step.
    pub front: Option<Step>,
}

/// The queue.
#[derive(Debug)]
pub struct Exchange<T> {
    queue: VecDeque<Owed<T>>,
    /// An error was seen and no Sync is queued yet: the server skips all until one comes.
    skipping: bool,
    /// The server reads copy data for the front entry: it ignores Sync and Flush until CopyEnd.
    copying_in: bool,
    /// The front entry has been answered in part.
    began: bool,
    /// Syncs that were sent among copy data.
    strays: Strays<T>,
    /// How many entries were added since all messages had left; `None`: some of theirs have left, or
    /// stand elsewhere, and nobody knows which.
    unsent: Option<usize>,
}

/// Syncs that were sent among copy data. The server ignores them, unless what came before them made the
/// copy fail: then it answers, and nobody can tell before it does.
#[derive(Debug)]
struct Strays<T> {
    syncs: VecDeque<Owed<T>>,
    /// Something was sent behind the last of them that may make the copy fail.
    may_fail_behind: bool,
    /// The copy has failed, and nothing but what came before the last of them can have done that: one
    /// is answered before anything else is.
    is_next: bool,
}

impl<T> Strays<T> {
    fn add(&mut self, sync: Owed<T>) {
        self.may_fail_behind = false;
        self.syncs.push_back(sync);
    }

    fn clear(&mut self) {
        self.syncs.clear();
        self.is_next = false;
    }
}

impl<T> Default for Strays<T> {
    fn default() -> Self {
        Self { syncs: VecDeque::new(), may_fail_behind: false, is_next: false }
    }
}

impl<T> Default for Exchange<T> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            skipping: false,
            copying_in: false,
            began: false,
            strays: Strays::default(),
            unsent: Some(0),
        }
    }
}

impl<T> Exchange<T> {
    /// Adds what was just sent. Gives the entry back if the server will ignore it: after an error
    /// until Sync.
    pub fn push(&mut self, owed: Owed<T>) -> Option<Owed<T>> {
        if owed.step == Step::CopyData && !self.is_behind_sync() {
            return None;
        }
        let ends_skipping = owed.step == Step::Sync;
        if self.skipping && !ends_skipping {
            return Some(owed);
        }
        if self.copying_in {
            match owed.step {
                Step::Sync => {
                    self.unsent = None;
                    self.strays.add(owed);
                    return None;
                }
                Step::CopyData => {
                    self.strays.may_fail_behind = true;
                    return None;
                }
                Step::CopyEnd => {
                    self.unsent = None;
                    self.strays.may_fail_behind = true;
                    self.copying_in = false;
                    return None;
                }
                Step::Local => {}
                // Anything else makes it fail, and ends at its Sync.
                Step::Query
                | Step::Parse
                | Step::Bind
                | Step::DescribeStatement
                | Step::DescribePortal
                | Step::Execute
                | Step::Close => self.copying_in = false,
            }
        }
        self.skipping = false;
        // Copy data has no entries of its own.
        let is_copy = matches!(owed.step, Step::CopyData | Step::CopyEnd);
        let known = self.unsent.filter(|_| !is_copy);
        self.unsent = known.map(|count| count + 1);
        self.queue.push_back(owed);
        None
    }

    /// Adds what goes along with the entry at the back, and comes to the front before it. It is an
    /// answer of our own.
    pub fn push_under(&mut self, owed: Owed<T>) {
        let last = self.queue.len().saturating_sub(1);
        self.unsent = self.unsent.map(|count| count + 1);
        self.queue.insert(last, owed);
    }

    /// True if copy data that is sent now stands behind a Sync with nothing between them.
    fn is_behind_sync(&self) -> bool {
        if self.copying_in {
            return !self.strays.syncs.is_empty();
        }
        self.queue.back().is_some_and(|owed| owed.step == Step::Sync)
    }

    /// The error that comes next has another cause than what was sent: a cancel, or a limit on time.
    pub fn fails_by_itself(&mut self) {
        self.strays.may_fail_behind = true;
    }

    /// All that was added has left.
    pub fn all_sent(&mut self) {
        self.unsent = Some(0);
    }

    /// Some of what was added has left, or will leave beside it.
    pub fn some_sent(&mut self) {
        self.unsent = None;
    }

    /// The entries at the back whose messages have not left, in order. `None`: nobody knows which.
    pub fn unsent(&self) -> Option<impl Iterator<Item = &Owed<T>>> {
        let count = self.unsent?;
        // What left the queue meanwhile was before them, or was the first of them.
        Some(self.queue.iter().skip(self.queue.len().saturating_sub(count)))
    }

    /// The entries whose messages have left, or may have, in order.
    pub fn sent(&self) -> impl Iterator<Item = &Owed<T>> {
        let unsent = self.unsent.unwrap_or(0);
        self.queue.iter().take(self.queue.len().saturating_sub(unsent))
    }

    /// Takes those back: their messages will never leave.
    pub fn take_back_unsent(&mut self) -> Vec<Owed<T>> {
        let count = self.unsent.replace(0).unwrap_or(0);
        let first = self.queue.len().saturating_sub(count);
        self.queue.drain(first..).collect()
    }

    /// Takes everything that is owed off the queue, in order: the other side is gone.
    pub fn take_all(&mut self) -> Vec<Owed<T>> {
        (self.skipping, self.copying_in, self.began) = (false, false, false);
        self.strays.clear();
        self.unsent = Some(0);
        self.queue.drain(..).collect()
    }

    /// True if nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.strays.is_next
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// True if the server skips whatever comes until a Sync.
    pub fn is_skipping(&self) -> bool {
        self.skipping
    }

    /// True if it isn't known whether the server answers a Sync that was sent among copy data.
    pub fn has_strays(&self) -> bool {
        !self.strays.syncs.is_empty()
    }

    /// How many Syncs were sent among copy data, of which nobody knows whether they are answered.
    pub fn strays(&self) -> usize {
        self.strays.syncs.len()
    }

    /// True if the server reads copy data now.
    pub fn is_copying_in(&self) -> bool {
        self.copying_in
    }

    /// The entry that the next reply belongs to.
    pub fn front(&self) -> Option<&Owed<T>> {
        self.queue.front()
    }

    /// The same, to change what is remembered with it.
    pub fn front_mut(&mut self) -> Option<&mut Owed<T>> {
        self.queue.front_mut()
    }

    /// All entries, front first.
    pub fn iter(&self) -> impl Iterator<Item = &Owed<T>> {
        self.queue.iter()
    }

    /// The same, to change what is remembered with them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Owed<T>> {
        self.queue.iter_mut()
    }

    /// True if an answer of our own is next.
    pub fn is_local_next(&self) -> bool {
        !self.strays.is_next && self.queue.front().is_some_and(|o| o.step == Step::Local)
    }

    /// Takes the answer of our own that is next.
    pub fn take_local(&mut self) -> Option<Owed<T>> {
        if self.is_local_next() { self.pop() } else { None }
    }

    /// True if rows, copy data or the end of a result may come next.
    pub fn is_result_next(&self) -> bool {
        self.queue.front().is_some_and(|o| matches!(o.step, Step::Query | Step::Execute))
    }

    /// Says what a reply with this tag means, and moves on.
    ///
    /// # Errors
    /// [`OutOfStep`] if the front entry can't be answered so; the session must end.
    pub fn reply(&mut self, reply: u8) -> Result<Move<T>, OutOfStep> {
        let front = self.queue.front().map(|o| o.step);
        let out = || OutOfStep { reply: char::from(reply), front };
        match reply {
            tag::NOTICE_RESPONSE | tag::PARAMETER_STATUS | tag::NOTIFICATION_RESPONSE => {
                return Ok(Move::Unasked);
            }
            tag::ERROR_RESPONSE => return Ok(self.error(front)),
            _ => {}
        }
        if reply == tag::READY_FOR_QUERY
            && let Some(stray) = self.stray_answered(front)
        {
            return Ok(Move::Done(stray));
        }
        let step = front.ok_or_else(out)?;
        let ends = match (step, reply) {
            (
                Step::Query,
                tag::ROW_DESCRIPTION
                | tag::DATA_ROW
                | tag::COMMAND_COMPLETE
                | tag::EMPTY_QUERY_RESPONSE
                | tag::FUNCTION_CALL_RESPONSE
                | tag::COPY_OUT_RESPONSE
                | tag::COPY_DATA
                | tag::COPY_DONE,
            ) => false,
            (Step::Query | Step::Execute, tag::COPY_IN_RESPONSE) => {
                self.enter_copy_in();
                return Ok(Move::Part);
            }
            (
                Step::Execute,
                tag::DATA_ROW | tag::COPY_OUT_RESPONSE | tag::COPY_DATA | tag::COPY_DONE,
            )
            | (Step::DescribeStatement, tag::PARAMETER_DESCRIPTION) => false,
            (Step::Query | Step::Sync, tag::READY_FOR_QUERY)
            | (Step::Parse, tag::PARSE_COMPLETE)
            | (Step::Bind, tag::BIND_COMPLETE)
            | (Step::Close, tag::CLOSE_COMPLETE)
            | (
                Step::DescribeStatement | Step::DescribePortal,
                tag::ROW_DESCRIPTION | tag::NO_DATA,
            )
            | (
                Step::Execute,
                tag::COMMAND_COMPLETE | tag::EMPTY_QUERY_RESPONSE | tag::PORTAL_SUSPENDED,
            ) => true,
            _ => return Err(out()),
        };
        if reply != tag::READY_FOR_QUERY {
            // It has gone on behind them.
            self.strays.clear();
            self.copying_in = false;
        }
        if !ends {
            self.began = true;
            return Ok(Move::Part);
        }
        self.pop().map(Move::Done).ok_or_else(out)
    }

    /// A Sync among copy data that was answered after all: what came before it had made the copy fail.
    /// Its answer comes before anything of what was sent later.
    fn stray_answered(&mut self, front: Option<Step>) -> Option<Owed<T>> {
        let answers_front = match front {
            Some(Step::Query) => self.began,
            // One of the two: the other one's comes later, or not at all.
            Some(Step::Sync) => true,
            Some(
                Step::Parse
                | Step::Bind
                | Step::DescribeStatement
                | Step::DescribePortal
                | Step::Execute
                | Step::Close
                | Step::CopyData
                | Step::CopyEnd
                | Step::Local,
            )
            | None => false,
        };
        self.strays.is_next = false;
        if answers_front {
            return None;
        }
        let stray = self.strays.syncs.pop_front()?;
        self.skipping = false;
        Some(stray)
    }

    fn error(&mut self, front: Option<Step>) -> Move<T> {
        self.began = true;
        self.copying_in = false;
        match front {
            // A Query ends with ReadyForQuery whatever happens; Sync can fail at commit (deferred
            // constraints) and is then still answered by ReadyForQuery.
            Some(Step::Query | Step::Sync) | None => {
                Move::Failed { failed: None, skipped: Vec::new() }
            }
            Some(_) => {
                let failed = self.pop();
                let by_what_came_before =
                    !self.strays.syncs.is_empty() && !self.strays.may_fail_behind;
                if by_what_came_before {
                    // Skipping ends at the stray, and what stands behind that is not skipped.
                    self.strays.is_next = true;
                    return Move::Failed { failed, skipped: Vec::new() };
                }
                Move::Failed { failed, skipped: self.drop_until_sync() }
            }
        }
    }

    fn drop_until_sync(&mut self) -> Vec<Owed<T>> {
        let mut skipped = Vec::new();
        while let Some(next) = self.queue.front() {
            if next.step == Step::Sync {
                return skipped;
            }
            skipped.extend(self.queue.pop_front());
        }
        self.skipping = true;
        self.copying_in = false;
        skipped
    }

    /// Takes the front entry, and marks that have come to the front with it.
    fn pop(&mut self) -> Option<Owed<T>> {
        let owed = self.queue.pop_front();
        self.began = false;
        let is_mark = |o: &Owed<T>| matches!(o.step, Step::CopyData | Step::CopyEnd);
        while self.queue.front().is_some_and(is_mark) {
            self.queue.pop_front();
        }
        owed
    }

    /// Spec: a server in copy-in mode ignores Sync and Flush ("COPY operations" in the protocol's
    /// message flow), for libraries that send them after every Execute.
    fn enter_copy_in(&mut self) {
        self.strays.clear();
        self.began = true;
        let mut index = 1;
        while let Some(next) = self.queue.get(index) {
            match next.step {
                Step::Sync => {
                    self.unsent = self.unsent.filter(|count| *count == 0);
                    if let Some(stray) = self.queue.remove(index) {
                        self.strays.add(stray);
                    }
                }
                Step::CopyData => {
                    self.queue.remove(index);
                    self.strays.may_fail_behind = true;
                }
                Step::Local => index += 1,
                Step::CopyEnd => {
                    // It ends this copy, and not the next one of the same Query.
                    self.queue.remove(index);
                    self.strays.may_fail_behind = true;
                    return;
                }
                // Anything else makes it fail, and ends at its Sync.
                Step::Query
                | Step::Parse
                | Step::Bind
                | Step::DescribeStatement
                | Step::DescribePortal
                | Step::Execute
                | Step::Close => return,
            }
        }
        self.copying_in = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(steps: &[Step]) -> Exchange<usize> {
        let mut exchange = Exchange::default();
        for (tag, step) in steps.iter().enumerate() {
            assert!(exchange.push(Owed { step: *step, whose: Whose::Client, tag }).is_none());
        }
        exchange
    }

    fn play(exchange: &mut Exchange<usize>, replies: &[u8]) {
        for reply in replies {
            exchange.reply(*reply).unwrap_or_else(|e| panic!("{e}"));
        }
    }

    #[test]
    fn what_has_not_left_is_known_by_the_end_of_the_queue_or_not_at_all() {
        let tags = |exchange: &Exchange<usize>| -> Option<Vec<usize>> {
            Some(exchange.unsent()?.map(|owed| owed.tag).collect())
        };
        let mut exchange = queue(&[Step::Parse, Step::Sync]);
        exchange.all_sent();
        assert_eq!(tags(&exchange), Some(vec![]));
        for (tag, step) in [(2, Step::Local), (3, Step::Query), (4, Step::Sync)] {
            exchange.push(Owed { step, whose: Whose::Client, tag });
        }
        assert_eq!(tags(&exchange), Some(vec![2, 3, 4]));
        play(&mut exchange, b"1Z");
        exchange.take_local().expect("it is its turn");
        assert_eq!(tags(&exchange), Some(vec![3, 4]));
        let back: Vec<usize> = exchange.take_back_unsent().iter().map(|owed| owed.tag).collect();
        assert_eq!((back, exchange.is_empty()), (vec![3, 4], true));
        exchange.push(Owed { step: Step::CopyEnd, whose: Whose::Client, tag: 5 });
        assert_eq!(tags(&exchange), None, "copy data has no entry");
        exchange.all_sent();
        exchange.push(Owed { step: Step::Query, whose: Whose::Client, tag: 6 });
        exchange.some_sent();
        exchange.push(Owed { step: Step::Query, whose: Whose::Client, tag: 7 });
        assert_eq!(tags(&exchange), None, "half of it may have left");
    }

    #[test]
    fn a_pipelined_batch_is_answered_in_order() {
        let mut exchange = queue(&[
            Step::Parse,
            Step::Bind,
            Step::DescribePortal,
            Step::Execute,
            Step::Sync,
            Step::Query,
        ]);
        play(&mut exchange, b"12TDDCZTDCZ");
        assert!(exchange.is_empty());
    }

    #[test]
    fn an_error_drops_everything_until_the_next_sync() {
        let mut exchange =
            queue(&[Step::Parse, Step::Bind, Step::Execute, Step::Sync, Step::Parse, Step::Sync]);
        match exchange.reply(b'E').expect("legal") {
            Move::Failed { failed, skipped } => {
                assert_eq!(failed.map(|o| o.tag), Some(0));
                assert_eq!(skipped.iter().map(|o| o.tag).collect::<Vec<_>>(), [1, 2]);
            }
            other => panic!("{other:?}"),
        }
        play(&mut exchange, b"Z1Z");
        assert!(exchange.is_empty());
    }

    #[test]
    fn what_follows_an_error_is_ignored_until_sync_comes() {
        let mut exchange = queue(&[Step::Parse]);
        play(&mut exchange, b"E");
        assert!(exchange.is_skipping());
        let owed = |step| Owed { step, whose: Whose::Client, tag: 9 };
        assert!(exchange.push(owed(Step::Bind)).is_some());
        assert!(exchange.push(owed(Step::Query)).is_some());
        assert!(exchange.push(owed(Step::Sync)).is_none());
        assert!(!exchange.is_skipping());
        play(&mut exchange, b"Z");
    }

    #[test]
    fn an_error_in_a_simple_query_waits_for_ready() {
        let mut exchange = queue(&[Step::Query, Step::Query]);
        play(&mut exchange, b"TDEZCZ");
        assert!(exchange.is_empty());
    }

    #[test]
    fn syncs_before_the_end_of_a_copy_owe_nothing() {
        // libpq: Execute, Sync, then CopyData, CopyDone, Sync.
        let mut exchange = queue(&[Step::Execute, Step::Sync]);
        play(&mut exchange, b"G");
        let owed = |step| Owed { step, whose: Whose::Client, tag: 9 };
        assert!(exchange.push(owed(Step::Sync)).is_none());
        assert!(exchange.has_strays(), "ignored in copy mode, as far as is known");
        exchange.push(owed(Step::CopyEnd));
        exchange.push(owed(Step::Sync));
        play(&mut exchange, b"CZ");
        assert!(exchange.is_empty());
        // The same, all of it sent before the server's first answer.
        let mut exchange = queue(&[Step::Execute, Step::Sync, Step::CopyEnd, Step::Sync]);
        play(&mut exchange, b"GCZ");
        assert!(exchange.is_empty());
    }

    #[test]
    fn a_sync_behind_bad_copy_data_may_be_answered_or_not() {
        let owed = |step| Owed { step, whose: Whose::Client, tag: 9 };
        for (answers, front) in [("EZ", None), ("EZZ", None), ("E", Some(Step::Sync))] {
            let mut exchange = queue(&[Step::Execute]);
            play(&mut exchange, b"G");
            exchange.push(owed(Step::Sync));
            exchange.push(owed(Step::CopyEnd));
            exchange.push(owed(Step::Sync));
            play(&mut exchange, answers.as_bytes());
            assert_eq!(exchange.front().map(|o| o.step), front, "{answers}");
        }
        // Its own Sync hasn't come yet when the stray one is answered.
        let mut exchange = queue(&[Step::Execute]);
        play(&mut exchange, b"G");
        exchange.push(owed(Step::Sync));
        exchange.push(owed(Step::CopyData));
        play(&mut exchange, b"E");
        assert!(exchange.is_skipping());
        play(&mut exchange, b"Z");
        assert!(!exchange.is_skipping() && !exchange.has_strays());
        // In a Query: the stray one's answer comes before anything of the next Query.
        let mut exchange = queue(&[Step::Query]);
        play(&mut exchange, b"G");
        exchange.push(owed(Step::Sync));
        play(&mut exchange, b"EZ");
        exchange.push(owed(Step::Query));
        play(&mut exchange, b"Z");
        assert_eq!(exchange.front().map(|o| o.step), Some(Step::Query));
        play(&mut exchange, b"CZ");
        assert!(exchange.is_empty());
        // Nothing more is answered than was sent.
        assert!(exchange.reply(b'Z').is_err());
    }

    #[test]
    fn what_stands_behind_a_sync_is_answered_if_only_data_before_it_can_have_failed() {
        let owed = |step| Owed { step, whose: Whose::Client, tag: 9 };
        // Execute, bad data, Sync, Bind, Sync: before the first answer, and as it comes.
        let mut exchange = queue(&[Step::Execute, Step::CopyData, Step::Sync, Step::Bind]);
        exchange.push(owed(Step::Sync));
        play(&mut exchange, b"GEZ2Z");
        assert!(exchange.is_empty());
        let mut exchange = queue(&[Step::Execute]);
        play(&mut exchange, b"G");
        for step in [Step::CopyData, Step::Sync, Step::Bind, Step::Local, Step::Sync] {
            exchange.push(owed(step));
        }
        play(&mut exchange, b"E");
        assert!(!exchange.is_skipping());
        play(&mut exchange, b"Z2");
        assert!(exchange.take_local().is_some());
        play(&mut exchange, b"Z");
        assert!(exchange.is_empty());
        // Nothing behind it yet: its answer comes before anything is known to be settled.
        let mut exchange = queue(&[Step::Execute]);
        play(&mut exchange, b"G");
        exchange.push(owed(Step::CopyData));
        exchange.push(owed(Step::Sync));
        play(&mut exchange, b"E");
        assert!(!exchange.is_empty());
        exchange.push(owed(Step::Local));
        assert!(!exchange.is_local_next());
        play(&mut exchange, b"Z");
        assert!(exchange.take_local().is_some() && exchange.is_empty());
        // Data behind it, or a cancel, may have made the copy fail: then the Sync was ignored.
        let mut exchange = queue(&[Step::Execute, Step::Sync, Step::CopyData, Step::Bind]);
        play(&mut exchange, b"GE");
        assert!(exchange.is_skipping());
        let mut exchange = queue(&[Step::Execute]);
        play(&mut exchange, b"G");
        exchange.push(owed(Step::Sync));
        exchange.fails_by_itself();
        play(&mut exchange, b"E");
        assert!(exchange.is_skipping());
    }

    #[test]
    fn every_copy_of_a_query_has_its_own_end() {
        let owed = |step| Owed { step, whose: Whose::Client, tag: 9 };
        let mut exchange = queue(&[Step::Query, Step::CopyEnd]);
        play(&mut exchange, b"GCG");
        assert!(exchange.is_copying_in());
        exchange.push(owed(Step::CopyEnd));
        assert!(!exchange.is_copying_in());
        play(&mut exchange, b"CZ");
        assert!(exchange.is_empty());
    }

    #[test]
    fn a_local_answer_waits_for_its_place_and_is_dropped_with_a_failed_batch() {
        let mut exchange = queue(&[Step::Execute, Step::Local, Step::Sync]);
        assert!(exchange.take_local().is_none());
        play(&mut exchange, b"C");
        assert_eq!(exchange.take_local().map(|o| o.tag), Some(1));
        play(&mut exchange, b"Z");
        let mut exchange = queue(&[Step::Execute, Step::Local, Step::Sync]);
        play(&mut exchange, b"EZ");
        assert!(exchange.is_empty());
    }

    #[test]
    fn notices_belong_to_nobody() {
        let mut exchange = queue(&[Step::Query]);
        assert_eq!(exchange.reply(b'N'), Ok(Move::Unasked));
        assert_eq!(exchange.reply(b'S'), Ok(Move::Unasked));
        assert_eq!(exchange.reply(b'A'), Ok(Move::Unasked));
        play(&mut exchange, b"CZ");
    }

    #[test]
    fn a_reply_that_nothing_asked_for_is_an_error() {
        assert!(queue(&[]).reply(b'Z').is_err());
        assert!(queue(&[Step::Parse]).reply(b'D').is_err());
        assert!(queue(&[Step::Execute]).reply(b'T').is_err());
        assert!(queue(&[Step::Sync]).reply(b'C').is_err());
    }
}
