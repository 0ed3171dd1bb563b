//! Which entries of the contracts become cold, by the rules of each map.

use super::{
    inactive::{bill_key, summary},
    *,
};
use billchain_primitives::{
    CoolingPolicy, GrantId,
    cooling::{DAY_MS, Orders},
};
use billchain_runtime::{Cooling, CoolingMaps, Runtime};
use frame_support::{storage::unhashed, traits::Hooks};
use pallet_authorization::{GrantsById, Scope, Terms};
use pallet_bill_register::{BillLinks, Bills, Relation};
use pallet_bill_verify::{Observation, Reports};
use pallet_cooling::{Map, Maps};
use pallet_dispute::{Cases, Outcome};

const EVIDENCE: [u8; 32] = [3; 32];

/// Goes on by so many days; what the block orders that begins then.
fn after(days: u64) -> Orders {
    let now = pallet_timestamp::Now::<Runtime>::get() + days * DAY_MS;
    pallet_timestamp::Now::<Runtime>::put(now);
    let block = System::block_number() + 1;
    System::set_block_number(block);
    Cooling::on_initialize(block);
    Cooling::orders().unwrap_or_default()
}

/// The maps of the groups that are ordered.
fn maps_of(orders: &Orders) -> Vec<&'static str> {
    let maps = CoolingMaps::maps();
    let name = |group: &[u8]| {
        let is_in = |map: &&Map| group.starts_with(&map.prefix);
        maps.iter().find(is_in).map_or("none", |map| map.name.1)
    };
    let mut names: Vec<_> = orders.groups.iter().map(|group| name(group)).collect();
    names.sort_unstable();
    names
}

/// A bill with a link, a report, a grant, and a case that is open.
fn fill() {
    let key = bill_key();
    let register = pallet_bill_register::Call::<Runtime>::register { summary: summary() };
    assert_eq!(send("hospital", register), Ok(()));
    let link = pallet_bill_register::Call::<Runtime>::link_party {
        key,
        party: did("insurer"),
        relation: Relation::Insurer,
    };
    assert_eq!(send("hospital", link), Ok(()));
    let found = Observation::XmlHash([1; 32]);
    let report = pallet_bill_verify::Call::<Runtime>::report_mismatch { key, found };
    assert_eq!(send("insurer", report), Ok(()));
    let terms = Terms {
        credential_hash: [1; 32].into(),
        holder: did("hospital"),
        subject: did("insurer"),
        scope: Scope::Bills(vec![key].try_into().unwrap()),
        scene: SCENE,
        valid_from: START,
        valid_until: u64::MAX,
    };
    let grant = pallet_authorization::Call::<Runtime>::register_grant { terms };
    assert_eq!(send("hospital", grant), Ok(()));
    let open = pallet_dispute::Call::<Runtime>::open_case {
        key,
        parties: vec![did("insurer")].try_into().unwrap(),
        reason: reason(),
        evidence: EVIDENCE,
    };
    assert_eq!(send("admin", open), Ok(()));
}

fn set_policy() {
    let policy = CoolingPolicy { after_days: 90, ..CoolingPolicy::default() };
    let call = pallet_cooling::Call::<Runtime>::set_policy { policy };
    assert_eq!(send("admin", call.clone()), Err("BadOrigin".into()), "the council's alone");
    assert_eq!(council(call), Ok(()));
}

#[test]
fn bills_grants_and_what_goes_with_bills_become_cold_and_open_cases_do_not() {
    run(|| {
        set_policy();
        fill();
        assert_eq!(maps_of(&after(60)), Vec::<&str>::new());
        assert_eq!(maps_of(&after(31)), ["Bills", "GrantsById"]);
        // As if the storage had done so: links and reports go with the bill in the next lap.
        let bill = Bills::<Runtime>::hashed_key_for(bill_key());
        let cold = unhashed::get_raw(&bill).unwrap();
        unhashed::kill(&bill);
        assert_eq!(maps_of(&after(30)), ["BillLinks", "GrantsById", "Reports"]);
        unhashed::put_raw(&bill, &cold);
        assert!(BillLinks::<Runtime>::contains_key(bill_key()));
        assert!(Reports::<Runtime>::contains_key(bill_key()));
        // A case is cold so long after it was closed.
        let close = pallet_dispute::Call::<Runtime>::close_case {
            case: 1,
            outcome: Outcome::Dismissed,
            reason: reason(),
            evidence: EVIDENCE,
        };
        assert_eq!(send("admin", close), Ok(()));
        assert!(!maps_of(&after(90)).contains(&"Cases"));
        assert!(maps_of(&after(30)).contains(&"Cases"));
        assert!(Cases::<Runtime>::contains_key(1));
    });
}

#[test]
fn what_changes_is_hot_again() {
    run(|| {
        set_policy();
        fill();
        after(80);
        let grant = GrantId([1; 32].into());
        let freeze = pallet_authorization::Call::<Runtime>::freeze { grant, reason: reason() };
        assert_eq!(send("hospital", freeze), Ok(()));
        // A neighbour of the bill, in the same group.
        let mut other = summary();
        other.key.number = "0000000002".parse().unwrap();
        let register = pallet_bill_register::Call::<Runtime>::register { summary: other };
        assert_eq!(send("hospital", register), Ok(()));
        assert_eq!(maps_of(&after(80)), Vec::<&str>::new());
        assert_eq!(maps_of(&after(30)), ["Bills", "GrantsById"]);
        assert!(GrantsById::<Runtime>::contains_key(grant));
    });
}
