//! An honest prover: what matches and what does not, exactly at each bound.

use super::*;
use crate::table::MAX_ENTRIES;
use crate::{Error, SECURITY_BITS, StatementError, prove, soundness, verify};

#[test]
fn answers_that_are_true_are_proved() {
    let holder = witness(&[matching(), matching(), bill(20_100, 4, 1, Kind::Normal)]);
    for answer in [Answer::AtLeast(1), Answer::AtLeast(2)] {
        let statement = statement(&question(), &holder, answer);
        let proof = prove(&statement, &holder, &mut rng(1)).unwrap();
        let read = Proof::from_bytes(&proof.to_bytes()).unwrap();
        verify(&statement, &read).unwrap();
    }
    let asked = Question { least: 600_001, ..question() };
    let statement = statement(&asked, &holder, Answer::Absent);
    verify(&statement, &prove(&statement, &holder, &mut rng(2)).unwrap()).unwrap();
}

#[test]
fn holder_without_bills_proves_that_there_is_none() {
    let holder = witness(&[]);
    let statement = statement(&question(), &holder, Answer::Absent);
    verify(&statement, &prove(&statement, &holder, &mut rng(3)).unwrap()).unwrap();
}

#[test]
fn answers_that_are_false_are_not_proved() {
    let holder = witness(&[matching()]);
    for (answer, found) in [(Answer::Absent, 1), (Answer::AtLeast(2), 1)] {
        let statement = statement(&question(), &holder, answer);
        let refused = prove(&statement, &holder, &mut rng(1)).unwrap_err();
        assert!(matches!(refused, Error::Untrue { found: f, .. } if f == found), "{refused}");
    }
}

#[test]
fn witness_of_another_statement_is_refused() {
    let holder = witness(&[matching()]);
    let statement = statement(&question(), &holder, Answer::AtLeast(1));
    let more = witness(&[matching(), matching()]);
    let refused = prove(&statement, &more, &mut rng(1)).unwrap_err();
    assert!(matches!(refused, Error::Accumulator), "{refused}");
    let other = Witness { secret: Secret::from_bytes(&[8; 32]), ..holder };
    let refused = prove(&statement, &other, &mut rng(1)).unwrap_err();
    assert!(matches!(refused, Error::Holder), "{refused}");
}

/// Each row: what it is, the question, the entry, and whether it matches. The constraints accept
/// the right answer and refuse the other one.
#[test]
fn bounds_are_inclusive_and_exact() {
    let asked = question();
    let precise = Question { least: (5 << 24) + 7, most: (9 << 24) + 3, ..question() };
    let any = Question { scenes: vec![], ..question() };
    let full = Question { scenes: (100..116).collect(), ..question() };
    let reds = Question { kinds: Kinds::of(&[Kind::Red]), ..question() };
    let all = Question {
        from: 0,
        to: 400_000,
        scenes: vec![],
        least: 0,
        kinds: Kinds::of(&Kind::ALL),
        ..question()
    };
    let normal = |days, scene, amount| bill(days, scene, amount, Kind::Normal);
    let rows = [
        ("first day", &asked, normal(20_000, 3, 600_000), true),
        ("a day before", &asked, normal(19_999, 3, 600_000), false),
        ("last day", &asked, normal(20_364, 3, 600_000), true),
        ("a day after", &asked, normal(20_365, 3, 600_000), false),
        ("least amount", &asked, normal(20_100, 3, 500_000), true),
        ("a fen less", &asked, normal(20_100, 3, 499_999), false),
        ("largest amount there is", &asked, normal(20_100, 3, MAX_AMOUNT), true),
        ("least, both halves", &precise, normal(20_100, 3, (5 << 24) + 7), true),
        ("less in the lower half", &precise, normal(20_100, 3, (5 << 24) + 6), false),
        ("lower half larger, upper less", &precise, normal(20_100, 3, (4 << 24) + 9), false),
        ("lower half less, upper larger", &precise, normal(20_100, 3, 6 << 24), true),
        ("largest, both halves", &precise, normal(20_100, 3, (9 << 24) + 3), true),
        ("a fen more", &precise, normal(20_100, 3, (9 << 24) + 4), false),
        ("lower half less, upper above", &precise, normal(20_100, 3, 10 << 24), false),
        ("lower half larger, upper below", &precise, normal(20_100, 3, (9 << 24) - 1), true),
        ("last scene", &asked, normal(20_100, 700, 600_000), true),
        ("scene between", &asked, normal(20_100, 4, 600_000), false),
        ("scene zero", &asked, normal(20_100, 0, 600_000), false),
        ("any scene", &any, normal(20_100, 65_535, 600_000), true),
        ("first of sixteen scenes", &full, normal(20_100, 100, 600_000), true),
        ("last of sixteen scenes", &full, normal(20_100, 115, 600_000), true),
        ("after sixteen scenes", &full, normal(20_100, 116, 600_000), false),
        ("balance bill", &asked, bill(20_100, 3, 600_000, Kind::Balance), true),
        ("red bill", &asked, bill(20_100, 3, 600_000, Kind::Red), false),
        ("payment notice", &asked, bill(20_100, 3, 600_000, Kind::PaymentNotice), false),
        ("red bill asked for", &reds, bill(20_100, 3, 600_000, Kind::Red), true),
        ("everything, least", &all, bill(0, 0, 0, Kind::Normal), true),
        ("everything, most", &all, bill(400_000, 65_535, MAX_AMOUNT, Kind::Red), true),
    ];
    for (name, asked, entry, matches) in rows {
        let holder = witness(&[entry]);
        assert_eq!(asked.matches(&entry), matches, "{name}");
        let (exists, absent) = (
            statement(asked, &holder, Answer::AtLeast(1)),
            statement(asked, &holder, Answer::Absent),
        );
        assert_eq!(accepted(&exists, &holder), matches, "{name}: exists");
        assert_eq!(accepted(&absent, &holder), !matches, "{name}: absent");
    }
}

