use malachitebft_app_channel::app::types::Keypair;

use super::*;

fn peer(seed: u8) -> PeerId {
    Keypair::ed25519_from_bytes([seed; 32]).expect("32 bytes are a key").public().to_peer_id()
}

fn address(text: &str) -> Multiaddr {
    text.parse().expect("a literal address")
}

#[test]
fn the_list_names_peers_and_leaves_out_this_node() {
    let list = AllowList::new(
        AllowedPeers {
            validators: vec![
                address(&format!("/ip4/10.0.0.1/tcp/1/p2p/{}", peer(1))),
                address(&format!("/ip4/10.0.0.2/tcp/1/p2p/{}", peer(2))),
            ],
            observers: vec![address(&format!("/p2p/{}", peer(3))), address("/ip4/10.0.0.9/tcp/1")],
        },
        &peer(1),
    );
    let engine = |seed| EnginePeerId::from_bytes(&peer(seed).to_bytes()).expect("a peer id");
    assert!(!list.contains(&engine(1)), "this node itself");
    assert!(list.contains(&engine(2)));
    assert!(list.contains(&engine(3)), "a peer without an address may still connect");
    assert!(!list.contains(&engine(4)));
    assert!(list.is_validator(&engine(2)));
    assert!(!list.is_validator(&engine(3)), "an observer sends no blocks");
    assert_eq!(list.addresses().len(), 2, "an address that names nobody admits nobody");
}
