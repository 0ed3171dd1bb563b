//! The machine that was measured on.

use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// What a figure is worth nothing without.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Model of the processor.
    pub(crate) cpu: String,
    /// Cores that processes may use.
    pub(crate) cores: usize,
    /// Memory, in MiB.
    pub(crate) memory_mib: u64,
    /// Kernel.
    pub(crate) kernel: String,
    /// File system of the nodes' directories.
    pub(crate) file_system: String,
    /// How this program was built.
    pub(crate) profile: String,
}

impl Machine {
    /// This machine; `data` is where nodes keep theirs.
    pub(crate) fn of(data: Option<&Path>) -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let memory_kib: u64 =
            memory.and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0);
        let mounts = read("/proc/mounts");
        let data = data.and_then(|path| path.canonicalize().ok());
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: memory_kib / 1024,
            kernel: match read("/proc/sys/kernel/osrelease").trim() {
                "" => unknown(),
                release => release.to_owned(),
            },
            file_system: data.and_then(|path| file_system(&mounts, &path)).unwrap_or_else(unknown),
            profile: match cfg!(debug_assertions) {
                true => "development build: not for figures".to_owned(),
                false => "release".to_owned(),
            },
        }
    }
}

/// The value of the first `name: value`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// Type of the file system that `path` is on: that of the longest mount point
/// above it.
fn file_system(mounts: &str, path: &Path) -> Option<String> {
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(point, _)| path.starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_system_is_that_of_the_longest_mount_point() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/data xfs rw 0 0\n";
        let of = |path: &str| file_system(mounts, Path::new(path));
        assert_eq!(of("/home/x"), Some("ext4".into()));
        assert_eq!(of("/tmp/x"), Some("tmpfs".into()));
        assert_eq!(of("/tmp/data/x"), Some("xfs".into()));
        assert_eq!(of("/tmp/database"), Some("tmpfs".into()));
        assert_eq!(file_system("", Path::new("/")), None);
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "model\t: 79\nmodel name\t: A CPU: fast\n";
        assert_eq!(field(text, "model name"), Some("A CPU: fast".into()));
        assert_eq!(field(text, "name"), None);
    }

    #[test]
    fn this_machine_has_cores_and_memory() {
        let machine = Machine::of(Some(Path::new("/")));
        assert!(machine.cores > 0 && machine.memory_mib > 0, "{machine:?}");
        assert_ne!(machine.kernel, "unknown");
    }
}
