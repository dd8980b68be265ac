//! The mark: what the owner writes into the group, so that other processes see who holds the owner's place and whether the
//! holder still lives.
//!
//! It is the metadata text of the group's committed offset for the config topic. The broker takes it only from the present
//! holder of the owner's place, so no mark can come from a process whose place was taken.
//!
//! Must not know: Kafka's client, clocks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whether the owner's place is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Use {
    /// The holder of the place may be producing.
    Held,
    /// The holder has ended in good order and produces nothing any more.
    Released,
}

/// Who holds the owner's place. Each proof writes a mark with another `proof`, so that no two marks of a process are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The version of this form. Serialised as `afterimage`, so that whoever finds the JSON sees which program wrote it.
    #[serde(rename = "afterimage")]
    version: u32,
    #[serde(rename = "place")]
    pub(super) place: Use,
    /// A random id, which no other process has.
    pub(super) process: String,
    /// The stable id (`afterimage.instance.id`), which a restarted process has again.
    pub(super) instance: String,
    /// The host on which the process keeps the lock of its instance id; empty when it has no such lock.
    #[serde(rename = "machine")]
    pub(super) host: String,
    /// The number of this proof; a process counts its proofs from 1.
    pub(super) proof: u64,
    lasts_ms: u64,
    /// Where the holder's REST API is; empty when it has not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) url: String,
}

/// The version of the form that is written here.
const VERSION: u32 = 1;

impl Mark {
    pub(super) fn new(place: Use, by: &Holder, proof: u64, lasts: Duration) -> Self {
        let Holder { process, instance, host, url } = by.clone();
        Self { version: VERSION, place, process, instance, host, proof, lasts_ms: lasts.as_millis() as u64, url }
    }

    /// For how long after this mark was written its holder may go on producing without another mark.
    pub(super) fn lasts(&self) -> Duration {
        Duration::from_millis(self.lasts_ms)
    }

    pub(super) fn to_text(&self) -> String {
        // A struct of plain fields always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// This process, as its marks name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) process: String,
    pub(super) instance: String,
    pub(super) host: String,
    /// Where its REST API is.
    pub(super) url: String,
}

/// What is found where the mark is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing: no offset was ever committed there, or it has expired.
    Nothing,
    Mark(Mark),
    /// The commit of a program that writes no marks of this form: an earlier or later version of afterimage.
    Strange,
}

impl Found {
    /// `metadata`: the committed offset's, if there is an offset.
    pub(super) fn read(metadata: Option<&str>) -> Self {
        match metadata.map(serde_json::from_str::<Mark>) {
            None => Self::Nothing,
            Some(Ok(mark)) if mark.version == VERSION => Self::Mark(mark),
            Some(_) => Self::Strange,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let by = Holder {
            process: "p".to_owned(),
            instance: "h:\"8083".to_owned(),
            host: "m".to_owned(),
            url: "http://h:8083".to_owned(),
        };
        let mark = Mark::new(Use::Held, &by, 7, Duration::from_secs(7));
        let text = mark.to_text();
        let older = r#"{"afterimage":1,"place":"held","process":"p","instance":"h:\"8083","machine":"m","proof":7,"lasts_ms":7000"#;
        assert_eq!(text, format!(r#"{older},"url":"http://h:8083"}}"#), "other versions read these names");
        let without = Mark { url: String::new(), ..mark.clone() };
        assert_eq!(Found::read(Some(&format!("{older}}}"))), Found::Mark(without), "one that says no address");
        assert_eq!(Found::read(Some(&text)), Found::Mark(mark), "{text}");
        assert_eq!(Found::read(None), Found::Nothing);
        for strange in ["", "{}", "held", &text.replace("\"afterimage\":1", "\"afterimage\":2")] {
            assert_eq!(Found::read(Some(strange)), Found::Strange, "{strange}");
        }
    }
}
