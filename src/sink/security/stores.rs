//! Key stores and trust stores: opened here, and given to librdkafka as PEM text.
//!
//! librdkafka itself reads PEM, and PKCS12 for keys only. So PKCS12 and JKS are opened before, and a store that cannot be
//! opened is refused with the reason, before any broker is asked.

use std::path::Path;

use certificates::{Passwords, Place, Problem, Store, certificates_to_pem, key_to_pem};

use super::get;
use crate::sink::properties::{Mapped, Properties};

const TRUST_STORE: &str = "ssl.truststore.location";
const TRUST_TEXT: &str = "ssl.truststore.certificates";
const KEY_STORE: &str = "ssl.keystore.location";
const CHAIN_TEXT: &str = "ssl.keystore.certificate.chain";
const KEY_TEXT: &str = "ssl.keystore.key";
const TRUST_PASSWORD: &str = "ssl.truststore.password";
const KEY_STORE_PASSWORD: &str = "ssl.keystore.password";
const KEY_PASSWORD: &str = "ssl.key.password";

/// The authorities by which brokers are verified.
pub(super) fn truststore(mapped: &mut Mapped, properties: &Properties) {
    let (text, location) = (get(properties, TRUST_TEXT), get(properties, TRUST_STORE));
    kind(mapped, properties, "ssl.truststore.type", location.is_some());
    let password = get(properties, TRUST_PASSWORD);
    if password.is_some() && (location.is_none() || text.is_some()) {
        mapped.warn(TRUST_PASSWORD, "no file is read that it could open");
    }
    let opened = match (text, location) {
        // As in Java, the text wins.
        (Some(text), _) => Store::trust_of_pem(text),
        // A directory of PEM files whose names are hashes: librdkafka and OpenSSL look into it.
        (None, Some(place)) if Path::new(place).is_dir() => return mapped.set("ssl.ca.location", place),
        (None, Some(file)) => Store::trust(Path::new(file), password),
        (None, None) => return systems_authorities(mapped),
    };
    let setting = if text.is_some() { TRUST_TEXT } else { TRUST_STORE };
    match opened.and_then(|store| certificates_to_pem(&store.trusted)) {
        Ok(pem) if pem.is_empty() => {
            let remedy = "Name the certificates of the brokers' authorities";
            lacks(mapped, setting, "there is no certificate in it", remedy);
        }
        Ok(pem) => mapped.set("ssl.ca.pem", pem),
        Err(problem) => refuse(mapped, setting, TRUST_PASSWORD, problem),
    }
}

/// Has librdkafka look for the system's authorities where Linux distributions keep them. The OpenSSL that is linked here knows
/// only the place of its own build. `SSL_CERT_FILE` and `SSL_CERT_DIR` name other places to OpenSSL, which then looks itself.
fn systems_authorities(mapped: &mut Mapped) {
    let is_told = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    if !is_told {
        mapped.set("ssl.ca.location", "probe");
    }
}

/// The client's own certificate and key.
pub(super) fn keystore(mapped: &mut Mapped, properties: &Properties) {
    let (chain, key, location) = (get(properties, CHAIN_TEXT), get(properties, KEY_TEXT), get(properties, KEY_STORE));
    kind(mapped, properties, "ssl.keystore.type", location.is_some());
    let passwords = Passwords { store: get(properties, KEY_STORE_PASSWORD), key: get(properties, KEY_PASSWORD) };
    let has_text = chain.is_some() || key.is_some();
    if passwords.store.is_some() && (location.is_none() || has_text) {
        mapped.warn(KEY_STORE_PASSWORD, "there is no ssl.keystore.location that it could open");
    }
    if passwords.key.is_some() && location.is_none() && !has_text {
        mapped.warn(KEY_PASSWORD, "there is no key that it could open");
    }
    let (setting, opened) = match (chain, key, location) {
        (Some(chain), Some(key), _) => {
            let opened = Store::trust_of_pem(chain);
            let own = Store::of_pem(key, passwords.key);
            match (opened, own) {
                (Err(problem), _) => (CHAIN_TEXT, Err(problem)),
                (Ok(_), Err(problem)) => (KEY_TEXT, Err(problem)),
                (Ok(store), Ok(own)) => (KEY_TEXT, Ok(Store { key: own.key, ..store })),
            }
        }
        (Some(_), None, _) => {
            return mapped.refuse(KEY_TEXT, "it is missing", "Set it beside ssl.keystore.certificate.chain");
        }
        (None, Some(_), _) => return mapped.refuse(CHAIN_TEXT, "it is missing", "Set it beside ssl.keystore.key"),
        (None, None, Some(file)) => (KEY_STORE, Store::open(Path::new(file), passwords)),
        (None, None, None) => return,
    };
    let store = match opened {
        Ok(store) => store,
        Err(problem) => return refuse(mapped, setting, KEY_STORE_PASSWORD, problem),
    };
    if store.is_pem && !has_text && passwords.store.is_some() {
        mapped.warn(KEY_STORE_PASSWORD, "a PEM file has no password; that of its private key is ssl.key.password");
    }
    let Some(key) = &store.key else {
        return lacks(mapped, setting, "there is no private key in it", "Put the key beside its certificates");
    };
    if store.chain.is_empty() {
        return lacks(mapped, setting, "there is no certificate in it", "Put the certificates beside their key");
    }
    match certificates_to_pem(&store.chain).and_then(|chain| Ok((chain, key_to_pem(key)?))) {
        Ok((chain, key)) => {
            mapped.set("ssl.certificate.pem", chain);
            mapped.set("ssl.key.pem", key);
        }
        Err(problem) => refuse(mapped, setting, KEY_STORE_PASSWORD, problem),
    }
}

fn refuse(mapped: &mut Mapped, setting: &str, password: &str, problem: Problem) {
    let blamed = match problem.place {
        Place::Store => setting,
        Place::StorePassword => password,
        Place::KeyPassword => KEY_PASSWORD,
    };
    mapped.refuse(blamed, problem.reason, problem.remedy);
    mark(mapped, setting);
}

fn lacks(mapped: &mut Mapped, setting: &str, reason: &str, remedy: &str) {
    mapped.refuse(setting, reason, remedy);
    mark(mapped, setting);
}

/// Marks the last refusal if a file is its reason.
fn mark(mapped: &mut Mapped, setting: &str) {
    if let Some(last) = mapped.refusals.last_mut() {
        last.of_file = matches!(setting, TRUST_STORE | KEY_STORE);
    }
}

/// Checks the type of a store. What it is, its content says; a type that Java reads with a provider of its own is refused.
fn kind(mapped: &mut Mapped, properties: &Properties, name: &str, has_file: bool) {
    let Some(said) = get(properties, name) else { return };
    match said.to_ascii_uppercase().as_str() {
        "PEM" => {}
        "PKCS12" | "JKS" if has_file => {}
        "PKCS12" | "JKS" => mapped.warn(name, "no file is named whose type it could be"),
        _ => mapped.refuse(name, format!("stores of the type {said:?} are not read here"), "Use PEM, PKCS12 or JKS"),
    }
}
