//! A block becomes rows.

use super::{
    At, Ledger,
    bills::Sources,
    calls,
    rollups::{Day, Part},
    rows::{Commit, Counts},
};
use crate::{
    block::{Block, Transaction, voters_of},
    insert::{Value, values},
    lie::Lie,
    shape::{self, bill_id, short, tx_id},
    words::{self, Failure},
};
use billchain_primitives::{AccountId, BillKey, Did, Reason, turn};
use billchain_runtime::{RuntimeCall, RuntimeEvent};
use billchain_verifier::DecidedHeader;
use codec::{Decode, Encode};
use pallet_participation::{COMMIT_DIGEST, CommitDigest};
use sp_runtime::{DigestItem, MultiAddress};
use std::{collections::HashMap, sync::Arc};

/// Longest transaction whose bytes are kept.
pub(crate) const MAX_RAW: usize = 4_096;
/// Longest JSON of arguments or fields; a longer one is cut.
const MAX_JSON: usize = 64 << 10;

/// Places of the columns that the next block fills in.
const ROUND: usize = 17;

impl Ledger {
    /// The number of a DID; a new one gets a row.
    pub(crate) fn did(&mut self, did: &Did) -> i64 {
        let (number, is_new) = self.state.number(did.as_str());
        if is_new {
            self.batch.tables.dids.push(values![number, did.as_str()]);
        }
        number
    }

    /// Takes a block, which was accepted.
    ///
    /// # Errors
    /// Its events contradict its transactions, or what is known of bills.
    pub(crate) fn apply(&mut self, block: &Block) -> Result<(), Lie> {
        let at = |place| At {
            block: block.number,
            place,
            tx: tx_id(block.number, place),
            time: block.time,
            month: block.month(),
            day: shape::day_of(block.time),
        };
        if !self.batch.months.contains(&block.month()) {
            self.batch.months.push(block.month());
        }
        self.batch.counts = Counts::default();
        self.close_commit(block);
        let of_block = block.events_of(block.transactions.len());
        // What a block does before its transactions comes first.
        let (first, last): (Vec<_>, Vec<_>) =
            of_block.iter().partition(|(place, _)| *place < first_of(block));
        let by_itself = at(None);
        for (place, event) in first {
            self.take_event(&by_itself, *place, event, &empty(), &[])?;
        }
        for (place, transaction) in (0_u32..).zip(&block.transactions) {
            let events = block.events_of(place as usize);
            self.take_transaction(&at(Some(place)), transaction, events)?;
        }
        for (place, event) in last {
            self.take_event(&by_itself, *place, event, &empty(), &[])?;
        }
        self.note_block(block, &by_itself);
        Ok(())
    }

    /// The header has the commit of the block before.
    fn close_commit(&mut self, block: &Block) {
        let Some(commit) = commit_in(block) else { return };
        let before = block.number.saturating_sub(1);
        // The genesis is decided by nobody.
        if before == 0 {
            return;
        }
        let seats = match &self.state.before {
            Some((_, seats)) => seats.clone(),
            None => self.state.seats.clone(),
        };
        let takers: Vec<usize> =
            (0..seats.len()).filter(|at| commit.turns >> at & 1 == 1).collect();
        let turn = turn(u64::from(before), commit.round, takers.len());
        let proposer = takers.get(turn).and_then(|seat| i64::try_from(*seat).ok());
        let bits = |mask: u64| i64::from_be_bytes(mask.to_be_bytes());
        let commit = Commit {
            round: commit.round.into(),
            signers: bits(commit.signers),
            turns: bits(commit.turns),
            proposer,
        };
        let row = values![commit.round, commit.signers, commit.turns, commit.proposer];
        match self.batch.blocks.get_mut(&before) {
            Some(columns) => {
                drop(columns.splice(ROUND.., row));
            }
            None => {
                let mut row = row;
                row.push(Value::from(before));
                self.batch.then(
                    "UPDATE blocks SET round = $1, signers = $2, turns = $3, proposer = $4 \
                     WHERE number = $5",
                    row,
                );
            }
        }
        self.count_votes(before, shape::day_of(block.time), &seats, commit);
    }

    fn count_votes(&mut self, block: u32, day: i64, seats: &[super::Seat], commit: Commit) {
        for (at, seat) in seats.iter().enumerate() {
            let signed = commit.signers >> at & 1;
            let part = self.batch.rollups.parts.entry((day, seat.account)).or_default();
            let Part { blocks, signed: all, proposed, last_signed } = part;
            *blocks += 1;
            *all += signed;
            *proposed += i64::from(commit.proposer == i64::try_from(at).ok());
            if signed == 1 {
                *last_signed = (*last_signed).max(block.into());
            }
        }
    }

