//! `bill_verify*` and `bill_mismatches`: originals compared with the chain.

use super::read::{bill, key, touched};
use crate::{
    caller::View,
    context::Context,
    error::{self, Answer, chain, invalid},
    method::{Args, decoded_page},
};
use billchain_primitives::{BillKey, Fen, Hash, IssueDate, ThreeCodes};
use billchain_rpc_types::{
    BillHashVerificationView, CodesVerificationView, ElementsVerificationView, ElementsView,
    HashVerificationView, MismatchView, ObservationView, Page, VerificationResult,
};
use billchain_runtime::BillVerify;
use codec::Encode;
use pallet_bill_verify::{
    Element, Elements, HashKind, Observation, Report, VerifyProblem, reports_prefix,
};
use std::time::Instant;

/// The three codes, the first three parameters.
fn codes(args: &Args) -> Answer<ThreeCodes> {
    Ok(ThreeCodes { key: key(args, 0)?, check_code: args.parsed(2, "check_code")? })
}

/// Kind and hash of an original, two parameters from `index` on.
fn original(args: &Args, index: usize) -> Answer<(HashKind, Hash)> {
    let kind = match args.text(index, "kind")? {
        "xml" => HashKind::Xml,
        "pdf" => HashKind::Pdf,
        other => return Err(invalid("kind", "\"xml\" or \"pdf\"", other)),
    };
    Ok((kind, args.hash(index + 1, "hash")?))
}

/// The three codes, and nothing but a verdict: no caller learns which of them is wrong.
pub(super) fn verify_codes(context: &Context, args: &Args) -> Answer<CodesVerificationView> {
    let codes = codes(args)?;
    let is_match = guessed(context, args, &codes.key, || {
        let found = bill(context, &codes.key)?;
        Ok(found.is_some_and(|bill| bill.summary.check_code == codes.check_code))
    })?;
    Ok(CodesVerificationView { genuine: is_match })
}

pub(super) fn verify_hash(context: &Context, args: &Args) -> Answer<HashVerificationView> {
    let (codes, (kind, hash)) = (codes(args)?, original(args, 3)?);
    let read = || {
        let ask = || BillVerify::verify_hash(&codes, kind, hash.as_fixed_bytes());
        context.deps.chain.read(ask).map_err(chain)
    };
    if let View::Public(_) = args.view() {
        let is_match = guessed(context, args, &codes.key, || Ok(read()?.is_ok()))?;
        let result = verdict(is_match, VerificationResult::HashMismatch);
        return Ok(HashVerificationView { result, recorded: None });
    }
    Ok(hash_view(read()?))
}

/// What the public is told: that all agrees, or that something does not.
fn verdict(is_match: bool, otherwise: VerificationResult) -> VerificationResult {
    if is_match { VerificationResult::Match } else { otherwise }
}

/// A guess of what is written on a bill: slowed where the public makes it, whether it is right
/// or there is no such bill.
fn guessed(
    context: &Context,
    args: &Args,
    key: &BillKey,
    is_right: impl FnOnce() -> Answer<bool>,
) -> Answer<bool> {
    let View::Public(address) = args.view() else { return is_right() };
    let (access, bill) = (&context.access, key.encode());
    let rules = access.rules();
    let taken = access.guesses().take(rules.guessing(), &bill, *address, Instant::now());
    taken.map_err(|denied| {
        access.count(&denied);
        error::denied(&denied)
    })?;
    let right = is_right();
    // What the node failed at is nobody's guess.
    if right.as_ref().map_or(true, |right| *right) {
        access.guesses().right(&bill, *address);
    }
    right
}

