//! What a bill was at an earlier version.

use super::{Chain, NOT_SHOWN, Statement, current, transaction};
use crate::{
    Refusal,
    header::Header,
    place::Roots,
    reader::Reader,
    sm3,
    version::{VersionHead, read_content},
};
use alloc::boxed::Box;

/// Reads the present bill with its group; the hash of the version before the one that is asked
/// for (32), and that one's head (its length, 2, and its bytes); the number of later versions (2)
/// and their heads; what the version says; and where its transaction is.
pub(super) fn version<'a>(
    reader: &mut Reader<'a>,
    chain: &Chain,
    head: &Header<'_>,
    roots: &Roots,
) -> Result<Statement<'a>, Refusal> {
    let (present, key) = current(reader, roots)?;
    let previous = reader.digest()?;
    let bytes = reader.bytes()?;
    let version = VersionHead::read(bytes)?;
    let version_hash = sm3(&[&previous, bytes]);
    let (mut hash, mut number) = (version_hash, version.version);
    let mut same_bill = version.key == key;
    for _ in 0..reader.u16()? {
        let bytes = reader.bytes()?;
        let later = VersionHead::read(bytes)?;
        if number.checked_add(1) != Some(later.version) {
            let what = "the versions do not follow one another";
            return Err(Refusal::Contradiction { what });
        }
        same_bill &= later.key == key;
        (hash, number) = (sm3(&[&hash, bytes]), later.version);
    }
    if !same_bill || hash != present.version_hash || number != present.version {
        let what = "the versions do not lead to the present bill";
        return Err(Refusal::Contradiction { what });
    }
    let (mut bill, change) = read_content(reader.bytes()?, &version)?;
    (bill.version_hash, bill.registered) = (version_hash, present.registered);
    let transaction = match reader.byte()? {
        NOT_SHOWN if version.transaction.is_none() || version.block > head.number => {
            let what = "there is no transaction that is not shown";
            return Err(Refusal::Contradiction { what });
        }
        NOT_SHOWN => None,
        place => transaction(place, reader, chain, head, &version)?,
    };
    let (bill, change) = (Box::new(bill), Box::new(change));
    Ok(Statement::Version { bill, change, transaction, present })
}
