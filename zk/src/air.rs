//! The constraints: what a table must fulfil to be a proof of the statement.
//!
//! They are in the order of `docs/zk.md`; a test drops each of them in turn and shows a forged
//! table that only it refuses. None has a degree above 4.

use crate::columns::*;
use billchain_zk_accumulator::{
    FINAL_ROUNDS, HOLDER_HEAD, INITIAL_ROUNDS, IV, KoalaBear, Layers, PARTIAL_ROUNDS,
    WIDTH as STATE,
};
use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_poseidon2::GenericPoseidon2LinearLayers;
use std::borrow::Cow;

/// Largest degree of a constraint, selectors of rows included.
pub(crate) const DEGREE: usize = 4;

/// Constraints of a table with a given number of rows.
pub(crate) struct BillAir {
    selectors: Vec<Vec<KoalaBear>>,
}

impl BillAir {
    /// For tables of `2^log_rows` rows.
    pub(crate) fn new(log_rows: usize) -> Self {
        let on_row = |row: usize| {
            let mut column = KoalaBear::zero_vec(1 << log_rows);
            column[row] = KoalaBear::ONE;
            column
        };
        Self { selectors: (0..selector::COUNT).map(on_row).collect() }
    }
}

impl BaseAir<KoalaBear> for BillAir {
    fn width(&self) -> usize {
        WIDTH
    }

    fn num_public_values(&self) -> usize {
        public::LENGTH
    }

    fn num_periodic_columns(&self) -> usize {
        selector::COUNT
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<KoalaBear>]> {
        Cow::Borrowed(&self.selectors)
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        Some(DEGREE)
    }
}

impl<AB: AirBuilder<F = KoalaBear>> Air<AB> for BillAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = Row::<AB> {
            here: main.current_slice(),
            next: main.next_slice(),
            public: builder.public_values().iter().map(|&value| value.into()).collect(),
            selectors: builder.periodic_values().iter().map(|&value| value.into()).collect(),
        };
        let permuted = permutation(builder, &row);
        chain(builder, &row, &permuted);
        entry(builder, &row);
        comparisons(builder, &row);
        scene(builder, &row);
        count(builder, &row);
    }
}

/// What constraints may speak of.
struct Row<'a, AB: AirBuilder> {
    here: &'a [AB::Var],
    next: &'a [AB::Var],
    public: Vec<AB::Expr>,
    selectors: Vec<AB::Expr>,
}

impl<AB: AirBuilder<F = KoalaBear>> Row<'_, AB> {
    fn at(&self, column: usize) -> AB::Expr {
        self.here[column].into()
    }

    fn next(&self, column: usize) -> AB::Expr {
        self.next[column].into()
    }

    fn public(&self, value: usize) -> AB::Expr {
        self.public[value].clone()
    }

    fn selector(&self, selector: usize) -> AB::Expr {
        self.selectors[selector].clone()
    }

    /// The number that digits of base 4 make.
    fn number(&self, comparison: Comparison) -> AB::Expr {
        comparison
            .digits()
            .rev()
            .fold(AB::Expr::ZERO, |number, digit| number * constant::<AB>(4) + self.at(digit))
    }
}

fn constant<AB: AirBuilder<F = KoalaBear>>(number: u32) -> AB::Expr {
    AB::Expr::from_u32(number)
}

/// Poseidon2 of chain and block; what it makes, of degree 3. 132 constraints of degree 3.
fn permutation<AB: AirBuilder<F = KoalaBear>>(
    builder: &mut AB,
    row: &Row<'_, AB>,
) -> [AB::Expr; STATE] {
    let mut state: [AB::Expr; STATE] = core::array::from_fn(|i| row.at(i));
    Layers::external_linear_layer(&mut state);
    for (round, constants) in INITIAL_ROUNDS.iter().enumerate() {
        full_round::<AB>(&mut state, constants);
        keep(builder, &mut state, row, INITIAL.start + STATE * round);
    }
    for (round, &constant) in PARTIAL_ROUNDS.iter().enumerate() {
        let cube = (state[0].clone() + constant).cube();
        state[0] = row.at(PARTIAL.start + round);
        builder.assert_eq(cube, state[0].clone());
        Layers::internal_linear_layer(&mut state);
    }
    for (round, constants) in FINAL_ROUNDS.iter().enumerate() {
        full_round::<AB>(&mut state, constants);
        if round + 1 < FINAL_ROUNDS.len() {
            keep(builder, &mut state, row, FINAL.start + STATE * round);
        }
    }
    state
}

