//! A bill as the state holds it.

use crate::{Digest, Refusal, reader::Reader};
use alloc::vec::Vec;
use core::str;

/// What the keys of bills begin with in the state: the pallet and its map.
pub(crate) const PREFIX: [u8; 32] = [
    0xdd, 0xb7, 0x89, 0x79, 0x21, 0xbd, 0xbb, 0x76, 0x30, 0x63, 0x48, 0x68, 0x12, 0xca, 0xb6, 0x44,
    0x6c, 0x7a, 0xc7, 0x2e, 0xab, 0x83, 0x46, 0x50, 0xc4, 0x53, 0xb0, 0x2f, 0xaa, 0xb9, 0xa4, 0xc6,
];

/// Most bytes of a DID, and of a claim's number.
const MAX_TEXT: usize = 64;

/// Most reimbursements of a bill.
const MAX_REIMBURSEMENTS: u32 = 8;

/// Code and number of a bill (票据代码, 票据号码), 18 digits.
pub(crate) type Key = [u8; 18];

/// What the keys of a bill's group share: all but the last digit.
pub(crate) fn shared(key: &Key) -> Vec<u8> {
    let [shared @ .., _] = key;
    [&PREFIX[..], shared].concat()
}

/// A bill (财政电子票据).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill<'a> {
    /// 票据代码, 8 digits.
    pub code: &'a str,
    /// 票据号码, 10 digits.
    pub number: &'a str,
    /// 校验码.
    pub check_code: &'a str,
    /// Sort of document.
    pub kind: Kind,
    /// 开票日期, as yyyymmdd.
    pub issue_date: u32,
    /// 开票时间, as hhmmss.
    pub issue_time: u32,
    /// 总金额 in fen; negative on a red bill.
    pub total: i64,
    /// 开票单位.
    pub issuer: &'a str,
    /// 统一社会信用代码 of the issuer.
    pub issuer_uscc: &'a str,
    /// Whether the payer is a person (个人), and not an organisation (单位).
    pub payer_is_person: bool,
    /// Pseudonymous reference of the payer.
    pub payer_ref: Digest,
    /// Number of the business scene (业务场景).
    pub scene: u16,
    /// SM3 of the issuer's business number.
    pub biz_no_hash: Digest,
    /// SM3 of the XML original as delivered.
    pub xml_hash: Digest,
    /// SM3 of the PDF; zero if unknown.
    pub pdf_hash: Digest,
    /// SM3 of where the originals are stored; zero if unknown.
    pub location_hash: Digest,
    /// Code and number of the blue bill of a red or balance bill.
    pub related: Option<&'a str>,
    /// Where it stands.
    pub status: Status,
    /// 1 when registered, one more with every change.
    pub version: u32,
    /// Hash of the version, over all before it.
    pub version_hash: Digest,
    /// The lock, if it is locked.
    pub lock: Option<Lock<'a>>,
    /// Reimbursements that count, the oldest first.
    pub reimbursements: Vec<Reimbursement<'a>>,
    /// Time of the block that made the version, in milliseconds since 1970.
    pub updated: u64,
    /// Block that brought the bill, and the transaction's place in it.
    pub registered: (u32, u32),
}

/// Sort of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// 蓝票.
    Blue,
    /// 红票.
    Red,
    /// 电子缴款书.
    PaymentNotice,
}

/// Where a bill stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// 预开.
    PreIssued,
    /// 正常.
    Normal,
    /// 锁定.
    Locked,
    /// 部分报销.
    PartlyReimbursed,
    /// 已报销.
    Reimbursed,
    /// 已冲红.
    RedReversed,
    /// 已作废.
    Voided,
}

/// Who reserved a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock<'a> {
    /// DID of the holder.
    pub holder: &'a str,
    /// What for.
    pub purpose: Purpose<'a>,
    /// Time until which it holds, in milliseconds since 1970; without one until it is given
    /// back.
    pub expires: Option<u64>,
}

/// What a bill is locked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// A claim.
    Claim {
        /// Number of the scene.
        scene: u16,
        /// Number of the claim.
        claim_no: &'a str,
        /// The grant that allowed it.
        grant: Option<Digest>,
    },
    /// Manual intervention of an administrator.
    Administrative {
        /// SM3 of the evidence.
        evidence: Digest,
    },
}

/// A reimbursement that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reimbursement<'a> {
    /// DID of who paid.
    pub payer: &'a str,
    /// Number of the scene.
    pub scene: u16,
    /// How much, in fen.
    pub amount: i64,
}

