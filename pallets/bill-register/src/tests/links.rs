//! Links between bills and parties, their history and the index of a party.

use super::*;
use crate::{
    BillLinks, Link, LinkAct, LinkChange, LinkHistoryProblem, LinkRecord, Links, MAX_LINKS,
    PartyBill, Relation, record_key,
};
use billchain_primitives::{
    Did, Receipt, Stamp, SummaryField, SummaryFields,
    seams::{ParticipantProblem, TransitionProblem},
    sm3,
};

fn link(party: &str, relation: Relation) -> Call<Test> {
    Call::link_party { key: key(1), party: did(party), relation }
}

fn update(party: &str, relation: Relation, change: LinkChange) -> Call<Test> {
    Call::update_link { key: key(1), party: did(party), relation, change, reason: reason() }
}

fn links() -> Vec<(Did, Relation)> {
    let links = BillRegister::links(&key(1)).links;
    links.into_iter().map(|link| (link.party, link.relation)).collect()
}

fn records(state: &TestState) -> Vec<LinkRecord> {
    (1..)
        .map_while(|number| indexed(state, &record_key(&key(1), number)))
        .map(|bytes| LinkRecord::decode(&mut &bytes[..]).expect("it is a record"))
        .collect()
}

const AT: Stamp = Stamp { block: 1, extrinsic: Some(2), moment: NOW };

fn of_party(state: &TestState, party: &str, relation: Relation) -> Option<PartyBill> {
    let place = index::party_bill_key(&did(party), &AT, &key(1), relation as u8);
    let bytes = indexed(state, &place)?;
    let found = PartyBill::decode(&mut &bytes[..]).expect("it is one");
    assert_eq!(found, PartyBill { bill: key(1), relation, since: AT });
    Some(found)
}

#[test]
fn a_party_is_linked_gets_another_relation_and_is_let_go() {
    let mut stored = None;
    let state = run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert!(!BillLinks::<Test>::contains_key(key(1)), "no links cost nothing");
        assert_ok!(send(HOSPITAL, link("agent", Relation::PayerAgent)));
        assert_ok!(send(ADMIN, link("insurer", Relation::Insurer)));
        let operator = did("admin");
        let (key, party, relation) = (key(1), did("insurer"), Relation::Insurer);
        let linked = Event::PartyLinked { key, party, relation, operator };
        assert_eq!(events().last(), Some(&linked));
        assert_ok!(send(HOSPITAL, update("agent", Relation::PayerAgent, LinkChange::Ended)));
        let change = LinkChange::Relation(Relation::Claimant);
        assert_ok!(send(HOSPITAL, update("insurer", Relation::Insurer, change)));
        assert_eq!(
            events().last(),
            Some(&Event::LinkUpdated {
                key,
                party: did("insurer"),
                relation,
                change,
                reason: reason(),
                operator: did("hospital"),
            })
        );
        assert_eq!(links(), [(did("insurer"), Relation::Claimant)]);
        assert_eq!(Bills::<Test>::get(key).expect("registered").state.version, 1);
        stored = Some(BillRegister::links(&key));
    });
    let (stored, mut records) = (stored.expect("it ran"), records(&state));
    assert_eq!(stored.verify(&records), Ok(()));
    assert_eq!(records.len(), 4);
    assert_eq!((records[3].number, records[3].at), (4, AT));
    let act = LinkAct::Linked { party: did("agent"), relation: Relation::PayerAgent };
    assert_eq!((&records[0].act, &records[0].operator), (&act, &did("hospital")));
    assert_eq!(stored.verify(&records[..3]), Err(LinkHistoryProblem::Numbers));
    records[1].operator = did("somebody");
    assert_eq!(stored.verify(&records), Err(LinkHistoryProblem::OtherHash));

    assert!(of_party(&state, "insurer", Relation::Claimant).is_some());
    assert!(of_party(&state, "insurer", Relation::Insurer).is_none());
    assert!(of_party(&state, "agent", Relation::PayerAgent).is_none());
}

#[test]
fn a_party_may_stand_in_several_relations_and_in_each_once() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert_ok!(send(HOSPITAL, link("agent", Relation::PayerAgent)));
        assert_ok!(send(HOSPITAL, link("agent", Relation::Claimant)));
        let refused = Error::<Test>::AlreadyLinked;
        assert_noop!(send(HOSPITAL, link("agent", Relation::Claimant)), refused);
        for to in [Relation::Claimant, Relation::PayerAgent] {
            let change = update("agent", Relation::PayerAgent, LinkChange::Relation(to));
            assert_noop!(send(HOSPITAL, change), Error::<Test>::AlreadyLinked);
        }
        // One that was let go may come again.
        assert_ok!(send(HOSPITAL, update("agent", Relation::Claimant, LinkChange::Ended)));
        assert_ok!(send(HOSPITAL, link("agent", Relation::Claimant)));
    });
}

