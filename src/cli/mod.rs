//! The command line: arguments, the worker's configuration and where each value came from, the log.
//!
//! Purpose: everything between the shell and a running worker. A person can see with `--print-config` what the daemon
//! was told before it does anything. Arguments are those of Kafka's own tools: one properties file, then connector
//! files in stand-alone mode. A supervisor can act on the exit codes.
//!
//! Must not know: HTTP, Kafka, databases.

mod api;
mod args;
#[cfg(test)]
mod claims;
mod keys;
mod layers;
mod logging;
mod parts;
mod reference;
mod serve;
mod standalone;
mod worker;

pub use layers::{LayerError, Layers, Origin, Setting};
pub use logging::{LogFormat, init as init_logging};
pub use standalone::{ConnectorFile, FileError, Standalone};
pub use worker::{ExactlyOnce, State, WorkerConfig, WorkerError};

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::runtime::{defect, failpoint};
use args::{Args, Command, RunArgs};
use serve::serve;

/// Exit code: stopped on request.
pub const OK: u8 = 0;
/// Exit code: wrong arguments.
pub const USAGE: u8 = 1;
/// Exit code: the worker could not start because of a file, a setting or a port.
pub const START: u8 = 2;
/// Exit code: the worker failed after its start.
pub const FAILED: u8 = 3;

/// Why a worker ended without being told to. The text is the whole message.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The worker never started.
    #[error("{0}")]
    Start(String),
    /// The worker failed after its start.
    #[error("{0}")]
    Failed(String),
}

/// Runs the command line and gives the exit code.
pub fn main() -> ExitCode {
    defect::log_panics();
    let _armed = failpoint::arm();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(e) => {
            // clap returns help and version as errors, here with exit code 0. A closed pipe is no failure.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { USAGE } else { OK });
        }
    };
    ExitCode::from(match args.command {
        Command::Run(run) => start(&run),
        Command::Keys => {
            // A closed pipe (`| head`) is no failure.
            let _ = io::stdout().lock().write_all(reference::markdown().as_bytes());
            OK
        }
        Command::Transforms { name } => show(parts::transforms(name.as_deref())),
        Command::Converters { name } => show(parts::converters(name.as_deref())),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "afterimage", &mut io::stdout());
            OK
        }
    })
}

/// Prints a text, or what was wrong with the arguments.
fn show(text: Result<String, String>) -> u8 {
    match text {
        Ok(text) => {
            // A closed pipe (`| head`) is no failure.
            let _ = io::stdout().lock().write_all(text.as_bytes());
            OK
        }
        Err(wrong) => {
            eprintln!("afterimage: {wrong}");
            USAGE
        }
    }
}

fn start(run: &RunArgs) -> u8 {
    match prepare(run) {
        Err(lines) => {
            for line in lines {
                eprintln!("afterimage: {line}");
            }
            START
        }
        Ok(None) => OK,
        Ok(Some((worker, standalone))) => match serve(worker, standalone) {
            Ok(()) => OK,
            Err(e) => {
                tracing::error!("{e}");
                eprintln!("afterimage: {e}");
                if matches!(e, ServeError::Failed(_)) { FAILED } else { START }
            }
        },
    }
}

/// The environment, without names and values that are not UTF-8.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Does everything that comes before the start of the worker. Returns `None` when only the configuration was to be
/// printed. An error holds the lines to print.
fn prepare(run: &RunArgs) -> Result<Option<(WorkerConfig, Option<Standalone>)>, Vec<String>> {
    let one = |e: &dyn std::fmt::Display| vec![e.to_string()];
    let layers = Layers::read(run.standalone, run.file.as_deref(), environment(), &run.flags()).map_err(|e| one(&e))?;
    if run.print_config {
        // A closed pipe (`| head`) is no failure.
        let _ = layers.print(&mut io::stdout().lock()).and_then(|()| io::stdout().flush());
        return Ok(None);
    }
    init_logging(run.log_format, &layers.log_level()).map_err(|e| one(&e))?;
    let worker = WorkerConfig::read(&layers, run.standalone)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let standalone = if run.standalone { Some(Standalone::read(&run.connectors).map_err(|e| one(&e))?) } else { None };
    Ok(Some((worker, standalone)))
}
