//! The nightly comparison (一致性比对) [89–91]: all bills of the chain, in the order of code and
//! number, against the old system's, by hash; what differs is repaired by the rule "chain first,
//! then time" (链上优先, 时间在后).
//!
//! Pages of the chain's bills are compared by count and SM3 with the old system's bills of the
//! same range. Only where they differ bills themselves are fetched. A bill on the chain whose
//! state differs there is repaired: the chain is right, also about a bill that somebody changed
//! there later, which the record of the repair says. Time decides what is no difference yet: a
//! change younger than the grace that has not arrived. Bills that only the old system has are
//! older than the chain and are let be.
//!
//! A repair is an act on the chain (`retell`), with its reason and an entry of the outbox that
//! is acknowledged like any other; nothing is changed behind the chain's back. Where the
//! comparison is lies in the store: it goes on there after a break. The acts of a step come
//! before its place is noted, so a break between the two repeats acts, and loses none.

use billchain_primitives::{BillKey, Moment, Reason};
use billchain_rpc_types::BillView;
use billchain_workers::{Failure, Tended, tools::MAX_RETOLD};
use codec::Decode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write};

use super::{CompareSettings, OldBill, OldSystem};
use crate::{answer::passing, form::Outcome};

/// Bills of a page of the chain.
const PAGE: usize = 500;
/// Bills of a page of the old system.
const OLD_PAGE: usize = 1_000;
/// Pages of one step.
const PAGES_A_STEP: usize = 32;
const PROGRESS: &[u8] = b"compare/progress";
const LAST: &[u8] = b"compare/last";

/// Where a round is, and what it has found.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// When the round began.
    pub began: Moment,
    /// When it ended; 0: it goes on.
    pub ended: Moment,
    /// The last bill (`code-number`) that was compared; empty: none was.
    pub after: String,
    /// Bills of the chain that were compared.
    pub compared: u64,
    /// Ranges whose hashes differed.
    pub ranges: u64,
    /// Bills that were repaired.
    pub repaired: u64,
    /// Bills whose change is still on its way.
    pub on_their_way: u64,
    /// Bills in ranges that differed that only the old system has.
    pub only_there: u64,
}

/// What a repair was about, on record under the round and the bill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Difference {
    /// Version and state on the chain.
    pub here: (u32, String, i64),
    /// Version and state there; none: it lacks the bill.
    pub there: Option<(u32, String, i64)>,
    /// Whether it was changed there after the chain's version.
    pub later_there: bool,
}

/// What the rule says of a bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Both sides say the same.
    Equal,
    /// The change is on its way.
    OnItsWay,
    /// The old system is to be told again.
    Repair(Difference),
}

/// The rule "chain first, then time", for a bill of the chain.
pub fn judge(here: &BillView, there: Option<&OldBill>, now: Moment, grace: Moment) -> Verdict {
    let state = (here.version, status(here), here.reimbursed_fen.get());
    let found = there.map(|bill| (bill.version, bill.status.clone(), bill.reimbursed_fen));
    if found.as_ref().is_some_and(|found| (&found.1, found.2) == (&state.1, state.2)) {
        return Verdict::Equal;
    }
    let behind = there.is_none_or(|bill| bill.version < here.version);
    if behind && now.saturating_sub(here.updated) < grace {
        return Verdict::OnItsWay;
    }
    let later_there = there.is_some_and(|bill| bill.changed > here.updated);
    Verdict::Repair(Difference { here: state, there: found, later_there })
}

fn status(bill: &BillView) -> String {
    match json!(bill.status) {
        Value::String(word) => word,
        other => other.to_string(),
    }
}

fn key_text(bill: &BillView) -> String {
    format!("{}-{}", bill.code, bill.number)
}

/// Bills that are to be told again, and what differed: of one step.
#[derive(Default)]
struct Repairs {
    bills: Vec<BillKey>,
    records: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// Count and SM3 of a range, as the old system says it.
#[derive(Deserialize, PartialEq, Eq)]
struct Range {
    count: u64,
    digest: String,
}

#[derive(Deserialize)]
struct Bills {
    bills: Vec<OldBill>,
}

/// The comparison.
pub(super) struct Comparison {
    settings: CompareSettings,
    system: OldSystem,
}

impl Comparison {
    pub(super) const fn new(settings: CompareSettings, system: OldSystem) -> Self {
        Self { settings, system }
    }

