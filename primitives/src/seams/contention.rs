//! Contention for a bill, and the locks of administrators.

use super::ActiveParticipant;
use crate::{BillKey, Did, Moment, Reason};
use sp_runtime::{DispatchError, DispatchResult};

/// Contention for a bill within one block. Played by the dispute contract.
pub trait Contention {
    /// Refuses a lock that was signed too far from the block's time, and one
    /// of a bill that another claimant got in this block.
    fn admit(key: &BillKey, claimant: &Did, signed_at: Moment) -> DispatchResult;

    /// Notes that `claimant` got the lock of the bill.
    fn won(key: &BillKey, claimant: &Did);
}

/// What the dispute contract asks of locks. Played by the bill-update
/// contract, whose rules and events these are.
pub trait BillLocks {
    /// Who would hold a lock that `sender` asks for: itself, or the `user` it
    /// acts for.
    fn claimant(sender: &ActiveParticipant, user: Option<&Did>) -> Result<Did, DispatchError>;

    /// Locks the bill until an administrator unlocks it (管理锁定).
    fn admin_lock(
        sender: ActiveParticipant,
        key: BillKey,
        reason: Reason,
        evidence: [u8; 32],
    ) -> DispatchResult;

    /// Releases whatever lock the bill has (管理解锁).
    fn admin_unlock(
        sender: ActiveParticipant,
        key: BillKey,
        reason: Reason,
        evidence: [u8; 32],
    ) -> DispatchResult;
}
