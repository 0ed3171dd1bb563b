//! What the head's state root proves of keys.

use crate::{
    Head, Storage, StorageError,
    cold::Run,
    commitment::OperationProof,
    groups::{self, Group},
    tables::Table,
};
use billchain_cold::{
    Proof,
    proof::{BitProof, Coverage, Exclusion, Inclusion, Listed},
};
use sp_core::H256;

/// What the state root of a block proves of some keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateProof {
    /// The block.
    pub head: Head,
    /// Root of its hot state.
    pub hot_root: H256,
    /// Roots of its runs of cold groups, the oldest first.
    pub run_roots: Vec<H256>,
    /// SM3 of the records of its cold part. With the hot root and the runs it leads to the state
    /// root.
    pub records: H256,
    /// The groups of the keys, in the order in which the keys were asked for.
    pub groups: Vec<GroupProof>,
}

/// What is proved of keys that differ in their last byte alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupProof {
    /// The value of each of the keys, in the order in which they were asked for; none if it has
    /// none.
    pub values: Vec<Option<Vec<u8>>>,
    /// Where their group is, and what shows it.
    pub place: Place,
}

/// Where a group is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the hot state.
    Hot {
        /// Last byte of each key with a value, and SM3 of the value; ascending.
        group: Vec<(u8, [u8; 32])>,
        /// SM3 of what the keys of the next group share.
        next: H256,
        /// The operation that says what is in the group.
        operation: OperationProof,
    },
    /// In a run of cold groups.
    Cold {
        /// The place of its root among the roots.
        run: u8,
        /// The segment whose range holds the keys.
        coverage: Coverage,
        /// That the segment has the group.
        inclusion: Inclusion,
        /// That the group is active.
        bit: BitProof,
        /// Last byte of each key with a value, and SM3 of the value; ascending.
        group: Vec<(u8, [u8; 32])>,
    },
    /// Nowhere: no key of the group has a value.
    Nowhere {
        /// The group before in the hot state: SM3 of what its keys share, SM3 of what is in it,
        /// and SM3 of what the keys of the next group share.
        neighbour: [H256; 3],
        /// The operation that says what is in that group.
        operation: OperationProof,
        /// That no run has the group, one for each root.
        runs: Vec<Missing>,
    },
}

/// That a run of cold groups has a group not, or not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The keys are in the range of none of its segments.
    Uncovered(Coverage),
    /// The segment of that range has no such group.
    Between {
        /// The segment.
        coverage: Coverage,
        /// That it lies between two others.
        exclusion: Exclusion,
    },
    /// The segment has such a group, which is not active any more.
    Left {
        /// The segment.
        coverage: Coverage,
        /// That the segment has the group.
        inclusion: Inclusion,
        /// SM3 of what was in the group.
        group: H256,
        /// That it is not active.
        bit: BitProof,
    },
}

/// The runs at the head, as their roots commit to them.
struct Listing {
    run: Run,
    listed: Vec<Listed>,
}

impl Storage {
    /// The values of `keys` at the head, with what proves them under the head's state root; `None`
    /// if a block was committed meanwhile. Keys of one group that follow one another are proved
    /// together, and a block waits for one group at most.
    pub fn prove(&self, keys: &[Vec<u8>]) -> Result<Option<StateProof>, StorageError> {
        let split = keys.iter().map(|key| groups::split(key).map(|(shared, _)| (shared, key)));
        let split = split.collect::<Result<Vec<_>, _>>()?;
        if !self.is_initialised() {
            return Err(StorageError::NotInitialised);
        }
        let (head, hot_root, records, runs) = {
            let _order = self.order.read();
            let view = self.shared.cold.view();
            let listing = |run: &Run| Listing { run: run.clone(), listed: run.listed() };
            let runs: Vec<Listing> = view.runs.iter().map(listing).collect();
            (self.head(), self.hot_root(), H256(view.records), runs)
        };
        let mut groups = Vec::new();
        for of_group in split.chunk_by(|(one, _), (next, _)| one == next) {
            let _order = self.order.read();
            self.check_running()?;
            if self.head() != head {
                return Ok(None);
            }
            groups.push(self.group_proof(of_group, &runs)?);
        }
        let run_roots = runs.iter().map(|listing| H256(listing.run.root)).collect();
        Ok(Some(StateProof { head, hot_root, run_roots, records, groups }))
    }

    /// Proves keys, of which each is given with what all of them share. The head must not move
    /// meanwhile.
    fn group_proof(
        &self,
        keys: &[(&[u8], &Vec<u8>)],
        runs: &[Listing],
    ) -> Result<GroupProof, StorageError> {
        let shared = keys.first().map(|(shared, _)| *shared).unwrap_or_default();
        let tables = &self.shared.tables;
        let group = self.groups.look(tables, shared)?;
        if group.is_empty() {
            return self.proof_of_cold(keys, shared, runs);
        }
        let values = keys.iter().map(|(_, key)| tables.get(Table::State, key));
        let values = values.collect::<Result<_, _>>()?;
        let active = self.commitment.active(shared)?;
        let (next, operation) = (active.next, active.proof);
        let place = Place::Hot { group: group.into_keys(), next, operation };
        Ok(GroupProof { values, place })
    }

    /// Proves keys that are not in the hot state.
    fn proof_of_cold(
        &self,
        keys: &[(&[u8], &Vec<u8>)],
        shared: &[u8],
        runs: &[Listing],
    ) -> Result<GroupProof, StorageError> {
        let mut missing = Vec::with_capacity(runs.len());
        for (number, listing) in (0_u8..).zip(runs) {
            match self.asked(listing, shared)? {
                Asked::Missing(proof) => missing.push(proof),
                Asked::Active { coverage, inclusion, bit, group } => {
                    let value = |key: &Vec<u8>| {
                        let last = *key.last()?;
                        group.value(last).map(<[u8]>::to_vec)
                    };
                    let values = keys.iter().map(|(_, key)| value(key)).collect();
                    let group = Group::of(&group.values).into_keys();
                    let place = Place::Cold { run: number, coverage, inclusion, bit, group };
                    return Ok(GroupProof { values, place });
                }
            }
        }
        let active = self.commitment.active(shared)?;
        let neighbour = [active.key, active.value, active.next];
        let place = Place::Nowhere { neighbour, operation: active.proof, runs: missing };
        Ok(GroupProof { values: vec![None; keys.len()], place })
    }

    /// What a run proves of a group.
    fn asked(&self, listing: &Listing, shared: &[u8]) -> Result<Asked, StorageError> {
        let tables = &self.shared.tables;
        let odd = || tables.corrupt("a run of cold groups proves nothing of a key".into());
        let coverage = Coverage::of(&listing.listed, shared).ok_or_else(odd)?;
        let Some(segment) = listing.run.covering(shared) else {
            return Ok(Asked::Missing(Missing::Uncovered(coverage)));
        };
        let (group, inclusion) = match segment.prove(tables, shared)? {
            Proof::Absent(exclusion) => {
                return Ok(Asked::Missing(Missing::Between { coverage, exclusion }));
            }
            Proof::Present { group, proof } => (group, proof),
        };
        let bit = segment.prove_bit(tables, inclusion.position())?;
        if segment.is_active(inclusion.position()) {
            return Ok(Asked::Active { coverage, inclusion, bit, group });
        }
        let group = H256(group.digest());
        Ok(Asked::Missing(Missing::Left { coverage, inclusion, group, bit }))
    }
}

/// What a run proves of a group.
enum Asked {
    Missing(Missing),
    Active { coverage: Coverage, inclusion: Inclusion, bit: BitProof, group: billchain_cold::Group },
}
