//! The entry point of the daemon. All code is in the library.

use std::process::ExitCode;

/// jemalloc shares large blocks between threads, of which each connector has five, and gives freed memory back in the background.
/// It also serves librdkafka's allocations (feature `unprefixed_malloc_on_supported_platforms`). Its settings are in
/// `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    afterimage::cli::main()
}
