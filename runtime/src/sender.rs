//! Who may send transactions at all, which, and how much.

use crate::{
    AccountId, Council, Participant, Performance, Runtime, RuntimeCall, System, Validators, calls,
    limits::{BASE_BLOCK_WEIGHT, BASE_EXTRINSIC_WEIGHT, hard_limits, normal_share, work},
    quota, rejection,
};
use billchain_primitives::seams::{ActiveParticipant, ParticipantProblem, Participants};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    dispatch::DispatchClass,
    pallet_prelude::{TransactionSource, Weight},
    traits::OriginTrait,
};
use pallet_performance::{Settings, WeightInfo};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{DispatchInfoOf, DispatchOriginOf, TransactionExtension, ValidateResult},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

/// Admits active participants, council members and validators' operators, with
/// the calls that are the chain's business, within the chain's limits and their
/// own allowance; see [`rejection`] for the codes others get.
///
/// It carries no bytes, neither in the transaction nor in the signed payload.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo,
)]
pub struct CheckSender;

impl CheckSender {
    /// Whether `account` may send transactions, and why not: the participant it
    /// acts for, or none if it is an operator that is no active participant.
    pub fn admit(
        account: &AccountId,
    ) -> Result<Option<ActiveParticipant>, TransactionValidityError> {
        let code = match Participant::active_by_account(account) {
            Ok(participant) => return Ok(Some(participant)),
            Err(ParticipantProblem::NotFound) => rejection::SENDER_UNKNOWN,
            Err(ParticipantProblem::Cancelled) => rejection::SENDER_CANCELLED,
            Err(ParticipantProblem::Frozen) => rejection::SENDER_FROZEN,
        };
        // An operator keeps its seat whatever happens to its participant.
        if Council::is_member(account) || Validators::is_operator(account) {
            return Ok(None);
        }
        Err(refusal(code))
    }
}

/// What is known of a transaction's sender once it is admitted.
pub struct Admitted {
    /// The participant that sends; none: an operator that is no active one.
    participant: Option<ActiveParticipant>,
    /// What holds in this block.
    settings: Settings,
}

fn refusal(code: u8) -> TransactionValidityError {
    InvalidTransaction::Custom(code).into()
}

/// Refuses what no block of this chain can hold, as long as its limits are what
/// they are.
fn ensure_possible(
    settings: &Settings,
    info: &DispatchInfoOf<RuntimeCall>,
    bytes: usize,
) -> Result<(), TransactionValidityError> {
    if bytes > settings.limits.max_transaction_bytes as usize {
        return Err(refusal(rejection::TRANSACTION_TOO_LONG));
    }
    let most = class_work(settings, info.class).saturating_sub(BASE_BLOCK_WEIGHT.ref_time());
    if transaction_work(info) > most {
        return Err(InvalidTransaction::ExhaustsResources.into());
    }
    Ok(())
}

/// Refuses what the block under execution has no room for by the chain's limits,
/// which may be below those that FRAME holds.
fn ensure_room(
    settings: &Settings,
    info: &DispatchInfoOf<RuntimeCall>,
    bytes: usize,
) -> Result<(), TransactionValidityError> {
    if settings.limits == hard_limits() {
        return Ok(());
    }
    let all = settings.limits.max_block_bytes;
    let most = if info.class == DispatchClass::Normal { normal_share(all) } else { all };
    let length = System::block_size().saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    let used = System::block_weight();
    let more = transaction_work(info);
    let of_class = used.get(info.class).ref_time().saturating_add(more);
    let of_all = used.total().ref_time().saturating_add(more);
    let is_full = length > most
        || of_class > class_work(settings, info.class)
        || of_all > work(&settings.limits);
    if is_full { Err(InvalidTransaction::ExhaustsResources.into()) } else { Ok(()) }
}

/// Work of a transaction with what comes before its call.
fn transaction_work(info: &DispatchInfoOf<RuntimeCall>) -> u64 {
    info.total_weight().saturating_add(BASE_EXTRINSIC_WEIGHT).ref_time()
}

/// Most work of all transactions of a class in a block.
fn class_work(settings: &Settings, class: DispatchClass) -> u64 {
    let all = work(&settings.limits);
    if class == DispatchClass::Normal { normal_share(all) } else { all }
}

/// Counts the transaction against its sender's allowance, if it has one.
fn charge(
    settings: &Settings,
    account: &AccountId,
    participant: &ActiveParticipant,
    bytes: usize,
) -> Result<(), TransactionValidityError> {
    let ActiveParticipant { did, roles } = participant;
    let Some(allowance) = Performance::allowance_of(settings, did, *roles) else { return Ok(()) };
    if quota::is_reserved(account, Some(participant)) {
        return Ok(());
    }
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    Performance::charge(settings, did, &allowance, bytes)
        .map_err(|_| refusal(rejection::SENDER_HELD_BACK))
}

impl TransactionExtension<RuntimeCall> for CheckSender {
    const IDENTIFIER: &'static str = "CheckSender";
    type Implicit = ();
    /// Who sends and what holds; none for the proposer's.
    type Val = Option<Admitted>;
    type Pre = ();

    fn weight(&self, _: &RuntimeCall) -> Weight {
        // The account's DID, its participant, the council, the validators.
        let sender = <Runtime as frame_system::Config>::DbWeight::get().reads(4);
        if Performance::settings().is_unmetered() {
            return sender;
        }
        sender.saturating_add(<Runtime as pallet_performance::Config>::WeightInfo::charge())
    }

    fn validate(
        &self,
        origin: <Runtime as frame_system::Config>::RuntimeOrigin,
        call: &RuntimeCall,
        info: &DispatchInfoOf<RuntimeCall>,
        len: usize,
        _self_implicit: (),
        _inherited_implication: &impl Encode,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, RuntimeCall> {
        let Some(account) = origin.as_signer() else {
            return Ok((Default::default(), None, origin));
        };
        let participant = Self::admit(account)?;
        calls::check(call)?;
        let settings = Performance::settings();
        ensure_possible(&settings, info, len)?;
        Ok((Default::default(), Some(Admitted { participant, settings }), origin))
    }

    fn prepare(
        self,
        admitted: Self::Val,
        origin: &DispatchOriginOf<RuntimeCall>,
        _call: &RuntimeCall,
        info: &DispatchInfoOf<RuntimeCall>,
        len: usize,
    ) -> Result<(), TransactionValidityError> {
        let (Some(account), Some(Admitted { participant, settings })) =
            (origin.as_signer(), admitted)
        else {
            return Ok(());
        };
        ensure_room(&settings, info, len)?;
        match participant {
            Some(participant) => charge(&settings, account, &participant, len),
            None => Ok(()),
        }
    }
}
