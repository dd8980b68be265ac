//! Validation of a connector's configuration, as Connect's worker does it: the common keys, transformations, predicates,
//! the connector's own, client overrides, converters.
//!
//! All complaints are collected. Their list is Connect's, word by word. What this daemon adds is kept apart from the errors,
//! as remarks: about a key without effect, an old name and what replaced it, a class that is not built in.
//!
//! Must not know: HTTP.

mod classes;
mod overrides;
mod recommended;
mod version;

use settings::{Checked, Def, Finding, Properties, SecretNames, Severity};

use super::defect;
use super::failpoint;
use super::keys;
use super::supervisor::SupervisorSettings;
use crate::plugins::Plugin;

/// Why a configuration cannot be validated at all. The texts are those that Connect's REST API answers with.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// No `connector.class`; the values of secret keys are masked.
    #[error("Connector config {0} contains no connector type")]
    NoClass(String),
    /// A class that is not built in.
    #[error(
        "Failed to find any class that implements Connector and which name matches {class}, available connectors are: {available}"
    )]
    UnknownClass {
        /// The class as it was given.
        class: String,
        /// The connectors that are built in.
        available: String,
    },
    /// The validation panicked, which is not the configuration's fault. The text is a trace.
    #[error("{0}")]
    Defect(String),
}

/// The result of a validation, in the order of the REST API's answer.
#[derive(Debug)]
pub struct Validation {
    /// `connector.class` as it was given.
    pub name: String,
    /// How many complaints there are, as Connect counts them.
    pub error_count: usize,
    /// Groups of keys, in the order in which they first occur.
    pub groups: Vec<String>,
    /// The keys, with values and complaints.
    pub configs: Vec<Checked>,
    /// Lines beside the complaints.
    pub remarks: Vec<String>,
    /// What the server lacks for the task to run. It is not in the fields above, because it does not stand against storing the
    /// configuration; [`Validation::with_unmet`] puts it there.
    pub unmet: Vec<Finding>,
}

impl Validation {
    /// The validation with what the server lacks among the complaints, each at its key and with the statement that mends it.
    #[must_use]
    pub fn with_unmet(mut self) -> Self {
        for finding in std::mem::take(&mut self.unmet) {
            self.error_count += 1;
            let error = if finding.remedy.is_empty() {
                finding.reason
            } else {
                format!("{} {}", finding.reason, finding.remedy)
            };
            match self.configs.iter_mut().find(|c| c.name == finding.key && c.answered) {
                Some(c) => c.errors.push(error),
                None => self.configs.insert(0, undefined(finding.key, vec![error])),
            }
        }
        self
    }

    /// Connect's list of the complaints, each followed by the lines that explain it, and then the remarks; `None` when the
    /// configuration is valid.
    pub fn complaint(&self) -> Option<String> {
        if self.error_count == 0 {
            return None;
        }
        let wrong = self.configs.iter().filter(|c| !c.errors.is_empty());
        let errors: Vec<&str> = wrong.flat_map(|c| c.errors.iter().chain(&c.remarks)).map(String::as_str).collect();
        let mut text = format!(
            "Connector configuration is invalid and contains the following {} error(s):\n{}\nYou can also find the above list \
             of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
            self.error_count,
            errors.join("\n"),
        );
        // A remark on a key without errors (an option that is ignored) may explain why another one is missing.
        let right = self.configs.iter().filter(|c| c.errors.is_empty()).flat_map(|c| &c.remarks);
        let mut said: Vec<&str> = Vec::new();
        for remark in self.remarks.iter().chain(right) {
            if !said.contains(&remark.as_str()) {
                text.push('\n');
                text.push_str(remark);
                said.push(remark);
            }
        }
        Some(text)
    }
}

/// Connect's text (HTTP 400) when the `name` in a configuration is not the connector's name in the URL.
pub fn name_mismatch(config: &str, url: &str) -> String {
    format!("Connector name configuration ({config}) doesn't match connector name in the URL ({url})")
}

/// Whether the version of a plug-in that is asked for is the one that is built in.
///
/// # Errors
/// Connect's complaint: the text is no version or range, or no such version is there.
pub fn plugin_version(class: &str, asked: &str, version: &str) -> Result<(), String> {
    if !version::is_range(asked) {
        return Err(format!("Invalid version specification: {asked}"));
    }
    version::refusal(class, asked, version).map_or(Ok(()), Err)
}

