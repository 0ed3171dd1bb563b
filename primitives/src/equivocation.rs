//! Equivocation: one validator said two things where it may say one.
//!
//! Two signed statements of one kind, for one height and round, about different
//! blocks prove by themselves that the holder of the key broke the protocol.
//! Whoever has the genesis hash and the validator's key can check the proof;
//! nothing else of the chain is needed. It is what a council cites when it
//! removes a validator.

use crate::{
    AccountId, sm3,
    statement::{ConsensusDomain, SignedStatement, StatementContext, StatementKind},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The proof that a validator made two statements that exclude each other.
///
/// Anybody can make one that proves nothing: it counts only when
/// [`verify`](Self::verify) accepts it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Equivocation {
    /// The validator: the SM3 of its compressed key, which is also the account
    /// of that key.
    pub offender: AccountId,
    /// Height of both statements.
    pub height: u64,
    /// Round of both statements.
    pub round: u32,
    /// The smaller of the two.
    pub first: SignedStatement,
    /// The greater of the two.
    pub second: SignedStatement,
}

/// What a validator is charged with. It is charged once for each kind of statement
/// at a height, however many rounds and pairs there are: one proof is enough.
#[derive(
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Offence {
    /// The validator: the account of its consensus key.
    pub offender: AccountId,
    /// Height of the statements.
    pub height: u64,
    /// Kind of the statements.
    pub kind: StatementKind,
}

/// Why two statements prove nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EquivocationError {
    /// The key is another validator's.
    #[error("the key belongs to {key_owner}, the statements are said to be of {offender}")]
    OtherKey {
        /// Whose key was given.
        key_owner: AccountId,
        /// Who is charged.
        offender: AccountId,
    },
    /// A first vote and a second vote do not exclude each other.
    #[error("the statements are of different kinds: {first:?} and {second:?}")]
    DifferentKinds {
        /// Kind of the first.
        first: StatementKind,
        /// Kind of the second.
        second: StatementKind,
    },
    /// Both say the same.
    #[error("both statements are about the same block")]
    SameBlock,
    /// One offence has one form, so that it is recorded once.
    #[error("the greater statement comes first")]
    WrongOrder,
    /// A signature that the key did not make over the statement.
    #[error("the signature of the {which} statement is not the offender's on this chain")]
    InvalidSignature {
        /// "first" or "second".
        which: &'static str,
    },
}

impl Equivocation {
    /// The charge that `offender` made both statements, in their one order.
    pub fn new(
        offender: AccountId,
        height: u64,
        round: u32,
        mut statements: [SignedStatement; 2],
    ) -> Self {
        statements.sort();
        let [first, second] = statements;
        Self { offender, height, round, first, second }
    }

    /// What it is about.
    pub fn offence(&self) -> Offence {
        Offence {
            offender: self.offender.clone(),
            height: self.height,
            kind: self.first.statement.kind(),
        }
    }

