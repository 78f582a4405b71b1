//! One direction of a relay: bytes read from one side on their way to the other.
//!
//! Bytes go through three stages: *unread* (nobody has looked at them), *approved* (they leave as
//! they came, straight from the buffer they were read into), and gone. What the gateway says itself
//! is *injected* between approved bytes. The buffer is borrowed from a pool of the thread while
//! there is something in it, so that an idle connection holds none.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Size of a buffer at first, in bytes: most statements and results fit, and what MySQL sends in one go.
const SMALL: usize = 16 * 1024;
/// Room for bytes of our own that a connection keeps for the next ones.
const KEPT: usize = 8 * 1024;
/// Size of a buffer while bulk flows. PERFORMANCE: 256 KiB gained nothing over it.
const LARGE: usize = 64 * 1024;
/// Room for what is written anew of a large buffer. PERFORMANCE: it is seldom much longer than what came.
const ROOM: usize = 2 * LARGE;
/// Buffers of each size that a thread keeps for reuse.
const POOLED: usize = 64;

/// One direction of a relay.
///
/// Invariant: `head <= approved <= filled <= buffer.len()`. The order of bytes to the other side is
/// `injected[injected_head..]`, then `buffer[head..approved]`.
#[derive(Debug, Default)]
pub struct Link {
    injected: Vec<u8>,
    injected_head: usize,
    buffer: Vec<u8>,
    head: usize,
    approved: usize,
    filled: usize,
    bulk: bool,
    /// The stream has been given something that it may keep back.
    unflushed: bool,
}

impl Link {
    /// Starts with bytes that were read before, all unread.
    pub fn with_unread(bytes: &[u8]) -> Self {
        let mut link = Self::default();
        if !bytes.is_empty() {
            link.buffer = take_buffer(bytes.len().max(SMALL));
            if let Some(start) = link.buffer.get_mut(..bytes.len()) {
                start.copy_from_slice(bytes);
            }
            link.filled = bytes.len();
        }
        link
    }

    /// Bytes that nobody has decided on.
    pub fn unread(&self) -> &[u8] {
        self.buffer.get(self.approved..self.filled).unwrap_or_default()
    }

    /// True if something has to leave: it waits here, or in the stream.
    pub fn is_owed(&self) -> bool {
        self.waiting() > 0 || self.unflushed
    }

    /// Bytes waiting to leave.
    pub fn waiting(&self) -> usize {
        self.injected.len() - self.injected_head + (self.approved - self.head)
    }

    /// The next `count` unread bytes leave as they came.
    pub fn approve(&mut self, count: usize) {
        self.approved = (self.approved + count).min(self.filled);
    }

    /// The next `count` unread bytes vanish.
    pub fn discard(&mut self, count: usize) {
        self.settle();
        self.approved = (self.approved + count).min(self.filled);
        self.head = self.approved;
        self.release_if_empty();
    }

    /// Bytes of our own, after everything approved so far.
    pub fn inject(&mut self) -> &mut Vec<u8> {
        self.settle();
        self.compact();
        &mut self.injected
    }

    /// What nobody has decided on, and where to write what is to leave in place of its beginning, which
    /// is discarded afterwards.
    pub fn rewrite(&mut self) -> (&[u8], &mut Vec<u8>) {
        self.settle();
        self.compact();
        let unread = self.buffer.get(self.approved..self.filled).unwrap_or_default();
        if unread.len() > SMALL && self.injected.is_empty() && self.injected.capacity() < ROOM {
            self.injected = take_room();
        }
        (unread, &mut self.injected)
    }

    /// Takes back everything that waits to leave: for a session that ends in an error.
    pub fn forget_waiting(&mut self) {
        self.injected.clear();
        self.injected_head = 0;
        self.head = self.approved;
    }

    /// The side that bytes are read from is another one now: what nobody has looked at vanishes, these
    /// bytes come first, and what waits to leave still does.
    pub fn start_anew(&mut self, bytes: &[u8]) {
        self.discard(self.filled - self.approved);
        if bytes.is_empty() {
            return;
        }
        self.make_room(bytes.len());
        if let Some(space) = self.buffer.get_mut(self.filled..self.filled + bytes.len()) {
            space.copy_from_slice(bytes);
            self.filled += bytes.len();
        }
    }

    /// Moves approved bytes into `injected`, so that something may follow them.
    fn settle(&mut self) {
        if self.head < self.approved {
            self.compact();
            if let Some(bytes) = self.buffer.get(self.head..self.approved) {
                self.injected.extend_from_slice(bytes);
            }
            self.head = self.approved;
        }
    }

    /// Forgets what has left of `injected`, so that it doesn't grow under a client that never quite
    /// catches up. What is moved is less than what has left since the last time.
    fn compact(&mut self) {
        if self.injected_head >= self.injected.len() - self.injected_head {
            self.injected.drain(..self.injected_head);
            self.injected_head = 0;
        }
    }

