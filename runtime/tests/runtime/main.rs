//! What clients rely on: metadata, the shape of transactions, and limits.

use billchain_primitives::{Address, CoolingPolicy, PublicKey, Signature, cooling::CoolingField};
use billchain_runtime::{
    CoolingMaps, Council, CouncilMembership, Runtime, RuntimeCall, RuntimeGenesisConfig,
    RuntimeOrigin, SignedPayload, System, UncheckedExtrinsic, VERSION, api, genesis,
    immortal_payload, limits, rejection, tx_extension,
};
use codec::{Decode, Encode};
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed, v14::StorageEntryType};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::SortedMembers,
};
use pallet_cooling::Maps;
use sp_runtime::{
    AccountId32,
    generic::Era,
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction},
};

fn metadata(version: u32) -> RuntimeMetadata {
    let bytes = api::dispatch("Metadata_metadata_at_version", &version.encode()).unwrap();
    let opaque: Option<Vec<u8>> = Decode::decode(&mut &bytes[..]).unwrap();
    RuntimeMetadataPrefixed::decode(&mut &opaque.unwrap()[..]).unwrap().1
}

const EXTENSIONS: [&str; 9] = [
    "CheckNonZeroSender",
    "CheckSender",
    "CheckSpecVersion",
    "CheckTxVersion",
    "CheckGenesis",
    "CheckMortality",
    "CheckNonce",
    "CheckWeight",
    "CheckContention",
];

/// py-substrate-interface decodes calls and events by rules for `*::RuntimeCall`
/// and `*::RuntimeEvent`, with one segment before the name: with more, every
/// read of events fails.
#[test]
fn calls_events_and_errors_have_the_paths_at_which_stock_clients_look() {
    let RuntimeMetadata::V14(metadata) = metadata(14) else { panic!("not version 14") };
    let paths: Vec<_> =
        metadata.types.types.iter().map(|entry| entry.ty.path.segments.join("::")).collect();
    for name in ["RuntimeCall", "RuntimeEvent"] {
        let found: Vec<_> = paths.iter().filter(|path| path.ends_with(name)).collect();
        assert_eq!(found, [&format!("billchain_runtime::{name}")]);
    }
    let events = metadata.pallets.iter().find(|pallet| pallet.name == "System").unwrap();
    let event = metadata.types.resolve(events.event.as_ref().unwrap().ty.id).unwrap();
    assert_eq!(event.path.segments.join("::"), "frame_system::pallet::Event");

    // A failure is an `sp_runtime::DispatchError`; its module and its number lead to
    // the pallet's own enum, whose variants stand by their numbers.
    let variants = |ty: &scale_info::Type<_>| match &ty.type_def {
        scale_info::TypeDef::Variant(definition) => definition.variants.clone(),
        other => panic!("{other:?}"),
    };
    let at = |path: &str| {
        let found: Vec<_> = paths.iter().enumerate().filter(|(_, found)| *found == path).collect();
        assert_eq!(found.len(), 1, "{path}");
        &metadata.types.types[found[0].0].ty
    };
    let failed = variants(event).into_iter().find(|v| v.name == "ExtrinsicFailed").unwrap();
    let carried = metadata.types.resolve(failed.fields[0].ty.id).unwrap();
    assert_eq!(carried, at("sp_runtime::DispatchError"));
    let module = variants(carried).into_iter().find(|variant| variant.name == "Module").unwrap();
    let of_module = metadata.types.resolve(module.fields[0].ty.id).unwrap();
    assert_eq!(of_module, at("sp_runtime::ModuleError"));
    for pallet in &metadata.pallets {
        let Some(error) = &pallet.error else { continue };
        let error = metadata.types.resolve(error.ty.id).unwrap();
        let path = error.path.segments.join("::");
        assert!(path.ends_with("::pallet::Error"), "{}: {path}", pallet.name);
        // py-substrate-interface takes the number for the place in the list.
        for (place, variant) in variants(error).iter().enumerate() {
            assert_eq!(usize::from(variant.index), place, "{}: {}", pallet.name, variant.name);
        }
    }
    // The enum of all of them, of later versions of the metadata.
    let RuntimeMetadata::V15(later) = self::metadata(15) else { panic!("not version 15") };
    let outer = later.types.resolve(later.outer_enums.error_enum_ty.id).unwrap();
    assert_eq!(outer.path.segments.join("::"), "billchain_runtime::RuntimeError");
}

