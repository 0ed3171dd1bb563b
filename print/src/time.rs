//! Dates and times as they are printed.

const DAY: u64 = 86_400;

/// China Standard Time, ahead of UTC in seconds.
const AHEAD: u64 = 8 * 3_600;

/// A time in milliseconds since 1970, in China Standard Time.
pub(crate) fn beijing(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000 + AHEAD;
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = (seconds % DAY / 3_600, seconds % 3_600 / 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} (UTC+8)")
}

/// An issue date (yyyymmdd) and time (hhmmss) of a bill.
pub(crate) fn issued(date: u32, time: u32) -> String {
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    let (hour, minute, second) = (time / 10_000, time / 100 % 100, time % 100);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of the Gregorian calendar, by the number of days since 1970-01-01.
///
/// Years begin in March here, so that the leap day is the last; 400 of them are an era.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (milliseconds, expected) in [
            (0, "1970-01-01 08:00:00 (UTC+8)"),
            (951_782_399_999, "2000-02-29 07:59:59 (UTC+8)"),
            (951_839_999_000, "2000-02-29 23:59:59 (UTC+8)"),
            (951_840_000_000, "2000-03-01 00:00:00 (UTC+8)"),
            (1_790_000_000_000, "2026-09-21 22:13:20 (UTC+8)"),
            (4_107_513_599_999, "2100-02-28 23:59:59 (UTC+8)"),
            (4_107_513_600_000, "2100-03-01 00:00:00 (UTC+8)"),
        ] {
            assert_eq!(beijing(milliseconds), expected);
        }
        assert!(beijing(u64::MAX).starts_with("584556019-"));
    }

    #[test]
    fn an_issue_date_is_split_and_not_judged() {
        assert_eq!(issued(20_261_130, 93_015), "2026-11-30 09:30:15");
        assert_eq!(issued(u32::MAX, u32::MAX), "429496-72-95 429496:72:95");
    }
}
