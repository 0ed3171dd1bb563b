//! Looks once a second at what the nodes use.
//!
//! Processor time and memory come from `/proc`, so from Linux only. Bytes on
//! the wire are those of the loopback interface, which this program's own
//! requests and whatever else the machine sends to itself are part of: an upper
//! bound, exact on a quiet machine.

use serde::{Deserialize, Serialize};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// Disk use is counted every so many looks: it walks directories.
const DISK_EVERY: usize = 5;
/// Clock ticks of a second in `/proc/<pid>/stat`: Linux's USER_HZ.
const TICKS: f64 = 100.0;

/// A node's process and directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) directory: PathBuf,
}

impl FromStr for Watched {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = || {
            let (name, rest) = text.split_once('=')?;
            let (pid, directory) = rest.split_once(':')?;
            let pid = pid.parse().ok()?;
            Some(Self { name: name.to_owned(), pid, directory: PathBuf::from(directory) })
        };
        parts().ok_or_else(|| format!("expected NAME=PID:DIRECTORY, found {text}"))
    }
}

/// What one process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Use {
    /// Processor seconds since it began.
    pub(crate) cpu: f64,
    /// Resident memory, in MiB.
    pub(crate) rss_mib: f64,
    /// Bytes of its directory on disk; 0 where it was not counted.
    pub(crate) disk: u64,
}

/// One look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Seconds from the start.
    pub(crate) at: f64,
    /// The nodes, in the order in which they were named.
    pub(crate) nodes: Vec<Use>,
    /// Processor seconds of this program.
    pub(crate) own_cpu: f64,
    /// Processor seconds of all programs since the machine began, and those that
    /// it waited for its host. Missing in older records.
    #[serde(default)]
    pub(crate) all_cpu: f64,
    /// Bytes sent over the loopback interface since the machine began.
    pub(crate) wire: u64,
}

/// Looks at the nodes until it is stopped.
pub(crate) struct Sampler {
    watched: Vec<Watched>,
    start: Instant,
    samples: Arc<Mutex<Vec<Sample>>>,
    task: JoinHandle<()>,
}

impl Sampler {
    /// Looks at `watched` from now on; times count from `start`.
    pub(crate) fn start(watched: &[Watched], start: Instant) -> Self {
        let samples = Arc::new(Mutex::new(vec![look(watched, start, Disk::Counted)]));
        let (taken, nodes) = (samples.clone(), watched.to_vec());
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(INTERVAL);
            ticks.tick().await;
            for number in 1_usize.. {
                ticks.tick().await;
                let disk =
                    if number.is_multiple_of(DISK_EVERY) { Disk::Counted } else { Disk::Left };
                let nodes = nodes.clone();
                let look = tokio::task::spawn_blocking(move || look(&nodes, start, disk));
                let Ok(sample) = look.await else { return };
                taken.lock().expect("nobody panics with the samples; qed").push(sample);
            }
        });
        Self { watched: watched.to_vec(), start, samples, task }
    }

    /// Looks a last time; all that was seen.
    pub(crate) fn finish(self) -> Vec<Sample> {
        self.task.abort();
        let last = look(&self.watched, self.start, Disk::Counted);
        let mut samples =
            std::mem::take(&mut *self.samples.lock().expect("nobody panics with it; qed"));
        samples.push(last);
        samples
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Disk {
    Counted,
    Left,
}

fn look(watched: &[Watched], start: Instant, disk: Disk) -> Sample {
    let read = |file: String| fs::read_to_string(file).unwrap_or_default();
    let nodes = watched
        .iter()
        .map(|node| Use {
            cpu: cpu_seconds(&read(format!("/proc/{}/stat", node.pid))),
            rss_mib: rss_mib(&read(format!("/proc/{}/status", node.pid))),
            disk: if disk == Disk::Counted { disk_bytes(&node.directory) } else { 0 },
        })
        .collect();
    Sample {
        at: start.elapsed().as_secs_f64(),
        nodes,
        own_cpu: cpu_seconds(&read("/proc/self/stat".to_owned())),
        all_cpu: machine_seconds(&read("/proc/stat".to_owned())),
        wire: sent_bytes(&read("/proc/net/dev".to_owned()), "lo"),
    }
}

/// Resident memory of this program, in MiB.
pub(crate) fn own_rss_mib() -> f64 {
    rss_mib(&fs::read_to_string("/proc/self/status").unwrap_or_default())
}

/// User and system time, in `/proc/<pid>/stat`. 0 for a process that is gone.
fn cpu_seconds(stat: &str) -> f64 {
    // The second field is the command in brackets, which may hold anything.
    let Some((_, rest)) = stat.rsplit_once(") ") else { return 0.0 };
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS
}

/// Time that all programs took and that the host took away, in `/proc/stat`: user,
/// nice, system and steal. Interrupts are nobody's.
fn machine_seconds(stat: &str) -> f64 {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "));
    let fields: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse().ok()).unwrap_or(0.0);
    (ticks(0) + ticks(1) + ticks(2) + ticks(7)) / TICKS
}

