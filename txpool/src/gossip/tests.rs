use super::*;
use billchain_primitives::Hash;
use libp2p::identity::Keypair;
use std::time::Duration;

fn config(peers: Vec<Peer>) -> GossipConfig {
    GossipConfig {
        keypair: Keypair::generate_ed25519(),
        listen: "/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap(),
        peers,
        genesis: Hash::repeat_byte(7),
        rules: 3,
        limits: GossipLimits::default(),
        questions: None,
    }
}

#[test]
fn the_default_is_usable() {
    let id = PeerId::random();
    let addresses = vec!["/dns4/node.example/udp/30333/quic-v1".parse().unwrap()];
    assert_eq!(config(vec![Peer { id, addresses }]).check(1 << 20), Ok(()));
}

#[test]
fn every_problem_is_reported_at_once() {
    let id = PeerId::random();
    let tcp: Multiaddr = "/ip4/10.0.0.1/tcp/30333".parse().unwrap();
    let mut config =
        config(vec![Peer { id, addresses: vec![tcp] }, Peer { id, addresses: vec![] }]);
    config.limits.batch_count = 0;
    config.limits.retry_max = Duration::ZERO;
    let problems = config.check(64 << 20).unwrap_err().problems;
    assert_eq!(problems.len(), 5, "{problems:?}");
    for expected in [
        format!("peers: address /ip4/10.0.0.1/tcp/30333 of {id} is not of the form"),
        format!("peers: {id} is listed twice"),
        "batch_count (0) must be from 1 to 4096".into(),
        "max_transaction_bytes (67108864) must be from 1 to".into(),
        "retry_max (0ns) must not be below retry_min (500ms)".into(),
    ] {
        assert!(problems.iter().any(|p| p.contains(&expected)), "{expected}: {problems:?}");
    }
}

#[test]
fn the_protocol_names_version_and_chain() {
    assert_eq!(
        protocol_name(&Hash::repeat_byte(0xab), 3),
        format!("/billchain/{}/rules-3/transactions/1", "ab".repeat(32))
    );
}

#[test]
fn the_key_is_not_printed() {
    let config = config(Vec::new());
    let shown = format!("{config:?}");
    assert!(shown.contains(&config.keypair.public().to_peer_id().to_string()));
    assert!(!shown.to_lowercase().contains("secret") && !shown.contains("keypair"));
}
