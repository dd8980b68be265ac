//! What is wrong with a store, which setting is to blame, and what to do.

use std::path::Path;

/// The setting that is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The one that names the file, or holds the text.
    Store,
    /// The password of the store.
    StorePassword,
    /// The password of the private key.
    KeyPassword,
}

/// Why a store cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}. {remedy}")]
pub struct Problem {
    /// The setting that is to blame.
    pub place: Place,
    /// What is wrong: a clause that names the file, without a period.
    pub reason: String,
    /// What to do, a sentence without its period.
    pub remedy: String,
}

/// Where a store stands.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    File(&'a Path),
    Text,
}

/// What the readers of the forms complain of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The operating system's reason.
    Unreadable(String),
    /// It has none of the forms.
    Unknown,
    /// Java's JCEKS, which nothing here reads.
    Jceks,
    /// It is of the named form, and not whole.
    Damaged(&'static str),
    /// The password of the store is wrong.
    WrongPassword,
    /// There is none, and one is needed.
    NoPassword,
    /// The password of the key is wrong.
    WrongKeyPassword,
    /// There is none, and the key is encrypted.
    NoKeyPassword,
    /// PKCS12 that is encrypted with RC2, as Java did before 17.
    Old,
}

impl Fault {
    pub(crate) fn of(self, source: Source<'_>) -> Problem {
        let (at, from_file) = match source {
            Source::File(file) => (file.display().to_string(), true),
            Source::Text => ("the text".to_owned(), false),
        };
        let convert = format!(
            "Convert it: keytool -importkeystore -srckeystore {at} -destkeystore NEW.p12 -deststoretype PKCS12, and \
             name NEW.p12"
        );
        let (place, reason, remedy) = match self {
            Self::Unreadable(why) => {
                let remedy = "Name a file that the daemon's user can read";
                (Place::Store, format!("{at} cannot be read: {why}"), remedy.to_owned())
            }
            Self::Unknown if from_file => (
                Place::Store,
                format!("{at} is neither PEM nor PKCS12 nor JKS"),
                "Name a PEM, PKCS12 or JKS file".into(),
            ),
            Self::Unknown => (Place::Store, format!("{at} is no PEM"), "Give PEM: -----BEGIN …".into()),
            Self::Jceks => (Place::Store, format!("{at} is a JCEKS store, which is not read here"), convert),
            Self::Damaged(form) => (Place::Store, format!("{at} is damaged {form}"), "Make it anew".into()),
            Self::WrongPassword => {
                (Place::StorePassword, format!("the password does not open {at}"), "Check the password".into())
            }
            Self::NoPassword => {
                (Place::StorePassword, format!("{at} needs a password, and none is set"), "Set the password".into())
            }
            Self::WrongKeyPassword => {
                let remedy = "Give the password that the key was encrypted with";
                (Place::KeyPassword, format!("the password does not open the private key in {at}"), remedy.into())
            }
            Self::NoKeyPassword => {
                let remedy = "Set the password of the private key";
                (
                    Place::KeyPassword,
                    format!("the private key in {at} is encrypted, and no password is set"),
                    remedy.into(),
                )
            }
            Self::Old => {
                let remedy =
                    format!("Convert it: openssl pkcs12 -legacy -in {at} -nodes -out NEW.pem, and name NEW.pem");
                (
                    Place::Store,
                    format!("{at} is encrypted in an old way (before Java 17) that is not read here"),
                    remedy,
                )
            }
        };
        Problem { place, reason, remedy }
    }
}
