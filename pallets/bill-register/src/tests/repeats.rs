//! Registrations that are sent again.

use super::*;

fn repeated(number: u32, index: Option<u16>, extrinsic: u32, version: u32) -> Event<Test> {
    let bill = Bills::<Test>::get(key(number)).expect("it was registered");
    let receipt = bill.receipt;
    assert_eq!((receipt.block, receipt.extrinsic), (1, extrinsic));
    Event::RegistrationRepeated {
        index,
        key: key(number),
        issuer: did("hospital"),
        block: 1,
        extrinsic,
        content_hash: bill.registered().content_hash(),
        version,
    }
}

/// In the next block.
fn later() {
    System::set_block_number(2);
    System::set_extrinsic_index(7);
    System::reset_events();
}

#[test]
fn the_same_registration_again_changes_nothing_and_names_the_first() {
    let state = run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(2) }));
        later();
        let before: Vec<_> = Bills::<Test>::iter().collect();
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(2) }));
        assert_eq!(events(), [repeated(1, None, 2, 1), repeated(2, None, 2, 1)]);
        assert_eq!(Bills::<Test>::iter().collect::<Vec<_>>(), before);
    });
    assert_eq!(indexed(&state, &index::block_bills_key(2, 7, 0)), None, "it touched no bill");
}

#[test]
fn it_is_recognised_whatever_became_of_the_bill_and_of_the_rules() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(2) }));
        later();
        // A field is filled in, a notice is paid, and the rules of the day
        // would refuse both.
        let mut filled = Bills::<Test>::get(key(1)).expect("it was registered");
        filled.summary.pdf_hash = [3; 32];
        assert_ok!(BillRegister::advance(
            filled,
            history::Entry::plain(Cause::Summary, did("hospital"))
        ));
        assert_ok!(send(HOSPITAL, Call::confirm { key: key(2) }));
        with_world(|world| {
            world.rules.clear();
            world.denied = Some((Guarded::Register, bill(1).total));
            world.now += 400 * 86_400_000;
        });
        System::reset_events();
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(2) }));
        let one = batch(vec![bill(1)], BatchMode::AllOrNothing);
        assert_ok!(send(HOSPITAL, one));
        let (issuer, first) = (did("hospital"), repeated(1, None, 2, 2));
        let completed = Event::BatchCompleted { issuer, registered: 0, refused: 0, repeated: 1 };
        let expected = [first, repeated(2, None, 2, 2), repeated(1, Some(0), 2, 2), completed];
        assert_eq!(events(), expected);
        // What it filled in is other content than it registered.
        let now = Bills::<Test>::get(key(1)).expect("it was registered").summary;
        with_world(|world| *world = World::default());
        assert_noop!(
            send(HOSPITAL, register(now)),
            Error::<Test>::Bill(SummaryProblem::AlreadyExists)
        );
    });
}

#[test]
fn what_was_registered_and_what_was_filled_in_are_told_apart() {
    let whole = || BillSummary { pdf_hash: [3; 32], ..bill(1) };
    run(|| {
        assert_ok!(send(HOSPITAL, register(whole())));
        later();
        let mut filled = Bills::<Test>::get(key(1)).expect("it was registered");
        filled.summary.location_hash = [4; 32];
        // Nobody but the ledger says what was filled in.
        filled.receipt.filled_in = SummaryFields::of(&[SummaryField::PdfHash]);
        let entry = history::Entry::plain(Cause::Summary, did("hospital"));
        let stored = BillRegister::advance(filled, entry).expect("it is not the last version");
        let location = SummaryFields::of(&[SummaryField::LocationHash]);
        assert_eq!((stored.receipt.filled_in, stored.registered()), (location, whole()));
        assert_ok!(send(HOSPITAL, register(whole())));
        assert_eq!(events(), [repeated(1, None, 2, 2)]);
        for other in [bill(1), stored.summary] {
            assert_noop!(
                send(HOSPITAL, register(other)),
                Error::<Test>::Bill(SummaryProblem::AlreadyExists)
            );
        }
    });
}

#[test]
fn other_content_another_way_and_another_sender_are_refused() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(notice(1))));
        let other = BillSummary { check_code: "b1B2c3".parse().expect("6"), ..notice(1) };
        assert_noop!(
            send(HOSPITAL, register(other)),
            Error::<Test>::Bill(SummaryProblem::AlreadyExists)
        );
        // Paid at once is not the same as not yet paid.
        let unpaid = Call::pre_issue { notice: notice(1) };
        assert_noop!(send(HOSPITAL, unpaid), Error::<Test>::Bill(SummaryProblem::AlreadyExists));
        assert_noop!(
            send(CLINIC, register(notice(1))),
            Error::<Test>::Bill(SummaryProblem::NotIssuer)
        );
        let own = BillSummary { issuer: did("clinic"), ..notice(1) };
        assert_noop!(
            send(CLINIC, register(own)),
            Error::<Test>::Bill(SummaryProblem::AlreadyExists)
        );
        // Who may no longer act is told so, not what it did once.
        assert_noop!(
            send(FROZEN, register(notice(1))),
            Error::<Test>::Sender(ParticipantProblem::Frozen)
        );
    });
}

#[test]
fn a_batch_that_is_sent_again_goes_through_with_what_is_missing() {
    for mode in [BatchMode::AllOrNothing, BatchMode::PerItem] {
        run(|| {
            assert_ok!(send(HOSPITAL, batch(vec![bill(1), bill(2)], mode)));
            later();
            assert_ok!(send(HOSPITAL, batch(vec![bill(1), bill(2), bill(3), bill(3)], mode)));
            let seen = events();
            assert_eq!(seen[..2], [repeated(1, Some(0), 2, 1), repeated(2, Some(1), 2, 1)]);
            assert!(matches!(&seen[2], Event::BillRegistered { key, .. } if *key == super::key(3)));
            let twice = |event: &Event<Test>| {
                matches!(event, Event::RegistrationRepeated { index: Some(3), block: 2, .. })
            };
            assert!(twice(&seen[3]), "{:?}", seen[3]);
            let issuer = did("hospital");
            let completed =
                Event::BatchCompleted { issuer, registered: 1, refused: 0, repeated: 3 };
            assert_eq!(seen[4], completed);
        });
    }
}

#[test]
fn a_history_that_says_another_beginning_than_the_receipt_does_not_verify() {
    let mut head = None;
    let state = run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        head = Bills::<Test>::get(key(1));
    });
    let record = indexed(&state, &index::history_key(&key(1), 1)).expect("it was indexed");
    let records = [VersionRecord::decode(&mut &record[..]).expect("it is a record")];
    let mut head = head.expect("it was registered");
    assert_eq!(history::verify(&head, &records), Ok(()));
    head.receipt.extrinsic = 9;
    assert_eq!(history::verify(&head, &records), Err(history::HistoryProblem::OtherHead));
}

/// Clients compute the hash themselves.
#[test]
fn the_content_hash_is_fixed() {
    let hex: String = bill(1).content_hash().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "a4dd32463d9351f8471adb2951593edfffadccd13654f85d7091ae7e759567ca");
}