/// The time in which a client's signature is good is counted in blocks, and blocks
/// follow work.
#[test]
fn an_era_lasts_minutes_at_full_speed() {
    const BLOCKS_A_SECOND: u32 = 20;
    let period = limits::BLOCK_HASH_COUNT;
    assert!(period >= 180 * BLOCKS_A_SECOND, "{period} blocks are less than three minutes");
    // Longer ones begin at another block than the one whose hash was signed.
    assert!(period <= 4_096, "{period}");
    for block in [0u64, 1, 2, 4_095, 4_096, 1_000_001] {
        let era = Era::mortal(period.into(), block);
        let sent = Era::decode(&mut &era.encode()[..]).unwrap();
        assert_eq!((sent.birth(block), sent.death(block)), (block, block + u64::from(period)));
    }
    assert_ne!(Era::mortal(2 * u64::from(period), 1).birth(1), 1);
    let remembered: u32 = <Runtime as frame_system::Config>::BlockHashCount::get();
    assert_eq!(remembered, period);
}

/// What an error carries fits the three bytes that a dispatch error has for it,
/// and is decoded by the metadata alone.
#[test]
fn errors_within_errors_are_enums_of_the_metadata() {
    let RuntimeMetadata::V14(metadata) = metadata(14) else { panic!("not version 14") };
    let error_of = |name: &str| {
        let pallet = metadata.pallets.iter().find(|pallet| pallet.name == name).unwrap();
        metadata.types.resolve(pallet.error.as_ref().unwrap().ty.id).unwrap()
    };
    for name in
        ["BillRegister", "BillUpdate", "Authorization", "Policy", "Scene", "Dispute", "BillVerify"]
    {
        let scale_info::TypeDef::Variant(errors) = &error_of(name).type_def else { panic!() };
        let sender = errors.variants.iter().find(|variant| variant.name == "Sender").unwrap();
        let inner = metadata.types.resolve(sender.fields[0].ty.id).unwrap();
        let scale_info::TypeDef::Variant(problems) = &inner.type_def else { panic!() };
        let names: Vec<_> = problems.variants.iter().map(|problem| &problem.name[..]).collect();
        assert_eq!(names, ["NotFound", "Frozen", "Cancelled"], "{name}");
        let in_words = problems.variants.iter().all(|problem| !problem.docs.is_empty());
        assert!(in_words, "{name}: a problem has no words");
    }
}

