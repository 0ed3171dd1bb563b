use std::future::{pending, ready};

use super::*;
use crate::testing::peer;

#[tokio::test]
async fn expansions_of_one_publisher_take_no_room_of_another() {
    let (results, _receiver) = mpsc::unbounded_channel();
    let mut expansions = Expansions::new(results);
    for byte in 0..128 {
        for _ in 0..PER_PUBLISHER {
            assert!(expansions.start(peer(byte), pending()), "publisher {byte} has its own room");
        }
        assert!(!expansions.start(peer(byte), pending()), "more than its share");
    }
}

#[tokio::test]
async fn a_finished_expansion_makes_room() {
    let (results, mut receiver) = mpsc::unbounded_channel();
    let mut expansions = Expansions::new(results);
    for _ in 0..10 * PER_PUBLISHER {
        assert!(expansions.start(peer(1), ready(Err("missing".to_owned()))));
        let expanded = receiver.recv().await.expect("the task reports");
        assert_eq!(expanded.result.err().as_deref(), Some("missing"));
        // The report comes just before the task's end.
        while !expansions.tasks.values().flatten().all(AbortHandle::is_finished) {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(expansions.tasks[&peer(1)].len(), 1);
}

#[tokio::test]
async fn expansions_end_with_consensus() {
    let (results, mut receiver) = mpsc::unbounded_channel();
    let mut expansions = Expansions::new(results);
    assert!(expansions.start(peer(1), pending()));
    drop(expansions);
    assert!(receiver.recv().await.is_none(), "the task lets go of the channel");
}
