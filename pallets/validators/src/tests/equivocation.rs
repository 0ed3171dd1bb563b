//! Equivocations: what comes on record, what does not, and what is made of it.

use super::*;
use crate::{
    Call, EquivocationRecord, Equivocations, FormerKeys, MAX_FORMER_KEYS, MAX_RECORDS,
    MAX_REPORT_AGE, MAX_REPORTS, RECORD_PERIOD_MS, Tenures,
};
use billchain_crypto::sm2::DEFAULT_ID;
use billchain_primitives::{
    ConsensusDomain, Equivocation, Hash, Offence, SignedStatement, Stamp, Statement,
    StatementContext, StatementKind, sm3,
};
use frame::deps::frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    inherent::{InherentData, ProvideInherent},
};

/// A height that is decided in the tests' block.
const HEIGHT: u64 = 7;
/// The tests' block.
const BLOCK: u32 = 10;

fn key_account(seed: u8) -> AccountId {
    AccountId::new(sm3(&key(seed)))
}

const fn prevote(block: u8) -> Statement {
    Statement::Prevote { block: Some(Hash::repeat_byte(block)) }
}

const fn precommit(block: u8) -> Statement {
    Statement::Precommit { block: Some(Hash::repeat_byte(block)) }
}

/// Both statements, signed with the key of `seed` for this chain.
fn charge(seed: u8, height: u64, round: u32, statements: [Statement; 2]) -> Equivocation {
    let offender = key_account(seed);
    let signer = *AsRef::<[u8; 32]>::as_ref(&offender);
    let context = StatementContext { height, round: Some(round), signer };
    let domain = ConsensusDomain::new(System::block_hash(0));
    let signed = statements.map(|statement| {
        let bytes = domain.statement_bytes(&context, &statement);
        let signature = SecretKey::from_seed(&[seed]).sign(DEFAULT_ID, &bytes).to_bytes();
        SignedStatement { statement, signature }
    });
    Equivocation::new(offender, height, round, signed)
}

fn double_vote(seed: u8, height: u64) -> Equivocation {
    charge(seed, height, 0, [precommit(1), precommit(2)])
}

fn report(equivocations: Vec<Equivocation>) -> DispatchResult {
    let equivocations = equivocations.try_into().expect("within the bound");
    ValidatorSet::report_equivocations(RuntimeOrigin::none(), equivocations)
}

fn offence(seed: u8, height: u64) -> Offence {
    Offence { offender: key_account(seed), height, kind: StatementKind::Precommit }
}

/// Runs `test` in a later block of a chain with two validators.
fn at_block(test: impl FnOnce()) {
    run(genesis(vec![validator(1), validator(2)]), || {
        System::set_block_number(BLOCK);
        System::set_extrinsic_index(1);
        test();
    });
}

#[test]
fn a_proven_equivocation_is_recorded_with_both_signed_statements() {
    at_block(|| {
        let proof = double_vote(1, HEIGHT);
        assert_ok!(report(vec![proof.clone()]));
        let expected = Event::EquivocationRecorded {
            operator: operator(1),
            offence: offence(1, HEIGHT),
            round: 0,
        };
        assert_eq!(last_event(), expected);
        let at = Stamp { block: BLOCK, extrinsic: Some(1), moment: 1_000_000 };
        let record = EquivocationRecord { equivocation: proof, operator: operator(1), at };
        let all = ValidatorSet::equivocations();
        assert_eq!(ValidatorSet::equivocations_of(&key_account(1)), all);
        assert_eq!(all, [record]);
        assert!(ValidatorSet::is_on_record(&operator(1), &offence(1, HEIGHT)));
        assert!(!ValidatorSet::is_on_record(&operator(2), &offence(1, HEIGHT)));
    });
}

#[test]
fn an_offence_is_recorded_once_for_each_kind_at_a_height() {
    at_block(|| {
        let proof = double_vote(1, HEIGHT);
        assert_noop!(report(vec![proof.clone(); 2]), Error::<Test>::AlreadyRecorded);
        assert_ok!(report(vec![proof.clone()]));
        let later_round = charge(1, HEIGHT, 3, [precommit(4), precommit(5)]);
        for again in [proof, later_round] {
            assert_noop!(report(vec![again]), Error::<Test>::AlreadyRecorded);
        }
        let other_kind = charge(1, HEIGHT, 0, [prevote(1), Statement::Prevote { block: None }]);
        assert_ok!(report(vec![other_kind, double_vote(1, HEIGHT + 1), double_vote(2, HEIGHT)]));
        assert_eq!(ValidatorSet::equivocations().len(), 4);
    });
}

