//! Waiting for what was sent.

use super::{
    book::{Book, locked},
    observe::Observer,
};
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Interval between checks for due transactions: the resolution of sending.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Waits until nothing is open, at most `patience`.
pub(super) async fn drain(book: &Mutex<Book>, patience: Duration, observer: &Observer) {
    let began = Instant::now();
    while began.elapsed() < patience && locked(book).open() > 0 && !observer.has_failed() {
        sleep(TICK).await;
    }
}
