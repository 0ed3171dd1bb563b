//! The format of certificates, part by part, as `docs/certificates.md` has it.

use crate::{
    bill::{BILL, CONTENT, VERSION_HEAD},
    form::{Case, Count, Field, Form},
    parts::{MONTH, RANGE},
    place::{PLACE, ROOTS},
};

const DIGEST: Form = Form::Hex(32);
const U32: Form = Form::Little(4);
const U64: Form = Form::Little(8);

/// Most bytes of an item of a header.
const MAX_ITEM: usize = 8_192;

/// A certificate: format 2, and what it says.
pub(crate) static CERTIFICATE: Form =
    Form::Fields(&[("format", Form::Fixed(b"BCPF\x02", 2)), ("certificate", Form::Choice(KINDS))]);

const KINDS: &[Case] = &[
    (&[1], "bill", PRESENT),
    (&[2], "no_bill", ABSENT),
    (&[3], "numbers", &[GENESIS, START, CHANGES, HEAD, STATE, ("numbers", RANGE)]),
    (&[4], "month", &[GENESIS, START, CHANGES, HEAD, STATE, ("month", MONTH)]),
    (&[5], "version", VERSION),
];

const GENESIS: Field = ("genesis", Form::Whole(&HEADER));
const START: Field = ("start", Form::Optional(&WHOLE_HEADER));
const CHANGES: Field = ("changes", Form::List(Count::Two, 0xffff, &DECIDED));
const HEAD: Field = ("head", Form::Fields(DECIDED_HEADER));
const STATE: Field = ("roots", ROOTS);

const PRESENT: &[Field] = &[
    GENESIS,
    START,
    CHANGES,
    HEAD,
    STATE,
    ("bill", Form::Whole(&BILL)),
    ("place", PLACE),
    ("previous", DIGEST),
    ("version", Form::Whole(&VERSION_HEAD)),
    ("transaction", SOURCE),
];

const ABSENT: &[Field] = &[
    GENESIS,
    START,
    CHANGES,
    HEAD,
    STATE,
    ("code", Form::Ascii(8)),
    ("number", Form::Ascii(10)),
    ("place", PLACE),
];

const VERSION: &[Field] = &[
    GENESIS,
    START,
    CHANGES,
    HEAD,
    STATE,
    ("bill", Form::Whole(&BILL)),
    ("place", PLACE),
    ("previous", DIGEST),
    ("version", Form::Whole(&VERSION_HEAD)),
    ("later", Form::List(Count::Two, 0xffff, &WHOLE_VERSION_HEAD)),
    ("content", Form::Whole(&CONTENT)),
    ("transaction", SOURCE),
];

static WHOLE_HEADER: Form = Form::Whole(&HEADER);

static HEADER: Form = Form::Fields(&[
    ("parent", DIGEST),
    ("number", Form::Compact(0xffff_ffff)),
    ("state_root", DIGEST),
    ("transactions_root", DIGEST),
    ("items", Form::List(Count::Compact, 16, &ITEM)),
]);

static ITEM: Form = Form::Choice(&[
    (b"\x04BCVS", "validators", &[("set", Form::Item(MAX_ITEM, &SET))]),
    (&[0], "other", &[("data", Form::Blob(MAX_ITEM))]),
    (&[4], "consensus", NAMED_ITEM),
    (&[5], "seal", NAMED_ITEM),
    (&[6], "pre_runtime", NAMED_ITEM),
]);

const NAMED_ITEM: &[Field] = &[("name", Form::Hex(4)), ("data", Form::Blob(MAX_ITEM))];

static SET: Form =
    Form::Fields(&[("previous", U32), ("validators", Form::List(Count::Compact, 64, &VALIDATOR))]);

static VALIDATOR: Form = Form::Fields(&[("key", Form::Hex(33)), ("power", U64)]);

static DECIDED: Form = Form::Fields(DECIDED_HEADER);

const DECIDED_HEADER: &[Field] = &[
    ("header", Form::Whole(&HEADER)),
    ("round", Form::Big(4)),
    ("signatures", Form::List(Count::Byte, 64, &SIGNATURE)),
];

static SIGNATURE: Form = Form::Fields(&[("validator", Form::Big(1)), ("signature", Form::Hex(64))]);

const SOURCE: Form = Form::Choice(&[
    (&[0], "none", &[]),
    (&[1], "same_block", &[PATH]),
    (&[2], "earlier_block", &[("block", Form::Fields(DECIDED_HEADER)), PATH]),
    (&[3], "not_shown", &[]),
]);

const PATH: Field = ("path", Form::List(Count::Byte, 11, &Form::Bytes));

static WHOLE_VERSION_HEAD: Form = Form::Whole(&VERSION_HEAD);
