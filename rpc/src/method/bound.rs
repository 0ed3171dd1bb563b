//! Bounds of a method: how long its parameters and its answer may be, how much
//! it works on, and beside what it works.

use crate::lanes::Lane;

/// What one request of a method may cost. The server enforces the lengths; the
/// method's own code keeps within the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// Longest parameters, in bytes of JSON.
    pub(crate) params: u32,
    /// Longest answer, in bytes of JSON.
    pub(crate) answer: u32,
    /// Most work.
    pub(crate) work: Work,
    /// Beside what it works.
    pub(crate) lane: Lane,
}

/// An amount of work, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    /// How many.
    pub(crate) most: u32,
    /// Of what.
    pub(crate) of: &'static str,
}

const KIB: u32 = 1 << 10;
const MIB: u32 = 1 << 20;

impl Bound {
    /// One entry, by its key.
    pub(crate) const ONE: Self = Self {
        params: 4 * KIB,
        answer: 256 * KIB,
        work: Work { most: 1, of: "entry" },
        lane: Lane::Light,
    };
    /// What the node has in memory.
    pub(crate) const MEMORY: Self =
        Self { params: KIB, work: Work { most: 1, of: "value in memory" }, ..Self::ONE };
    /// A page of a list: its entries and the one after it.
    pub(crate) const PAGE: Self =
        Self { answer: 2 * MIB, work: Work { most: 101, of: "entries" }, ..Self::ONE };

    /// With this work.
    pub(crate) const fn of(self, most: u32, of: &'static str) -> Self {
        Self { work: Work { most, of }, ..self }
    }

    /// With parameters of at most so many KiB.
    pub(crate) const fn params_kib(self, kib: u32) -> Self {
        Self { params: kib * KIB, ..self }
    }

    /// With an answer of at most so many KiB.
    pub(crate) const fn answer_kib(self, kib: u32) -> Self {
        Self { answer: kib * KIB, ..self }
    }

    /// Beside the other dear ones.
    pub(crate) const fn heavy(self) -> Self {
        Self { lane: Lane::Heavy, ..self }
    }
}
