use std::future::{pending, ready};

use super::*;

fn peer(byte: u8) -> PeerId {
    let mut bytes = vec![0x12, 32];
    bytes.extend([byte; 32]);
    PeerId::from_bytes(&bytes).expect("a well-formed multihash")
}

#[tokio::test]
async fn one_publisher_cannot_keep_the_others_from_restoring() {
    let (results, _receiver) = mpsc::unbounded_channel();
    let mut restoring = Restoring::new(results);
    for _ in 0..PER_PUBLISHER {
        assert!(restoring.start(peer(1), pending()));
    }
    assert!(!restoring.start(peer(1), pending()), "more than its share");
    assert!(restoring.start(peer(2), pending()));
}

#[tokio::test]
async fn all_publishers_together_are_bounded() {
    let (results, _receiver) = mpsc::unbounded_channel();
    let mut restoring = Restoring::new(results);
    let started = (0..100).filter(|byte| restoring.start(peer(*byte), pending())).count();
    assert_eq!(started, ALTOGETHER);
    assert_eq!(restoring.tasks.len(), ALTOGETHER);
}

#[tokio::test]
async fn a_finished_restoration_makes_room() {
    let (results, mut receiver) = mpsc::unbounded_channel();
    let mut restoring = Restoring::new(results);
    for _ in 0..3 * ALTOGETHER {
        assert!(restoring.start(peer(1), ready(Err("missing".to_owned()))));
        let restored = receiver.recv().await.expect("the task reports");
        assert_eq!(restored.result.err().as_deref(), Some("missing"));
        // The report comes just before the task's end.
        while !restoring.tasks.iter().all(|(_, task)| task.is_finished()) {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(restoring.tasks.len(), 1);
}

#[tokio::test]
async fn restorations_end_with_consensus() {
    let (results, mut receiver) = mpsc::unbounded_channel();
    let mut restoring = Restoring::new(results);
    assert!(restoring.start(peer(1), pending()));
    drop(restoring);
    assert!(receiver.recv().await.is_none(), "the task lets go of the channel");
}
