//! The entry point of the daemon. All code is in the library.

use std::process::ExitCode;

/// mimalloc is small and works well with many threads. It also serves librdkafka's allocations (feature `override`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    afterimage::cli::main()
}
