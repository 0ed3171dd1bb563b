//! Where groups are: the roots of which a state root is made, and what shows that a group is hot,
//! cold or nowhere. How many digests a path has, follows from what it shows of its tree.

use crate::{
    form::{Case, Count, Field, Form, Input, read_fields, read_values, write_fields, write_list},
    json::Json,
    proof::PROOF,
    wrong::Wrong,
};
use billchain_verifier::cold::{MAX_LEAVES, MAX_RUNS, MAX_SHARED, Span};

/// The roots of which a state root is made.
pub(crate) const ROOTS: Form = Form::Fields(&[
    ("hot", DIGEST),
    ("runs", Form::List(Count::Byte, MAX_RUNS, &DIGEST)),
    ("records", DIGEST),
]);

/// Where a group is.
pub(crate) const PLACE: Form = Form::Choice(&[
    (&[1], "hot", &[("group", GROUP), ("next", DIGEST), ("proof", PROOF)]),
    (
        &[2],
        "cold",
        &[
            ("group", GROUP),
            ("run", Form::Big(1)),
            ("coverage", COVERAGE),
            ("inclusion", PATH_OF_ONE),
            ("bit", BIT),
        ],
    ),
    (
        &[0],
        "nowhere",
        &[
            ("before", DIGEST),
            ("before_group", DIGEST),
            ("next", DIGEST),
            ("proof", PROOF),
            ("runs", Form::List(Count::Byte, MAX_RUNS, &MISSING)),
        ],
    ),
]);

const DIGEST: Form = Form::Hex(32);

/// What is in a group.
const GROUP: Form = Form::List(Count::Byte, 255, &KEY);

static KEY: Form = Form::Fields(&[("last", Form::Big(1)), ("value", DIGEST)]);

/// Why a run does not have a group.
static MISSING: Form = Form::Choice(MISSING_CASES);

const MISSING_CASES: &[Case] = &[
    (&[0], "uncovered", &[("coverage", COVERAGE)]),
    (&[1], "between", &[("coverage", COVERAGE), ("exclusion", EXCLUSION)]),
    (
        &[2],
        "left",
        &[("coverage", COVERAGE), ("group", DIGEST), ("inclusion", PATH_OF_ONE), ("bit", BIT)],
    ),
];

const COVERAGE: Form = Form::Custom(read_coverage, write_coverage);
const EXCLUSION: Form = Form::Custom(read_exclusion, write_exclusion);
const PATH_OF_ONE: Form = Form::Custom(read_path_of_one, write_path);

const BIT: Form = Form::Fields(&[("bits", Form::Hex(64)), ("path", PATH_OF_ONE)]);

/// What a coverage shows.
const SEGMENTS: Field = ("segments", Form::List(Count::Byte, 2, &SEGMENT));

static SEGMENT: Form = Form::Fields(&[("from", SHARED), ("groups", DIGEST), ("bits", DIGEST)]);

/// What an exclusion shows.
const NEIGHBOURS: Field = ("neighbours", Form::List(Count::Byte, 2, &NEIGHBOUR));

static NEIGHBOUR: Form = Form::Fields(&[("shared", SHARED), ("group", DIGEST)]);

const SHARED: Form = Form::Custom(read_shared, write_shared);

const PATH: &str = "path";
const SIBLINGS: &str = "siblings";

/// Leaves of the tree, and the place of the first that is shown.
const FRONT: &[Field] = &[("leaves", Form::Big(8)), ("first", Form::Big(8))];

fn read_shared(input: &mut Input<'_>) -> Result<Json, Wrong> {
    let count = input.big(2)?;
    match usize::try_from(count) {
        Ok(count) if count <= MAX_SHARED => Ok(Json::of_bytes(input.take(count)?)),
        _ => Err(Wrong::new(format!("{count} bytes, expected at most {MAX_SHARED}"))),
    }
}

fn write_shared(json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    let bytes = json.bytes()?;
    let count = u16::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MAX_SHARED);
    let too_long = || json.other(&format!("at most {MAX_SHARED} bytes"));
    out.extend(count.ok_or_else(too_long)?.to_be_bytes());
    out.extend(bytes);
    Ok(())
}

fn read_coverage(input: &mut Input<'_>) -> Result<Json, Wrong> {
    read_shown(&SEGMENTS, input)
}

fn write_coverage(json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    write_shown(&SEGMENTS, json, out)
}

fn read_exclusion(input: &mut Input<'_>) -> Result<Json, Wrong> {
    read_shown(&NEIGHBOURS, input)
}

fn write_exclusion(json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    write_shown(&NEIGHBOURS, json, out)
}

/// Reads a list of what is shown, and its path.
fn read_shown(list: &Field, input: &mut Input<'_>) -> Result<Json, Wrong> {
    let mut fields = read_fields(std::slice::from_ref(list), input)?;
    let shown = fields.first().map_or(Ok(0), |(_, list)| list.list().map(<[Json]>::len))?;
    let path = read_path(shown as u64, input).map_err(|wrong| wrong.within(PATH))?;
    fields.push((PATH.to_owned(), path));
    Ok(Json::Object(fields))
}

fn write_shown(list: &Field, json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    json.only([list.0, PATH].into_iter())?;
    write_fields(std::slice::from_ref(list), json, out)?;
    write_path(json.field(PATH)?, out).map_err(|wrong| wrong.within(PATH))
}

fn read_path_of_one(input: &mut Input<'_>) -> Result<Json, Wrong> {
    read_path(1, input)
}

/// Reads a path of so many leaves that follow one another.
fn read_path(shown: u64, input: &mut Input<'_>) -> Result<Json, Wrong> {
    let mut fields = read_fields(FRONT, input)?;
    let number = |at: usize| fields.get(at).map_or(Ok(0), |(_, json)| json.number());
    let [leaves, first] = [number(0)?, number(1)?].map(|number| u64::try_from(number).ok());
    let span = leaves.zip(first).and_then(|(width, first)| {
        let end = first.checked_add(shown)?;
        (end <= width && width <= MAX_LEAVES).then_some(Span { first, end, width })
    });
    let mut span =
        span.ok_or_else(|| Wrong::new("a tree of so many leaves does not have those"))?;
    let mut count = 0;
    while span.width > 1 {
        let beside = span.beside();
        count += usize::from(beside.left) + usize::from(beside.right);
        span = span.above();
    }
    let siblings = read_values(count, &DIGEST, input).map_err(|wrong| wrong.within(SIBLINGS))?;
    fields.push((SIBLINGS.to_owned(), Json::List(siblings)));
    Ok(Json::Object(fields))
}

fn write_path(json: &Json, out: &mut Vec<u8>) -> Result<(), Wrong> {
    json.only(FRONT.iter().map(|(name, _)| *name).chain([SIBLINGS]))?;
    write_fields(FRONT, json, out)?;
    write_list(&DIGEST, json.field(SIBLINGS)?, out).map_err(|wrong| wrong.within(SIBLINGS))
}