/// Compares with each bill that a transaction touched; `null` if no block
/// holds the transaction.
pub(super) fn verify_hash_by_transaction(
    context: &Context,
    args: &Args,
) -> Answer<Option<Vec<BillHashVerificationView>>> {
    let (kind, hash) = original(args, 1)?;
    let Some(keys) = touched(context, args)? else { return Ok(None) };
    let answers = context
        .deps
        .chain
        .read(|| {
            keys.into_iter()
                .map(|key| (key, BillVerify::verify_hash_of(&key, kind, hash.as_fixed_bytes())))
                .collect::<Vec<_>>()
        })
        .map_err(chain)?;
    let mut views = Vec::with_capacity(answers.len());
    for (key, answer) in answers {
        let Some(bill) = bill(context, &key)? else { continue };
        if !args.view().sees(context, &bill)? {
            continue;
        }
        let verification = hash_view(answer);
        let (code, number) = (key.code, key.number);
        views.push(BillHashVerificationView { code, number, verification });
    }
    Ok(Some(views))
}

pub(super) fn verify_elements(context: &Context, args: &Args) -> Answer<ElementsVerificationView> {
    let date = args.number(3, "issue_date")?;
    let issue_date = IssueDate::new(date)
        .map_err(|error| invalid("issue_date", error.expected, &date.to_string()))?;
    let total = args.value(4);
    let total = total
        .as_i64()
        .and_then(|fen| Fen::new(fen).ok())
        .ok_or_else(|| invalid("total_fen", "whole fen below 10^14", &total.to_string()))?;
    let elements = Elements { codes: codes(args)?, issue_date, total };
    let read = || context.deps.chain.read(|| BillVerify::verify_elements(&elements)).map_err(chain);
    if let View::Public(_) = args.view() {
        let is_match = guessed(context, args, &elements.codes.key, || Ok(read()?.is_ok()))?;
        let result = verdict(is_match, VerificationResult::ElementMismatch);
        return Ok(ElementsVerificationView { result, elements: None });
    }
    let answer = read()?;
    let elements = match &answer {
        Ok(()) => Some(&[][..]),
        Err(VerifyProblem::ElementMismatch(differing)) => Some(&differing[..]),
        Err(_) => None,
    };
    let elements = elements.map(|differing| ElementsView {
        check_code: !differing.contains(&Element::CheckCode),
        issue_date: !differing.contains(&Element::IssueDate),
        total: !differing.contains(&Element::Total),
    });
    Ok(ElementsVerificationView { result: result(&answer), elements })
}

/// Reported mismatches of a bill.
pub(super) fn mismatches(context: &Context, args: &Args) -> Answer<Page<MismatchView>> {
    let prefix = reports_prefix(&key(args, 0)?);
    decoded_page(context, &prefix, args, 2, "report", |report: Report| {
        Ok(MismatchView {
            report: report.number,
            reporter: report.reporter,
            at: report.at.into(),
            expected: observation(report.expected),
            found: observation(report.found),
        })
    })
}

fn result(answer: &Result<(), VerifyProblem>) -> VerificationResult {
    match answer {
        Ok(()) => VerificationResult::Match,
        Err(VerifyProblem::NotFound) => VerificationResult::NotFound,
        Err(VerifyProblem::NotRecorded) => VerificationResult::NotRecorded,
        Err(VerifyProblem::HashMismatch { .. }) => VerificationResult::HashMismatch,
        Err(VerifyProblem::ElementMismatch(_)) => VerificationResult::ElementMismatch,
    }
}

fn hash_view(answer: Result<(), VerifyProblem>) -> HashVerificationView {
    let recorded = match &answer {
        Err(VerifyProblem::HashMismatch { recorded }) => Some((*recorded).into()),
        _ => None,
    };
    HashVerificationView { result: result(&answer), recorded }
}

fn observation(observation: Observation) -> ObservationView {
    match observation {
        Observation::XmlHash(hash) => ObservationView::XmlHash(hash.into()),
        Observation::PdfHash(hash) => ObservationView::PdfHash(hash.into()),
        Observation::CheckCode(code) => ObservationView::CheckCode(code),
        Observation::IssueDate(date) => ObservationView::IssueDate(date),
        Observation::Total(fen) => ObservationView::TotalFen(fen),
    }
}
