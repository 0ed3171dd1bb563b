//! Constraints dropped one by one: for each there is a forged table that it alone refuses, so
//! that without it the forgery would be believed.

use super::*;
use crate::columns::*;
use crate::table::differences;
use billchain_zk_accumulator::{Digest, compress};
use p3_field::PrimeCharacteristicRing;
use std::collections::BTreeMap;

/// Rows of the entries of [`base`].
const MATCHING_ROW: usize = 3;
const RED_ROW: usize = 7;
/// A row without an entry, and one more after it.
const EMPTY_ROW: usize = 20;

type Cells = BTreeMap<(usize, usize), Cell>;

/// What becomes of a cell.
#[derive(Clone, Copy)]
enum Cell {
    Is(i64),
    PlusOne,
    OtherDigit,
}

struct Forgery {
    name: String,
    cells: Cells,
    answer: Answer,
    witness: Witness,
    /// A public value that is another.
    public: Option<usize>,
}

fn base() -> Witness {
    witness(&[
        matching(),
        matching(),
        bill(20_100, 9, 600_000, Kind::Normal),
        matching().reversed(),
        bill(20_100, 9, 600_000, Kind::Red),
        matching(),
    ])
}

fn forgery(
    name: impl Into<String>,
    cells: impl IntoIterator<Item = ((usize, usize), Cell)>,
) -> Forgery {
    Forgery {
        name: name.into(),
        cells: cells.into_iter().collect(),
        answer: Answer::AtLeast(1),
        witness: base(),
        public: None,
    }
}

fn field(number: i64) -> KoalaBear {
    KoalaBear::from_i64(number)
}

/// Cells of the comparisons of a row that holds an entry where there was none.
fn compared(row: usize, days: i64, low: u64, high: u64) -> Vec<((usize, usize), Cell)> {
    let differences = differences(&question(), days, low + (high << 24));
    let mut cells = Vec::new();
    for (comparison, difference) in COMPARISONS.into_iter().zip(differences) {
        let sum = difference + i64::from(comparison.modulus());
        cells.push(((row, comparison.flag), Cell::Is(sum / i64::from(comparison.modulus()))));
        for (i, column) in comparison.digits().enumerate() {
            cells.push(((row, column), Cell::Is(sum >> (2 * i) & 3)));
        }
    }
    cells
}

/// The constraints that a forgery breaks. Accumulator and commitment are those of the forged
/// table, as a prover would claim them.
fn breaks(forgery: &Forgery) -> BTreeSet<usize> {
    let statement = statement(&question(), &forgery.witness, forgery.answer);
    let mut hand =
        Forger(|row, column, value: KoalaBear| match forgery.cells.get(&(row, column)) {
            None => value,
            Some(Cell::Is(number)) => field(*number),
            Some(Cell::PlusOne) => value + KoalaBear::ONE,
            Some(Cell::OtherDigit) if value == field(3) => KoalaBear::ZERO,
            Some(Cell::OtherDigit) => value + KoalaBear::ONE,
        });
    let table = table(&statement, &forgery.witness, 8, &mut hand);
    let mut public = statement.public_values();
    public[public::ACCUMULATOR].copy_from_slice(&chain_of(&table, 255));
    let block = core::array::from_fn(|i| table.values[2 * WIDTH + BLOCK.start + i]);
    let holder = compress(&Digest(chain_of(&table, 2)), &block);
    public[public::HOLDER].copy_from_slice(&holder.0);
    if let Some(value) = forgery.public {
        public[value] += KoalaBear::ONE;
    }
    broken(&table, &public, 8)
}

fn of_the_chain(forgeries: &mut Vec<Forgery>) {
    let mut one = |name: String, at| forgeries.push(forgery(name, [(at, Cell::PlusOne)]));
    for column in INITIAL.chain(PARTIAL).chain(FINAL) {
        one(format!("permutation, column {column}"), (MATCHING_ROW, column));
    }
    for column in CHAIN {
        one(format!("IV, column {column}"), (0, column));
        one(format!("step, column {column}"), (5, column));
    }
    one("head of the secret".into(), (2, BLOCK_HEAD));
    for value in public::ACCUMULATOR.chain(public::HOLDER) {
        let public = Some(value);
        forgeries.push(Forgery { public, ..forgery(format!("public value {value}"), []) });
    }
    // Twice an entry, of two kinds.
    let twice = [(ENTRY, 2), (KIND.start + 3, 1), (BLOCK_HEAD, 1 + 4 * 4)];
    let last = 3 + base().entries.len() - 1;
    let cells = twice.iter().map(|&(column, is)| ((last, column), Cell::Is(is)));
    let scene = [((last, SCENE), Cell::Is(9)), ((last, KIND.start), Cell::Is(0))];
    let kinds = [((last, KIND.start + 1), Cell::Is(1))];
    forgeries.push(forgery("twice an entry", cells.chain(scene).chain(kinds)));
    // An entry in the first row, where the reference stands, and one after a gap.
    let entry = |row| {
        [ENTRY, KIND.start, BLOCK_HEAD].map(|column| ((row, column), Cell::Is(1))).into_iter()
    };
    let limb = 0x0707;
    let first = entry(0).chain(compared(0, limb as i64, limb, limb));
    forgeries.push(forgery("entry in the first row", first));
    let gap = entry(EMPTY_ROW).chain(compared(EMPTY_ROW, 0, 0, 0));
    forgeries.push(forgery("entry after a gap", gap));
    // As many entries as there are rows: the chain does not take the last one.
    let full = witness(&[bill(20_100, 9, 600_000, Kind::Normal); 253]);
    let answer = Answer::Absent;
    forgeries.push(Forgery { answer, witness: full, ..forgery("entry in the last row", []) });
}

