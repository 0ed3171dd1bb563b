//! The report of a month (tender row 202): what was issued, reversed in red and reimbursed, by
//! class, region, scene, issuer and day, each with the year before.

use crate::{App, Refusal, api::figures::sums, export::yuan, time};
use billchain_print::{Column, Report, Section};
use serde_json::Value;
use tokio::task::spawn_blocking;

/// Issuers that are named.
const ISSUERS: usize = 100;

/// The report as a PDF; `scope` confines it to what that participant issued.
///
/// # Errors
/// If the index fails, or this machine has no font.
pub(crate) async fn of_month(
    app: &App,
    month: i64,
    scope: Option<&str>,
) -> Result<Vec<u8>, Refusal> {
    let font = app.nodes.font()?;
    let days = (month * 100 + 1, month * 100 + time::length(month / 100, month % 100));
    let (year, of_year) = (month / 100, month % 100);
    let mut sections = vec![whole(app, days, scope).await?];
    for (by, heading, english) in [
        ("class", "按分类", "By class"),
        ("region", "按行政区划", "By region"),
        ("scene", "按场景", "By scene"),
        ("status", "按状态", "By status"),
        ("issuer", "按开票单位", "By issuer"),
        ("day", "按日", "By day"),
    ] {
        let answer = sums(app, by, "issued", days, scope).await?;
        sections.push(table(&answer, heading, english));
    }
    let standing = app.index.standing();
    let foot = format!(
        "{} · 区块 block {} · {} · BillChain 财票链",
        standing.chain,
        standing.indexed,
        time::beijing(time::now())
    );
    let whose = scope.map_or_else(String::new, |did| format!(" · {did}"));
    let report = Report {
        title: format!("财政电子票据月报 {year}年{of_year}月{whose}"),
        english: format!("Fiscal electronic bills, {year}-{of_year:02}"),
        foot,
        sections,
    };
    let printed = spawn_blocking(move || report.print(&font)).await.map_err(Refusal::internal)?;
    printed.map_err(Refusal::internal)
}

/// What happened in the month, over all.
async fn whole(app: &App, days: (i64, i64), scope: Option<&str>) -> Result<Section, Refusal> {
    let mut rows = Vec::new();
    for (measure, name) in [
        ("issued", "开具 Issued"),
        ("red", "冲红 Reversed in red"),
        ("reimbursed", "报销入账 Reimbursed"),
    ] {
        let answer = sums(app, "month", measure, days, scope).await?;
        rows.push((cells(name, &answer["total"], &answer["total_before"]), None));
    }
    let heading = ("总览".to_owned(), "Over all".to_owned());
    Ok(Section { heading: heading.0, english: heading.1, columns: columns("项目"), rows })
}

fn table(answer: &Value, heading: &str, english: &str) -> Section {
    let all = answer["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let total = answer["total"]["fen"].as_i64().unwrap_or(0).max(1);
    let before = |key: &Value| {
        let before = answer["before"].as_array().map(Vec::as_slice).unwrap_or_default();
        before.iter().find(|row| row["key"] == *key).unwrap_or(&Value::Null)
    };
    let row = |row: &Value| {
        let key = row["key"].as_str().unwrap_or_default();
        let name =
            row["name"].as_str().map_or_else(|| key.to_owned(), |name| format!("{name} ({key})"));
        let share = i128::from(row["fen"].as_i64().unwrap_or(0).max(0)) * 1000 / i128::from(total);
        (cells(&name, row, before(&row["key"])), u16::try_from(share).ok())
    };
    Section {
        heading: heading.to_owned(),
        english: english.to_owned(),
        columns: columns("项目"),
        rows: all.iter().take(ISSUERS).map(row).collect(),
    }
}

fn columns(first: &str) -> Vec<Column> {
    let column =
        |title: &str, width, is_number| Column { title: title.to_owned(), width, is_number };
    vec![
        column(first, 340, false),
        column("张数", 110, true),
        column("金额（元）", 170, true),
        column("上年同期张数", 110, true),
        column("上年同期金额（元）", 170, true),
    ]
}

fn cells(name: &str, now: &Value, before: &Value) -> Vec<String> {
    let count = |row: &Value| {
        row["count"].as_i64().map_or_else(|| "—".to_owned(), |count| grouped(&count.to_string()))
    };
    let money =
        |row: &Value| row["fen"].as_i64().map_or_else(|| "—".to_owned(), |fen| grouped(&yuan(fen)));
    vec![name.to_owned(), count(now), money(now), count(before), money(before)]
}

/// A number with its digits in threes: `1,234,567.89`.
fn grouped(number: &str) -> String {
    let (sign, rest) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, part) = rest
        .split_once('.')
        .map_or((rest, String::new()), |(whole, part)| (whole, format!(".{part}")));
    let mut groups: Vec<&str> =
        whole.as_bytes().rchunks(3).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.reverse();
    format!("{sign}{}{part}", groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_have_their_digits_in_threes() {
        for (number, shown) in
            [("0", "0"), ("999", "999"), ("1000", "1,000"), ("-1234567.89", "-1,234,567.89")]
        {
            assert_eq!(grouped(number), shown);
        }
    }

    #[test]
    fn a_line_has_its_share_and_the_year_before() {
        let answer = json!({
            "rows": [{"key": "06", "name": null, "count": 3, "fen": 250}, {"key": "07", "count": 1, "fen": -5}],
            "before": [{"key": "06", "count": 1, "fen": 100}],
            "total": {"count": 4, "fen": 1000}, "total_before": null,
        });
        let section = table(&answer, "按分类", "By class");
        assert_eq!(
            section.rows[0],
            (vec!["06".into(), "3".into(), "2.50".into(), "1".into(), "1.00".into()], Some(250))
        );
        assert_eq!(section.rows[1].0[3], "—");
        assert_eq!(section.rows[1].1, Some(0));
    }
}