    /// Whether it proves the offence. `key` is the offender's compressed SM2
    /// key; that it was a validator's at that height is the caller's to know.
    ///
    /// Pure, and the same on every node. It costs two verifications at most; the
    /// cheap conditions are asked first.
    pub fn verify(
        &self,
        domain: &ConsensusDomain,
        key: &[u8; 33],
    ) -> Result<(), EquivocationError> {
        let key_owner = AccountId::new(sm3(key));
        if key_owner != self.offender {
            return Err(EquivocationError::OtherKey { key_owner, offender: self.offender.clone() });
        }
        let (first, second) = (&self.first.statement, &self.second.statement);
        if first.kind() != second.kind() {
            return Err(EquivocationError::DifferentKinds {
                first: first.kind(),
                second: second.kind(),
            });
        }
        // A proposer may propose one block again with another valid round: it
        // learnt of more pre-votes in between.
        if first.block() == second.block() {
            return Err(EquivocationError::SameBlock);
        }
        if first > second {
            return Err(EquivocationError::WrongOrder);
        }
        let context = StatementContext {
            height: self.height,
            round: Some(self.round),
            signer: *AsRef::<[u8; 32]>::as_ref(&self.offender),
        };
        for (which, signed) in [("first", &self.first), ("second", &self.second)] {
            if !signed.is_signed_by(domain, &context, key) {
                return Err(EquivocationError::InvalidSignature { which });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hash, Statement};
    use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};

    const DOMAIN: ConsensusDomain = ConsensusDomain::new(Hash::repeat_byte(9));

    struct Signer {
        secret: SecretKey,
        key: [u8; 33],
        account: AccountId,
    }

    fn signer(seed: u8) -> Signer {
        let secret = SecretKey::from_seed(&[seed]);
        let key = secret.public().to_compressed();
        Signer { secret, key, account: AccountId::new(sm3(&key)) }
    }

    impl Signer {
        fn says(&self, height: u64, round: u32, statement: Statement) -> SignedStatement {
            let signer = *AsRef::<[u8; 32]>::as_ref(&self.account);
            let context = StatementContext { height, round: Some(round), signer };
            let bytes = DOMAIN.statement_bytes(&context, &statement);
            SignedStatement {
                statement,
                signature: self.secret.sign(DEFAULT_ID, &bytes).to_bytes(),
            }
        }

        fn charge(&self, statements: [Statement; 2]) -> Equivocation {
            let signed = statements.map(|statement| self.says(5, 1, statement));
            Equivocation::new(self.account.clone(), 5, 1, signed)
        }
    }

    const fn prevote(block: u8) -> Statement {
        Statement::Prevote { block: Some(Hash::repeat_byte(block)) }
    }

    const fn precommit(block: u8) -> Statement {
        Statement::Precommit { block: Some(Hash::repeat_byte(block)) }
    }

    const fn proposal(block: u8, valid_round: Option<u32>) -> Statement {
        Statement::Proposal { block: Hash::repeat_byte(block), valid_round }
    }

    #[test]
    fn two_signed_statements_that_exclude_each_other_are_a_proof() {
        let signer = signer(1);
        for statements in [
            [prevote(1), prevote(2)],
            [precommit(2), precommit(1)],
            [prevote(1), Statement::Prevote { block: None }],
            [proposal(1, None), proposal(2, None)],
            [proposal(1, Some(0)), proposal(2, None)],
        ] {
            let charge = signer.charge(statements);
            assert_eq!(charge.verify(&DOMAIN, &signer.key), Ok(()), "{statements:?}");
            let [one, other] = statements;
            assert_eq!(signer.charge([other, one]), charge, "one offence has one form");
            let read = Equivocation::decode(&mut &charge.encode()[..]).unwrap();
            assert_eq!(read, charge);
            assert!(charge.encoded_size() <= Equivocation::max_encoded_len());
        }
    }

    #[test]
    fn statements_that_do_not_exclude_each_other_prove_nothing() {
        let signer = signer(1);
        let verdict = |statements| signer.charge(statements).verify(&DOMAIN, &signer.key);
        assert_eq!(
            verdict([prevote(1), precommit(2)]),
            Err(EquivocationError::DifferentKinds {
                first: StatementKind::Prevote,
                second: StatementKind::Precommit,
            })
        );
        assert_eq!(verdict([prevote(1), prevote(1)]), Err(EquivocationError::SameBlock));
        let again = [proposal(1, None), proposal(1, Some(0))];
        assert_eq!(verdict(again), Err(EquivocationError::SameBlock));
    }

    #[test]
    fn nobody_can_be_charged_with_what_he_did_not_sign() {
        let (honest, liar) = (signer(1), signer(2));
        let charge = honest.charge([prevote(1), prevote(2)]);
        let first = EquivocationError::InvalidSignature { which: "first" };
        let second = EquivocationError::InvalidSignature { which: "second" };

        let mut other_key = charge.clone();
        other_key.offender = liar.account.clone();
        assert_eq!(other_key.verify(&DOMAIN, &liar.key), Err(first.clone()));
        assert!(matches!(
            other_key.verify(&DOMAIN, &honest.key),
            Err(EquivocationError::OtherKey { .. })
        ));

        let mut forged = charge.clone();
        forged.second.signature = liar.says(5, 1, prevote(2)).signature;
        assert_eq!(forged.verify(&DOMAIN, &honest.key), Err(second));

        // The same key on another chain, at another height or in another round.
        let other_chain = ConsensusDomain::new(Hash::repeat_byte(8));
        assert_eq!(charge.verify(&other_chain, &honest.key), Err(first.clone()));
        let moved = Equivocation { height: 6, ..charge.clone() };
        assert_eq!(moved.verify(&DOMAIN, &honest.key), Err(first.clone()));
        let moved = Equivocation { round: 2, ..charge.clone() };
        assert_eq!(moved.verify(&DOMAIN, &honest.key), Err(first));

        let swapped = Equivocation { first: charge.second, second: charge.first, ..charge };
        assert_eq!(swapped.verify(&DOMAIN, &honest.key), Err(EquivocationError::WrongOrder));
    }
}
