//! The commit of a block, as the next block carries it: who pre-committed to the
//! parent. So the chain itself knows which validators take part, and whoever holds
//! two blocks in a row can check that the first was decided.

use crate::{
    AccountId, BlockNumber, Hash, MAX_VALIDATORS,
    statement::{ConsensusDomain, SignedStatement, Statement, StatementContext},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Ordering;
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

/// How many blocks before its parent's a block takes a late pre-commit to.
pub const MAX_LATE_BLOCKS: BlockNumber = 16;

/// One validator's pre-commit to the parent.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Precommit {
    /// The validator: the account of its consensus key.
    pub signer: AccountId,
    /// SM2 signature, r ‖ s.
    pub signature: [u8; 64],
}

/// A pre-commit to an earlier block that came after that block was decided. It shows
/// that a validator takes part which is slower than the others.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct LatePrecommit {
    /// The validator: the account of its consensus key.
    pub signer: AccountId,
    /// Number of the block.
    pub height: BlockNumber,
    /// Round of the pre-commit.
    pub round: u32,
    /// SM2 signature, r ‖ s.
    pub signature: [u8; 64],
}

/// Validators with more than two thirds of the power pre-committed to the parent.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ParentCommit {
    /// Round in which the parent was decided.
    pub round: u32,
    /// The pre-commits, ascending by signer.
    pub precommits: BoundedVec<Precommit, ConstU32<MAX_VALIDATORS>>,
    /// Pre-commits to earlier blocks, one a validator, ascending by signer.
    pub late: BoundedVec<LatePrecommit, ConstU32<MAX_VALIDATORS>>,
}

impl ParentCommit {
    /// The pre-commits of the certificate, ascending by signer, and those that came late.
    /// What is late of the same block and round goes with the certificate, what is of
    /// earlier blocks beside it. At most one of each validator.
    pub fn new(
        height: u64,
        round: u32,
        mut precommits: Vec<Precommit>,
        late: Vec<LatePrecommit>,
    ) -> Self {
        let mut earlier = Vec::new();
        for one in late {
            match precommits.binary_search_by(|known| known.signer.cmp(&one.signer)) {
                Err(place) if u64::from(one.height) == height && one.round == round => {
                    let LatePrecommit { signer, signature, .. } = one;
                    precommits.insert(place, Precommit { signer, signature });
                }
                Err(_) if u64::from(one.height) < height => earlier.push(one),
                _ => {}
            }
        }
        // The number of validators is bounded by the same number.
        Self {
            round,
            precommits: BoundedVec::truncate_from(precommits),
            late: BoundedVec::truncate_from(earlier),
        }
    }
}

/// Whether the validator with this compressed SM2 `key` pre-committed to `block` on
/// the chain of `domain`. `signer` is the account of the key.
pub fn is_precommit(
    domain: &ConsensusDomain,
    (height, round, block): (BlockNumber, u32, Hash),
    signer: &AccountId,
    key: &[u8; 33],
    signature: [u8; 64],
) -> bool {
    let context = StatementContext {
        height: u64::from(height),
        round: Some(round),
        signer: *AsRef::<[u8; 32]>::as_ref(signer),
    };
    let statement = Statement::Precommit { block: Some(block) };
    SignedStatement { statement, signature }.is_signed_by(domain, &context, key)
}

/// Whose turn it is to propose in a round of a height, as an index among `count`
/// validators in [`turn_order`]: one a round, and the first round's moves on with
/// every height. 0 if there is nobody.
pub fn turn(height: u64, round: u32, count: usize) -> usize {
    let Ok(count @ 1..) = u64::try_from(count) else { return 0 };
    let index = (height % count + u64::from(round) % count) % count;
    usize::try_from(index).unwrap_or_default()
}

