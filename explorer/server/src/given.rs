//! What a request may carry, as data: one description of each parameter checks it, before
//! anything else looks at it, and describes it in the OpenAPI document.

use crate::Refusal;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Longest query string.
pub const MAX_QUERY: usize = 4 * 1024;

/// What a parameter must be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A number.
    Number {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// Text of so many characters at most, not empty, without control characters.
    Text(usize),
    /// A password: any characters.
    Password,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A day, `yyyymmdd`.
    Day,
    /// A month, `yyyymm`.
    Month,
    /// `0x` and 64 digits.
    Hash,
    /// `0x` and so many bytes.
    Bytes(usize),
    /// A DID, or an account as `0x` hash.
    Party,
    /// Code and number of a bill, `12345678-1234567890`.
    Bill,
    /// So many decimal digits, from and to.
    Digits(usize, usize),
    /// A check code (校验码).
    CheckCode,
    /// The filters of a list, whose names are the list's; checked with it.
    Filters,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it must be.
    pub kind: Kind,
    /// Whether it may not be left out.
    pub needed: bool,
    /// What it is for.
    pub about: &'static str,
}

/// A parameter that may be left out.
pub const fn may(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param { name, kind, needed: false, about }
}

/// A parameter that may not be left out.
pub const fn must(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param { name, kind, needed: true, about }
}

/// What was given, checked.
#[derive(Clone, Debug, Default)]
pub struct Given(BTreeMap<&'static str, Checked>);

#[derive(Clone, Debug)]
enum Checked {
    Text(String),
    Number(i64),
    Flag(bool),
    Map(Map<String, Value>),
}

impl Given {
    /// A text; none if it was not given.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Checked::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A text that the description says is needed.
    pub fn needed(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// A number; none if it was not given.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(Checked::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// A flag; none if it was not given.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name) {
            Some(Checked::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// Filters; none if they were not given.
    pub fn map(&self, name: &str) -> Option<&Map<String, Value>> {
        match self.0.get(name) {
            Some(Checked::Map(map)) => Some(map),
            _ => None,
        }
    }

    /// Everything that was given, as one text, for logs.
    pub fn told(&self) -> String {
        let parts = self.0.iter().map(|(name, value)| match value {
            Checked::Text(text) => format!("{name}={text}"),
            Checked::Number(number) => format!("{name}={number}"),
            Checked::Flag(flag) => format!("{name}={flag}"),
            Checked::Map(_) => format!("{name}=…"),
        });
        parts.collect::<Vec<_>>().join("&")
    }

    /// Takes over what another part of the request gave.
    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// What a query string gives.
    ///
    /// # Errors
    /// If it is too long, has a name twice or one that is not described, or a value that
    /// is not what it must be.
    pub fn of_query(query: &str, params: &[Param]) -> Result<Self, Refusal> {
        if query.len() > MAX_QUERY {
            return Err(Refusal::malformed("query", format!("at most {MAX_QUERY} bytes")));
        }
        let pairs = form_urlencoded::parse(query.as_bytes());
        Self::of_texts(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())), params)
    }

    /// What texts by name give.
    ///
    /// # Errors
    /// As those of [`Given::of_query`].
    pub fn of_texts(
        texts: impl IntoIterator<Item = (String, String)>,
        params: &[Param],
    ) -> Result<Self, Refusal> {
        let mut given = BTreeMap::new();
        for (name, value) in texts {
            let param = described(&name, params)?;
            let checked = param.kind.of_text(&value).ok_or_else(|| param.refusal())?;
            if given.insert(param.name, checked).is_some() {
                return Err(Refusal::malformed(param.name, "given once"));
            }
        }
        Self::whole(given, params)
    }

    /// What a JSON object gives; null is as if it were left out.
    ///
    /// # Errors
    /// As those of [`Given::of_query`].
    pub fn of_object(object: Map<String, Value>, params: &[Param]) -> Result<Self, Refusal> {
        let mut given = BTreeMap::new();
        for (name, value) in object {
            let param = described(&name, params)?;
            if !value.is_null() {
                let checked = param.kind.of_json(value).ok_or_else(|| param.refusal())?;
                given.insert(param.name, checked);
            }
        }
        Self::whole(given, params)
    }

    fn whole(given: BTreeMap<&'static str, Checked>, params: &[Param]) -> Result<Self, Refusal> {
        match params.iter().find(|param| param.needed && !given.contains_key(param.name)) {
            Some(missing) => Err(missing.refusal()),
            None => Ok(Self(given)),
        }
    }
}

/// The description of a name.
fn described<'a>(name: &str, params: &'a [Param]) -> Result<&'a Param, Refusal> {
    params.iter().find(|param| param.name == name).ok_or_else(|| {
        let names: Vec<_> = params.iter().map(|param| param.name).collect();
        let expected = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        let name: String = name.chars().take(64).filter(|c| !c.is_control()).collect();
        Refusal::malformed(name, expected)
    })
}

