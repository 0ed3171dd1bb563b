//! Who may send transactions at all.

use crate::{AccountId, Council, Participant, Runtime, RuntimeCall, Validators, rejection};
use billchain_primitives::seams::{ParticipantProblem, Participants};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    pallet_prelude::{TransactionSource, Weight},
    traits::OriginTrait,
};
use scale_info::TypeInfo;
use sp_runtime::{
    impl_tx_ext_default,
    traits::{DispatchInfoOf, TransactionExtension, ValidateResult},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

/// Admits active participants, council members and validators' operators; see
/// [`rejection`] for the codes others get.
///
/// It carries no bytes, neither in the transaction nor in the signed payload.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo,
)]
pub struct CheckSender;

impl CheckSender {
    /// Whether `account` may send transactions, and why not.
    pub fn admit(account: &AccountId) -> Result<(), TransactionValidityError> {
        let code = match Participant::active_by_account(account) {
            Ok(_) => return Ok(()),
            Err(ParticipantProblem::NotFound) => rejection::SENDER_UNKNOWN,
            Err(ParticipantProblem::Cancelled) => rejection::SENDER_CANCELLED,
            Err(ParticipantProblem::Frozen) => rejection::SENDER_FROZEN,
        };
        // An operator keeps its seat whatever happens to its participant.
        if Council::is_member(account) || Validators::is_operator(account) {
            return Ok(());
        }
        Err(InvalidTransaction::Custom(code).into())
    }
}

impl TransactionExtension<RuntimeCall> for CheckSender {
    const IDENTIFIER: &'static str = "CheckSender";
    type Implicit = ();
    type Val = ();
    type Pre = ();

    fn weight(&self, _: &RuntimeCall) -> Weight {
        // The account's DID, its participant, the council, the validators.
        <Runtime as frame_system::Config>::DbWeight::get().reads(4)
    }

    fn validate(
        &self,
        origin: <Runtime as frame_system::Config>::RuntimeOrigin,
        _call: &RuntimeCall,
        _info: &DispatchInfoOf<RuntimeCall>,
        _len: usize,
        _self_implicit: (),
        _inherited_implication: &impl Encode,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, RuntimeCall> {
        if let Some(account) = origin.as_signer() {
            Self::admit(account)?;
        }
        Ok((Default::default(), (), origin))
    }

    impl_tx_ext_default!(RuntimeCall; prepare);
}
