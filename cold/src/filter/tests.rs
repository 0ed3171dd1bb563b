use super::*;
use crate::LocalFile;

fn shared(at: u64) -> Vec<u8> {
    format!("group {at:07}").into_bytes()
}

/// A filter of some groups, and its bytes.
fn made(groups: u64) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("some.filter");
    let mut filter = FilterWriter::new(groups, 7);
    (0..groups).for_each(|at| filter.add(&shared(at)));
    // It takes the place of what is there.
    fs::write(&path, b"old").unwrap();
    filter.write(&path, &[1; 32]).unwrap();
    Filter::open(LocalFile::open(&path).unwrap(), &[1; 32], None).unwrap();
    fs::read(&path).unwrap()
}

#[test]
fn it_has_every_group_and_one_in_a_hundred_of_others() {
    for groups in [0, 1, 700, 20_000] {
        let cache = Cache::new(1 << 20);
        let filter = Filter::open(made(groups), &[1; 32], Some(&cache)).unwrap();
        assert!((0..groups).all(|at| filter.may_have(&shared(at)).unwrap()), "{groups}");
        let others = groups..groups + 20_000;
        let passed = others.filter(|at| filter.may_have(&shared(*at)).unwrap()).count();
        assert!(passed < 400, "{passed} of {groups}");
        assert!(groups < 20_000 || passed > 50, "{passed}: it is not larger than it must be");
        let (found, missed) = cache.asked();
        assert!(found > 0 && missed <= filter.pages);
    }
}

#[test]
fn a_filter_has_ten_bits_a_group() {
    assert_eq!(made(20_000).len(), HEADER + PAGE * 200_000_usize.div_ceil(7_936));
}

#[test]
fn a_damaged_page_is_an_error_and_no_other_filter_is_taken() {
    let bytes = made(900);
    for at in (0..HEADER).chain((HEADER..bytes.len()).step_by(37)) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let opened = Filter::open(damaged, &[1; 32], None);
        if at < HEADER {
            assert!(matches!(opened, Err(ColdError::Damaged { .. })), "{at}");
            continue;
        }
        let filter = opened.unwrap();
        let mut refused = 0;
        for group in 0..900 {
            match filter.may_have(&shared(group)) {
                Ok(may_have) => assert!(may_have, "{at}"),
                Err(error) => {
                    assert!(matches!(error, ColdError::Damaged { .. }), "{error}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 0, "{at}");
    }
    for length in 0..bytes.len() {
        assert!(Filter::open(bytes[..length].to_vec(), &[1; 32], None).is_err(), "{length}");
    }
    let other = Filter::open(bytes, &[2; 32], None);
    assert!(matches!(other, Err(ColdError::Damaged { .. })));
}
