//! How much of a pool a sender may have, by the chain's own data.

use crate::{AccountId, Council, CouncilCollective, Participant, Performance, Runtime, Validators};
use billchain_primitives::{
    AdminRole,
    seams::{ActiveParticipant, Participants},
};
use std::collections::BTreeSet;

/// Whom a pool must always hear.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SenderClass {
    /// Everybody else.
    Ordinary,
    /// Council members, security administrators and validators' operators: who
    /// can stop what goes wrong.
    Reserved,
}

/// A sender's share of each node's pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderQuota {
    /// Whether the reserve is for it.
    pub class: SenderClass,
    /// Most transactions.
    pub max_pool_transactions: u32,
    /// Most bytes of them.
    pub max_pool_bytes: u32,
}

/// The share of `account` by the state at hand. Whoever is nobody on the chain
/// has an ordinary one; the runtime refuses its transactions anyway.
pub fn sender_quota(account: &AccountId) -> SenderQuota {
    let settings = Performance::settings();
    let participant = Participant::active_by_account(account).ok();
    let (class, share) = if is_reserved(account, participant.as_ref()) {
        (SenderClass::Reserved, settings.quotas.reserved)
    } else {
        let quota = participant.map_or(settings.quotas.ordinary, |participant| {
            Performance::quota_of(&settings, &participant.did, participant.roles)
        });
        (SenderClass::Ordinary, quota.pool)
    };
    SenderQuota { class, max_pool_transactions: share.transactions, max_pool_bytes: share.bytes }
}

/// All accounts of [`SenderClass::Reserved`] by the state at hand.
pub fn reserved_accounts() -> BTreeSet<AccountId> {
    let council = pallet_collective::Members::<Runtime, CouncilCollective>::get();
    let operators = Validators::validators().into_iter().map(|validator| validator.operator);
    let security = pallet_permissions::Admins::<Runtime>::iter()
        .filter(|(did, office)| {
            *office == AdminRole::SecurityAdmin && Participant::active_by_did(did).is_ok()
        })
        .filter_map(|(did, _)| Participant::account_of(&did));
    council.into_iter().chain(operators).chain(security).collect()
}

/// Whether the sender must always be heard.
pub(crate) fn is_reserved(account: &AccountId, participant: Option<&ActiveParticipant>) -> bool {
    let office = participant.and_then(|it| pallet_permissions::Admins::<Runtime>::get(&it.did));
    office == Some(AdminRole::SecurityAdmin)
        || Council::is_member(account)
        || Validators::is_operator(account)
}
