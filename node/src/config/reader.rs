//! Reads typed values out of a TOML table and collects every problem.

use super::named::{Kind, Named};
use std::{
    fmt::Display,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};
use toml::{Table, Value};

/// Takes keys out of a table; what is left at the end is unknown.
pub(super) struct Reader {
    rest: Table,
    base: PathBuf,
    named: Vec<Named>,
    problems: Vec<String>,
}

impl Reader {
    /// Of a file's contents, with paths relative to `base`.
    pub(super) fn new(text: &str, base: &Path) -> Result<Self, Vec<String>> {
        let rest: Table =
            text.parse().map_err(|e: toml::de::Error| vec![format!("not TOML: {e}")])?;
        Ok(Self { rest, base: base.into(), named: Vec::new(), problems: Vec::new() })
    }

    /// Records a problem of `key`.
    pub(super) fn problem(&mut self, key: &str, problem: impl Display) {
        self.problems.push(format!("{key}: {problem}"));
    }

    /// Looks whether what was named so far is there; what is not is a problem.
    pub(super) fn look(&mut self) {
        for named in std::mem::take(&mut self.named) {
            if let Some(problem) = named.problem() {
                self.problem(&named.key, problem);
            }
        }
    }

    /// Every problem, the unknown keys last.
    pub(super) fn finish(mut self) -> Vec<String> {
        for (name, value) in &self.rest {
            match value {
                Value::Table(section) => self
                    .problems
                    .extend(section.keys().map(|key| format!("{name}.{key}: unknown key"))),
                _ => self.problems.push(format!("{name}: unknown key")),
            }
        }
        self.problems
    }

    /// Removes the value of `section.key` or `key`.
    fn take(&mut self, key: &str) -> Option<Value> {
        match key.split_once('.') {
            None => self.rest.remove(key),
            Some((section, key)) => match self.rest.get_mut(section)? {
                Value::Table(table) => table.remove(key),
                _ => None,
            },
        }
    }

    fn string(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => {
                self.problem(key, format_args!("expected a string, found {}", other.type_str()));
                None
            }
        }
    }

    /// A required, non-empty text.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.parsed(key, None, |text| match text.trim() {
            "" => Err("must not be empty".into()),
            text => Ok(text.to_owned()),
        })
    }

    /// A text in a form of its own; required unless there is a default.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        default: Option<&str>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let before = self.problems.len();
        let text = match (self.string(key), default) {
            (Some(text), _) => text,
            (None, Some(default)) if self.problems.len() == before => default.to_owned(),
            (None, _) => {
                if self.problems.len() == before {
                    self.problem(key, "is required");
                }
                return None;
            }
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problem(key, format_args!("{problem}, found \"{text}\""));
                None
            }
        }
    }

    /// A required path, and what is expected there.
    pub(super) fn path(&mut self, key: &str, kind: Kind) -> Option<PathBuf> {
        let text = self.text(key)?;
        Some(self.name(key, &text, kind))
    }

    /// A path that may be left out, and what is expected there.
    pub(super) fn optional_path(&mut self, key: &str, kind: Kind) -> Option<PathBuf> {
        let text = self.string(key)?;
        Some(self.name(key, &text, kind))
    }

    /// A text that may be left out, without blanks around it.
    pub(super) fn optional_text(&mut self, key: &str) -> Option<String> {
        self.string(key).map(|text| text.trim().to_owned())
    }

    /// Notes a path that `key` names, and what is expected there.
    pub(super) fn name(&mut self, key: &str, text: &str, kind: Kind) -> PathBuf {
        let path = self.base.join(text);
        self.named.push(Named { key: key.to_owned(), path: path.clone(), kind });
        path
    }

    /// A list of texts in a form of their own; empty by default.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let items = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.problem(key, format_args!("expected a list, found {}", other.type_str()));
                return Vec::new();
            }
        };
        let mut parsed = Vec::with_capacity(items.len());
        for (position, item) in items.iter().enumerate() {
            let result = match item {
                Value::String(text) => parse(text),
                other => Err(format!("expected a string, found {}", other.type_str())),
            };
            match result {
                Ok(value) => parsed.push(value),
                Err(problem) => self.problem(&format!("{key}[{position}]"), problem),
            }
        }
        parsed
    }

    /// A whole number within bounds.
    pub(super) fn number<N>(
        &mut self,
        key: &str,
        default: N,
        bounds: RangeInclusive<N>,
    ) -> Option<N>
    where
        N: Copy + PartialOrd + Display + TryFrom<i64>,
    {
        let Some(value) = self.take(key) else { return Some(default) };
        self.checked(key, &value, bounds)
    }

    /// A whole number within bounds that may be left out.
    pub(super) fn optional_number<N>(&mut self, key: &str, bounds: RangeInclusive<N>) -> Option<N>
    where
        N: Copy + PartialOrd + Display + TryFrom<i64>,
    {
        let value = self.take(key)?;
        self.checked(key, &value, bounds)
    }

    fn checked<N>(&mut self, key: &str, value: &Value, bounds: RangeInclusive<N>) -> Option<N>
    where
        N: Copy + PartialOrd + Display + TryFrom<i64>,
    {
        let number = value.as_integer().and_then(|n| N::try_from(n).ok());
        match number {
            Some(number) if bounds.contains(&number) => Some(number),
            _ => {
                self.problem(
                    key,
                    format_args!(
                        "expected a whole number from {} to {}, found {value}",
                        bounds.start(),
                        bounds.end()
                    ),
                );
                None
            }
        }
    }

    /// A duration in milliseconds within bounds.
    pub(super) fn millis(
        &mut self,
        key: &str,
        default: u64,
        bounds: RangeInclusive<u64>,
    ) -> Option<Duration> {
        self.number(key, default, bounds).map(Duration::from_millis)
    }
}
