//! Writes pages as PDF 1.7, with the glyphs that they show and the certificate.

use crate::{
    Locator, Unprintable,
    font::{Face, Font},
    layout::{Ink, Mark, PAGE, Weight},
};
use fast_qr::{ECL, QRBuilder, QRCode};
use krilla::{
    Document,
    color::rgb,
    embed::{AssociationKind, EmbeddedFile, MimeType},
    geom::{Path, PathBuilder, Point, Rect},
    metadata::Metadata,
    page::PageSettings,
    paint::{Fill, Stroke},
    surface::Surface,
    text::{GlyphId, KrillaGlyph},
};

/// Light modules around a QR code, by its standard.
const BORDER: usize = 4;

/// The PDF of these pages.
pub(crate) fn write(
    pages: &[Vec<Mark>],
    locator: &Locator,
    certificate: &[u8],
    font: &Font,
    face: &Face<'_>,
) -> Result<Vec<u8>, Unprintable> {
    let mut document = Document::new();
    document.set_metadata(metadata(locator));
    document
        .embed_file(attachment(locator, certificate))
        .ok_or_else(|| Unprintable::Pdf("the certificate cannot be attached".to_owned()))?;
    let pen = Pen { face, font: font.embedded()?, code: Some(code(locator)?) };
    written(document, pages, pen)
}

/// The PDF of pages without a certificate.
pub(crate) fn write_plain(
    pages: &[Vec<Mark>],
    title: &str,
    font: &Font,
    face: &Face<'_>,
) -> Result<Vec<u8>, Unprintable> {
    let mut document = Document::new();
    let metadata = Metadata::new().title(title.to_owned()).creator("BillChain".to_owned());
    document.set_metadata(metadata.language("zh-CN".to_owned()));
    written(document, pages, Pen { face, font: font.embedded()?, code: None })
}

fn written(
    mut document: Document,
    pages: &[Vec<Mark>],
    mut pen: Pen<'_>,
) -> Result<Vec<u8>, Unprintable> {
    let size = PageSettings::from_wh(PAGE.0, PAGE.1)
        .ok_or_else(|| Unprintable::Pdf("a page of A4 cannot be made".to_owned()))?;
    for marks in pages {
        let mut page = document.start_page_with(size.clone());
        let mut surface = page.surface();
        for mark in marks {
            pen.draw(&mut surface, mark)?;
        }
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|error| Unprintable::Pdf(error.to_string()))
}

fn code(locator: &Locator) -> Result<QRCode, Unprintable> {
    let built = QRBuilder::new(locator.to_string()).ecl(ECL::M).build();
    built.map_err(|error| Unprintable::Pdf(error.to_string()))
}

fn metadata(locator: &Locator) -> Metadata {
    let Locator { code, number, block, .. } = locator;
    Metadata::new()
        .title(format!("财政电子票据链上凭证 {code}-{number}, {}", block.number))
        .description("Certificate of a fiscal electronic bill".to_owned())
        .creator("BillChain".to_owned())
        .language("zh-CN".to_owned())
}

/// The certificate as a file within the PDF, stored as it is: so that `attached` finds it
/// without reading PDF.
fn attachment(locator: &Locator, certificate: &[u8]) -> EmbeddedFile {
    let Locator { code, number, block, .. } = locator;
    EmbeddedFile {
        path: format!("{code}-{number}-{}.bcpf", block.number),
        mime_type: MimeType::new("application/octet-stream"),
        description: Some("链上凭证 Certificate".to_owned()),
        association_kind: AssociationKind::Source,
        data: certificate.to_vec().into(),
        modification_date: None,
        compress: Some(false),
        location: None,
    }
}

/// What draws marks.
struct Pen<'a> {
    face: &'a Face<'a>,
    font: krilla::text::Font,
    /// The QR code of a certificate.
    code: Option<QRCode>,
}

impl Pen<'_> {
    fn draw(&mut self, surface: &mut Surface<'_>, mark: &Mark) -> Result<(), Unprintable> {
        match mark {
            Mark::Text { x, y, size, weight, ink, text } => {
                let bold =
                    Stroke { paint: colour(*ink).into(), width: size / 40.0, ..Stroke::default() };
                surface.set_fill(Some(filled(*ink)));
                surface.set_stroke((*weight == Weight::Bold).then_some(bold));
                let glyphs = self.glyphs(text)?;
                let start = Point::from_xy(*x, *y);
                surface.draw_glyphs(start, &glyphs, self.font.clone(), text, *size, false);
            }
            Mark::Area { x, y, width, height, ink } => {
                let path = Rect::from_xywh(*x, *y, *width, *height).and_then(|area| {
                    let mut path = PathBuilder::new();
                    path.push_rect(area);
                    path.finish()
                });
                fill(surface, path, *ink);
            }
            Mark::Code { x, y, side } => fill(surface, self.modules(*x, *y, *side), Ink::Black),
        }
        Ok(())
    }

    fn glyphs(&self, text: &str) -> Result<Vec<KrillaGlyph>, Unprintable> {
        text.char_indices()
            .map(|(at, character)| {
                let (glyph, advance) = self.face.glyph(character)?;
                let range = at..at + character.len_utf8();
                let glyph = GlyphId::new(glyph.to_u32());
                Ok(KrillaGlyph::new(glyph, advance, 0.0, 0.0, 0.0, range, None))
            })
            .collect()
    }

    /// The dark modules of the QR code, those in a row beside each other as one area.
    fn modules(&self, x: f32, y: f32, side: f32) -> Option<Path> {
        let code = self.code.as_ref()?;
        let module = side / (code.size + 2 * BORDER) as f32;
        let mut path = PathBuilder::new();
        for row in 0..code.size {
            let dark: Vec<bool> = code[row].iter().map(|module| module.value()).collect();
            let mut start = 0;
            for run in dark.chunk_by(|left, right| left == right) {
                if run[0] {
                    path.push_rect(Rect::from_xywh(
                        x + (BORDER + start) as f32 * module,
                        y + (BORDER + row) as f32 * module,
                        run.len() as f32 * module,
                        module,
                    )?);
                }
                start += run.len();
            }
        }
        path.finish()
    }
}

fn fill(surface: &mut Surface<'_>, path: Option<Path>, ink: Ink) {
    surface.set_fill(Some(filled(ink)));
    surface.set_stroke(None);
    if let Some(path) = path {
        surface.draw_path(&path);
    }
}

fn filled(ink: Ink) -> Fill {
    Fill { paint: colour(ink).into(), ..Fill::default() }
}

fn colour(ink: Ink) -> rgb::Color {
    match ink {
        Ink::Black => rgb::Color::new(0x10, 0x10, 0x10),
        Ink::Grey => rgb::Color::new(0x58, 0x58, 0x58),
        Ink::Red => rgb::Color::new(0x9c, 0x1c, 0x1c),
        Ink::Line => rgb::Color::new(0xc4, 0xbc, 0xb4),
        Ink::Shade => rgb::Color::new(0xf5, 0xf2, 0xee),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_locator_makes_a_code_that_is_read_from_paper() {
        let hash = "F".repeat(64);
        let text = format!("BILLCHAIN:CERT:1:{hash}:99999999-9999999999:4294967295:{hash}:{hash}");
        let locator: Locator = text.parse().unwrap();
        // 0.7 mm a module, in the 45 mm of the page.
        assert_eq!(code(&locator).unwrap().size, 53);
    }
}
