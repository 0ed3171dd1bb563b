//! Tells the server how far the index is, and browsers which blocks came.

use crate::{
    App,
    given::Given,
    index::{Part, Standing},
    lists::Name,
};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Blocks that are told one by one; of more, the newest.
const TOLD: u32 = 20;
/// Over which time the pace is counted.
const SPAN: Duration = Duration::from_secs(60);

/// How fast the index goes.
#[derive(Default)]
pub struct Pace(Mutex<VecDeque<(Instant, u64)>>);

impl Pace {
    /// It is at this block now.
    fn is_at(&self, block: u64, now: Instant) {
        let mut seen = self.0.lock();
        seen.push_back((now, block));
        while seen.len() > 2
            && seen.front().is_some_and(|(since, _)| now.duration_since(*since) > SPAN)
        {
            seen.pop_front();
        }
        // A block every few milliseconds needs no more.
        if seen.len() > 4096 {
            seen.pop_front();
        }
    }

    /// Blocks a second over the last minute.
    #[allow(clippy::cast_precision_loss)]
    pub fn blocks_per_second(&self) -> f64 {
        let seen = self.0.lock();
        match (seen.front(), seen.back()) {
            (Some((since, first)), Some((until, last))) if until > since => {
                let rate =
                    last.saturating_sub(*first) as f64 / until.duration_since(*since).as_secs_f64();
                (rate * 100.0).round() / 100.0
            }
            _ => 0.0,
        }
    }
}

/// Follows the index's standing as long as it is told.
pub async fn follow(app: Arc<App>, mut standings: watch::Receiver<Standing>) {
    let mut told = None;
    loop {
        let standing = standings.borrow_and_update().clone();
        let indexed = standing.indexed;
        app.index.stands(standing.clone());
        app.pace.is_at(indexed, Instant::now());
        if told != Some(indexed) {
            blocks(&app, told, indexed).await;
            told = Some(indexed);
        }
        app.events.tell("status", &standing);
        if standings.changed().await.is_err() {
            return;
        }
    }
}

/// Tells of the blocks after the one that was told last.
async fn blocks(app: &App, told: Option<u64>, indexed: u64) {
    let missed = told.map_or(1, |told| indexed.saturating_sub(told));
    let limit = u32::try_from(missed).unwrap_or(TOLD).clamp(1, TOLD);
    let part = Part { cursor: None, limit };
    match app.index.rows(Name::Blocks, &Given::default(), None, &part).await {
        Ok(rows) => rows.items.iter().rev().for_each(|block| app.events.tell("block", block)),
        Err(refusal) => tracing::warn!(message = refusal.message, "new blocks cannot be told"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_last_minute() {
        let (pace, start) = (Pace::default(), Instant::now());
        assert!(pace.blocks_per_second().abs() < f64::EPSILON);
        for second in 0..200 {
            let block = if second < 100 { 1000 * second } else { 100_000 + second };
            pace.is_at(block, start + Duration::from_secs(second));
        }
        assert!((pace.blocks_per_second() - 1.0).abs() < 0.01, "{}", pace.blocks_per_second());
    }
}