/// Processor time of the calling thread, in nanoseconds; 0 where the system does not
/// tell.
pub(crate) fn thread_nanoseconds() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or(0)
}

fn rss_mib(status: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// Bytes that an interface has sent, in `/proc/net/dev`.
fn sent_bytes(table: &str, interface: &str) -> u64 {
    table
        .lines()
        .find_map(|line| {
            let (name, counts) = line.split_once(':')?;
            let sent = counts.split_whitespace().nth(8)?;
            (name.trim() == interface).then(|| sent.parse().ok())?
        })
        .unwrap_or(0)
}

/// Bytes that a directory holds on disk. Of a file whose end is reserved but not
/// written, as logs of databases are, what is written; of one with holes, what
/// is allocated. A file that vanishes meanwhile counts nothing.
pub(crate) fn disk_bytes(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let of_entry = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => disk_bytes(&entry.path()),
        Ok(found) => found.len().min(found.blocks() * 512),
        Err(_) => 0,
    };
    entries.flatten().map(of_entry).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_any_command() {
        let stat = "12 (a) b (c) S 1 12 12 0 -1 4194560 900 0 0 0 250 50 0 0 20 0 9 0 77 1 2 3";
        assert_eq!(cpu_seconds(stat), 3.0);
        assert_eq!(cpu_seconds(""), 0.0);
        assert!(cpu_seconds(&fs::read_to_string("/proc/self/stat").unwrap()) >= 0.0);
    }

    #[test]
    fn time_of_all_programs_and_of_a_thread_is_read() {
        let stat = "cpu  100 20 30 5000 40 6 7 50 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(machine_seconds(stat), 2.0);
        assert_eq!(machine_seconds("intr 7\n"), 0.0);
        let before = thread_nanoseconds();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(50) {}
        let took = thread_nanoseconds() - before;
        assert!((1..=200_000_000).contains(&took), "{took}");
    }

    #[test]
    fn memory_and_bytes_on_the_wire_are_read() {
        assert_eq!(rss_mib("Name:\tx\nVmRSS:\t    2048 kB\n"), 2.0);
        assert_eq!(rss_mib("Name:\tx\n"), 0.0);
        assert!(own_rss_mib() > 1.0);
        let table = "Inter-| Receive | Transmit\n face |bytes packets\n\
            \x20   lo: 100 2 0 0 0 0 0 0 900 2 0 0 0 0 0 0\n  eth0: 5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n";
        assert_eq!(sent_bytes(table, "lo"), 900);
        assert_eq!(sent_bytes(table, "eth0"), 7);
        assert_eq!(sent_bytes(table, "wlan0"), 0);
    }

    #[test]
    fn disk_is_what_is_written_in_all_directories() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("inner")).unwrap();
        fs::write(directory.path().join("inner/a"), vec![1; 100_000]).unwrap();
        assert_eq!(disk_bytes(directory.path()), 100_000);
        // A hole takes nothing.
        let file = fs::File::create(directory.path().join("b")).unwrap();
        file.set_len(50_000_000).unwrap();
        let found = disk_bytes(directory.path());
        assert!((100_000..1_000_000).contains(&found), "{found}");
        assert_eq!(disk_bytes(Path::new("/nowhere")), 0);
    }

    #[test]
    fn a_node_is_named_with_its_process_and_directory() {
        let node: Watched = "node-1=42:/data/node-1".parse().unwrap();
        assert_eq!((node.name.as_str(), node.pid), ("node-1", 42));
        assert_eq!(node.directory, Path::new("/data/node-1"));
        assert!("42:/data".parse::<Watched>().is_err());
        assert!("a=b:/data".parse::<Watched>().is_err());
    }
}
