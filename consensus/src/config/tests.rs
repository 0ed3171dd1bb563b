use billchain_primitives::Hash;

use super::*;

#[test]
fn the_defaults_have_no_mistakes() {
    assert_eq!(ConsensusConfig::default().problems(), []);
}

#[test]
fn every_mistake_is_reported_at_once() {
    let config = ConsensusConfig {
        name: String::new(),
        listen: "/ip4/127.0.0.1/udp/1".parse().expect("a literal address"),
        build_time: Duration::from_secs(9),
        max_block_bytes: 0,
        sync_batch: 0,
        empty_interval: Duration::ZERO,
        ..ConsensusConfig::default()
    };
    let fields: Vec<_> = config.problems().into_iter().map(|problem| problem.field).collect();
    assert_eq!(
        fields,
        ["name", "listen", "empty_interval", "build_time", "max_block_bytes", "sync_batch"]
    );
}

#[test]
fn a_full_block_with_its_certificate_fits_every_limit() {
    let config = ConsensusConfig::default();
    let domain = ChainDomain::new(Hash::zero());
    let engine = config.engine(&domain, Vec::new());
    let certificate = 64 * 1024;
    let sync = config.value_sync();
    assert!(sync.max_response_size.as_u64() > config.max_block_bytes as u64 + certificate);
    assert!(engine.p2p.rpc_max_size > sync.max_response_size);
    let parts = engine.p2p.pubsub_max_size_per_topic.proposal_parts.expect("set");
    assert!(parts.as_u64() > MAX_CHUNK_BYTES as u64);
    assert!(engine.p2p.pubsub_max_size > parts);
    assert!(engine.p2p.persistent_peers_only);
}

#[test]
fn the_socket_address_is_that_of_the_multiaddress() {
    let of = |text: &str| {
        let listen = text.parse().expect("a literal address");
        ConsensusConfig { listen, ..ConsensusConfig::default() }.socket_address()
    };
    assert_eq!(of("/ip4/127.0.0.1/tcp/9"), Some(([127, 0, 0, 1], 9).into()));
    assert_eq!(of("/ip6/::1/tcp/9"), "[::1]:9".parse().ok());
    assert_eq!(of("/dns4/example.org/tcp/9"), None);
}

/// As many as 64 validators and 256 observers, each with a connection that is
/// open and one that begins, and some strangers'.
#[test]
fn the_engine_has_room_for_all_peers_that_a_chain_may_have() {
    let engine = ConsensusConfig::default().engine(&ChainDomain::new(Hash::zero()), Vec::new());
    let discovery = engine.p2p.discovery;
    let peers = MAX_PEERS as usize;
    assert!(ENGINE_HEADROOM * discovery.num_outbound_peers >= peers);
    assert!(ENGINE_HEADROOM * discovery.num_inbound_peers >= peers + STRANGERS);
    let of_one_address = discovery.max_connections_per_ip;
    assert!(ENGINE_HEADROOM * discovery.num_inbound_peers >= 5 * of_one_address);
}

#[test]
fn no_more_connections_are_opened_than_the_node_has_files_for() {
    for max_connections in [16, 37, 64, 293, 352, 1_000, MOST_CONNECTIONS, 10 * MOST_CONNECTIONS] {
        let config = ConsensusConfig { max_connections, ..ConsensusConfig::default() };
        let engine = config.engine(&ChainDomain::new(Hash::zero()), Vec::new());
        let discovery = engine.p2p.discovery;
        // The engine bounds four kinds by themselves: from here and to here, open
        // and beginning.
        let most =
            2 * ENGINE_HEADROOM * (discovery.num_inbound_peers + discovery.num_outbound_peers);
        assert!(most <= max_connections, "{most} of {max_connections} connections");
        assert!(discovery.num_inbound_peers >= discovery.num_outbound_peers, "{discovery:?}");
    }
}

#[test]
fn a_chain_with_more_peers_than_fit_is_refused_with_the_limit_to_raise() {
    for (max_connections, room) in
        [(0, 0), (15, 0), (16, 4), (37, 8), (293, 72), (MOST_CONNECTIONS, MAX_PEERS as usize)]
    {
        let config = ConsensusConfig { max_connections, ..ConsensusConfig::default() };
        assert_eq!(config.too_many(room), None, "{room} peers, {max_connections} connections");
        let problem = config.too_many(room + 1).expect("one too many").to_string();
        let (most, names) = (format!("for {room} peers"), format!("names {}", room + 1));
        for words in ["consensus.max_connections", &most, &names, "LimitNOFILE="] {
            assert!(problem.contains(words), "{problem}");
        }
    }
}