/// The order in which validators, by power and address, take turns: by descending
/// power, and then by ascending address.
pub fn turn_order(a: (u64, &[u8; 32]), b: (u64, &[u8; 32])) -> Ordering {
    b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm3;
    use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};

    #[test]
    fn a_precommit_counts_for_its_block_height_round_signer_and_chain_only() {
        let secret = SecretKey::from_seed(&[1]);
        let key = secret.public().to_compressed();
        let signer = AccountId::new(sm3(&key));
        let domain = ConsensusDomain::new(Hash::repeat_byte(9));
        let block = Hash::repeat_byte(7);
        let context =
            StatementContext { height: 5, round: Some(1), signer: *AsRef::as_ref(&signer) };
        let bytes = domain.statement_bytes(&context, &Statement::Precommit { block: Some(block) });
        let signature = secret.sign(DEFAULT_ID, &bytes).to_bytes();
        let check = |domain: &ConsensusDomain, about, signer: &AccountId| {
            is_precommit(domain, about, signer, &key, signature)
        };
        assert!(check(&domain, (5, 1, block), &signer));
        assert!(!check(&domain, (6, 1, block), &signer));
        assert!(!check(&domain, (5, 0, block), &signer));
        assert!(!check(&domain, (5, 1, Hash::zero()), &signer));
        assert!(!check(&domain, (5, 1, block), &AccountId::new([3; 32])));
        let other = ConsensusDomain::new(Hash::repeat_byte(8));
        assert!(!check(&other, (5, 1, block), &signer));
    }

    #[test]
    fn turns_go_round_with_heights_and_rounds() {
        let by_height: Vec<usize> = (0..6).map(|height| turn(height, 0, 4)).collect();
        assert_eq!(by_height, [0, 1, 2, 3, 0, 1]);
        let by_round: Vec<usize> = (0..5).map(|round| turn(2, round, 3)).collect();
        assert_eq!(by_round, [2, 0, 1, 2, 0]);
        assert_eq!(turn(u64::MAX, u32::MAX, 64), 62);
        assert_eq!(turn(1, 1, 0), 0);
    }

    #[test]
    fn more_power_comes_first_and_then_the_smaller_address() {
        let mut all = [(1, [2; 32]), (1, [1; 32]), (5, [9; 32])];
        all.sort_by(|a, b| turn_order((a.0, &a.1), (b.0, &b.1)));
        assert_eq!(all, [(5, [9; 32]), (1, [1; 32]), (1, [2; 32])]);
    }

    #[test]
    fn a_late_precommit_to_the_same_block_and_round_is_one_of_the_commit() {
        let account = |n: u8| AccountId::new([n; 32]);
        let certain = |n| Precommit { signer: account(n), signature: [n; 64] };
        let late = |n: u8, height, round| LatePrecommit {
            signer: account(n),
            height,
            round,
            signature: [n; 64],
        };
        let commit = |heard| ParentCommit::new(9, 1, vec![certain(1), certain(3)], heard);
        let known = commit(vec![late(1, 9, 1), late(3, 8, 0)]);
        assert_eq!((known.precommits.len(), known.late.len()), (2, 0), "who is there is seen");
        assert_eq!(commit(vec![late(2, 9, 1)]).precommits[1], certain(2));
        let other = commit(vec![late(2, 9, 0), late(4, 10, 1), late(5, 8, 3)]);
        assert_eq!((other.precommits.len(), &other.late[..]), (2, &[late(5, 8, 3)][..]));
    }

    /// A block holds it for good.
    #[test]
    fn its_encoding_is_fixed() {
        let commit = ParentCommit {
            round: 2,
            precommits: BoundedVec::truncate_from(vec![Precommit {
                signer: AccountId::new([0xaa; 32]),
                signature: [0xbb; 64],
            }]),
            late: BoundedVec::truncate_from(vec![LatePrecommit {
                signer: AccountId::new([0xcc; 32]),
                height: 7,
                round: 1,
                signature: [0xdd; 64],
            }]),
        };
        let expected = [
            &[2, 0, 0, 0, 4][..],
            &[0xaa; 32],
            &[0xbb; 64],
            &[4],
            &[0xcc; 32],
            &[7, 0, 0, 0, 1, 0, 0, 0],
            &[0xdd; 64],
        ]
        .concat();
        assert_eq!(commit.encode(), expected);
        assert_eq!(ParentCommit::decode(&mut &expected[..]), Ok(commit));
    }
}
