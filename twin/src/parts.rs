//! Parts of the state in certificates of ranges and of months: which values they show follows
//! from what is asked, and from what is in the group.

use crate::{
    bill::{BILL, TALLY},
    form::{Field, Form, Input, read_fields, write_fields},
    json::Json,
    place::PLACE,
    wrong::Wrong,
};
use billchain_verifier::make::{Cover, Item};

/// A range of numbers.
pub(crate) const RANGE: Form = Form::Custom(read_range, write_range);

/// An issuer's month.
pub(crate) const MONTH: Form = Form::Custom(read_month, write_month);

const NUMBERS: &[Field] =
    &[("code", Form::Ascii(8)), ("first", Form::Ascii(10)), ("last", Form::Ascii(10))];

const OF_ISSUER: &[Field] = &[("issuer", Form::Utf8), ("month", Form::Ascii(6))];

/// Where the group of a part is.
const WHERE: &[Field] = &[("place", PLACE)];

const VALUES: &str = "values";
const PARTS: &str = "parts";
const PART: &str = "part";

/// Values, by the names of what they are.
static SINGLE: Field = ("bill", Form::Whole(&BILL));
static COUNTED: Field = ("tally", Form::Whole(&TALLY));

fn read_range(input: &mut Input<'_>) -> Result<Json, Wrong> {
    let mut fields = read_fields(NUMBERS, input)?;
    let mut cover = Cover::new(number(fields.get(1))?, number(fields.get(2))?).peekable();
    let mut parts = Vec::new();
    while let Some(item) = cover.next() {
        let mut run = vec![item];
        while let Some(next) = cover.next_if(|next| next.is_beside(&item)) {
            run.push(next);
        }
        let form = if item.size() == 1 { &SINGLE } else { &COUNTED };
        let lasts: Vec<u8> = run.iter().filter_map(last_digit).collect();
        let place = parts.len();
        let part = read_part(&lasts, form, input);
        parts.push(part.map_err(|wrong| wrong.at_place(place).within(PARTS))?);
    }
    fields.push((PARTS.to_owned(), Json::List(parts)));
    Ok(Json::Object(fields))
}

/// The number that a field's digits say.
fn number(field: Option<&(String, Json)>) -> Result<u64, Wrong> {
    let Some((name, json)) = field else { return Ok(0) };
    let text = json.text()?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| json.other("ten digits").within(name))
}

/// The last byte of an item's key.
fn last_digit(item: &Item) -> Option<u8> {
    item.prefix().last().copied()
}

fn read_month(input: &mut Input<'_>) -> Result<Json, Wrong> {
    let mut fields = read_fields(OF_ISSUER, input)?;
    let month = fields.last().map_or(Ok(""), |(_, json)| json.text())?;
    let lasts: Vec<u8> = month.bytes().last().into_iter().collect();
    let part = read_part(&lasts, &COUNTED, input);
    fields.push((PART.to_owned(), part.map_err(|wrong| wrong.within(PART))?));
    Ok(Json::Object(fields))
}

/// Reads where a group is, and the values of those keys, told by their last bytes, that it has.
fn read_part(lasts: &[u8], (name, form): &Field, input: &mut Input<'_>) -> Result<Json, Wrong> {
    let mut fields = read_fields(WHERE, input)?;
    let there = fields.first().map_or_else(Vec::new, |(_, place)| in_group(place));
    let mut values = Vec::new();
    for _ in lasts.iter().filter(|last| there.contains(&i128::from(**last))) {
        let place = values.len();
        let within = |wrong: Wrong| wrong.within(name).at_place(place).within(VALUES);
        let value = form.read(input).map_err(within)?;
        values.push(Json::Object(vec![((*name).to_owned(), value)]));
    }
    fields.push((VALUES.to_owned(), Json::List(values)));
    Ok(Json::Object(fields))
}

/// The last bytes of the keys of a group; none if it is nowhere.
fn in_group(place: &Json) -> Vec<i128> {
    let keys = place.field("group").and_then(Json::list).unwrap_or_default();
    keys.iter().filter_map(|key| key.field("last").and_then(Json::number).ok()).collect()
}

fn write_range(json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    json.only(NUMBERS.iter().map(|(name, _)| *name).chain([PARTS]))?;
    write_fields(NUMBERS, json, out)?;
    let parts = json.field(PARTS)?.list().map_err(|wrong| wrong.within(PARTS))?;
    (0..).zip(parts).try_for_each(|(place, part)| {
        write_part(part, out).map_err(|wrong| wrong.at_place(place).within(PARTS))
    })
}

fn write_month(json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    json.only(OF_ISSUER.iter().map(|(name, _)| *name).chain([PART]))?;
    write_fields(OF_ISSUER, json, out)?;
    write_part(json.field(PART)?, out).map_err(|wrong| wrong.within(PART))
}

fn write_part(json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    json.only(WHERE.iter().map(|(name, _)| *name).chain([VALUES]))?;
    write_fields(WHERE, json, out)?;
    let values = json.field(VALUES)?.list().map_err(|wrong| wrong.within(VALUES))?;
    (0..).zip(values).try_for_each(|(place, value)| {
        write_value(value, out).map_err(|wrong| wrong.at_place(place).within(VALUES))
    })
}

/// Adds a bill or a tally, whichever it is said to be. That it has to be the other one, its
/// bytes say when they are read again.
fn write_value(json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    let [(name, value)] = json.fields()? else {
        return Err(json.other("an object whose one field is bill or tally"));
    };
    let form = [&SINGLE, &COUNTED].into_iter().find(|(known, _)| known == name);
    let (_, form) = form.ok_or_else(|| json.other("an object whose one field is bill or tally"))?;
    form.write(value, out).map_err(|wrong| wrong.within(name))
}
