//! Reports: tables of figures on pages of A4, with a bar for each line's share.

use crate::{
    Font, Unprintable,
    font::Face,
    layout::{BOTTOM, Ink, LEFT, Mark, PAGE, RIGHT, TOP, WIDTH, Weight, finished},
    pdf, text,
};

/// Most lines of a report, over all its tables.
const MOST: usize = 2_000;
/// Longest text of a cell, in characters.
const LONGEST: usize = 64;
/// Height of a line, and sizes of text.
const LINE: f32 = 15.0;
const SMALL: f32 = 8.0;

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it is, in Chinese.
    pub title: String,
    /// The same in English.
    pub english: String,
    /// Where its figures come from; stands at the foot of each page.
    pub foot: String,
    /// Its tables.
    pub sections: Vec<Section>,
}

/// A table of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it shows, in Chinese.
    pub heading: String,
    /// The same in English.
    pub english: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its lines: a cell a column, and the share of the whole in thousandths, drawn as a bar.
    pub rows: Vec<(Vec<String>, Option<u16>)>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub title: String,
    /// Its width in thousandths of the page's.
    pub width: u16,
    /// Whether its cells are numbers, which stand at the right.
    pub is_number: bool,
}

impl Report {
    /// The report as a PDF file. The same report and the same font give the same bytes.
    ///
    /// # Errors
    /// If the font cannot be used.
    pub fn print(&self, font: &Font) -> Result<Vec<u8>, Unprintable> {
        let face = font.face()?;
        let mut setter = Setter { face: &face, pages: vec![Vec::new()], y: TOP };
        setter.title(self);
        let mut left = MOST;
        for section in &self.sections {
            setter.section(section, &mut left);
        }
        setter.feet(self);
        let pages = finished(setter.pages, &face)?;
        pdf::write_plain(&pages, &self.title, font, &face)
    }
}

/// Puts one thing below the other.
struct Setter<'a> {
    face: &'a Face<'a>,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