impl<'a> Bill<'a> {
    /// Reads a bill in the form in which the state holds it.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, "bill");
        let r = &mut reader;
        let mut bill = Self::read_summary(r)?;
        bill.status = status(r)?;
        (bill.version, bill.version_hash) = (r.scale_u32()?, r.digest()?);
        bill.read_use(r)?;
        bill.updated = r.scale_u64()?;
        // The operation that brought it, where, and which fields were filled in since.
        r.byte()?;
        bill.registered = (r.compact()?, r.compact()?);
        r.byte()?;
        r.end()?;
        Ok(bill)
    }

    /// Reads what the issuer said; nothing has happened to the bill yet.
    pub(crate) fn read_summary(r: &mut Reader<'a>) -> Result<Self, Refusal> {
        Ok(Self {
            code: ascii(r, 8)?,
            number: ascii(r, 10)?,
            check_code: ascii(r, 6)?,
            kind: kind(r)?,
            issue_date: r.scale_u32()?,
            issue_time: r.scale_u32()?,
            total: amount(r)?,
            issuer: text(r)?,
            issuer_uscc: ascii(r, 18)?,
            payer_is_person: is_person(r)?,
            payer_ref: r.digest()?,
            scene: scene(r)?,
            biz_no_hash: r.digest()?,
            xml_hash: r.digest()?,
            pdf_hash: r.digest()?,
            location_hash: r.digest()?,
            related: if r.scale_option()? { Some(ascii(r, 18)?) } else { None },
            status: Status::Normal,
            version: 0,
            version_hash: [0; 32],
            lock: None,
            reimbursements: Vec::new(),
            updated: 0,
            registered: (0, 0),
        })
    }

    /// Reads the lock and the reimbursements.
    pub(crate) fn read_use(&mut self, r: &mut Reader<'a>) -> Result<(), Refusal> {
        self.lock = if r.scale_option()? { Some(Lock::read(r)?) } else { None };
        let count = r.compact()?;
        if count > MAX_REIMBURSEMENTS {
            return Err(r.refusal("it has more than 8 reimbursements"));
        }
        let reimbursements: Result<_, Refusal> =
            (0..count).map(|_| Reimbursement::read(r)).collect();
        self.reimbursements = reimbursements?;
        Ok(())
    }
}

impl<'a> Lock<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Refusal> {
        let holder = text(r)?;
        let purpose = match r.byte()? {
            0 => {
                let (scene, claim_no) = (scene(r)?, text(r)?);
                let grant = if r.scale_option()? { Some(r.digest()?) } else { None };
                Purpose::Claim { scene, claim_no, grant }
            }
            1 => Purpose::Administrative { evidence: r.digest()? },
            _ => return Err(r.refusal("it is locked for an unknown purpose")),
        };
        // The version that the lock made, and when: block, transaction, time.
        r.take(8)?;
        if r.scale_option()? {
            r.take(4)?;
        }
        r.take(8)?;
        let expires = if r.scale_option()? { Some(r.scale_u64()?) } else { None };
        status(r)?;
        Ok(Self { holder, purpose, expires })
    }
}

impl<'a> Reimbursement<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Refusal> {
        let (payer, scene, amount) = (text(r)?, scene(r)?, amount(r)?);
        status(r)?;
        Ok(Self { payer, scene, amount })
    }
}

/// Reads the sort of a document (1).
pub(crate) fn kind(r: &mut Reader<'_>) -> Result<Kind, Refusal> {
    Ok(match r.byte()? {
        0 => Kind::Blue,
        1 => Kind::Red,
        2 => Kind::PaymentNotice,
        _ => return Err(r.refusal("it is of an unknown kind")),
    })
}

fn is_person(r: &mut Reader<'_>) -> Result<bool, Refusal> {
    match r.byte()? {
        0 => Ok(true),
        1 => Ok(false),
        _ => Err(r.refusal("its payer is of an unknown kind")),
    }
}

/// Reads a status (1).
pub(crate) fn status(r: &mut Reader<'_>) -> Result<Status, Refusal> {
    Ok(match r.byte()? {
        0 => Status::PreIssued,
        1 => Status::Normal,
        2 => Status::Locked,
        3 => Status::PartlyReimbursed,
        4 => Status::Reimbursed,
        5 => Status::RedReversed,
        6 => Status::Voided,
        _ => return Err(r.refusal("it has an unknown status")),
    })
}

fn amount(r: &mut Reader<'_>) -> Result<i64, Refusal> {
    r.array().map(i64::from_le_bytes)
}

fn scene(r: &mut Reader<'_>) -> Result<u16, Refusal> {
    r.array().map(u16::from_le_bytes)
}

fn ascii<'a>(r: &mut Reader<'a>, length: usize) -> Result<&'a str, Refusal> {
    let bytes = r.take(length)?;
    match str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(r.refusal("a code holds other than ASCII characters")),
    }
}

/// Reads a text of at most 64 bytes.
pub(crate) fn text<'a>(r: &mut Reader<'a>) -> Result<&'a str, Refusal> {
    long_text(r, MAX_TEXT)
}

/// Reads a text of at most so many bytes.
pub(crate) fn long_text<'a>(r: &mut Reader<'a>, most: usize) -> Result<&'a str, Refusal> {
    let bytes = r.scale_bytes(most)?;
    str::from_utf8(bytes).map_err(|_| r.refusal("a text is not UTF-8"))
}

#[cfg(test)]
pub(crate) mod tests;
