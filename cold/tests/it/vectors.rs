//! Roots and proofs as the document has them: the digests here are those of
//! `vectors/second_reader.py`, which was written from it alone.

use crate::{many, segment};
use billchain_cold::{
    Activity, Proof, Segment,
    proof::{Coverage, Listed, cold_root, run_root, state_root},
};
use billchain_crypto::sm3::sm3;

const EXPECTED: [(&str, &str); 12] = [
    ("root", "74809f61be80f1e7a1c9429e9c7573d1d4edb31fda06459c813b8b311410bf9a"),
    ("no groups", "e1e9029169c669d179019e2c83dc9a68825977218a10523accb9704d3f665559"),
    ("inclusion", "286252ab229b4cf8132e3708fffef525d9f646fda54b7044c3d380a7e4fdef77"),
    ("exclusion between", "47e81b4b0baebae1243b6765714afd98f274c8f724d8b5de5209c945e564f102"),
    ("exclusion before", "e497e084399c3f525b187c6e7b26cacde130240c38dad6c26613a3b9d4364fde"),
    ("exclusion behind", "5bfb1fc0e7b92c8846faf9e906f5d89f81eec80ef5c8355aefa9e34c9e7bb2d3"),
    ("exclusion of nothing", "bfc0a07bd1a6f950ba900b93ce4dbd5b3a79054980c4e65b80b01b7c18ffbb7f"),
    ("bits", "f2f1fda90077191ff3d810b9a0c1b4e5fae182badd5755d49c81c036be13d935"),
    ("bit", "b620b2bea457d0792c2a0297b7f6027f406fa179862198eb8bb25a545578ac86"),
    ("file of bits", "4b09f9c0c17c3adc64e02975a8d79cd43d1e898c0279abdd4018a78138b15c52"),
    ("coverage", "2fe47d3c52127c7bae7747e681fd0f8718a5d13e7bd21cb45ba6a86c9ff7c7b6"),
    ("state root", "86a551d75f254d005625ff2a8d8dc6bccea080c8ca9327f60501bab3a0e3c917"),
];

fn proof(segment: &Segment<Vec<u8>>, shared: &[u8]) -> [u8; 32] {
    match segment.prove(shared).unwrap() {
        Proof::Present { proof, .. } => sm3(&proof.encode()),
        Proof::Absent(proof) => sm3(&proof.encode().unwrap()),
    }
}

#[test]
fn roots_and_proofs_are_those_of_the_second_reader() {
    let hundred = segment(&many(100));
    let none = segment(&[]);
    let mut activity = Activity::all_active(1_300).unwrap();
    activity.kill(600);
    let listed = |at: u8| Listed {
        from: format!("b{at}").into_bytes(),
        groups: [at; 32],
        bits: [at + 10; 32],
    };
    let run: Vec<Listed> = (0..5).map(listed).collect();
    let runs = [run_root(&run).unwrap(), run_root(&[]).unwrap()];
    let coverage = Coverage::of(&run, b"b2+").unwrap().encode().unwrap();
    let found = [
        ("root", *hundred.root()),
        ("no groups", *none.root()),
        ("inclusion", proof(&hundred, b"group 000077")),
        ("exclusion between", proof(&hundred, b"group 000063+")),
        ("exclusion before", proof(&hundred, b"a")),
        ("exclusion behind", proof(&hundred, b"z")),
        ("exclusion of nothing", proof(&none, b"a")),
        ("bits", activity.root()),
        ("bit", sm3(&activity.prove(600).unwrap().encode())),
        ("file of bits", sm3(&activity.encode())),
        ("coverage", sm3(&coverage)),
        ("state root", state_root(&[9; 32], &cold_root(&runs, &[8; 32]).unwrap())),
    ];
    let found = found.map(|(name, digest)| (name, hex::encode(digest)));
    assert_eq!(found, EXPECTED.map(|(name, digest)| (name, digest.to_owned())));
}
