//! The tokens of a literal: each of `:,{}[]"` is one unless a backslash stands before it, and so is what stands between them.

/// Reads token by token, and can go back.
#[derive(Debug)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    /// Behind the token that was looked at last.
    at: usize,
    /// A token that was looked at but not taken.
    ahead: Option<&'t str>,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, ahead: None }
    }

    /// Where the next token starts.
    pub(super) fn mark(&self) -> usize {
        self.at - self.ahead.map_or(0, str::len)
    }

    pub(super) fn back_to(&mut self, mark: usize) {
        self.at = mark;
        self.ahead = None;
    }

    pub(super) fn has_more(&self) -> bool {
        self.ahead.is_some() || self.at < self.text.len()
    }

    /// The next token; empty at the end.
    pub(super) fn next(&mut self) -> &'t str {
        self.ahead.take().unwrap_or_else(|| self.scan())
    }

    /// The text of the next four tokens, if there are as many.
    pub(super) fn next_four(&mut self) -> Option<&'t str> {
        let start = self.mark();
        for _ in 0..4 {
            if !self.has_more() {
                self.back_to(start);
                return None;
            }
            self.next();
        }
        Some(&self.text[start..self.at])
    }

    /// Takes the next token if it is this one, with or without blanks around it. Blank tokens are passed over.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        if !self.has_more() {
            return false;
        }
        let mut token = self.next();
        while is_blank(token) && self.at < self.text.len() {
            token = self.scan();
        }
        let is_it = token.trim_matches(|c| c <= ' ') == expected;
        if !is_it {
            self.ahead = Some(token);
        }
        is_it
    }

    fn scan(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        let mut escaped = false;
        let end = rest.char_indices().find_map(|(i, c)| {
            let is_mark = matches!(c, ':' | ',' | '{' | '}' | '[' | ']' | '"') && !escaped;
            escaped = c == '\\' && !escaped;
            is_mark.then_some(if i == 0 { 1 } else { i })
        });
        let token = &rest[..end.unwrap_or(rest.len())];
        self.at += token.len();
        token
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c <= ' ')
}
