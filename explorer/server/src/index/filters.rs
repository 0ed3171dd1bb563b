//! Filters of lists and parts of lists, as the index wants them.

use super::{Part, Rows};
use crate::{Refusal, given::Given, time};
use billchain_explorer_indexer::query::{BillFilter, GrantFilter, PageRequest, TransactionFilter};
use serde_json::Value;

pub(super) fn bill_filter(given: &Given) -> Result<BillFilter, Refusal> {
    let text = |name: &str| given.text(name).map(str::to_owned);
    Ok(BillFilter {
        issuer: text("issuer"),
        holder: text("holder"),
        party: text("party"),
        // Nobody lists a payer's bills here.
        payer: None,
        status: text("status"),
        kind: text("kind"),
        scene: number(given, "scene")?,
        region: text("region"),
        class: text("class"),
        code: text("code"),
        from: number(given, "from")?,
        to: number(given, "to")?,
        least_fen: given.number("min"),
        most_fen: given.number("max"),
    })
}

pub(super) fn transaction_filter(
    given: &Given,
    scope: Option<&str>,
) -> Result<TransactionFilter, Refusal> {
    let call = given.text("call").map(|call| call.split_once('.').unwrap_or((call, "")));
    let signer = scope.or_else(|| given.text("signer"));
    let (from, to) = moments(given);
    Ok(TransactionFilter {
        block: number(given, "block")?,
        signer: signer.map(str::to_owned),
        pallet: call.map(|(pallet, _)| pallet.to_owned()),
        call: call.map(|(_, call)| call.to_owned()).filter(|call| !call.is_empty()),
        success: given.flag("success"),
        from,
        to,
    })
}

pub(super) fn grant_filter(given: &Given) -> GrantFilter {
    let text = |name: &str| given.text(name).map(str::to_owned);
    GrantFilter { holder: text("holder"), subject: text("subject"), status: text("status") }
}

pub(super) fn page(given: &Given, part: &Part) -> PageRequest {
    let upwards = given.text("sort").is_some_and(|sort| !sort.starts_with('-'));
    PageRequest { cursor: part.cursor.clone(), limit: part.limit, upwards }
}

/// The stage of a list that is asked in stages, and the cursor within it.
pub(super) fn staged(part: &Part) -> Result<(u8, Part), Refusal> {
    let bad = || Refusal::malformed("cursor", "the `next` of the page before");
    let Some(cursor) = &part.cursor else { return Ok((0, part.clone())) };
    let (stage, own) = cursor.split_once('~').ok_or_else(bad)?;
    let stage = stage.parse().ok().filter(|stage| *stage <= 2).ok_or_else(bad)?;
    let own = (!own.is_empty()).then(|| own.to_owned());
    Ok((stage, Part { cursor: own, limit: part.limit }))
}

/// The rows of a stage, which goes on in itself or in the next one, up to the last.
pub(super) fn next_stage(items: Vec<Value>, next: Option<String>, stage: u8, last: u8) -> Rows {
    let next = match next {
        Some(own) => Some(format!("{stage}~{own}")),
        None => (stage < last).then(|| format!("{}~", stage + 1)),
    };
    Rows { items, next }
}

/// A part of rows that are all at hand; the cursor is a place among them.
pub(super) fn sliced(items: Vec<Value>, part: &Part) -> Result<Rows, Refusal> {
    let place = part.cursor.as_deref().map(str::parse::<usize>).transpose();
    let from = place
        .map_err(|_| Refusal::malformed("cursor", "the `next` of the page before"))?
        .unwrap_or(0);
    let limit = part.limit as usize;
    let more = items.len().saturating_sub(from) > limit;
    let items = items.into_iter().skip(from).take(limit).collect();
    Ok(Rows { items, next: more.then(|| (from + limit).to_string()) })
}

/// The first and the last moment of the days that were given.
pub(super) fn moments(given: &Given) -> (Option<i64>, Option<i64>) {
    (given.number("from").map(time::start_of), given.number("to").map(|day| time::end_of(day) - 1))
}

/// A number that was checked, in the type that the index wants.
pub(super) fn number<T: TryFrom<i64>>(given: &Given, name: &str) -> Result<Option<T>, Refusal> {
    given
        .number(name)
        .map(|number| T::try_from(number).map_err(|_| Refusal::malformed(name, "a smaller number")))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(cursor: Option<&str>) -> Part {
        Part { cursor: cursor.map(str::to_owned), limit: 2 }
    }

    #[test]
    fn a_list_in_stages_goes_through_all_of_them() {
        let end = next_stage(Vec::new(), None, 0, 2).next;
        assert_eq!(end.as_deref(), Some("1~"));
        let (stage, own) = staged(&part(end.as_deref())).unwrap();
        assert_eq!((stage, own.cursor), (1, None));
        let within = next_stage(Vec::new(), Some("5.7".into()), 1, 2).next;
        let (stage, own) = staged(&part(within.as_deref())).unwrap();
        assert_eq!((stage, own.cursor.as_deref()), (1, Some("5.7")));
        assert_eq!(next_stage(Vec::new(), None, 2, 2).next, None);
        for bad in ["", "3~", "x~1", "1.2"] {
            assert!(staged(&part(Some(bad))).is_err(), "{bad}");
        }
    }

    #[test]
    fn rows_at_hand_are_told_part_by_part() {
        let all = || (0..5).map(Value::from).collect::<Vec<_>>();
        let (mut cursor, mut told) = (None, Vec::new());
        loop {
            let rows = sliced(all(), &part(cursor.as_deref())).unwrap();
            assert!(rows.items.len() <= 2);
            told.extend(rows.items);
            match rows.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(told, all());
        assert!(sliced(all(), &part(Some("-1"))).is_err());
        assert!(sliced(all(), &part(Some("99"))).unwrap().items.is_empty());
    }
}
