use super::*;
use crate::proof::{Frontier, Inclusion};
use std::{collections::BTreeMap, convert::Infallible};

/// What a store keeps.
type Kept = BTreeMap<(u8, u64), Digest>;

fn shared(at: u64) -> Vec<u8> {
    format!("group {at:07}").into_bytes()
}

fn group(at: u64) -> Digest {
    [at as u8; 32]
}

fn read(kept: &Kept) -> impl FnMut(u8, Range<u64>) -> Result<Vec<Digest>, Infallible> + '_ {
    move |level, range| Ok(range.map_while(|index| kept.get(&(level, index)).copied()).collect())
}

#[test]
fn it_is_the_tree_that_is_built_at_once_at_every_size() {
    let (mut growing, mut frontier) = (Growing::default(), Frontier::new(Tree::Groups));
    let mut kept = Kept::new();
    assert_eq!(growing.root(), frontier.root());
    for at in 0..4_300 {
        let whole = growing.push(&shared(at), &group(at));
        kept.extend(whole.into_iter().map(|node| ((node.level, node.index), node.digest)));
        frontier.push(leaf(at, &shared(at), &group(at)));
        assert_eq!((growing.root(), growing.count()), (frontier.root(), at + 1), "{at}");
        if at % 7 != 0 && at < 4_090 {
            continue;
        }
        // It is found again from what is kept, and groups lead to its root.
        assert_eq!(Growing::restore(at + 1, read(&kept)), Ok(Some(growing.clone())), "{at}");
        for shown in [0, at / 2, at / 64 * 64, at] {
            let Ok(Some(path)) = growing.path(shown, 1, read(&kept)) else { panic!("{at}") };
            let proof = Inclusion(path);
            assert_eq!(proof.verify(&growing.root(), &shared(shown), &group(shown)), Ok(()));
        }
    }
    // Leaves, and a node for each 64 and each 4,096 of them.
    assert_eq!(kept.len(), 4_300 + 4_300 / 64 + 1);
}

#[test]
fn nodes_that_are_missing_and_groups_that_are_none_give_nothing() {
    let (mut growing, mut kept) = (Growing::default(), Kept::new());
    for at in 0..200 {
        let whole = growing.push(&shared(at), &group(at));
        kept.extend(whole.into_iter().map(|node| ((node.level, node.index), node.digest)));
    }
    for (first, shown) in [(200, 1), (199, 2), (u64::MAX, 1)] {
        assert_eq!(growing.path(first, shown, read(&kept)), Ok(None));
    }
    kept.remove(&(0, 195));
    assert_eq!(growing.path(194, 1, read(&kept)), Ok(None));
    assert_eq!(Growing::restore(200, read(&kept)), Ok(None));
    assert_eq!(Growing::restore(u64::MAX, read(&kept)), Ok(None));
}
