//! What a column's name, type, comment and values say about what is in it. Guesses, for people to read.

/// What may be in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sensitive {
    Email,
    Phone,
    Card,
    CardCode,
    Account,
    NationalId,
    BirthDate,
    PersonName,
    StreetAddress,
    Postcode,
    Position,
    NetworkAddress,
    Income,
    Secret,
    Health,
    Trait,
    /// Its comment says so.
    Personal,
}

impl Sensitive {
    /// In words.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Email => "an e-mail address",
            Self::Phone => "a phone number",
            Self::Card => "a card number",
            Self::CardCode => "a card's security code",
            Self::Account => "a bank account",
            Self::NationalId => "an official number of a person",
            Self::BirthDate => "a date of birth",
            Self::PersonName => "a person's name",
            Self::StreetAddress => "an address",
            Self::Postcode => "a postcode",
            Self::Position => "a position",
            Self::NetworkAddress => "a network address",
            Self::Income => "an income",
            Self::Secret => "a secret",
            Self::Health => "health data",
            Self::Trait => "a personal trait",
            Self::Personal => "personal data",
        }
    }
}

/// What a column holds, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Holds {
    Text,
    Integer,
    /// Decimals and floats.
    Number,
    Moment,
    Network,
    Truth,
    Other,
}

impl Holds {
    /// By the type as `format_type` of Postgres prints it, of an array its elements; or as `COLUMN_TYPE` of
    /// MySQL has it: `bigint(20) unsigned`.
    pub(super) fn of(type_name: &str) -> Self {
        // What MySQL and MariaDB make of `boolean`.
        if type_name == "tinyint(1)" {
            return Self::Truth;
        }
        let bare = type_name.trim_end_matches("[]");
        let bare = bare.strip_suffix(" unsigned").unwrap_or(bare);
        let bare = bare.split('(').next().unwrap_or(bare).trim();
        match bare.rsplit('.').next().unwrap_or(bare) {
            "text" | "character varying" | "character" | "citext" | "name" | "\"char\"" => {
                Self::Text
            }
            "varchar" | "char" | "tinytext" | "mediumtext" | "longtext" => Self::Text,
            "smallint" | "integer" | "bigint" | "tinyint" | "mediumint" | "int" => Self::Integer,
            "numeric" | "real" | "double precision" | "decimal" | "float" | "double" => {
                Self::Number
            }
            "date" | "timestamp" | "timestamp with time zone" | "timestamp without time zone" => {
                Self::Moment
            }
            "datetime" => Self::Moment,
            "inet" | "cidr" | "inet4" | "inet6" => Self::Network,
            "boolean" => Self::Truth,
            _ => Self::Other,
        }
    }
}

/// Words of names, in the order in which they are looked for.
const NAMES: &[(Sensitive, &[&str])] = &[
    (
        Sensitive::Secret,
        &["password", "passwd", "passphrase", "pwd", "secret", "token", "otp", "pin"],
    ),
    (
        Sensitive::Secret,
        &["api key", "apikey", "private key", "access key", "totp", "recovery code"],
    ),
    (Sensitive::Email, &["email", "e mail", "mail", "emailaddress"]),
    (Sensitive::CardCode, &["cvv", "cvc", "csc", "card code"]),
    (Sensitive::Card, &["card number", "card no", "cardnumber", "credit card", "cc number", "pan"]),
    (
        Sensitive::Account,
        &["iban", "account number", "bank account", "routing number", "sort code"],
    ),
    (Sensitive::NationalId, &["ssn", "social security", "national id", "personal number", "nino"]),
    (Sensitive::NationalId, &["tax id", "tax number", "tax no", "passport", "driving license"]),
    (Sensitive::NationalId, &["driver license", "drivers license", "id card", "identity number"]),
    (Sensitive::BirthDate, &["dob", "birth", "birthday", "birthdate", "date of birth", "born"]),
    (Sensitive::Phone, &["phone", "mobile", "telephone", "tel", "fax", "cell", "msisdn"]),
    (Sensitive::PersonName, &["first name", "last name", "full name", "given name", "family name"]),
    (Sensitive::PersonName, &["middle name", "maiden name", "surname", "firstname", "lastname"]),
    (Sensitive::PersonName, &["fullname", "nickname", "card holder", "cardholder"]),
    (Sensitive::NetworkAddress, &["ip", "ip address", "ipaddress", "ipaddr", "remote addr"]),
    (Sensitive::StreetAddress, &["street", "address", "addr", "address line"]),
    (Sensitive::Postcode, &["zip", "zip code", "zipcode", "postcode", "postal code"]),
    (Sensitive::Position, &["latitude", "longitude", "lat", "lon", "lng", "geolocation"]),
    (Sensitive::Income, &["salary", "income", "wage", "compensation"]),
    (Sensitive::Health, &["diagnosis", "medical", "allergies", "disability", "medication"]),
    (Sensitive::Trait, &["gender", "ethnicity", "religion", "nationality", "marital status"]),
];

