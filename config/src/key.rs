//! One key: its static definition, and the shape in which REST shows it.
//!
//! The definition is plain `const` data so that a connector's whole table is checked by the compiler and costs nothing
//! at start.
//!
//! Must not know: which keys exist.

use crate::{Check, Support};

/// Connect's type names of a key (`ConfigDef.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`, any case.
    Boolean,
    /// Text.
    String,
    /// 32-bit integer.
    Int,
    /// 16-bit integer.
    Short,
    /// 64-bit integer.
    Long,
    /// Floating point.
    Double,
    /// Comma-separated texts.
    List,
    /// The name of a Java class.
    Class,
    /// Text that is never shown.
    Password,
}

impl Kind {
    /// The name over REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }
}

/// How much a key matters to most users; forms sort by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Importance {
    /// Nearly everybody sets it.
    High,
    /// Many set it.
    Medium,
    /// For special cases.
    Low,
}

impl Importance {
    /// The name over REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

/// How wide a form should draw the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Not said.
    None,
    /// A number or a word.
    Short,
    /// A name.
    Medium,
    /// A sentence or a list.
    Long,
}

impl Width {
    /// The name over REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Short => "SHORT",
            Self::Medium => "MEDIUM",
            Self::Long => "LONG",
        }
    }
}

/// Whose words a complaint uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Kafka's `ConfigDef`: the keys common to all connectors, SMTs, converters, the worker.
    Connect,
    /// Debezium's `Field`: a connector's own keys. Their `value` is never shown over REST.
    Debezium,
}

/// The definition of one key. Build it with [`Key::new`] and the `const` setters.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Name as written in a config.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Default as text; `None` is Connect's null default, or no default when `required`.
    pub default: Option<&'static str>,
    /// No default and must be set. Debezium's keys are never `required` here: their [`Check::Required`] says so instead.
    pub required: bool,
    /// Importance.
    pub importance: Importance,
    /// Group in a form; `None`: ungrouped.
    pub group: Option<&'static str>,
    /// Position in the group, from 1; -1 ungrouped.
    pub order_in_group: i32,
    /// Width in a form.
    pub width: Width,
    /// Title in a form.
    pub display_name: &'static str,
    /// What the key does, and what follows from setting it.
    pub documentation: &'static str,
    /// Keys whose meaning depends on this one.
    pub dependents: &'static [&'static str],
    /// Values to offer, in the order of the answer.
    pub recommended: &'static [&'static str],
    /// Whose words a complaint uses.
    pub style: Style,
    /// Checks in order, after the type's own.
    pub checks: &'static [Check],
    /// Whether forms show it.
    pub visible: bool,
    /// Older names that are read when this one is absent.
    pub aliases: &'static [&'static str],
    /// In the definition list of REST. An unlisted key is read, and appears in an answer only when something is wrong.
    pub listed: bool,
    /// The key is only another name of one before it: it has a definition, but no value in an answer.
    pub alias_of: Option<&'static str>,
    /// A bad value is a warning and the default is used, never an error (keys that the reference reads unchecked).
    pub lenient: bool,
    /// A bad value is an error when the connector starts, not yet when its config is sent (as in the reference).
    pub at_start: bool,
    /// Whether the key does here what it promises.
    pub support: Support,
    /// The form of all names that this one definition stands for, with parts in angle brackets: `producer.<property>`.
    pub family: Option<&'static str>,
}

