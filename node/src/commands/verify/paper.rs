//! Certificates on paper: taken out of a printed form, compared with one, and printed.

use anyhow::{Context, Result, ensure};
use billchain_print::{Font, Locator, Unprintable, attached, print};
use billchain_twin::from_json;
use billchain_verifier::{MAX_BYTES, Proved};
use clap::Args;
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// Longest printed certificate, and longest twin.
const MAX_PDF: usize = 16 << 20;

/// Options of what is on paper.
#[derive(Args)]
pub(crate) struct Options {
    /// Write the certificate's printed form, a PDF, if the certificate proves what it says.
    #[arg(long, value_name = "OUT.pdf")]
    pdf: Option<PathBuf>,
    /// The font of the printed form, with Chinese characters: .ttf, .otf or .ttc. Without it,
    /// one is looked for where Debian's fonts-noto-cjk and fonts-wqy-microhei put theirs.
    #[arg(long, value_name = "FILE", requires = "pdf")]
    font: Option<PathBuf>,
    /// The text of a printed certificate's QR code: refuse a certificate that it does not name.
    #[arg(long, value_name = "TEXT")]
    locator: Option<Locator>,
}

impl Options {
    /// What the certificate that was given on paper says otherwise than `certificate`, if any.
    ///
    /// # Errors
    /// If the certificate's statement has no printed form.
    pub(super) fn difference(
        &self,
        proved: &Proved<'_>,
        certificate: &[u8],
    ) -> Result<Option<&'static str>, Unprintable> {
        let Some(locator) = &self.locator else { return Ok(None) };
        Ok(Locator::of(proved, certificate)?.difference(locator))
    }

    /// Writes the printed form, if it is asked for.
    pub(super) fn print(&self, proved: &Proved<'_>, certificate: &[u8]) -> Result<()> {
        let Some(out) = &self.pdf else { return Ok(()) };
        let font = self.font.as_deref().map_or_else(Font::find, Font::read)?;
        let pdf = print(proved, certificate, &font)?;
        fs::write(out, pdf).with_context(|| format!("cannot write {}", out.display()))
    }
}

/// The certificate in a file: the file itself, the bytes of which it is the twin, or what is
/// attached to it if it is a PDF.
pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    let shown = file.display();
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(MAX_PDF as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {shown}"))?;
    if bytes.starts_with(b"%PDF-") {
        ensure!(bytes.len() <= MAX_PDF, "{shown} is longer than 16 MiB: expected a certificate");
        bytes = attached(&bytes).with_context(|| shown.to_string())?.to_vec();
    } else if bytes.starts_with(b"{") {
        bytes = from_json(&bytes).with_context(|| shown.to_string())?;
    }
    ensure!(bytes.len() <= MAX_BYTES, "{shown} is longer than 1 MiB: expected a certificate");
    Ok(bytes)
}