fn full_round<AB: AirBuilder<F = KoalaBear>>(
    state: &mut [AB::Expr; STATE],
    constants: &[KoalaBear; STATE],
) {
    for (element, &constant) in state.iter_mut().zip(constants) {
        *element = (element.clone() + constant).cube();
    }
    Layers::external_linear_layer(state);
}

/// The state stands in the columns from `column` on, and goes on from there.
fn keep<AB: AirBuilder<F = KoalaBear>>(
    builder: &mut AB,
    state: &mut [AB::Expr; STATE],
    row: &Row<'_, AB>,
    column: usize,
) {
    for (i, element) in state.iter_mut().enumerate() {
        let kept = row.at(column + i);
        builder.assert_eq(element.clone(), kept.clone());
        *element = kept;
    }
}

/// The chain begins at its IV, takes the reference and all entries, and ends as the accumulator;
/// on the way, reference and secret make the commitment. 37 constraints.
fn chain<AB: AirBuilder<F = KoalaBear>>(
    builder: &mut AB,
    row: &Row<'_, AB>,
    permuted: &[AB::Expr; STATE],
) {
    let holder = row.selector(selector::HOLDER);
    let steps = row.selector(selector::REFERENCE_LOW)
        + row.selector(selector::REFERENCE_HIGH)
        + row.at(ENTRY);
    for i in CHAIN {
        let here = row.at(CHAIN.start + i);
        builder
            .when_first_row()
            .assert_eq(here.clone(), constant::<AB>(IV.0[i].as_canonical_u32()));
        let stepped = here.clone() + steps.clone() * permuted[i].clone();
        builder.when_transition().assert_eq(row.next(CHAIN.start + i), stepped);
        builder.when_last_row().assert_eq(here.clone(), row.public(public::ACCUMULATOR.start + i));
        let commitment = here + permuted[i].clone();
        builder.assert_zero(holder.clone() * (commitment - row.public(public::HOLDER.start + i)));
    }
    builder.assert_zero(holder.clone() * (row.at(BLOCK_HEAD) - constant::<AB>(HOLDER_HEAD)));
    // Entries stand one after another, from the row after the holder's on, and end before the last.
    builder.assert_bool(row.at(ENTRY));
    builder.when_first_row().assert_zero(row.at(ENTRY));
    builder.when_last_row().assert_zero(row.at(ENTRY));
    builder
        .when_transition()
        .assert_zero(row.next(ENTRY) * (AB::Expr::ONE - holder - row.at(ENTRY)));
}

/// The entry's head says its kind and whether it is a reversal. 7 constraints.
fn entry<AB: AirBuilder<F = KoalaBear>>(builder: &mut AB, row: &Row<'_, AB>) {
    let (mut sum, mut number) = (AB::Expr::ZERO, AB::Expr::ZERO);
    for (kind, column) in KIND.enumerate() {
        builder.assert_bool(row.at(column));
        sum += row.at(column);
        number += row.at(column) * constant::<AB>(kind as u32);
    }
    builder.assert_eq(sum, row.at(ENTRY));
    builder.assert_bool(row.at(REVERSED));
    let head = AB::Expr::ONE + row.at(REVERSED) * constant::<AB>(2) + number * constant::<AB>(4);
    builder.assert_zero(row.at(ENTRY) * (row.at(BLOCK_HEAD) - head));
}

