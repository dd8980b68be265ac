//! Validation of a connector's configuration, as Connect's worker does it: the common keys, transformations, predicates,
//! the connector's own, client overrides, converters.
//!
//! All complaints are kept. The list is Connect's, word by word; what we have to add (old names and what replaced them)
//! comes behind it.
//!
//! Must not know: HTTP.

mod parts;

use settings::{Checked, Def, Properties, SecretNames, Severity};

use super::defect;
use super::failpoint;
use super::keys;
use super::supervisor::Settings;
use crate::plugins::Plugin;

/// Why there is no validation at all. The texts are wire facts.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// No `connector.class`; the values of secret keys are masked.
    #[error("Connector config {0} contains no connector type")]
    NoClass(String),
    /// A class that is not here.
    #[error(
        "Failed to find any class that implements Connector and which name matches {class}, available connectors are: {available}"
    )]
    UnknownClass {
        /// As it was given.
        class: String,
        /// Those that are here.
        available: String,
    },
    /// The validation panicked: not the configuration's fault.
    #[error("{0}")]
    Defect(String),
}

/// The result, in the order of the answer.
#[derive(Debug)]
pub struct Validation {
    /// `connector.class` as it was given.
    pub name: String,
    /// How many complaints, by Connect's way of counting.
    pub error_count: usize,
    /// Groups of keys, first seen first.
    pub groups: Vec<String>,
    /// The keys.
    pub configs: Vec<Checked>,
    /// What is to be said beside the complaints: a line each.
    pub remarks: Vec<String>,
}

impl Validation {
    /// Connect's list of the complaints, our remarks behind it; `None` when the configuration will do.
    pub fn complaint(&self) -> Option<String> {
        if self.error_count == 0 {
            return None;
        }
        let errors: Vec<&str> = self.configs.iter().flat_map(|c| &c.errors).map(String::as_str).collect();
        let mut text = format!(
            "Connector configuration is invalid and contains the following {} error(s):\n{}\nYou can also find the above list \
             of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
            self.error_count,
            errors.join("\n"),
        );
        for remark in &self.remarks {
            text.push('\n');
            text.push_str(remark);
        }
        Some(text)
    }
}

/// The 400 of a name in the configuration that is not the connector's.
pub fn name_mismatch(config: &str, url: &str) -> String {
    format!("Connector name configuration ({config}) doesn't match connector name in the URL ({url})")
}

/// The connector of a configuration.
pub fn plugin(settings: &Settings, config: &Properties) -> Result<&'static Plugin, Rejected> {
    let class = config.get("connector.class").map(str::trim).filter(|class| !class.is_empty());
    let class = class.ok_or_else(|| Rejected::NoClass(config.masked(&SecretNames::Usual).to_string()))?;
    settings.find(class).ok_or_else(|| {
        let describe = |plugin: &Plugin| {
            format!(
                "PluginDesc{{klass=class {0}, name='{0}', version='{1}', type=source, typeName='source'}}",
                plugin.class, plugin.version
            )
        };
        let available: Vec<String> = settings.plugins.iter().map(describe).collect();
        Rejected::UnknownClass { class: class.to_owned(), available: available.join(", ") }
    })
}

/// Validates. The database is asked only when nothing else is wrong. A panic on the way is this request's alone.
pub async fn validate(settings: &Settings, config: &Properties) -> Result<Validation, Rejected> {
    let validation = defect::caught(validated(settings, config)).await;
    validation.unwrap_or_else(|defect| Err(Rejected::Defect(defect.trace("the validation"))))
}

