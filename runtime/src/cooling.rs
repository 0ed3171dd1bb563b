//! Which maps may cool, and what cold data weigh.
//!
//! `docs/decisions/0066-what-cools.md` says why these and no others. A group is cold if nobody
//! has touched any of its entries for as long as the policy says. Most entries tell when
//! they were written for the last time; those that do not go with their bills: they are cold
//! once these are.

use crate::{
    Runtime,
    limits::{COLD_READ_US, DbWeight, MISSING_US},
};
use billchain_primitives::{Bill, Moment};
use codec::{Decode, DecodeAll};
use frame_support::{
    parameter_types,
    storage::storage_prefix,
    weights::{Weight, constants::WEIGHT_REF_TIME_PER_MICROS},
};
use pallet_authorization::Grant;
use pallet_cooling::{Group, Map};
use pallet_dispute::{Case, Resolution};
use sp_io::storage::next_key;

/// Keys of a group of bills.
const KEYS_OF_A_GROUP: u64 = 10;

type MaxContenders = <Runtime as pallet_dispute::Config>::MaxContenders;
type MaxParties = <Runtime as pallet_dispute::Config>::MaxParties;

parameter_types! {
    /// What it takes to read an entry that is cold, and to put its group back if it changes.
    pub ColdRead: Weight = Weight::from_parts(COLD_READ_US * WEIGHT_REF_TIME_PER_MICROS, 0)
        .saturating_add(DbWeight::get().writes(KEYS_OF_A_GROUP));
    /// What it takes to ask a run for an entry that it does not have.
    pub const Missing: Weight = Weight::from_parts(MISSING_US * WEIGHT_REF_TIME_PER_MICROS, 0);
}

/// The bills, whose keys end in code and number, as those of the maps that go with them do.
const BILLS: (&str, &str) = ("BillRegister", "Bills");

/// The maps that may cool.
pub struct CoolingMaps;

impl pallet_cooling::Maps for CoolingMaps {
    fn maps() -> Vec<Map> {
        vec![
            map(BILLS, bills),
            map(("BillRegister", "BillLinks"), of_cold_bills),
            map(("BillVerify", "Reports"), of_cold_bills),
            map(("Dispute", "Resolutions"), resolutions),
            map(("Dispute", "Cases"), cases),
            map(("Authorization", "GrantsById"), grants),
        ]
    }
}

fn map(name: (&'static str, &'static str), is_cold: fn(&Group<'_>, Moment) -> bool) -> Map {
    Map { name, prefix: prefix(name), is_cold }
}

fn prefix((pallet, map): (&str, &str)) -> [u8; 32] {
    storage_prefix(pallet.as_bytes(), map.as_bytes())
}

/// Whether every value of the group decodes and is old. What does not decode stays hot.
fn all<V: Decode>(group: &Group<'_>, is_old: impl Fn(V) -> bool) -> bool {
    group.values.iter().all(|value| V::decode_all(&mut &value[..]).is_ok_and(&is_old))
}

fn bills(group: &Group<'_>, before: Moment) -> bool {
    all(group, |bill: Bill| bill.state.updated < before)
}

fn grants(group: &Group<'_>, before: Moment) -> bool {
    all(group, |grant: Grant| grant.updated.moment < before)
}

fn resolutions(group: &Group<'_>, before: Moment) -> bool {
    all(group, |resolution: Resolution<MaxContenders>| resolution.moment < before)
}

/// A case that is open is not cold, however long nothing was done about it.
fn cases(group: &Group<'_>, before: Moment) -> bool {
    all(group, |case: Case<MaxParties>| {
        case.decision.is_some_and(|decision| decision.at.moment < before)
    })
}

/// Whether no bill of the group's codes and numbers is hot.
fn of_cold_bills(group: &Group<'_>, _before: Moment) -> bool {
    let shared = [&prefix(BILLS)[..], group.shared].concat();
    next_key(&shared).is_none_or(|key| !key.starts_with(&shared))
}
