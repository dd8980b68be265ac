//! Tests that several of Kafka's own transforms share. The expectations were held against Kafka Connect 4.3.1 itself.
//!
//! Must not know: how a transform is made.

mod fields;
mod goldens;
mod nulls;
mod options;

use settings::Properties;

use crate::Chain;

/// Kafka's package of transforms.
const PACKAGE: &str = "org.apache.kafka.connect.transforms.";

/// A chain of one transform. `name` is the class without its package; the options are pairs `name=value`.
fn chain(name: &str, options: &[&str]) -> Result<Chain, String> {
    let mut config = Properties::new();
    config.insert("transforms", "x");
    config.insert("transforms.x.type", format!("{PACKAGE}{name}"));
    for option in options {
        let (name, value) = option.split_once('=').expect("an option has a value");
        config.insert(format!("transforms.x.{name}"), value);
    }
    Chain::build(&config).map_err(|refusals| {
        let text = |refusal: &crate::Refusal| format!("{}: {}", refusal.invalid.key, refusal.invalid.message);
        refusals.iter().map(text).collect::<Vec<_>>().join("\n")
    })
}