impl Key {
    /// A key in Connect's style: optional, null default, ungrouped, MEDIUM importance.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            default: None,
            required: false,
            importance: Importance::Medium,
            group: None,
            order_in_group: -1,
            width: Width::None,
            display_name: name,
            documentation: "",
            dependents: &[],
            recommended: &[],
            style: Style::Connect,
            checks: &[],
            visible: true,
            aliases: &[],
            listed: true,
            alias_of: None,
            lenient: false,
            at_start: false,
            support: Support::Works,
            family: None,
        }
    }

    /// A key in Debezium's style.
    pub const fn debezium(name: &'static str, kind: Kind) -> Self {
        let mut key = Self::new(name, kind);
        key.style = Style::Debezium;
        key
    }

    /// Sets the default.
    #[must_use]
    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// Makes it required: Connect answers `Missing required configuration` without it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Importance HIGH.
    #[must_use]
    pub const fn high(mut self) -> Self {
        self.importance = Importance::High;
        self
    }

    /// Importance LOW.
    #[must_use]
    pub const fn low(mut self) -> Self {
        self.importance = Importance::Low;
        self
    }

    /// Group and position in it.
    #[must_use]
    pub const fn at(mut self, group: &'static str, order_in_group: i32) -> Self {
        self.group = Some(group);
        self.order_in_group = order_in_group;
        self
    }

    /// Title and width in a form.
    #[must_use]
    pub const fn shown(mut self, display_name: &'static str, width: Width) -> Self {
        self.display_name = display_name;
        self.width = width;
        self
    }

    /// What it does and what follows.
    #[must_use]
    pub const fn doc(mut self, documentation: &'static str) -> Self {
        self.documentation = documentation;
        self
    }

    /// Checks after the type's own, in order.
    #[must_use]
    pub const fn checks(mut self, checks: &'static [Check]) -> Self {
        self.checks = checks;
        self
    }

    /// One of these values (any case, blanks around it allowed); also offered. Give `checks` as `&[Check::OneOf(values)]`.
    #[must_use]
    pub const fn one_of(mut self, values: &'static [&'static str], checks: &'static [Check]) -> Self {
        self.recommended = values;
        self.checks = checks;
        self
    }

    /// Keys that depend on this one.
    #[must_use]
    pub const fn dependents(mut self, names: &'static [&'static str]) -> Self {
        self.dependents = names;
        self
    }

    /// Not shown in forms.
    #[must_use]
    pub const fn invisible(mut self) -> Self {
        self.visible = false;
        self
    }

    /// Older names, read when this one is absent.
    #[must_use]
    pub const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// Only another name of `name`.
    #[must_use]
    pub const fn alias_of(mut self, name: &'static str) -> Self {
        self.alias_of = Some(name);
        self
    }

    /// Read, but not in the definition list.
    #[must_use]
    pub const fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// A bad value is a warning and the default is used.
    #[must_use]
    pub const fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Checked when the connector starts only.
    #[must_use]
    pub const fn at_start(mut self) -> Self {
        self.at_start = true;
        self
    }

    /// What becomes of it when it is set. Without this it works.
    #[must_use]
    pub const fn support(mut self, support: Support) -> Self {
        self.support = support;
        self
    }

    /// Stands for all names of this form; the key's own name is one for lists.
    #[must_use]
    pub const fn family(mut self, form: &'static str) -> Self {
        self.family = Some(form);
        self
    }

    /// The name to show to a person: the form of a family, else the key's own.
    pub const fn title(&self) -> &'static str {
        match self.family {
            Some(form) => form,
            None => self.name,
        }
    }

    /// The shape that REST shows.
    pub fn definition(&self) -> Definition {
        Definition {
            name: self.name.to_owned(),
            kind: self.kind,
            required: self.required,
            default_value: self.default.map(|d| if self.kind == Kind::Password { crate::HIDDEN } else { d }.to_owned()),
            importance: self.importance,
            documentation: self.documentation.to_owned(),
            group: self.group.map(str::to_owned),
            order_in_group: self.order_in_group,
            width: self.width,
            display_name: self.display_name.to_owned(),
            dependents: self.dependents.iter().map(|&d| d.to_owned()).collect(),
        }
    }
}

/// A key as REST shows it; its names are owned, because those of an SMT carry the alias that the user chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Full name.
    pub name: String,
    /// Type.
    pub kind: Kind,
    /// Must be set.
    pub required: bool,
    /// Default as text; `[hidden]` for a password.
    pub default_value: Option<String>,
    /// Importance.
    pub importance: Importance,
    /// What it does.
    pub documentation: String,
    /// Group in a form.
    pub group: Option<String>,
    /// Position in the group; -1 ungrouped.
    pub order_in_group: i32,
    /// Width in a form.
    pub width: Width,
    /// Title in a form.
    pub display_name: String,
    /// Keys that depend on it.
    pub dependents: Vec<String>,
}
