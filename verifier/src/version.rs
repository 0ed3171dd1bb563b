//! The versions of a bill (历史版本): each is hashed over the one before, so the present
//! bill's version hash vouches for all of them.
//!
//! ```text
//! hash of a version = SM3(hash of the version before (32), or zeros ‖ head of the version)
//! content digest    = SM3(0x05 ‖ SM3(0x04 ‖ content of the version))
//! ```

use crate::{
    Bill, Digest, Refusal,
    bill::{self, Key, long_text, text},
    reader::Reader,
    sm3,
};

/// Most bytes of a reason.
const MAX_REASON: usize = 256;

/// What begins the two hashes of a content.
const SECRET: [u8; 1] = [4];
const CONTENT: [u8; 1] = [5];

/// What the hash of a bill's version covers.
pub(crate) struct VersionHead {
    /// Code and number of the bill.
    pub(crate) key: Key,
    /// Number of the version.
    pub(crate) version: u32,
    /// The block that made it.
    pub(crate) block: u32,
    /// The place of the transaction that made it; none if the block did by itself.
    pub(crate) transaction: Option<u32>,
    /// Time of the block, in milliseconds since 1970.
    moment: u64,
    /// Digest of what the version says.
    content: Digest,
}

impl VersionHead {
    /// Reads, as SCALE has it, code and number (18), version (4), block (4), the place of
    /// the transaction (1 or 5), time (8), the digest of the content (32), and the digest of
    /// what changed (1 or 33).
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, "head of the version");
        let (key, version, block) = (reader.array()?, reader.scale_u32()?, reader.scale_u32()?);
        let transaction = if reader.scale_option()? { Some(reader.scale_u32()?) } else { None };
        let (moment, content) = (reader.scale_u64()?, reader.digest()?);
        if reader.scale_option()? {
            reader.digest()?;
        }
        reader.end()?;
        Ok(Self { key, version, block, transaction, moment, content })
    }
}

/// What made a version of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// What was done.
    pub cause: Cause,
    /// DID of who sent the transaction.
    pub operator: &'a str,
    /// Why, where the operation asks for a reason.
    pub reason: Option<&'a str>,
    /// SM3 of the evidence or approval, where the operation asks for one.
    pub evidence: Option<Digest>,
    /// DID of who proposed it, where the operation takes two.
    pub proposer: Option<&'a str>,
    /// The block.
    pub block: u32,
    /// Place of the transaction in the block; none if the block made it by itself.
    pub index: Option<u32>,
}

/// What was done to a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// 登记.
    Register,
    /// 预开.
    PreIssue,
    /// 确认.
    Confirm,
    /// 作废.
    Void,
    /// 锁定.
    Lock,
    /// 解锁.
    Unlock,
    /// A lock whose time was over was released.
    ExpireLock,
    /// 管理锁定.
    AdminLock,
    /// 管理解锁.
    AdminUnlock,
    /// 报销入账.
    Reimburse,
    /// 入账撤销.
    ReverseUse,
    /// 冲红; also of the red bill and the balance bill, which come by it.
    RedReverse,
    /// 调整.
    Adjust,
    /// Fields of the summary were filled in.
    Summary,
}

impl Cause {
    /// Its name: lower-case letters and `_`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::PreIssue => "pre_issue",
            Self::Confirm => "confirm",
            Self::Void => "void",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::ExpireLock => "expire_lock",
            Self::AdminLock => "admin_lock",
            Self::AdminUnlock => "admin_unlock",
            Self::Reimburse => "reimburse",
            Self::ReverseUse => "reverse_use",
            Self::RedReverse => "red_reverse",
            Self::Adjust => "adjust",
            Self::Summary => "summary",
        }
    }

    /// Reads 0 and the number of an operation (1), or 1.
    fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        match r.byte()? {
            0 => {}
            1 => return Ok(Self::Summary),
            _ => return Err(r.refusal("what made it is unknown")),
        }
        Ok(match r.byte()? {
            0 => Self::Register,
            1 => Self::PreIssue,
            2 => Self::Confirm,
            3 => Self::Void,
            4 => Self::Lock,
            5 => Self::Unlock,
            6 => Self::ExpireLock,
            7 => Self::AdminLock,
            8 => Self::AdminUnlock,
            9 => Self::Reimburse,
            10 => Self::ReverseUse,
            11 => Self::RedReverse,
            12 => Self::Adjust,
            _ => return Err(r.refusal("an unknown operation made it")),
        })
    }
}

/// Reads what the version with this head says: the bill as it was then, but for its version
/// hash and where it was registered, and what made it so.
pub(crate) fn read_content<'a>(
    bytes: &'a [u8],
    head: &VersionHead,
) -> Result<(Bill<'a>, Change<'a>), Refusal> {
    if sm3(&[&CONTENT, &sm3(&[&SECRET, bytes])]) != head.content {
        return Err(Refusal::Contradiction { what: "the content is not that of the version" });
    }
    let (bill, change) = read_said(bytes)?;
    let of_head = head.key.starts_with(bill.code.as_bytes())
        && head.key.ends_with(bill.number.as_bytes())
        && (bill.version, bill.updated) == (head.version, head.moment)
        && (change.block, change.index) == (head.block, head.transaction);
    if !of_head {
        return Err(Refusal::Contradiction {
            what: "the version says another thing than its head",
        });
    }
    Ok((bill, change))
}

/// Reads version (4), what made it, where and when, the summary, status, lock and
/// reimbursements.
pub(crate) fn read_said(bytes: &[u8]) -> Result<(Bill<'_>, Change<'_>), Refusal> {
    let mut reader = Reader::new(bytes, "content of the version");
    let r = &mut reader;
    let version = r.scale_u32()?;
    let (cause, operator) = (Cause::read(r)?, text(r)?);
    let reason = if r.scale_option()? { Some(long_text(r, MAX_REASON)?) } else { None };
    let evidence = if r.scale_option()? { Some(r.digest()?) } else { None };
    let proposer = if r.scale_option()? { Some(text(r)?) } else { None };
    let block = r.scale_u32()?;
    let index = if r.scale_option()? { Some(r.scale_u32()?) } else { None };
    let updated = r.scale_u64()?;
    let mut bill = Bill::read_summary(r)?;
    bill.status = bill::status(r)?;
    bill.read_use(r)?;
    r.end()?;
    (bill.version, bill.updated) = (version, updated);
    Ok((bill, Change { cause, operator, reason, evidence, proposer, block, index }))
}

#[cfg(test)]
mod tests;