#[test]
fn reversed_bills_do_not_count() {
    let entries = [matching(), matching(), matching().reversed()];
    let holder = witness(&entries);
    let of = |answer| accepted(&statement(&question(), &holder, answer), &holder);
    assert!(of(Answer::AtLeast(1)) && !of(Answer::AtLeast(2)) && !of(Answer::Absent));
    let holder = witness(&[matching(), matching().reversed()]);
    assert!(accepted(&statement(&question(), &holder, Answer::Absent), &holder));
}

#[test]
fn tables_grow_by_powers_of_two_up_to_a_bound() {
    assert_eq!(log_rows(0), Some(8));
    assert_eq!(log_rows(252), Some(8));
    assert_eq!(log_rows(253), Some(9));
    assert_eq!(log_rows(MAX_ENTRIES), Some(14));
    assert_eq!(log_rows(MAX_ENTRIES + 1), None);
    let full = witness(&vec![matching(); 252]);
    assert!(accepted(&statement(&question(), &full, Answer::AtLeast(252)), &full));
    let holder = witness(&vec![matching(); MAX_ENTRIES + 1]);
    let statement = statement(&question(), &holder, Answer::AtLeast(1));
    let refused = prove(&statement, &holder, &mut rng(1)).unwrap_err();
    assert!(matches!(refused, Error::Entries { found } if found == MAX_ENTRIES + 1));
}

#[test]
fn questions_out_of_range_are_no_statement() {
    use StatementError::{Amounts, Dates, KindsOutOfRange, Minimum, Scenes};
    let holder = witness(&[]);
    let new = |question, answer| {
        let secret = commitment(&holder.reference, &holder.secret);
        Statement::new(question, anchor(&holder), secret, answer)
    };
    let none = |question| new(question, Answer::Absent).unwrap_err();
    let base = question();
    assert_eq!(none(Question { to: 1, ..base.clone() }), Dates { from: 20_000, to: 1 });
    assert!(matches!(none(Question { to: 400_001, ..base.clone() }), Dates { .. }));
    assert!(matches!(none(Question { most: 1, ..base.clone() }), Amounts { .. }));
    assert!(matches!(none(Question { most: MAX_AMOUNT + 1, ..base.clone() }), Amounts { .. }));
    assert_eq!(none(Question { scenes: vec![2, 2], ..base.clone() }), Scenes { found: 2 });
    assert_eq!(none(Question { scenes: (0..17).collect(), ..base.clone() }), Scenes { found: 17 });
    assert_eq!(
        none(Question { kinds: Kinds::of(&[]), ..base.clone() }),
        KindsOutOfRange { found: 0 }
    );
    for found in [0, MAX_ENTRIES as u32 + 1, u32::MAX] {
        assert_eq!(new(base.clone(), Answer::AtLeast(found)), Err(Minimum { found }));
    }
}

#[test]
fn every_size_of_table_is_sound() {
    for log in 8..=14 {
        let soundness = soundness(log);
        assert!(soundness.proven >= SECURITY_BITS, "2^{log} rows: {soundness:?}");
    }
}
