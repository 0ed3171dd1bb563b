use super::*;
use crate::testing::{net_peer, peer};

fn address(text: &str) -> Multiaddr {
    text.parse().expect("a literal address")
}

#[test]
fn the_list_names_peers_and_leaves_out_this_node() {
    let list = AllowList::new(
        AllowedPeers {
            validators: vec![
                address(&format!("/ip4/10.0.0.1/tcp/1/p2p/{}", net_peer(1))),
                address(&format!("/ip4/10.0.0.2/tcp/1/p2p/{}", net_peer(2))),
            ],
            observers: vec![
                address(&format!("/p2p/{}", net_peer(3))),
                address("/ip4/10.0.0.9/tcp/1"),
            ],
        },
        &net_peer(1),
    );
    assert!(!list.contains(&peer(1)), "this node itself");
    assert!(list.contains(&peer(2)));
    assert!(list.contains(&peer(3)), "a peer without an address may still connect");
    assert!(!list.contains(&peer(4)));
    assert!(list.is_validator(&peer(2)));
    assert!(!list.is_validator(&peer(3)), "an observer sends no blocks");
    assert_eq!(list.addresses().len(), 2, "an address that names nobody admits nobody");
}
