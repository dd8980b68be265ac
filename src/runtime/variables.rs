//! Variables in configurations, `${name:path:key}` and `${name:key}`: values from files, directories and the environment.
//!
//! They are resolved when a configuration is used and not when it is stored, so that secrets stay out of the config topic.
//! A variable that cannot be resolved stays as it is written, as in Connect. The providers are Kafka's `FileConfigProvider`,
//! `DirectoryConfigProvider` and `EnvVarConfigProvider` (KIP-297, KIP-421, KIP-887), by their class names.
//!
//! Must not know: which settings hold variables.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use settings::{JavaRegex, Properties};

/// The providers of a worker.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    providers: Vec<(String, Provider)>,
}

#[derive(Clone, Debug)]
enum Provider {
    /// Properties files under the allowed paths; under any path if none is named.
    File { allowed: Vec<PathBuf> },
    /// Files of a directory, each of which is a value; allowed paths as above.
    Directory { allowed: Vec<PathBuf> },
    /// Environment variables that the pattern matches.
    Environment { allowed: Option<JavaRegex> },
}

/// Why the providers cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}. {remedy}")]
pub struct VariablesError {
    /// The worker's configuration key.
    pub key: String,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

impl Variables {
    /// Reads `config.providers` and `config.providers.<name>.{class,param.*}` of a worker.
    pub fn read(worker: &Properties) -> Result<Self, VariablesError> {
        let mut providers = Vec::new();
        let names = worker.get("config.providers").unwrap_or("").split(',').map(str::trim).filter(|n| !n.is_empty());
        for name in names {
            let key = format!("config.providers.{name}.class");
            let parameter = |p: &str| worker.get(&format!("config.providers.{name}.param.{p}")).map(str::trim);
            let allowed = || {
                let paths = parameter("allowed.paths").unwrap_or("").split(',').map(str::trim);
                paths.filter(|p| !p.is_empty()).map(PathBuf::from).collect()
            };
            let class = worker.get(&key).map_or("", str::trim);
            let provider = match class.rsplit('.').next().unwrap_or(class) {
                "FileConfigProvider" => Provider::File { allowed: allowed() },
                "DirectoryConfigProvider" => Provider::Directory { allowed: allowed() },
                "EnvVarConfigProvider" => Provider::Environment {
                    allowed: parameter("allowlist.pattern").map(JavaRegex::new_case_sensitive).transpose().map_err(
                        |e| VariablesError {
                            key: format!("config.providers.{name}.param.allowlist.pattern"),
                            reason: format!("it is no regular expression: {e}"),
                            remedy: "Correct it, or remove it to allow every variable.".to_owned(),
                        },
                    )?,
                },
                _ => {
                    let reason = if class.is_empty() {
                        format!("the provider '{name}' has no class")
                    } else {
                        format!("'{class}' is no provider that is built in")
                    };
                    let remedy = "Use org.apache.kafka.common.config.provider.FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider.";
                    return Err(VariablesError { key, reason, remedy: remedy.to_owned() });
                }
            };
            providers.push((name.to_owned(), provider));
        }
        Ok(Self { providers })
    }

    /// Copies `config` with its variables resolved. Reads the files and the environment each time.
    pub fn resolve(&self, config: &Properties) -> Properties {
        let mut files = HashMap::new();
        let mut resolved = Properties::new();
        for (name, value) in config.iter() {
            match value {
                Some(text) => resolved.insert(name, self.resolve_text(text, &mut files)),
                None => resolved.insert_null(name),
            }
        }
        resolved
    }

    /// Whether `text` has a variable of a configured provider.
    pub fn occurs_in(&self, text: &str) -> bool {
        let mut rest = text;
        while let Some((_, variable, after)) = next_variable(rest) {
            if self.providers.iter().any(|(n, _)| *n == variable.provider) {
                return true;
            }
            rest = after;
        }
        false
    }

