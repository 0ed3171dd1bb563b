//! Certificates of a state with a cold part.

use super::*;
use crate::{
    cold::{BitProof, Coverage},
    make::{Entry, Missing},
    place::tests::{ColdGroup, Hot, Runs, Segment, bit, exclusion, proven, shared},
};
use std::format;

/// Groups of ten numbers that are no longer active in the first run: 5 is hot, 7 has no bills
/// any more, and 9 was cooled again.
const LEFT_THE_FIRST: [u64; 3] = [5, 7, 9];

fn chain_bill_of(number: u64) -> chain::Bill {
    bill(&format!("{number:010}")).0
}

/// A group of bills whose numbers end with 1 and 3.
fn group(ten: u64, left: &[u64]) -> ColdGroup {
    let value = |last: u64| {
        let (byte, bill) = (b'0' + last as u8, chain_bill_of(10 * ten + last));
        (byte, bill.encode())
    };
    let shared = shared(&numbers::key_of(10 * ten)).to_vec();
    ColdGroup { shared, values: vec![value(1), value(3)], active: !left.contains(&ten) }
}

/// A first run of the groups 0 to 629 in two segments, a second one of three groups, of which
/// 652 was cooled again, and a third one of what was cooled again.
fn runs() -> Runs {
    let segment = |tens: &[u64], left: &[u64]| -> Segment {
        tens.iter().map(|ten| group(*ten, left)).collect()
    };
    let (first, last): (Vec<u64>, Vec<u64>) = ((0..600).collect(), (600..630).collect());
    let mut again = segment(&[9, 652], &[]);
    // Not as it was in the first run.
    let mut used = chain_bill_of(91);
    used.state.status = chain::BillStatus::Reimbursed;
    again[0].values[0].1 = used.encode();
    Runs(vec![
        vec![segment(&first, &LEFT_THE_FIRST), segment(&last, &[])],
        vec![segment(&[650, 652, 655], &[652])],
        vec![again],
    ])
}

fn hot() -> Hot {
    let numbers = [50, 51, 53, 7_001];
    numbers.map(|number| (numbers::key_of(number), chain_bill_of(number).encode())).into()
}

/// What the state holds of a number.
pub(super) fn certificate(number: u64) -> Certificate {
    let (roots, mut entries) = proven(&hot(), &runs(), &[numbers::key_of(number)]);
    let Entry { place, mut values } = entries.remove(0);
    let body = match values.pop() {
        Some(bill) => present(number, bill, place),
        None => Body::Absent { key: digits_of(number), place },
    };
    certified(header(HEAD, None), roots, body)
}

fn digits_of(number: u64) -> Key {
    format!("31060126{number:010}").into_bytes().try_into().unwrap()
}

/// All bills were made by transactions of one place.
fn present(number: u64, bill: Vec<u8>, place: Place) -> Body {
    let Body::Present { transaction, .. } = super::certificate(7).body else {
        panic!("it is there")
    };
    let (_, version) = super::bill(&format!("{number:010}"));
    Body::Present { bill, place, previous: [0; 32], version: version.encode(), transaction }
}

/// The range 41 to 72: a cold group, a hot one, a cold one, and one that is nowhere.
pub(super) fn range() -> Certificate {
    numbers::whole(numbers::numbers_over(&hot(), &runs(), 41, 72))
}

fn place_of(certificate: &mut Certificate) -> &mut Place {
    match &mut certificate.body {
        Body::Present { place, .. } | Body::Absent { place, .. } => place,
        _ => panic!("it is of one bill"),
    }
}

/// The certificate of a number with another place.
fn with(number: u64, change: impl FnOnce(&mut Place)) -> Certificate {
    let mut certificate = certificate(number);
    change(place_of(&mut certificate));
    certificate
}

/// The certificate of a cold bill with another run, coverage or bit.
fn cold(number: u64, change: impl FnOnce(&mut u8, &mut Coverage, &mut BitProof)) -> Certificate {
    with(number, |place| match place {
        Place::Cold { run, coverage, bit, .. } => change(run, coverage, bit),
        _ => panic!("it is cold"),
    })
}

/// The certificate of a number that no bill has with other words of the runs.
fn missing(number: u64, change: impl FnOnce(&mut Vec<Missing>)) -> Certificate {
    with(number, |place| match place {
        Place::Nowhere { runs, .. } => change(runs),
        _ => panic!("it is nowhere"),
    })
}

/// A bill as it was in the first run, which its group left.
fn former(number: u64, change: impl FnOnce(&mut BitProof)) -> Certificate {
    let mut place = runs().place_in(0, shared(&numbers::key_of(number)));
    if let Place::Cold { bit, .. } = &mut place {
        change(bit);
    }
    let body = present(number, chain_bill_of(number).encode(), place);
    Certificate { body, ..certificate(number) }
}