    /// Compares some pages, if a round is due or goes on.
    pub(super) async fn step(&self, now: Moment) -> Result<Tended, Failure> {
        let store = &self.system.tools.store;
        let kept = store.get(PROGRESS).map_err(Failure::passing)?;
        let mut progress: Progress = match kept {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(Failure::passing)?,
            None => Progress::default(),
        };
        if progress.ended != 0 || progress.began == 0 {
            if self.due(now) <= progress.began {
                return Ok(Tended::Rested);
            }
            progress = Progress { began: now, ..Progress::default() };
        }
        let mut repairs = Repairs::default();
        let mut is_last = false;
        let mut outcome = Ok(());
        for _ in 0..PAGES_A_STEP {
            let mut ahead = progress.clone();
            match self.page(&mut ahead, &mut repairs, now).await {
                Ok(last) => (progress, is_last) = (ahead, last),
                Err(failure) => {
                    // What was compared before stays compared.
                    outcome = Err(failure);
                    break;
                }
            }
            if is_last {
                break;
            }
        }
        self.repair(&progress, repairs).await?;
        if is_last {
            progress.ended = now;
            tracing::info!(
                compared = progress.compared,
                repaired = progress.repaired,
                "the comparison with the old system is done"
            );
        }
        let record = serde_json::to_vec(&progress).map_err(Failure::passing)?;
        let mut changes = vec![(PROGRESS.to_vec(), Some(record.clone()))];
        if is_last {
            changes.push((LAST.to_vec(), Some(record)));
        }
        store.apply(&changes).map_err(Failure::passing)?;
        outcome.map(|()| if is_last { Tended::Rested } else { Tended::More })
    }

    /// When the last round before `now` was due.
    fn due(&self, now: Moment) -> Moment {
        let every = self.settings.every_s.saturating_mul(1_000).max(1);
        let minute = u64::from(self.settings.at_minute) * 60_000;
        // Minutes of the day in UTC+8, of which 1970 began with the eighth hour.
        let shift = (8 * 3_600_000 + every - minute % every) % every;
        let since = (now + shift) % every;
        now - since.min(now)
    }

    /// Compares one page of the chain's bills; whether it was the last.
    async fn page(
        &self,
        progress: &mut Progress,
        repairs: &mut Repairs,
        now: Moment,
    ) -> Result<bool, Failure> {
        let mut bills = self.chain_page(&progress.after).await?;
        let is_last = bills.len() < PAGE;
        let Some(end) = bills.last().map(key_text) else { return Ok(true) };
        let mut text = String::new();
        for bill in &bills {
            let _ =
                writeln!(text, "{}|{}|{}", key_text(bill), status(bill), bill.reimbursed_fen.get());
        }
        let digest = hex::encode(billchain_crypto::sm3::sm3(text.as_bytes()));
        let here = Range { count: bills.len() as u64, digest };
        let range = json!({"after": progress.after, "to": end});
        let Outcome::Done(there) = self.system.ask::<Range>("bill_compare", range).await? else {
            return Err(passing("bill_compare: \"no such bill\" is no answer", &[]));
        };
        if here == there {
            progress.compared += bills.len() as u64;
            progress.after = end;
            return Ok(is_last);
        }
        progress.ranges += 1;
        let old = self.old_page(&progress.after, &end).await?;
        // A full page may end before the range does: the rest of the range comes next.
        let until = match old.last() {
            Some(last) if old.len() >= OLD_PAGE && last.key() < end => last.key(),
            _ => end.clone(),
        };
        bills.retain(|bill| key_text(bill) <= until);
        self.settle(progress, repairs, &bills, old, now)?;
        let is_whole = until == end;
        progress.after = until;
        Ok(is_last && is_whole)
    }

    /// Judges the bills of one range.
    fn settle(
        &self,
        progress: &mut Progress,
        repairs: &mut Repairs,
        bills: &[BillView],
        old: Vec<OldBill>,
        now: Moment,
    ) -> Result<(), Failure> {
        let mut old: BTreeMap<String, OldBill> =
            old.into_iter().map(|bill| (bill.key(), bill)).collect();
        let grace = self.settings.grace_s.saturating_mul(1_000);
        for bill in bills {
            progress.compared += 1;
            let key = key_text(bill);
            match judge(bill, old.remove(&key).as_ref(), now, grace) {
                Verdict::Equal => {}
                Verdict::OnItsWay => progress.on_their_way += 1,
                Verdict::Repair(difference) => {
                    progress.repaired += 1;
                    repairs.bills.push(BillKey { code: bill.code, number: bill.number });
                    let name = format!("compare/repair/{}/{key}", progress.began);
                    let record = serde_json::to_vec(&difference).map_err(Failure::passing)?;
                    repairs.records.push((name.into_bytes(), Some(record)));
                }
            }
        }
        progress.only_there += old.len() as u64;
        Ok(())
    }

