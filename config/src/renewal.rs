//! Values that are asked for again: passwords that rotate, and tokens of clouds that end after minutes.
//!
//! A config may name a value by a variable (`${file:/run/secrets/db:password}`), which is resolved when the config is put to
//! use. A connection that is opened a day later needs the value of that moment, so a resolved config remembers how it was
//! written, and who reads it asks again for the few values that it needs anew.
//!
//! Must not know: where values come from, what they open.

use std::fmt;
use std::sync::Arc;

use crate::Properties;

/// Replaces the variables of a config by their values. It may read files, and so it may block.
pub type Resolve = Arc<dyn Fn(Properties) -> Properties + Send + Sync>;

/// Asks for some values of a config again.
#[derive(Clone)]
pub struct Renewal {
    /// The values as they are written, variables in them.
    written: Properties,
    resolve: Resolve,
}

impl Renewal {
    /// The values as they are now, by their names. A value is left out if it is empty, or if one of its variables cannot be
    /// resolved now: a file may be in the middle of its replacement. Blocks.
    pub fn read(&self) -> Properties {
        let resolved = (self.resolve)(self.written.clone());
        let is_new = |name: &str, value: &str| {
            let is_whole =
                |written: &str| value != written && !variables(written).any(|variable| value.contains(variable));
            !value.is_empty() && self.written.get(name).is_none_or(is_whole)
        };
        let values = resolved.iter().filter_map(|(name, value)| Some((name, value?)));
        values.filter(|(name, value)| is_new(name, value)).collect()
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.written.iter().map(|(name, _)| name).collect();
        f.debug_tuple("Renewal").field(&names).finish()
    }
}

/// The variables of a written value, such as `${file:/run/secrets/db:password}`. What stands in `${}` without a colon names no
/// provider, and so it is no variable.
fn variables(written: &str) -> impl Iterator<Item = &str> {
    let starts = written.match_indices("${").map(|(at, _)| &written[at..]);
    let whole = starts.filter_map(|rest| rest.find('}').map(|end| &rest[..=end]));
    whole.filter(|variable| variable.contains(':'))
}

/// How a resolved config was written.
#[derive(Clone)]
pub(crate) struct Origin {
    written: Properties,
    resolve: Resolve,
}

impl Properties {
    /// The same config with its variables resolved. It remembers how, so that values can be asked for again
    /// ([`Properties::renewal`]). Blocks as long as `resolve` does.
    #[must_use]
    pub fn resolved(self, resolve: &Resolve) -> Self {
        let mut resolved = resolve(self.clone());
        resolved.origin = Some(Arc::new(Origin { written: self, resolve: Arc::clone(resolve) }));
        resolved
    }

    /// Asks for the values of these names again; `None` if none of them has a variable.
    pub fn renewal(&self, names: &[&str]) -> Option<Renewal> {
        let Origin { written, resolve } = &**self.origin.as_ref()?;
        let texts = names.iter().filter_map(|name| Some((*name, written.get(name)?)));
        let written: Self = texts.filter(|(_, text)| text.contains("${")).collect();
        (!written.is_empty()).then(|| Renewal { written, resolve: Arc::clone(resolve) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Resolves `${n}` to the number of the call, and leaves out what it does not know.
    fn counting() -> Resolve {
        let calls = AtomicU32::new(0);
        Arc::new(move |config| {
            let call = calls.fetch_add(1, Ordering::Relaxed).to_string();
            config.iter().map(|(name, value)| (name, value.unwrap_or_default().replace("${n}", &call))).collect()
        })
    }

    #[test]
    fn values_are_asked_for_again() {
        let written: Properties =
            [("user", "u"), ("password", "p${n}"), ("host", "h${n}"), ("lost", "${gone}")].into_iter().collect();
        let resolved = written.clone().resolved(&counting());
        assert_eq!((resolved.get("password"), resolved.get("lost")), (Some("p0"), Some("${gone}")));
        let renewal = resolved.clone().renewal(&["user", "password", "lost", "absent"]).unwrap();
        // The user has no variable, and the host was not asked for.
        assert_eq!(renewal.read(), [("password", "p1")].into_iter().collect());
        assert_eq!(renewal.read(), [("password", "p2")].into_iter().collect());
        assert!(resolved.renewal(&["user"]).is_none(), "nothing changes");
        assert!(written.renewal(&["password"]).is_none(), "nobody has resolved it");
        assert_eq!(format!("{renewal:?}"), r#"Renewal(["password", "lost"])"#);
    }

    /// A file that is being written is empty for a moment, and one of two files may be away.
    #[test]
    fn half_a_value_is_left_out() {
        let resolve: Resolve = Arc::new(|config| {
            let resolved = |text: &str| text.replace("${file:a:k}", "1").replace("${file:empty:k}", "");
            config.iter().map(|(name, value)| (name, resolved(value.unwrap_or_default()))).collect()
        });
        let written: Properties = [
            ("whole", "${file:a:k}-${file:a:k}"),
            ("half", "${file:a:k}-${file:gone:k}"),
            ("other half", "${file:gone:k}-${file:a:k}"),
            ("empty", "${file:empty:k}"),
            ("no variable", "${x}${file:a:k}"),
        ]
        .into_iter()
        .collect();
        let renewal = written.resolved(&resolve).renewal(&["whole", "half", "other half", "empty", "no variable"]);
        assert_eq!(renewal.unwrap().read(), [("whole", "1-1"), ("no variable", "${x}1")].into_iter().collect());
    }
}
