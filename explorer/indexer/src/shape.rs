//! How blocks, transactions, bills and days stand in the tables: as numbers.

use billchain_primitives::{BillCode, BillKey, BillNumber, IssueDate, Moment};

/// Bits of a transaction's number that are its place in the block.
const PLACE_BITS: u32 = 20;
/// The place of what a block does by itself.
pub const NO_PLACE: i64 = (1 << PLACE_BITS) - 1;
/// Numbers of a code.
const NUMBERS: i64 = 10_000_000_000;

/// Number of the transaction at a place of a block; of what the block does by itself without one.
pub fn tx_id(block: u32, place: Option<u32>) -> i64 {
    let place = place.map_or(NO_PLACE, |place| i64::from(place).min(NO_PLACE));
    (i64::from(block) << PLACE_BITS) | place
}

/// The block of a transaction's or an event's number.
pub fn block_of(id: i64) -> u32 {
    u32::try_from(id >> PLACE_BITS).unwrap_or_default()
}

/// The place in its block; none for what the block does by itself.
pub fn place_of(id: i64) -> Option<u32> {
    let place = id & NO_PLACE;
    (place != NO_PLACE).then(|| u32::try_from(place).unwrap_or_default())
}

/// A bill as a number of 18 digits.
pub fn bill_id(key: &BillKey) -> i64 {
    let digits = |bytes: &[u8]| {
        bytes.iter().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit.saturating_sub(b'0')))
    };
    digits(key.code.as_bytes()) * NUMBERS + digits(key.number.as_bytes())
}

/// The bill of such a number; `None`: it is none.
pub fn bill_key(id: i64) -> Option<BillKey> {
    if id < 0 {
        return None;
    }
    let (code, number) = (id / NUMBERS, id % NUMBERS);
    let code: BillCode = format!("{code:08}").parse().ok()?;
    let number: BillNumber = format!("{number:010}").parse().ok()?;
    Some(BillKey { code, number })
}

/// A code as a number.
pub fn code_id(code: &BillCode) -> i64 {
    code.as_str().parse().unwrap_or_default()
}

/// First and last number of a bill of the code.
pub fn ids_of_code(code: &BillCode) -> (i64, i64) {
    let first = code_id(code) * NUMBERS;
    (first, first + NUMBERS - 1)
}

/// 行政区划, 分类 and 种类 of a bill's code: two digits each.
pub fn parts_of(id: i64) -> (i64, i64, i64) {
    let code = id / NUMBERS;
    (code / 1_000_000, code / 10_000 % 100, code / 100 % 100)
}

/// The day of a moment, yyyymmdd in UTC+8.
pub fn day_of(moment: Moment) -> i64 {
    let (year, month, day) = civil(IssueDate::days_of_moment(moment));
    year * 10_000 + month * 100 + day
}

/// The month of a moment, yyyymm in UTC+8.
pub fn month_of(moment: Moment) -> i64 {
    day_of(moment) / 100
}

/// Howard Hinnant's `civil_from_days`, for days after 1970.
fn civil(days: u64) -> (i64, i64, i64) {
    let days = i64::try_from(days).unwrap_or(i64::MAX / 2) + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The first eight bytes of a hash as a number, which indices use.
pub fn short(hash: &[u8]) -> i64 {
    hash.first_chunk::<8>().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

/// A sum of money in two columns: high * 10^9 + low.
const LOW: i128 = 1_000_000_000;

/// The two columns of an amount.
pub fn split(amount: i128) -> (i64, i64) {
    let high = i64::try_from(amount.div_euclid(LOW)).unwrap_or(i64::MAX);
    let low = i64::try_from(amount.rem_euclid(LOW)).unwrap_or_default();
    (high, low)
}

/// The amount of two columns, which may be sums.
pub fn join(high: i64, low: i64) -> i128 {
    i128::from(high) * LOW + i128::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bills_are_numbers_and_back() {
        for (code, number) in
            [("31060126", "0000000101"), ("00000000", "0000000000"), ("99999999", "9999999999")]
        {
            let key = BillKey { code: code.parse().unwrap(), number: number.parse().unwrap() };
            assert_eq!(bill_key(bill_id(&key)), Some(key));
        }
        assert_eq!(bill_key(-1), None);
        assert_eq!(bill_key(i64::MAX), None);
        assert_eq!(parts_of(310_601_260_000_000_101), (31, 6, 1));
    }

    #[test]
    fn transactions_are_numbers_in_the_order_of_the_chain() {
        assert_eq!(block_of(tx_id(7, Some(3))), 7);
        assert_eq!(place_of(tx_id(7, Some(3))), Some(3));
        assert_eq!(place_of(tx_id(7, None)), None);
        assert!(tx_id(7, None) < tx_id(8, Some(0)) && tx_id(7, Some(9)) < tx_id(7, None));
        assert_eq!(block_of(tx_id(u32::MAX, None)), u32::MAX);
    }

    #[test]
    fn days_are_those_of_beijing() {
        // 2026-11-23T16:00:00Z is midnight of the 24th in UTC+8.
        assert_eq!(day_of(1_795_449_600_000), 20_261_124);
        assert_eq!(day_of(1_795_449_600_000 - 1), 20_261_123);
        assert_eq!(month_of(0), 197_001);
        for date in [20_000_229_u32, 20_241_231, 20_270_101, 21_000_301] {
            let days = IssueDate::new(date).unwrap().days();
            let (year, month, day) = civil(days);
            assert_eq!(year * 10_000 + month * 100 + day, i64::from(date));
        }
    }

    #[test]
    fn sums_of_money_stand_in_two_columns() {
        for amount in [0, 1, -1, 999_999_999, 1_000_000_000, -1_000_000_001, 99_999_999_999_999] {
            let (high, low) = split(amount);
            assert_eq!(join(high, low), amount);
            assert!((0..1_000_000_000).contains(&low));
        }
        // Columns that were added up, not normalised.
        let parts = [split(-5), split(7), split(-3)];
        let (high, low) = parts.iter().fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        assert_eq!(join(high, low), -1);
    }
}
