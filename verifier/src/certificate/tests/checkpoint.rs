//! Certificates that are checked from a later block on.

use super::*;

/// A change after the bill's transaction, and its validators.
const LATER: u32 = 15;
const THIRD: [u8; 4] = [5, 6, 7, 8];

/// Validators that nobody ever named.
const FORGERS: [u8; 4] = [21, 22, 23, 24];

fn change(number: u32, previous: u32, seeds: &[u8]) -> ChainHeader {
    header(number, Some((previous, seeds)))
}

/// The certificate of a bill over two changes, of which the second comes after the block of the
/// bill's transaction; and the hash of that change.
fn twice_changed(number: u32) -> (Certificate, Digest) {
    let mut certificate = certificate(number);
    let later = change(LATER, CHANGE, &THIRD);
    certificate.changes.push(decided(&later, &SECOND, &[0, 1, 2]));
    let head: ChainHeader = codec::Decode::decode(&mut &certificate.head.header[..]).unwrap();
    certificate.head = decided(&head, &THIRD, &[0, 1, 2]);
    (certificate, later.hash().into())
}

fn refused_from(certificate: &Certificate, checkpoint: &Digest) -> Refusal {
    verify_from(&certificate.to_bytes(), checkpoint).unwrap_err()
}

fn earlier_block(certificate: &mut Certificate) -> &mut Decided {
    match &mut certificate.body {
        Body::Present { transaction: Source::Earlier { block, .. }, .. } => block,
        _ => panic!("its transaction is in an earlier block"),
    }
}

/// Certificates for the vectors, each with the checkpoint that is trusted.
pub(super) fn certificates() -> Vec<(&'static str, Vec<u8>, Digest)> {
    let (certificate, checkpoint) = twice_changed(7);
    let mut forged = certificate.clone();
    forged.changes[0] = decided(&change(CHANGE, 0, &FORGERS), &FORGERS, &[0, 1, 2]);
    let mut of_another_chain = certificate.clone();
    let mut other = genesis();
    other.state_root = Hash::repeat_byte(1);
    of_another_chain.genesis = other.encode();
    let bytes = certificate.to_bytes();
    let [unlisted, longer] = [unlisted(certificate.clone()), longer(certificate)];
    vec![
        ("from the first change on", bytes.clone(), change(CHANGE, 0, &SECOND).hash().into()),
        ("from the last change on", bytes.clone(), checkpoint),
        ("a forged change before the checkpoint", forged.to_bytes(), checkpoint),
        ("a forged genesis before the checkpoint", of_another_chain.to_bytes(), checkpoint),
        ("a checkpoint that is not there", bytes, [7; 32]),
        ("a change before the checkpoint that is not listed", unlisted.to_bytes(), checkpoint),
        ("a node before the checkpoint with a byte more", longer.to_bytes(), checkpoint),
    ]
}

/// The certificate, if the block of its transaction named validators and were no change.
fn unlisted(mut certificate: Certificate) -> Certificate {
    let block = earlier_block(&mut certificate);
    let made: ChainHeader = codec::Decode::decode(&mut &block.header[..]).unwrap();
    let mut named = change(MADE, CHANGE, &FIRST);
    named.extrinsics_root = made.extrinsics_root;
    *block = decided(&named, &SECOND, &[0, 1, 2]);
    certificate
}

/// The certificate with a byte behind the first node of its path, and a block that has this node.
fn longer(mut certificate: Certificate) -> Certificate {
    let Body::Present { transaction: Source::Earlier { block, path }, .. } = &mut certificate.body
    else {
        panic!("its transaction is in an earlier block")
    };
    path[0].push(0);
    let mut made = header(MADE, None);
    made.extrinsics_root = crate::sm3(&[&path[0]]).into();
    *block = decided(&made, &FORGERS, &[0, 1, 2]);
    certificate
}

#[test]
fn a_certificate_is_checked_from_a_change_or_from_the_genesis() {
    let bytes = certificate(7).to_bytes();
    let whole = verify(&bytes, &trusted()).unwrap();
    assert_eq!(whole.from, Block { number: 0, hash: trusted() });
    assert_eq!(verify_from(&bytes, &trusted()).unwrap(), whole);
    // The transaction is in block 12, after the change.
    let hash = change(CHANGE, 0, &SECOND).hash().into();
    let from_change = verify_from(&bytes, &hash).unwrap();
    assert_eq!(from_change.from, Block { number: CHANGE, hash });
    assert_eq!(from_change.genesis, trusted());
    assert_eq!(from_change.block, whole.block);
    assert_eq!(from_change.statement, whole.statement);
}