    fn take_transaction(
        &mut self,
        at: &At,
        transaction: &Transaction,
        events: &[(u32, RuntimeEvent)],
    ) -> Result<(), Lie> {
        let function = transaction.extrinsic.function();
        let signer = signer_of(transaction);
        // Who signed is looked up before the transaction changes anything.
        let sender = signer.as_ref().and_then(|signer| self.state.holder_of(signer));
        let error = events.iter().find_map(|(_, event)| match event {
            RuntimeEvent::System(frame_system::Event::ExtrinsicFailed {
                dispatch_error, ..
            }) => Some(words::failure(dispatch_error)),
            _ => None,
        });
        let before = self.batch.counts;
        let motions = Arc::clone(&self.state.motions);
        let calls = calls::flatten(function, &motions);
        if let Some(error) = &error {
            self.refuse(at, &calls, error);
            self.batch.counts.failed += 1;
        }
        let sources = sources(&calls, events);
        for (place, event) in events {
            let makes_bills =
                matches!(event, RuntimeEvent::BillRegister(_) | RuntimeEvent::BillUpdate(_));
            if error.is_some() && makes_bills {
                return Err(at.wrong("a transaction that failed did something to bills"));
            }
            self.take_event(at, *place, event, &sources, &calls)?;
        }
        let versions = self.batch.counts.versions - before.versions;
        let row = Signed { signer, sender, error, versions };
        self.note_transaction(at, transaction, row, events.len());
        Ok(())
    }

    /// A failed transaction is told at each bill that it names.
    fn refuse(&mut self, at: &At, calls: &[&RuntimeCall], error: &Failure) {
        for key in calls::asked(calls) {
            self.note_refusal(at, &key, -1, error);
        }
    }

    pub(crate) fn note_refusal(&mut self, at: &At, key: &BillKey, item: i64, error: &Failure) {
        let name = format!("{}.{}", error.pallet, error.name);
        self.batch.tables.refusals.push(values![
            bill_id(key),
            at.tx,
            item,
            name,
            error.docs.as_str()
        ]);
    }

    fn note_transaction(
        &mut self,
        at: &At,
        transaction: &Transaction,
        signed: Signed,
        events: usize,
    ) {
        let bytes = transaction.bytes.len();
        self.batch.counts.bytes += i64::try_from(bytes).unwrap_or(i64::MAX);
        let encoded = transaction.extrinsic.function().encode();
        let (pallet, call, arguments) = match words::call(&encoded) {
            Some(words) => (words.pallet, words.name, json_text(&words.fields)),
            None => ("?".into(), "?".into(), "null".into()),
        };
        let nonce = transaction
            .extrinsic
            .signed_parts()
            .map(|(_, _, extension)| i64::from(billchain_runtime::nonce_of(extension)));
        let Signed { signer, sender, error, versions } = signed;
        let raw = (bytes <= MAX_RAW).then(|| transaction.bytes.clone());
        let (name, docs) = match error {
            Some(error) => {
                (Some(format!("{}.{}", error.pallet, error.name)), Some(words_of(error)))
            }
            None => (None, None),
        };
        self.batch.tables.transactions.push(values![
            at.tx,
            at.month,
            transaction.hash,
            short(transaction.hash.as_bytes()),
            at.time,
            signer.map(|signer| AsRef::<[u8]>::as_ref(&signer).to_vec()),
            sender.map(|(who, _)| who),
            sender.map(|(_, roles)| roles),
            nonce,
            pallet,
            call,
            arguments,
            name.is_none(),
            name,
            docs,
            versions,
            events,
            bytes,
            raw,
        ]);
    }

    fn take_event(
        &mut self,
        at: &At,
        place: u32,
        event: &RuntimeEvent,
        sources: &Sources<'_>,
        calls: &[&RuntimeCall],
    ) -> Result<(), Lie> {
        self.batch.counts.events += 1;
        match event {
            RuntimeEvent::System(
                frame_system::Event::ExtrinsicSuccess { .. }
                | frame_system::Event::ExtrinsicFailed { .. },
            ) => return Ok(()),
            RuntimeEvent::BillRegister(event) => {
                self.on_register(at, event, sources)?;
                if matches!(event, pallet_bill_register::Event::BillRegistered { .. }) {
                    return Ok(());
                }
            }
            RuntimeEvent::BillUpdate(event) => self.on_update(at, event)?,
            _ => {}
        }
        let id = tx_id(at.block, Some(place));
        self.on_governance(at, id, event, calls)?;
        let Some(told) = words::event(&event.encode()) else {
            return Err(at.wrong("an event is of no type of the runtime"));
        };
        for subject in &told.subjects {
            self.batch.tables.subjects.push(values![subject.as_str(), id]);
        }
        let fields = json_text(&told.fields);
        self.batch.tables.events.push(values![
            id,
            at.month,
            at.tx,
            at.time,
            told.pallet,
            told.name,
            fields
        ]);
        Ok(())
    }

