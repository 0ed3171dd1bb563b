//! The font of printed certificates: a file of the machine.

use crate::Unprintable;
use krilla::Data;
use skrifa::{
    FontRef, GlyphId, MetadataProvider as _, charmap::Charmap, instance::LocationRef,
    instance::Size, metrics::GlyphMetrics, string::StringId,
};
use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where distributions put Chinese fonts, the ones that look best first.
const USUAL: [&str; 5] = [
    // Debian: fonts-noto-cjk, fonts-wqy-microhei.
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    // Fedora.
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    // Arch.
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
];

/// Longest font.
const MAX_BYTES: u64 = 64 << 20;

/// A font with Chinese characters: TrueType or OpenType, or a collection of such.
#[derive(Clone)]
pub struct Font {
    file: PathBuf,
    bytes: Arc<Vec<u8>>,
    index: u32,
}

impl Font {
    /// The font at the first of the places where fonts usually are.
    ///
    /// # Errors
    /// If there is none, or if the one found cannot be used.
    pub fn find() -> Result<Self, Unprintable> {
        Self::find_in(&USUAL.map(PathBuf::from))
    }

    fn find_in(places: &[PathBuf]) -> Result<Self, Unprintable> {
        match places.iter().find(|place| place.is_file()) {
            Some(place) => Self::read(place),
            None => Err(Unprintable::NoFont { looked: places.to_vec() }),
        }
    }

    /// The font in a file; of a collection the one for simplified Chinese, otherwise the first.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no font.
    pub fn read(file: &Path) -> Result<Self, Unprintable> {
        let unread = |error| Unprintable::Unread { file: file.to_owned(), error };
        let mut bytes = Vec::new();
        let opened = File::open(file).map_err(unread)?;
        opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(unread(ErrorKind::FileTooLarge.into()));
        }
        let simplified = FontRef::fonts(&bytes).position(|font| {
            font.is_ok_and(|font| {
                font.localized_strings(StringId::FAMILY_NAME)
                    .any(|name| name.to_string().ends_with(" SC"))
            })
        });
        let index = simplified.and_then(|index| u32::try_from(index).ok()).unwrap_or(0);
        let font = Self { file: file.to_owned(), bytes: Arc::new(bytes), index };
        font.face()?;
        Ok(font)
    }

    /// What characters look like in it.
    pub(crate) fn face(&self) -> Result<Face<'_>, Unprintable> {
        let font = FontRef::from_index(&self.bytes, self.index)
            .map_err(|error| self.unfit(error.to_string()))?;
        let metrics = font.metrics(Size::unscaled(), LocationRef::default());
        let charmap = font.charmap();
        if !charmap.has_map() || metrics.units_per_em == 0 {
            return Err(self.unfit("it has no characters".to_owned()));
        }
        Ok(Face {
            file: &self.file,
            charmap,
            metrics: font.glyph_metrics(Size::unscaled(), LocationRef::default()),
            units: f32::from(metrics.units_per_em),
        })
    }

    /// The font as the PDF's writer reads it.
    pub(crate) fn embedded(&self) -> Result<krilla::text::Font, Unprintable> {
        krilla::text::Font::new(Data::from(Arc::clone(&self.bytes)), self.index)
            .ok_or_else(|| self.unfit("it lacks tables that a PDF needs".to_owned()))
    }

    fn unfit(&self, why: String) -> Unprintable {
        Unprintable::NotAFont { file: self.file.clone(), why }
    }
}

/// The characters of a font.
pub(crate) struct Face<'a> {
    file: &'a Path,
    charmap: Charmap<'a>,
    metrics: GlyphMetrics<'a>,
    units: f32,
}

impl Face<'_> {
    /// Whether it has a character.
    pub(crate) fn has(&self, character: char) -> bool {
        self.glyph(character).is_ok()
    }

    /// The glyph of a character, and how far it reaches, in parts of the font's size.
    pub(crate) fn glyph(&self, character: char) -> Result<(GlyphId, f32), Unprintable> {
        let glyph = self.charmap.map(character).filter(|glyph| *glyph != GlyphId::NOTDEF);
        let glyph =
            glyph.ok_or_else(|| Unprintable::Lacks { file: self.file.to_owned(), character })?;
        Ok((glyph, self.metrics.advance_width(glyph).unwrap_or_default() / self.units))
    }

    /// How far a text reaches at a size, in points.
    pub(crate) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|character| self.advance(character)).sum::<f32>() * size
    }

    /// How far a character reaches, in parts of the font's size; nothing if there is none.
    pub(crate) fn advance(&self, character: char) -> f32 {
        self.glyph(character).map_or(0.0, |(_, advance)| advance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn without_a_font_the_error_says_what_to_install() {
        let error = Font::find_in(&["/nowhere/a.ttc".into()]).err().unwrap().to_string();
        for part in ["fonts-noto-cjk", "--font", "/nowhere/a.ttc"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn what_is_no_font_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("font.ttf");
        let error = |bytes: &[u8]| {
            fs::write(&file, bytes).unwrap();
            Font::read(&file).err().unwrap().to_string()
        };
        let whole = Font::find().unwrap();
        for bytes in [&b""[..], b"no font", &whole.bytes[..200], &[0; 4096]] {
            assert!(error(bytes).contains("is no font that can be used"), "{}", error(bytes));
        }
        let error = Font::read(folder.path()).err().unwrap().to_string();
        assert!(error.contains("cannot read the font"), "{error}");
    }

    #[test]
    fn no_damaged_font_stops_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("font.ttf");
        let whole = Font::find().unwrap().bytes;
        for at in (0..2_000).step_by(40) {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 0x55;
            fs::write(&file, &bytes).unwrap();
            if let Ok(font) = Font::read(&file) {
                let _ = font.face().map(|face| face.width("链上凭证", 10.0));
                let _ = font.embedded();
            }
        }
    }
}
