//! Writes the seeds of every target into its corpus: for a change of an
//! encoding. Files of other names, such as inputs that once found a defect, stay.

use billchain_fuzz::{TARGETS, corpus_directory};
use std::{fs, io};

/// Largest file of the corpus; larger seeds are only made while testing.
const MAX_FILE: usize = 8 << 10;

fn main() -> io::Result<()> {
    for target in TARGETS {
        let directory = corpus_directory(target.name);
        fs::create_dir_all(&directory)?;
        for (at, seed) in (target.seeds)().iter().enumerate() {
            if seed.len() <= MAX_FILE {
                fs::write(directory.join(format!("seed-{at:02}")), seed)?;
            }
        }
    }
    Ok(())
}
