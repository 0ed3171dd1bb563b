//! Dishonest provers: each makes a proof of a table that is a lie, or shows a true proof where it
//! does not belong, and each is refused.
//!
//! The prover of Plonky3 checks tables in debug builds only, so forging is for release builds.
#![cfg(not(debug_assertions))]

use super::*;
use crate::columns::*;
use crate::{prove, verify};
use p3_field::PrimeCharacteristicRing;

fn keep(_: usize, _: usize, value: KoalaBear) -> KoalaBear {
    value
}

/// First row that holds an entry.
const FIRST: usize = 3;

#[track_caller]
fn refused(statement: &Statement, proof: &Proof) {
    assert!(verify(statement, proof).is_err());
}

#[track_caller]
fn lie(
    statement: &Statement,
    witness: &Witness,
    hand: impl FnMut(usize, usize, KoalaBear) -> KoalaBear,
) {
    refused(statement, &forge(statement, witness, 1, &mut Forger(hand)));
}

/// The cell of a row, if it is this one.
fn set(at: (usize, usize), to: u32) -> impl FnMut(usize, usize, KoalaBear) -> KoalaBear {
    move |row, column, value| if (row, column) == at { KoalaBear::from_u32(to) } else { value }
}

#[test]
fn forger_without_a_lie_is_believed() {
    let holder = witness(&[matching()]);
    let statement = statement(&question(), &holder, Answer::AtLeast(1));
    verify(&statement, &forge(&statement, &holder, 1, &mut Forger(keep))).unwrap();
}

#[test]
fn bill_left_out() {
    let full = witness(&[bill(20_100, 9, 1, Kind::Normal), matching()]);
    let absent = statement(&question(), &full, Answer::Absent);
    for part in [witness(&full.entries[..1]), witness(&full.entries[1..]), witness(&[])] {
        lie(&absent, &part, keep);
    }
    // Nor by walking past its row.
    lie(&absent, &full, |row, column, value| match column {
        ENTRY | KIND_NORMAL if row == FIRST + 1 => KoalaBear::ZERO,
        _ => value,
    });
    // Nor by saying that it does not match.
    lie(&absent, &full, set((FIRST + 1, MATCHES), 0));
    lie(&absent, &full, set((FIRST + 1, IN_SCENES), 0));
}

const KIND_NORMAL: usize = KIND.start;

#[test]
fn chain_that_begins_in_the_middle() {
    // The state after the first entry is given out as that of a payer without bills.
    let full = witness(&[matching()]);
    let absent = statement(&question(), &full, Answer::Absent);
    let after = anchor(&full).accumulator.digest().0;
    lie(&absent, &witness(&[]), move |row, column, value| match column {
        column if row == FIRST && CHAIN.contains(&column) => after[column],
        _ => value,
    });
    lie(&absent, &witness(&[]), move |row, column, value| match column {
        column if row == 0 && CHAIN.contains(&column) => after[column],
        _ => value,
    });
}

#[test]
fn amount_and_date_off_by_one_at_each_bound() {
    let asked = Question { most: 700_000, ..question() };
    let rows = [
        (bill(20_100, 3, 499_999, Kind::Normal), LEAST_HIGH),
        (bill(20_100, 3, 700_001, Kind::Normal), MOST_HIGH),
        (bill(19_999, 3, 600_000, Kind::Normal), NOT_BEFORE),
        (bill(20_365, 3, 600_000, Kind::Normal), NOT_AFTER),
    ];
    for (entry, comparison) in rows {
        let holder = witness(&[entry]);
        let exists = statement(&asked, &holder, Answer::AtLeast(1));
        lie(&exists, &holder, keep);
        lie(&exists, &holder, set((FIRST, comparison.flag), 1));
        // The digits then say a negative number: the lowest is one less than nothing.
        let (flag, lowest) = (comparison.flag, comparison.flag + 1);
        lie(&exists, &holder, move |row, column, value| match column {
            _ if row != FIRST => value,
            column if column == flag => KoalaBear::ONE,
            column if column == lowest => KoalaBear::NEG_ONE,
            column if comparison.digits().contains(&column) => KoalaBear::ZERO,
            _ => value,
        });
    }
    // And the other way: what is within bounds is said to be outside.
    let holder = witness(&[matching()]);
    let absent = statement(&asked, &holder, Answer::Absent);
    for comparison in [NOT_BEFORE, NOT_AFTER, LEAST_HIGH, MOST_HIGH] {
        lie(&absent, &holder, set((FIRST, comparison.flag), 0));
    }
}

