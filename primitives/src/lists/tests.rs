use super::*;

fn key(code: &str, number: &str) -> BillKey {
    BillKey { code: code.parse().unwrap(), number: number.parse().unwrap() }
}

#[test]
fn a_place_names_its_bill_and_places_sort_as_date_code_and_number_do() {
    let mut bills = vec![
        (20_260_101, "00000000", "0000000000"),
        (20_260_101, "00000000", "9999999999"),
        (20_260_101, "00000001", "0000000000"),
        (20_260_101, "31060125", "0000000101"),
        (20_260_101, "99999999", "9999999999"),
        (20_260_102, "00000000", "0000000000"),
    ];
    let place_of = |(date, code, number): &(u32, &str, &str)| {
        place(IssueDate::new(*date).unwrap(), &key(code, number))
    };
    for bill in &bills {
        let (date, code, number) = *bill;
        let found = at(&place_of(bill)).unwrap();
        assert_eq!(found, (IssueDate::new(date).unwrap(), key(code, number)));
        assert!(place_of(bill)[..] >= start_of(found.0)[..]);
    }
    let places: Vec<_> = bills.iter().map(place_of).collect();
    assert!(places.is_sorted());
    bills.sort();
    assert_eq!(bills.iter().map(place_of).collect::<Vec<_>>(), places);
}

#[test]
fn what_is_no_place_is_no_bill() {
    let place = place(IssueDate::new(20_260_101).unwrap(), &key("31060125", "0000000101"));
    let mut no_date = place;
    no_date[..4].copy_from_slice(&20_261_301_u32.to_be_bytes());
    let mut too_many_digits = place;
    too_many_digits[4..].copy_from_slice(&1_000_000_000_000_000_000_u64.to_be_bytes());
    for bytes in [&place[..11], &[&place[..], &[0]].concat(), &no_date, &too_many_digits, &[]] {
        assert_eq!(at(bytes), None, "{bytes:?}");
    }
}

/// The keys lie in every node's database.
#[test]
fn the_form_of_the_entries_is_fixed() {
    let hex = |bytes: Vec<u8>| hex::encode(bytes);
    let did: Did = "did:bill:hospital".parse().unwrap();
    assert_eq!(hex(by_issuer(&did)), "6c692f446469643a62696c6c3a686f73706974616c");
    assert_eq!(hex(by_holder(&did)), "6c682f446469643a62696c6c3a686f73706974616c");
    assert_eq!(hex(by_payer(&[0xab; 32])), "6c702fabababababababab");
    let statuses: Vec<_> = BillStatus::ALL.map(by_status).map(hex).to_vec();
    let expected: Vec<_> = (0..7).map(|index| format!("6c732f{index:02x}")).collect();
    assert_eq!(statuses, expected);
    let place = place(IssueDate::new(20_260_101).unwrap(), &key("31060125", "0000000101"));
    // 20260101 and 310601250000000101.
    assert_eq!(hex(place.to_vec()), "01352505044f7a30f50ad465");
}
