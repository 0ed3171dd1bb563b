//! A chain whose validators' keys the tests have. Its state holds what a client asks for, and
//! no bill; its proofs are made by hand, as `docs/certificates.md` says.

use crate::{
    Knowledge, Step, Update,
    knowledge::{last_change_key, time_key},
    walk::Descent,
};
use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_primitives::{ConsensusDomain, Hash, Header, Statement, StatementContext, sm3};
use billchain_verifier::{
    Digest,
    cold::{cold_root, state_root},
    key_proof,
    make::{Body, Certificate, Decided, OperationProof, Place, Roots},
};
use codec::Encode;
use frame_support::storage::storage_prefix;
use pallet_participation::{SET_DIGEST, SetChange};
use sp_runtime::{DigestItem, generic};

/// Keys of the validators from the genesis on, and after changes.
pub(crate) const FIRST: [u8; 4] = [1, 2, 3, 4];
pub(crate) const SECOND: [u8; 4] = [3, 4, 5, 6];
pub(crate) const THIRD: [u8; 4] = [5, 6, 7, 8];

/// Three of four.
pub(crate) const QUORUM: [u8; 3] = [0, 1, 2];

/// Time of block 0, in milliseconds; a block takes a second.
pub(crate) const BEGAN: u64 = 1_800_000_000_000;

/// Code and number of a bill that is not there.
pub(crate) const BILL: (&str, &str) = ("31060126", "0000000001");

/// A group of keys with one key: SM3 of what they share, the last byte, and its value.
struct Entry {
    shared: Digest,
    last: u8,
    value: Vec<u8>,
}

impl Entry {
    fn new(key: &[u8], value: Vec<u8>) -> Self {
        let (last, shared) = key.split_last().unwrap();
        Self { shared: sm3(shared), last: *last, value }
    }

    fn group(&self) -> Vec<(u8, Digest)> {
        vec![(self.last, sm3(&self.value))]
    }

    fn digest(&self) -> Digest {
        sm3(&[&[self.last][..], &sm3(&self.value)].concat())
    }
}

/// A state of two operations, each of which names the other's group, without a cold part.
pub(crate) struct State {
    entries: [Entry; 2],
    bits: [u8; 32],
}

impl State {
    /// The state after a block.
    pub(crate) fn new(last_change: u32, time: u64) -> Self {
        let mut bits = [0; 32];
        bits[0] = 3;
        let entries = [
            Entry::new(&last_change_key(), last_change.encode()),
            Entry::new(&time_key(), time.encode()),
        ];
        Self { entries, bits }
    }

    fn leaf(&self, at: usize) -> Digest {
        let (entry, other) = (&self.entries[at], &self.entries[1 - at]);
        let operation = [&[0xd2][..], &entry.shared, &entry.digest(), &other.shared].concat();
        sm3(&[&(at as u64).to_be_bytes()[..], &operation].concat())
    }

    pub(crate) fn root(&self) -> Digest {
        let Roots { hot, runs, records } = self.roots();
        state_root(&hot, &cold_root(&runs, &records).unwrap())
    }

    pub(crate) fn roots(&self) -> Roots {
        let (two, plain) = (2_u64.to_be_bytes(), [7_u8; 32]);
        let peak = sm3(&[&two[..], &self.leaf(0), &self.leaf(1)].concat());
        let range = sm3(&[&[0, 1][..], &two, &peak].concat());
        let hot = sm3(&[&plain[..], &range, &two, &sm3(&self.bits)].concat());
        Roots { hot, runs: Vec::new(), records: [8; 32] }
    }

    fn proof(&self, at: usize) -> OperationProof {
        OperationProof {
            location: at as u64,
            leaves: 2,
            inactive_peaks: 0,
            plain: [7; 32],
            bits: self.bits,
            partial: Some(sm3(&self.bits)),
            digests: vec![self.leaf(1 - at)],
        }
    }

    /// Key proofs of the last change and of the time.
    pub(crate) fn key_proofs(&self) -> [Vec<u8>; 2] {
        [0, 1].map(|at| {
            let (entry, other) = (&self.entries[at], &self.entries[1 - at]);
            let (group, next, proof) = (entry.group(), other.shared, self.proof(at));
            key_proof(&self.roots(), &Place::Hot { group, next, proof }, Some(&entry.value))
        })
    }

    /// What shows that the state holds no bill with this code and number.
    pub(crate) fn absence(&self, (code, number): (&str, &str)) -> Body {
        let digits: [u8; 18] = [code, number].concat().into_bytes().try_into().unwrap();
        let shared = sm3(&[&storage_prefix(b"BillRegister", b"Bills")[..], &digits[..17]].concat());
        let before = |at: usize| {
            let (from, to) = (self.entries[at].shared, self.entries[1 - at].shared);
            if from < to { from < shared && shared < to } else { from < shared || shared < to }
        };
        let at = usize::from(!before(0));
        let (entry, other) = (&self.entries[at], &self.entries[1 - at]);
        let neighbour = [entry.shared, entry.digest(), other.shared];
        let place = Place::Nowhere { neighbour, proof: self.proof(at), runs: Vec::new() };
        Body::Absent { key: digits, place }
    }
}

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

