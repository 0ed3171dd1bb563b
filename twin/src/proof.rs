//! Operation proofs: how many digests they have follows from the place in the log.

use crate::{
    form::{Field, Form, Input, read_fields, read_values, write_fields, write_list},
    json::Json,
    wrong::Wrong,
};
use billchain_verifier::make::proof_digests;

/// An operation proof.
pub(crate) const PROOF: Form = Form::Custom(read, write);

const DIGEST: Form = Form::Hex(32);

const FRONT: &[Field] = &[
    ("place", Form::Big(8)),
    ("operations", Form::Big(8)),
    ("inactive_peaks", Form::Big(1)),
    ("root", DIGEST),
    ("bits", DIGEST),
];

const PARTIAL: &str = "partial";

/// Lists of digests without their number.
const LISTS: [&str; 3] = ["beside", "before", "after"];

fn read(input: &mut Input<'_>) -> Result<Json, Wrong> {
    let mut fields = read_fields(FRONT, input)?;
    let number = |at: usize| fields.get(at).map_or(Ok(0), |(_, json)| json.number());
    let [place, operations, inactive] = [number(0)?, number(1)?, number(2)?];
    let shape = u64::try_from(place).ok().zip(u64::try_from(operations).ok());
    let counts = shape
        .zip(u8::try_from(inactive).ok())
        .and_then(|((place, operations), inactive)| proof_digests(place, operations, inactive));
    let counts = counts.ok_or_else(|| {
        Wrong::new("a log of so many operations has no such place, or not so many peaks")
    })?;
    let partial = match operations % 256 {
        0 => Json::Null,
        _ => DIGEST.read(input).map_err(|wrong| wrong.within(PARTIAL))?,
    };
    fields.push((PARTIAL.to_owned(), partial));
    for (name, count) in LISTS.into_iter().zip(counts) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let list = read_values(count, &DIGEST, input).map_err(|wrong| wrong.within(name))?;
        fields.push((name.to_owned(), Json::List(list)));
    }
    Ok(Json::Object(fields))
}

fn write(json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    json.only(FRONT.iter().map(|(name, _)| *name).chain([PARTIAL]).chain(LISTS))?;
    write_fields(FRONT, json, out)?;
    let partial = json.field(PARTIAL)?;
    if *partial != Json::Null {
        DIGEST.write(partial, out).map_err(|wrong| wrong.within(PARTIAL))?;
    }
    LISTS.into_iter().try_for_each(|name| {
        write_list(&DIGEST, json.field(name)?, out).map_err(|wrong| wrong.within(name))
    })
}