fn of_the_entry(forgeries: &mut Vec<Forgery>) {
    let mut red = |name: &str, cells: &[(usize, i64)]| {
        let cells = cells.iter().map(|&(column, is)| ((RED_ROW, column), Cell::Is(is)));
        forgeries.push(forgery(name, cells));
    };
    for kind in 0..4 {
        let others: Vec<usize> = (0..4).filter(|&other| other != kind).collect();
        let number = (others[0] + others[1]) as i64 - kind as i64;
        red(
            &format!("kind {kind} less than nothing"),
            &[
                (KIND.start + kind, -1),
                (KIND.start + others[0], 1),
                (KIND.start + others[1], 1),
                (KIND.start + others[2], 0),
                (BLOCK_HEAD, 1 + 4 * number),
            ],
        );
    }
    red("no kind", &[(KIND.start + 1, 0), (BLOCK_HEAD, 1)]);
    red("reversed twice", &[(REVERSED, 2), (BLOCK_HEAD, 1 + 4 + 4)]);
    red("another head", &[(BLOCK_HEAD, 1)]);
    red("in a scene that is not asked for", &[(IN_SCENES, 1), (SCENE_INVERSE, 0)]);
    let mut one = |name: String, at| forgeries.push(forgery(name, [(at, Cell::PlusOne)]));
    for column in SCENE_PRODUCTS {
        one(format!("product of scenes, column {column}"), (RED_ROW, column));
    }
    one("within ranges".into(), (RED_ROW, IN_RANGES));
    one("match".into(), (RED_ROW, MATCHES));
    one("count at the beginning".into(), (0, COUNT));
    one("count on the way".into(), (EMPTY_ROW, COUNT));
    let scene = [((MATCHING_ROW, IN_SCENES), Cell::Is(0))];
    forgeries.push(forgery("not in a scene that is asked for", scene));
    for (comparison, number) in COMPARISONS.into_iter().zip(0..) {
        let flag = [((EMPTY_ROW, comparison.flag), Cell::Is(2))];
        forgeries.push(forgery(format!("flag of comparison {number}"), flag));
        for column in comparison.digits() {
            let digit = [((EMPTY_ROW, column), Cell::Is(7))];
            forgeries.push(forgery(format!("digit in column {column}"), digit));
        }
        let other = [((RED_ROW, comparison.digits().start), Cell::OtherDigit)];
        forgeries.push(forgery(format!("difference of comparison {number}"), other));
    }
}

#[test]
fn each_constraint_refuses_what_no_other_does() {
    let honest = forgery("none", []);
    assert_eq!(breaks(&honest), BTreeSet::new());
    let mut forgeries = Vec::new();
    of_the_chain(&mut forgeries);
    of_the_entry(&mut forgeries);
    for answer in [Answer::Absent, Answer::AtLeast(5)] {
        forgeries.push(Forgery { answer, ..forgery(format!("{answer:?}"), []) });
    }

    let mut alone = BTreeMap::new();
    for forgery in &forgeries {
        let broken = breaks(forgery);
        assert_eq!(broken.len(), 1, "{}: breaks {broken:?}", forgery.name);
        alone.entry(*broken.first().unwrap()).or_insert(&forgery.name);
    }
    let statement = statement(&question(), &base(), Answer::AtLeast(1));
    let table = table(&statement, &base(), 8, &mut Honest);
    let report = check_all_constraints(&BillAir::new(8), &table, &statement.public_values(), None);
    let all: BTreeSet<usize> = (0..report.total_constraints_per_row).collect();
    let untested: Vec<_> = all.iter().filter(|number| !alone.contains_key(number)).collect();
    assert_eq!(untested, Vec::<&usize>::new(), "constraints that no forgery needs");
    assert_eq!(all.len(), CONSTRAINTS, "docs/zk.md lists the constraints");
}

/// As many as `docs/zk.md` lists.
const CONSTRAINTS: usize = 132 + 37 + 7 + 81 + 7 + 5;
