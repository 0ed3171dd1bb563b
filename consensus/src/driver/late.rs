//! Pre-commits that come after their block was decided. A certificate holds the first
//! two thirds; who is slower would look absent if nobody kept the rest. Pure.

use std::collections::{HashMap, VecDeque};

use billchain_primitives::LatePrecommit;
use malachitebft_app_channel::app::consensus::SignedConsensusMsg;
use malachitebft_app_channel::app::types::core::{NilOrVal, VoteType};

use crate::certificate::CommitCertificate;
use crate::types::{Address, BillContext, BlockHash, Height, ValidatorSet};

/// Decided heights of which pre-commits are heard: as far back as the chain takes
/// them, and the last one.
const HEIGHTS: usize = billchain_primitives::MAX_LATE_BLOCKS as usize + 1;
/// Signatures checked of one validator and height: others may send votes in its name.
const CHECKS: u8 = 4;

/// A height that was decided.
struct Decided {
    height: Height,
    hash: BlockHash,
    validators: ValidatorSet,
    /// Those whose pre-commits need not be heard, and checks made of the others'.
    checks: HashMap<Address, u8>,
}

/// See the module's documentation. One pre-commit of each validator at most.
#[derive(Default)]
pub(super) struct Late {
    /// The last ones, oldest first.
    decided: VecDeque<Decided>,
    heard: HashMap<Address, LatePrecommit>,
}

impl Late {
    /// A block was decided.
    pub(super) fn decided(&mut self, certificate: &CommitCertificate, validators: ValidatorSet) {
        if self.decided.len() == HEIGHTS {
            self.decided.pop_front();
        }
        let checks = certificate.signatures.iter().map(|entry| (entry.address, CHECKS)).collect();
        let (height, hash) = (certificate.height, certificate.block_hash);
        self.decided.push_back(Decided { height, hash, validators, checks });
        let first = self.decided.front().map_or(0, |oldest| oldest.height.get());
        self.heard.retain(|_, late| u64::from(late.height) >= first);
    }

    /// A message has come in; it may be such a pre-commit. `is_signed` says whether one
    /// of these validators signed it.
    pub(super) fn hear(
        &mut self,
        message: &SignedConsensusMsg<BillContext>,
        is_signed: impl FnOnce(&ValidatorSet) -> bool,
    ) {
        let SignedConsensusMsg::Vote(signed) = message else { return };
        let vote = &signed.message;
        let (VoteType::Precommit, NilOrVal::Val(hash)) = (vote.kind, vote.value) else { return };
        let Some(decided) = self.decided.iter_mut().find(|one| one.height == vote.height) else {
            return;
        };
        let (Ok(height), Some(round)) = (u32::try_from(vote.height.get()), vote.round.as_u32())
        else {
            return;
        };
        let is_newer = self.heard.get(&vote.voter).is_none_or(|late| late.height < height);
        if decided.hash != hash || !is_newer || decided.validators.get(&vote.voter).is_none() {
            return;
        }
        let checks = decided.checks.entry(vote.voter).or_default();
        if *checks == CHECKS {
            return;
        }
        *checks += 1;
        if is_signed(&decided.validators) {
            *checks = CHECKS;
            let signer = (*vote.voter.as_bytes()).into();
            let signature = signed.signature.to_bytes();
            self.heard.insert(vote.voter, LatePrecommit { signer, height, round, signature });
        }
    }

    /// What was heard, the latest of each validator, ascending by validator.
    pub(super) fn all(&self) -> Vec<LatePrecommit> {
        let mut all: Vec<LatePrecommit> = self.heard.values().cloned().collect();
        all.sort_by(|a, b| a.signer.cmp(&b.signer));
        all
    }
}

#[cfg(test)]
mod tests {
    use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
    use billchain_primitives::Hash;
    use malachitebft_app_channel::app::types::core::{Round, SignedVote};