/// Finds the connector that a configuration names by `connector.class`.
pub fn plugin(settings: &SupervisorSettings, config: &Properties) -> Result<&'static Plugin, Rejected> {
    let class = config.get("connector.class").map(str::trim).filter(|class| !class.is_empty());
    let class = class.ok_or_else(|| Rejected::NoClass(config.masked(&secret_names(config)).to_string()))?;
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

/// What can be found out about a configuration without asking the database.
struct Offline {
    /// The common keys, transformations, predicates, the connector's own.
    checked: Vec<Checked>,
    /// Client overrides and options of converters. Of these Connect counts the keys with errors, and not the errors.
    others: Vec<Checked>,
    /// Files that the configuration names and that cannot be used.
    unmet: Vec<Finding>,
    /// Whether one of the connector's own keys has an error: then Debezium does not ask the database.
    own_wrong: bool,
}

fn offline(settings: &SupervisorSettings, plugin: &Plugin, config: &Properties) -> Offline {
    let mut connector = (plugin.keys)().validate(config);
    for finding in (plugin.warnings)(config) {
        remark(&mut connector, &finding.key, format!("'{}' {} {}", finding.key, finding.reason, finding.remedy));
    }
    let own_wrong = connector.iter().any(|c| !c.errors.is_empty());
    let mut checked = common(settings, plugin, config);
    for base in &mut checked {
        // A connector's key of the same name takes the place of the common one.
        if let Some(i) = connector.iter().position(|c| c.name == base.name) {
            *base = connector.remove(i);
        }
    }
    classes::add_transforms(settings, config, &mut checked);
    classes::add_predicates(settings, config, &mut checked);
    checked.append(&mut connector);
    nulls(config, &mut checked);
    let (mut others, unmet) = overrides::client_overrides(settings, config);
    others.append(&mut classes::converter_options(settings, config));
    classes::remark_on_unused_options(config, &mut others);
    Offline { checked, others, unmet, own_wrong }
}

/// Adds a remark to a key.
fn remark(checked: &mut Vec<Checked>, key: &str, line: String) {
    match checked.iter_mut().find(|c| c.name == key) {
        Some(c) => c.remarks.push(line),
        None => checked.push(Checked { name: key.to_owned(), remarks: vec![line], ..Checked::default() }),
    }
}

/// Which keys are secret: those that match `custom.sanitize.pattern`, or if it is missing or does not compile, those with
/// the usual endings.
fn secret_names(config: &Properties) -> SecretNames {
    let pattern = config.get("custom.sanitize.pattern").and_then(|pattern| settings::JavaRegex::new(pattern).ok());
    pattern.map_or(SecretNames::Usual, |pattern| SecretNames::Pattern(Box::new(pattern)))
}

/// Validates a configuration. Like Debezium it asks the database unless one of the connector's own keys has an error.
///
/// A panic on the way fails this request only.
pub async fn validate(settings: &SupervisorSettings, config: &Properties) -> Result<Validation, Rejected> {
    let validation = defect::caught(validated(settings, config)).await;
    validation.unwrap_or_else(|defect| Err(Rejected::Defect(defect.trace("the validation"))))
}

