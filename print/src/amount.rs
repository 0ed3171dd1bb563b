//! Amounts in yuan: in figures, and in the capital numerals of documents (大写金额).

/// 10^8, 亿.
const YI: u64 = 100_000_000;

/// 10^4, 万.
const WAN: u64 = 10_000;

/// An amount in fen as yuan: `¥1,234.56`, `-¥0.05`.
pub(crate) fn yuan(fen: i64) -> String {
    let magnitude = fen.unsigned_abs();
    let digits = (magnitude / 100).to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}¥{grouped}.{:02}", magnitude % 100)
}

/// An amount in fen in capital numerals, by the rules for vouchers (支付结算办法 附一):
/// `人民币壹仟贰佰叁拾肆元伍角陆分`; with 负 in front of a negative one.
pub(crate) fn capital(fen: i64) -> String {
    let magnitude = fen.unsigned_abs();
    let (yuan, jiao, fens) = (magnitude / 100, magnitude / 10 % 10, magnitude % 10);
    let mut text = String::from(if fen < 0 { "人民币负" } else { "人民币" });
    if yuan > 0 || magnitude == 0 {
        text += &number(yuan);
        text.push('元');
    }
    match (jiao, fens) {
        (0, 0) => text.push('整'),
        (0, _) if yuan > 0 => text.push('零'),
        (0, _) => {}
        (jiao, _) => {
            text += numeral(jiao);
            text.push('角');
        }
    }
    if fens > 0 {
        text += numeral(fens);
        text.push('分');
    }
    text
}

fn number(value: u64) -> String {
    if value >= YI {
        return joined(&number(value / YI), "亿", value % YI, YI / 10);
    }
    if value >= WAN {
        return joined(&thousands(value / WAN), "万", value % WAN, WAN / 10);
    }
    thousands(value)
}

/// What is above a unit, the unit, and the rest, with 零 where the rest does not reach the
/// place below the unit.
fn joined(above: &str, unit: &str, rest: u64, place: u64) -> String {
    let gap = if rest < place { "零" } else { "" };
    if rest == 0 { format!("{above}{unit}") } else { format!("{above}{unit}{gap}{}", number(rest)) }
}

/// A number below 10^4.
fn thousands(value: u64) -> String {
    let mut text = String::new();
    let mut gap = false;
    for (place, unit) in [(1000, "仟"), (100, "佰"), (10, "拾"), (1, "")] {
        let digit = value / place % 10;
        if digit == 0 {
            gap = !text.is_empty();
            continue;
        }
        if gap {
            text.push('零');
            gap = false;
        }
        text += numeral(digit);
        text += unit;
    }
    if text.is_empty() { numeral(0).to_owned() } else { text }
}

const fn numeral(digit: u64) -> &'static str {
    match digit {
        1 => "壹",
        2 => "贰",
        3 => "叁",
        4 => "肆",
        5 => "伍",
        6 => "陆",
        7 => "柒",
        8 => "捌",
        9 => "玖",
        _ => "零",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_vouchers_write_them() {
        for (fen, figures, capitals) in [
            (0, "¥0.00", "人民币零元整"),
            (5, "¥0.05", "人民币伍分"),
            (-77, "-¥0.77", "人民币负柒角柒分"),
            (120, "¥1.20", "人民币壹元贰角"),
            (123_456, "¥1,234.56", "人民币壹仟贰佰叁拾肆元伍角陆分"),
            // The examples of the rules.
            (140_950, "¥1,409.50", "人民币壹仟肆佰零玖元伍角"),
            (600_714, "¥6,007.14", "人民币陆仟零柒元壹角肆分"),
            (168_032, "¥1,680.32", "人民币壹仟陆佰捌拾元叁角贰分"),
            (10_700_053, "¥107,000.53", "人民币壹拾万柒仟元伍角叁分"),
            (1_640_902, "¥16,409.02", "人民币壹万陆仟肆佰零玖元零贰分"),
            (32_504, "¥325.04", "人民币叁佰贰拾伍元零肆分"),
            (100_000_000, "¥1,000,000.00", "人民币壹佰万元整"),
            (1_000_000_100, "¥10,000,001.00", "人民币壹仟万零壹元整"),
            (10_000_000_500, "¥100,000,005.00", "人民币壹亿零伍元整"),
            (10_001_000_000, "¥100,010,000.00", "人民币壹亿零壹万元整"),
            (
                99_999_999_999_999,
                "¥999,999,999,999.99",
                "人民币玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
            ),
            (
                i64::MIN,
                "-¥92,233,720,368,547,758.08",
                "人民币负玖亿贰仟贰佰叁拾叁万柒仟贰佰零叁亿陆仟捌佰伍拾肆万柒仟柒佰伍拾捌元零捌分",
            ),
        ] {
            assert_eq!(yuan(fen), figures);
            assert_eq!(capital(fen), capitals, "{figures}");
        }
    }
}