/// Last words that say a column is about something, and not the thing itself.
const ABOUT: [&str; 12] = [
    "at", "on", "count", "id", "type", "status", "verified", "enabled", "template", "subject",
    "length", "attempts",
];

/// Words of comments that say what is in a column is personal.
const PERSONAL: [&str; 9] = [
    "personal",
    "personally",
    "pii",
    "gdpr",
    "sensitive",
    "confidential",
    "private",
    "secret",
    "phi",
];

/// What the name says.
pub(super) fn by_name(name: &str, holds: Holds) -> Option<Sensitive> {
    let words = words(name);
    let last = words.last()?;
    NAMES.iter().find_map(|(sensitive, phrases)| {
        let said = |phrase: &&str| {
            let parts: Vec<&str> = phrase.split(' ').collect();
            let found = words.windows(parts.len()).any(|window| window == parts);
            found && (!ABOUT.contains(&last.as_str()) || parts.last() == Some(&last.as_str()))
        };
        (phrases.iter().any(said) && can_hold(*sensitive, holds)).then_some(*sensitive)
    })
}

/// What the comment says.
pub(super) fn by_comment(comment: &str) -> Option<&'static str> {
    let words = words(comment);
    PERSONAL.into_iter().find(|word| words.iter().any(|said| said == word))
}

/// True if such a thing can stand in such a column: `email_sent timestamp` holds no address.
fn can_hold(sensitive: Sensitive, holds: Holds) -> bool {
    use Sensitive as S;
    match holds {
        Holds::Text => true,
        Holds::Truth => matches!(sensitive, S::Health | S::Trait),
        Holds::Moment => sensitive == S::BirthDate,
        Holds::Network => sensitive == S::NetworkAddress,
        Holds::Integer => !matches!(
            sensitive,
            S::Email | S::PersonName | S::StreetAddress | S::NetworkAddress | S::Position
        ),
        Holds::Number => matches!(sensitive, S::Income | S::Position | S::NationalId | S::Phone),
        Holds::Other => !matches!(sensitive, S::Income | S::Trait | S::Postcode),
    }
}

/// The algorithm that fits, as it is written in a rule.
pub(super) fn algorithm(sensitive: Sensitive, holds: Holds) -> &'static str {
    use Sensitive as S;
    match (holds, sensitive) {
        (Holds::Text, S::Email) => "email",
        (Holds::Text, S::Phone) => "inner(0, 2)",
        (Holds::Text, S::Card) => "card",
        (Holds::Text, S::Account | S::NationalId) => "inner(0, 4)",
        (Holds::Text, S::Postcode) => "inner(2, 0)",
        (_, S::CardCode | S::Secret) => "null",
        (Holds::Text, _) => "full",
        (Holds::Moment, S::BirthDate) => "truncate(year)",
        (Holds::Integer | Holds::Number, S::Income) => "bucket(10000)",
        (Holds::Integer, S::Postcode) => "bucket(1000)",
        (Holds::Number, S::Position) => "bucket(1)",
        (
            Holds::Integer
            | Holds::Number
            | Holds::Moment
            | Holds::Network
            | Holds::Truth
            | Holds::Other,
            _,
        ) => "null",
    }
}

