//! A bill as its row has it.

use crate::shape::{bill_key, block_of, place_of};
use billchain_primitives::{
    Bill, BillState, BillSummary, Fen, IssueDate, IssueTime, Lock, MAX_REIMBURSEMENTS, Receipt,
    Reimbursement, SceneId, SummaryFields,
};
use codec::{Decode, DecodeAll};
use sp_core::{ConstU32, bounded::BoundedVec};
use sqlx::{Row, any::AnyRow};

/// The columns that [`bill_of`] reads, of `bills b JOIN dids d ON d.id = b.issuer`.
pub(crate) const COLUMNS: &str = "b.id, b.check_code, b.kind, b.status, b.issue_date, b.issue_time, \
     b.total, d.did, b.issuer_uscc, b.payer_type, b.payer_ref, b.scene, b.biz_no_hash, b.xml_hash, \
     b.pdf_hash, b.location_hash, b.related, b.version, b.version_hash, b.registered_tx, \
     b.registered_by, b.updated_time, b.detail, b.registered_time, b.updated_tx";

/// What the columns do not hold of a bill.
pub type Detail =
    (Option<Lock>, BoundedVec<Reimbursement, ConstU32<MAX_REIMBURSEMENTS>>, SummaryFields);

/// Reads the column `detail`; one that is absent stands for nothing.
///
/// # Errors
/// The bytes are of another form.
pub fn detail_of(bytes: Option<&[u8]>) -> Result<Detail, codec::Error> {
    let Some(mut bytes) = bytes else {
        return Ok((None, BoundedVec::new(), SummaryFields::NONE));
    };
    Detail::decode_all(&mut bytes)
}

/// Why a row is no bill.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A column holds what it cannot.
    #[error("the row of bill {id}: {what}; index again")]
    Damaged {
        /// The bill.
        id: i64,
        /// Which column, and what is wrong.
        what: String,
    },
}

fn variant<T: Decode>(id: i64, number: i64, what: &str) -> Result<T, StoredError> {
    let byte = u8::try_from(number).ok();
    let decoded = byte.and_then(|byte| T::decode(&mut &[byte][..]).ok());
    decoded.ok_or_else(|| StoredError::Damaged { id, what: format!("{what} is {number}") })
}

fn hash(row: &AnyRow, at: usize, id: i64) -> Result<[u8; 32], StoredError> {
    let bytes: Vec<u8> = row.try_get(at)?;
    let what = format!("column {at} has {} bytes, expected 32", bytes.len());
    bytes.try_into().map_err(|_| StoredError::Damaged { id, what })
}

/// The bill of a row with the columns [`COLUMNS`].
pub(crate) fn bill_of(row: &AnyRow) -> Result<Bill, StoredError> {
    let id: i64 = row.try_get(0)?;
    let damaged = |what: &str| StoredError::Damaged { id, what: what.to_owned() };
    let small = |at: usize| -> Result<u32, StoredError> {
        let number: i64 = row.try_get(at)?;
        u32::try_from(number).map_err(|_| damaged("a number is out of range"))
    };
    let text = |at: usize| -> Result<String, StoredError> { Ok(row.try_get(at)?) };
    let related: Option<i64> = row.try_get(16)?;
    let detail: Option<Vec<u8>> = row.try_get(22)?;
    let (lock, reimbursements, filled_in) =
        detail_of(detail.as_deref()).map_err(|error| damaged(&format!("detail: {error}")))?;
    let registered: i64 = row.try_get(19)?;
    let updated: i64 = row.try_get(21)?;
    let wrong = |_| damaged("a text breaks the rule of its type");
    let summary = BillSummary {
        key: bill_key(id).ok_or_else(|| damaged("id is no bill"))?,
        check_code: text(1)?.parse().map_err(wrong)?,
        kind: variant(id, row.try_get(2)?, "kind")?,
        issue_date: IssueDate::new(small(4)?).map_err(wrong)?,
        issue_time: IssueTime::new(small(5)?).map_err(wrong)?,
        total: Fen::new(row.try_get(6)?).map_err(wrong)?,
        issuer: text(7)?.parse().map_err(wrong)?,
        issuer_uscc: text(8)?.parse().map_err(wrong)?,
        payer_type: variant(id, row.try_get(9)?, "payer_type")?,
        payer_ref: hash(row, 10, id)?,
        scene: SceneId(u16::try_from(small(11)?).map_err(|_| damaged("scene"))?),
        biz_no_hash: hash(row, 12, id)?,
        xml_hash: hash(row, 13, id)?,
        pdf_hash: hash(row, 14, id)?,
        location_hash: hash(row, 15, id)?,
        related: related.and_then(bill_key),
    };
    let state = BillState {
        status: variant(id, row.try_get(3)?, "status")?,
        version: small(17)?,
        version_hash: hash(row, 18, id)?,
        lock,
        reimbursements,
        updated: u64::try_from(updated).map_err(|_| damaged("updated_time"))?,
    };
    let receipt = Receipt {
        operation: variant(id, row.try_get(20)?, "registered_by")?,
        block: block_of(registered),
        extrinsic: place_of(registered).unwrap_or(u32::MAX),
        filled_in,
    };
    Ok(Bill { summary, state, receipt })
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;

    #[test]
    fn what_is_cut_off_or_goes_on_is_no_detail() {
        let detail: Detail = (None, BoundedVec::new(), SummaryFields::NONE);
        let bytes = detail.encode();
        assert_eq!(detail_of(Some(&bytes)).unwrap(), detail);
        assert_eq!(detail_of(None).unwrap(), detail);
        for length in 0..bytes.len() {
            assert!(detail_of(Some(&bytes[..length])).is_err());
        }
        assert!(detail_of(Some(&[bytes, vec![0]].concat())).is_err());
    }
}
