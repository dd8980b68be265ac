//! One key of a config: its static definition ([`Key`]), and what REST shows of it ([`Definition`]).
//!
//! The definition is plain `const` data so that a connector's whole table is checked by the compiler and costs nothing
//! at start.
//!
//! Must not know: which keys exist.

use crate::{Check, Support};

/// The type of a key's value, as Kafka's `ConfigDef.Type` names it.
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

/// How much a key matters to most users (`ConfigDef.Importance`); user interfaces sort their forms by it.
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

/// How wide a form should draw the field (`ConfigDef.Width`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// No hint.
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

/// Whose checks and whose error messages a key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Those of Kafka's `ConfigDef`: for keys common to all connectors, and keys of SMTs, converters and the worker.
    Connect,
    /// Those of Debezium's `Field`: for a connector's own keys. REST answers never show their `value`.
    Debezium,
}

/// The definition of one key. Build it with [`Key::new`] and the `const` setters.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Name as written in a config.
    pub name: &'static str,
    /// Type of the value.
    pub kind: Kind,
    /// Default as text. `None`: the default is null, or there is no default when `required` is true.
    pub default: Option<&'static str>,
    /// The key has no default and must be set. Debezium's keys leave this `false` and use [`Check::Required`] instead.
    pub required: bool,
    /// How much the key matters to most users.
    pub importance: Importance,
    /// Group in a form; `None` without a group.
    pub group: Option<&'static str>,
    /// Position in the group, counted from 1; -1 without a group.
    pub order_in_group: i32,
    /// Width in a form.
    pub width: Width,
    /// Title in a form.
    pub display_name: &'static str,
    /// What the key does, and what follows from setting it.
    pub documentation: &'static str,
    /// Keys whose meaning depends on this one.
    pub dependents: &'static [&'static str],
    /// Values that a form should offer, in the order in which REST lists them.
    pub recommended: &'static [&'static str],
    /// Whose error messages a bad value gets.
    pub style: Style,
    /// Checks that run in this order after the check of the type.
    pub checks: &'static [Check],
    /// Whether forms show the key.
    pub visible: bool,
    /// Older names of the key, read in this order when the key itself is absent.
    pub aliases: &'static [&'static str],
    /// Whether REST lists the key among the definitions. An unlisted key is read too, but a validation answer holds it
    /// only when it has an error or a remark.
    pub listed: bool,
    /// The key that this one is merely an older name of. A validation answer holds the definition of such a key, but no
    /// value.
    pub alias_of: Option<&'static str>,
    /// A bad value earns a warning and the default is used. For keys that Debezium reads without a check.
    pub lenient: bool,
    /// The key is checked when the connector starts, not when its config is validated, as Debezium does for this key.
    pub at_start: bool,
    /// Whether the key works, has no effect, or is refused.
    pub support: Support,
    /// Pattern of all names that this definition covers, with variable parts in angle brackets: `producer.<property>`.
    pub family: Option<&'static str>,
}

impl Key {
    /// A key in Connect's style: optional, default null, no group, importance MEDIUM.
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

    /// The same as [`Key::new`], but in Debezium's style.
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

    /// Makes the key required: without it, validation answers `Missing required configuration …`.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets the importance to HIGH.
    #[must_use]
    pub const fn high(mut self) -> Self {
        self.importance = Importance::High;
        self
    }

    /// Sets the importance to LOW.
    #[must_use]
    pub const fn low(mut self) -> Self {
        self.importance = Importance::Low;
        self
    }

    /// Sets the group and the position in it, counted from 1.
    #[must_use]
    pub const fn at(mut self, group: &'static str, order_in_group: i32) -> Self {
        self.group = Some(group);
        self.order_in_group = order_in_group;
        self
    }

    /// Sets the title and the width in a form.
    #[must_use]
    pub const fn shown(mut self, display_name: &'static str, width: Width) -> Self {
        self.display_name = display_name;
        self.width = width;
        self
    }

    /// Sets the documentation: what the key does, and what follows from setting it.
    #[must_use]
    pub const fn doc(mut self, documentation: &'static str) -> Self {
        self.documentation = documentation;
        self
    }

    /// Sets the checks that run, in this order, after the check of the type.
    #[must_use]
    pub const fn checks(mut self, checks: &'static [Check]) -> Self {
        self.checks = checks;
        self
    }

    /// Sets the values that the key may have; forms offer them. Pass `&[Check::OneOf(values)]` as `checks`: a `const
    /// fn` cannot make that slice itself. Case and surrounding blanks do not matter to that check.
    #[must_use]
    pub const fn one_of(mut self, values: &'static [&'static str], checks: &'static [Check]) -> Self {
        self.recommended = values;
        self.checks = checks;
        self
    }

    /// Sets the keys whose meaning depends on this one.
    #[must_use]
    pub const fn dependents(mut self, names: &'static [&'static str]) -> Self {
        self.dependents = names;
        self
    }

    /// Hides the key in forms.
    #[must_use]
    pub const fn invisible(mut self) -> Self {
        self.visible = false;
        self
    }

    /// Sets the older names that are read when the key itself is absent.
    #[must_use]
    pub const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// Marks the key as merely an older name of the key `name`.
    #[must_use]
    pub const fn alias_of(mut self, name: &'static str) -> Self {
        self.alias_of = Some(name);
        self
    }

    /// Takes the key out of the definitions that REST lists; it is still read.
    #[must_use]
    pub const fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// Makes a bad value a warning, after which the default is used, instead of an error.
    #[must_use]
    pub const fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Checks the key only when the connector starts.
    #[must_use]
    pub const fn at_start(mut self) -> Self {
        self.at_start = true;
        self
    }

    /// Says that the key has no effect, is refused, or works for some values only. Without this call the key works.
    #[must_use]
    pub const fn support(mut self, support: Support) -> Self {
        self.support = support;
        self
    }

    /// Makes the definition cover all names of the pattern `form` (see the field `family`); `name` is then only what
    /// lists show.
    #[must_use]
    pub const fn family(mut self, form: &'static str) -> Self {
        self.family = Some(form);
        self
    }

    /// The name to show to a user: the pattern of a family, otherwise the key's name.
    pub const fn title(&self) -> &'static str {
        match self.family {
            Some(form) => form,
            None => self.name,
        }
    }

    /// The definition as REST shows it.
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

/// The definition of a key as REST shows it. Its texts are owned because the keys of an SMT carry the alias that the
/// user chose (`transforms.<alias>.`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Name of the key, with its prefix.
    pub name: String,
    /// Type of the value.
    pub kind: Kind,
    /// Whether the key must be set.
    pub required: bool,
    /// Default as text; `[hidden]` for a password.
    pub default_value: Option<String>,
    /// How much the key matters to most users.
    pub importance: Importance,
    /// What the key does.
    pub documentation: String,
    /// Group in a form.
    pub group: Option<String>,
    /// Position in the group, counted from 1; -1 without a group.
    pub order_in_group: i32,
    /// Width in a form.
    pub width: Width,
    /// Title in a form.
    pub display_name: String,
    /// Keys whose meaning depends on this one.
    pub dependents: Vec<String>,
}
