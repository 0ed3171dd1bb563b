//! What the system says of this process and of the machine (Linux).

use billchain_rpc_types::{DiskView, MachineView};
use rustix::process::{Resource, getrlimit};

/// The machine of this process, with this disk.
pub(crate) fn view(disk: Option<DiskView>) -> MachineView {
    MachineView {
        disk,
        memory: resident_bytes(),
        memory_available: available_bytes(),
        files: open_files(),
        files_limit: getrlimit(Resource::Nofile).current,
    }
}

/// Resident memory of this process.
pub(crate) fn resident_bytes() -> Option<u64> {
    kibibytes("/proc/self/status", "VmRSS:")
}

/// Memory that processes can still get without swapping.
pub(crate) fn available_bytes() -> Option<u64> {
    kibibytes("/proc/meminfo", "MemAvailable:")
}

/// Files that this process has open.
fn open_files() -> Option<u64> {
    let entries = std::fs::read_dir("/proc/self/fd").ok()?;
    u64::try_from(entries.count()).ok()
}

/// A number of kB in a file of `/proc`, in bytes.
fn kibibytes(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_of_this_process() {
        let MachineView { memory, memory_available, files, files_limit, .. } = view(None);
        assert!(memory.unwrap() > 1 << 20 && memory_available.unwrap() > 1 << 20);
        assert!(files.unwrap() >= 3 && files.unwrap() <= files_limit.unwrap());
    }
}
