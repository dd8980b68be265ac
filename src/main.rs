//! The daemon's entry: everything is in the library.

use std::process::ExitCode;

/// Small, thread-friendly, and it serves librdkafka's allocations too (feature `override`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    afterimage::cli::main()
}