    /// Has the outbox tell bills again, and keeps why.
    async fn repair(&self, progress: &Progress, repairs: Repairs) -> Result<(), Failure> {
        if repairs.bills.is_empty() {
            return Ok(());
        }
        let date = &super::local_time(progress.began)[..8];
        let reason =
            Reason::new(&format!("comparison of {date}: the old system has another state"))
                .map_err(Failure::passing)?;
        for some in repairs.bills.chunks(MAX_RETOLD) {
            let act = self.system.tools.chain.retell(some.to_vec(), reason.clone());
            act.await.map_err(Failure::passing)?;
        }
        self.system.tools.store.apply(&repairs.records).map_err(Failure::passing)
    }

    /// The chain's bills after one, in order.
    async fn chain_page(&self, after: &str) -> Result<Vec<BillView>, Failure> {
        let chain = &self.system.tools.chain;
        let start = if after.is_empty() { prefix() } else { storage_key(after)? };
        let params = vec![json!(hex0x(&prefix())), json!(PAGE), json!(hex0x(&start))];
        let keys = chain.ask("state_getKeysPaged", params).await.map_err(Failure::passing)?;
        let keys: Vec<String> = serde_json::from_value(keys).map_err(Failure::passing)?;
        let mut pairs = Vec::with_capacity(keys.len());
        for key in &keys {
            pairs.push(json!(bill_of_storage_key(key).ok_or_else(|| {
                Failure::passing(format!("the node's key of a bill is not as expected: {key:.80}"))
            })?));
        }
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let bills =
            chain.ask("bill_getBatch", vec![json!(pairs)]).await.map_err(Failure::passing)?;
        let bills: Vec<Option<BillView>> =
            serde_json::from_value(bills).map_err(Failure::passing)?;
        if bills.len() != keys.len() {
            return Err(Failure::passing(
                "the node answered another number of bills than asked for",
            ));
        }
        bills
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Failure::passing("the node has the key of a bill, and not the bill"))
    }

    /// The old system's bills of a range, the first page, strictly in order.
    async fn old_page(&self, after: &str, to: &str) -> Result<Vec<OldBill>, Failure> {
        let range = json!({"after": after, "to": to, "limit": OLD_PAGE});
        let Outcome::Done(Bills { bills }) = self.system.ask("bill_list", range).await? else {
            return Err(passing("bill_list: \"no such bill\" is no answer", &[]));
        };
        let mut before = after.to_owned();
        for bill in &bills {
            let key = bill.key();
            if key <= before || key.as_str() > to {
                return Err(passing(format!("bill_list: {key:.40} is out of order or range"), &[]));
            }
            before = key;
        }
        if bills.len() > OLD_PAGE {
            return Err(passing("bill_list: more bills than asked for", &[]));
        }
        Ok(bills)
    }
}

fn hex0x(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Where the chain's state has its bills.
fn prefix() -> Vec<u8> {
    let part = |name: &[u8]| sp_crypto_hashing::twox_128(name);
    [part(b"BillRegister"), part(b"Bills")].concat()
}

/// The key of a bill (`code-number`): keys are in the order of code and number.
fn storage_key(bill: &str) -> Result<Vec<u8>, Failure> {
    let (code, number) = bill.split_once('-').unwrap_or_default();
    let value = json!({"code": code, "number": number});
    let key: BillKey = serde_json::from_value(value).map_err(Failure::passing)?;
    Ok([prefix(), codec::Encode::encode(&key)].concat())
}

/// Code and number of a key.
fn bill_of_storage_key(key: &str) -> Option<(String, String)> {
    let bytes = hex::decode(key.strip_prefix("0x")?).ok()?;
    let mut rest = bytes.strip_prefix(prefix().as_slice())?;
    let key = BillKey::decode(&mut rest).ok()?;
    rest.is_empty().then(|| (key.code.to_string(), key.number.to_string()))
}

#[cfg(test)]
mod tests;
