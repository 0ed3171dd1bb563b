//! Why the operating system refused: told apart from damage, so that nobody
//! moves a sound database away because a limit is too low.
//!
//! RocksDB and QMDB give text; the words in it are the C library's and do not
//! depend on the locale, since nothing here sets one.

use std::{fmt, io};

/// Why the operating system refused what the store asked of it. Stored data are
/// as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemCause {
    /// The disk, or the user's quota, is full.
    DiskFull,
    /// The process, or the machine, has too many files open.
    TooManyFiles,
    /// The user may not do this here.
    Denied,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The disk gave an error.
    DiskFailing,
    /// The file would become larger than the process may write.
    FileTooLarge,
}

impl SystemCause {
    /// What the C library says of each.
    const WORDS: [(&'static str, Self); 8] = [
        ("No space left on device", Self::DiskFull),
        ("Disk quota exceeded", Self::DiskFull),
        ("Too many open files", Self::TooManyFiles),
        ("Permission denied", Self::Denied),
        ("Operation not permitted", Self::Denied),
        ("Read-only file system", Self::ReadOnly),
        ("Input/output error", Self::DiskFailing),
        ("File too large", Self::FileTooLarge),
    ];

    /// The cause that `text` names, if it names one.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(words, _)| text.contains(words)).map(|(_, cause)| cause)
    }

    /// The cause of a refused call.
    pub(crate) fn of_error(error: &io::Error) -> Option<Self> {
        Self::of_text(&error.to_string())
    }

    /// What to do about it.
    fn remedy(self) -> &'static str {
        match self {
            Self::DiskFull => "free some space",
            Self::TooManyFiles => {
                "raise the limit of open files (`ulimit -n`, LimitNOFILE of a systemd unit)"
            }
            Self::Denied => "let the node's user read and write there",
            Self::ReadOnly => "look in the kernel's log why it is mounted read-only",
            Self::DiskFailing => "look in the kernel's log what the disk reports",
            Self::FileTooLarge => "raise the limit of a file's size (`ulimit -f`)",
        }
    }
}

/// What to do, and that nothing was lost.
impl fmt::Display for SystemCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and start again; the database is not damaged", self.remedy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_operating_system_are_told_by_their_words() {
        for (number, cause) in [
            (28, Some(SystemCause::DiskFull)),
            (122, Some(SystemCause::DiskFull)),
            (23, Some(SystemCause::TooManyFiles)),
            (24, Some(SystemCause::TooManyFiles)),
            (13, Some(SystemCause::Denied)),
            (1, Some(SystemCause::Denied)),
            (30, Some(SystemCause::ReadOnly)),
            (5, Some(SystemCause::DiskFailing)),
            (27, Some(SystemCause::FileTooLarge)),
            (2, None),
        ] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(SystemCause::of_error(&error), cause, "{error}");
        }
    }
}