impl Setter<'_> {
    fn put(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn text(&mut self, x: f32, y: f32, (size, weight, ink): (f32, Weight, Ink), text: &str) {
        let text = self.shown(text);
        self.put(Mark::Text { x, y, size, weight, ink, text });
    }

    fn shown(&self, text: &str) -> String {
        text::shown(text, |character| self.face.has(character))
    }

    fn line(&mut self) {
        self.put(Mark::Area { x: LEFT, y: self.y, width: WIDTH, height: 0.5, ink: Ink::Line });
    }

    fn title(&mut self, report: &Report) {
        let y = self.y;
        for (text, size, below, ink) in
            [(&report.title, 18.0, 18.0, Ink::Red), (&report.english, 10.0, 34.0, Ink::Grey)]
        {
            let shown = self.shown(text);
            let x = (PAGE.0 - self.face.width(&shown, size)) / 2.0;
            self.text(x, y + below, (size, Weight::Regular, ink), text);
        }
        self.put(Mark::Area { x: LEFT, y: y + 44.0, width: WIDTH, height: 1.6, ink: Ink::Red });
        self.y = y + 56.0;
    }

    fn section(&mut self, section: &Section, left: &mut usize) {
        self.room(4.0 * LINE);
        let y = self.y + 14.0;
        self.text(LEFT, y, (11.0, Weight::Bold, Ink::Red), &section.heading);
        let beside = LEFT + self.face.width(&section.heading, 11.0) + 8.0;
        self.text(beside, y, (SMALL, Weight::Regular, Ink::Grey), &section.english);
        self.y += 20.0;
        self.heads(section);
        for (cells, share) in &section.rows {
            if *left == 0 {
                self.text(
                    LEFT,
                    self.y + 11.0,
                    (SMALL, Weight::Regular, Ink::Grey),
                    "其余从略 Further lines are left out",
                );
                self.y += LINE;
                break;
            }
            *left -= 1;
            if self.room(LINE) {
                self.heads(section);
            }
            self.row(section, cells, *share);
        }
        self.y += 12.0;
    }

    /// Begins another page if so much does not fit on this one.
    fn room(&mut self, height: f32) -> bool {
        let full = self.y + height > BOTTOM;
        if full {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
        full
    }

    fn heads(&mut self, section: &Section) {
        self.put(Mark::Area { x: LEFT, y: self.y, width: WIDTH, height: LINE, ink: Ink::Shade });
        let mut x = LEFT;
        for column in &section.columns {
            self.cell(x, column, &column.title, Weight::Bold);
            x += width(column);
        }
        self.y += LINE;
        self.line();
    }

    fn row(&mut self, section: &Section, cells: &[String], share: Option<u16>) {
        let mut x = LEFT;
        for (column, cell) in section.columns.iter().zip(cells) {
            self.cell(x, column, cell, Weight::Regular);
            x += width(column);
        }
        if let Some(share) = share {
            let most = RIGHT - x - 8.0;
            let reach = most * f32::from(share.min(1000)) / 1000.0;
            if reach > 0.0 {
                self.put(Mark::Area {
                    x: x + 8.0,
                    y: self.y + 4.0,
                    width: reach,
                    height: 7.0,
                    ink: Ink::Red,
                });
            }
        }
        self.y += LINE;
        self.line();
    }

    fn cell(&mut self, x: f32, column: &Column, text: &str, weight: Weight) {
        let mut shown: String = self.shown(text).chars().take(LONGEST).collect();
        let room = width(column) - 8.0;
        if self.face.width(&shown, SMALL) > room {
            while !shown.is_empty() && self.face.width(&shown, SMALL) + SMALL > room {
                shown.pop();
            }
            shown.push('…');
        }
        let start = if column.is_number {
            x + width(column) - 4.0 - self.face.width(&shown, SMALL)
        } else {
            x + 4.0
        };
        let y = self.y + 10.8;
        self.put(Mark::Text { x: start, y, size: SMALL, weight, ink: Ink::Black, text: shown });
    }

    fn feet(&mut self, report: &Report) {
        let (all, y) = (self.pages.len(), PAGE.1 - 26.0);
        let foot = self.shown(&report.foot);
        let face = self.face;
        for (page, at) in self.pages.iter_mut().zip(1_usize..) {
            let count = format!("第 {at} 页，共 {all} 页 · Page {at} of {all}");
            let right = RIGHT - face.width(&count, 7.0);
            for (x, text) in [(LEFT, foot.clone()), (right, count)] {
                page.push(Mark::Text {
                    x,
                    y,
                    size: 7.0,
                    weight: Weight::Regular,
                    ink: Ink::Grey,
                    text,
                });
            }
        }
    }
}

fn width(column: &Column) -> f32 {
    WIDTH * f32::from(column.width.min(1000)) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rows: usize) -> Report {
        let column =
            |title: &str, width, is_number| Column { title: title.to_owned(), width, is_number };
        let row = |at: usize| {
            let cells = vec![
                format!("第一人民医院\u{202e}{}", "长".repeat(at % 90)),
                "¥1,234,567.89".to_owned(),
            ];
            (cells, Some(u16::try_from(at % 1200).unwrap()))
        };
        Report {
            title: "财政电子票据月报 2025年3月".to_owned(),
            english: "Fiscal electronic bills, March 2025".to_owned(),
            foot: "区块 block 12".to_owned(),
            sections: vec![Section {
                heading: "按开票单位".to_owned(),
                english: "By issuer".to_owned(),
                columns: vec![column("开票单位", 400, false), column("金额", 200, true)],
                rows: (0..rows).map(row).collect(),
            }],
        }
    }

    #[test]
    fn a_report_is_a_pdf_and_the_same_one_each_time() {
        let font = Font::find().unwrap();
        let one = report(200).print(&font).unwrap();
        assert!(one.starts_with(b"%PDF-1."));
        assert_eq!(one, report(200).print(&font).unwrap());
        assert_ne!(one, report(201).print(&font).unwrap());
    }

    #[test]
    fn lines_are_bounded_and_an_empty_report_prints() {
        let font = Font::find().unwrap();
        let most = report(MOST).print(&font).unwrap();
        let more = report(4 * MOST).print(&font).unwrap();
        assert!(more.len() < most.len() + 4096, "{} {}", more.len(), most.len());
        assert!(report(0).print(&font).unwrap().len() > 500);
    }
}
