//! What becomes of ranges: the reads, the writes behind the calls, and what
//! always holds.

use crate::{
    Config, Error, Holding, Holdings, MAX_VOIDED_AMONG_USED, Owners, Pallet, Range, RangesOfCode,
    Span, number_of, types::insert_span, value_of,
};
use billchain_primitives::{
    BillCode, BillKey, BillNumber, Did,
    seams::{AllotmentProblem, Allotments, BillLedger},
};
use frame::{prelude::*, try_runtime::TryRuntimeError};

impl<T: Config> Allotments for Pallet<T> {
    fn use_number(issuer: &Did, key: &BillKey) -> Result<(), AllotmentProblem> {
        Holdings::<T>::try_mutate(issuer, key.code, |holding| {
            holding.note_used(value_of(&key.number))
        })
    }
}

/// What can be asked.
impl<T: Config> Pallet<T> {
    /// What an issuer has of a code.
    pub fn holding(issuer: &Did, code: &BillCode) -> Holding {
        Holdings::<T>::get(issuer, code)
    }

    /// At most `limit` codes of an issuer with what it has of each, in the
    /// order of the codes' bytes, those that follow `after` if it is given.
    pub fn holdings(
        issuer: &Did,
        after: Option<&BillCode>,
        limit: usize,
    ) -> Vec<(BillCode, Holding)> {
        let holdings = match after {
            None => Holdings::<T>::iter_prefix(issuer),
            Some(last) => {
                let from = Holdings::<T>::hashed_key_for(issuer, last);
                Holdings::<T>::iter_prefix_from(issuer, from)
            }
        };
        holdings.take(limit).collect()
    }

    /// Whose a number is, and the range that has it.
    pub fn owner(code: &BillCode, number: &BillNumber) -> Option<(Did, Range)> {
        let value = value_of(number);
        let spans = RangesOfCode::<T>::get(code);
        let after = spans.partition_point(|span| span.first <= value);
        let span = spans.get(after.checked_sub(1)?).filter(|span| span.contains(value))?;
        let owner = Owners::<T>::get(code, number_of(span.first))?;
        let range = Holdings::<T>::get(&owner, code).range(value)?.clone();
        Some((owner, range))
    }
}

/// Writes.
impl<T: Config> Pallet<T> {
    /// Gives numbers that nobody has to an issuer.
    pub(crate) fn add(issuer: &Did, code: BillCode, span: Span) -> Result<(), Error<T>> {
        let mut holding = Holdings::<T>::get(issuer, code);
        let mut spans = RangesOfCode::<T>::get(code);
        let at = spans.partition_point(|earlier| earlier.first < span.first);
        let before = at.checked_sub(1).map(|before| spans[before]);
        let taken = before.is_some_and(|before| before.overlaps(span))
            || spans.get(at).is_some_and(|later| later.overlaps(span));
        ensure!(!taken, Error::Overlapping);
        ensure!(holding.add(span), Error::TooManyRanges);
        let own = holding.range(span.first).map_or(span, |range| range.span);
        if own.first < span.first {
            // It extends the range before it, which is the issuer's.
            if let Some(before) = at.checked_sub(1) {
                spans[before] = own;
            }
        } else {
            spans.try_insert(at, span).map_err(|_| Error::TooManyRangesOfCode)?;
            Owners::<T>::insert(code, number_of(span.first), issuer);
        }
        RangesOfCode::<T>::insert(code, spans);
        Holdings::<T>::insert(issuer, code, holding);
        Ok(())
    }

    /// Takes the end of a range, from `first` on, from its issuer.
    pub(crate) fn cut(issuer: &Did, code: BillCode, first: u64) -> Result<Span, Error<T>> {
        let mut holding = Holdings::<T>::get(issuer, code);
        let at = holding.position(first).ok_or(Error::NotAllotted)?;
        let range = &mut holding.0[at];
        ensure!(range.highest.is_none_or(|highest| highest < first), Error::NumberUsed);
        ensure!(range.voided.iter().all(|span| span.last < first), Error::AlreadyVoided);
        let gone = Span { first, last: range.span.last };
        let begin = range.span.first;
        let whole = begin == first;
        if whole {
            holding.0.remove(at);
            Owners::<T>::remove(code, number_of(first));
        } else {
            range.span.last = first - 1;
        }
        RangesOfCode::<T>::mutate_exists(code, |spans| {
            let Some(list) = spans else { return };
            if whole {
                list.retain(|span| span.first != begin);
            } else if let Some(span) = list.iter_mut().find(|span| span.first == begin) {
                span.last = first - 1;
            }
            if list.is_empty() {
                *spans = None;
            }
        });
        if holding.0.is_empty() {
            Holdings::<T>::remove(issuer, code);
        } else {
            Holdings::<T>::insert(issuer, code, holding);
        }
        Ok(gone)
    }

    /// Voids numbers of one range that no bill has.
    pub(crate) fn void_span(issuer: &Did, code: BillCode, span: Span) -> Result<(), Error<T>> {
        Holdings::<T>::try_mutate(issuer, code, |holding| {
            let at = holding.position(span.first).ok_or(Error::NotAllotted)?;
            let range = &mut holding.0[at];
            ensure!(range.span.covers(span), Error::NotAllotted);
            let voided = range.voided.iter().any(|earlier| earlier.overlaps(span));
            ensure!(!voided, Error::AlreadyVoided);
            if let Some(highest) = range.highest.filter(|highest| span.first <= *highest) {
                let among = Span { first: span.first, last: span.last.min(highest) };
                ensure!(among.count() <= MAX_VOIDED_AMONG_USED, Error::SpanTooLong);
                let is_used =
                    |value| T::Ledger::contains(&BillKey { code, number: number_of(value) });
                ensure!(!(among.first..=among.last).any(is_used), Error::NumberUsed);
            }
            ensure!(insert_span(&mut range.voided, span), Error::TooManyVoided);
            Ok(())
        })
    }

    /// Checks what always holds:
    /// - ranges of an issuer are in order, share no number and count no more
    ///   numbers than they have: see [`Range`];
    /// - the ranges of a code are exactly those that issuers have, in order,
    ///   and share no number;
    /// - each range has one owner, which has it.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut held = 0_usize;
        for (issuer, code, holding) in Holdings::<T>::iter() {
            if let Some(broken) = holding.inconsistency() {
                return Err(TryRuntimeError::Other(broken));
            }
            let spans = RangesOfCode::<T>::get(code);
            for range in &holding.0 {
                held += 1;
                ensure!(spans.binary_search(&range.span).is_ok(), "a range is one of its code");
                let owner = Owners::<T>::get(code, number_of(range.span.first));
                ensure!(owner.as_ref() == Some(&issuer), "a range has its owner");
            }
        }
        let mut listed = 0_usize;
        for spans in RangesOfCode::<T>::iter_values() {
            ensure!(!spans.is_empty(), "a code that is listed has a range");
            listed += spans.len();
            let apart = spans.windows(2).all(|two| two[0].last < two[1].first);
            ensure!(apart, "ranges of a code are in order and share no number");
        }
        ensure!(listed == held, "the ranges of a code are those that issuers have");
        ensure!(Owners::<T>::iter().count() == held, "only ranges have owners");
        Ok(())
    }
}
