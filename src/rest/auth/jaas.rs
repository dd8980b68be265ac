//! Parses a JAAS login configuration: `Name { class flag option="value" …; … }; …`.
//!
//! As in Java, a text that is not in this form is an error that names the line. A file that is only half understood
//! would protect only half.
//!
//! Must not know: which classes and options exist.

/// One application's login modules, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) modules: Vec<Module>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) class: String,
    pub(super) options: Vec<(String, String)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Sign(char),
}

/// Parses all entries of a configuration. The error says the line and what is wrong.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0 };
    let mut entries: Vec<Entry> = Vec::new();
    while reader.at < reader.tokens.len() {
        let name = reader.text("an entry's name")?;
        if entries.iter().any(|entry| entry.name == name) {
            return Err(reader.wrong(&format!("the entry {name} stands there twice: remove one")));
        }
        reader.sign('{')?;
        let mut modules = Vec::new();
        while !reader.takes('}') {
            modules.push(reader.module()?);
        }
        reader.sign(';')?;
        entries.push(Entry { name, modules });
    }
    Ok(entries)
}

struct Reader {
    /// Each token with its line.
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl Reader {
    fn wrong(&self, what: &str) -> String {
        let token = self.tokens.get(self.at).or(self.tokens.last());
        format!("line {}: {what}", token.map_or(1, |(line, _)| *line))
    }

    fn text(&mut self, what: &str) -> Result<String, String> {
        match self.tokens.get(self.at) {
            Some((_, Token::Text(text))) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.wrong(&format!("{what} is expected"))),
        }
    }

    fn takes(&mut self, sign: char) -> bool {
        let is = matches!(self.tokens.get(self.at), Some((_, Token::Sign(found))) if *found == sign);
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(self.wrong(&format!("'{sign}' is expected"))) }
    }

    fn module(&mut self) -> Result<Module, String> {
        const FLAGS: [&str; 4] = ["required", "requisite", "sufficient", "optional"];
        let class = self.text("a login module's class")?;
        let flag = self.text("a control flag")?;
        if !FLAGS.iter().any(|known| known.eq_ignore_ascii_case(&flag)) {
            return Err(self.wrong(&format!("'{flag}' is none of {}", FLAGS.join(", "))));
        }
        let mut options = Vec::new();
        while !self.takes(';') {
            let name = self.text("an option's name, or ';',")?;
            self.sign('=')?;
            options.push((name, self.text("an option's value")?));
        }
        Ok(Module { class, options })
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let (mut line, mut rest) = (1, text);
    while let Some(first) = rest.chars().next() {
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").ok_or_else(|| format!("line {line}: a comment has no end"))? + 2
        } else if first == '"' {
            let (text, length) = quoted(rest).ok_or_else(|| format!("line {line}: a quote has no other one"))?;
            tokens.push((line, Token::Text(text)));
            length
        } else if "{};=".contains(first) {
            tokens.push((line, Token::Sign(first)));
            1
        } else if is_of_a_word(first) {
            let length = rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len());
            tokens.push((line, Token::Text(rest[..length].to_owned())));
            length
        } else {
            return Err(format!("line {line}: unexpected '{first}': put quotes around the value"));
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    Ok(tokens)
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || "_-$.*".contains(c)
}

/// The text in quotes at the beginning of `rest`, and its length including the quotes. It must end on the same line.
fn quoted(rest: &str) -> Option<(String, usize)> {
    let (mut text, mut characters) = (String::new(), rest.char_indices().skip(1));
    loop {
        match characters.next()? {
            (at, '"') => return Some((text, at + 1)),
            (_, '\n') => return None,
            (_, '\\') => text.push(match characters.next()?.1 {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                other => other,
            }),
            (_, other) => text.push(other),
        }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may")]
mod tests {
    use super::*;

    #[test]
    fn what_javas_reader_takes() {
        let text = "// a worker's logins\nKafkaClient { com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true \
                    principal=\"kafka/host@REALM\"; };\n/* and\n */ \"KafkaConnect\" {\n  a.B$C REQUIRED\n  file=\"/x \\\"y\\\" \
                    \\\\z\" debug=true;\n  d.E optional;\n};\nEmpty {};";
        let module = |class: &str, options: &[(&str, &str)]| Module {
            class: class.to_owned(),
            options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let client = [("useKeyTab", "true"), ("principal", "kafka/host@REALM")];
        let connect = [("file", "/x \"y\" \\z"), ("debug", "true")];
        let expect = [
            ("KafkaClient", vec![module("com.sun.security.auth.module.Krb5LoginModule", &client)]),
            ("KafkaConnect", vec![module("a.B$C", &connect), module("d.E", &[])]),
            ("Empty", vec![]),
        ];
        let expect = expect.map(|(name, modules)| Entry { name: name.to_owned(), modules });
        assert_eq!(entries(text).expect("it is in form"), expect);
        assert_eq!(entries(" \n").expect("it is in form"), []);
    }

    #[test]
    fn what_it_does_not_take_is_named_with_its_line() {
        for (text, names) in [
            ("A {\n b required", "line 2: an option's name"),
            ("A {\n b required;\n}", "line 3: ';' is expected"),
            ("A {\n b required;", "line 2: a login module's class"),
            ("A b required; };", "line 1: '{' is expected"),
            ("A { b must; };", "'must' is none of required"),
            ("A { b required file; };", "'=' is expected"),
            ("A { b required file=; };", "an option's value"),
            ("A { b required file=/x; };", "unexpected '/'"),
            ("A { b required file=\"/x; };\n", "a quote has no other one"),
            ("/* A", "a comment has no end"),
            ("A { b required; }; A { c required; };", "the entry A stands there twice"),
            ("{ b required; };", "an entry's name"),
        ] {
            let refusal = entries(text).expect_err(text);
            assert!(refusal.contains(names), "{text}: {refusal}");
        }
    }
}