async fn validated(settings: &Settings, raw: &Properties) -> Result<Validation, Rejected> {
    failpoint::reach("validate", raw.get("name").unwrap_or_default());
    let resolved = settings.resolved(raw.clone()).await;
    let config = &resolved.map_err(|defect| Rejected::Defect(defect.trace("the validation")))?;
    let plugin = plugin(settings, config)?;
    let own = (plugin.keys)();
    let mut connector = own.validate(config);
    let mut checked = common(settings, plugin, config);
    for base in &mut checked {
        // A connector's key of the same name takes the place of the common one.
        if let Some(i) = connector.iter().position(|c| c.name == base.name) {
            *base = connector.remove(i);
        }
    }
    let mut remarks = Vec::new();
    parts::transforms(settings, config, &mut checked, &mut remarks);
    parts::predicates(settings, config, &mut checked, &mut remarks);
    checked.append(&mut connector);
    nulls(config, &mut checked);
    let overrides = parts::overrides(settings, config);
    let converters = parts::converters(settings, config);

    let mut error_count = checked.iter().map(|c| c.errors.len()).sum::<usize>();
    error_count += overrides.iter().chain(&converters).filter(|c| !c.errors.is_empty()).count();
    let mut warnings = Vec::new();
    // With a complaint already, the check says the same again: the database was not asked.
    let counts = error_count == 0;
    for finding in (plugin.check)(config.clone()).await {
        match finding.severity {
            Severity::Error if counts => {
                error_count += 1;
                if !finding.remedy.is_empty() {
                    remarks.push(format!("{}: {}", finding.key, finding.remedy));
                }
                match checked.iter_mut().find(|c| c.name == finding.key) {
                    Some(c) => c.errors.push(finding.reason),
                    None => checked.insert(0, undefined(finding.key, vec![finding.reason])),
                }
            }
            // Old names are among them; a refusal says them by `remedies`.
            Severity::Warning => warnings.push(finding.to_string()),
            Severity::Error | Severity::Info => {}
        }
    }
    if error_count == 0 {
        remarks.extend(warnings);
    } else {
        remarks.extend((plugin.remedies)(config));
    }
    checked.extend(overrides);
    checked.extend(converters);

    let mut groups: Vec<String> = Vec::new();
    for group in checked.iter().filter_map(|c| c.definition.as_ref()?.group.as_ref()) {
        if !groups.contains(group) {
            groups.push(group.clone());
        }
    }
    let name = config.get("connector.class").unwrap_or_default().to_owned();
    Ok(Validation { name, error_count, groups, configs: checked, remarks })
}

/// The common keys as this worker and this connector show them.
pub fn common(settings: &Settings, plugin: &Plugin, config: &Properties) -> Vec<Checked> {
    let mut checked = keys::COMMON.validate(config);
    for one in &mut checked {
        match one.name.as_str() {
            "connector.plugin.version" => {
                parts::default(one, config, plugin.version);
                one.recommended = vec![plugin.version.to_owned()];
            }
            "exactly.once.support" if settings.worker.get("exactly.once.source.support") != Some("enabled") => {
                if one.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("required")) {
                    one.errors.push("This worker does not have exactly-once source support enabled.".to_owned());
                }
            }
            _ => parts::converter(settings, config, one),
        }
    }
    checked
}

/// Null is a value of no key: Connect says so for keys without a definition, and stores the others, which then fail.
fn nulls(config: &Properties, checked: &mut Vec<Checked>) {
    const TEXT: &str = "Null value can not be supplied as the configuration value.";
    let mut undefined_nulls = Vec::new();
    for (name, _) in config.iter().filter(|(_, value)| value.is_none()) {
        match checked.iter_mut().find(|c| c.name == name) {
            Some(c) if c.errors.is_empty() => c.errors.push(TEXT.to_owned()),
            Some(_) => {}
            None => undefined_nulls.push(undefined(name.to_owned(), vec![TEXT.to_owned()])),
        }
    }
    checked.splice(0..0, undefined_nulls);
}

fn undefined(name: String, errors: Vec<String>) -> Checked {
    Checked { name, definition: None, value: None, recommended: Vec::new(), errors, visible: true, answered: true }
}

/// The definitions that `GET /connector-plugins/P/config` shows of a connector: its own, then the common ones.
pub fn definitions(plugin: &Plugin) -> Vec<settings::Definition> {
    let own: &Def = (plugin.keys)();
    let mut all = own.definitions();
    let mut common = keys::COMMON.definitions();
    for definition in &mut common {
        if definition.name == "connector.plugin.version" {
            definition.default_value = Some(plugin.version.to_owned());
        }
    }
    common.retain(|definition| !all.iter().any(|own| own.name == definition.name));
    all.extend(common);
    all
}
