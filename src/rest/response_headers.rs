//! Headers that every answer carries, as `response.http.headers.config` says.
//!
//! The setting has Connect's form: a list of items separated by commas. An item that holds a comma stands in double
//! quotes. Each item is `ACTION Name: value`. `set` replaces the value that an earlier item gave to that name, `add`
//! adds another value. `setDate` and `addDate` take a number of milliseconds, and the header's value is the time of the
//! answer plus that number. A header that the answer has itself, such as its content type, stays as it is.
//!
//! Must not know: resources.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::App;

/// The rules in the order of the setting.
#[derive(Clone, Debug, Default)]
pub struct ResponseHeaders(Vec<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    name: HeaderName,
    value: RuleValue,
    /// Whether the value is added to those of earlier rules, instead of replacing them.
    adds: bool,
}

#[derive(Clone, Debug)]
enum RuleValue {
    Text(HeaderValue),
    /// A date: the time of the answer plus this many milliseconds, which may be negative.
    DateAfterMs(i64),
}

impl ResponseHeaders {
    /// Reads the setting. The error says which item is wrong.
    pub fn read(setting: &str) -> Result<Self, String> {
        if setting.trim().is_empty() {
            return Ok(Self::default());
        }
        items(setting)?.iter().map(|item| rule(item)).collect::<Result<_, _>>().map(Self)
    }

    /// The headers for an answer at `now`.
    fn at(&self, now: SystemTime) -> HeaderMap {
        let mut given = HeaderMap::new();
        for rule in &self.0 {
            let value = match &rule.value {
                RuleValue::Text(text) => text.clone(),
                RuleValue::DateAfterMs(ms) => date(now, *ms),
            };
            if rule.adds {
                given.append(rule.name.clone(), value);
            } else {
                given.insert(rule.name.clone(), value);
            }
        }
        given
    }
}

fn date(now: SystemTime, after_ms: i64) -> HeaderValue {
    let by = Duration::from_millis(after_ms.unsigned_abs());
    let then = if after_ms < 0 { now.checked_sub(by) } else { now.checked_add(by) };
    // The last second of the year 9999: HTTP's dates have four digits for the year.
    let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    let then =
        then.filter(|then| (UNIX_EPOCH..=last).contains(then)).unwrap_or(if after_ms < 0 { UNIX_EPOCH } else { last });
    HeaderValue::from_str(&httpdate::fmt_http_date(then)).unwrap_or(HeaderValue::from_static(""))
}

/// Splits at commas outside of double quotes. An item that begins with a quote must end with one, and inside of it `\`
/// escapes the next character.
fn items(setting: &str) -> Result<Vec<String>, String> {
    let (mut items, mut rest) = (Vec::new(), setting.trim());
    while !rest.is_empty() {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (item, after) = rest.split_once(',').unwrap_or((rest, ""));
            items.push(item.trim().to_owned());
            rest = after.trim_start();
            continue;
        };
        let (mut item, mut characters) = (String::new(), quoted.char_indices());
        let end = loop {
            match characters.next() {
                Some((at, '"')) => break at,
                Some((_, '\\')) => item.extend(characters.next().map(|(_, escaped)| escaped)),
                Some((_, other)) => item.push(other),
                None => return Err(format!("the item {rest} begins with a quote and has no other one")),
            }
        };
        items.push(item);
        rest = quoted[end + 1..].trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
        } else if !rest.is_empty() {
            return Err(format!("a comma is expected before {rest}: put quotes around a whole item, not a part of it"));
        }
    }
    Ok(items)
}

