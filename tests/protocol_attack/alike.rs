//! Two answers side by side: a bare server's and the gateway's.

use crate::support::Message;

/// Where the two differ, if they do.
pub(crate) fn difference(direct: &[Message], through: &[Message]) -> Option<String> {
    let (direct, through) = (comparable(direct), comparable(through));
    let pairs = direct.iter().zip(&through);
    let differing = pairs.clone().position(|(a, b)| !same(a, b));
    let at = match differing {
        None if direct.len() == through.len() => return None,
        None => direct.len().min(through.len()),
        Some(at) => at,
    };
    let around = |all: &[Message]| {
        let part = all.get(at.saturating_sub(3)..(at + 4).min(all.len())).unwrap_or_default();
        format!("{part:#?}")
    };
    Some(format!(
        "message {at} of {} and {}\n  directly: {}\n  through the gateway: {}",
        direct.len(),
        through.len(),
        around(&direct),
        around(&through)
    ))
}

/// What can be compared: without the wall, which doesn't show; without notices of names that are cut,
/// which a text that isn't sent on doesn't bring; and without what a server says before it says that
/// it ends the session because something else than copy data came.
fn comparable(messages: &[Message]) -> Vec<Message> {
    let of_the_wall = |m: &Message| m.tag == b'S' && m.text() == "default_transaction_read_only";
    let of_a_cut_name = |m: &Message| m.tag == b'N' && m.field('C') == "42622";
    let mut name = String::new();
    // The gateway sets the name again with its own prefix, and may say so once more.
    let mut is_news = |m: &Message| {
        let is_name = m.tag == b'S' && m.text() == "application_name";
        !is_name || std::mem::replace(&mut name, format!("{m:?}")) != format!("{m:?}")
    };
    let kept = messages.iter().filter(|m| !of_the_wall(m) && !of_a_cut_name(m) && is_news(m));
    let mut kept: Vec<Message> = kept.map(plain).collect();
    if kept.last().is_some_and(is_fatal) && kept.len() > 1 {
        let before = kept.len() - 2;
        let told = &kept[before];
        if told.tag == b'E' && told.field('M').contains("during COPY from stdin") {
            kept.remove(before);
        }
    }
    kept
}

fn same(direct: &Message, through: &Message) -> bool {
    if direct == through {
        return true;
    }
    if direct.tag != b'E' || through.tag != b'E' {
        return false;
    }
    let (expected, got) = (direct.field('C'), through.field('C'));
    if is_fatal(direct) || is_fatal(through) {
        return is_fatal(direct) && is_fatal(through) && expected == got;
    }
    let stands_for_a_refusal = direct.field('M').contains("refused_here")
        || direct.field('M').contains("4000000000")
        || expected == "25P02";
    match got.as_str() {
        // Refused: where the text stood that fails, or a transaction that had failed before.
        "42501" => stands_for_a_refusal,
        // A text that can't be read needs nothing: what else stands beside it is not looked at.
        "42601" if stands_for_a_refusal => true,
        // Not sent on as they came; and what the gateway says of a transaction that only reads.
        // A body that can't be read is looked at before the names in it.
        "08P01" if expected == "26000" => true,
        "26000" | "34000" | "08P01" | "25006" | "42601" => got == expected || expected == "25P02",
        _ => false,
    }
}

/// Without what can't be equal: numbers of objects made here, of temporary schemas.
fn plain(message: &Message) -> Message {
    let mut message = message.clone();
    if message.tag == b'T' {
        let mut at = 2;
        while let Some(end) = message.body[at..].iter().position(|b| *b == 0) {
            let oid = at + end + 1;
            message.body[oid..oid + 4].fill(0);
            at = oid + 18;
            if at >= message.body.len() {
                break;
            }
        }
    }
    // Large objects are numbered by the whole server's counter.
    if message.tag == b'V' {
        message.body.clear();
    }
    const NAME: &[u8] = b"pg_temp_";
    if let Some(at) = message.body.windows(NAME.len()).position(|w| w == NAME) {
        let from = at + NAME.len();
        let digits = message.body[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        message.body.splice(from..from + digits, *b"N");
    }
    message
}

/// True if it ends the session.
pub(crate) fn is_fatal(message: &Message) -> bool {
    message.tag == b'E' && message.field('S') == "FATAL"
}
