//! Tallies (合计): how many bills there are, and for how much, by kind and status.

use crate::{Kind, Refusal, Status, bill, reader::Reader};
use alloc::vec::Vec;

/// Most lines: one for each kind and status.
const MAX_LINES: u32 = 21;

/// Bills of one kind and status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Sort of document.
    pub kind: Kind,
    /// Where the bills stand.
    pub status: Status,
    /// How many; not 0.
    pub bills: u64,
    /// Their totals (总金额) together, in fen.
    pub fen: i128,
}

/// Bills by kind and status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    lines: Vec<Line>,
    bills: u64,
    fen: i128,
}

impl Line {
    /// Reads kind (1), status (1), number of bills (compact) and fen (16, the lowest first).
    fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let (kind, status) = (bill::kind(r)?, bill::status(r)?);
        let bills = r.compact_u64()?;
        if bills == 0 {
            return Err(r.refusal("a line counts no bill"));
        }
        Ok(Self { kind, status, bills, fen: r.array().map(i128::from_le_bytes)? })
    }

    const fn place(&self) -> (Kind, Status) {
        (self.kind, self.status)
    }
}

impl Tally {
    /// Reads the number of lines (compact, 1 to 21), and each, by ascending kind and status; and
    /// the mark (32), which says nothing.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, "tally");
        let count = reader.compact()?;
        if !(1..=MAX_LINES).contains(&count) {
            return Err(reader.refusal("it has no line, or more than 21"));
        }
        let mut tally = Self::default();
        for _ in 0..count {
            let line = Line::read(&mut reader)?;
            if tally.lines.last().is_some_and(|last| last.place() >= line.place()) {
                return Err(reader.refusal("its lines are out of order"));
            }
            tally.add(&line)?;
        }
        reader.digest()?;
        reader.end()?;
        Ok(tally)
    }

    /// Counts the bills of a line, too.
    pub(crate) fn add(&mut self, line: &Line) -> Result<(), Refusal> {
        let mut sum = *line;
        let at = self.lines.binary_search_by_key(&line.place(), Line::place);
        if let Some(found) = at.ok().and_then(|at| self.lines.get(at)) {
            sum.bills = added(found.bills.checked_add(line.bills))?;
            sum.fen = added(found.fen.checked_add(line.fen))?;
        }
        self.bills = added(self.bills.checked_add(line.bills))?;
        self.fen = added(self.fen.checked_add(line.fen))?;
        match at {
            Ok(at) => self.lines.iter_mut().skip(at).take(1).for_each(|found| *found = sum),
            Err(at) => self.lines.insert(at, sum),
        }
        Ok(())
    }

    /// The lines, by ascending kind and status.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many bills there are in all.
    pub const fn bills(&self) -> u64 {
        self.bills
    }

    /// The totals of all bills together, in fen.
    pub const fn fen(&self) -> i128 {
        self.fen
    }
}

fn added<T>(sum: Option<T>) -> Result<T, Refusal> {
    sum.ok_or(Refusal::Malformed { what: "tally", why: "its sums are too large" })
}

#[cfg(test)]
mod tests;
