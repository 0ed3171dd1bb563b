//! The table of a witness: one row a step of the chain.

use crate::columns::*;
use crate::statement::{Answer, Question, Statement};
use billchain_zk_accumulator::{
    Change, Entry, FINAL_ROUNDS, INITIAL_ROUNDS, IV, KoalaBear, LIMB_BITS, Layers, PARTIAL_ROUNDS,
    RATE, Secret, WIDTH as STATE, reference_blocks,
};
use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use p3_matrix::dense::RowMajorMatrix;
use p3_poseidon2::GenericPoseidon2LinearLayers;

/// Rows that are there before the first entry.
pub(crate) const FIXED_ROWS: usize = selector::COUNT;
/// Fewest rows, as a power of two: below, hiding would not be perfect, and small numbers of bills
/// would be told from one another.
pub(crate) const MIN_LOG_ROWS: usize = 8;
/// Most rows, as a power of two.
pub(crate) const MAX_LOG_ROWS: usize = 14;
/// Most entries of one holder: rows less those before the entries and the last one.
pub const MAX_ENTRIES: usize = (1 << MAX_LOG_ROWS) - FIXED_ROWS - 1;

/// What only the holder knows.
#[derive(Clone)]
pub struct Witness {
    /// The payer reference.
    pub reference: [u8; 32],
    /// The secret of the commitment.
    pub secret: Secret,
    /// All entries of the accumulator, oldest first.
    pub entries: Vec<Entry>,
}

/// Says nothing of what it holds.
impl core::fmt::Debug for Witness {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Witness")
    }
}

/// Rows of a table for so many entries, as a power of two; `None` if they are too many.
pub(crate) fn log_rows(entries: usize) -> Option<usize> {
    (MIN_LOG_ROWS..=MAX_LOG_ROWS).find(|log| entries + FIXED_ROWS < 1 << log)
}

/// Through whose hand each cell goes as it is written. What is computed after a cell is computed
/// from what the hand made of it.
pub(crate) trait Hand {
    /// The cell that is written where `value` belongs.
    fn cell(&mut self, row: usize, column: usize, value: KoalaBear) -> KoalaBear;
}

/// Writes what belongs there.
pub(crate) struct Honest;

impl Hand for Honest {
    fn cell(&mut self, _: usize, _: usize, value: KoalaBear) -> KoalaBear {
        value
    }
}

/// The table of `2^log_rows` rows.
pub(crate) fn table<H: Hand>(
    statement: &Statement,
    witness: &Witness,
    log_rows: usize,
    hand: &mut H,
) -> RowMajorMatrix<KoalaBear> {
    let rows = 1 << log_rows;
    let public = statement.public_values();
    let mut values = KoalaBear::zero_vec(rows * WIDTH);
    let (mut chain, mut count) = (IV.0, KoalaBear::ZERO);
    for (number, cells) in values.chunks_exact_mut(WIDTH).enumerate() {
        let mut row = Row { number, cells, hand: &mut *hand, public: &public, statement };
        row.set_all(CHAIN.start, &chain);
        row.set_all(BLOCK.start, &block(witness, number));
        let permuted = row.permute();
        let entry = number.checked_sub(FIXED_ROWS).and_then(|i| witness.entries.get(i));
        row.entry(entry);
        row.compare(entry, number + 1 == rows, count);
        row.scene();
        row.count(count);
        let (step, counted) = row.carry();
        chain = core::array::from_fn(|i| row.cells[CHAIN.start + i] + step * permuted[i]);
        count = counted;
    }
    RowMajorMatrix::new(values, WIDTH)
}

/// The block that a row takes.
fn block(witness: &Witness, row: usize) -> [KoalaBear; RATE] {
    let [low, high] = reference_blocks(&witness.reference);
    match row {
        selector::REFERENCE_LOW => low,
        selector::REFERENCE_HIGH => high,
        selector::HOLDER => witness.secret.block(),
        row => match witness.entries.get(row - FIXED_ROWS) {
            Some(entry) => entry.block(),
            None => [KoalaBear::ZERO; RATE],
        },
    }
}

/// A row that is being written.
struct Row<'a, H> {
    number: usize,
    cells: &'a mut [KoalaBear],
    hand: &'a mut H,
    public: &'a [KoalaBear],
    statement: &'a Statement,
}