/// A certificate that a bill does not exist, which lies in a gap of the hot part, and is cold.
fn hidden(number: u64, in_runs: impl FnOnce(&mut Vec<Missing>)) -> Certificate {
    let key = numbers::key_of(number);
    // What the hot part shows is the same without the cold one.
    let (_, mut entries) = proven(&hot(), &Runs::default(), core::slice::from_ref(&key));
    let mut place = entries.remove(0).place;
    if let Place::Nowhere { runs, .. } = &mut place {
        *runs = self::runs().missing(shared(&key));
        in_runs(runs);
    }
    Certificate { body: Body::Absent { key: digits_of(number), place }, ..certificate(number) }
}

/// Says that the first run has no such group between others.
fn between(number: u64, missing: &mut [Missing], neighbours: [u64; 2]) {
    let (runs, key) = (runs(), numbers::key_of(number));
    let (segment, _) = runs.find(0, shared(&key)).unwrap();
    let at = |ten: u64| numbers::key_of(10 * ten);
    // The gap behind the first neighbour, with the second one in place of that which follows.
    let mut shown = exclusion(segment, &[shared(&at(neighbours[0])), b"+"].concat());
    let other = exclusion(segment, &[shared(&at(neighbours[1])), b"+"].concat());
    shown.neighbours[1] = other.neighbours[0].clone();
    missing[0] = Missing::Between { coverage: runs.coverage(0, shared(&key)), exclusion: shown };
}

/// Certificates that prove nothing, with words of the reason.
pub(super) fn forged() -> Vec<(&'static str, Certificate, &'static str)> {
    let state = "state root does not prove";
    let of_roots = |number, change: fn(&mut make::Roots)| {
        let mut certificate = certificate(number);
        change(&mut certificate.roots);
        certificate
    };
    let Body::Absent { place: nowhere, .. } = certificate(71).body else { panic!("it is nowhere") };
    let denied =
        Certificate { body: present(71, chain_bill_of(71).encode(), nowhere), ..certificate(71) };
    let shared_of = |number| shared(&numbers::key_of(number)).to_vec();
    vec![
        (
            "the coverage of another run",
            cold(91, |_, coverage, _| *coverage = runs().coverage(0, &shared_of(91))),
            state,
        ),
        ("another run", cold(91, |run, _, _| *run = 1), state),
        ("a run that is not there", cold(91, |run, _, _| *run = 3), "a run that is not there"),
        (
            "the coverage of another segment",
            cold(41, |_, coverage, _| *coverage = runs().coverage(0, &shared_of(6_011))),
            "not between the cold neighbours",
        ),
        (
            "the bit of another position",
            cold(41, |_, _, other| *other = bit(&runs().0[0][0], 550)),
            "the bits of other groups",
        ),
        (
            "the bit of another segment",
            cold(41, |_, _, other| *other = bit(&runs().0[0][1], 4)),
            state,
        ),
        ("a turned bit", former(91, |bit| bit.chunk[1] ^= 1 << 1), state),
        ("a bill as it was before it was cooled again", former(91, |_| {}), "was written to since"),
        ("a bill as it was before it became hot", former(51, |_| {}), "was written to since"),
        (
            "a run dropped from the roots",
            of_roots(41, |roots| roots.runs.truncate(roots.runs.len() - 1)),
            state,
        ),
        ("two runs exchanged in the roots", of_roots(41, |roots| roots.runs.swap(0, 1)), state),
        ("a run more in the roots", of_roots(41, |roots| roots.runs.push([0; 32])), state),
        ("other records in the roots", of_roots(41, |roots| roots.records[0] ^= 1), state),
        (
            "a cold bill hidden behind a gap of the hot part",
            hidden(41, |_| {}),
            "is active in a segment",
        ),
        (
            "a cold bill hidden without looking at the runs",
            hidden(41, Vec::clear),
            "not looked for in each run",
        ),
        (
            "a cold bill hidden behind another gap of its segment",
            hidden(41, |runs| between(41, runs, [6, 8])),
            "not between the cold neighbours",
        ),
        (
            "a cold bill hidden between neighbours that are none",
            hidden(41, |runs| between(41, runs, [3, 5])),
            state,
        ),
        (
            "a run left out of an absence",
            missing(71, |runs| drop(runs.pop())),
            "not looked for in each run",
        ),
        ("two runs of an absence exchanged", missing(71, |runs| runs.swap(0, 1)), state),
        (
            "a left group said to be in no range",
            missing(71, |runs| {
                runs[0] = Missing::Uncovered(self::runs().coverage(0, &shared_of(71)));
            }),
            "has the group in its range is said otherwise",
        ),
        ("a bill that is nowhere", denied, "the bill is not in its group"),
    ]
}

