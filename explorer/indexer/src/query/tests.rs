use super::*;

#[test]
fn conditions_number_their_values() {
    let mut conditions = Where::default();
    assert_eq!(conditions.text(), "1 = 1");
    conditions.equal("issuer", Some(7_i64));
    conditions.equal::<i64>("holder", None);
    conditions.and("(day, id) < (?, ?)", [Value::from(3_i64), Value::from(4_i64)]);
    assert_eq!(conditions.text(), "issuer = $1 AND (day, id) < ($2, $3)");
    assert_eq!(conditions.values.len(), 3);
}

#[test]
fn cursors_and_limits_are_checked() {
    let page = |cursor: Option<&str>, limit| PageRequest {
        cursor: cursor.map(str::to_owned),
        limit,
        upwards: false,
    };
    assert_eq!(page(Some("3.-4"), 1).after::<2>().unwrap(), Some([3, -4]));
    assert_eq!(page(None, 1).after::<2>().unwrap(), None);
    for wrong in ["", "3", "3.4.5", "x.4", "3.4;DROP TABLE bills"] {
        let error = page(Some(wrong), 1).after::<2>().unwrap_err().to_string();
        assert!(error.starts_with("cursor: expected"), "{error}");
    }
    assert!(page(None, 0).limit().is_err() && page(None, 1_001).limit().is_err());
    assert_eq!(page(None, 1_000).limit().unwrap(), 1_000);
}

#[test]
fn a_page_has_a_next_one_if_there_is_one_more_row() {
    let rows = |count: usize| (0..count).map(|at| (at, at.to_string())).collect::<Vec<_>>();
    assert_eq!(page_of(rows(3), 2), Page { items: vec![0, 1], next: Some("1".into()) });
    assert_eq!(page_of(rows(2), 2).next, None);
    assert_eq!(page_of(rows(0), 2).items, Vec::<usize>::new());
}