impl<H: Hand> Row<'_, H> {
    fn set(&mut self, column: usize, value: KoalaBear) {
        self.cells[column] = self.hand.cell(self.number, column, value);
    }

    /// Sets a cell, for who goes on with what it holds then.
    fn put(&mut self, column: usize, value: KoalaBear) -> KoalaBear {
        self.set(column, value);
        self.cells[column]
    }

    fn set_all(&mut self, column: usize, values: &[KoalaBear]) {
        for (i, &value) in values.iter().enumerate() {
            self.set(column + i, value);
        }
    }

    fn permute(&mut self) -> [KoalaBear; STATE] {
        let mut state: [KoalaBear; STATE] = core::array::from_fn(|i| self.cells[i]);
        Layers::external_linear_layer(&mut state);
        for (round, constants) in INITIAL_ROUNDS.iter().enumerate() {
            full_round(&mut state, constants);
            self.keep(&mut state, INITIAL.start + STATE * round);
        }
        for (round, &constant) in PARTIAL_ROUNDS.iter().enumerate() {
            state[0] = self.put(PARTIAL.start + round, (state[0] + constant).cube());
            Layers::internal_linear_layer(&mut state);
        }
        for (round, constants) in FINAL_ROUNDS.iter().enumerate() {
            full_round(&mut state, constants);
            if round + 1 < FINAL_ROUNDS.len() {
                self.keep(&mut state, FINAL.start + STATE * round);
            }
        }
        state
    }

    fn keep(&mut self, state: &mut [KoalaBear; STATE], column: usize) {
        for (i, element) in state.iter_mut().enumerate() {
            *element = self.put(column + i, *element);
        }
    }

    fn entry(&mut self, entry: Option<&Entry>) {
        self.set(ENTRY, KoalaBear::from_bool(entry.is_some()));
        let kind = entry.map(|entry| entry.kind() as usize);
        for (i, column) in KIND.enumerate() {
            self.set(column, KoalaBear::from_bool(kind == Some(i)));
        }
        let reversed = entry.is_some_and(|entry| entry.change() == Change::Reversed);
        self.set(REVERSED, KoalaBear::from_bool(reversed));
    }

    fn compare(&mut self, entry: Option<&Entry>, last: bool, count: KoalaBear) {
        let Some(entry) = entry else {
            let surplus = if last { self.surplus(count) } else { 0 };
            for comparison in COMPARISONS {
                let number = if comparison.flag == NOT_BEFORE.flag { surplus } else { 0 };
                self.decompose(comparison, number);
            }
            self.set(IN_RANGES, KoalaBear::ZERO);
            return;
        };
        let differences =
            differences(self.statement.question(), entry.days().into(), entry.amount());
        for (comparison, difference) in COMPARISONS.into_iter().zip(differences) {
            // Both sides are below the modulus: the sum is not negative, and below twice it.
            let sum = difference + i64::from(comparison.modulus());
            self.decompose(comparison, sum as u32);
        }
        let flags = [NOT_BEFORE, NOT_AFTER, LEAST_HIGH, MOST_HIGH];
        let all: KoalaBear = flags.iter().map(|comparison| self.cells[comparison.flag]).product();
        self.set(IN_RANGES, all);
    }

    /// By how much the minimum is met.
    fn surplus(&self, count: KoalaBear) -> u32 {
        match self.statement.answer() {
            Answer::Absent => 0,
            Answer::AtLeast(minimum) => {
                let surplus = (count - KoalaBear::from_u32(minimum)).as_canonical_u32();
                if surplus < NOT_BEFORE.modulus() { surplus } else { 0 }
            }
        }
    }

    fn decompose(&mut self, comparison: Comparison, number: u32) {
        let flag = number / comparison.modulus();
        self.set(comparison.flag, KoalaBear::from_u32(flag));
        for (i, column) in comparison.digits().enumerate() {
            self.set(column, KoalaBear::from_u32(number >> (2 * i) & 3));
        }
    }

    fn scene(&mut self) {
        let scene = self.cells[SCENE];
        let factor = |i: usize| scene - self.public[public::SCENES.start + i];
        let factors: [KoalaBear; SCENES] = core::array::from_fn(factor);
        let mut product = factors[0];
        for (i, column) in SCENE_PRODUCTS.enumerate() {
            let three: KoalaBear = factors[3 * i + 1..3 * i + 4].iter().copied().product();
            product = self.put(column, product * three);
        }
        let inverse = product.try_inverse();
        self.set(SCENE_INVERSE, inverse.unwrap_or(KoalaBear::ZERO));
        self.set(IN_SCENES, KoalaBear::from_bool(inverse.is_none()));
    }

    fn count(&mut self, count: KoalaBear) {
        let any = self.public[public::ANY_SCENE];
        let scene = any + (KoalaBear::ONE - any) * self.cells[IN_SCENES];
        let kind: KoalaBear =
            KIND.zip(public::KINDS).map(|(c, value)| self.cells[c] * self.public[value]).sum();
        self.set(MATCHES, self.cells[IN_RANGES] * scene * kind);
        self.set(COUNT, count);
    }

    /// Whether the chain takes a step, and the count after the row.
    fn carry(&self) -> (KoalaBear, KoalaBear) {
        let fixed = self.number <= selector::REFERENCE_HIGH;
        let step = KoalaBear::from_bool(fixed) + self.cells[ENTRY];
        let sign = KoalaBear::ONE - self.cells[REVERSED].double();
        (step, self.cells[COUNT] + self.cells[MATCHES] * sign)
    }
}

/// What the six comparisons compare, by question: each is above `-modulus` and below `modulus`.
pub(crate) fn differences(question: &Question, days: i64, amount: u64) -> [i64; 6] {
    let low = |amount: u64| (amount % (1 << LIMB_BITS)) as i64;
    let high = |amount: u64| (amount >> LIMB_BITS) as i64;
    let borrow = |a: u64, b: u64| i64::from(low(a) < low(b));
    let (least, most) = (question.least, question.most);
    [
        days - i64::from(question.from),
        i64::from(question.to) - days,
        low(amount) - low(least),
        high(amount) - high(least) - borrow(amount, least),
        low(most) - low(amount),
        high(most) - high(amount) - borrow(most, amount),
    ]
}

fn full_round(state: &mut [KoalaBear; STATE], constants: &[KoalaBear; STATE]) {
    for (element, &constant) in state.iter_mut().zip(constants) {
        *element = (*element + constant).cube();
    }
    Layers::external_linear_layer(state);
}
