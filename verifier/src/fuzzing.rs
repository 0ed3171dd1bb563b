//! What lies behind signatures, for the fuzz targets: no damaged input gets so far.

use crate::{
    Bill, DecidedHeader, Digest, Tally,
    decision::SetChange,
    header::Header,
    inclusion::Path,
    place::Roots,
    reader::Reader,
    state::Operation,
    version::{VersionHead, read_said},
};

/// A key of `verifier/vectors/keys`.
const KEY: &[u8] = b"pallet/one-1";

/// Reads the bytes as each part of a certificate; whether they are one.
pub fn part(bytes: &[u8]) -> bool {
    let root: Digest = crate::sm3(&[bytes]);
    let header = Header::read(bytes);
    let change = header.as_ref().ok().and_then(|header| header.set_change).unwrap_or(bytes);
    let set = SetChange::read(change).is_ok();
    let mut reader = Reader::new(bytes, "operation");
    let operation = Operation::read(&mut reader);
    // A root that is made of the whole input is none that the input leads to.
    let proved = operation.as_ref().is_ok_and(|operation| operation.verify(&root).is_ok());
    assert!(!proved, "an operation is in a state that was never made");
    assert!(crate::value_of(bytes, KEY, &root).is_err(), "a key is in a state never made");
    // Under the root that they name themselves, what lies behind it is read.
    let roots = Roots::read(&mut Reader::new(bytes, "roots"));
    let of_roots = roots.ok().and_then(|roots| roots.state_root()).unwrap_or(root);
    let value = crate::value_of(bytes, KEY, &of_roots);
    let decided = DecidedHeader::read(bytes);
    let path = Path::read(&mut Reader::new(bytes, "path"));
    // A node's hash is right for the first: the way through it is looked for.
    let first = path.as_ref().ok().and_then(|path| path.first()).map(|node| crate::sm3(&[node]));
    let found = path.as_ref().is_ok_and(|path| {
        (0..70).any(|index| path.transaction(&first.unwrap_or(root), index).is_ok())
    });
    header.is_ok()
        | decided.is_ok_and(|decided| decided.names().is_ok())
        | set
        | operation.is_ok()
        | value.is_ok()
        | found
        | Bill::read(bytes).is_ok()
        | VersionHead::read(bytes).is_ok()
        | read_said(bytes).is_ok()
        | tally(bytes)
}

/// Whether the bytes are a tally, whose lines make its sums up then.
fn tally(bytes: &[u8]) -> bool {
    let Ok(tally) = Tally::read(bytes) else { return false };
    let sums = tally
        .lines()
        .iter()
        .fold((0, 0), |(bills, fen), line| (bills + u128::from(line.bills), fen + line.fen));
    assert_eq!(sums, (u128::from(tally.bills()), tally.fen()), "sums are others");
    true
}
