//! Ready transactions for whoever builds a block.

use crate::{Pool, PoolTransaction};
use std::{collections::VecDeque, sync::Arc};

/// Transactions copied out of the pool at a time, so that a builder that
/// stops early costs little and the lock is never held long.
const PAGE: usize = 512;

/// The transactions that were ready when it was made and still are.
///
/// One that is unusable now and ready again later is not repeated: it has
/// another place then, beyond the end of this.
#[derive(Debug)]
pub struct Best {
    pool: Arc<Pool>,
    next: u64,
    end: u64,
    page: VecDeque<Arc<PoolTransaction>>,
}

impl Best {
    pub(crate) fn new(pool: Arc<Pool>, end: u64) -> Self {
        Self { pool, next: 0, end, page: VecDeque::new() }
    }
}

impl Iterator for Best {
    type Item = Arc<PoolTransaction>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() && self.next < self.end {
            let page = self.pool.ready_page(self.next..self.end, PAGE);
            self.next = page.last().map_or(self.end, |(place, _)| place + 1);
            self.page = page.into_iter().map(|(_, tx)| tx).collect();
        }
        self.page.pop_front()
    }
}
