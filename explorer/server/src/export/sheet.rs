//! Writes rows as CSV or XLSX. Both are written as the rows come: memory does not grow with them.

use super::Format;
use crate::{
    lists::{Cell, Column, Listing},
    time,
};
use rust_xlsxwriter::{Format as Look, Workbook, Worksheet, XlsxError};
use serde_json::Value;
use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::Path,
};
use tokio::sync::mpsc;

/// Writes the rows that come until there are no more.
pub(super) fn write(
    file: &Path,
    format: Format,
    listing: &Listing,
    rows: mpsc::Receiver<Vec<Value>>,
) -> io::Result<()> {
    match format {
        Format::Csv => csv(file, listing, rows),
        Format::Xlsx => xlsx(file, listing, rows).map_err(io::Error::other),
    }
}

fn csv(file: &Path, listing: &Listing, mut rows: mpsc::Receiver<Vec<Value>>) -> io::Result<()> {
    let mut out = BufWriter::new(File::create_new(file)?);
    out.write_all("\u{feff}".as_bytes())?;
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    out.write_record(listing.columns.iter().map(|column| column.title))?;
    while let Some(page) = rows.blocking_recv() {
        for row in page {
            out.write_record(listing.columns.iter().map(|column| shown(column, &row)))?;
        }
    }
    out.into_inner().map_err(|error| io::Error::other(error.to_string()))?.flush()
}

/// A cell as text. What a spreadsheet would take for a formula is marked as text.
fn shown(column: &Column, row: &Value) -> String {
    let value = field(row, column.field);
    match (column.cell, value) {
        (_, Value::Null) => String::new(),
        (Cell::Money, value) => value.as_i64().map(yuan).unwrap_or_default(),
        (Cell::Moment, value) => value.as_u64().map(time::beijing).unwrap_or_default(),
        (Cell::Day, value) => value.as_i64().map(day).unwrap_or_default(),
        (Cell::Number, Value::Number(number)) => number.to_string(),
        (_, value) => {
            let text = text(value);
            if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                format!("'{text}")
            } else {
                text
            }
        }
    }
}

fn xlsx(
    file: &Path,
    listing: &Listing,
    mut rows: mpsc::Receiver<Vec<Value>>,
) -> Result<(), XlsxError> {
    let mut book = Workbook::new();
    if let Some(folder) = file.parent() {
        book.set_tempdir(folder)?;
    }
    let (head, money) = (Look::new().set_bold(), Look::new().set_num_format("#,##0.00"));
    let sheet = book.add_worksheet_with_constant_memory()?;
    sheet.set_name(listing.title)?;
    sheet.set_freeze_panes(1, 0)?;
    for (column, at) in listing.columns.iter().zip(0_u16..) {
        sheet.set_column_width(at, width(column.cell))?;
    }
    for (column, at) in listing.columns.iter().zip(0_u16..) {
        sheet.write_string_with_format(0, at, column.title, &head)?;
    }
    let mut line = 1_u32;
    while let Some(page) = rows.blocking_recv() {
        for row in page {
            for (column, at) in listing.columns.iter().zip(0_u16..) {
                put(sheet, (line, at), column, &row, &money)?;
            }
            line += 1;
        }
    }
    book.save(file)
}

fn width(cell: Cell) -> f64 {
    match cell {
        Cell::Text | Cell::Moment => 22.0,
        Cell::Money => 16.0,
        Cell::Number | Cell::Day => 12.0,
    }
}

fn put(
    sheet: &mut Worksheet,
    (line, at): (u32, u16),
    column: &Column,
    row: &Value,
    money: &Look,
) -> Result<(), XlsxError> {
    let value = field(row, column.field);
    match (column.cell, value) {
        (_, Value::Null) => {}
        (Cell::Money, value) => {
            // Fourteen digits: a spreadsheet's number holds fifteen.
            #[allow(clippy::cast_precision_loss)]
            let amount = value.as_i64().unwrap_or_default() as f64 / 100.0;
            sheet.write_number_with_format(line, at, amount, money)?;
        }
        (Cell::Number, Value::Number(number)) if number.as_f64().is_some() => {
            sheet.write_number(line, at, number.as_f64().unwrap_or_default())?;
        }
        (Cell::Text, value) => {
            // Its own type says that it is text, and no formula. A cell holds 32,767 characters.
            let text: String = text(value).chars().take(32_000).collect();
            sheet.write_string(line, at, text)?;
        }
        _ => {
            sheet.write_string(line, at, shown(column, row))?;
        }
    }
    Ok(())
}

/// A field of a row; `a.b` goes into objects.
fn field<'a>(row: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(row, |value, name| value.get(name).unwrap_or(&Value::Null))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "是".to_owned(),
        Value::Bool(false) => "否".to_owned(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join("、"),
        value => value.to_string(),
    }
}

/// Fen as yuan: `-1234.05`.
pub(crate) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
}

/// `yyyymmdd` as `yyyy-mm-dd`.
fn day(day: i64) -> String {
    format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::{Name, listing};
    use serde_json::json;

    fn bill(at: u64) -> Value {
        json!({
            "code": "31060125", "number": format!("{at:010}"), "kind": "blue", "issue_date": 20_250_318,
            "total_fen": -12_305, "issuer": "=cmd|' /C calc'!A0", "issuer_name": "a,\"b\"", "scene": 1,
            "status": "normal", "version": 1, "holder": null, "reimbursed_fen": 0, "updated": 1_742_227_261_000_u64,
        })
    }

    fn written(format: Format, rows: u64) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out");
        let (sender, receiver) = mpsc::channel(100);
        for page in 0..rows.div_ceil(1000) {
            let page = (page * 1000..rows.min((page + 1) * 1000)).map(bill).collect();
            sender.try_send(page).unwrap();
        }
        drop(sender);
        write(&file, format, listing(Name::Bills), receiver).unwrap();
        std::fs::read(file).unwrap()
    }

    #[test]
    fn a_csv_has_a_line_a_row_and_no_formula() {
        let text = String::from_utf8(written(Format::Csv, 2)).unwrap();
        let lines: Vec<_> = text.trim_start_matches('\u{feff}').split("\r\n").collect();
        assert!(lines[0].starts_with("票据代码,票据号码,种类"), "{}", lines[0]);
        let expected = "31060125,0000000001,blue,2025-03-18,-123.05,'=cmd|' /C calc'!A0,\"a,\"\"b\"\"\",1,normal,1,,0.00,2025-03-18 00:01:01";
        assert_eq!(lines[2], expected);
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn an_xlsx_is_a_workbook() {
        let bytes = written(Format::Xlsx, 2500);
        assert_eq!(&bytes[..2], b"PK");
        assert!(bytes.windows(24).any(|window| window == b"xl/worksheets/sheet1.xml"));
    }

    #[test]
    fn money_is_yuan() {
        for (fen, shown) in
            [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (i64::MIN, "-92233720368547758.08")]
        {
            assert_eq!(yuan(fen), shown);
        }
    }
}
