//! What conditions can ask about, and the types of the answers.

use crate::{
    BillKind, Did, Fen, IssueDate, IssueTime, Moment, PayerType, SceneId,
    codec_util::ascii_newtype, text::ConditionText,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Ordering;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// An operation that policies decide on.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Guarded {
    /// 登记: a bill comes onto the chain, alone or in a batch.
    Register,
    /// 预开: a payment notice comes onto the chain.
    PreIssue,
    /// 锁定: a claimant locks a bill.
    Lock,
    /// 报销入账: a claimant reimburses a bill.
    Reimburse,
}

impl Guarded {
    /// Every one, in the order of the enum.
    pub const ALL: [Guarded; 4] = [Self::Register, Self::PreIssue, Self::Lock, Self::Reimburse];
}

ascii_newtype!(
    /// 行政区划 of a bill: the first two digits of its code; 31 is Shanghai.
    Region, 2, "2 digits", |b| b.iter().all(u8::is_ascii_digit)
);

/// Type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// A short text, compared exactly.
    Text,
    /// Money in fen (分).
    Fen,
    /// A date `yyyymmdd` in UTC+8.
    Date,
    /// A time of day `hhmmss` in UTC+8.
    Time,
    /// Milliseconds since 1970 in UTC.
    Moment,
    /// A DID.
    Did,
    /// A scene's number.
    Scene,
    /// A region's two digits.
    Region,
    /// A sort of document: `blue`, `red` or `payment_notice`.
    Kind,
    /// A sort of payer: `person` or `organisation`.
    Payer,
    /// A whole number.
    Number,
}

impl Type {
    /// Whether `<`, `<=`, `>` and `>=` mean something for it.
    pub const fn is_ordered(self) -> bool {
        matches!(self, Self::Fen | Self::Date | Self::Time | Self::Moment | Self::Number)
    }

    /// What a value of it looks like in JSON.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Text => "a text of 1 to 64 bytes",
            Self::Fen => "an amount in whole fen, magnitude below 10^14",
            Self::Date => "a real date as the number yyyymmdd",
            Self::Time => "a time of day as the number hhmmss",
            Self::Moment => "milliseconds since 1970 as a number",
            Self::Did => "a DID",
            Self::Scene => "a scene's number",
            Self::Region => "a region as a text of 2 digits",
            Self::Kind => "\"blue\", \"red\" or \"payment_notice\"",
            Self::Payer => "\"person\" or \"organisation\"",
            Self::Number => "a whole number",
        }
    }
}

/// A typed value.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Value {
    /// A short text.
    Text(ConditionText),
    /// Money.
    Fen(Fen),
    /// A date.
    Date(IssueDate),
    /// A time of day.
    Time(IssueTime),
    /// A moment.
    Moment(Moment),
    /// A participant.
    Did(Did),
    /// A scene.
    Scene(SceneId),
    /// A region.
    Region(Region),
    /// A sort of document.
    Kind(BillKind),
    /// A sort of payer.
    Payer(PayerType),
    /// A whole number.
    Number(i64),
}

impl Value {
    /// Its type.
    pub const fn kind(&self) -> Type {
        match self {
            Self::Text(_) => Type::Text,
            Self::Fen(_) => Type::Fen,
            Self::Date(_) => Type::Date,
            Self::Time(_) => Type::Time,
            Self::Moment(_) => Type::Moment,
            Self::Did(_) => Type::Did,
            Self::Scene(_) => Type::Scene,
            Self::Region(_) => Type::Region,
            Self::Kind(_) => Type::Kind,
            Self::Payer(_) => Type::Payer,
            Self::Number(_) => Type::Number,
        }
    }

    /// How it compares with another of the same, ordered type.
    pub fn order(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Self::Fen(a), Self::Fen(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::Moment(a), Self::Moment(b)) => Some(a.cmp(b)),
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// Which operations have a field.
enum Known {
    Always,
    OfClaims,
    OfReimbursements,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $type:ident, $known:ident;)*) => {
        /// Something that a condition can ask about a bill and an operation.
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode,
            DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
        )]
        pub enum Field {
            $($(#[$doc])* $variant,)*
        }

        impl Field {
            /// Every field, in the order of the enum.
            pub const ALL: &[Field] = &[$(Field::$variant,)*];

            /// Its name in the JSON form.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Its type.
            pub const fn kind(self) -> Type {
                match self { $(Self::$variant => Type::$type,)* }
            }

            const fn known(self) -> Known {
                match self { $(Self::$variant => Known::$known,)* }
            }
        }
    };
}

fields! {
    /// Scene of the operation: of the claim where there is one, else the bill's.
    Scene, "scene", Scene, Always;
    /// Scene that the bill was issued in.
    BillScene, "bill_scene", Scene, Always;
    /// Time of the block.
    Now, "now", Moment, Always;
    /// Time of day of the block, in UTC+8.
    TimeOfDay, "time_of_day", Time, Always;
    /// Who sends the transaction.
    Operator, "operator", Did, Always;
    /// 开票方.
    Issuer, "issuer", Did, Always;
    /// 统一社会信用代码 of the issuer.
    IssuerUscc, "issuer_uscc", Text, Always;
    /// 开票地域: digits 1 and 2 of the bill code.
    Region, "region", Region, Always;
    /// 分类 and 种类: digits 3 to 6 of the bill code; 0601 is outpatient.
    BillType, "bill_type", Text, Always;
    /// 票据代码.
    BillCode, "bill_code", Text, Always;
    /// 票据号码.
    BillNumber, "bill_number", Text, Always;
    /// Sort of document.
    Kind, "kind", Kind, Always;
    /// Sort of payer.
    PayerType, "payer_type", Payer, Always;
    /// 开票日期.
    IssueDate, "issue_date", Date, Always;
    /// 开票时间.
    IssueTime, "issue_time", Time, Always;
    /// Days from the issue date to the block's date, in UTC+8; negative when
    /// the bill is dated tomorrow.
    AgeDays, "age_days", Number, Always;
    /// 总金额.
    Total, "total", Fen, Always;
    /// 用票方: who holds the lock, or is to hold it.
    Claimant, "claimant", Did, OfClaims;
    /// 报销单号.
    ClaimNo, "claim_no", Text, OfClaims;
    /// Sum of the reimbursements before this operation.
    Reimbursed, "reimbursed", Fen, OfClaims;
    /// What remains of the total before this operation.
    Remaining, "remaining", Fen, OfClaims;
    /// Amount of this reimbursement.
    Amount, "amount", Fen, OfReimbursements;
}

impl Field {
    /// The field of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }

    /// Whether `operation` has it.
    pub const fn is_known_of(self, operation: Guarded) -> bool {
        match self.known() {
            Known::Always => true,
            Known::OfClaims => matches!(operation, Guarded::Lock | Guarded::Reimburse),
            Known::OfReimbursements => matches!(operation, Guarded::Reimburse),
        }
    }
}
