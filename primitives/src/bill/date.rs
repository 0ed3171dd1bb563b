//! Printed dates and times, in UTC+8.

use super::InvalidField;
use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

macro_rules! calendar_newtype {
    ($(#[$doc:meta])* $name:ident, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, MaxEncodedLen, TypeInfo,
            Serialize,
        )]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The value, if it is a real one.
            pub fn new(number: u32) -> Result<Self, InvalidField> {
                let check: fn(u32) -> bool = $check;
                if check(number) {
                    Ok(Self(number))
                } else {
                    Err(InvalidField {
                        field: stringify!($name),
                        expected: $rule,
                        found: number.to_string(),
                    })
                }
            }

            /// The decimal digits as a number.
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl Decode for $name {
            fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
                Self::new(u32::decode(input)?)
                    .map_err(|_| concat!(stringify!($name), ": expected ", $rule).into())
            }
        }
        impl DecodeWithMemTracking for $name {}

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::new(u32::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

calendar_newtype!(
    /// 开票日期 as the number `yyyymmdd`, in UTC+8.
    IssueDate, "a real date as yyyymmdd from 20000101 to 29991231",
    |n| {
        let (year, month, day) = (n / 10_000, n / 100 % 100, n % 100);
        (2000..3000).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
    }
);

calendar_newtype!(
    /// 开票时间 as the number `hhmmss`, in UTC+8.
    IssueTime, "a time of day as hhmmss",
    |n| n / 10_000 < 24 && n / 100 % 100 < 60 && n % 100 < 60
);

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

impl IssueDate {
    /// Days since 1970-01-01.
    pub const fn days(self) -> u64 {
        // Howard Hinnant's `days_from_civil`, for years after 1970 only.
        let (y, m, d) = (self.0 as u64 / 10_000, self.0 as u64 / 100 % 100, self.0 as u64 % 100);
        let y = if m <= 2 { y - 1 } else { y };
        let era = y / 400;
        let year_of_era = y % 400;
        let month = if m > 2 { m - 3 } else { m + 9 };
        let day_of_year = (153 * month + 2) / 5 + d - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// Days since 1970-01-01 of the moment `ms`, as a calendar in UTC+8 counts
    /// them.
    pub const fn days_of_moment(ms: u64) -> u64 {
        ms.saturating_add(8 * 3_600_000) / 86_400_000
    }
}
