//! What a block holds beside its transactions: the inherents.

use crate::{Block, InherentDataExt, UncheckedExtrinsic};
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::traits::Block as BlockT;

/// The inherents that `data` asks for.
pub(crate) fn create_inherents(data: &InherentData) -> Vec<UncheckedExtrinsic> {
    data.create_extrinsics()
}

/// Whether the inherents of `block` agree with `data`.
pub(crate) fn check_inherents(
    block: &<Block as BlockT>::LazyBlock,
    data: &InherentData,
) -> CheckInherentsResult {
    data.check_extrinsics(block)
}
