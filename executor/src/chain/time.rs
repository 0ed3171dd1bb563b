//! When a block was made, read from its own bytes.

use crate::{Chain, ChainError, chain::parse};
use billchain_primitives::{BlockNumber, Moment};
use billchain_runtime::{RuntimeCall, UncheckedExtrinsic};
use bytes::Bytes;
use codec::Decode;

impl Chain {
    /// The time of block `number` in milliseconds since 1970; `None` of the first block of
    /// all, which has none, and of a block that is not kept.
    pub fn block_time(&self, number: BlockNumber) -> Result<Option<Moment>, ChainError> {
        let Some(bytes) = self.storage().block(number)? else { return Ok(None) };
        let unreadable = |reason: String| ChainError::Undecodable {
            what: format!("the time of block {number}"),
            reason,
        };
        let bytes = Bytes::from(bytes);
        let mut rest = &bytes[..];
        let (_, count) =
            parse::head(&bytes, &mut rest).map_err(|error| unreadable(error.to_string()))?;
        if count == 0 {
            return Ok(None);
        }
        let first = parse::extrinsic(&bytes, &mut rest, 0)
            .map_err(|error| unreadable(error.to_string()))?;
        let first = UncheckedExtrinsic::decode(&mut &first[..])
            .map_err(|error| unreadable(error.to_string()))?;
        match first.function() {
            RuntimeCall::Timestamp(pallet_timestamp::Call::set { now }) => Ok(Some(*now)),
            _ => Err(unreadable("the first extrinsic is not the timestamp".to_owned())),
        }
    }
}
