//! Certificates of earlier versions of a bill.

use super::*;
use crate::{
    Cause, Status,
    place::tests::{Runs, cooled, proven, read, shared},
};
use billchain_primitives::{
    BillStatus, LockPurpose, Operation, Reason, Stamp,
    history::{Cause as ChainCause, Entry, VersionBody, VersionRecord},
};

const NUMBER: &str = "0000000042";

/// The versions of a bill: registered by a transaction, locked by an administrator in another
/// block, and released by a block without any.
fn versions() -> (Vec<VersionRecord>, chain::Bill) {
    let mut bill = chain_bill(NUMBER);
    let operator = bill.summary.issuer.clone();
    let body = |version: u32, entry: Entry, at: Stamp| VersionBody {
        version,
        entry,
        at,
        summary: bill.summary.clone(),
        status: BillStatus::Normal,
        lock: None,
        reimbursements: Default::default(),
    };
    let at = |block, extrinsic| Stamp { block, extrinsic, moment: u64::from(block) * 1_000 };
    let registered = Entry::plain(ChainCause::Operation(Operation::Register), operator.clone());
    let reason = Reason::new("核查").unwrap();
    let locked = Entry {
        evidence: Some([9; 32]),
        ..Entry::reasoned(Operation::AdminLock, operator.clone(), reason)
    };
    let released = Entry::plain(ChainCause::Operation(Operation::ExpireLock), operator.clone());
    let first = body(1, registered, at(MADE, Some(INDEX)));
    let mut second = body(2, locked, at(14, Some(3)));
    second.status = BillStatus::Locked;
    second.lock = Some(chain::Lock {
        holder: operator,
        purpose: LockPurpose::Administrative { evidence: [9; 32] },
        version: 2,
        at: second.at,
        expires: None,
        before: BillStatus::Normal,
    });
    let third = body(3, released, at(15, None));

    let mut records = vec![VersionRecord::first(first)];
    bill = records[0].bill(bill.receipt);
    for body in [second, third] {
        let record = VersionRecord::after(&bill, body);
        bill = record.bill_after(&bill);
        records.push(record);
    }
    (records, bill)
}

/// The body of a version's certificate, the roots of the state, and the transaction's block.
fn parts(version: usize, is_cold: bool) -> (Body, make::Roots, Decided) {
    let (records, bill) = versions();
    let state = numbers::state(&[bill.clone(), chain_bill("0000000044")]);
    let key = numbers::key_of(42);
    let (hot, runs) = if is_cold { cooled(state, shared(&key)) } else { (state, Runs::default()) };
    let (roots, mut entries) = proven(&hot, &runs, &[key]);
    let place = entries.remove(0).place;
    let transactions: Vec<Vec<u8>> = (0..100).map(|n| vec![n; 40 + usize::from(n)]).collect();
    let (extrinsics_root, path) = tree(&transactions, INDEX);
    let mut before = header(MADE, None);
    before.extrinsics_root = extrinsics_root.into();
    let made = decided(&before, &SECOND, &[1, 2, 3]);
    let record = &records[version - 1];
    let transaction = match version {
        1 => Source::Earlier { block: made.clone(), path },
        2 => Source::NotShown,
        _ => Source::None,
    };
    let body = Body::Version {
        bill: bill.encode(),
        place,
        previous: record.previous,
        version: record.head().encode(),
        later: records[version..].iter().map(|record| record.head().encode()).collect(),
        content: record.body.encode(),
        transaction,
    };
    (body, roots, made)
}

/// The certificate of a version, changed.
pub(super) fn with(version: usize, change: impl FnOnce(&mut Body)) -> Certificate {
    let (mut body, roots, _) = parts(version, false);
    change(&mut body);
    certified(header(HEAD, None), roots, body)
}

pub(super) fn version(version: usize) -> Certificate {
    with(version, |_| {})
}

/// The certificate of a version of a bill that is cold.
pub(super) fn of_a_cold_bill(version: usize) -> Certificate {
    let (body, roots, _) = parts(version, true);
    certified(header(HEAD, None), roots, body)
}

/// What a body says without the signatures.
fn judge<'a>(body: &'a [u8], roots: &make::Roots) -> Result<Statement<'a>, Refusal> {
    let head = Header {
        parent: [0; 32],
        hash: [0; 32],
        number: HEAD,
        state_root: root_of(roots),
        extrinsics_root: [0; 32],
        set_change: None,
    };
    let from = Some(Block { number: 0, hash: trusted() });
    let chain = Chain { genesis: trusted(), from, sets: Vec::new() };
    let mut reader = Reader::new(body, "body");
    let found = super::super::earlier::version(&mut reader, &chain, &head, &read(roots))?;
    reader.end()?;
    Ok(found)
}

