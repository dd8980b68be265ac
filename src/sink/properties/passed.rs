//! Properties that librdkafka gets under its own name and as they were written. librdkafka itself says whether it takes the value,
//! so that a slip is told when a connector is made and not when its task starts.

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

use super::Mapped;

impl Mapped {
    /// Passes the property `name` on as `native`. Refuses a value that librdkafka does not take.
    pub(super) fn pass(&mut self, name: &str, native: &'static str, value: &str) {
        match ClientConfig::new().set(native, value).create_native_config() {
            Err(KafkaError::ClientConfig(_, reason, ..)) => self.refuse(name, reason, "Correct the value"),
            // Another error would be one of this test, and comes again where the client is made.
            Err(_) | Ok(_) => self.set(native, value),
        }
    }
}
