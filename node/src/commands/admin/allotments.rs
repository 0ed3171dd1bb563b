//! `billchain admin allotments`.

use super::{Act, options::Why};
use anyhow::Result;
use billchain_primitives::{BillCode, BillNumber, Did};
use billchain_runtime::Runtime;
use clap::Subcommand;
use serde_json::{Value, json};

type Call = pallet_allotment::Call<Runtime>;

/// Actions on numbers: of participants with the role of an administrator, and
/// of the council.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Allot numbers of a code to an issuer (赋码).
    Allot {
        /// DID of the issuer.
        issuer: Did,
        /// 票据代码, 8 digits.
        code: BillCode,
        /// The first number, 10 digits.
        first: BillNumber,
        /// The last number, 10 digits.
        last: BillNumber,
    },
    /// Give the unused end of a range back (申退); the issuer may too.
    GiveBack {
        /// DID of the issuer.
        issuer: Did,
        /// 票据代码, 8 digits.
        code: BillCode,
        /// The first number that goes back, 10 digits; all after it go, too.
        first: BillNumber,
    },
    /// Void numbers that no bill will have (库存作废).
    Void {
        /// DID of the issuer.
        issuer: Did,
        /// 票据代码, 8 digits.
        code: BillCode,
        /// The first number, 10 digits.
        first: BillNumber,
        /// The last number, 10 digits.
        last: BillNumber,
        #[command(flatten)]
        why: Why,
    },
    /// Show whose a number is, and its range.
    Show {
        /// 票据代码, 8 digits.
        code: BillCode,
        /// 票据号码, 10 digits.
        number: BillNumber,
    },
    /// List what an issuer has.
    Of {
        /// DID of the issuer.
        issuer: Did,
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
}

impl Action {
    pub(super) fn act(&self) -> Result<Act> {
        match self {
            Self::Allot { issuer, code, first, last } => Act::own_or_motion(Call::allot {
                issuer: issuer.clone(),
                code: *code,
                first: *first,
                last: *last,
            }),
            Self::GiveBack { issuer, code, first } => Act::own_or_motion(Call::give_back {
                issuer: issuer.clone(),
                code: *code,
                first: *first,
            }),
            Self::Void { issuer, code, first, last, why } => Act::own_or_motion(Call::void {
                issuer: issuer.clone(),
                code: *code,
                first: *first,
                last: *last,
                reason: why.reason.clone(),
            }),
            Self::Show { code, number } => {
                Act::read("allotment_ofNumber", [json!(code), json!(number)])
            }
            Self::Of { issuer, cursor } => {
                Act::read("allotment_byIssuer", [json!(issuer), json!(cursor), Value::Null])
            }
        }
    }
}
