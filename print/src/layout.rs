//! Sets a sheet on pages of A4: where each text, line and area stands.
//!
//! Lengths are points (1/72 inch), from the top left corner.

use crate::{
    Unprintable,
    font::Face,
    sheet::{Both, Field, Row, Sheet},
    wrap::wrapped,
};

/// Width and height of A4.
pub(crate) const PAGE: (f32, f32) = (595.28, 841.89);

/// Where the text begins and ends.
pub(crate) const LEFT: f32 = 48.0;
pub(crate) const RIGHT: f32 = PAGE.0 - LEFT;
pub(crate) const TOP: f32 = 44.0;
pub(crate) const BOTTOM: f32 = PAGE.1 - 46.0;
pub(crate) const WIDTH: f32 = RIGHT - LEFT;

/// Widths of the label's column, and of the left value's where there are two.
const LABEL: f32 = 104.0;
const HALF: f32 = WIDTH / 2.0;

/// Sizes of text.
const VALUE: f32 = 8.5;
const CHINESE: f32 = 8.0;
const ENGLISH: f32 = 6.5;

/// Height of a table's line, and of each further line of a value.
const LINE: f32 = 15.0;
const MORE: f32 = 11.0;

/// Width and height of the QR code, its light border included: 45 mm.
const QR: f32 = 127.5;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Text.
    Black,
    /// English beside Chinese.
    Grey,
    /// Title and headings.
    Red,
    /// Lines of the table.
    Line,
    /// What is behind labels.
    Shade,
}

/// How thick a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

/// What stands on a page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    /// A text on its base line.
    Text { x: f32, y: f32, size: f32, weight: Weight, ink: Ink, text: String },
    /// A filled rectangle.
    Area { x: f32, y: f32, width: f32, height: f32, ink: Ink },
    /// The QR code, a square.
    Code { x: f32, y: f32, side: f32 },
}

/// The pages of a sheet, each with its marks in the order in which they are drawn.
///
/// # Errors
/// If the font lacks a character.
pub(crate) fn pages(sheet: &Sheet, face: &Face<'_>) -> Result<Vec<Vec<Mark>>, Unprintable> {
    let mut setter = Setter { face, pages: vec![Vec::new()], y: TOP };
    setter.title(&sheet.title);
    setter.verdict(&sheet.verdict);
    for (at, row) in sheet.rows.iter().enumerate() {
        setter.row(row, sheet.rows.get(at + 1));
    }
    setter.closing(sheet);
    setter.footers(sheet);
    finished(setter.pages, face)
}

/// Pages as they are drawn: what is behind others comes first.
///
/// # Errors
/// If the font lacks a character.
pub(crate) fn finished(
    mut pages: Vec<Vec<Mark>>,
    face: &Face<'_>,
) -> Result<Vec<Vec<Mark>>, Unprintable> {
    let behind = |mark: &Mark| !matches!(mark, Mark::Area { ink: Ink::Shade, .. });
    pages.iter_mut().for_each(|page| page.sort_by_key(behind));
    for mark in pages.iter().flatten() {
        if let Mark::Text { text, .. } = mark {
            text.chars().try_for_each(|character| face.glyph(character).map(|_| ()))?;
        }
    }
    Ok(pages)
}

/// Puts one thing below the other.
struct Setter<'a> {
    face: &'a Face<'a>,
    pages: Vec<Vec<Mark>>,
    /// Where the next thing begins.
    y: f32,
}

/// How a text looks.
#[derive(Clone, Copy)]
struct Style(f32, Weight, Ink);