/// Date and amount against their bounds. 68 + 6 + 6 + 1 constraints.
fn comparisons<AB: AirBuilder<F = KoalaBear>>(builder: &mut AB, row: &Row<'_, AB>) {
    for comparison in COMPARISONS {
        builder.assert_bool(row.at(comparison.flag));
        for column in comparison.digits() {
            let digit = row.at(column);
            let is = |n: u32| digit.clone() - constant::<AB>(n);
            builder.assert_zero(digit.clone() * is(1) * is(2) * is(3));
        }
    }
    let without_borrow = |low: Comparison| AB::Expr::ONE - row.at(low.flag);
    let differences = [
        (NOT_BEFORE, row.at(DAYS) - row.public(public::FROM)),
        (NOT_AFTER, row.public(public::TO) - row.at(DAYS)),
        (LEAST_LOW, row.at(AMOUNT_LOW) - row.public(public::LEAST_LOW)),
        (
            LEAST_HIGH,
            row.at(AMOUNT_HIGH) - row.public(public::LEAST_HIGH) - without_borrow(LEAST_LOW),
        ),
        (MOST_LOW, row.public(public::MOST_LOW) - row.at(AMOUNT_LOW)),
        (MOST_HIGH, row.public(public::MOST_HIGH) - row.at(AMOUNT_HIGH) - without_borrow(MOST_LOW)),
    ];
    for (comparison, difference) in differences {
        let modulus = constant::<AB>(comparison.modulus());
        let number = row.at(comparison.flag) * modulus.clone() + row.number(comparison);
        builder.assert_zero(row.at(ENTRY) * (difference + modulus - number));
    }
    let both = row.at(NOT_BEFORE.flag) * row.at(NOT_AFTER.flag);
    let all = both * row.at(LEAST_HIGH.flag) * row.at(MOST_HIGH.flag);
    builder.assert_eq(row.at(IN_RANGES), all);
}

/// Whether the scene is one of the question's. 7 constraints.
fn scene<AB: AirBuilder<F = KoalaBear>>(builder: &mut AB, row: &Row<'_, AB>) {
    let factor = |scene: usize| row.at(SCENE) - row.public(public::SCENES.start + scene);
    let mut product = factor(0);
    let mut used = 1;
    for column in SCENE_PRODUCTS {
        let three = factor(used) * factor(used + 1) * factor(used + 2);
        builder.assert_eq(row.at(column), product * three);
        product = row.at(column);
        used += 3;
    }
    builder.assert_one(row.at(IN_SCENES) + product.clone() * row.at(SCENE_INVERSE));
    builder.assert_zero(row.at(IN_SCENES) * product);
}

/// How many match, and that the answer is true of it. 5 constraints.
fn count<AB: AirBuilder<F = KoalaBear>>(builder: &mut AB, row: &Row<'_, AB>) {
    let any = row.public(public::ANY_SCENE);
    let scene = any.clone() + (AB::Expr::ONE - any) * row.at(IN_SCENES);
    let kind = KIND
        .zip(public::KINDS)
        .fold(AB::Expr::ZERO, |sum, (column, value)| sum + row.at(column) * row.public(value));
    builder.assert_eq(row.at(MATCHES), row.at(IN_RANGES) * scene * kind);
    builder.when_first_row().assert_zero(row.at(COUNT));
    let sign = AB::Expr::ONE - row.at(REVERSED) * constant::<AB>(2);
    let counted = row.at(COUNT) + row.at(MATCHES) * sign;
    builder.when_transition().assert_eq(row.next(COUNT), counted);
    let absent = row.public(public::ABSENT);
    builder.when_last_row().assert_zero(absent.clone() * row.at(COUNT));
    // The last row holds no entry, so these digits are free to say by how much the minimum is met.
    let surplus = row.at(COUNT) - row.public(public::MINIMUM) - row.number(NOT_BEFORE);
    builder.when_last_row().assert_zero((AB::Expr::ONE - absent) * surplus);
}