#[test]
fn no_transaction_before_the_checkpoint_is_proved() {
    let (certificate, checkpoint) = twice_changed(7);
    let bytes = certificate.to_bytes();
    let whole = verify(&bytes, &trusted()).unwrap();
    let from_change = verify_from(&bytes, &checkpoint).unwrap();
    let transaction = |proved: &Proved<'_>| match &proved.statement {
        Statement::Present { transaction, .. } => *transaction,
        _ => panic!("the bill is there"),
    };
    assert_eq!(transaction(&whole).map(|made| made.block.number), Some(MADE));
    assert_eq!(transaction(&from_change), None);
    // Whoever forges the block's header reaches no more.
    let mut forged = certificate.clone();
    let mut other = header(MADE, None);
    let Body::Present { transaction: Source::Earlier { path, .. }, .. } = &mut forged.body else {
        panic!("its transaction is in an earlier block")
    };
    let transactions: Vec<Vec<u8>> = (0..100).map(|_| vec![9; 50]).collect();
    let (root, nodes) = tree(&transactions, INDEX);
    *path = nodes;
    other.extrinsics_root = root.into();
    *earlier_block(&mut forged) = decided(&other, &FORGERS, &[0, 1, 2]);
    assert_eq!(refusal(&forged), Refusal::Signature { number: MADE, place: 0 });
    assert_eq!(verify_from(&forged.to_bytes(), &checkpoint).unwrap(), from_change);
    // Nor does a second block in the place of the checkpoint.
    *earlier_block(&mut forged) = decided(&header(LATER, None), &SECOND, &[0, 1, 2]);
    assert!(matches!(refused_from(&forged, &checkpoint), Refusal::Contradiction { .. }));
}

#[test]
fn what_is_before_the_checkpoint_is_read_and_not_believed() {
    let (certificate, checkpoint) = twice_changed(301);
    let proved = |certificate: &Certificate| {
        verify_from(&certificate.to_bytes(), &checkpoint)
            .map(|proved| (proved.genesis, proved.block))
    };
    let good = proved(&certificate).unwrap();
    let mut forged = certificate.clone();
    forged.changes[0] = decided(&change(CHANGE, 0, &FORGERS), &FORGERS, &[0, 1, 2]);
    assert_eq!(refusal(&forged), Refusal::Signature { number: CHANGE, place: 0 });
    assert_eq!(proved(&forged).unwrap(), good);
    // Its form counts, and that no change is left out.
    forged.changes[0].header.pop();
    assert!(matches!(refused_from(&forged, &checkpoint), Refusal::Malformed { .. }));
    forged.changes.remove(0);
    let gap = Refusal::Gap { number: LATER, previous: CHANGE, expected: 0 };
    assert_eq!(refused_from(&forged, &checkpoint), gap);
}

#[test]
fn what_is_before_the_checkpoint_is_in_its_form_and_in_line() {
    let (certificate, checkpoint) = twice_changed(7);
    let unlisted = refused_from(&unlisted(certificate.clone()), &checkpoint);
    assert!(matches!(unlisted, Refusal::Contradiction { .. }), "{unlisted:?}");
    let longer = refused_from(&longer(certificate), &checkpoint);
    assert!(matches!(longer, Refusal::Malformed { .. }), "{longer:?}");
}

#[test]
fn a_forged_genesis_is_not_the_one_that_the_validators_signed_for() {
    let (mut certificate, checkpoint) = twice_changed(301);
    let mut other = genesis();
    other.state_root = Hash::repeat_byte(1);
    certificate.genesis = other.encode();
    let refused = Refusal::Signature { number: HEAD, place: 0 };
    assert_eq!(refused_from(&certificate, &checkpoint), refused);
}

#[test]
fn what_follows_the_checkpoint_is_checked_as_ever() {
    let (certificate, checkpoint) = twice_changed(301);
    let head: ChainHeader = codec::Decode::decode(&mut &certificate.head.header[..]).unwrap();
    let mut forged = certificate.clone();
    forged.head = decided(&head, &SECOND, &[0, 1, 2]);
    let refused = Refusal::Signature { number: HEAD, place: 0 };
    assert_eq!(refused_from(&forged, &checkpoint), refused);
    forged.head = decided(&head, &THIRD, &[0, 1]);
    let refused = Refusal::NotDecided { number: HEAD, signed: 2, all: 4 };
    assert_eq!(refused_from(&forged, &checkpoint), refused);
    // From the first change on, the second one is checked.
    let mut forged = certificate;
    forged.changes[1].signatures.pop();
    let refused = Refusal::NotDecided { number: LATER, signed: 2, all: 4 };
    assert_eq!(refused_from(&forged, &change(CHANGE, 0, &SECOND).hash().into()), refused);
}

#[test]
fn a_checkpoint_that_is_not_in_a_certificate_is_named() {
    let certificate = certificate(301);
    let made = header(MADE, None).hash().into();
    let head = crate::sm3(&[&certificate.head.header]);
    for checkpoint in [[7; 32], made, head] {
        let refused = refused_from(&certificate, &checkpoint);
        assert_eq!(refused, Refusal::Checkpoint { expected: checkpoint });
        let words = refused.to_string();
        assert!(words.contains("is neither its genesis nor a change"), "{words}");
        assert!(words.contains(&std::format!("0x{:02x}", checkpoint[0])), "{words}");
    }
}
