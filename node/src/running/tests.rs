use super::*;
use futures::{FutureExt, future::BoxFuture};

/// A part that has ended, or one that runs on.
fn part<T: Send + 'static>(ended: bool, end: T) -> BoxFuture<'static, T> {
    if ended { async { end }.boxed() } else { std::future::pending().boxed() }
}

/// Parts of which those with these numbers have ended, counted as in [`Ends`].
async fn first_of(ended: &[usize]) -> String {
    let has = |number| ended.contains(&number);
    let error = first_end(Ends {
        consensus: part(has(0), Err(ConsensusError::Stopped("a reason".to_owned()))),
        gossip: part(has(1), GossipError::Stopped),
        maintenance: part(has(2), Ok(())),
        followed: part(has(3), Ok(Err(anyhow!("no state")))),
        rpc: part(has(4), ()),
        metrics: part(has(5), Ok(Err(anyhow!("no socket")))),
    })
    .await;
    format!("{error:#}")
}

#[tokio::test]
async fn the_first_part_that_ends_is_named() {
    for (ended, expected) in [
        (&[0][..], "consensus stopped: consensus engine stopped unexpectedly: a reason"),
        (&[1], "transaction gossip stopped: transaction gossip has stopped"),
        (&[2], "pool maintenance ended without a reason"),
        (&[3], "following the chain's peers: no state"),
        (&[4], "the RPC server stopped"),
        (&[5], "the metrics server: no socket"),
        // The others often end because of consensus.
        (&[0, 1, 2, 3, 4, 5], "consensus stopped: consensus engine stopped unexpectedly: a reason"),
    ] {
        assert_eq!(first_of(ended).await, expected, "parts {ended:?} have ended");
    }
}

#[tokio::test]
async fn a_part_that_panics_is_named_with_the_panic() {
    let panicked = tokio::spawn(async { panic!("out of order") });
    let error = failed("pool maintenance", panicked.await.map(Ok));
    let error = format!("{error:#}");
    assert!(error.starts_with("pool maintenance: ") && error.contains("panicked"), "{error}");
}
