use super::*;
use std::vec;

fn leaves(count: u64) -> Vec<Digest> {
    (0..count).map(|at| Tree::Groups.leaf(at, b"leaf")).collect()
}

/// The root, level by level, as the document has it.
fn root(leaves: &[Digest]) -> Digest {
    let (mut nodes, mut level) = (leaves.to_vec(), 0_u8);
    while nodes.len() > 1 {
        level += 1;
        nodes = nodes
            .chunks(2)
            .enumerate()
            .map(|(at, pair)| match pair {
                [left, right] => sm3(&[&[0xC1, level], &(at as u64).to_be_bytes(), left, right]),
                alone => alone[0],
            })
            .collect();
    }
    let count = (leaves.len() as u64).to_be_bytes();
    sm3(&[&[0xC1, 0xFF], &count, &nodes.concat()])
}

#[test]
fn a_tree_that_grows_has_the_root_of_its_leaves() {
    let mut tree = Frontier::new(Tree::Groups);
    for count in 0..200 {
        assert_eq!(tree.root(), root(&leaves(count)), "{count}");
        assert_eq!(tree.count(), count);
        tree.push(Tree::Groups.leaf(count, b"leaf"));
    }
}

#[test]
fn every_run_of_leaves_has_a_path_to_the_root() {
    for count in 1..40_u64 {
        let all = leaves(count);
        let root = root(&all);
        for first in 0..count {
            for shown in 1..=(count - first).min(5) {
                let range = first as usize..(first + shown) as usize;
                let path = Path::of(Tree::Groups, &all, range.start, range.len()).unwrap();
                assert_eq!(path.root(Tree::Groups, all[range].to_vec()), Some(root));
                let mut bytes = Vec::new();
                path.write(&mut bytes);
                let mut reader = Reader::new(&bytes);
                assert_eq!(Path::read(&mut reader, shown).as_ref(), Ok(&path));
                reader.end().unwrap();
            }
        }
    }
    assert_eq!(Path::of(Tree::Groups, &leaves(3), 2, 2), None);
}

#[test]
fn a_path_of_another_place_number_or_tree_leads_elsewhere() {
    let all = leaves(21);
    let root = root(&all);
    let path = Path::of(Tree::Groups, &all, 9, 1).unwrap();
    let shown = vec![all[9]];
    for other in [Path { first: 8, ..path.clone() }, Path { count: 22, ..path.clone() }] {
        assert_ne!(other.root(Tree::Groups, shown.clone()), Some(root));
    }
    assert_ne!(path.root(Tree::Bits, shown.clone()), Some(root));
    let mut longer = path.clone();
    longer.siblings.push([0; 32]);
    assert_eq!(longer.root(Tree::Groups, shown.clone()), None);
    longer.siblings.truncate(path.siblings.len() - 1);
    assert_eq!(longer.root(Tree::Groups, shown), None);
    assert_eq!(path.root(Tree::Groups, Vec::new()), None);
}

#[test]
fn counts_that_no_tree_has_are_refused_before_anything_is_read() {
    for (count, first) in [(u64::MAX, 0), (MAX_LEAVES + 1, 0), (5, 5), (5, u64::MAX)] {
        let bytes = [count.to_be_bytes(), first.to_be_bytes()].concat();
        let read = Path::read(&mut Reader::new(&bytes), 1);
        assert!(matches!(read, Err(Refused::Malformed(_))), "{count} {first}");
    }
}