/// A name's or text's words in small letters: `birthDate`, `birth_date` and `Birth-Date` alike.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in text.chars() {
        if c.is_alphanumeric() {
            let begins = !before.is_alphanumeric()
                || (c.is_uppercase() && before.is_lowercase())
                || (c.is_ascii_digit() != before.is_ascii_digit());
            if begins {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(c.to_lowercase());
            }
        }
        before = c;
    }
    words.retain(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
    words
}

/// A shape that values have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape {
    pub(super) sensitive: Sensitive,
    /// How many values have it.
    pub(super) matching: usize,
    /// How many were looked at.
    pub(super) of: usize,
}

/// Whether a value has a shape.
type Fits = fn(&str) -> bool;

/// In the order in which they are looked for.
const SHAPES: [(Sensitive, Fits); 5] = [
    (Sensitive::Email, is_email),
    (Sensitive::Account, is_iban),
    (Sensitive::Card, is_card),
    (Sensitive::NetworkAddress, is_network_address),
    (Sensitive::Phone, is_phone),
];

/// The fewest values that say anything.
const VALUES_MIN: usize = 5;

/// What most of the values look like.
pub(super) fn by_values<'v>(values: impl Iterator<Item = &'v str> + Clone) -> Option<Shape> {
    let values = values.map(str::trim).filter(|value| !value.is_empty());
    let of = values.clone().count();
    SHAPES.into_iter().find_map(|(sensitive, fits)| {
        let matching = values.clone().filter(|value| fits(value)).count();
        // Three in five: the rest may be rubbish, or of another country.
        (of >= VALUES_MIN && matching * 5 >= of * 3).then_some(Shape { sensitive, matching, of })
    })
}

fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else { return false };
    !local.is_empty()
        && !value.contains(char::is_whitespace)
        && !domain.contains('@')
        && domain.split_once('.').is_some_and(|(name, rest)| !name.is_empty() && rest.len() > 1)
}

