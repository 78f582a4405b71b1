//! Both parsers read a text at one time: on a miss of the cache what is waited for is the slower one.

#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
};

use crate::kernel::sql::{
    self,
    analysis::{Batch, Unreadable},
    context::Context,
    lex::{self, Limits},
    text::StatementText,
};

/// Texts of so many bytes and more are read so: each parser takes hundreds of microseconds for them, and
/// a thread some tens.
const WORTH_A_THREAD: usize = 1_024;

/// Stack of the second thread, in bytes: eight times what a text takes that needs no large one
/// ([`lex::Tokens::needs_large_stack`]).
const STACK: usize = 16 << 20;

/// [`sql::analyze`], where it is worth it with the second opinion made meanwhile on a thread of its own.
///
/// # Errors
/// As [`sql::analyze`].
pub fn analyze(text: &StatementText<'_>, cx: &Context<'_>) -> Result<Batch, Unreadable> {
    let tokens = lex::tokenize(text, cx.mode, &Limits::DEFAULT)?;
    let text = text.as_str();
    let is_worth_it = text.len() >= WORTH_A_THREAD
        && !tokens.needs_large_stack()
        && sql::has_second_opinion(&tokens, cx.mode);
    if !is_worth_it {
        return sql::analyze_tokens(text, &tokens, cx);
    }
    let mode = cx.mode;
    both(
        |second| sql::analyze_beside(text, &tokens, cx, second),
        || sql::second_opinion(text, &tokens, mode),
    )
}

/// Does the first, which may ask for what comes of the second, meanwhile begun on a thread of its own if
/// there can be one. A panic of either is the caller's; of the second only if it is asked for.
fn both<A, B: Send>(
    first: impl FnOnce(&mut dyn FnMut() -> B) -> A,
    second: impl Fn() -> B + Send + Sync,
) -> A {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("second opinion".to_owned()).stack_size(STACK);
        // What it looks at nobody changes.
        let caught = || catch_unwind(AssertUnwindSafe(&second));
        let mut beside = builder.spawn_scoped(scope, caught).ok();
        first(&mut || match beside.take() {
            Some(thread) => {
                thread.join().and_then(|done| done).unwrap_or_else(|e| resume_unwind(e))
            }
            // No thread to be had is no reason to refuse a statement.
            None => second(),
        })
    })
}
