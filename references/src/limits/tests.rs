use super::*;

const LIMITS: Limits = Limits { per_second: 10, burst: 100, per_day: 250 };
const NOW: u64 = 20_000 * DAY_MS;

#[test]
fn a_burst_is_followed_by_the_rate() {
    let mut meter = Meter::new(LIMITS, NOW, 0);
    assert_eq!(meter.take(NOW, 100), Ok(()));
    assert_eq!(meter.take(NOW, 1), Err(Refusal::Rate { per_second: 10, after_s: 1 }));
    assert_eq!(meter.take(NOW, 50), Err(Refusal::Rate { per_second: 10, after_s: 5 }));
    assert_eq!(meter.take(NOW + 1000, 11), Err(Refusal::Rate { per_second: 10, after_s: 1 }));
    assert_eq!(meter.take(NOW + 1000, 10), Ok(()));
    assert_eq!(meter.take(NOW, 1), Err(Refusal::Rate { per_second: 10, after_s: 1 }));
    assert_eq!(meter.take(NOW, 101), Err(Refusal::Burst { burst: 100, found: 101 }));
    assert_eq!(meter.take(NOW + 3_600_000, 100), Ok(()), "no more than a burst gathers");
    assert!(meter.take(NOW + 3_600_000, 1).is_err());
}

#[test]
fn a_day_has_its_bound_and_begins_anew() {
    let mut meter = Meter::new(LIMITS, NOW, 200);
    assert_eq!(meter.take(NOW, 50), Ok(()));
    let day = Refusal::Day { per_day: 250, after_s: 86_340 };
    assert_eq!(meter.take(NOW + 60_000, 1), Err(day));
    assert_eq!(day.after_s(), 86_340);
    assert_eq!(meter.take(NOW + DAY_MS, 100), Ok(()));
}

#[test]
fn a_code_is_good_once_and_memory_has_a_bound() {
    let mut meter = Meter::new(LIMITS, NOW, 0);
    assert_eq!(meter.remember(NOW, [1; 32]), Ok(()));
    assert_eq!(meter.remember(NOW + 2 * WINDOW_MS, [1; 32]), Err(Refusal::Replay));
    assert_eq!(meter.remember(NOW + 2 * WINDOW_MS + 1, [1; 32]), Ok(()));
    for n in 0..MAX_REMEMBERED as u32 + 10 {
        let mut code = [7; 32];
        code[..4].copy_from_slice(&n.to_be_bytes());
        let expected = if n < MAX_REMEMBERED as u32 - 1 { Ok(()) } else { Err(Refusal::Questions) };
        assert_eq!(meter.remember(NOW + 2 * WINDOW_MS + 2, code), expected, "{n}");
    }
    assert!(meter.order.len() <= MAX_REMEMBERED && meter.codes.len() == meter.order.len());
}
