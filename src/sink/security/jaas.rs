//! JAAS, the form in which Java's clients get their logins.

use std::iter::Peekable;
use std::str::Chars;

/// One entry of a JAAS configuration: login module, control flag and options, in the grammar of
/// `javax.security.auth.login.Configuration`.
pub(super) struct Jaas {
    /// The class of the login module.
    pub(super) module: String,
    options: Vec<(String, String)>,
}

impl Jaas {
    /// The value of an option.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
    }

    /// The names of the options.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.options.iter().map(|(name, _)| name.as_str())
    }

    /// Parses an entry. The errors never quote the text, because it holds a password.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut words = words(text)?.into_iter();
        let module = words.next().ok_or("it is empty")?;
        let control = words.next().ok_or("the control flag is missing")?;
        if !["required", "requisite", "sufficient", "optional"].contains(&control.to_ascii_lowercase().as_str()) {
            return Err("the control flag after the login module is none of required, requisite, sufficient, optional");
        }
        let mut options = Vec::new();
        loop {
            match words.next().as_deref() {
                Some(";") => break,
                None => return Err("it does not end with a semicolon"),
                Some(name) => {
                    if words.next().as_deref() != Some("=") {
                        return Err("an option has no equals sign");
                    }
                    let value = words.next().ok_or("an option has no value")?;
                    options.push((name.to_owned(), value));
                }
            }
        }
        // A client logs in by one module; Kafka refuses more of them, too.
        if words.next().is_some() {
            return Err("there is more than one login module");
        }
        Ok(Self { module, options })
    }
}

/// Splits a JAAS entry into words, quoted strings, and the marks `=` and `;`, as Kafka does with `java.io.StreamTokenizer`:
/// there are comments, and in quotes the escapes of C.
fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '=' | ';' => out.push(c.to_string()),
            quote @ ('"' | '\'') => {
                let mut word = String::new();
                loop {
                    match chars.next() {
                        None | Some('\n' | '\r') => return Err("a quoted value does not end"),
                        Some(c) if c == quote => break,
                        Some('\\') => word.extend(escaped(&mut chars)),
                        Some(c) => word.push(c),
                    }
                }
                out.push(word);
            }
            '/' if chars.next_if_eq(&'/').is_some() => while chars.next_if(|c| !matches!(c, '\n' | '\r')).is_some() {},
            '/' if chars.next_if_eq(&'*').is_some() => {
                let mut before = ' ';
                while let Some(c) = chars.next().filter(|c| !(before == '*' && *c == '/')) {
                    before = c;
                }
            }
            c => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !matches!(c, '=' | ';' | '"' | '\'')) {
                    word.push(c);
                }
                out.push(word);
            }
        }
    }
    Ok(out)
}

/// The character that stands behind a backslash: a letter of C's escapes, up to three octal digits, or itself.
fn escaped(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    let first = chars.next()?;
    Some(match first {
        '0'..='7' => {
            let mut code = first.to_digit(8)?;
            let most = if first <= '3' { 2 } else { 1 };
            for _ in 0..most {
                let Some(digit) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                code = code * 8 + digit;
                chars.next();
            }
            char::from_u32(code)?
        }
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        other => other,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        #[track_caller]
        fn check(text: &str, expect: Result<&[(&str, &str)], &str>) {
            match (Jaas::parse(text), expect) {
                (Ok(jaas), Ok(options)) => {
                    let found: Vec<_> = jaas.options.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                    assert_eq!((jaas.module.as_str(), found.as_slice()), ("a.B", options), "{text}");
                }
                (Err(reason), Err(part)) => {
                    assert!(reason.contains(part) && !reason.contains("s3cr3t"), "{text}: {reason}");
                }
                (Ok(_), Err(part)) => panic!("{text}: no error with {part}"),
                (Err(reason), Ok(_)) => panic!("{text}: {reason}"),
            }
        }
        check("a.B required;", Ok(&[]));
        check("a.B REQUIRED u=\"x\" p='y z';", Ok(&[("u", "x"), ("p", "y z")]));
        check("a.B required p = \"a=b;c'd\";", Ok(&[("p", "a=b;c'd")]));
        check("a.B required p=\";\" q=\"=\";", Ok(&[("p", ";"), ("q", "=")]));
        check(r#"a.B required p="a\"b\\c\td\101\7\400e\q";"#, Ok(&[("p", "a\"b\\c\tdA\u{7} 0eq")]));
        check("a.B required // p=\"x\"\n u=\"//\" /* more ** / */ v=\"\";", Ok(&[("u", "//"), ("v", "")]));
        check("", Err("empty"));
        check("a.B", Err("control flag is missing"));
        check("a.B always;", Err("none of required"));
        check("a.B required p=\"s3cr3t\"", Err("semicolon"));
        check("a.B required p \"s3cr3t\";", Err("equals sign"));
        check("a.B required p=\"s3cr3t;", Err("does not end"));
        check("a.B required p=\"s3cr3t\"; c.D required;", Err("more than one"));
    }
}