fn bytes(body: &Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    body.put(&mut bytes);
    bytes
}

#[test]
fn each_version_is_proved_by_the_present_one() {
    let (records, last) = versions();
    for (number, cause, status) in [
        (1, Cause::Register, Status::Normal),
        (2, Cause::AdminLock, Status::Locked),
        (3, Cause::ExpireLock, Status::Normal),
    ] {
        let certificate = version(number).to_bytes();
        let proved = verify(&certificate, &trusted()).unwrap();
        let cold = of_a_cold_bill(number).to_bytes();
        assert_eq!(verify(&cold, &trusted()).unwrap().statement, proved.statement);
        assert_eq!(proved.block.number, HEAD);
        let Statement::Version { bill, change, transaction, present } = proved.statement else {
            panic!("{proved:?}")
        };
        let record = &records[number - 1];
        // All is as in the bill that the chain had then.
        let then = record.bill(last.receipt).encode();
        assert_eq!(*bill, Bill::read(&then).unwrap());
        assert_eq!((bill.status, change.cause), (status, cause));
        assert_eq!((change.block, change.index), (record.body.at.block, record.body.at.extrinsic));
        assert_eq!(present.version, 3);
        assert_eq!(transaction.map(|made| made.hash), (number == 1).then(|| sm3(&[&[70; 110]])));
    }
}

#[test]
fn no_bit_of_a_version_may_be_another() {
    for (number, is_cold) in [(2, false), (3, false), (2, true)] {
        let (body, roots, _) = parts(number, is_cold);
        let body = bytes(&body);
        judge(&body, &roots).unwrap();
        for bit in 0..8 * body.len() {
            let mut changed = body.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(judge(&changed, &roots).is_err(), "bit {bit} of version {number}");
        }
        for end in 0..body.len() {
            assert!(judge(&body[..end], &roots).is_err(), "{end} bytes");
        }
        assert!(judge(&[&body[..], &[0]].concat(), &roots).is_err(), "it goes on");
    }
    // One bit of each byte where the transaction's block is decided, too.
    let whole = version(1).to_bytes();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(verify(&changed, &trusted()).is_err(), "byte {at}");
    }
}

#[test]
fn versions_follow_one_another_up_to_the_present_one() {
    let contradicts = |number: usize, change: fn(&mut Body)| {
        let refused = refusal(&with(number, change));
        assert!(matches!(refused, Refusal::Contradiction { .. }), "{refused:?}");
    };
    contradicts(1, |body| later_of(body).clear());
    contradicts(1, |body| drop(later_of(body).remove(0)));
    contradicts(1, |body| drop(later_of(body).pop()));
    contradicts(1, |body| later_of(body).swap(0, 1));
    contradicts(3, |body| later_of(body).push(versions().0[2].head().encode()));
    contradicts(2, |body| {
        if let Body::Version { previous, .. } = body {
            previous[0] ^= 1;
        }
    });
    contradicts(2, |body| {
        if let Body::Version { content, .. } = body {
            *content = versions().0[0].body.encode();
        }
    });
    // The older head in place of the one that is asked for.
    contradicts(2, |body| {
        if let Body::Version { version, .. } = body {
            *version = versions().0[0].head().encode();
        }
    });
}

fn later_of(body: &mut Body) -> &mut Vec<Vec<u8>> {
    match body {
        Body::Version { later, .. } => later,
        _ => panic!("a version"),
    }
}

#[test]
fn a_transaction_is_shown_or_it_is_said_that_it_is_not() {
    let made = |number: usize, source: Source| {
        with(number, |body| {
            if let Body::Version { transaction, .. } = body {
                *transaction = source;
            }
        })
    };
    // There is one, and it may be left unshown, but not denied.
    let found = made(1, Source::NotShown).to_bytes();
    let statement = verify(&found, &trusted()).unwrap().statement;
    assert!(matches!(statement, Statement::Version { transaction: None, .. }));
    assert!(matches!(refusal(&made(1, Source::None)), Refusal::Contradiction { .. }));
    // There is none.
    assert!(matches!(refusal(&made(3, Source::NotShown)), Refusal::Contradiction { .. }));
    // A present version shows its transaction.
    let present = super::with_source(7, Source::NotShown);
    let what = "the transaction is left out";
    assert_eq!(refusal(&present), Refusal::Contradiction { what });
    let (_, _, block) = parts(1, false);
    let empty = made(2, Source::Earlier { block, path: Vec::new() });
    assert!(matches!(refusal(&empty), Refusal::Contradiction { .. }), "another block");
}
