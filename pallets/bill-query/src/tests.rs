//! Every read and every way it can have no answer.

use crate::{MAX_QUERIES, QueryProblem, mock::*};
use billchain_primitives::{
    BillStatus, Fen, ThreeCodes,
    history::{HistoryProblem, VersionRecord},
};

fn codes(number: u32, check_code: &str) -> ThreeCodes {
    ThreeCodes { key: key(number), check_code: check_code.parse().expect("6 characters") }
}

#[test]
fn a_bill_is_found_by_its_key() {
    assert_eq!(BillQuery::by_key(&key(1)).map(|bill| bill.summary.key), Ok(key(1)));
    assert_eq!(BillQuery::by_key(&key(2)), Err(QueryProblem::NotFound));
}

#[test]
fn a_bill_is_shown_as_the_next_transaction_finds_it() {
    let by_key = BillQuery::by_key(&key(1)).expect("it exists");
    let by_codes = BillQuery::by_codes(&codes(1, "a1B2c3")).expect("it exists");
    for bill in [by_key, by_codes] {
        assert_eq!(bill.state.status, BillStatus::PreIssued);
    }
}

#[test]
fn three_codes_must_all_be_right() {
    assert!(BillQuery::by_codes(&codes(1, "a1B2c3")).is_ok());
    // The check code is compared exactly.
    assert_eq!(BillQuery::by_codes(&codes(1, "A1B2C3")), Err(QueryProblem::NotFound));
    assert_eq!(BillQuery::by_codes(&codes(2, "a1B2c3")), Err(QueryProblem::NotFound));
}

#[test]
fn a_batch_answers_in_order_and_is_bounded() {
    let answers = BillQuery::by_codes_batch(&[codes(2, "a1B2c3"), codes(1, "a1B2c3")]);
    let found: Vec<_> = answers.expect("two are not too many").iter().map(Result::is_ok).collect();
    assert_eq!(found, [false, true]);
    let most = vec![codes(1, "a1B2c3"); MAX_QUERIES];
    assert!(BillQuery::by_codes_batch(&most).is_ok());
    let more = vec![codes(1, "a1B2c3"); MAX_QUERIES + 1];
    let problem = BillQuery::by_codes_batch(&more).expect_err("one too many");
    assert_eq!(problem, QueryProblem::TooMany { asked: 501 });
    let found = BillQuery::by_keys(&[key(1), key(2)]).expect("two are not too many");
    assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false]);
    assert_eq!(BillQuery::by_keys(&vec![key(1); MAX_QUERIES + 1]), Err(problem));
    assert_eq!(problem.to_string(), "501 bills asked for at once, expected at most 500");
}

#[test]
fn a_history_is_complete_ordered_chained_and_of_the_bill() {
    let verify = |records: Vec<VersionRecord>| {
        let check = BillQuery::verify_history(&key(1), None, records, 10).expect("it exists");
        // As it is stored, not as it is in force.
        assert_eq!((check.versions, check.version_hash), (1, record().hash()));
        check.problem
    };
    assert_eq!(verify(vec![record()]), None);
    assert_eq!(verify(vec![]), Some(HistoryProblem::Gap { expected: 1, found: None }));

    let mut other = record();
    other.body.summary.key = key(2);
    let (expected, found) = (key(1), key(2));
    let problem = HistoryProblem::OtherBill { version: 1, expected, found };
    assert_eq!(verify(vec![other]), Some(problem));

    let mut late = record();
    late.body.version = 2;
    assert_eq!(verify(vec![late]), Some(HistoryProblem::Gap { expected: 1, found: Some(2) }));

    let mut unchained = record();
    unchained.previous = [1; 32];
    assert_eq!(verify(vec![unchained]), Some(HistoryProblem::BrokenLink { version: 1 }));

    let mut different = record();
    different.difference = Some([1; 32]);
    assert_eq!(verify(vec![different]), Some(HistoryProblem::WrongDifference { version: 1 }));

    let mut forged = record();
    forged.body.summary.total = Fen::ZERO;
    assert_eq!(verify(vec![forged]), Some(HistoryProblem::OtherHead));

    let mut body = record().body;
    body.version = 2;
    let receipt = record().receipt().expect("registered by a transaction");
    let next = VersionRecord::after(&record().bill(receipt), body);
    let mut undigested = next.clone();
    undigested.difference = None;
    let problem = Some(HistoryProblem::WrongDifference { version: 2 });
    assert_eq!(verify(vec![record(), undigested]), problem);
    assert_eq!(verify(vec![record(), next]), Some(HistoryProblem::OtherHead));
    assert_eq!(BillQuery::verify_history(&key(2), None, [], 10), Err(QueryProblem::NotFound));
}
