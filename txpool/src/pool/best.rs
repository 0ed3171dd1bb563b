//! Ready transactions for whoever builds a block.

use super::Pool;
use crate::{PoolTransaction, order::Place};
use std::{collections::VecDeque, sync::Arc};

/// Transactions copied out of the pool at a time, so that a builder that
/// stops early costs little and the lock is never held long.
const PAGE: usize = 512;

/// The transactions that were ready when it was made and still are.
///
/// One that is unusable now and ready again later is not repeated: it has
/// arrived anew then, after this was made.
#[derive(Debug)]
pub struct Best {
    pool: Arc<Pool>,
    /// Place of the last one of the page.
    last: Option<Place>,
    /// Number of the first arrival that is too late for this.
    arrivals: u64,
    is_exhausted: bool,
    page: VecDeque<Arc<PoolTransaction>>,
}

impl Best {
    pub(super) fn new(pool: Arc<Pool>, arrivals: u64) -> Self {
        Self { pool, last: None, arrivals, is_exhausted: false, page: VecDeque::new() }
    }
}

impl Iterator for Best {
    type Item = Arc<PoolTransaction>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() && !self.is_exhausted {
            let page = self.pool.ready_page(self.last, self.arrivals, PAGE);
            self.is_exhausted = page.len() < PAGE;
            self.last = page.last().map_or(self.last, |(place, _)| Some(*place));
            self.page = page.into_iter().map(|(_, tx)| tx).collect();
        }
        self.page.pop_front()
    }
}