#[test]
fn a_report_that_proves_nothing_is_refused_whole() {
    at_block(|| {
        let good = double_vote(1, HEIGHT);
        let mut forged = double_vote(1, HEIGHT + 1);
        forged.second.signature = double_vote(2, HEIGHT + 1).second.signature;
        let same = charge(1, HEIGHT + 1, 0, [precommit(1), precommit(1)]);
        let kinds = charge(1, HEIGHT + 1, 0, [prevote(1), precommit(2)]);
        let moved = Equivocation { round: 1, ..double_vote(1, HEIGHT + 1) };
        for bad in [forged, same, kinds, moved] {
            assert_noop!(report(vec![good.clone(), bad]), Error::<Test>::NotProven);
        }
        assert_noop!(report(Vec::new()), Error::<Test>::NothingReported);
        for (strange, error) in [
            (double_vote(3, HEIGHT), Error::<Test>::NotValidatorThen),
            (double_vote(1, 0), Error::<Test>::NotValidatorThen),
            (double_vote(1, BLOCK.into()), Error::<Test>::NotDecidedYet),
        ] {
            assert_noop!(report(vec![strange]), error);
        }
        // Another chain's statements, by the same key.
        let proof = double_vote(1, HEIGHT);
        frame_system::BlockHash::<Test>::insert(0, Hash::repeat_byte(1));
        assert_noop!(report(vec![proof]), Error::<Test>::NotProven);
    });
}

#[test]
fn an_equivocation_of_long_ago_is_refused() {
    at_block(|| {
        System::set_block_number((HEIGHT + MAX_REPORT_AGE + 1) as u32);
        assert_noop!(report(vec![double_vote(1, HEIGHT)]), Error::<Test>::ReportTooOld);
        assert_ok!(report(vec![double_vote(1, HEIGHT + 1)]));
    });
}

#[test]
fn only_a_proposer_reports() {
    at_block(|| {
        let equivocations: BoundedVec<_, _> = vec![double_vote(1, HEIGHT)].try_into().unwrap();
        for origin in [root(), RuntimeOrigin::signed(operator(2))] {
            let result = ValidatorSet::report_equivocations(origin, equivocations.clone());
            assert_noop!(result, BadOrigin);
        }
        let call = Call::<Test>::report_equivocations { equivocations };
        assert_eq!(call.get_dispatch_info().class, DispatchClass::Mandatory);
        assert!(ValidatorSet::is_inherent(&call));
    });
}

/// The tenure of a key is what its votes are judged by, also when it votes no
/// more.
#[test]
fn a_key_answers_for_the_heights_that_it_decided() {
    at_block(|| {
        assert_ok!(ValidatorSet::rotate_validator_key(root(), operator(2), key(9)));
        assert_ok!(ValidatorSet::add_validator(root(), validator(3)));
        assert_ok!(ValidatorSet::remove_validator(root(), operator(1), None));
        System::set_block_number(BLOCK + 5);
        let last = u64::from(BLOCK);
        for seed in [1, 2] {
            let result = report(vec![double_vote(seed, last + 1)]);
            assert_noop!(result, Error::<Test>::NotValidatorThen);
            assert_ok!(report(vec![double_vote(seed, last)]));
        }
        for seed in [3, 9] {
            let result = report(vec![double_vote(seed, last)]);
            assert_noop!(result, Error::<Test>::NotValidatorThen);
            assert_ok!(report(vec![double_vote(seed, last + 1)]));
        }
        let of_operator = |record: &EquivocationRecord| record.operator == operator(2);
        assert_eq!(ValidatorSet::equivocations().iter().filter(|r| of_operator(r)).count(), 2);

        // A key that comes back begins anew, and keeps its record.
        assert_ok!(ValidatorSet::add_validator(root(), validator(1)));
        System::set_block_number(BLOCK + 8);
        let result = report(vec![double_vote(1, last + 3)]);
        assert_noop!(result, Error::<Test>::NotValidatorThen);
        assert_ok!(report(vec![double_vote(1, last + 6)]));
        assert_eq!(ValidatorSet::equivocations_of(&key_account(1)).len(), 2);
    });
}

#[test]
fn the_key_that_ceased_first_is_forgotten_with_its_record() {
    at_block(|| {
        assert_ok!(report(vec![double_vote(1, HEIGHT)]));
        for rotation in 0..=MAX_FORMER_KEYS as u8 {
            assert!(ValidatorSet::is_on_record(&operator(1), &offence(1, HEIGHT)));
            let key = key(100 + rotation);
            assert_ok!(ValidatorSet::rotate_validator_key(root(), operator(1), key));
        }
        assert_eq!(FormerKeys::<Test>::get().len(), MAX_FORMER_KEYS as usize);
        assert!(!Tenures::<Test>::contains_key(key_account(1)));
        assert!(!Equivocations::<Test>::contains_key(key_account(1)));
        let result = report(vec![double_vote(1, HEIGHT + 1)]);
        assert_noop!(result, Error::<Test>::NotValidatorThen);
    });
}