/// A block: its number, the last change up to it, and the validators that it names.
#[derive(Clone, Copy)]
pub(crate) struct Made<'a> {
    pub(crate) number: u32,
    /// What its state says of the last change.
    pub(crate) last_change: u32,
    /// The change before it, and the seeds of the validators, if it names some.
    pub(crate) names: Option<(u32, &'a [u8])>,
    /// What makes it another block than that with the same number.
    pub(crate) branch: u8,
}

impl<'a> Made<'a> {
    pub(crate) fn plain(number: u32, last_change: u32) -> Self {
        Self { number, last_change, names: None, branch: 0 }
    }

    pub(crate) fn change(number: u32, previous: u32, seeds: &'a [u8]) -> Self {
        Self { number, last_change: number, names: Some((previous, seeds)), branch: 0 }
    }

    pub(crate) fn state(&self) -> State {
        State::new(self.last_change, BEGAN + u64::from(self.number) * 1_000)
    }

    pub(crate) fn header(&self) -> Header {
        let mut logs = vec![DigestItem::Consensus(*b"BCPC", vec![1; 20])];
        if let Some((previous, seeds)) = self.names {
            let key = |seed: &u8| (secret(*seed).public().to_compressed(), 1);
            let validators = seeds.iter().map(key).collect::<Vec<_>>().try_into().unwrap();
            logs.push(DigestItem::Consensus(
                SET_DIGEST,
                SetChange { previous, validators }.encode(),
            ));
        }
        Header {
            parent_hash: Hash::repeat_byte(self.number as u8),
            number: self.number,
            state_root: self.state().root().into(),
            extrinsics_root: Hash::repeat_byte(self.branch),
            digest: generic::Digest { logs },
        }
    }

    /// Decided by the validators with these places in a set.
    pub(crate) fn decided(&self, set: &[u8], places: &[u8]) -> Decided {
        let header = self.header();
        let sign = |place: &u8| {
            let secret = secret(set[usize::from(*place)]);
            let signer = sm3(&secret.public().to_compressed());
            let context = StatementContext { height: self.number.into(), round: Some(1), signer };
            let statement = Statement::Precommit { block: Some(header.hash()) };
            let domain = ConsensusDomain::new(genesis().into());
            let bytes = domain.statement_bytes(&context, &statement);
            (*place, secret.sign(DEFAULT_ID, &bytes).to_bytes())
        };
        let signatures = places.iter().map(sign).collect();
        Decided { header: header.encode(), round: 1, signatures }
    }

    /// What an honest server shows that has it as its head.
    pub(crate) fn update(&self, changes: &[Vec<u8>], set: &[u8]) -> Update {
        let [last_change, time] = self.state().key_proofs();
        let head = self.decided(set, &QUORUM).to_bytes();
        Update { changes: changes.to_vec(), head, last_change, time }
    }

    /// The certificate that there is no such bill after it.
    pub(crate) fn certificate(&self, changes: &[Decided], set: &[u8]) -> Vec<u8> {
        self.certified(None, changes, set)
    }

    /// That certificate, which starts at a change.
    pub(crate) fn certificate_from(
        &self,
        start: &Decided,
        changes: &[Decided],
        set: &[u8],
    ) -> Vec<u8> {
        self.certified(Some(start.header.clone()), changes, set)
    }

    fn certified(&self, start: Option<Vec<u8>>, changes: &[Decided], set: &[u8]) -> Vec<u8> {
        let certificate = Certificate {
            genesis: first().header().encode(),
            start,
            changes: changes.to_vec(),
            head: self.decided(set, &QUORUM),
            roots: self.state().roots(),
            body: self.state().absence(BILL),
        };
        certificate.to_bytes()
    }
}

/// The genesis.
pub(crate) fn first() -> Made<'static> {
    Made { number: 0, last_change: 0, names: Some((0, &FIRST)), branch: 0 }
}

/// Its decided header, which nobody signed.
pub(crate) fn first_bytes() -> Vec<u8> {
    Decided { header: first().header().encode(), round: 0, signatures: Vec::new() }.to_bytes()
}

/// Its hash.
pub(crate) fn genesis() -> Digest {
    first().header().hash().0
}

/// What is known at the beginning.
pub(crate) fn knowledge() -> Knowledge {
    match Descent::new(genesis(), genesis()).take(first_bytes()).unwrap() {
        Step::Done(known) => *known,
        Step::More(_) => panic!("the genesis names its validators"),
    }
}