/// 13 to 19 digits, in groups or not, whose check digit is right.
fn is_card(value: &str) -> bool {
    let digits: Vec<u32> = value.chars().filter_map(|c| c.to_digit(10)).collect();
    let plain = value.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-');
    let doubled = |(at, digit): (usize, &u32)| match at % 2 {
        0 => *digit,
        _ if *digit > 4 => digit * 2 - 9,
        _ => digit * 2,
    };
    plain
        && (13..=19).contains(&digits.len())
        && digits.iter().any(|digit| *digit != 0)
        && digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

/// Two letters, two digits, up to thirty more, with the remainder 1 that they must have.
fn is_iban(value: &str) -> bool {
    let plain: String = value.chars().filter(|c| *c != ' ').collect();
    let Some((country, rest)) = plain.split_at_checked(2) else { return false };
    let Some((check, account)) = rest.split_at_checked(2) else { return false };
    let whole = format!("{account}{country}{check}");
    let fits = (11..=30).contains(&account.len())
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && check.bytes().all(|b| b.is_ascii_digit())
        && account.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    let remainder = whole
        .chars()
        .filter_map(|c| c.to_digit(36))
        .fold(0, |remainder, digit| (remainder * if digit > 9 { 100 } else { 10 } + digit) % 97);
    fits && remainder == 1
}

fn is_network_address(value: &str) -> bool {
    let address = value.split_once('/').map_or(value, |(address, _)| address);
    address.parse::<std::net::IpAddr>().is_ok()
}

/// 7 to 15 digits with what people put between them: a plus, a bracket or groups, or it is a number.
fn is_phone(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let plain = value.chars().all(|c| c.is_ascii_digit() || " +-/().".contains(c));
    let marked = value.starts_with('+')
        || value.starts_with("00")
        || value.starts_with('(')
        || (value.starts_with('0') && value.contains([' ', '-', '/']));
    (7..=15).contains(&digits) && plain && marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_in_them() {
        for (name, type_name, wanted) in [
            ("email", "text", Some(Sensitive::Email)),
            ("contactEmail", "character varying(80)", Some(Sensitive::Email)),
            ("E-Mail", "public.citext", Some(Sensitive::Email)),
            ("email_sent_at", "timestamp with time zone", None),
            ("email_verified", "boolean", None),
            ("email_id", "bigint", None),
            ("national_id", "text", Some(Sensitive::NationalId)),
            ("birth_date", "date", Some(Sensitive::BirthDate)),
            ("card_number", "text", Some(Sensitive::Card)),
            ("salary", "numeric(10,2)", Some(Sensitive::Income)),
            ("password_hash", "text", Some(Sensitive::Secret)),
            ("phone2", "text", Some(Sensitive::Phone)),
            ("client_ip", "inet", Some(Sensitive::NetworkAddress)),
            ("ship", "text", None),
            ("span", "text", None),
            ("name", "text", None),
            ("city", "text", None),
        ] {
            assert_eq!(by_name(name, Holds::of(type_name)), wanted, "{name} {type_name}");
        }
    }

    #[test]
    fn comments_say_so_in_words_of_their_own() {
        assert_eq!(by_comment("where we write; PII"), Some("pii"));
        assert_eq!(by_comment("Personal data (GDPR)"), Some("personal"));
        assert_eq!(by_comment("the topping"), None);
        assert_eq!(by_comment("impersonally"), None);
    }

    #[test]
    fn shapes_are_checked_by_their_check_digits() {
        assert!(is_card("4111 1111 1111 1111") && is_card("5500000000000004"));
        assert!(!is_card("4111111111111112") && !is_card("0000000000000000"));
        assert!(is_iban("DE89 3704 0044 0532 0130 00") && is_iban("GB82WEST12345698765432"));
        assert!(!is_iban("DE89370400440532013001") && !is_iban("éé89370400440532013001"));
        assert!(
            is_email("a@b.co") && !is_email("a@b") && !is_email("a b@c.de") && !is_email("@b.co")
        );
        assert!(is_network_address("10.0.0.1/8") && is_network_address("::1"));
        assert!(!is_network_address("10.0.0"));
        assert!(is_phone("+49 30 1234567") && is_phone("(030) 123-4567"));
        assert!(!is_phone("20260101") && !is_phone("1234567"));
    }

    #[test]
    fn most_of_the_values_decide() {
        let mostly = ["a@b.co", "c@d.com", "e@f.org", "none", " ", "g@h.io"];
        let wanted = Shape { sensitive: Sensitive::Email, matching: 4, of: 5 };
        assert_eq!(by_values(mostly.into_iter()), Some(wanted));
        assert_eq!(by_values(mostly.into_iter().take(4)), None, "too few to say");
        assert_eq!(by_values(["x", "y", "z", "a@b.co", "c@d.co"].into_iter()), None);
    }

    #[test]
    fn every_algorithm_that_is_proposed_can_be_read() {
        use crate::kernel::mask::Algorithm;
        let holds = [
            Holds::Text,
            Holds::Integer,
            Holds::Number,
            Holds::Moment,
            Holds::Network,
            Holds::Truth,
            Holds::Other,
        ];
        for (sensitive, _) in NAMES.iter().chain(&[(Sensitive::Personal, [].as_slice())]) {
            for holds in holds {
                let written = algorithm(*sensitive, holds);
                assert!(written.parse::<Algorithm>().is_ok(), "{written}");
            }
        }
    }
}
