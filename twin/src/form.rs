//! Forms: what bytes of a certificate mean, and how JSON says it. Each is read and written.

use crate::{json::Json, wrong::Wrong};

/// A field of an object, in the order of the bytes.
pub(crate) type Field = (&'static str, Form);

/// One of several: the bytes that tell it, its name, and what follows.
pub(crate) type Case = (&'static [u8], &'static str, &'static [Field]);

type Read = fn(&mut Input<'_>) -> Result<Json, Wrong>;

type Write = fn(&Json, &mut Vec<u8>) -> Result<(), Wrong>;

/// The field that names a case.
pub(crate) const KIND: &str = "kind";

/// The form of some bytes.
pub(crate) enum Form {
    /// These bytes, which stand for the number of a format.
    Fixed(&'static [u8], i64),
    /// An unsigned number of so many bytes, the highest first.
    Big(usize),
    /// An unsigned number of so many bytes, the lowest first.
    Little(usize),
    /// A number with a sign of so many bytes, the lowest first.
    Signed(usize),
    /// A `compact` number up to this one.
    Compact(u64),
    /// So many bytes.
    Hex(usize),
    /// So many characters of ASCII.
    Ascii(usize),
    /// A `text` of at most so many bytes, which is UTF-8.
    Text(usize),
    /// A `text` of at most so many bytes, which are any.
    Blob(usize),
    /// `bytes`.
    Bytes,
    /// `bytes` that are UTF-8.
    Utf8,
    /// `bytes` that are in a form.
    Whole(&'static Form),
    /// A `text` of at most so many bytes that are in a form.
    Item(usize, &'static Form),
    /// A byte: the place of one of these names.
    Name(&'static [&'static str]),
    /// An optional value.
    Optional(&'static Form),
    /// A number of values, which is at most this, and the values.
    List(Count, usize, &'static Form),
    /// One behind the other.
    Fields(&'static [Field]),
    /// The first whose bytes are there.
    Choice(&'static [Case]),
    /// Whatever these read and write.
    Custom(Read, Write),
}

/// How the number of a list's values stands before them.
#[derive(Clone, Copy)]
pub(crate) enum Count {
    /// `u8`.
    Byte,
    /// `u16`.
    Two,
    /// `compact`.
    Compact,
}

/// Bytes that are not read yet.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Wrong> {
        let short = || Wrong::new("the certificate, or the part that holds it, is cut short");
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(short)?;
        self.0 = rest;
        Ok(taken)
    }

    /// That nothing is left.
    pub(crate) fn end(&self) -> Result<(), Wrong> {
        if self.0.is_empty() { Ok(()) } else { Err(Wrong::new("bytes follow its end")) }
    }

    /// An unsigned number of at most 8 bytes, the highest first.
    pub(crate) fn big(&mut self, count: usize) -> Result<u64, Wrong> {
        Ok(self.take(count)?.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    }

    /// An unsigned number of at most 8 bytes, the lowest first.
    fn little(&mut self, count: usize) -> Result<u64, Wrong> {
        Ok(self.take(count)?.iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    }

    /// A number with a sign of at most 16 bytes, the lowest first.
    fn signed(&mut self, count: usize) -> Result<i128, Wrong> {
        let bytes = self.take(count)?;
        let sign = if bytes.last().is_some_and(|last| *last >= 0x80) { -1 } else { 0 };
        Ok(bytes.iter().rev().fold(sign, |sum, byte| (sum << 8) | i128::from(*byte)))
    }

    fn compact(&mut self, most: u64) -> Result<u64, Wrong> {
        let first = self.little(1)?;
        let (value, least) = match first & 3 {
            0 => (first >> 2, 0),
            1 => ((first | (self.little(1)? << 8)) >> 2, 1 << 6),
            2 => ((first | (self.little(3)? << 8)) >> 2, 1 << 14),
            _ => match first >> 2 {
                0 => (self.little(4)?, 1 << 30),
                more @ 1..=4 => {
                    let count = 4 + more;
                    (
                        self.little(usize::try_from(count).unwrap_or_default())?,
                        1 << (8 * (count - 1)),
                    )
                }
                _ => return Err(Wrong::new("a compact number is too large")),
            },
        };
        if value < least || value > most {
            return Err(Wrong::new("a compact number is too large, or not in its shortest form"));
        }
        Ok(value)
    }

    /// As many bytes as a `u16` before them says.
    fn part(&mut self) -> Result<&'a [u8], Wrong> {
        let count = self.big(2)?;
        self.take(length(count))
    }

    /// As many bytes as a `compact` before them says.
    fn scale_part(&mut self, most: usize) -> Result<&'a [u8], Wrong> {
        let count = self.compact(most as u64)?;
        self.take(length(count))
    }
}

/// A length that was read: of no more than the input has, or it is refused there.
fn length(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl Form {
    /// What the bytes say.
    pub(crate) fn read(&self, input: &mut Input<'_>) -> Result<Json, Wrong> {
        Ok(match self {
            Self::Fixed(bytes, number) => {
                if input.take(bytes.len())? != *bytes {
                    return Err(Wrong::new("it is no certificate of this format"));
                }
                Json::Number(*number)
            }
            Self::Big(count) => Json::of_number(input.big(*count)?.into()),
            Self::Little(count) => Json::of_number(input.little(*count)?.into()),
            Self::Signed(count) => Json::of_number(input.signed(*count)?),
            Self::Compact(most) => Json::of_number(input.compact(*most)?.into()),
            Self::Hex(count) => Json::of_bytes(input.take(*count)?),
            Self::Ascii(count) => ascii(input.take(*count)?)?,
            Self::Text(most) => utf8(input.scale_part(*most)?)?,
            Self::Blob(most) => Json::of_bytes(input.scale_part(*most)?),
            Self::Bytes => Json::of_bytes(input.part()?),
            Self::Utf8 => utf8(input.part()?)?,
            Self::Whole(form) => form.read_whole(input.part()?)?,
            Self::Item(most, form) => form.read_whole(input.scale_part(*most)?)?,
            Self::Name(names) => {
                let place = length(input.big(1)?);
                let name = names.get(place).ok_or_else(|| unknown_byte(place))?;
                Json::Text((*name).into())
            }
            Self::Optional(form) => match input.big(1)? {
                0 => Json::Null,
                1 => form.read(input)?,
                other => return Err(unknown_byte(length(other))),
            },
            Self::List(count, most, form) => read_list(*count, *most, form, input)?,
            Self::Fields(fields) => Json::Object(read_fields(fields, input)?),
            Self::Choice(cases) => read_choice(cases, input)?,
            Self::Custom(read, _) => read(input)?,
        })
    }

    fn read_whole(&self, bytes: &[u8]) -> Result<Json, Wrong> {
        let mut input = Input::new(bytes);
        let json = self.read(&mut input)?;
        input.end()?;
        Ok(json)
    }

    /// Adds the bytes that say it.
    pub(crate) fn write(&self, json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
        match self {
            Self::Fixed(bytes, number) => {
                if *json != Json::Number(*number) {
                    return Err(json.other(&format!("format {number}")));
                }
                out.extend_from_slice(bytes);
            }
            Self::Big(count) => {
                let bytes = number(json, *count, false)?;
                out.extend(bytes.iter().take(*count).rev());
            }
            Self::Little(count) => out.extend(number(json, *count, false)?.iter().take(*count)),
            Self::Signed(count) => out.extend(number(json, *count, true)?.iter().take(*count)),
            Self::Compact(most) => {
                let expected = || json.other(&format!("a number from 0 to {most}"));
                let value = u64::try_from(json.number()?).ok().filter(|value| value <= most);
                put_compact(value.ok_or_else(expected)?, out);
            }
            Self::Hex(count) => out.extend(exactly(json.bytes()?, *count, json)?),
            Self::Ascii(count) => out.extend(exactly(json.text()?.into(), *count, json)?),
            Self::Text(most) => put_scale_part(json.text()?.as_bytes(), *most, out)?,
            Self::Blob(most) => put_scale_part(&json.bytes()?, *most, out)?,
            Self::Bytes => put_part(&json.bytes()?, out)?,
            Self::Utf8 => put_part(json.text()?.as_bytes(), out)?,
            Self::Whole(form) => put_part(&form.written(json)?, out)?,
            Self::Item(most, form) => put_scale_part(&form.written(json)?, *most, out)?,
            Self::Name(names) => {
                let text = json.text()?;
                let place = (0..).zip(*names).find(|(_, name)| **name == text);
                let (place, _) = place.ok_or_else(|| json.other(&names.join(", ")))?;
                out.push(place);
            }
            Self::Optional(_) if *json == Json::Null => out.push(0),
            Self::Optional(form) => {
                out.push(1);
                form.write(json, out)?;
            }
            Self::List(count, most, form) => {
                put_count(*count, *most, json.list()?.len(), out)?;
                write_list(form, json, out)?;
            }
            Self::Fields(fields) => {
                json.only(fields.iter().map(|(name, _)| *name))?;
                write_fields(fields, json, out)?;
            }
            Self::Choice(cases) => write_choice(cases, json, out)?,
            Self::Custom(_, write) => write(json, out)?,
        }
        Ok(())
    }

    fn written(&self, json: &Json) -> Result<Vec<u8>, Wrong> {
        let mut bytes = Vec::new();
        self.write(json, &mut bytes)?;
        Ok(bytes)
    }
}

fn unknown_byte(byte: usize) -> Wrong {
    Wrong::new(format!("byte {byte} has no meaning here"))
}

fn utf8(bytes: &[u8]) -> Result<Json, Wrong> {
    let text = str::from_utf8(bytes).map_err(|_| Wrong::new("a text is not UTF-8"))?;
    Ok(Json::Text(text.into()))
}

fn ascii(bytes: &[u8]) -> Result<Json, Wrong> {
    if !bytes.is_ascii() {
        return Err(Wrong::new("a text is not ASCII"));
    }
    utf8(bytes)
}

fn read_list(count: Count, most: usize, form: &Form, input: &mut Input<'_>) -> Result<Json, Wrong> {
    let found = match count {
        Count::Byte => input.big(1)?,
        Count::Two => input.big(2)?,
        Count::Compact => input.compact(u64::from(u32::MAX))?,
    };
    let found = length(found);
    if found > most {
        return Err(Wrong::new(format!("a list of {found}, expected at most {most}")));
    }
    read_values(found, form, input).map(Json::List)
}

/// Reads so many values.
pub(crate) fn read_values(
    count: usize,
    form: &Form,
    input: &mut Input<'_>,
) -> Result<Vec<Json>, Wrong> {
    let value = |place| form.read(input).map_err(|wrong| wrong.at_place(place));
    (0..count).map(value).collect()
}

/// Reads fields one behind the other.
pub(crate) fn read_fields(
    fields: &[Field],
    input: &mut Input<'_>,
) -> Result<Vec<(String, Json)>, Wrong> {
    let mut read = Vec::with_capacity(fields.len());
    for (name, form) in fields {
        let value = form.read(input).map_err(|wrong| wrong.within(name))?;
        read.push(((*name).to_owned(), value));
    }
    Ok(read)
}

fn read_choice(cases: &[Case], input: &mut Input<'_>) -> Result<Json, Wrong> {
    let found = cases.iter().find(|(bytes, ..)| input.0.starts_with(bytes));
    let (bytes, name, fields) = found.ok_or_else(|| match input.0.first() {
        Some(byte) => unknown_byte((*byte).into()).within(KIND),
        None => Wrong::new("it is cut short").within(KIND),
    })?;
    input.take(bytes.len())?;
    let kind = (KIND.to_owned(), Json::Text((*name).into()));
    let fields = read_fields(fields, input)?;
    Ok(Json::Object([kind].into_iter().chain(fields).collect()))
}

/// The bytes of a number, the lowest first; the first `count` of them hold it.
fn number(json: &Json, count: usize, signed: bool) -> Result<[u8; 16], Wrong> {
    let value = json.number()?;
    let bits = u32::try_from(8 * count).unwrap_or(128);
    let fits = if signed {
        // What is shifted out is the sign alone.
        let rest = 128_u32.saturating_sub(bits);
        (value << rest) >> rest == value
    } else {
        value >= 0 && value.checked_shr(bits).is_none_or(|above| above == 0)
    };
    if fits {
        Ok(value.to_le_bytes())
    } else {
        let sign = if signed { "with a sign" } else { "without a sign" };
        Err(json.other(&format!("a number of {count} bytes {sign}")))
    }
}

fn exactly(bytes: Vec<u8>, count: usize, json: &Json) -> Result<Vec<u8>, Wrong> {
    if bytes.len() == count { Ok(bytes) } else { Err(json.other(&format!("{count} bytes"))) }
}

fn put_compact(value: u64, out: &mut Vec<u8>) {
    let bytes = value.to_le_bytes();
    // Two bits say how it is written, and in the last form how many bytes follow.
    let (tag, count) = match value {
        0..0x40 => (0, 1),
        0x40..0x4000 => (1, 2),
        0x4000..0x4000_0000 => (2, 4),
        _ => {
            let count = bytes.iter().rposition(|byte| *byte != 0).map_or(4, |last| last + 1).max(4);
            out.push(u8::try_from(4 * count).unwrap_or(u8::MAX) - 13);
            return out.extend(bytes.iter().take(count));
        }
    };
    out.extend(((value << 2) | tag).to_le_bytes().iter().take(count));
}

fn put_part(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Wrong> {
    let count = u16::try_from(bytes.len());
    let too_long = |_| Wrong::new(format!("{} bytes, expected at most 65535", bytes.len()));
    out.extend(count.map_err(too_long)?.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

fn put_scale_part(bytes: &[u8], most: usize, out: &mut Vec<u8>) -> Result<(), Wrong> {
    if bytes.len() > most {
        return Err(Wrong::new(format!("{} bytes, expected at most {most}", bytes.len())));
    }
    put_compact(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
    Ok(())
}

fn put_count(count: Count, most: usize, found: usize, out: &mut Vec<u8>) -> Result<(), Wrong> {
    let expected = || Wrong::new(format!("a list of {found}, expected at most {most}"));
    if found > most {
        return Err(expected());
    }
    match count {
        Count::Byte => out.push(u8::try_from(found).map_err(|_| expected())?),
        Count::Two => out.extend(u16::try_from(found).map_err(|_| expected())?.to_be_bytes()),
        Count::Compact => put_compact(found as u64, out),
    }
    Ok(())
}

/// Adds the values of a list, without their number.
pub(crate) fn write_list(form: &Form, json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    let mut values = (0..).zip(json.list()?);
    values.try_for_each(|(place, value)| {
        form.write(value, out).map_err(|wrong| wrong.at_place(place))
    })
}

/// Adds these fields of an object, whatever others it has.
pub(crate) fn write_fields(fields: &[Field], json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    fields.iter().try_for_each(|(name, form)| {
        form.write(json.field(name)?, out).map_err(|wrong| wrong.within(name))
    })
}

fn write_choice(cases: &[Case], json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    let kind = json.field(KIND)?;
    let name = kind.text().map_err(|wrong| wrong.within(KIND))?;
    let found = cases.iter().find(|(_, known, _)| *known == name);
    let (bytes, _, fields) = found.ok_or_else(|| {
        let names: Vec<&str> = cases.iter().map(|(_, name, _)| *name).collect();
        kind.other(&names.join(", ")).within(KIND)
    })?;
    json.only([KIND].into_iter().chain(fields.iter().map(|(name, _)| *name)))?;
    out.extend_from_slice(bytes);
    write_fields(fields, json, out)
}
