//! Going over from one release to another: how a node ends that does not have the
//! rules of the next block, and what a release consists of.
//!
//! A release is a directory with the program and a manifest, which lists its files
//! with their SM3. The council schedules a release by the SM3 of its manifest.

use crate::{config::Config, durable, text_files};
use anyhow::{Context, Error, Result, bail, ensure};
use billchain_chain_spec::SpecError;
use billchain_executor::{ChainError, OtherRules};
use billchain_primitives::{Hash, sm3};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Exit code of a node that does not have the rules of the next block.
pub(crate) const OTHER_RULES: u8 = 76;
/// Name of a release's manifest in its directory.
pub(crate) const MANIFEST: &str = "manifest";
/// Name of a release's program in its directory.
pub(crate) const PROGRAM: &str = "billchain";
/// Files of a release, at most.
const MAX_FILES: usize = 1_024;

/// The release that a data directory needs next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Needed {
    /// Its rules.
    pub(crate) rules: u32,
    /// The block that it makes first.
    pub(crate) height: u32,
    /// SM3 of its manifest, if the council scheduled it.
    pub(crate) manifest: Option<Hash>,
}

impl Needed {
    /// What an error asks for, if it is that the release has other rules, and the
    /// words for it.
    pub(crate) fn of(error: &Error) -> Option<(Self, String)> {
        error.chain().find_map(|cause| {
            if let Some(ChainError::OtherRules(other)) = cause.downcast_ref() {
                let OtherRules { height, needed, manifest, .. } = *other;
                return Some((Self { rules: needed, height, manifest }, other.to_string()));
            }
            match cause.downcast_ref() {
                Some(other @ SpecError::OtherRules { needed, .. }) => {
                    let needed = Self { rules: *needed, height: 0, manifest: None };
                    Some((needed, other.to_string()))
                }
                _ => None,
            }
        })
    }

    fn path(config: &Config) -> PathBuf {
        config.data_dir.join("release.json")
    }

    /// What the last run that ended so has written.
    pub(crate) fn read(config: &Config) -> Result<Option<Self>> {
        let path = Self::path(config);
        if !path.exists() {
            return Ok(None);
        }
        let text = text_files::read_text(&path, "the release that is needed")?;
        let needed = serde_json::from_str(&text).with_context(|| {
            format!("{}: remove the file to begin with the newest release", path.display())
        })?;
        Ok(Some(needed))
    }

    /// Writes it durably, whole or not at all.
    pub(crate) fn write(&self, config: &Config) -> Result<()> {
        let path = Self::path(config);
        durable::replace(&path, serde_json::to_string(self)?.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The manifest of the files in `directory`: a line for each with its SM3 in hex, two
/// spaces and its name, in the order of names, as `sm3sum` and `sha256sum` print.
pub(crate) fn manifest(directory: &Path) -> Result<String> {
    let mut names = Vec::new();
    let read = || format!("cannot read {}", directory.display());
    for entry in fs::read_dir(directory).with_context(read)? {
        let entry = entry.with_context(read)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            bail!("{}: a file's name is no text: {name:?}", directory.display());
        };
        ensure!(
            entry.file_type()?.is_file() && !name.contains(char::is_whitespace),
            "{}: expected files with names without white space, found {name:?}",
            directory.display()
        );
        if name != MANIFEST {
            names.push(name.to_owned());
        }
        ensure!(names.len() <= MAX_FILES, "{}: more than {MAX_FILES} files", directory.display());
    }
    names.sort();
    ensure!(
        names.iter().any(|name| name == PROGRAM),
        "{}: a release has a program {PROGRAM}, found {names:?}",
        directory.display()
    );
    let mut lines = String::new();
    for name in names {
        let path = directory.join(&name);
        let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        lines += &format!("{}  {name}\n", hex::encode(sm3(&content)));
    }
    Ok(lines)
}

/// SM3 of a manifest.
pub(crate) fn digest(manifest: &str) -> Hash {
    sm3(manifest.as_bytes()).into()
}

/// Checks that a release is whole: its files are those of its manifest, and the
/// manifest is the one with this digest, if one is expected. Its digest.
pub(crate) fn check(directory: &Path, expected: Option<Hash>) -> Result<Hash> {
    let path = directory.join(MANIFEST);
    let written = text_files::read_text(&path, "the manifest")?;
    let found = digest(&written);
    if let Some(expected) = expected {
        ensure!(
            found == expected,
            "{}: its SM3 is {found:?}, the council scheduled {expected:?}",
            path.display()
        );
    }
    let is = manifest(directory)?;
    let differs = || {
        let known = |line: &&str| !written.lines().any(|other| other == *line);
        is.lines().find(known).unwrap_or("one that is listed is missing").to_owned()
    };
    ensure!(
        is == written,
        "{}: the files are not those of the manifest: {}",
        directory.display(),
        differs()
    );
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> (tempfile::TempDir, Hash) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(PROGRAM), "the program").unwrap();
        fs::write(directory.path().join("NOTES"), "what changed").unwrap();
        let written = manifest(directory.path()).unwrap();
        fs::write(directory.path().join(MANIFEST), &written).unwrap();
        (directory, digest(&written))
    }

    #[test]
    fn a_release_is_checked_file_by_file() {
        let (directory, expected) = release();
        assert_eq!(check(directory.path(), None).unwrap(), expected);
        assert_eq!(check(directory.path(), Some(expected)).unwrap(), expected);
        let other = check(directory.path(), Some(Hash::zero())).unwrap_err().to_string();
        assert!(other.contains("the council scheduled 0x0000"), "{other}");

        fs::write(directory.path().join(PROGRAM), "another program").unwrap();
        let changed = check(directory.path(), Some(expected)).unwrap_err().to_string();
        assert!(changed.contains(PROGRAM), "{changed}");
        fs::remove_file(directory.path().join(PROGRAM)).unwrap();
        let missing = check(directory.path(), Some(expected)).unwrap_err().to_string();
        assert!(missing.contains("a release has a program"), "{missing}");
    }

    #[test]
    fn a_manifest_is_what_sm3sum_prints() {
        let (directory, _) = release();
        let text = manifest(directory.path()).unwrap();
        let line = format!("{}  {PROGRAM}", hex::encode(sm3(b"the program")));
        assert_eq!(text.lines().last(), Some(&*line));
        assert!(text.ends_with('\n') && text.lines().count() == 2);
    }

    #[test]
    fn what_is_needed_is_found_in_an_error_and_read_again() {
        let other = OtherRules { height: 7, needed: 4, own: 3, manifest: Some(Hash::zero()) };
        let error = Error::from(ChainError::OtherRules(other)).context("consensus stopped");
        let (needed, words) = Needed::of(&error).unwrap();
        assert!(words.starts_with("block 7 is under rules 4"), "{words}");
        assert_eq!(needed, Needed { rules: 4, height: 7, manifest: Some(Hash::zero()) });
        let other = Error::from(SpecError::OtherRules { needed: 2, own: 3 });
        assert_eq!(Needed::of(&other).unwrap().0.rules, 2);
        assert_eq!(Needed::of(&Error::msg("a disk failed")), None);
    }
}