#[test]
fn a_cold_bill_is_proved_as_a_hot_one_is() {
    // In the first segment of the first run, in its last one, in the second run, cooled again
    // twice, and hot.
    for (number, status) in [
        (41, crate::Status::Normal),
        (6_011, crate::Status::Normal),
        (6_501, crate::Status::Normal),
        (91, crate::Status::Reimbursed),
        (6_523, crate::Status::Normal),
        (51, crate::Status::Normal),
    ] {
        let bytes = certificate(number).to_bytes();
        assert!(bytes.len() < 8 << 10, "{} bytes", bytes.len());
        let proved = verify(&bytes, &trusted()).unwrap();
        assert_eq!(proved.block.number, HEAD);
        let Statement::Present { bill, transaction } = proved.statement else {
            panic!("{number}: it is there")
        };
        assert_eq!((bill.number, bill.status), (format!("{number:010}").as_str(), status));
        assert_eq!(transaction.map(|made| (made.block.number, made.index)), Some((MADE, INDEX)));
    }
}

#[test]
fn a_number_that_no_bill_has_is_in_no_part_of_the_state() {
    // Beside a cold bill, beside a hot one, in gaps of each run, behind all, and in a group without
    // bills.
    for number in [42, 58, 6_511, 6_401, 6_531, 90_001, 71] {
        let bytes = certificate(number).to_bytes();
        let statement = verify(&bytes, &trusted()).unwrap().statement;
        let text = format!("{number:010}");
        assert_eq!(statement, Statement::Absent { code: "31060126", number: &text });
    }
}

#[test]
fn what_is_forged_of_the_cold_part_is_found_out() {
    for (name, certificate, words) in forged() {
        let refused = refusal(&certificate).to_string();
        assert!(refused.contains(words), "{name}: {refused}");
    }
}

fn either<T: Clone>(is_other: bool, one: &T, other: &T) -> T {
    if is_other { other.clone() } else { one.clone() }
}

#[test]
fn no_part_may_be_that_of_another_cold_bill() {
    let (one, other) = (certificate(41), certificate(6_011));
    let (Body::Present { place: one_place, .. }, Body::Present { place: other_place, .. }) =
        (&one.body, &other.body)
    else {
        panic!("both are there")
    };
    let (
        Place::Cold { group, coverage, inclusion, bit, .. },
        Place::Cold {
            group: other_group,
            coverage: other_coverage,
            inclusion: other_inclusion,
            bit: other_bit,
            ..
        },
    ) = (one_place, other_place)
    else {
        panic!("both are cold")
    };
    // Which of the four parts are those of the other bill.
    for mixed in 1..16_u8 {
        let is_other = |part: u8| mixed >> part & 1 == 1;
        let place = Place::Cold {
            group: either(is_other(0), group, other_group),
            run: 0,
            coverage: either(is_other(1), coverage, other_coverage),
            inclusion: either(is_other(2), inclusion, other_inclusion),
            bit: either(is_other(3), bit, other_bit),
        };
        let mut changed = one.clone();
        *place_of(&mut changed) = place;
        assert_ne!(changed, one);
        refusal(&changed);
    }
}

#[test]
fn no_bit_of_a_cold_certificate_may_be_another() {
    for number in [41, 71] {
        let bytes = certificate(number).to_bytes();
        for at in 0..bytes.len() {
            for bit in if at % 8 == 0 { 0..8 } else { at % 8..at % 8 + 1 } {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let Ok(proved) = verify(&changed, &trusted()) else { continue };
                // It says as truly that another one of the group is not there.
                let Statement::Absent { number: other, .. } = proved.statement else {
                    panic!("bit {bit} of byte {at}")
                };
                let other = other.parse::<u64>().unwrap();
                assert!(number == 71 && other != 71 && other / 10 == 7, "bit {bit} of byte {at}");
            }
        }
        for end in 0..bytes.len() {
            assert!(verify(&bytes[..end], &trusted()).is_err(), "{end} bytes");
        }
        assert!(verify(&[&bytes[..], &[0]].concat(), &trusted()).is_err(), "it goes on");
    }
}

#[test]
fn a_range_is_counted_over_both_parts() {
    let bytes = range().to_bytes();
    let statement = verify(&bytes, &trusted()).unwrap().statement;
    let Statement::Numbers { tally, missing, .. } = statement else { panic!("{statement:?}") };
    // 41, 43, 50, 51, 53, 61 and 63.
    assert_eq!((tally.bills(), missing), (7, 32 - 7));
    let certificate = range();
    let Body::Numbers { entries, .. } = &certificate.body else { panic!("a range") };
    let places: Vec<&Place> = entries.iter().map(|entry| &entry.place).collect();
    assert!(matches!(
        places[..],
        [Place::Cold { .. }, Place::Hot { .. }, Place::Cold { .. }, Place::Nowhere { .. }]
    ));
    // A cold group that is denied, or as another one is.
    for at in [0, 2] {
        let mut forged = certificate.clone();
        let Body::Numbers { entries, .. } = &mut forged.body else { panic!("a range") };
        entries[at] = entries[3].clone();
        refusal(&forged);
        let mut forged = certificate.clone();
        let Body::Numbers { entries, .. } = &mut forged.body else { panic!("a range") };
        entries[at] = entries[2 - at].clone();
        assert_eq!(refusal(&forged), Refusal::State);
    }
}