fn rule(item: &str) -> Result<Rule, String> {
    let item = item.trim();
    let Some((action, header)) = item.split_once(char::is_whitespace) else {
        return Err(format!(
            "Invalid format of header config '{item}'. Expected: '[action] [header name]:[header value]'"
        ));
    };
    let (adds, is_date) = match action.to_ascii_lowercase().as_str() {
        "set" => (false, false),
        "add" => (true, false),
        "setdate" => (false, true),
        "adddate" => (true, true),
        _ => {
            return Err(format!(
                "Invalid header config action: '{action}'. Expected one of [set, add, setDate, addDate]"
            ));
        }
    };
    let header = header.trim();
    let Some((name, value)) = header.split_once(':').map(|(name, value)| (name.trim(), value.trim())) else {
        return Err(format!(
            "Invalid format of header name and header value pair '{header}'. Expected: '[header name]:[header value]'"
        ));
    };
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(format!("Invalid header name '{name}'. The '[header name]' cannot contain whitespace"));
    }
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(format!("'{name}' is no name that HTTP allows for a header"));
    };
    if [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(&name) {
        return Err(format!(
            "{name} tells where an answer ends, and a set value would cut answers short: leave it out"
        ));
    }
    let value = if is_date {
        let number = value.parse().map_err(|_| format!("'{value}' in '{item}' is no number of milliseconds"))?;
        RuleValue::DateAfterMs(number)
    } else {
        let text =
            HeaderValue::from_str(value).map_err(|_| format!("the value in '{item}' holds a control character"))?;
        RuleValue::Text(text)
    };
    Ok(Rule { name, value, adds })
}

/// Adds the headers to every answer.
pub(super) async fn add(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let rules = &app.config.response_headers;
    if !rules.0.is_empty() {
        let mut given = rules.at(SystemTime::now());
        for name in response.headers().keys() {
            given.remove(name);
        }
        response.headers_mut().extend(given);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers that a setting gives at the beginning of 1970, one on each line.
    fn given(setting: &str) -> Result<String, String> {
        let headers = ResponseHeaders::read(setting)?.at(UNIX_EPOCH);
        let lines =
            headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn rules_as_kafka_connect_takes_them() {
        for (setting, expect) in [
            ("", ""),
            ("  ", ""),
            ("set A: b", "a: b"),
            ("set A:b", "a: b"),
            ("  set   A : b  ", "a: b"),
            ("set\tA: b", "a: b"),
            ("set A: b c  d", "a: b c  d"),
            ("set A: http://x:1", "a: http://x:1"),
            ("SET A: b", "a: b"),
            ("add A: 1,add A: 2", "a: 1\na: 2"),
            ("set A: 1,set A: 2", "a: 2"),
            ("set A: 1,add A: 2", "a: 1\na: 2"),
            ("add A: 1, set A: 2 ,", "a: 2"),
            ("\"add A: b, c\",add D: e", "a: b, c\nd: e"),
            ("set D: e, \"add A: b, c\"", "d: e\na: b, c"),
            ("\"set A: \\\"b\\\"\"", "a: \"b\""),
            ("set A: x\"y,set B: z", "a: x\"y\nb: z"),
            ("set A: \u{e9}", "a: \u{e9}"),
            ("setDate A: 0", "a: Thu, 01 Jan 1970 00:00:00 GMT"),
            ("addDate A: 86400000", "a: Fri, 02 Jan 1970 00:00:00 GMT"),
            ("addDate A: 9223372036854775807", "a: Fri, 31 Dec 9999 23:59:59 GMT"),
            ("addDate A: -5", "a: Thu, 01 Jan 1970 00:00:00 GMT"),
        ] {
            assert_eq!(given(setting).as_deref(), Ok(expect), "{setting}");
        }
    }

    #[test]
    fn what_will_not_do_is_named() {
        for (setting, names) in [
            ("set", "'set'"),
            ("A: b", "'A:'"),
            ("put A: b", "'put'"),
            ("set A", "'A'"),
            ("set : b", "''"),
            ("set A B: c", "'A B'"),
            ("set A@: c", "'A@'"),
            ("set A: b,,set C: d", "''"),
            ("set A: b, no-store", "'no-store'"),
            ("setDate A: tomorrow", "'tomorrow'"),
            ("set A: b\u{1}c", "control"),
            ("\"set A: b", "no other one"),
            ("\"set A: b\" c, set D: e", "before c, set D: e"),
            ("set Content-Length: 0", "content-length"),
            ("add Transfer-Encoding: chunked", "transfer-encoding"),
        ] {
            let refusal = given(setting).expect_err(setting);
            assert!(refusal.contains(names), "{setting}: {refusal}");
        }
    }
}
