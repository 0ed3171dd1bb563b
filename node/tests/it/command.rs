//! The binary as a command that ends.

use crate::network::PASSWORD_ENV;
use std::{
    ffi::OsStr,
    fmt,
    fs::File,
    io::{Read, Seek},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_billchain");

/// Longest a command may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of a command.
pub struct Outcome {
    command: String,
    /// Exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `billchain` to its end.
pub fn billchain<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Outcome {
    let mut command = Command::new(BINARY);
    command.args(arguments);
    finish(command)
}

/// Runs a command of the binary to its end.
pub fn finish(mut command: Command) -> Outcome {
    command.env_remove(PASSWORD_ENV);
    let (mut stdout, mut stderr) = (scratch(), scratch());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone().unwrap())
        .stderr(stderr.try_clone().unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        sleep(Duration::from_millis(10));
    };
    let outcome = Outcome {
        command: format!("{command:?}"),
        code: status.and_then(|status| status.code()),
        stdout: contents(&mut stdout),
        stderr: contents(&mut stderr),
    };
    assert!(status.is_some(), "still running after {PATIENCE:?}: {outcome}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome}");
    outcome
}

fn scratch() -> File {
    tempfile::tempfile().unwrap()
}

fn contents(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(f, "{command}\nexit code {code:?}\nstdout: {stdout}\nstderr: {stderr}")
    }
}

impl Outcome {
    /// The standard output of a command that succeeded.
    pub fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{self}");
        self.stdout
    }

    /// That the command ended with this code and an error with these words.
    pub fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self}");
        for word in words {
            assert!(self.stderr.contains(word), "\"{word}\" is not in the error: {self}");
        }
    }
}
