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
    let (first, last) = (started(0, 7), started(1, 7));
    let at_first = change(CHANGE, 0, &SECOND).hash().into();
    let mut idle = last.clone();
    idle.start = Some(header(LATER, None).encode());
    vec![
        ("a start at the first change", first.to_bytes(), at_first),
        ("a start at the first change, from the last on", first.to_bytes(), checkpoint),
        ("a start at the last change", last.to_bytes(), checkpoint),
        ("a checkpoint before the start", last.to_bytes(), at_first),
        ("a start that names nobody", idle.to_bytes(), header(LATER, None).hash().into()),
        ("a transaction before the start", showing(last).to_bytes(), checkpoint),
        ("a transaction after the start left out", hiding(first).to_bytes(), at_first),
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

/// The certificate of a bill that starts at a change: the first, before the block of the bill's
/// transaction, or the second, after it.
pub(super) fn started(at: usize, number: u32) -> Certificate {
    let (mut certificate, _) = twice_changed(number);
    let start = certificate.changes.drain(..=at).next_back();
    certificate.start = start.map(|change| change.header);
    if at == 0 { certificate } else { hiding(certificate) }
}

/// The certificate without its transaction.
fn hiding(mut certificate: Certificate) -> Certificate {
    if let Body::Present { transaction, .. } = &mut certificate.body {
        *transaction = Source::NotShown;
    }
    certificate
}

/// The certificate with its transaction, of which the block is decided as it is said to.
fn showing(mut certificate: Certificate) -> Certificate {
    let (whole, _) = twice_changed(7);
    certificate.body = whole.body;
    certificate
}

#[test]
fn a_certificate_may_start_at_a_change_and_is_checked_from_there_on() {
    let (whole, last) = twice_changed(7);
    let whole = whole.to_bytes();
    let whole = verify(&whole, &trusted()).unwrap();
    let first = change(CHANGE, 0, &SECOND).hash().into();
    for (at, checkpoint, shows) in [(0, first, true), (0, last, false), (1, last, false)] {
        let bytes = started(at, 7).to_bytes();
        let proved = verify_from(&bytes, &checkpoint).unwrap();
        assert_eq!((proved.genesis, proved.block), (whole.genesis, whole.block));
        assert_eq!(proved.from.hash, checkpoint);
        let Statement::Present { transaction, .. } = proved.statement else {
            panic!("it is there")
        };
        assert_eq!(transaction.is_some(), shows);
    }
    // Of whatever kind it is.
    for number in [301, 311] {
        let (whole, _) = twice_changed(number);
        let proved = verify_from(&started(1, number).to_bytes(), &last).map(|p| p.block);
        assert_eq!(proved, verify(&whole.to_bytes(), &trusted()).map(|p| p.block));
    }
}

#[test]
fn a_later_start_is_refused_from_the_genesis_and_says_which_checkpoint_it_needs() {
    let (_, last) = twice_changed(7);
    let bytes = started(1, 7).to_bytes();
    let refused = Refusal::StartsLater { number: LATER, hash: last };
    assert_eq!(verify(&bytes, &trusted()).unwrap_err(), refused);
    let first: Digest = change(CHANGE, 0, &SECOND).hash().into();
    for checkpoint in [trusted(), first, [7; 32]] {
        assert_eq!(verify_from(&bytes, &checkpoint).unwrap_err(), refused);
    }
    let words = refused.to_string();
    let name: String = last.iter().map(|byte| std::format!("{byte:02x}")).collect();
    assert!(words.contains(&std::format!("block {LATER} ")), "{words}");
    assert!(words.contains(&std::format!("checkpoint 0x{name}")), "{words}");
    let other = verify(&bytes, &[1; 32]).unwrap_err();
    assert!(matches!(other, Refusal::OtherChain { .. }), "{other}");
}

#[test]
fn a_transaction_is_shown_if_its_block_is_after_the_start_and_not_otherwise() {
    let (_, last) = twice_changed(7);
    let first: Digest = change(CHANGE, 0, &SECOND).hash().into();
    let what = "nobody decides the block at which it starts, or one before";
    let before = refused_from(&showing(started(1, 7)), &last);
    assert_eq!(before, Refusal::Contradiction { what });
    let what = "the transaction is left out";
    for (certificate, checkpoint) in [
        (hiding(started(0, 7)), first),
        (hiding(started(0, 7)), last),
        (hiding(certificate(7)), trusted()),
    ] {
        assert_eq!(refused_from(&certificate, &checkpoint), Refusal::Contradiction { what });
    }
    // A block's own change has none to hide.
    let (mut bill, mut version) = bill("0000000303");
    (version.at.block, version.at.extrinsic) = (CHANGE - 1, None);
    bill.state.version_hash = version.hash_after(&[0; 32]);
    let mut by_a_block = hiding(certificate_of((bill, version), Made::ByABlock));
    let start = by_a_block.changes.pop().unwrap();
    by_a_block.start = Some(start.header);
    assert!(matches!(refused_from(&by_a_block, &first), Refusal::Contradiction { .. }));
}

#[test]
fn what_follows_a_later_start_is_whole() {
    let (whole, last) = twice_changed(301);
    let first: Digest = change(CHANGE, 0, &SECOND).hash().into();
    // The change after it is left out, or comes twice.
    let mut gap = started(0, 301);
    gap.changes.clear();
    assert!(matches!(refused_from(&gap, &first), Refusal::Signature { number: HEAD, .. }));
    let mut again = started(0, 301);
    again.changes.insert(0, whole.changes[0].clone());
    assert!(matches!(refused_from(&again, &first), Refusal::Contradiction { .. }));
    // It is neither the genesis nor a block that names nobody.
    for start in [genesis().encode(), header(LATER, None).encode()] {
        let odd = Certificate { start: Some(start), ..started(1, 301) };
        assert!(matches!(refused_from(&odd, &last), Refusal::Malformed { .. }));
    }
    let mut head = started(1, 301);
    head.head = decided(&change(LATER, CHANGE, &THIRD), &SECOND, &[0, 1, 2]);
    assert!(matches!(refused_from(&head, &last), Refusal::Contradiction { .. }));
}

#[test]
fn no_bit_of_a_later_start_may_be_another() {
    let (_, last) = twice_changed(7);
    let bytes = started(1, 7).to_bytes();
    for at in 0..bytes.len() {
        for bit in if at % 8 == 0 { 0..8 } else { at % 8..at % 8 + 1 } {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(verify_from(&changed, &last).is_err(), "bit {bit} of byte {at}");
        }
    }
    for end in 0..bytes.len() {
        assert!(verify_from(&bytes[..end], &last).is_err(), "{end} bytes");
    }
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
