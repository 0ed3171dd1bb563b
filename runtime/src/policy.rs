//! How a transaction's signer is found, whether its signature is worth a check,
//! and which signature schemes it may use.
//!
//! The genesis says which schemes a chain admits, in the participant contract:
//! a production chain admits SM2 alone; a development chain also admits
//! Substrate's schemes, so that existing wallets and libraries work on it.

use crate::{CheckSender, Hash, Participant, Runtime, Upgrade, VERSION, rejection};
use billchain_primitives::{AccountId, Address, SignatureAdmission, SignatureScheme};
use sp_runtime::{
    traits::{Lookup, LookupError, StaticLookup},
    transaction_validity::TransactionValidityError,
};

/// What a transaction's signature is checked against, besides the signature.
#[derive(Clone, Copy, Default, Debug)]
pub struct SigningContext {
    transaction: Option<Hash>,
}

impl SigningContext {
    /// For the transaction whose canonical bytes have this hash.
    pub fn of(transaction: Hash) -> Self {
        Self { transaction: Some(transaction) }
    }
}

impl Lookup for SigningContext {
    type Source = Address;
    type Target = AccountId;

    fn lookup(&self, address: Address) -> Result<AccountId, LookupError> {
        <Runtime as frame_system::Config>::Lookup::lookup(address)
    }
}

impl SignatureAdmission for SigningContext {
    const REFUSAL: u8 = rejection::SCHEME_NOT_ADMITTED;

    fn transaction(&self) -> Option<Hash> {
        self.transaction
    }

    fn admits(&self, scheme: SignatureScheme) -> bool {
        // Every chain admits SM2, so its transactions pay for no look.
        scheme == SignatureScheme::Sm2 || Participant::is_scheme_admitted(scheme)
    }

    fn implied_before(&self, implied: &[u8]) -> Option<Vec<u8>> {
        let rules = Upgrade::admitted_before()?;
        // The version of the rules is the first that is implied.
        let rest = implied.strip_prefix(&VERSION.spec_version.to_le_bytes())?;
        Some([&rules.to_le_bytes()[..], rest].concat())
    }

    fn admit_signer(&self, signer: &AccountId) -> Result<(), TransactionValidityError> {
        CheckSender::admit(signer).map(|_| ())
    }
}
