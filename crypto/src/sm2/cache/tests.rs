//! The memory of keys: bounds, promotion, and that it changes no verdict.

use super::*;
use crate::sm2::SecretKey;

fn key(number: usize) -> SecretKey {
    SecretKey::from_seed(&number.to_be_bytes())
}

fn verify(cache: &KeyCache, key: &SecretKey, times: u32) {
    let signature = key.sign(DEFAULT_ID, b"m").to_bytes();
    for _ in 0..times {
        let verdict = cache.verify(&key.public().to_compressed(), DEFAULT_ID, b"m", &signature);
        assert_eq!(verdict, Ok(()));
    }
}

#[test]
fn a_key_gets_a_table_after_enough_valid_signatures() {
    let cache = KeyCache::new(4);
    verify(&cache, &key(0), PROMOTE_AFTER - 1);
    assert_eq!(cache.stats(), KeyCacheStats { points: 1, tables: 0, table_bytes: 0 });
    verify(&cache, &key(0), 1);
    let stats = cache.stats();
    assert_eq!((stats.points, stats.tables), (0, 1));
    assert_eq!(stats.table_bytes, 37 * 64 * 64);
    verify(&cache, &key(0), 3);
    assert_eq!(cache.stats(), stats);
}

#[test]
fn tables_never_exceed_their_bound_and_the_longest_unused_goes() {
    let cache = KeyCache::new(3);
    for number in 0..8 {
        verify(&cache, &key(number), PROMOTE_AFTER);
        // Used between all others, key 0 stays.
        verify(&cache, &key(0), 1);
        assert!(cache.stats().tables <= 3);
        let zero = key(0).public().to_compressed();
        assert!(cache.tables.lock().as_ref().is_some_and(|tables| tables.contains(&zero)));
    }
    cache.set_tables(1);
    assert_eq!(cache.stats().tables, 1);
    verify(&cache, &key(1), PROMOTE_AFTER);
    assert_eq!(cache.stats().tables, 1);
    cache.set_tables(0);
    verify(&cache, &key(2), 2 * PROMOTE_AFTER);
    assert_eq!(cache.stats().tables, 0);
    cache.set_tables(2);
    verify(&cache, &key(3), PROMOTE_AFTER);
    assert_eq!(cache.stats().tables, 1);
}

#[test]
fn points_never_exceed_their_bound() {
    let cache = KeyCache::new(1);
    for number in 0..POINTS.get() + 100 {
        verify(&cache, &key(number), 1);
    }
    assert_eq!(cache.stats().points, POINTS.get());
}

#[test]
fn invalid_signatures_and_keys_leave_no_trace() {
    let cache = KeyCache::new(1);
    let public = key(0).public().to_compressed();
    let signature = key(1).sign(DEFAULT_ID, b"m").to_bytes();
    for _ in 0..2 * PROMOTE_AFTER {
        let verdict = cache.verify(&public, DEFAULT_ID, b"m", &signature);
        assert_eq!(verdict, Err(Error::SignatureMismatch));
        let verdict = cache.verify(&[5; 33], DEFAULT_ID, b"m", &signature);
        assert_eq!(verdict, Err(Error::PublicKeyEncoding));
    }
    assert_eq!(cache.stats(), KeyCacheStats { points: 0, tables: 0, table_bytes: 0 });
}

#[test]
fn the_verdict_is_the_same_before_and_after_promotion_and_for_every_id() {
    let cache = KeyCache::new(1);
    let (good, other) = (key(0), key(1));
    let public = good.public().to_compressed();
    for round in 0..2 * PROMOTE_AFTER {
        verify(&cache, &good, 1);
        let message = round.to_be_bytes();
        for id in [DEFAULT_ID, b"", b"another id"] {
            let ours = good.sign(id, &message).to_bytes();
            let theirs = other.sign(id, &message).to_bytes();
            assert_eq!(cache.verify(&public, id, &message, &ours), Ok(()));
            let mismatch = Err(Error::SignatureMismatch);
            assert_eq!(cache.verify(&public, id, b"n", &ours), mismatch);
            assert_eq!(cache.verify(&public, b"third", &message, &ours), mismatch);
            assert_eq!(cache.verify(&public, id, &message, &theirs), mismatch);
        }
        let long = vec![0; crate::sm2::MAX_ID_LEN + 1];
        let verdict =
            cache.verify(&public, &long, &message, &good.sign(DEFAULT_ID, b"m").to_bytes());
        assert_eq!(verdict, Err(Error::SignerIdTooLong { length: long.len() }));
    }
    assert_eq!(cache.stats().tables, 1);
}

#[test]
fn threads_share_it() {
    let cache = KeyCache::new(2);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..6).cycle().take(60).for_each(|n| verify(&cache, &key(n), 3)));
        }
    });
    assert!(cache.stats().tables <= 2);
}
