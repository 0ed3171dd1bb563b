//! Where nodes are reached.

use super::*;
use crate::{Addresses, Host, NodeAddress};

fn address(text: &str) -> NodeAddress {
    text.parse().unwrap()
}

fn signed(seed: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(operator(seed))
}

#[test]
fn an_operator_says_where_its_node_is_and_the_council_says_it_of_all() {
    run(genesis(vec![validator(1), validator(2)]), || {
        let there = address("10.0.0.7:30333");
        let set = |origin, id: u8, to: &NodeAddress| {
            ValidatorSet::set_address(origin, peer_id(id), Some(to.clone()))
        };
        assert_ok!(set(signed(1), 1, &there));
        let changed = Event::AddressChanged { peer_id: peer_id(1), address: Some(there.clone()) };
        assert_eq!(last_event(), changed);
        assert_eq!(ValidatorSet::address_of(&peer_id(1)), Some(there.clone()));
        // Not another's, nor an observer's, nor a stranger's own.
        for (who, id) in [(1, 2), (1, 200), (3, 1), (3, 3)] {
            assert_noop!(set(signed(who), id, &there), BadOrigin);
        }
        assert_ok!(set(root(), 200, &address("observer.example:1")));
        assert_noop!(set(root(), 9, &there), Error::<Test>::NotFound);
        let nowhere = NodeAddress { port: 0, ..there };
        assert_noop!(set(root(), 1, &nowhere), Error::<Test>::InvalidAddress);

        assert_ok!(ValidatorSet::set_address(signed(1), peer_id(1), None));
        assert_eq!(ValidatorSet::address_of(&peer_id(1)), None);
    });
}

#[test]
fn an_address_goes_with_its_member() {
    run(genesis(vec![validator(1), validator(2)]), || {
        for id in [1, 2, 200] {
            let there = Some(address("[2001:db8::7]:30333"));
            assert_ok!(ValidatorSet::set_address(root(), peer_id(id), there));
        }
        assert_ok!(ValidatorSet::set_peer_id(root(), operator(1), peer_id(9)));
        assert_eq!(ValidatorSet::address_of(&peer_id(1)), None);
        assert_eq!(ValidatorSet::address_of(&peer_id(9)), Some(address("[2001:db8::7]:30333")));
        assert_ok!(ValidatorSet::remove_validator(root(), operator(1), None));
        assert_ok!(ValidatorSet::remove_observer(root(), peer_id(200)));
        let left: Vec<_> = Addresses::<Test>::iter_keys().collect();
        assert_eq!(left, [peer_id(2)]);
    });
}

#[test]
fn an_address_of_no_member_is_found() {
    run(genesis(vec![validator(1)]), || {
        let id = peer_id(7);
        Addresses::<Test>::insert(&id, address("10.0.0.7:1"));
        assert!(ValidatorSet::do_try_state().is_err());
        Addresses::<Test>::remove(&id);
    });
}

#[test]
fn addresses_are_read_as_they_are_shown() {
    let long = format!("{}.{}:65535", "a".repeat(63), "b".repeat(63));
    for text in ["10.0.0.7:30333", "[2001:db8::7]:1", "node-1.example.cn:30333", "node:1", &long] {
        assert_eq!(address(text).to_string(), text);
    }
    let label = format!("{}:1", "a".repeat(64));
    let name = format!("{}:1", ["a"; 128].join("."));
    for text in [
        "",
        ":",
        "node",
        "node:",
        ":1",
        "node:0",
        "node:65536",
        "node:-1",
        "node:+1",
        "10.0.0:1",
        "10.0.0.256:1",
        "0.0.0.0:1",
        "255.255.255.255:1",
        "224.0.0.1:1",
        "[::]:1",
        "[ff02::1]:1",
        "[::1:1",
        "::1:1",
        "-node:1",
        "node-:1",
        "a..b:1",
        "a.:1",
        ".a:1",
        "no de:1",
        "节点:1",
        "node/x:1",
        "example.1:1",
        &label,
        &name,
    ] {
        let refused = text.parse::<NodeAddress>().unwrap_err().to_string();
        assert!(refused.contains("expected HOST:PORT") && refused.ends_with(text), "{refused}");
    }
}

#[test]
fn a_name_is_judged_as_its_text_is() {
    for (name, is_good) in [("node.example", true), ("", false), ("a b", false), ("1.2", false)] {
        let host = Host::Name(name.as_bytes().to_vec().try_into().unwrap());
        assert_eq!(NodeAddress { host, port: 1 }.is_well_formed(), is_good, "{name:?}");
    }
}