impl Param {
    fn refusal(&self) -> Refusal {
        Refusal::malformed(self.name, self.kind.expected())
    }

    /// Its schema in the OpenAPI document.
    pub fn schema(&self) -> Value {
        self.kind.schema()
    }
}

impl Kind {
    fn of_text(self, text: &str) -> Option<Checked> {
        match self {
            Self::Number { .. } | Self::Day | Self::Month => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let plain = digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit());
                self.of_number(if plain { text.parse().ok()? } else { return None })
            }
            Self::Flag => match text {
                "true" => Some(Checked::Flag(true)),
                "false" => Some(Checked::Flag(false)),
                _ => None,
            },
            Self::Filters => None,
            kind => kind.admits(text).then(|| Checked::Text(text.to_owned())),
        }
    }

    fn of_json(self, value: Value) -> Option<Checked> {
        match (self, value) {
            (Self::Number { .. } | Self::Day | Self::Month, Value::Number(number)) => {
                self.of_number(number.as_i64()?)
            }
            (Self::Flag, Value::Bool(flag)) => Some(Checked::Flag(flag)),
            (Self::Filters, Value::Object(map)) => {
                let few = map.len() <= 32;
                few.then_some(Checked::Map(map))
            }
            (Self::Number { .. } | Self::Day | Self::Month | Self::Flag | Self::Filters, _) => None,
            (kind, Value::String(text)) => kind.admits(&text).then_some(Checked::Text(text)),
            _ => None,
        }
    }

    fn of_number(self, number: i64) -> Option<Checked> {
        let good = match self {
            Self::Number { least, most } => (least..=most).contains(&number),
            Self::Day => crate::time::is_day(number),
            Self::Month => crate::time::is_day(number.saturating_mul(100).saturating_add(1)),
            _ => false,
        };
        good.then_some(Checked::Number(number))
    }

    /// Whether a text is what it must be.
    fn admits(self, text: &str) -> bool {
        let hex = |digits: &str, bytes: usize| {
            digits.len() == 2 * bytes && digits.bytes().all(|b| b.is_ascii_hexdigit())
        };
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Text(most) => {
                let length = text.chars().count();
                (1..=most).contains(&length) && !text.chars().any(char::is_control)
            }
            Self::Password => (1..=128).contains(&text.chars().count()),
            Self::Choice(words) => words.contains(&text),
            Self::Hash => text.strip_prefix("0x").is_some_and(|text| hex(text, 32)),
            Self::Bytes(bytes) => text.strip_prefix("0x").is_some_and(|text| hex(text, bytes)),
            Self::Party => {
                Self::Hash.admits(text)
                    || (text.len() <= 128
                        && text.strip_prefix("did:").is_some_and(|rest| {
                            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic())
                        }))
            }
            Self::Bill => text.split_once('-').is_some_and(|(code, number)| {
                code.len() == 8 && number.len() == 10 && digits(code) && digits(number)
            }),
            Self::Digits(least, most) => (least..=most).contains(&text.len()) && digits(text),
            Self::CheckCode => text.len() == 6 && text.bytes().all(|b| b.is_ascii_alphanumeric()),
            Self::Number { .. } | Self::Flag | Self::Day | Self::Month | Self::Filters => false,
        }
    }

    /// What it must be, in words.
    pub fn expected(self) -> String {
        match self {
            Self::Number { least, most } => format!("a number from {least} to {most}"),
            Self::Text(most) => format!("1 to {most} characters, none of them a control character"),
            Self::Password => "1 to 128 characters".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Flag => "true or false".to_owned(),
            Self::Day => "a day, yyyymmdd".to_owned(),
            Self::Month => "a month, yyyymm".to_owned(),
            Self::Hash => "0x and 64 hexadecimal digits".to_owned(),
            Self::Bytes(bytes) => format!("0x and {} hexadecimal digits", 2 * bytes),
            Self::Party => "a DID, or an account as 0x and 64 hexadecimal digits".to_owned(),
            Self::Bill => "code and number of a bill, 8 digits - 10 digits".to_owned(),
            Self::Digits(least, most) if least == most => format!("{least} digits"),
            Self::Digits(least, most) => format!("{least} to {most} digits"),
            Self::CheckCode => "6 letters or digits".to_owned(),
            Self::Filters => "an object of at most 32 filters of the list".to_owned(),
        }
    }

    /// Its schema in the OpenAPI document.
    pub fn schema(self) -> Value {
        let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
        match self {
            Self::Number { least, most } => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Self::Text(most) => json!({
                "type": "string", "minLength": 1, "maxLength": most,
                "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
            }),
            Self::Password => {
                json!({"type": "string", "minLength": 1, "maxLength": 128, "format": "password"})
            }
            Self::Choice(words) => json!({"type": "string", "enum": words}),
            Self::Flag => json!({"type": "boolean"}),
            Self::Day => {
                json!({"type": "integer", "minimum": 19_000_101, "maximum": 99_991_231, "description": "yyyymmdd"})
            }
            Self::Month => {
                json!({"type": "integer", "minimum": 190_001, "maximum": 999_912, "description": "yyyymm"})
            }
            Self::Hash => text("^0x[0-9a-fA-F]{64}$"),
            Self::Bytes(bytes) => text(&format!("^0x[0-9a-fA-F]{{{}}}$", 2 * bytes)),
            Self::Party => {
                json!({"type": "string", "maxLength": 128, "pattern": "^(0x[0-9a-fA-F]{64}|did:[!-~]+)$"})
            }
            Self::Bill => text("^[0-9]{8}-[0-9]{10}$"),
            Self::Digits(least, most) => text(&format!("^[0-9]{{{least},{most}}}$")),
            Self::CheckCode => text("^[0-9A-Za-z]{6}$"),
            Self::Filters => json!({"type": "object", "maxProperties": 32}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: [Param; 6] = [
        must("n", Kind::Number { least: 1, most: 100 }, ""),
        may("day", Kind::Day, ""),
        may("bill", Kind::Bill, ""),
        may("party", Kind::Party, ""),
        may("text", Kind::Text(4), ""),
        may("on", Kind::Flag, ""),
    ];

    fn refused(query: &str) -> (String, String) {
        let refusal = Given::of_query(query, &PARAMS).err().unwrap_or_else(|| panic!("{query}"));
        assert_eq!(refusal.code, "malformed");
        (refusal.field.unwrap(), refusal.expected.unwrap())
    }

    #[test]
    fn what_fits_is_taken_from_a_query_and_from_json_alike() {
        let query =
            "n=7&day=20240229&bill=31060125-0000000101&party=did:bill:a&text=%E8%B4%A2&on=true";
        let object = json!({
            "n": 7, "day": 20_240_229, "bill": "31060125-0000000101", "party": "did:bill:a", "text": "财", "on": true,
        });
        let Value::Object(object) = object else { unreachable!() };
        for given in
            [Given::of_query(query, &PARAMS).unwrap(), Given::of_object(object, &PARAMS).unwrap()]
        {
            assert_eq!(given.number("n"), Some(7));
            assert_eq!(given.number("day"), Some(20_240_229));
            assert_eq!(given.text("text"), Some("财"));
            assert_eq!(given.flag("on"), Some(true));
            assert_eq!(given.needed("bill"), "31060125-0000000101");
        }
    }

    #[test]
    fn whatever_does_not_fit_is_refused_and_named() {
        for (query, field, expected) in [
            ("", "n", "a number from 1 to 100"),
            ("n=0", "n", "1 to 100"),
            ("n=101", "n", "1 to 100"),
            ("n=1e1", "n", "1 to 100"),
            ("n=%2B1", "n", "1 to 100"),
            ("n=999999999999999999999", "n", "1 to 100"),
            ("n=1&n=1", "n", "given once"),
            ("n=1&day=20230229", "day", "yyyymmdd"),
            ("n=1&day=-20230228", "day", "yyyymmdd"),
            ("n=1&bill=31060125-000000010", "bill", "10 digits"),
            ("n=1&party=0x12", "party", "a DID"),
            ("n=1&party=did:", "party", "a DID"),
            ("n=1&text=", "text", "1 to 4"),
            ("n=1&text=abcde", "text", "1 to 4"),
            ("n=1&text=a%00", "text", "control"),
            ("n=1&on=1", "on", "true or false"),
            ("n=1&other=2", "other", "n, day, bill"),
        ] {
            let (found, said) = refused(query);
            assert_eq!(found, field, "{query}");
            assert!(said.contains(expected), "{query}: {said}");
        }
        assert_eq!(refused(&"n".repeat(MAX_QUERY + 1)).0, "query");
    }

    #[test]
    fn json_of_another_type_is_refused() {
        for value in
            [json!({"n": "1"}), json!({"n": 1.5}), json!({"n": []}), json!({"n": 1, "text": 3})]
        {
            let Value::Object(object) = value else { unreachable!() };
            assert!(Given::of_object(object, &PARAMS).is_err());
        }
    }
}