    fn note_block(&mut self, block: &Block, at: &At) {
        let counts = self.batch.counts;
        let header = &block.header;
        let transactions = i64::try_from(block.transactions.len()).unwrap_or(i64::MAX);
        self.batch.blocks.insert(
            block.number,
            values![
                block.number,
                at.month,
                block.hash,
                short(block.hash.as_bytes()),
                header.parent_hash,
                header.state_root,
                header.extrinsics_root,
                block.time,
                at.day,
                self.state.rules,
                counts.bytes,
                transactions,
                counts.failed,
                counts.versions,
                counts.registered,
                counts.events,
                self.state.set,
                None::<i64>,
                None::<i64>,
                None::<i64>,
                None::<i64>,
            ],
        );
        self.batch.tables.provenance.push(values![
            block.number,
            block.node.as_str(),
            block.decided.clone(),
            block.events_hash,
            block.belief as i64
        ]);
        let day = self
            .batch
            .rollups
            .days
            .entry(at.day)
            .or_insert_with(|| Day { first_block: block.number.into(), ..Day::default() });
        day.blocks += 1;
        day.transactions += transactions;
        day.failed += counts.failed;
        day.versions += counts.versions;
        day.registered += counts.registered;
        day.bytes += counts.bytes;
        day.last_block = block.number.into();
        self.close_set(block);
    }

    /// The block may name others for the blocks after it.
    fn close_set(&mut self, block: &Block) {
        self.state.before = Some((self.state.set, self.state.seats.clone()));
        let named = DecidedHeader::read(&block.decided).ok().and_then(|read| read.names().ok()?);
        let Some(named) = named else { return };
        self.state.set += 1;
        self.seat(named.item(), block.number.saturating_add(1));
    }

    /// The set of validators that a header names.
    pub(crate) fn seat(&mut self, item: &[u8], first_block: u32) {
        self.state.seats.clear();
        for (seat, (key, power)) in (0_i64..).zip(voters_of(item).unwrap_or_default()) {
            let account = billchain_primitives::sm3(&key);
            self.state.seats.push(super::Seat { account, key, power });
            self.batch.then(
                "INSERT INTO validator_sets (id, first_block, seat, account, consensus_key, power) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
                values![self.state.set, first_block, seat, account, key.to_vec(), power],
            );
        }
    }
}

/// What a row of a transaction needs beside its bytes.
struct Signed {
    signer: Option<AccountId>,
    sender: Option<(i64, i64)>,
    error: Option<Failure>,
    versions: i64,
}

fn words_of(error: Failure) -> String {
    match error.details {
        Some(details) => format!("{} ({details})", error.docs),
        None => error.docs,
    }
}

/// Place of the first event of a transaction.
fn first_of(block: &Block) -> u32 {
    let events = block.events.iter().take(block.transactions.len());
    events.filter_map(|events| events.first()).map(|(place, _)| *place).min().unwrap_or_default()
}

fn empty<'a>() -> Sources<'a> {
    Sources { brought: HashMap::new(), reasons: HashMap::new() }
}

fn sources<'a>(calls: &[&'a RuntimeCall], events: &[(u32, RuntimeEvent)]) -> Sources<'a> {
    let mut reasons: HashMap<BillKey, Reason> = HashMap::new();
    for (_, event) in events {
        if let RuntimeEvent::BillUpdate(pallet_bill_update::Event::RedReversed {
            red,
            balance,
            reason,
            ..
        }) = event
        {
            reasons.insert(*red, reason.clone());
            balance.iter().for_each(|key| {
                reasons.insert(*key, reason.clone());
            });
        }
    }
    Sources { brought: calls::brought(calls), reasons }
}

fn signer_of(transaction: &Transaction) -> Option<AccountId> {
    let (address, _, _) = transaction.extrinsic.signed_parts()?;
    match address {
        MultiAddress::Id(account) => Some(account.clone()),
        _ => None,
    }
}

fn commit_in(block: &Block) -> Option<CommitDigest> {
    block.header.digest.logs().iter().find_map(|item| match item {
        DigestItem::PreRuntime(id, bytes)
        | DigestItem::Consensus(id, bytes)
        | DigestItem::Seal(id, bytes)
            if *id == COMMIT_DIGEST =>
        {
            CommitDigest::decode(&mut &bytes[..]).ok()
        }
        _ => None,
    })
}

/// JSON as text, cut if it is longer than a row should be.
fn json_text(value: &serde_json::Value) -> String {
    let text = value.to_string();
    if text.len() <= MAX_JSON {
        return text;
    }
    let length = text.len();
    serde_json::json!({ "omitted": "longer than 64 KiB", "bytes": length }).to_string()
}