#[test]
fn accumulator_of_another() {
    let (mine, other) = (witness(&[]), Witness { reference: [8; 32], ..witness(&[matching()]) });
    let exists = |witness: &Witness, of: &Witness| {
        let holder = commitment(&witness.reference, &witness.secret);
        Statement::new(question(), anchor(of), holder, Answer::AtLeast(1)).unwrap()
    };
    lie(&exists(&mine, &other), &other, keep);
    lie(&exists(&mine, &mine), &other, keep);
    // Without the secret of the commitment.
    let thief = Witness { secret: Secret::from_bytes(&[1; 32]), ..other.clone() };
    lie(&exists(&other, &other), &thief, keep);
}

#[test]
fn older_block_sold_as_newer() {
    let (old, new) = (witness(&[]), witness(&[matching()]));
    let before = statement(&question(), &old, Answer::Absent);
    let proof = prove(&before, &old, &mut rng(1)).unwrap();
    verify(&before, &proof).unwrap();
    let holder = before.holder();
    let of = |anchor| Statement::new(question(), anchor, holder, Answer::Absent).unwrap();
    refused(&of(anchor(&new)), &proof);
    // Not even where the accumulator is the same.
    refused(&of(Anchor { block: 1001, ..anchor(&old) }), &proof);
    refused(&of(Anchor { block_hash: [4; 32], ..anchor(&old) }), &proof);
}

#[test]
fn replay_to_another_asker_question_or_answer() {
    let holder = witness(&[matching(), matching()]);
    let exists = statement(&question(), &holder, Answer::AtLeast(1));
    let proof = prove(&exists, &holder, &mut rng(1)).unwrap();
    verify(&exists, &proof).unwrap();
    let others = [
        Question { challenge: [9; 32], ..question() },
        Question { asker: [9; 32], ..question() },
        Question { least: 500_001, ..question() },
        Question { scenes: vec![3], ..question() },
        Question { kinds: Kinds::of(&Kind::ALL), ..question() },
    ];
    for asked in others {
        refused(&statement(&asked, &holder, Answer::AtLeast(1)), &proof);
    }
    refused(&statement(&question(), &holder, Answer::AtLeast(2)), &proof);
    refused(&statement(&question(), &holder, Answer::Absent), &proof);
}

#[test]
fn field_that_wraps_around() {
    let holder = witness(&[matching()]);
    let last = 255;
    // 1 - 3 is a large number of the field; as digits it has a negative one, or one too large.
    let three = statement(&question(), &holder, Answer::AtLeast(3));
    for digit in NOT_BEFORE.digits().take(3) {
        let minus = KoalaBear::ZERO - KoalaBear::TWO;
        lie(
            &three,
            &holder,
            move |row, column, value| {
                if (row, column) == (last, digit) { minus } else { value }
            },
        );
    }
    // A count that begins below zero, or at the number that is missing.
    let absent = statement(&question(), &holder, Answer::Absent);
    lie(&absent, &holder, move |row, column, value| match (row, column) {
        (_, COUNT) => value - KoalaBear::ONE,
        _ => value,
    });
    lie(&three, &holder, move |row, column, value| match (row, column) {
        (0, COUNT) => KoalaBear::TWO,
        _ => value,
    });
    // Amounts whose upper half is below the bound by a multiple of the field's order.
    lie(&three, &holder, set((FIRST, MATCHES), 3));
}

#[test]
fn negative_red_and_reversed_bills() {
    let red = witness(&[bill(20_100, 3, 600_000, Kind::Red)]);
    let exists = statement(&question(), &red, Answer::AtLeast(1));
    lie(&exists, &red, keep);
    lie(&exists, &red, |row, column, value| match column {
        column if row == FIRST && column == KIND.start => KoalaBear::ONE,
        column if row == FIRST && column == KIND.start + 1 => KoalaBear::ZERO,
        _ => value,
    });
    let reversed = witness(&[matching(), matching().reversed()]);
    let exists = statement(&question(), &reversed, Answer::AtLeast(1));
    lie(&exists, &reversed, keep);
    lie(&exists, &reversed, set((FIRST + 1, REVERSED), 0));
    lie(&exists, &reversed, set((FIRST + 1, MATCHES), 0));
    // The head within the block is what the chain took.
    lie(&exists, &reversed, |row, column, value| match column {
        column if row == FIRST + 1 && column == REVERSED => KoalaBear::ZERO,
        column if row == FIRST + 1 && column == BLOCK_HEAD => KoalaBear::ONE,
        _ => value,
    });
}

#[test]
fn bill_counted_twice() {
    let once = witness(&[matching()]);
    let two = statement(&question(), &once, Answer::AtLeast(2));
    lie(&two, &witness(&[matching(), matching()]), keep);
    lie(&two, &once, set((FIRST, MATCHES), 2));
    lie(&two, &once, set((FIRST, IN_RANGES), 2));
    // A second row for it, at which the chain stands still.
    lie(&two, &once, |row, column, value| match column {
        column if row == FIRST + 1 && (column == MATCHES) => KoalaBear::ONE,
        _ => value,
    });
}
