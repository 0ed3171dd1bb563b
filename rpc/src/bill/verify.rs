//! `bill_verify*` and `bill_mismatches`: originals compared with the chain.

use super::read::{key, touched};
use crate::{
    context::Context,
    error::{Answer, chain, invalid},
    method::{Args, decoded_page},
};
use billchain_primitives::{Fen, Hash, IssueDate, ThreeCodes};
use billchain_rpc_types::{
    BillHashVerificationView, ElementsVerificationView, ElementsView, HashVerificationView,
    MismatchView, ObservationView, Page, VerificationResult,
};
use billchain_runtime::BillVerify;
use pallet_bill_verify::{
    Element, Elements, HashKind, Observation, Report, VerifyProblem, reports_prefix,
};

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

pub(super) fn verify_hash(context: &Context, args: &Args) -> Answer<HashVerificationView> {
    let (codes, (kind, hash)) = (codes(args)?, original(args, 3)?);
    let answer = context
        .deps
        .chain
        .read(|| BillVerify::verify_hash(&codes, kind, hash.as_fixed_bytes()))
        .map_err(chain)?;
    Ok(hash_view(answer))
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
    let view = |(key, answer): (billchain_primitives::BillKey, _)| BillHashVerificationView {
        code: key.code,
        number: key.number,
        verification: hash_view(answer),
    };
    Ok(Some(answers.into_iter().map(view).collect()))
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
    let answer =
        context.deps.chain.read(|| BillVerify::verify_elements(&elements)).map_err(chain)?;
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
