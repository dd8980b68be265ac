//! One span: begun, told what it is about, ended.
//!
//! Must not know: how spans are sent.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Context, Shared, now_ns};

/// What a span stands for, with OTLP's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Work inside of this process.
    Internal = 1,
    /// A call that this process answers.
    Server = 2,
    /// Records that this process sends to a broker.
    Producer = 4,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text: a name, a class, a word. Never a cell's value or a secret.
    Text(Cow<'static, str>),
    /// A number.
    Int(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<&Arc<str>> for Value {
    fn from(text: &Arc<str>) -> Self {
        Self::Text(Cow::Owned(text.to_string()))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// The name of an attribute.
pub(super) type Name = Cow<'static, str>;

/// A span that has ended, as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: Kind,
    pub(super) context: Context,
    /// The parent's span; none for the first of a trace.
    pub(super) parent: Option<[u8; 8]>,
    /// Nanoseconds since 1970.
    pub(super) begun_ns: i64,
    /// Nanoseconds since 1970.
    pub(super) until_ns: i64,
    pub(super) attributes: Vec<(Name, Value)>,
    pub(super) has_failed: bool,
}

/// A span that goes on. It ends when it is dropped.
#[derive(Debug)]
pub struct Span {
    context: Context,
    shared: Arc<Shared>,
    /// What is recorded; none in a trace that is not.
    recorded: Option<Box<Ended>>,
}

impl Span {
    pub(super) fn begin(shared: &Arc<Shared>, name: Name, kind: Kind, parent: Option<&Context>) -> Self {
        let context = Context::under(parent, |trace| shared.sampler.samples(parent, trace));
        let recorded = context.sampled.then(|| {
            let (begun_ns, parent, context) = (now_ns(), parent.map(|parent| parent.span), context.clone());
            let (attributes, has_failed) = (Vec::new(), false);
            Box::new(Ended { name, kind, context, parent, begun_ns, until_ns: 0, attributes, has_failed })
        });
        Self { context, shared: Arc::clone(shared), recorded }
    }

    /// Its place in its trace, for its children.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Whether it is recorded. If not, what is said of it is for nothing.
    pub fn is_recorded(&self) -> bool {
        self.recorded.is_some()
    }

    /// Begins a span inside of this one, now.
    #[must_use]
    pub fn child(&self, name: impl Into<Cow<'static, str>>) -> Self {
        let mut child = Self::begin(&self.shared, name.into(), Kind::Internal, Some(&self.context));
        if self.recorded.is_none() {
            // A sampler that does not ask the parent would record a part of what is not recorded.
            child.recorded = None;
            child.context.sampled = false;
        }
        child
    }

    /// Says something about it. Each name is said once.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        if let Some(recorded) = &mut self.recorded {
            recorded.attributes.push((name.into(), value.into()));
        }
    }

    /// It failed, for a reason of this kind: a class, a word or a number that is the same for all such failures.
    pub fn fail(&mut self, kind: impl Into<Value>) {
        if let Some(recorded) = &mut self.recorded {
            recorded.has_failed = true;
            recorded.attributes.push((Cow::Borrowed("error.type"), kind.into()));
        }
    }

    /// It began at another time than when it was made, in nanoseconds since 1970.
    pub fn begun_at(&mut self, begun_ns: i64) {
        if let Some(recorded) = &mut self.recorded {
            recorded.begun_ns = begun_ns;
        }
    }

    /// Ends it now.
    pub fn end(self) {
        drop(self);
    }

    /// Ends it at a time that has passed, in nanoseconds since 1970.
    pub fn end_at(mut self, ended_ns: i64) {
        if let Some(recorded) = &mut self.recorded {
            recorded.until_ns = ended_ns;
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(mut ended) = self.recorded.take() else { return };
        if ended.until_ns == 0 {
            ended.until_ns = now_ns();
        }
        // The clock may have been set back meanwhile.
        ended.until_ns = ended.until_ns.max(ended.begun_ns);
        self.shared.take(*ended);
    }
}