#[test]
fn refusals_around_links() {
    run(|| {
        assert_noop!(send(HOSPITAL, link("agent", Relation::Other)), Error::<Test>::BillNotFound);
        let ended = || update("agent", Relation::Other, LinkChange::Ended);
        assert_noop!(send(HOSPITAL, ended()), Error::<Test>::BillNotFound);
        assert_ok!(send(HOSPITAL, register(bill(1))));
        for (sender, refused) in [
            (INSURER, Error::<Test>::LinkForbidden),
            (CLINIC, Error::LinkForbidden),
            (STRANGER, Error::Sender(ParticipantProblem::NotFound)),
            (FROZEN, Error::Sender(ParticipantProblem::Frozen)),
        ] {
            let expected = Err(refused.into());
            assert_eq!(send(sender, link("agent", Relation::Other)), expected);
            assert_eq!(send(sender, ended()), expected);
        }
        for (party, refused) in [
            ("nobody", Error::<Test>::Party(ParticipantProblem::NotFound)),
            ("frozen", Error::Party(ParticipantProblem::Frozen)),
        ] {
            assert_noop!(send(HOSPITAL, link(party, Relation::Other)), refused);
        }
        assert_noop!(send(HOSPITAL, ended()), Error::<Test>::LinkNotFound);
        BillLinks::<Test>::mutate(key(1), |entry| entry.records = u32::MAX);
        assert_noop!(send(HOSPITAL, link("agent", Relation::Other)), ArithmeticError::Overflow);
    });
}

#[test]
fn links_of_a_bill_are_bounded() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        for number in 0..MAX_LINKS {
            assert_ok!(send(HOSPITAL, link(&format!("p-{number}"), Relation::Other)));
        }
        let more = || link("one-more", Relation::Other);
        assert_noop!(send(HOSPITAL, more()), Error::<Test>::TooManyLinks);
        let change = LinkChange::Relation(Relation::Insurer);
        assert_ok!(send(HOSPITAL, update("p-3", Relation::Other, change)));
        assert_ok!(send(HOSPITAL, update("p-3", Relation::Insurer, LinkChange::Ended)));
        assert_ok!(send(HOSPITAL, more()));
    });
}

#[test]
fn a_final_bill_gets_no_party_and_wrong_links_are_still_put_right() {
    run(|| {
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(1) }));
        assert_ok!(send(HOSPITAL, link("agent", Relation::PayerAgent)));
        assert_ok!(send(HOSPITAL, Call::void { key: key(1), reason: reason() }));
        let refused = Error::<Test>::Transition(TransitionProblem::FinalStatus);
        assert_noop!(send(HOSPITAL, link("insurer", Relation::Insurer)), refused);
        assert_ok!(send(HOSPITAL, update("agent", Relation::PayerAgent, LinkChange::Ended)));
    });
}

#[test]
fn a_red_bill_is_indexed_under_its_original() {
    let state = run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        let entry = history::Entry::reasoned(Operation::RedReverse, did("hospital"), reason());
        let red = BillSummary {
            kind: BillKind::Red,
            total: bill(1).total.negated(),
            related: Some(key(1)),
            ..bill(2)
        };
        assert_eq!(BillRegister::open(red, BillStatus::Normal, entry.clone()), Ok(()));
        let mut blue = Bills::<Test>::get(key(1)).expect("it was registered");
        blue.state.status = BillStatus::RedReversed;
        assert_ok!(BillRegister::advance(blue, entry));
    });
    assert_eq!(indexed(&state, &index::related_key(&key(1), &key(2))), Some(key(2).encode()));
}

/// Entries of the state and of the index are durable.
#[test]
fn the_forms_of_links_and_receipts_are_fixed() {
    let (party, relation) = (did("agent"), Relation::PayerAgent);
    let link = Link { party: party.clone(), relation, since: AT, operator: did("hospital") };
    let links =
        Links { links: vec![link].try_into().expect("one"), records: 1, history_hash: [7; 32] };
    let record = |number, act| LinkRecord { number, at: AT, operator: did("hospital"), act };
    let change = LinkChange::Relation(Relation::Other);
    let receipt = Receipt {
        operation: Operation::PreIssue,
        block: 100_000,
        extrinsic: 100,
        filled_in: SummaryFields::of(&[SummaryField::PdfHash]),
    };
    let forms = [
        links.encode(),
        record(1, LinkAct::Linked { party: party.clone(), relation }).encode(),
        record(2, LinkAct::Updated { party: party.clone(), relation, change, reason: reason() })
            .encode(),
        PartyBill { bill: key(1), relation, since: AT }.encode(),
        receipt.encode(),
        record_key(&key(1), 2),
        index::party_bill_key(&party, &AT, &key(1), 1),
        index::related_key(&key(1), &key(2)),
        crate::rule_set_key(Some(OUTPATIENT), 2),
    ];
    let hex: String = sm3(&forms.encode()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "747902d93cee47982f4a54c963b6b8d41fc174e6ae3d11a120dcecb2d071e197");
}

#[test]
fn try_state_finds_each_broken_link() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert_ok!(send(HOSPITAL, link("agent", Relation::Other)));
        let sound = BillRegister::links(&key(1));
        let mut unrecorded = sound.clone();
        unrecorded.records = 0;
        let mut twice = sound.clone();
        twice.records = 2;
        twice.links.try_push(sound.links[0].clone()).expect("there is room");
        for broken in [unrecorded, twice] {
            BillLinks::<Test>::insert(key(1), broken);
            assert!(BillRegister::do_try_state().is_err());
        }
        BillLinks::<Test>::insert(key(1), &sound);
        assert_ok!(BillRegister::do_try_state());
        BillLinks::<Test>::insert(key(9), &sound);
        assert!(BillRegister::do_try_state().is_err(), "links of no bill");
        BillLinks::<Test>::remove(key(9));
    });
}
