//! Days and moments of the Gregorian calendar, in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Days from 1970-01-01 to a date (Hinnant, `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The moment that a TOML date-time with an offset names; none without an offset or before
/// 1970.
pub(crate) fn moment(value: &toml::value::Datetime) -> Option<SystemTime> {
    let (date, time) = (value.date?, value.time?);
    let minutes = match value.offset? {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    let of_day =
        i64::from(time.hour) * 3_600 + i64::from(time.minute) * 60 + i64::from(time.second);
    let date = days(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let seconds = date * 86_400 + of_day - minutes * 60;
    Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Milliseconds since 1970.
pub(crate) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_with_its_offset_and_none_without() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-12-01T08:00:00+08:00", Some(1_796_083_200)),
            ("2026-12-01T00:00:00Z", Some(1_796_083_200)),
            ("2000-02-29T23:59:59Z", Some(951_868_799)),
            ("2026-12-01T00:00:00", None),
            ("2026-12-01", None),
            ("1969-12-31T23:59:59Z", None),
        ] {
            let value = text.parse().unwrap();
            let found = moment(&value).map(|time| millis(time) / 1_000);
            assert_eq!(found, expected, "{text}");
        }
    }
}
