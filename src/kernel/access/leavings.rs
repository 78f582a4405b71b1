//! What a grant leaves behind: what a target had before that gives somebody power there, what it has
//! after, and the difference. Rows of tables don't count, nor tables; roles, privileges and code do.

use std::collections::BTreeMap;

use ring::digest;
use serde::{Deserialize, Serialize};

/// Something of a target that outlives a session and gives power: a role, a privilege, a routine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holding {
    /// What it is, for people: `role`, `privilege`, `routine`.
    pub kind: String,
    /// Which, unlike all others of its kind: `public.total(integer)`, `bob in pg_monitor`.
    pub name: String,
    /// What people should know of it.
    pub detail: String,
    /// What else of it counts and is not for people: a digest of a password, of a routine's text.
    pub hidden: String,
    /// The extension that it came with.
    pub extension: Option<String>,
}

/// All that a target held at one moment, without details.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Survey(Vec<Noted>);

/// One of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Noted {
    #[serde(rename = "k")]
    kind: String,
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "d")]
    digest: String,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
}

/// What has become of something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It wasn't there.
    Made,
    /// It was another.
    Changed,
    /// It isn't there any more.
    Gone,
}

/// A difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leaving {
    /// What has become of it.
    pub change: Change,
    /// [`Holding::kind`].
    pub kind: String,
    /// [`Holding::name`].
    pub name: String,
    /// [`Holding::detail`] as it is now; empty for what is gone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Whose owner something is; only that it becomes another's is told, since people make tables.
pub const OWNER: &str = "owner";

/// What is itself an extension.
pub const EXTENSION: &str = "extension";

impl Survey {
    /// What is to be remembered of these.
    pub fn of(holdings: &[Holding]) -> Self {
        Self(holdings.iter().map(Noted::of).collect())
    }

    /// The differences between this and what there is now, by kind and name. What came or went with
    /// an extension is told by the extension alone.
    pub fn compare(&self, now: &[Holding]) -> Vec<Leaving> {
        type Key<'k> = (&'k str, &'k str);
        let before: BTreeMap<Key<'_>, &Noted> =
            self.0.iter().map(|n| ((n.kind.as_str(), n.name.as_str()), n)).collect();
        let after: BTreeMap<Key<'_>, &Holding> =
            now.iter().map(|h| ((h.kind.as_str(), h.name.as_str()), h)).collect();
        let leaving = |change, kind: &str, name: &str, detail: &str| Leaving {
            change,
            kind: kind.to_owned(),
            name: name.to_owned(),
            detail: detail.to_owned(),
        };
        let mut found = Vec::new();
        for ((kind, name), holding) in &after {
            match before.get(&(*kind, *name)) {
                None => {
                    let with_extension = holding
                        .extension
                        .as_deref()
                        .is_some_and(|extension| !before.contains_key(&(EXTENSION, extension)));
                    if !with_extension && *kind != OWNER {
                        found.push(leaving(Change::Made, kind, name, &holding.detail));
                    }
                }
                Some(noted) if noted.digest != digest(holding) => {
                    found.push(leaving(Change::Changed, kind, name, &holding.detail));
                }
                Some(_) => {}
            }
        }
        for ((kind, name), noted) in &before {
            let with_extension = noted
                .extension
                .as_deref()
                .is_some_and(|extension| !after.contains_key(&(EXTENSION, extension)));
            if !after.contains_key(&(*kind, *name)) && !with_extension && *kind != OWNER {
                found.push(leaving(Change::Gone, kind, name, ""));
            }
        }
        found.sort_by(|a, b| (&a.kind, &a.name, a.change).cmp(&(&b.kind, &b.name, b.change)));
        found
    }
}

impl Noted {
    fn of(holding: &Holding) -> Self {
        Self {
            kind: holding.kind.clone(),
            name: holding.name.clone(),
            digest: digest(holding),
            extension: holding.extension.clone(),
        }
    }
}

