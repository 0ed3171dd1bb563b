//! Compact blocks at a node whose pool does not hold their transactions.

use crate::{
    load::{Bills, Issuer, register},
    network::{FAST, Network, PATIENCE, report},
};

/// A pool for one transaction.
const NO_ROOM: &str = "\n[pool]\nmax_transactions = 1\nmax_per_sender = 1\n";
const BURSTS: u32 = 5;
/// Registrations of one burst: most of them have no room at node 4.
const BURST: u32 = 12;

/// Of four, one is stopped and one holds next to no transactions. Three votes
/// are needed, so every block is voted for by the node that had to fetch it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_holds_no_transactions_fetches_and_votes() {
    let mut network = Network::new(FAST).await;
    network.configure(4, NO_ROOM);
    let running = [1, 2, 4];
    network.start(&running);
    network.reach(&running, 1, PATIENCE).await;
    let node = network.client(1).await;
    let (issuer, bills) = (Issuer::new("hospital"), Bills::new());
    for burst in 0..BURSTS {
        let mut last = None;
        for nonce in burst * BURST..(burst + 1) * BURST {
            let call = register(bills.next(&issuer));
            let transaction = issuer.signer.transaction(call, nonce, node.genesis());
            last = Some(node.submit(&transaction).await.unwrap());
        }
        // A sender's transactions are included in the order of their nonces.
        node.wait_final(last.expect("a burst has members"), PATIENCE).await.unwrap();
    }
    let agreed = network.agree(&running).await;

    let sent = network.metric(1, "billchain_proposal_references_total").await
        + network.metric(2, "billchain_proposal_references_total").await;
    assert!(sent > 0, "no transaction was proposed by hash");
    let fetched = network.metric(4, "billchain_proposal_references_fetched_total").await;
    assert!(fetched > 0, "node 4 voted without fetching anything");
    let received = network.metric(4, "billchain_proposal_received_total").await;
    let expanded = network.metric(4, "billchain_proposal_expanded_total").await;
    assert_eq!(expanded, received, "of the proposals at node 4");
    let served = network.metric(1, "billchain_gossip_transactions_served_total").await
        + network.metric(2, "billchain_gossip_transactions_served_total").await;
    assert!(served >= fetched, "{served} served, {fetched} fetched");
    report(&format!(
        "{} registrations up to block {}: {sent} sent by hash, {fetched} fetched by a node \
         without room for them",
        BURSTS * BURST,
        agreed.height
    ));

    // The node that was away gets the blocks whole.
    network.start(&[3]);
    network.reach(&[3], agreed.height, PATIENCE).await;
    network.agree(&[1, 2, 3, 4]).await;
    network.finish().await;
}
