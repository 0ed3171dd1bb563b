//! Names that stand twice in an object of JSON. Which of the two values counts
//! is every reader's own choice, so what a client signs and what the node reads
//! could differ: it is refused wherever it stands.

use std::{borrow::Cow, collections::HashSet};

/// serde_json's own name for a number whose digits are kept: an object with it
/// would be read as a number.
const RESERVED: &str = "$serde_json::private::";

/// Deepest nesting that is read: serde_json's.
const MAX_DEPTH: usize = 128;
/// Most values in one request: each takes many times its text in memory.
const MAX_VALUES: usize = 65_536;

/// What is wrong with the names, or the nesting, of valid JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    /// It stands twice in one object, or is one that no object may have.
    #[error("each name of an object once (\"{0}\" is not)")]
    Repeated(String),
    #[error("at most {MAX_DEPTH} levels of nesting")]
    TooDeep,
    #[error("at most {MAX_VALUES} values")]
    TooManyValues,
}

/// Checks the names of `json`, which is valid JSON.
pub(super) fn check_names(json: &str) -> Result<(), Flaw> {
    // One set an open object, `None` an open list. Whether the next text is a
    // name: it is followed by a colon.
    let mut open: Vec<Option<HashSet<Cow<'_, str>>>> = Vec::new();
    let bytes = json.as_bytes();
    let (mut at, mut values) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        // Each value but a list's or an object's first one follows a comma.
        if matches!(byte, b',' | b'[' | b'{') {
            values += 1;
            if values > MAX_VALUES {
                return Err(Flaw::TooManyValues);
            }
        }
        match byte {
            b'{' | b'[' if open.len() == MAX_DEPTH => return Err(Flaw::TooDeep),
            b'{' => open.push(Some(HashSet::new())),
            b'[' => open.push(None),
            b'}' | b']' => {
                open.pop();
            }
            b'"' => {
                let end = end_of_text(bytes, at);
                if is_name(bytes, end)
                    && let Some(Some(names)) = open.last_mut()
                {
                    let name = unescaped(&json[at..end]);
                    if name.starts_with(RESERVED) || names.contains(&name) {
                        return Err(Flaw::Repeated(name.chars().take(64).collect()));
                    }
                    names.insert(name);
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Behind the closing quote of the text that begins at `at`.
fn end_of_text(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'\\' => end += 2,
            b'"' => return end + 1,
            _ => end += 1,
        }
    }
    bytes.len()
}

fn is_name(bytes: &[u8], end: usize) -> bool {
    let next = bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace());
    next == Some(&b':')
}

/// A text in quotes, without them and its escapes.
fn unescaped(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if inner.contains('\\') {
        serde_json::from_str::<String>(quoted).map_or(Cow::Borrowed(inner), Cow::Owned)
    } else {
        Cow::Borrowed(inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_found_wherever_it_stands() {
        for (json, expected) in [
            (r#"{"a":1,"a":2}"#, Some("a")),
            (r#"{"a":1,"\u0061":2}"#, Some("a")),
            (r#"{"a":1, "b" : {"c":[{"d":1},{"d":2,"d":3}]}}"#, Some("d")),
            (r#"[{"a":1},{"a":1}]"#, None),
            (r#"{"a":"a","b":"a"}"#, None),
            (r#"{"a":{"a":{"a":1}}}"#, None),
            (r#"{"a":["b","b"],"b":"\"a\":1"}"#, None),
            (r#"{"a\"":1,"a":2}"#, None),
            (r#"{"$serde_json::private::Number":"7"}"#, Some("$serde_json::private::Number")),
            (r#""a""#, None),
            ("7", None),
        ] {
            let expected = expected.map_or(Ok(()), |name| Err(Flaw::Repeated(name.to_owned())));
            assert_eq!(check_names(json), expected, "{json}");
        }
    }

    #[test]
    fn nesting_and_values_are_bounded() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check_names(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(check_names(&nested(MAX_DEPTH + 1)), Err(Flaw::TooDeep));
        let named = |count| {
            let names: Vec<_> = (0..count).map(|name| format!("\"{name}\":0")).collect();
            format!("{{{}}}", names.join(","))
        };
        assert_eq!(check_names(&named(MAX_VALUES)), Ok(()));
        assert_eq!(check_names(&named(MAX_VALUES + 1)), Err(Flaw::TooManyValues));
        let listed = |count| format!("[{}]", vec!["0"; count].join(","));
        assert_eq!(check_names(&listed(MAX_VALUES)), Ok(()));
        assert_eq!(check_names(&listed(MAX_VALUES + 1)), Err(Flaw::TooManyValues));
    }
}