/// 16 of the 32 bytes, in hexadecimal: enough to tell one from another, and half the room.
fn digest(holding: &Holding) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    // The length keeps the two apart.
    context.update(&(holding.detail.len() as u64).to_be_bytes());
    context.update(holding.detail.as_bytes());
    context.update(holding.hidden.as_bytes());
    let full = context.finish();
    let half =
        full.as_ref().iter().take(16).fold(0, |sum: u128, byte| sum << 8 | u128::from(*byte));
    format!("{half:032x}")
}

#[cfg(test)]
mod tests {
    use super::{Change, Holding, Leaving, Survey};

    fn holding(kind: &str, name: &str, detail: &str) -> Holding {
        let (kind, name, detail) = (kind.to_owned(), name.to_owned(), detail.to_owned());
        Holding { kind, name, detail, ..Holding::default() }
    }

    fn told(before: &[Holding], now: &[Holding]) -> Vec<(Change, String)> {
        let told = |l: Leaving| (l.change, format!("{} {}: {}", l.kind, l.name, l.detail));
        Survey::of(before).compare(now).into_iter().map(told).collect()
    }

    #[test]
    fn what_is_new_other_or_gone_is_told() {
        let before = [
            holding("role", "bob", "login"),
            holding("role", "eve", ""),
            holding("routine", "f()", "sql"),
        ];
        let now = [
            holding("role", "eve", "superuser"),
            holding("routine", "f()", "sql"),
            holding("routine", "g()", "sql"),
        ];
        let expected = [
            (Change::Gone, "role bob: ".to_owned()),
            (Change::Changed, "role eve: superuser".to_owned()),
            (Change::Made, "routine g(): sql".to_owned()),
        ];
        assert_eq!(told(&before, &now), expected);
        assert_eq!(told(&now, &now), []);
    }

    #[test]
    fn a_hidden_part_counts_and_is_not_shown() {
        let before = [Holding { hidden: "one".into(), ..holding("role", "bob", "login") }];
        let now = [Holding { hidden: "two".into(), ..holding("role", "bob", "login") }];
        assert_eq!(told(&before, &now), [(Change::Changed, "role bob: login".to_owned())]);
        // Nor does anything move from one part to the other unseen.
        let moved = [Holding { hidden: "ino".into(), ..holding("role", "bob", "log") }];
        let whole = [Holding { hidden: "o".into(), ..holding("role", "bob", "login") }];
        assert_eq!(told(&whole, &moved).len(), 1);
    }

    #[test]
    fn an_extension_stands_for_what_comes_with_it() {
        let part = |name: &str| Holding {
            extension: Some("pgcrypto".into()),
            ..holding("routine", name, "c")
        };
        let extension = holding("extension", "pgcrypto", "1.3");
        let with = [extension.clone(), part("crypt()")];
        assert_eq!(told(&[], &with), [(Change::Made, "extension pgcrypto: 1.3".to_owned())]);
        assert_eq!(told(&with, &[]), [(Change::Gone, "extension pgcrypto: ".to_owned())]);
        // What is put into one that was there is not covered by it.
        let more = [extension, part("crypt()"), part("evil()")];
        assert_eq!(told(&with, &more), [(Change::Made, "routine evil(): c".to_owned())]);
    }

    #[test]
    fn owners_are_told_when_they_change() {
        let before = [holding("owner", "table public.orders", "shop")];
        let now = [
            holding("owner", "table public.orders", "eve"),
            holding("owner", "table public.new", "shop"),
        ];
        let expected = [(Change::Changed, "owner table public.orders: eve".to_owned())];
        assert_eq!(told(&before, &now), expected);
    }

    #[test]
    fn what_is_remembered_comes_back() {
        let survey = Survey::of(&[holding("role", "a \"b\"\n", "x")]);
        let text = serde_json::to_string(&survey).expect("writes");
        assert_eq!(serde_json::from_str::<Survey>(&text).expect("reads"), survey);
    }
}