impl Setter<'_> {
    fn put(&mut self, mark: Mark) {
        // There is a first page from the beginning.
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn text(&mut self, x: f32, y: f32, Style(size, weight, ink): Style, text: &str) {
        self.put(Mark::Text { x, y, size, weight, ink, text: text.to_owned() });
    }

    fn centred(&mut self, y: f32, style: Style, text: &str) {
        let x = (PAGE.0 - self.face.width(text, style.0)) / 2.0;
        self.text(x, y, style, text);
    }

    fn area(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), ink: Ink) {
        self.put(Mark::Area { x, y, width, height, ink });
    }

    fn wrapped(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        wrapped(text, width, |character| self.face.advance(character) * size)
    }

    /// Begins another page if so much does not fit on this one.
    fn make_room(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.pages.push(Vec::new());
            self.y = TOP;
            self.area((LEFT, self.y), (WIDTH, 0.5), Ink::Line);
        }
    }

    fn title(&mut self, title: &Both) {
        let y = self.y;
        self.centred(y + 18.0, Style(20.0, Weight::Bold, Ink::Red), &title.chinese);
        self.centred(y + 34.0, Style(10.5, Weight::Regular, Ink::Grey), &title.english);
        self.area((LEFT, y + 44.0), (WIDTH, 1.6), Ink::Red);
        self.area((LEFT, y + 47.2), (WIDTH, 0.5), Ink::Red);
        self.y = y + 58.0;
    }

    /// The sentence that says what the chain holds.
    fn verdict(&mut self, verdict: &Both) {
        let y = self.y;
        self.area((LEFT, y), (WIDTH, 40.0), Ink::Shade);
        self.area((LEFT, y), (3.0, 40.0), Ink::Red);
        let x = LEFT + 14.0;
        self.text(x, y + 17.5, Style(13.0, Weight::Bold, Ink::Black), &verdict.chinese);
        self.text(x, y + 32.0, Style(9.0, Weight::Regular, Ink::Black), &verdict.english);
        self.y = y + 46.0;
    }

    fn row(&mut self, row: &Row, next: Option<&Row>) {
        match row {
            Row::Heading(heading) => {
                // A heading stands on the page of the line below it.
                self.make_room(20.0 + next.map_or(0.0, |next| self.height(next)));
                let y = self.y + 14.5;
                self.text(LEFT, y, Style(10.0, Weight::Bold, Ink::Red), &heading.chinese);
                let x = LEFT + self.face.width(&heading.chinese, 10.0) + 6.0;
                self.text(x, y, Style(8.0, Weight::Regular, Ink::Grey), &heading.english);
                self.y += 19.5;
                self.area((LEFT, self.y), (WIDTH, 0.5), Ink::Line);
            }
            Row::One(field) => self.fields(&[field], WIDTH),
            Row::Two([left, right]) => self.fields(&[left, right], HALF),
        }
    }

    /// How high a line of the table becomes.
    fn height(&self, row: &Row) -> f32 {
        match row {
            Row::Heading(_) => 20.0,
            Row::One(field) => self.field_height(field, WIDTH),
            Row::Two(fields) => {
                fields.iter().map(|field| self.field_height(field, HALF)).fold(LINE, f32::max)
            }
        }
    }

    fn field_height(&self, field: &Field, width: f32) -> f32 {
        LINE + MORE * (self.value(field, width).len() as f32 - 1.0)
    }

    fn value(&self, field: &Field, width: f32) -> Vec<String> {
        self.wrapped(&field.value, VALUE, width - LABEL - 12.0)
    }

    fn fields(&mut self, fields: &[&Field], width: f32) {
        let heights = fields.iter().map(|field| self.field_height(field, width));
        let height = heights.fold(LINE, f32::max);
        self.make_room(height);
        let y = self.y;
        let mut x = LEFT;
        for field in fields {
            self.area((x, y + 0.5), (LABEL, height - 0.5), Ink::Shade);
            let Both { chinese, english } = &field.label;
            self.text(x + 5.0, y + 10.8, Style(CHINESE, Weight::Regular, Ink::Black), chinese);
            let reach = self.face.width(english, ENGLISH);
            let style = Style(ENGLISH, Weight::Regular, Ink::Grey);
            self.text(x + LABEL - 5.0 - reach, y + 10.8, style, english);
            for (line, at) in self.value(field, width).iter().zip(0_u8..) {
                let y = y + 10.9 + MORE * f32::from(at);
                self.text(x + LABEL + 6.0, y, Style(VALUE, Weight::Regular, Ink::Black), line);
            }
            x += width;
        }
        self.y = y + height;
        self.area((LEFT, self.y), (WIDTH, 0.5), Ink::Line);
    }

    /// The QR code with its text, and beside it what is proved and how it is checked.
    fn closing(&mut self, sheet: &Sheet) {
        let locator = self.wrapped(&sheet.locator, 6.0, WIDTH);
        let left = LEFT + QR + 12.0;
        let (notes, height) = self.notes(sheet, RIGHT - left);
        let beside = f32::max(height, QR) + 8.0;
        self.make_room(8.0 + beside + 8.0 * locator.len() as f32);
        let top = self.y + 8.0;
        self.put(Mark::Code { x: LEFT, y: top, side: QR });
        for (x, y, style, text) in notes {
            self.text(left + x, top + y, style, &text);
        }
        self.y = top + beside;
        for line in locator {
            self.text(LEFT, self.y, Style(6.0, Weight::Regular, Ink::Grey), &line);
            self.y += 8.0;
        }
    }

    /// The notes within a width, each line from the left and from the top, and their height.
    fn notes(&self, sheet: &Sheet, width: f32) -> (Vec<(f32, f32, Style, String)>, f32) {
        let mut lines = Vec::new();
        let mut y = 9.0;
        for (heading, note) in &sheet.notes {
            let beside = self.face.width(&heading.chinese, 8.5) + 5.0;
            let style = Style(7.0, Weight::Regular, Ink::Grey);
            lines.push((0.0, y, Style(8.5, Weight::Bold, Ink::Red), heading.chinese.clone()));
            lines.push((beside, y, style, heading.english.clone()));
            y += 10.5;
            for (text, size, step, ink) in
                [(&note.chinese, 7.2, 9.6, Ink::Black), (&note.english, 6.4, 8.0, Ink::Grey)]
            {
                for line in self.wrapped(text, size, width) {
                    lines.push((0.0, y, Style(size, Weight::Regular, ink), line));
                    y += step;
                }
            }
            y += 4.0;
        }
        let style = Style(7.5, Weight::Regular, Ink::Black);
        lines.push((0.0, y - 1.0, style, COMMAND.to_owned()));
        (lines, y)
    }

    fn footers(&mut self, sheet: &Sheet) {
        let all = self.pages.len();
        let y = PAGE.1 - 26.0;
        let face = self.face;
        for (page, at) in self.pages.iter_mut().zip(1_usize..) {
            let count = format!("第 {at} 页，共 {all} 页 · Page {at} of {all}");
            let right = RIGHT - face.width(&count, 7.0);
            for (x, text) in [(LEFT, sheet.foot.clone()), (right, count)] {
                let (weight, ink) = (Weight::Regular, Ink::Grey);
                page.push(Mark::Text { x, y, size: 7.0, weight, ink, text });
            }
            let (x, y, width, height) = (LEFT, PAGE.1 - 36.0, WIDTH, 0.5);
            page.push(Mark::Area { x, y, width, height, ink: Ink::Line });
        }
    }
}

/// How a printed certificate is checked.
const COMMAND: &str = "billchain verify FILE.pdf --genesis HASH";