/// A client finds in the documentation of a call who may send it and which of
/// the contract's errors refuse it.
#[test]
fn every_call_of_a_contract_says_who_may_send_it_and_what_refuses_it() {
    let RuntimeMetadata::V14(metadata) = metadata(14) else { panic!("not version 14") };
    let variants = |id: u32| match &metadata.types.resolve(id).unwrap().type_def {
        scale_info::TypeDef::Variant(definition) => &definition.variants,
        other => panic!("{other:?}"),
    };
    let mut seen = 0;
    // The validators and the contracts; the others are FRAME's.
    for pallet in metadata.pallets.iter().filter(|pallet| pallet.index == 5 || pallet.index >= 20) {
        let Some(calls) = &pallet.calls else { continue };
        let errors: Vec<_> =
            variants(pallet.error.as_ref().unwrap().ty.id).iter().map(|e| &e.name[..]).collect();
        for call in variants(calls.ty.id) {
            let what = format!("{}.{}", pallet.name, call.name);
            let docs = call.docs.join("\n");
            let at = |title| docs.find(title).unwrap_or_else(|| panic!("{what} lacks {title}"));
            let (origin, listed) = (at("# Origin"), at("# Errors"));
            assert!(origin < listed, "{what}");
            let named: Vec<_> = docs[listed..]
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|name| name.starts_with(char::is_uppercase))
                .collect();
            assert!(!named.is_empty(), "{what} names no error");
            let unknown: Vec<_> = named.iter().filter(|name| !errors.contains(name)).collect();
            assert!(unknown.is_empty(), "{what} names {unknown:?}, which are no errors of it");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn metadata_14_names_what_clients_look_for() {
    let RuntimeMetadata::V14(metadata) = metadata(14) else { panic!("not version 14") };
    let extrinsic = metadata.types.resolve(metadata.extrinsic.ty.id).unwrap();
    assert_eq!(
        extrinsic.path.segments.join("::"),
        "sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic"
    );
    let parameters: Vec<_> = extrinsic.type_params.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(parameters, ["Address", "Call", "Signature", "Extra"]);
    let names: Vec<_> =
        metadata.extrinsic.signed_extensions.iter().map(|e| e.identifier.as_str()).collect();
    assert_eq!(names, EXTENSIONS);
    let pallets: Vec<_> = metadata.pallets.iter().map(|p| (p.index, p.name.as_str())).collect();
    for expected in [
        (0, "System"),
        (1, "Timestamp"),
        (20, "Participant"),
        (23, "BillRegister"),
        (24, "BillUpdate"),
        (26, "Allotment"),
        (30, "AccessNode"),
        (31, "Authorization"),
        (32, "Policy"),
        (33, "Dispute"),
        (34, "BillVerify"),
        (35, "Totals"),
        (37, "Cooling"),
        (38, "Outbox"),
        (45, "AccessLog"),
    ] {
        assert!(pallets.contains(&expected), "{expected:?} in {pallets:?}");
    }
}

#[test]
fn metadata_15_names_addresses_signatures_and_apis() {
    let RuntimeMetadata::V15(metadata) = metadata(15) else { panic!("not version 15") };
    let path = |id| metadata.types.resolve(id).unwrap().path.segments.join("::");
    assert_eq!(path(metadata.extrinsic.address_ty.id), "sp_runtime::multiaddress::MultiAddress");
    assert!(path(metadata.extrinsic.signature_ty.id).ends_with("Signature"));
    let apis: Vec<_> = metadata.apis.iter().map(|api| api.name.as_str()).collect();
    for expected in [
        "Core",
        "Metadata",
        "BlockBuilder",
        "TaggedTransactionQueue",
        "AccountNonceApi",
        "TransactionPaymentApi",
        "TransactionPaymentCallApi",
    ] {
        assert!(apis.contains(&expected), "{expected} in {apis:?}");
    }
}

#[test]
fn metadata_16_says_how_transactions_are_made() {
    let RuntimeMetadata::V16(metadata) = metadata(16) else { panic!("not version 16") };
    // Each version of the format has the same extensions, in the same order.
    let extensions: Vec<_> =
        metadata.extrinsic.transaction_extensions.iter().map(|e| e.identifier.as_str()).collect();
    assert_eq!(extensions, EXTENSIONS);
    assert_eq!(metadata.extrinsic.versions, [4, 5]);
    let versions = Runtime::metadata_versions();
    assert!([14, 15, 16].iter().all(|version| versions.contains(version)), "{versions:?}");
    assert!(Runtime::metadata_at_version(13).is_none());
}

#[test]
fn wallets_that_ask_for_fees_are_told_that_there_are_none() {
    let ask = |name: &str, arguments: Vec<u8>| api::dispatch(name, &arguments).unwrap();
    let call = RuntimeCall::System(frame_system::Call::remark { remark: vec![7; 100] });
    let transaction = UncheckedExtrinsic::new_bare(call.clone());
    let weight = call.get_dispatch_info().total_weight();
    let nothing = 0_u128.encode();
    let free = [weight.encode(), DispatchClass::Normal.encode(), nothing.clone()].concat();
    // No fee for inclusion, and no tip.
    let parts = [vec![0], nothing.clone()].concat();
    for (name, arguments, expected) in [
        ("TransactionPaymentApi_query_info", (&transaction, 9_u32).encode(), &free),
        ("TransactionPaymentApi_query_fee_details", (&transaction, 9_u32).encode(), &parts),
        ("TransactionPaymentApi_query_weight_to_fee", weight.encode(), &nothing),
        ("TransactionPaymentApi_query_length_to_fee", 9_u32.encode(), &nothing),
        ("TransactionPaymentCallApi_query_call_info", (&call, 9_u32).encode(), &free),
        ("TransactionPaymentCallApi_query_call_fee_details", (&call, 9_u32).encode(), &parts),
        ("TransactionPaymentCallApi_query_weight_to_fee", weight.encode(), &nothing),
        ("TransactionPaymentCallApi_query_length_to_fee", 9_u32.encode(), &nothing),
    ] {
        assert_eq!(&ask(name, arguments), expected, "{name}");
    }
}

#[test]
fn our_own_extensions_add_no_bytes() {
    // Version, genesis and so on are all that stands between call and end.
    let call = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
    let extension = tx_extension(7, Era::Immortal);
    assert_eq!(extension.encode(), [0, 7 << 2], "era and nonce");
    let genesis = Default::default();
    let payload = immortal_payload(&call, 7, genesis);
    let implicit = (VERSION.spec_version, VERSION.transaction_version, genesis, genesis);
    let frames = SignedPayload::from_raw(call.clone(), extension, {
        let (spec, tx, genesis, block) = implicit;
        ((), (), spec, tx, genesis, block, (), (), ())
    });
    let mut expected = call.encode();
    expected.extend([0, 7 << 2]);
    implicit.encode_to(&mut expected);
    assert_eq!(payload, expected);
    assert_eq!(frames.encode(), payload, "as FRAME's own type encodes it");
}

#[test]
fn a_transaction_is_read_back_as_it_was_written() {
    let call = RuntimeCall::System(frame_system::Call::remark { remark: vec![1, 2, 3] });
    let key = PublicKey::Sr25519([9; 32]);
    let extrinsic = UncheckedExtrinsic::new_signed(
        call,
        Address::Id(key.account_id()),
        Signature::Sm2 { public: [2; 33], signature: [3; 64] },
        tx_extension(3, Era::Immortal),
    );
    let bytes = extrinsic.encode();
    let again = UncheckedExtrinsic::decode(&mut &bytes[..]).unwrap();
    assert_eq!(again.encode(), bytes);
    let (_, _, extension) = again.signed_parts().unwrap();
    assert_eq!(billchain_runtime::nonce_of(extension), 3);
}

#[test]
fn every_refusal_has_words_of_its_own() {
    let custom = |code| TransactionValidityError::Invalid(InvalidTransaction::Custom(code));
    let refusals = [
        custom(rejection::SENDER_UNKNOWN),
        custom(rejection::SENDER_FROZEN),
        custom(rejection::SENDER_CANCELLED),
        custom(rejection::SCHEME_NOT_ADMITTED),
        custom(rejection::LOCKS_OUT_OF_ORDER),
        custom(rejection::TOO_MANY_CALLS),
        custom(rejection::TOO_MANY_BILLS),
        custom(200),
        InvalidTransaction::Stale.into(),
        InvalidTransaction::Future.into(),
        InvalidTransaction::BadProof.into(),
        InvalidTransaction::ExhaustsResources.into(),
        InvalidTransaction::AncientBirthBlock.into(),
        UnknownTransaction::NoUnsignedValidator.into(),
    ];
    let words: std::collections::BTreeSet<String> =
        refusals.iter().map(rejection::explain).collect();
    assert_eq!(words.len(), refusals.len());
    assert!(words.iter().all(|text| text.len() > 10));
}

#[test]
fn limits_fit_into_one_another() {
    let weights = <Runtime as frame_system::Config>::BlockWeights::get();
    weights.validate().unwrap();
    let length = <Runtime as frame_system::Config>::BlockLength::get();
    assert!(
        limits::MAX_TRANSACTION_BYTES
            < length.max.get(frame_support::dispatch::DispatchClass::Normal) / 2
    );
}

#[test]
fn the_heaviest_calls_fit_into_a_block_together_with_what_comes_before_them() {
    use frame_support::dispatch::DispatchClass;
    use pallet_access_node::WeightInfo as _;
    use pallet_bill_register::WeightInfo as _;
    use pallet_bill_update::WeightInfo as _;
    use pallet_dispute::WeightInfo as _;
    use pallet_policy::WeightInfo as _;
    type Register = <Runtime as pallet_bill_register::Config>::WeightInfo;
    type Updates = <Runtime as pallet_bill_update::Config>::WeightInfo;
    type Nodes = <Runtime as pallet_access_node::Config>::WeightInfo;
    type Policies = <Runtime as pallet_policy::Config>::WeightInfo;
    type Disputes = <Runtime as pallet_dispute::Config>::WeightInfo;
    let weights = <Runtime as frame_system::Config>::BlockWeights::get();
    let most = weights.get(DispatchClass::Normal).max_extrinsic.unwrap();
    let batch = pallet_bill_register::MAX_BATCH;
    let locks = Updates::lock_with_grant().saturating_mul(batch.into());
    let locks = locks.saturating_add(Disputes::announce(batch));
    for (call, weight) in [
        ("register_batch", Register::register_batch(batch)),
        ("access-node set_status", Nodes::set_status(1_000)),
        ("policy submit", Policies::submit(pallet_policy::MAX_BODY)),
        ("policy set_status", Policies::set_status()),
        ("a full batch of locks", locks),
    ] {
        assert!(weight.all_lte(most), "{call}: {weight} of {most}");
    }
    // Three full batches a block, or blocks of batches would stay half empty.
    let batch = Register::register_batch(batch);
    assert!(batch.saturating_mul(3).all_lte(most), "{batch} of {most}");
}

/// A map of another name would never become cold, and nobody would notice.
#[test]
fn the_maps_that_may_cool_are_maps_of_the_state() {
    let RuntimeMetadata::V14(metadata) = metadata(14) else { panic!("not version 14") };
    let maps = CoolingMaps::maps();
    let mut prefixes: Vec<_> = maps.iter().map(|map| map.prefix).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    assert_eq!(prefixes.len(), maps.len());
    for map in maps {
        let (pallet, name) = map.name;
        let found = metadata.pallets.iter().find(|one| one.name == pallet);
        let storage = found.and_then(|one| one.storage.as_ref()).unwrap();
        assert_eq!(storage.prefix, pallet);
        let entry = storage.entries.iter().find(|entry| entry.name == name);
        let entry = entry.unwrap_or_else(|| panic!("there is no {pallet}::{name}"));
        assert!(matches!(entry.ty, StorageEntryType::Map { .. }), "{pallet}::{name}");
    }
}

/// What a block does for cold data at most leaves it to transactions.
#[test]
fn the_longest_walk_and_merge_take_a_small_part_of_a_block() {
    use pallet_cooling::WeightInfo as _;
    type Cooling = <Runtime as pallet_cooling::Config>::WeightInfo;
    let prices = <Runtime as frame_system::Config>::DbWeight::get();
    let groups = *CoolingField::GroupsPerBlock.bounds().end();
    let moved = u64::from(*CoolingField::MergeGroups.bounds().end());
    let cooled = prices.writes(12).saturating_mul(groups.into());
    let merged = prices.reads_writes(3, 3).saturating_mul(moved);
    let all = Cooling::walk(groups).saturating_add(cooled).saturating_add(merged);
    let most = limits::MAX_BLOCK_WEIGHT.ref_time() / 5;
    assert!(all.ref_time() <= most, "{all} of {most}");
    // By default it is a hundredth.
    let CoolingPolicy { groups_per_block, merge_groups, .. } = CoolingPolicy::default();
    let cooled = prices.writes(12).saturating_mul(groups_per_block.into());
    let merged = prices.reads_writes(3, 3).saturating_mul(merge_groups.into());
    let all = Cooling::walk(groups_per_block).saturating_add(cooled).saturating_add(merged);
    assert!(all.ref_time() <= limits::MAX_BLOCK_WEIGHT.ref_time() / 60, "{all}");
}

fn with_council(members: &[AccountId32], f: impl FnOnce()) {
    let config = RuntimeGenesisConfig {
        council_membership: billchain_runtime::CouncilMembershipConfig {
            members: members.to_vec().try_into().unwrap(),
            ..Default::default()
        },
        ..Default::default()
    };
    let state = genesis::build_state(&config, 1).unwrap();
    let mut ext: sp_io::TestExternalities =
        sp_core::storage::Storage { top: state, children_default: Default::default() }.into();
    ext.execute_with(f);
}

fn account(n: u8) -> AccountId32 {
    AccountId32::new([n; 32])
}

#[test]
fn three_of_four_administer_and_two_do_not() {
    let members = [account(1), account(2), account(3), account(4)];
    let add = || {
        RuntimeCall::CouncilMembership(pallet_membership::Call::add_member {
            who: Address::Id(account(5)),
        })
    };
    let by = |ayes| -> RuntimeOrigin { pallet_collective::RawOrigin::Members(ayes, 4).into() };
    with_council(&members, || {
        assert!(add().dispatch(by(2)).is_err());
        assert!(add().dispatch(RuntimeOrigin::root()).is_err(), "nobody is root here");
        assert!(add().dispatch(RuntimeOrigin::signed(account(1))).is_err());
        add().dispatch(by(3)).unwrap();
        assert!(Council::is_member(&account(5)));
        assert!(CouncilMembership::sorted_members().contains(&account(5)));
        assert_eq!(System::providers(&account(5)), 1);
    });
}

#[test]
fn a_former_members_nonce_is_kept() {
    let members = [account(1), account(2), account(3), account(4)];
    with_council(&members, || {
        System::inc_account_nonce(account(4));
        let by: RuntimeOrigin = pallet_collective::RawOrigin::Members(3, 4).into();
        RuntimeCall::CouncilMembership(pallet_membership::Call::remove_member {
            who: Address::Id(account(4)),
        })
        .dispatch(by)
        .unwrap();
        assert!(!Council::is_member(&account(4)));
        assert_eq!(System::account_nonce(account(4)), 1, "or its old transactions would come back");
        assert_eq!(CouncilMembership::sorted_members().len(), 3);
    });
}
