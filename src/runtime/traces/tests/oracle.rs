//! Reads an export with `protox` and `prost-reflect`, which know nothing of our encoder.

use prost_reflect::{DescriptorPool, DynamicMessage, Value as Read};
use protox::Compiler;
use protox::file::{File, FileResolver};

struct Text;

impl FileResolver for Text {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        File::from_source(name, include_str!("../../../../tests/data/otlp/export.proto"))
    }
}

/// A message as the oracle reads it.
pub(super) struct Message(DynamicMessage);

impl Message {
    /// Reads an export. No field may be left over that the protocol does not have.
    #[track_caller]
    pub(super) fn read(name: &str, bytes: &[u8]) -> Self {
        let mut compiler = Compiler::with_file_resolver(Text);
        compiler.open_file("export.proto").unwrap();
        let pool = DescriptorPool::from_file_descriptor_set(compiler.file_descriptor_set()).unwrap();
        let message = DynamicMessage::decode(pool.get_message_by_name(name).unwrap(), bytes).unwrap();
        let read = Self(message);
        assert_eq!(read.0.unknown_fields().count(), 0, "{:?}", read.0);
        read
    }

    fn get(&self, field: &str) -> Read {
        self.0.get_field_by_name(field).unwrap().into_owned()
    }

    pub(super) fn one(&self, field: &str) -> Self {
        Self(self.get(field).as_message().unwrap().clone())
    }

    pub(super) fn all(&self, field: &str) -> Vec<Self> {
        self.get(field).as_list().unwrap().iter().map(|item| Self(item.as_message().unwrap().clone())).collect()
    }

    pub(super) fn text(&self, field: &str) -> String {
        self.get(field).as_str().unwrap().to_owned()
    }

    pub(super) fn bytes(&self, field: &str) -> Vec<u8> {
        self.get(field).as_bytes().unwrap().to_vec()
    }

    pub(super) fn number(&self, field: &str) -> i64 {
        match self.get(field) {
            Read::I32(number) => number.into(),
            Read::I64(number) => number,
            Read::U32(number) => number.into(),
            Read::U64(number) => number as i64,
            other => panic!("{field}: {other:?}"),
        }
    }

    /// The attributes as `name=value`.
    pub(super) fn attributes(&self) -> Vec<String> {
        let text = |pair: &Self| {
            let value = pair.one("value");
            let value = match value.0.fields().next() {
                Some((_, Read::String(text))) => text.clone(),
                Some((_, Read::I64(number))) => number.to_string(),
                other => panic!("{other:?}"),
            };
            format!("{}={value}", pair.text("key"))
        };
        self.all("attributes").iter().map(text).collect()
    }
}
