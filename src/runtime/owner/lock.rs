//! A lock on this host by which a restarted process knows that the process before it, of the same instance id, is dead.
//!
//! The place of a dead owner may be taken at once, that of a living owner may not. The lock is a Unix socket with an abstract
//! name: the kernel lets only one process of a network namespace have a name, and frees it when that process ends, however it
//! ends. A process that holds the lock of an instance id knows that no other process on the host runs with that id. A mark
//! names the host on which its writer held the lock, and the conclusion is drawn on that host only.
//!
//! Must not know: Kafka.

use std::fmt::Write as _;

/// The lock of an instance id.
#[derive(Debug)]
pub(super) struct Lock {
    name: String,
    #[cfg(target_os = "linux")]
    held: Option<std::os::unix::net::UnixDatagram>,
}

impl Lock {
    /// A lock that is not taken yet. Together the names in `of` identify it: only one process of this host can hold it.
    pub(super) fn new(of: &[&str]) -> Self {
        // Group and instance id may be longer than the 107 bytes that the kernel allows for a name, so they are hashed: two
        // 64-bit FNV-1a hashes with different seeds. Every version of this program must get the same name.
        let hash = |seed: u64| {
            let bytes = of.iter().flat_map(|part| part.bytes().chain([0]));
            bytes.fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
        };
        let mut name = String::from("afterimage-instance-");
        for seed in [0xcbf2_9ce4_8422_2325, 0x6c62_272e_07bb_0142] {
            // Writing to a string cannot fail.
            let _ = write!(name, "{:016x}", hash(seed));
        }
        Self {
            name,
            #[cfg(target_os = "linux")]
            held: None,
        }
    }

    /// Takes the lock unless another process holds it. True when this process holds it now.
    #[cfg(target_os = "linux")]
    pub(super) fn take(&mut self) -> bool {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::{SocketAddr, UnixDatagram};
        if self.held.is_none() {
            self.held = SocketAddr::from_abstract_name(&self.name).and_then(|at| UnixDatagram::bind_addr(&at)).ok();
        }
        self.held.is_some()
    }

    /// Never takes the lock: only Linux has abstract names. Elsewhere a restarted process waits to see whether the
    /// process before it still writes marks.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn take(&mut self) -> bool {
        let _ = &self.name;
        false
    }
}

/// Names what a lock is valid in: the running kernel and the network namespace. Empty when they cannot be read.
pub(super) fn host() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let network = std::fs::read_link("/proc/self/ns/net");
    match (boot, network) {
        (Ok(boot), Ok(network)) => format!("{} {}", boot.trim(), network.display()),
        _ => String::new(),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let process = uuid::Uuid::new_v4().to_string();
        let new = |instance: &str| Lock::new(&[&process, instance]);
        let (mut first, mut second, mut other) = (new("a"), new("a"), new("b"));
        assert!(first.take() && first.take(), "taken, and still held");
        assert!(!second.take(), "another process has it");
        assert!(other.take(), "another instance's lock");
        drop(first);
        assert!(second.take(), "free when its holder has ended");
        assert_ne!(host(), "");
        assert_ne!(Lock::new(&["a", "bc"]).name, Lock::new(&["ab", "c"]).name);
    }
}
