//! Why a certificate is not printed.

use std::{io, path::PathBuf};

/// Why a certificate is not printed.
#[derive(Debug, thiserror::Error)]
pub enum Unprintable {
    /// What it says has no printed form.
    #[error(
        "the certificate says neither that a bill is there nor that it is not: only these two \
         have a printed form"
    )]
    Statement,
    /// It was checked from a checkpoint, and the page names the genesis alone.
    #[error(
        "the certificate was checked from block {block}: its printed form is for what was checked \
         from the genesis"
    )]
    Checkpoint {
        /// Number of the checkpoint.
        block: u32,
    },
    /// No font is where fonts usually are.
    #[error(
        "no Chinese font found: install one (on Debian: apt-get install fonts-noto-cjk, or \
         fonts-wqy-microhei), or name a file with --font. Looked for {}", list(.looked)
    )]
    NoFont {
        /// Files that are not there.
        looked: Vec<PathBuf>,
    },
    /// The font's file cannot be read.
    #[error("cannot read the font {}: {error}", .file.display())]
    Unread {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The font's file holds no font that can be used.
    #[error("{} is no font that can be used: {why}", .file.display())]
    NotAFont {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The font lacks a character that each printed certificate has.
    #[error(
        "the font {} lacks {character:?}: expected one with Chinese and Latin characters, such \
         as those of the Debian packages fonts-noto-cjk and fonts-wqy-microhei", .file.display()
    )]
    Lacks {
        /// The font's file.
        file: PathBuf,
        /// The first character that it lacks.
        character: char,
    },
    /// The PDF cannot be written.
    #[error("cannot make the PDF: {0}")]
    Pdf(String),
}

fn list(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}
