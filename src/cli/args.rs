//! The arguments.
//!
//! Must not know: what the settings mean.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use super::LogFormat;

const EXAMPLES: &str = "\
Examples:
  afterimage run worker.properties
      start a worker as connect-distributed.sh would
  CONNECT_BOOTSTRAP_SERVERS=kafka:9092 CONNECT_GROUP_ID=cdc afterimage run
      the same from the environment: CONNECT_A_B is the worker property a.b
  afterimage run worker.properties --set listeners=http://127.0.0.1:8083 --print-config
      show every setting and where it comes from, and end
  afterimage run --standalone standalone.properties inventory.json
      one process with its offsets in a file, and the connectors named

Exit codes:
  0  stopped on request        2  could not start: a file, a setting, a port
  1  wrong arguments           3  failed after the start";

const PARTS: &str = "\
Examples:
  afterimage transforms
  afterimage transforms ExtractNewRecordState
  afterimage transforms 'org.apache.kafka.connect.transforms.Cast$Value'";

/// Change data capture from PostgreSQL, MySQL and MariaDB to Kafka: a drop-in for Kafka Connect with Debezium.
#[derive(Debug, Parser)]
#[command(name = "afterimage", version, about, after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start a worker.
    #[command(after_help = EXAMPLES)]
    Run(RunArgs),
    /// Print every key of the worker, of connectors and of their parts, in Markdown, with what becomes of it here.
    Keys,
    /// List the transforms and predicates; with NAME, show one: what it does, its options, examples.
    #[command(after_help = PARTS)]
    Transforms {
        /// A class, by its full or its simple name.
        name: Option<String>,
    },
    /// List the converters; with NAME, show one: what it does and its options.
    Converters {
        /// A class, by its full or its simple name.
        name: Option<String>,
    },
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// Worker settings in the form of Kafka's connect-distributed.properties.
    pub(super) file: Option<PathBuf>,
    /// Connector files for --standalone: flat JSON, JSON with name and config, or properties.
    #[arg(requires = "standalone")]
    pub(super) connectors: Vec<PathBuf>,
    /// Keep state in a file (offset.storage.file.filename) instead of Kafka topics.
    #[arg(long, requires = "file")]
    pub(super) standalone: bool,
    /// Set a worker property over file and environment.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Print every setting and where it comes from, secrets hidden, and end.
    #[arg(long)]
    pub(super) print_config: bool,
    /// Form of the log.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = "AFTERIMAGE_LOG_FORMAT")]
    pub(super) log_format: LogFormat,
    /// Level of the log: error, warn, info, debug, trace, or a tracing filter such as info,postgres=debug.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

impl RunArgs {
    /// The flags as worker properties: key, value, and the flag it came from.
    pub(super) fn flags(&self) -> Vec<(String, String, String)> {
        let mut flags: Vec<_> =
            self.set.iter().map(|(k, v)| (k.clone(), v.clone(), format!("flag --set {k}"))).collect();
        if let Some(level) = &self.log_level {
            flags.push((super::layers::LOG_LEVEL.to_owned(), level.clone(), "flag --log-level".to_owned()));
        }
        flags
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is expected")?;
    let key = key.trim();
    if key.is_empty() { Err("KEY=VALUE is expected".to_owned()) } else { Ok((key.to_owned(), value.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split(' '))
    }

    #[test]
    fn lines() {
        use clap::CommandFactory;
        Args::command().debug_assert();
        for good in [
            "afterimage run",
            "afterimage run w.properties",
            "afterimage run w.properties --print-config --set a.b=c=d",
            "afterimage run --standalone w.properties a.json b.properties",
            "afterimage completions bash",
            "afterimage keys",
            "afterimage transforms",
            "afterimage transforms RegexRouter",
            "afterimage converters Json",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "afterimage",
            "afterimage fly",
            "afterimage run w.properties a.json",
            "afterimage run --standalone",
            "afterimage run --set x",
            "afterimage run --log-format xml",
        ] {
            assert!(parse(bad).is_err_and(|e| e.use_stderr()), "{bad}");
        }
        assert!(parse("afterimage --version").is_err_and(|e| !e.use_stderr()));
    }
}