    fn release_if_empty(&mut self) {
        if self.head == self.filled {
            (self.head, self.approved, self.filled) = (0, 0, 0);
            if self.buffer.capacity() > 0 {
                give_buffer(std::mem::take(&mut self.buffer));
            }
        }
        if self.injected_head == self.injected.len() && self.injected.capacity() > KEPT {
            give_room(std::mem::take(&mut self.injected));
            self.injected_head = 0;
        }
    }

    /// Reads more. `whole`: the length of a frame that must be in the buffer as a whole, if one is
    /// known; otherwise room for at least one byte is made.
    ///
    /// Ready with 0 means the side has closed. Safe to cancel.
    ///
    /// # Errors
    /// Whatever the stream says.
    pub fn poll_fill<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
        whole: usize,
    ) -> Poll<io::Result<usize>> {
        self.make_room(whole);
        let Some(space) = self.buffer.get_mut(self.filled..) else {
            return Poll::Ready(Ok(0));
        };
        let offered = space.len();
        let mut read = ReadBuf::new(space);
        let polled = Pin::new(stream).poll_read(cx, &mut read);
        let count = read.filled().len();
        if polled.is_pending() {
            self.release_if_empty();
        }
        ready!(polled)?;
        self.filled += count;
        self.bulk = count == offered && offered >= SMALL / 2;
        Poll::Ready(Ok(count))
    }

    fn make_room(&mut self, whole: usize) {
        let unread = self.filled - self.head;
        let wanted = whole.max(if self.bulk { LARGE } else { SMALL }).max(unread + 1);
        if self.buffer.len() < wanted {
            let mut larger = take_buffer(wanted);
            if let (Some(to), Some(from)) =
                (larger.get_mut(..unread), self.buffer.get(self.head..self.filled))
            {
                to.copy_from_slice(from);
            }
            self.shift(unread);
            give_buffer(std::mem::replace(&mut self.buffer, larger));
        } else if self.filled == self.buffer.len()
            || self.head > 0 && self.buffer.len() - self.head < whole
            // The beginning of a row that must be whole has stayed: moving it is less than reading on in
            // small pieces.
            || self.head > 0 && unread < SMALL && self.buffer.len() - self.filled < SMALL
        {
            self.buffer.copy_within(self.head..self.filled, 0);
            self.shift(unread);
        }
    }

    fn shift(&mut self, unread: usize) {
        self.approved -= self.head;
        self.filled = unread;
        self.head = 0;
    }

    /// Writes what waits to leave. Ready when nothing waits any more and the stream is flushed.
    ///
    /// # Errors
    /// Whatever the stream says; `WriteZero` if it takes nothing.
    pub fn poll_flush<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<io::Result<()>> {
        loop {
            let from_injected = self.injected_head < self.injected.len();
            let bytes = if from_injected {
                self.injected.get(self.injected_head..)
            } else {
                self.buffer.get(self.head..self.approved)
            }
            .unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, bytes))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            if from_injected {
                self.injected_head += count;
            } else {
                self.head += count;
            }
        }
        self.release_if_empty();
        if self.unflushed {
            // TLS keeps a record back until told, and so does a socket that is full; a socket alone has nothing
            // to flush.
            ready!(Pin::new(stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.buffer.capacity() > 0 {
            give_buffer(std::mem::take(&mut self.buffer));
        }
        give_room(std::mem::take(&mut self.injected));
    }
}

/// Buffers for reuse.
#[derive(Default)]
struct Pool {
    small: Vec<Vec<u8>>,
    large: Vec<Vec<u8>>,
    /// Empty ones with room for [`ROOM`].
    rooms: Vec<Vec<u8>>,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { small: Vec::new(), large: Vec::new(), rooms: Vec::new() }) };
}

fn take_buffer(size: usize) -> Vec<u8> {
    let rounded = if size <= SMALL {
        SMALL
    } else if size <= LARGE {
        LARGE
    } else {
        size
    };
    let pooled = POOL.with_borrow_mut(|pool| match rounded {
        SMALL => pool.small.pop(),
        LARGE => pool.large.pop(),
        _ => None,
    });
    pooled.unwrap_or_else(|| vec![0; rounded])
}

fn take_room() -> Vec<u8> {
    POOL.with_borrow_mut(|pool| pool.rooms.pop()).unwrap_or_else(|| Vec::with_capacity(ROOM))
}

fn give_room(mut room: Vec<u8>) {
    // One row can have made it much longer.
    if !(ROOM..=2 * ROOM).contains(&room.capacity()) {
        return;
    }
    room.clear();
    let _ = POOL.try_with(|pool| {
        let Ok(mut pool) = pool.try_borrow_mut() else { return };
        if pool.rooms.len() < POOLED {
            pool.rooms.push(room);
        }
    });
}

