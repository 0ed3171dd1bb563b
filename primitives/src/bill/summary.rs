//! What the issuer says of a bill; it does not change, except that missing
//! hashes are filled in once.

use super::{BillKey, CheckCode, Fen, IssueDate, IssueTime, Uscc};
use crate::{Did, sm3};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What sort of document a bill is.
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
pub enum BillKind {
    /// 蓝票: an ordinary bill.
    Blue,
    /// 红票: takes a blue bill back.
    Red,
    /// 电子缴款书: a payment notice before payment.
    PaymentNotice,
}

impl BillKind {
    /// Every kind, in the order of the enum.
    pub const ALL: [BillKind; 3] = [BillKind::Blue, BillKind::Red, BillKind::PaymentNotice];
}

/// Whether the payer is a person or an organisation.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
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
pub enum PayerType {
    /// 个人.
    Person,
    /// 单位.
    Organisation,
}

/// Number of a business scene (业务场景).
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct SceneId(pub u16);

/// What the issuer says of a bill; nothing personal is in it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct BillSummary {
    /// Code and number.
    pub key: BillKey,
    /// 校验码.
    pub check_code: CheckCode,
    /// Sort of document.
    pub kind: BillKind,
    /// 开票日期.
    pub issue_date: IssueDate,
    /// 开票时间.
    pub issue_time: IssueTime,
    /// 总金额 in fen; negative exactly on a red bill of a positive one.
    pub total: Fen,
    /// 开票单位.
    pub issuer: Did,
    /// 统一社会信用代码 of the issuer.
    pub issuer_uscc: Uscc,
    /// Sort of payer.
    pub payer_type: PayerType,
    /// Reference of the payer: one a person, whoever issues the bill. The bureau's
    /// service makes it; an x coordinate of P-256.
    pub payer_ref: [u8; 32],
    /// Business scene the bill belongs to.
    pub scene: SceneId,
    /// SM3 of the issuer's business number.
    pub biz_no_hash: [u8; 32],
    /// SM3 of the XML original as delivered; not zero.
    pub xml_hash: [u8; 32],
    /// SM3 of the PDF; zero until it is known, filled once.
    pub pdf_hash: [u8; 32],
    /// SM3 of the place where the originals are stored; zero if unknown.
    pub location_hash: [u8; 32],
    /// The blue bill of a red or balance bill.
    pub related: Option<BillKey>,
}

impl BillSummary {
    /// SM3 of the encoded summary: equal exactly for equal content.
    pub fn content_hash(&self) -> [u8; 32] {
        sm3(&self.encode())
    }
}
