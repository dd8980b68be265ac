//! The command line: arguments, the worker's configuration and where each value came from, the log.
//!
//! Purpose: everything between the shell and a running worker, so that a person can see what the daemon was told before
//! it does anything. The order is that of Kafka's own tools: one properties file, then connector files in stand-alone
//! mode, and exit codes that a supervisor can act on.
//!
//! Must not know: HTTP, Kafka, databases.

mod api;
mod args;
#[cfg(test)]
mod claims;
mod keys;
mod layers;
mod logging;
mod reference;
mod serve;
mod standalone;
mod worker;

pub use layers::{LayerError, Layers, Origin, Setting};
pub use logging::{LogFormat, init as init_logging};
pub use standalone::{ConnectorFile, FileError, Standalone, TargetState};
pub use worker::{ExactlyOnce, OverridePolicy, State, Topic, WorkerConfig, WorkerError};

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Args, Command, RunArgs};
use serve::serve;

/// All went well.
pub const OK: u8 = 0;
/// The arguments make no sense.
pub const USAGE: u8 = 1;
/// The worker could not start: a file, a setting, a port.
pub const START: u8 = 2;
/// It had started, and failed.
pub const FAILED: u8 = 3;

/// Why a worker ended otherwise than on request.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It never started.
    #[error("{0}")]
    Start(String),
    /// It failed after the start.
    #[error("{0}")]
    Failed(String),
}

/// Runs the command line and gives the exit code.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(e) => {
            // Help and version are errors to clap, with exit code 0; a closed pipe is no reason to fail.
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
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "afterimage", &mut io::stdout());
            OK
        }
    })
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

/// The environment; names and values that are no UTF-8 are nobody's settings.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Everything before the worker starts; `None` when only the configuration was to be printed.
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
