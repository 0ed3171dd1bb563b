//! Where a group of keys is, and what shows it: in the hot part of the state, in a segment of its
//! cold part, or nowhere.
//!
//! ```text
//! state root = SM3(0xC0 ‖ 0x00 ‖ hot root ‖ cold root)
//! cold root  = SM3(0xC0 ‖ 0x01 ‖ number of runs (1) ‖ root of each run ‖ SM3 of the records)
//! ```
//!
//! Of a hot group, the hot root has an active operation. A cold one is in a segment of a run, and
//! its activity bit is 1. One that is nowhere lies between two hot groups, and no run has it: none
//! of a run's segments has it in its range, or the one that has lacks it, or that one's bit is 0,
//! because the group was written to since.

use crate::{
    Digest, Refusal,
    cold::{self, BitProof, Coverage, Exclusion, Inclusion, MAX_RUNS},
    reader::Reader,
    sm3,
    state::{Group, Operation},
};
use alloc::vec::Vec;

/// Where a group is.
pub(crate) const NOWHERE: u8 = 0;
pub(crate) const HOT: u8 = 1;
pub(crate) const COLD: u8 = 2;

/// Why a run does not have it.
pub(crate) const UNCOVERED: u8 = 0;
pub(crate) const BETWEEN: u8 = 1;
pub(crate) const LEFT: u8 = 2;

/// The roots of which a state root is made.
pub(crate) struct Roots {
    hot: Digest,
    runs: Vec<Digest>,
    /// SM3 of what the chain records of its runs; nothing here looks into it.
    records: Digest,
}

impl Roots {
    /// Reads the root of the hot part (32), the number of runs (1), the root of each (32), and SM3
    /// of the records (32).
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let hot = reader.digest()?;
        let count = usize::from(reader.byte()?);
        if count > MAX_RUNS {
            return Err(reader.refusal("the cold part has more than 64 runs"));
        }
        let runs = (0..count).map(|_| reader.digest()).collect::<Result<_, _>>()?;
        Ok(Self { hot, runs, records: reader.digest()? })
    }

    /// Reads those of this state root.
    pub(crate) fn read_of(state_root: &Digest, reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let roots = Self::read(reader)?;
        if roots.state_root().as_ref() == Some(state_root) {
            Ok(roots)
        } else {
            Err(Refusal::State)
        }
    }

    /// The state root; none if there are too many runs.
    pub(crate) fn state_root(&self) -> Option<Digest> {
        let cold = cold::cold_root(&self.runs, &self.records)?;
        Some(cold::state_root(&self.hot, &cold))
    }

    /// Reads where the group is whose keys share these bytes (1), and what shows it. Gives what is
    /// in the group; nothing if it is nowhere.
    pub(crate) fn group<'a>(
        &self,
        reader: &mut Reader<'a>,
        shared: &[u8],
    ) -> Result<Option<Group<'a>>, Refusal> {
        match reader.byte()? {
            NOWHERE => self.nowhere(reader, shared).map(|()| None),
            HOT => {
                let group = Group::read(reader)?;
                let operation = Operation::read_of(sm3(&[shared]), group.digest(), reader)?;
                operation.verify(&self.hot)?;
                Ok(Some(group))
            }
            COLD => self.cold(reader, shared).map(Some),
            _ => Err(reader.refusal("where a group is, is not said")),
        }
    }

    /// Reads what is in the group, the place of its run (1), which segment of the run has the
    /// group in its range, its way to the root over that segment's groups, and its bit.
    fn cold<'a>(&self, reader: &mut Reader<'a>, shared: &[u8]) -> Result<Group<'a>, Refusal> {
        let group = Group::read(reader)?;
        let run = self.runs.get(usize::from(reader.byte()?));
        let run = run.ok_or(reader.refusal("a cold group is in a run that is not there"))?;
        let coverage = reader.cold(Coverage::read)?;
        let Some(segment) = coverage.verify(run, shared)? else {
            let what = "a cold group is in no range of its run's segments";
            return Err(Refusal::Contradiction { what });
        };
        let inclusion = reader.cold(Inclusion::read)?;
        inclusion.verify(&segment.groups, shared, &group.digest())?;
        let bit = reader.cold(BitProof::read)?;
        if bit.verify(&segment.bits, inclusion.position())? {
            Ok(group)
        } else {
            let what = "a cold group was written to since, and is somewhere else or nowhere";
            Err(Refusal::Contradiction { what })
        }
    }

    /// Reads the operation about the hot group before, the number of runs (1), and of each what
    /// shows that it does not have the group.
    fn nowhere(&self, reader: &mut Reader<'_>, shared: &[u8]) -> Result<(), Refusal> {
        let operation = Operation::read(reader)?;
        operation.verify(&self.hot)?;
        if !operation.leaves_out(&sm3(&[shared])) {
            let what = "the group is not between the two that are named";
            return Err(Refusal::Contradiction { what });
        }
        if usize::from(reader.byte()?) != self.runs.len() {
            return Err(reader.refusal("a group that is nowhere is not looked for in each run"));
        }
        self.runs.iter().try_for_each(|run| missing(reader, run, shared))
    }
}

/// Reads why the run of this root does not have the group (1), and what shows it.
fn missing(reader: &mut Reader<'_>, run: &Digest, shared: &[u8]) -> Result<(), Refusal> {
    let why = reader.byte()?;
    let coverage = reader.cold(Coverage::read)?;
    match (why, coverage.verify(run, shared)?) {
        (UNCOVERED, None) => Ok(()),
        (BETWEEN, Some(segment)) => {
            reader.cold(Exclusion::read)?.verify(&segment.groups, shared)?;
            Ok(())
        }
        (LEFT, Some(segment)) => {
            let group = reader.digest()?;
            let inclusion = reader.cold(Inclusion::read)?;
            inclusion.verify(&segment.groups, shared, &group)?;
            let bit = reader.cold(BitProof::read)?;
            if bit.verify(&segment.bits, inclusion.position())? {
                let what = "a group that is said to be nowhere is active in a segment";
                return Err(Refusal::Contradiction { what });
            }
            Ok(())
        }
        (UNCOVERED | BETWEEN | LEFT, _) => {
            let what = "whether a segment of a run has the group in its range is said otherwise";
            Err(Refusal::Contradiction { what })
        }
        _ => Err(reader.refusal("why a run does not have a group is not said")),
    }
}

#[cfg(test)]
pub(crate) mod tests;