    use super::*;
    use crate::certificate::CommitSignature;
    use crate::early::is_signed_by_validator;
    use crate::signing::{ChainDomain, Sm2Verifier};
    use crate::types::{Validator, Vote};

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed])
    }

    fn address(seed: u8) -> Address {
        Address::from_public_key(&key(seed).public())
    }

    fn domain() -> ChainDomain {
        ChainDomain::new(Hash::repeat_byte(7))
    }

    fn hash(height: u64) -> BlockHash {
        Hash::repeat_byte(height as u8).into()
    }

    fn vote(height: u64, voter: u8, signer: u8) -> SignedConsensusMsg<BillContext> {
        let vote = Vote {
            kind: VoteType::Precommit,
            height: Height::new(height),
            round: Round::new(0),
            value: NilOrVal::Val(hash(height)),
            voter: address(voter),
        };
        let signature = key(signer).sign(DEFAULT_ID, &domain().vote_bytes(&vote));
        SignedConsensusMsg::Vote(SignedVote::new(vote, signature))
    }

    /// Heights up to `last` are decided by 0, 1 and 2.
    fn late(last: u64) -> Late {
        let set = ValidatorSet::new((0..4).map(|seed| Validator::new(key(seed).public(), 1)));
        let set = set.expect("a set");
        let mut late = Late::default();
        for height in 1..=last {
            let signature = key(0).sign(DEFAULT_ID, b"not looked at");
            let signatures =
                (0..3).map(|seed| CommitSignature { address: address(seed), signature }).collect();
            let certificate = CommitCertificate {
                height: Height::new(height),
                round: crate::types::Round::FIRST,
                block_hash: hash(height),
                signatures,
            };
            late.decided(&certificate, set.clone());
        }
        late
    }

    fn hear(late: &mut Late, message: &SignedConsensusMsg<BillContext>) {
        let verifier = Sm2Verifier::new(domain());
        late.hear(message, |set| is_signed_by_validator(&verifier, set, message));
    }

    fn heights(late: &Late) -> Vec<u32> {
        late.all().iter().map(|late| late.height).collect()
    }

    #[test]
    fn the_latest_precommit_of_who_is_missing_is_kept() {
        let mut late = late(20);
        hear(&mut late, &vote(18, 3, 3));
        assert_eq!(heights(&late), [18]);
        hear(&mut late, &vote(17, 3, 3));
        hear(&mut late, &vote(20, 3, 3));
        assert_eq!(heights(&late), [20]);
        let [kept] = &late.all()[..] else { panic!("one") };
        let about = (20, 0, hash(20).get());
        let key = key(3).public().to_compressed();
        let signature = kept.signature;
        let layout = domain();
        assert!(billchain_primitives::is_precommit(
            layout.layout(),
            about,
            &kept.signer,
            &key,
            signature
        ));
    }

    #[test]
    fn nothing_else_is_kept() {
        let mut late = late(20);
        hear(&mut late, &vote(20, 2, 2));
        hear(&mut late, &vote(3, 3, 3));
        hear(&mut late, &vote(21, 3, 3));
        hear(&mut late, &vote(20, 9, 9));
        let SignedConsensusMsg::Vote(mut other) = vote(20, 3, 3) else { unreachable!() };
        other.message.value = NilOrVal::Val(hash(19));
        hear(&mut late, &SignedConsensusMsg::Vote(other));
        assert_eq!(heights(&late), [0_u32; 0]);
    }

    #[test]
    fn votes_in_anothers_name_cost_a_few_checks_a_height() {
        let mut late = late(20);
        for _ in 0..100 {
            hear(&mut late, &vote(20, 3, 1));
        }
        let last = late.decided.back().expect("a height");
        assert_eq!(last.checks[&address(3)], CHECKS);
        hear(&mut late, &vote(19, 3, 3));
        assert_eq!(heights(&late), [19], "another height is heard");
    }

    #[test]
    fn what_is_too_old_is_forgotten() {
        let mut late = late(20);
        hear(&mut late, &vote(4, 3, 3));
        assert_eq!(heights(&late), [4]);
        let set = late.decided[0].validators.clone();
        let certificate = CommitCertificate {
            height: Height::new(21),
            round: crate::types::Round::FIRST,
            block_hash: hash(21),
            signatures: Vec::new(),
        };
        late.decided(&certificate, set);
        assert_eq!(heights(&late), [0_u32; 0]);
        assert_eq!(late.decided.len(), HEIGHTS);
    }
}