/// Who goes on equivocating must not push out what a motion cites.
#[test]
fn a_full_record_gives_way_only_where_its_time_is_over() {
    at_block(|| {
        System::set_block_number(100);
        let most = u64::from(MAX_RECORDS);
        for height in 1..=most {
            assert_ok!(report(vec![double_vote(1, height)]));
        }
        let next = || report(vec![double_vote(1, most + 1)]);
        assert_noop!(next(), Error::<Test>::RecordFull);
        Clock::set(1_000_000 + RECORD_PERIOD_MS - 1);
        assert_noop!(next(), Error::<Test>::RecordFull);
        assert_ok!(report(vec![double_vote(2, 1)]));
        Clock::set(1_000_000 + RECORD_PERIOD_MS);
        assert_ok!(next());
        assert!(!ValidatorSet::is_on_record(&operator(1), &offence(1, 1)));
        assert!(ValidatorSet::is_on_record(&operator(1), &offence(1, 2)));
        assert_eq!(ValidatorSet::equivocations_of(&key_account(1)).len(), MAX_RECORDS as usize);
        assert!(ValidatorSet::is_on_record(&operator(2), &offence(2, 1)), "it is another's");
    });
}

#[test]
fn a_motion_that_removes_a_validator_cites_what_is_on_record() {
    at_block(|| {
        assert_ok!(report(vec![double_vote(1, HEIGHT)]));
        let cite =
            |who, offence| ValidatorSet::remove_validator(root(), operator(who), Some(offence));
        for (who, offence) in
            [(1, offence(1, HEIGHT + 1)), (1, offence(2, HEIGHT)), (2, offence(1, HEIGHT))]
        {
            assert_noop!(cite(who, offence), Error::<Test>::NotOnRecord);
        }
        assert_ok!(cite(1, offence(1, HEIGHT)));
        let evidence = Some(offence(1, HEIGHT));
        let removed = Event::ValidatorRemoved { operator: operator(1), evidence };
        assert_eq!(last_event(), removed);
        assert_eq!(ValidatorSet::equivocations().len(), 1, "the record stays");
    });
}

#[test]
fn a_proposer_reports_what_a_block_may_record_and_no_more() {
    at_block(|| {
        assert_ok!(report(vec![double_vote(1, HEIGHT)]));
        let mut forged = double_vote(1, 1);
        forged.first.signature[0] ^= 1;
        let twice = double_vote(2, HEIGHT);
        let stale = [double_vote(1, HEIGHT), forged, double_vote(3, HEIGHT)];
        assert_eq!(ValidatorSet::report_of(&stale), None);
        let mut held = stale.to_vec();
        held.extend([twice.clone(), twice]);
        held.extend((1..6).map(|height| double_vote(2, height)));
        let call = ValidatorSet::report_of(&held).expect("some may be recorded");
        let Call::report_equivocations { equivocations } = &call else { panic!("{call:?}") };
        let heights: Vec<_> = equivocations.iter().map(|one| one.height).collect();
        assert_eq!((heights, equivocations.len()), (vec![HEIGHT, 1, 2, 3], MAX_REPORTS as usize));

        let mut data = InherentData::new();
        assert_eq!(ValidatorSet::create_inherent(&data), None);
        data.put_data(ValidatorSet::INHERENT_IDENTIFIER, &held).unwrap();
        assert_eq!(ValidatorSet::create_inherent(&data), Some(call.clone()));
        assert_ok!(report(equivocations.to_vec()));
    });
}

#[test]
fn broken_records_are_found() {
    let cases: Vec<(&str, fn())> = vec![
        ("no tenure", || Tenures::<Test>::remove(key_account(1))),
        ("a tenure too many", || {
            let tenure = Tenures::<Test>::get(key_account(1)).unwrap();
            Tenures::<Test>::insert(key_account(9), tenure);
        }),
        ("a former key that goes on", || {
            FormerKeys::<Test>::mutate(|former| former.try_push(key_account(1)).unwrap());
        }),
        ("twice", || {
            Equivocations::<Test>::mutate(key_account(1), |records| {
                records.try_push(records[0].clone()).unwrap();
            });
        }),
        ("another's", || {
            let records = Equivocations::<Test>::take(key_account(1));
            Equivocations::<Test>::insert(key_account(2), records);
        }),
    ];
    for (what, break_it) in cases {
        at_block(|| {
            assert_ok!(report(vec![double_vote(1, HEIGHT)]));
            hypothetically!({
                break_it();
                assert!(ValidatorSet::do_try_state().is_err(), "{what}");
            });
        });
    }
}
