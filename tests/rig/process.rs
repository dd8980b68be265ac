//! What a process holds of the machine.

use std::fmt;

/// Open files, threads and memory of a process.
#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    /// Open file descriptors.
    pub files: usize,
    /// Threads.
    pub threads: usize,
    /// Resident memory.
    pub resident_kib: u64,
    /// The most that the resident memory has been.
    pub peak_kib: u64,
}

impl Footprint {
    /// What the process with this id holds now.
    pub fn of(pid: u32) -> Self {
        let entries = |what: &str| std::fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let kib = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        Self { files: entries("fd"), threads: entries("task"), resident_kib: kib("VmRSS:"), peak_kib: kib("VmHWM:") }
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |kib: u64| kib as f64 / 1024.0;
        let Self { files, threads, resident_kib, peak_kib } = *self;
        write!(f, "{files} files, {threads} threads, {:.1} MiB (at most {:.1})", mib(resident_kib), mib(peak_kib))
    }
}