    fn resolve_text(&self, text: &str, files: &mut HashMap<PathBuf, Properties>) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((before, variable, after)) = next_variable(rest) {
            out.push_str(before);
            match self.look_up(&variable, files) {
                Some(value) => out.push_str(&value),
                None => out.push_str(variable.written),
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn look_up(&self, variable: &Variable<'_>, files: &mut HashMap<PathBuf, Properties>) -> Option<String> {
        let (_, provider) = self.providers.iter().find(|(name, _)| *name == variable.provider)?;
        match provider {
            Provider::File { allowed } => {
                let path = permitted(Path::new(variable.path?), allowed)?;
                if !files.contains_key(&path) {
                    files.insert(path.clone(), read_properties(&path)?);
                }
                files.get(&path)?.get(variable.key).map(str::to_owned)
            }
            Provider::Directory { allowed } => {
                // A key names a file directly in the directory.
                if variable.key.contains(['/', '\\']) || variable.key == ".." {
                    return None;
                }
                let path = permitted(&Path::new(variable.path?).join(variable.key), allowed)?;
                std::fs::read_to_string(path).ok()
            }
            Provider::Environment { allowed } => {
                let visible = match allowed {
                    Some(pattern) => pattern.matches(variable.key).unwrap_or(false),
                    None => true,
                };
                (variable.path.is_none_or(str::is_empty) && visible).then(|| std::env::var(variable.key).ok()).flatten()
            }
        }
    }
}

/// The path with its links resolved, if it is under an allowed one or if none is named.
fn permitted(path: &Path, allowed: &[PathBuf]) -> Option<PathBuf> {
    let real = path.canonicalize().ok()?;
    let inside = |root: &PathBuf| root.canonicalize().is_ok_and(|root| real.starts_with(root));
    (allowed.is_empty() || allowed.iter().any(inside)).then_some(real)
}

fn read_properties(path: &Path) -> Option<Properties> {
    let bytes = std::fs::read(path).ok()?;
    let mut properties = Properties::new();
    java_properties::PropertiesIter::new(bytes.as_slice()).read_into(|k, v| properties.insert(k, v)).ok()?;
    Some(properties)
}

struct Variable<'a> {
    written: &'a str,
    provider: &'a str,
    path: Option<&'a str>,
    key: &'a str,
}

/// The text before the next variable, the variable, the text after: `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`.
fn next_variable(text: &str) -> Option<(&str, Variable<'_>, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("${")?;
        let end = start + text[start..].find('}')?;
        let body = &text[start + 2..end];
        if let Some((provider, rest)) = body.split_once(':') {
            let (path, key) = rest.split_once(':').map_or((None, rest), |(path, key)| (Some(path), key));
            let variable = Variable { written: &text[start..=end], provider, path, key };
            return Some((&text[..start], variable, &text[end + 1..]));
        }
        from = end + 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn resolves() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("s.properties");
        std::fs::write(&file, "pw=hunter2\nuser = joe\n").unwrap();
        std::fs::write(dir.path().join("token"), "t0k\n").unwrap();
        let worker = |allowed: &str| -> Properties {
            let package = "org.apache.kafka.common.config.provider";
            [
                ("config.providers", "file, dir,env".to_owned()),
                ("config.providers.file.class", format!("{package}.FileConfigProvider")),
                ("config.providers.file.param.allowed.paths", allowed.to_owned()),
                ("config.providers.dir.class", format!("{package}.DirectoryConfigProvider")),
                ("config.providers.env.class", format!("{package}.EnvVarConfigProvider")),
                ("config.providers.env.param.allowlist.pattern", "PATH|HOM.".to_owned()),
            ]
            .into_iter()
            .collect()
        };
        let variables = Variables::read(&worker("")).unwrap();
        let f = file.display();
        let d = dir.path().display();
        let check = |text: String, expect: String| {
            let config: Properties = [("k", text.as_str())].into_iter().collect();
            assert_eq!(variables.resolve(&config).get("k"), Some(expect.as_str()), "{text}");
        };
        check(format!("${{file:{f}:pw}}"), "hunter2".to_owned());
        check(format!("a ${{file:{f}:user}}:${{file:{f}:pw}} z"), "a joe:hunter2 z".to_owned());
        check(format!("${{dir:{d}:token}}"), "t0k\n".to_owned());
        check(format!("${{dir:{d}:../token}}"), format!("${{dir:{d}:../token}}"));
        check("${env:PATH}".to_owned(), std::env::var("PATH").unwrap());
        for left in ["${env:USER_X}", "${env:path:PATH}", "${vault:a:b}", "${x}", "${", "$${}", "plain"] {
            check(left.to_owned(), left.to_owned());
        }
        check(format!("${{file:{f}:absent}}"), format!("${{file:{f}:absent}}"));
        assert!(variables.occurs_in("x${file:a:b}") && !variables.occurs_in("${vault:a:b}"));

        let elsewhere = Variables::read(&worker("/nowhere")).unwrap();
        let text = format!("${{file:{f}:pw}}");
        let config: Properties = [("k", text.as_str())].into_iter().collect();
        assert_eq!(elsewhere.resolve(&config).get("k"), Some(text.as_str()));
    }

    #[test]
    fn unknown_providers_are_refused() {
        let worker: Properties =
            [("config.providers", "v"), ("config.providers.v.class", "com.example.Vault")].into_iter().collect();
        let e = Variables::read(&worker).unwrap_err();
        assert_eq!(e.key, "config.providers.v.class");
    }
}
