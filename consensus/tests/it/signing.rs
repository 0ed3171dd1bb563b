//! Validators that lost a file: none signs twice, and each says what to do.

use std::fs;
use std::time::{Duration, Instant};

use billchain_consensus::{
    Address, ConsensusError, SigningMemoryError, abstain_from_signing, signing_memory_path,
    signing_summary,
};

use crate::net::{Net, domain, validator_key};

const PATIENCE: Duration = Duration::from_secs(40);

/// Four validators of which two have stopped, so that the others have signed at a
/// height that is not decided; and that height.
async fn undecided(name: &str) -> (Net, u64) {
    let mut net = Net::new(name, 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 3, PATIENCE).await;
    net.stop(2).await;
    net.stop(3).await;
    let begin = Instant::now();
    loop {
        let height = net.nodes[0].chain.height() + 1;
        let path = signing_memory_path(&net.nodes[0].directory);
        let summary = signing_summary(&path).expect("readable").expect("a validator has one");
        if summary.height == height && begin.elapsed() > Duration::from_secs(2) {
            net.stop(0).await;
            return (net, height);
        }
        assert!(begin.elapsed() < PATIENCE, "node 0 signed nothing at height {height}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn refusal(net: &mut Net, index: usize) -> SigningMemoryError {
    match net.try_start(index).await {
        Err(ConsensusError::Signing(error)) => error,
        Err(other) => panic!("refused for another reason: {other}"),
        Ok(()) => panic!("node {index} started"),
    }
}

/// Waits until a block above `height` carries the node's signature.
async fn votes_above(net: &Net, index: usize, height: u64) {
    let own = Address::from_public_key(&validator_key(index as u8 + 1).public());
    let begin = Instant::now();
    let signed = || {
        let blocks = (height + 1..=net.top()).filter_map(|at| net.nodes[1].chain.block(at));
        blocks.flat_map(|block| block.certificate.signatures).any(|entry| entry.address == own)
    };
    while !signed() {
        assert!(begin.elapsed() < PATIENCE, "node {index} never voted above {height}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_whose_log_is_lost_does_not_start_until_it_abstains() {
    let (mut net, height) = undecided("log-lost").await;
    let directory = net.nodes[0].directory.clone();
    let log = directory.join("wal").join("consensus.wal");
    let whole = fs::read(&log).expect("a log");
    let mut flipped = whole.clone();
    flipped[26] ^= 1;
    let mut version = whole.clone();
    version[3] ^= 1;
    // Whatever became of the log, it is not taken without a word, nor changed.
    for (what, content) in [
        ("emptied", Some(&[][..])),
        ("cut to its head", Some(&whole[..12])),
        ("flipped", Some(&flipped[..])),
        ("of an unknown version", Some(&version[..])),
        ("deleted", None),
    ] {
        match content {
            Some(content) => fs::write(&log, content).expect("written"),
            None => fs::remove_file(&log).expect("removed"),
        }
        let refused = refusal(&mut net, 0).await;
        assert!(matches!(refused, SigningMemoryError::LogLost { .. }), "{what}: {refused}");
        assert!(refused.to_string().contains("consensus.wal"), "{what}: {refused}");
        assert_eq!(fs::read(&log).ok().as_deref(), content, "{what}");
    }
    // With the log as it was it starts.
    fs::write(&log, &whole).expect("written");
    net.start(0).await;
    net.stop(0).await;

    fs::remove_file(&log).expect("removed");
    let memory = signing_memory_path(&directory);
    let own = Address::from_public_key(&validator_key(1).public());
    let head = net.nodes[0].chain.height();
    let until = abstain_from_signing(&memory, domain().genesis(), own, head, None);
    assert_eq!(until.expect("written"), height);
    net.start(0).await;
    net.start(2).await;
    net.start(3).await;
    net.reach(&[0, 1, 2, 3], height + 2, PATIENCE).await;
    votes_above(&net, 0, height).await;
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_without_its_memory_does_not_start() {
    let mut net = Net::new("memory-lost", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 3, PATIENCE).await;
    net.stop(0).await;
    let memory = signing_memory_path(&net.nodes[0].directory);
    let whole = fs::read(&memory).expect("a memory");

    fs::remove_file(&memory).expect("removed");
    let refused = refusal(&mut net, 0).await;
    assert!(matches!(refused, SigningMemoryError::Missing { .. }), "{refused}");
    fs::write(&memory, &whole[..100]).expect("written");
    let refused = refusal(&mut net, 0).await;
    assert!(matches!(refused, SigningMemoryError::Damaged { .. }), "{refused}");
    let foreign = net.nodes[1].directory.clone();
    let foreign = fs::read(signing_memory_path(&foreign)).expect("a memory");
    fs::write(&memory, foreign).expect("written");
    let refused = refusal(&mut net, 0).await;
    assert!(matches!(refused, SigningMemoryError::Foreign { .. }), "{refused}");

    fs::write(&memory, &whole).expect("written");
    net.start(0).await;
    net.reach(&[0, 1, 2, 3], net.top() + 3, PATIENCE).await;
    net.assert_one_chain();
    net.stop_all().await;
}

/// The database was lost and the memory kept: the node catches up without a vote,
/// and votes again above everything it may have signed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_with_an_empty_database_signs_no_height_twice() {
    let mut net = Net::new("database-lost", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 8, PATIENCE).await;
    net.stop(0).await;
    let memory = signing_memory_path(&net.nodes[0].directory);
    let signed = signing_summary(&memory).expect("readable").expect("there").height;
    net.empty(0);
    net.start(0).await;
    votes_above(&net, 0, signed).await;
    net.reach(&[0], net.top(), PATIENCE).await;
    net.assert_one_chain();
    net.stop_all().await;
}

/// Database and memory were lost: the node would vote like one that is new, and may have
/// voted at the height that the others decide. The blocks that it fetches carry its
/// signatures, so it ends before it signs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_that_lost_everything_ends_before_it_signs() {
    let mut net = Net::new("all-lost", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 8, PATIENCE).await;
    net.stop(0).await;
    net.empty(0);
    let directory = net.nodes[0].directory.clone();
    fs::remove_dir_all(&directory).expect("removed");
    net.start(0).await;
    let mut handle = net.nodes[0].handle.take().expect("runs");
    let ended = tokio::time::timeout(PATIENCE, handle.ended()).await.expect("it ends");
    let Err(ConsensusError::Signing(SigningMemoryError::OutOfDate { evidence, .. })) = ended else {
        panic!("ended with {ended:?}");
    };
    assert!(evidence.contains("carries this validator's signature"), "{evidence}");
    handle.stop().await.expect("the reason was given");
    assert!(net.nodes[0].chain.height() < net.top(), "it stopped on its way");

    let memory = signing_memory_path(&directory);
    let own = Address::from_public_key(&validator_key(1).public());
    let (head, until) = (net.nodes[0].chain.height(), net.top() + 3);
    let told = abstain_from_signing(&memory, domain().genesis(), own, head, Some(until));
    assert_eq!(told.expect("written"), until);
    net.start(0).await;
    votes_above(&net, 0, until).await;
    net.assert_one_chain();
    net.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_what_has_ended_gives_no_second_reason_and_no_panic() {
    let mut net = Net::new("ended", 4, |_| ()).await;
    net.start_all().await;
    net.reach(&[0, 1, 2, 3], 2, PATIENCE).await;
    net.nodes[0].chain.faults.fail_commit.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut handle = net.nodes[0].handle.take().expect("runs");
    let ended = tokio::time::timeout(PATIENCE, handle.ended()).await.expect("it ends");
    assert!(ended.is_err(), "it ended without a reason");
    handle.ended().await.expect("the reason was given");
    handle.stop().await.expect("the reason was given");
    net.stop_all().await;
}
