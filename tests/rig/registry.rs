//! What a schema registry holds, and its rules, through its own REST APIs.

use serde_json::{Value, json};

use super::{Answer, Server, ask};

/// A registry, seen by somebody who is not the code under test.
pub struct Registry {
    address: String,
}

impl Registry {
    /// The registry that all tests of this run share.
    pub fn shared() -> Self {
        Self::at(&super::registry_address())
    }

    /// The registry of one test.
    pub fn of(server: &Server) -> Self {
        Self::at(server.address())
    }

    fn at(address: &str) -> Self {
        Self { address: address.to_owned() }
    }

    /// The URL of the API that Confluent's clients speak: the value of `schema.registry.url`.
    pub fn confluent_url(&self) -> String {
        format!("http://{}/apis/ccompat/v7", self.address)
    }

    /// The URL of Apicurio's own API, version `2` or `3`: the value of `apicurio.registry.url`.
    pub fn native_url(&self, version: u8) -> String {
        format!("http://{}/apis/registry/v{version}", self.address)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        ask(method, &format!("{}{path}", self.confluent_url()), body.map(Value::to_string).as_deref(), &[]).unwrap()
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, None);
        assert!(answer.is_ok(), "{path}: {answer:?}");
        answer.json()
    }

    /// The names of all subjects that begin with `prefix`, sorted.
    pub fn subjects(&self, prefix: &str) -> Vec<String> {
        let all = self.get("/subjects");
        let names = all.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(prefix)).collect();
        names.sort();
        names
    }

    /// The numbers of a subject's versions; none when the subject does not exist.
    pub fn versions(&self, subject: &str) -> Vec<i64> {
        let answer = self.ask("GET", &format!("/subjects/{subject}/versions"), None);
        if answer.status == 404 {
            return Vec::new();
        }
        answer.json().as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
    }

    /// A version of a subject, with the members `id`, `schema`, `schemaType` (missing for Avro), `references`.
    #[track_caller]
    pub fn version(&self, subject: &str, version: i64) -> Value {
        self.get(&format!("/subjects/{subject}/versions/{version}"))
    }

    /// The text of the schema with this id, as it was registered.
    #[track_caller]
    pub fn schema(&self, id: i64) -> String {
        self.get(&format!("/schemas/ids/{id}"))["schema"].as_str().unwrap().to_owned()
    }

    /// Registers an Avro schema, as somebody else would. Returns its id.
    #[track_caller]
    pub fn register(&self, subject: &str, schema: &str) -> i64 {
        let answer = self.ask("POST", &format!("/subjects/{subject}/versions"), Some(&json!({ "schema": schema })));
        answer.json()["id"].as_i64().unwrap_or_else(|| panic!("{subject}: {answer:?}"))
    }

    /// Sets the compatibility that new versions of a subject must have: `BACKWARD`, `NONE`, …
    #[track_caller]
    pub fn require(&self, subject: &str, compatibility: &str) {
        let body = json!({ "compatibility": compatibility });
        let answer = self.ask("PUT", &format!("/config/{subject}"), Some(&body));
        assert!(answer.is_ok(), "{subject}: {answer:?}");
    }

    /// Deletes a subject with all its versions.
    #[track_caller]
    pub fn delete(&self, subject: &str) {
        for path in [format!("/subjects/{subject}"), format!("/subjects/{subject}?permanent=true")] {
            let answer = self.ask("DELETE", &path, None);
            assert!(answer.is_ok() || answer.status == 404, "{path}: {answer:?}");
        }
        assert_eq!(self.versions(subject), Vec::<i64>::new(), "{subject} is still there");
    }
}
