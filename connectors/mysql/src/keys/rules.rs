//! Checks that only these connectors' keys need. Their messages are Debezium's, word for word.
//!
//! Must not know: connections.

use relational::keys::rules::unless;
use settings::Asked;

use super::treatment::{MARIADB_LOCKS, MYSQL_LOCKS};

/// `time.precision.mode`: adaptive is a name that is known, and refused.
pub(super) fn not_adaptive(asked: &Asked<'_>) -> Vec<String> {
    let adaptive = asked.value.is_some_and(|mode| mode.trim().eq_ignore_ascii_case("adaptive"));
    unless(!adaptive, || "The 'adaptive' time.precision.mode is no longer supported".to_owned())
}

fn locks(asked: &Asked<'_>, known: &[&str]) -> Vec<String> {
    let is_known = asked.value.is_none_or(|mode| known.iter().any(|known| known.eq_ignore_ascii_case(mode.trim())));
    unless(is_known, || "Must be a valid snapshot.locking.mode value".to_owned())
}

pub(super) fn mysql_locks(asked: &Asked<'_>) -> Vec<String> {
    locks(asked, MYSQL_LOCKS)
}

pub(super) fn mariadb_locks(asked: &Asked<'_>) -> Vec<String> {
    locks(asked, MARIADB_LOCKS)
}

/// `gtid.source.excludes` stands alone.
pub(super) fn gtid_excludes(asked: &Asked<'_>) -> Vec<String> {
    let both = asked.value.is_some() && asked.properties.get("gtid.source.includes").is_some();
    unless(!both, || "Cannot specify GTID excludes when includes are provided.".to_owned())
}

/// A property of a Java driver that chooses how the server is verified, how the account logs in or what is encrypted. Whoever
/// sets one relies on it, so it must be refused rather than ignored.
pub(super) fn guards_the_connection(asked: &Asked<'_>) -> bool {
    const GUARDS: &[&str] = &[
        "authenticationPlugins",
        "clientCertificateKeyStoreUrl",
        "credentialType",
        "defaultAuthenticationPlugin",
        "disabledAuthenticationPlugins",
        "enabledSslCipherSuites",
        "enabledSslProtocolSuites",
        "enabledTLSProtocols",
        "fallbackToSystemKeyStore",
        "fallbackToSystemTrustStore",
        "fipsCompliantJsse",
        "keyStore",
        "localSocket",
        "pipe",
        "requireSSL",
        "restrictedAuth",
        "serverRSAPublicKeyFile",
        "serverRsaPublicKeyFile",
        "serverSslCert",
        "servicePrincipalName",
        "socketFactory",
        "socksProxyHost",
        "sslMode",
        "tlsCiphersuites",
        "tlsVersions",
        "trustCertificateKeyStoreUrl",
        "trustStore",
        "useSSL",
        "verifyServerCertificate",
    ];
    GUARDS.contains(&property(asked))
}

/// A property of a Java driver that runs SQL on each new connection.
pub(super) fn runs_sql(asked: &Asked<'_>) -> bool {
    ["sessionVariables", "initSql", "queryInterceptors"].contains(&property(asked))
}

/// A property of a Java driver that changes the TIMESTAMPs of a snapshot, under a name that Debezium does not use.
pub(super) fn moves_times(asked: &Asked<'_>) -> bool {
    ["serverTimezone", "forceConnectionTimeZoneToSession", "preserveInstants"].contains(&property(asked))
}

fn property<'a>(asked: &Asked<'a>) -> &'a str {
    asked.name.split_once('.').map_or("", |(_, property)| property)
}

/// Whether the name is a key of an older release: [`super::warnings`] speaks of it, so nothing else does.
pub(super) fn is_spoken_of(asked: &Asked<'_>) -> bool {
    super::is_older(asked.name)
}
