//! JSON (RFC 8259) on its way out. Nothing is read here.

use alloc::string::String;
use core::fmt::Write as _;

/// Something that has a form in JSON.
pub(crate) trait Json {
    /// Appends it.
    fn write(&self, out: &mut String);
}

/// An object whose fields are being written.
pub(crate) struct Object<'a> {
    out: &'a mut String,
    is_empty: bool,
}

/// Appends an object with the fields that `fields` gives it.
pub(crate) fn object(out: &mut String, fields: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    fields(&mut Object { out, is_empty: true });
    out.push('}');
}

impl Object<'_> {
    /// Appends a field; no name stands there twice.
    pub(crate) fn field(&mut self, name: &str, value: impl Json) {
        if !self.is_empty {
            self.out.push(',');
        }
        self.is_empty = false;
        name.write(self.out);
        self.out.push(':');
        value.write(self.out);
    }
}

impl<T: Json + ?Sized> Json for &T {
    fn write(&self, out: &mut String) {
        (**self).write(out);
    }
}

impl Json for str {
    fn write(&self, out: &mut String) {
        out.push('"');
        self.chars().for_each(|character| escaped(character, out));
        out.push('"');
    }
}

/// Appends a character of a text. All but `"`, `\` and control characters stand for themselves.
fn escaped(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\0'..' ' => {
            // A `String` takes whatever is written.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        }
        _ => out.push(character),
    }
}

impl Json for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

/// Whole numbers have all their digits.
macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Json for $type {
            fn write(&self, out: &mut String) {
                let _ = write!(out, "{self}");
            }
        }
    )*};
}

numbers!(u16, u32, u64, i64);

impl<T: Json> Json for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: Json> Json for [T] {
    fn write(&self, out: &mut String) {
        out.push('[');
        for (position, value) in self.iter().enumerate() {
            if position != 0 {
                out.push(',');
            }
            value.write(out);
        }
        out.push(']');
    }
}