async fn validated(settings: &SupervisorSettings, raw: &Properties) -> Result<Validation, Rejected> {
    failpoint::reach("validate", raw.get("name").unwrap_or_default());
    let resolved = settings.resolved(raw.clone()).await;
    let config = &resolved.map_err(|defect| Rejected::Defect(defect.trace("the validation")))?;
    let plugin = plugin(settings, config)?;
    let Offline { mut checked, others, mut unmet, own_wrong } = offline(settings, plugin, config);
    let mut error_count = checked.iter().map(|c| c.errors.len()).sum::<usize>();
    error_count += others.iter().filter(|c| !c.errors.is_empty()).count();
    let (mut remarks, mut warnings) = (Vec::new(), Vec::new());
    for finding in (plugin.check)(config.clone()).await {
        match finding.severity {
            // If the connector's own keys have errors, these are the same ones again.
            Severity::Error if !own_wrong => {
                error_count += 1;
                if !finding.remedy.is_empty() {
                    remarks.push(format!("{}: {}", finding.key, finding.remedy));
                }
                match checked.iter_mut().find(|c| c.name == finding.key) {
                    Some(c) => c.errors.push(finding.reason),
                    None => checked.insert(0, undefined(finding.key, vec![finding.reason])),
                }
            }
            Severity::Warning => warnings.push(finding),
            Severity::Unmet if !own_wrong => unmet.push(finding),
            Severity::Error | Severity::Unmet => {}
        }
    }
    if error_count == 0 {
        remarks.extend(unmet.iter().chain(&warnings).map(ToString::to_string));
    } else {
        // An old name of a key may be the reason why a key is missing.
        remarks.extend((plugin.warnings)(config).iter().map(|f| format!("'{}' {} {}", f.key, f.reason, f.remedy)));
    }
    for finding in warnings {
        remark(&mut checked, &finding.key, finding.to_string());
    }
    checked.extend(others);

    let mut groups: Vec<String> = Vec::new();
    for group in checked.iter().filter_map(|c| c.definition.as_ref()?.group.as_ref()) {
        if !groups.contains(group) {
            groups.push(group.clone());
        }
    }
    let name = config.get("connector.class").unwrap_or_default().to_owned();
    Ok(Validation { name, error_count, groups, configs: checked, remarks, unmet })
}

/// Checks a stored configuration when its connector starts, because a Java worker or an older release may have written it.
/// Returns the remarks about keys without effect.
///
/// # Errors
/// The keys that are refused, as a trace for the status in Java's form.
pub fn at_start(settings: &SupervisorSettings, plugin: &Plugin, config: &Properties) -> Result<Vec<String>, String> {
    let mut refused: Vec<String> = (plugin.keys)().refused("", config).into_iter().map(|i| i.message).collect();
    refused.extend(keys::COMMON.refused("", config).into_iter().map(|i| i.message));
    if wants_exactly_once(config) && !has_exactly_once(settings) {
        refused.push(NOT_EXACTLY_ONCE.to_owned());
    }
    if !refused.is_empty() {
        return Err(format!("org.apache.kafka.common.config.ConfigException: {}", refused.join("\n")));
    }
    let Offline { checked, others, .. } = offline(settings, plugin, config);
    Ok(checked.into_iter().chain(others).filter(|c| c.errors.is_empty()).flat_map(|c| c.remarks).collect())
}

const NOT_EXACTLY_ONCE: &str = "This worker does not have exactly-once source support enabled.";

fn wants_exactly_once(config: &Properties) -> bool {
    config.get("exactly.once.support").is_some_and(|value| value.trim().eq_ignore_ascii_case("required"))
}

fn has_exactly_once(settings: &SupervisorSettings) -> bool {
    settings.worker.get("exactly.once.source.support").is_some_and(|text| text.trim().eq_ignore_ascii_case("enabled"))
}

/// The common keys as this worker and this connector show them.
pub fn common(settings: &SupervisorSettings, plugin: &Plugin, config: &Properties) -> Vec<Checked> {
    let mut checked = keys::COMMON.validate(config);
    for one in &mut checked {
        match one.name.as_str() {
            "connector.class" | "connector.plugin.version" => {
                if one.name == "connector.plugin.version" {
                    classes::set_default(one, config, plugin.version);
                    one.recommended = vec![plugin.version.to_owned()];
                }
                let wanted = config.get("connector.plugin.version");
                one.errors.extend(wanted.and_then(|wanted| version::refusal(plugin.class, wanted, plugin.version)));
            }
            "exactly.once.support" if wants_exactly_once(config) && !has_exactly_once(settings) => {
                one.errors.push(NOT_EXACTLY_ONCE.to_owned());
            }
            "transaction.boundary" => {
                if one.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("connector")) {
                    one.errors.push(
                        "The connector does not support connector-defined transaction boundaries with the given \
                         configuration. Please reconfigure it to use a different transaction boundary definition."
                            .to_owned(),
                    );
                }
            }
            _ => classes::check_converter(settings, config, one),
        }
    }
    checked
}

/// Complains about null values, which no key can have. Connect complains only about keys without a definition; it stores the
/// others, and the connector then fails.
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
    Checked { name, errors, ..Checked::default() }
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
