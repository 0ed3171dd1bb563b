//! Days and moments. A day is Beijing's (UTC+8), as the chain's bills have it.

use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400_000;
const EAST: i64 = 8 * 3_600_000;

/// Milliseconds since 1970 UTC.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a number is a day from 1900 on, `yyyymmdd`.
pub fn is_day(day: i64) -> bool {
    let (year, month, of_month) = (day / 10_000, day / 100 % 100, day % 100);
    (1900..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=length(year, month)).contains(&of_month)
}

/// Days of a month.
pub fn length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The moment at which a day `yyyymmdd` begins in Beijing.
pub fn start_of(day: i64) -> i64 {
    days_of(day / 10_000, day / 100 % 100, day % 100) * DAY - EAST
}

/// The moment at which the day after `yyyymmdd` begins in Beijing.
pub fn end_of(day: i64) -> i64 {
    start_of(day) + DAY
}

/// The day in Beijing at a moment, `yyyymmdd`.
pub fn day_at(moment: u64) -> i64 {
    let days = (i64::try_from(moment).unwrap_or(i64::MAX - EAST) + EAST).div_euclid(DAY);
    let (year, month, day) = civil(days);
    year * 10_000 + month * 100 + day
}

/// A moment in Beijing's time: `2025-03-18 09:30:00`.
pub fn beijing(moment: u64) -> String {
    let local = i64::try_from(moment).unwrap_or(i64::MAX - EAST) + EAST;
    let (year, month, day) = civil(local.div_euclid(DAY));
    let second = local.rem_euclid(DAY) / 1000;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Days since 1970 of a civil date (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The civil date so many days after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_fit() {
        assert!(is_day(20_240_229) && !is_day(20_230_229) && !is_day(20_231_301) && !is_day(0));
        // 2025-03-18 00:00 in Beijing.
        assert_eq!(start_of(20_250_318), 1_742_227_200_000);
        assert_eq!(day_at(1_742_227_200_000), 20_250_318);
        assert_eq!(day_at(1_742_227_199_999), 20_250_317);
        assert_eq!(beijing(1_742_227_261_000), "2025-03-18 00:01:01");
        for day in [19_700_101, 20_000_229, 20_991_231] {
            assert_eq!(day_at(u64::try_from(start_of(day).max(0)).unwrap()).max(19_700_101), day);
        }
    }
}