fn give_buffer(buffer: Vec<u8>) {
    // A thread that ends has no pool any more; then the buffer is simply freed.
    let _ = POOL.try_with(|pool| {
        let Ok(mut pool) = pool.try_borrow_mut() else { return };
        let shelf = match buffer.len() {
            SMALL => &mut pool.small,
            LARGE => &mut pool.large,
            _ => return,
        };
        if shelf.len() < POOLED {
            shelf.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn fill(link: &mut Link, stream: &mut tokio::io::DuplexStream, whole: usize) -> usize {
        poll_fn(|cx| link.poll_fill(cx, stream, whole)).await.expect("reads")
    }

    async fn flush(link: &mut Link, stream: &mut tokio::io::DuplexStream) {
        poll_fn(|cx| link.poll_flush(cx, stream)).await.expect("writes");
    }

    async fn pass(link: &mut Link, expected: &str) {
        let (mut ours, mut theirs) = tokio::io::duplex(1 << 20);
        flush(link, &mut ours).await;
        drop(ours);
        let mut out = String::new();
        theirs.read_to_string(&mut out).await.expect("reads");
        assert_eq!(out, expected);
    }

    #[tokio::test]
    async fn injected_bytes_stand_between_approved_ones() {
        let mut link = Link::with_unread(b"abcdef");
        link.approve(2);
        link.inject().extend_from_slice(b"-1-");
        link.discard(1);
        link.approve(2);
        link.inject().extend_from_slice(b"-2-");
        assert_eq!(link.unread(), b"f");
        pass(&mut link, "ab-1-de-2-").await;
        link.approve(1);
        pass(&mut link, "f").await;
        assert_eq!(link.buffer.capacity(), 0, "an empty link holds no buffer");
    }

    /// A stream that takes everything, and keeps it until it has been told to give it three times.
    #[derive(Default)]
    struct Slow {
        kept: Vec<u8>,
        told: usize,
    }

    impl AsyncWrite for Slow {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.get_mut().kept.extend_from_slice(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            let slow = self.get_mut();
            slow.told += 1;
            if slow.told < 3 { Poll::Pending } else { Poll::Ready(Ok(())) }
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn what_a_stream_keeps_back_is_flushed_though_nothing_waits_here() {
        let (mut link, mut slow) = (Link::with_unread(b"end"), Slow::default());
        link.approve(3);
        for _ in 0..2 {
            let flushed = poll_fn(|cx| Poll::Ready(link.poll_flush(cx, &mut slow))).await;
            assert!(flushed.is_pending() && link.waiting() == 0 && link.is_owed());
        }
        let flushed = poll_fn(|cx| Poll::Ready(link.poll_flush(cx, &mut slow))).await;
        assert!(flushed.is_ready() && !link.is_owed());
        assert_eq!((&slow.kept[..], slow.told), (&b"end"[..], 3));
    }

    #[tokio::test]
    async fn a_frame_larger_than_the_buffer_becomes_whole() {
        let (mut ours, mut theirs) = tokio::io::duplex(1 << 20);
        let text = "x".repeat(200_000);
        theirs.write_all(text.as_bytes()).await.expect("writes");
        let mut link = Link::default();
        while link.unread().len() < text.len() {
            fill(&mut link, &mut ours, text.len()).await;
        }
        assert_eq!(link.unread(), text.as_bytes());
        link.approve(text.len());
        pass(&mut link, &text).await;
    }

    #[tokio::test]
    async fn unread_bytes_survive_a_flush_of_those_before_them() {
        let (mut ours, mut theirs) = tokio::io::duplex(1 << 20);
        let mut link = Link::default();
        for round in 0..50 {
            let block = format!("{round:0>5000}");
            theirs.write_all(block.as_bytes()).await.expect("writes");
            while link.unread().len() < block.len() {
                fill(&mut link, &mut ours, 0).await;
            }
            link.approve(4000);
            pass(&mut link, &block[..4000]).await;
            link.discard(1000);
        }
        assert_eq!(link.waiting(), 0);
    }

    #[tokio::test]
    async fn what_has_left_takes_no_room_though_something_always_waits() {
        let (mut ours, mut theirs) = tokio::io::duplex(1000);
        let mut link = Link::default();
        for round in 0..1000 {
            link.inject().extend(format!("{round:0>5000}").as_bytes());
            while link.waiting() > 5000 {
                tokio::task::yield_now().await;
                let flushed = poll_fn(|cx| Poll::Ready(link.poll_flush(cx, &mut ours))).await;
                assert!(flushed.is_pending(), "nobody reads as much as that");
                let mut some = [0; 1000];
                assert!(theirs.read(&mut some).await.expect("reads") > 0);
            }
            assert!(link.injected.capacity() < 32 * 1024, "{}", link.injected.capacity());
        }
    }

    #[tokio::test]
    async fn what_is_written_anew_stands_in_the_place_of_what_came() {
        let mut link = Link::with_unread(b"abcdef");
        link.approve(2);
        let (unread, out) = link.rewrite();
        assert_eq!(unread, b"cdef");
        out.extend_from_slice(b"CD");
        link.discard(2);
        link.approve(2);
        pass(&mut link, "abCDef").await;
    }
}
