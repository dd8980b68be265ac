//! Makes the REST API's listeners from the worker's settings: addresses, TLS, passwords and the advertised address.
//!
//! Everything is read before the first socket is bound, and any doubt ends the start. An API that was encrypted or
//! asked for a password under Kafka Connect must not be open here because a file is missing.
//!
//! Must not know: HTTP's details.

use std::path::PathBuf;
use std::sync::Arc;

use settings::Properties;
use tokio::net::TcpListener;

use super::{ServeError, WorkerConfig};
use crate::rest::server::Tls;
use crate::rest::{BasicAuth, Cors, Part, ResponseHeaders};

/// Our setting for the file that Java's tools get by `-Djava.security.auth.login.config`.
const LOGIN_FILE: &str = "afterimage.rest.login.config";
/// Variables that may carry that option for Java's tools. A later one wins, as in `connect-distributed.sh`.
const JAVA_OPTIONS: [&str; 5] =
    ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_OPTS", "EXTRA_ARGS"];

/// A bound socket and its protocol.
pub(super) struct Bound {
    pub(super) socket: TcpListener,
    /// Set for `https`.
    pub(super) tls: Option<Tls>,
}

impl Bound {
    /// The listener's URL for the log, such as `https://127.0.0.1:8443`.
    pub(super) fn url(&self) -> String {
        let at = self.socket.local_addr().map(|at| at.to_string()).unwrap_or_default();
        format!("{}://{at}", if self.tls.is_some() { "https" } else { "http" })
    }
}

/// Everything that the settings say about the API.
pub(super) struct Api {
    /// `listeners`.
    pub(super) main: Vec<Bound>,
    /// `admin.listeners`, when that setting is given.
    pub(super) admin: Vec<Bound>,
    /// Which part of the API the main listeners serve.
    pub(super) main_part: Part,
    /// The `host:port` under which other workers know this one.
    pub(super) worker_id: String,
    /// The same address as a URL.
    pub(super) advertised_url: String,
    /// Who may call; `None`: everybody.
    pub(super) auth: Option<Arc<BasicAuth>>,
    /// CORS, for browsers; `None`: off.
    pub(super) cors: Option<Cors>,
    /// Headers that every answer carries.
    pub(super) response_headers: ResponseHeaders,
}

impl Api {
    /// Reads the settings and binds the listeners.
    pub(super) async fn bind(
        worker: &WorkerConfig,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ServeError> {
        let auth = auth(worker, environment)?.map(Arc::new);
        let start =
            |key: &str, reason: &dyn std::fmt::Display| ServeError::Start(format!("worker setting {key}: {reason}"));
        let response_headers = ResponseHeaders::read(&worker.response_headers)
            .map_err(|reason| start("response.http.headers.config", &reason))?;
        let cors = Cors::new(&worker.allow_origin, &worker.allow_methods)
            .map_err(|error| start("access.control.allow.origin", &error))?;
        let main = addresses("listeners", &worker.listeners)?;
        let admin = addresses("admin.listeners", worker.admin_listeners.as_deref().unwrap_or_default())?;
        let main_tls = tls(&main, &worker.properties, "listeners.https.")?;
        let admin_tls = tls(&admin, &worker.properties, "admin.listeners.https.")?;
        let advertised = Advertised::of(worker, &main)?;
        let main = bind(&main, main_tls).await?;
        let worker_id = advertised.worker_id(&main);
        Ok(Self {
            admin: bind(&admin, admin_tls).await?,
            main,
            main_part: if worker.admin_listeners.is_some() { Part::WithoutAdmin } else { Part::Whole },
            advertised_url: format!("{}://{worker_id}", advertised.scheme),
            worker_id,
            auth,
            cors,
            response_headers,
        })
    }

    /// Warnings for an administrator who may believe that the API is closed when it is open.
    pub(super) fn warnings(&self) -> Vec<String> {
        let Some(auth) = &self.auth else { return Vec::new() };
        let mut warnings = Vec::new();
        if let Some(file) = auth.open_by() {
            warnings.push(format!(
                "{file} has no users, and everybody may call the REST API, as with Kafka Connect: add a line user=password"
            ));
        }
        if !self.admin.is_empty() {
            warnings.push(
                "the listeners of admin.listeners ask for no password, as with Kafka Connect: bind them to an address that \
                 only administrators reach"
                    .to_owned(),
            );
        }
        warnings
    }
}

/// Who may call, when the basic auth extension is named. `WorkerConfig::read` has already refused every other
/// extension.
fn auth(
    worker: &WorkerConfig,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Option<BasicAuth>, ServeError> {
    if worker.rest_extensions.is_empty() {
        return Ok(None);
    }
    let Some(file) = login_file(&worker.properties, environment) else {
        return Err(ServeError::Start(format!(
            "worker setting rest.extension.classes: the basic auth extension needs a JAAS login configuration, and none is \
             named. Set {LOGIN_FILE}=FILE in the worker file, or KAFKA_OPTS=-Djava.security.auth.login.config=FILE in the \
             environment"
        )));
    };
    let auth = BasicAuth::read(&file).map_err(|error| {
        ServeError::Start(format!(
            "worker setting rest.extension.classes: {error}. The REST API would be open, or closed to everybody"
        ))
    })?;
    Ok(Some(auth))
}

fn login_file(properties: &Properties, environment: impl Iterator<Item = (String, String)>) -> Option<PathBuf> {
    const OPTION: &str = "-Djava.security.auth.login.config=";
    if let Some(file) = properties.get(LOGIN_FILE).map(str::trim).filter(|file| !file.is_empty()) {
        return Some(file.into());
    }
    let environment: Vec<(String, String)> = environment.collect();
    let set = JAVA_OPTIONS.iter().filter_map(|name| environment.iter().find(|(n, _)| n == name));
    let words = set.flat_map(|(_, options)| options.split_whitespace());
    let file = words.filter_map(|word| word.strip_prefix(OPTION)).next_back()?;
    // Java also takes a second `=` (this file and no other), and a URL.
    let file = file.strip_prefix('=').unwrap_or(file);
    Some(file.strip_prefix("file:").unwrap_or(file).into())
}

/// A listener as the setting writes it.
struct Address<'a> {
    setting: &'static str,
    text: &'a str,
    is_https: bool,
    host: &'a str,
    port: u16,
}

impl Address<'_> {
    fn refused(&self, reason: impl std::fmt::Display) -> ServeError {
        ServeError::Start(format!("{}: {}: {reason}", self.setting, self.text))
    }

    fn is_anywhere(&self) -> bool {
        matches!(self.host, "" | "0.0.0.0" | "::")
    }
}

fn addresses<'a>(setting: &'static str, listeners: &'a [String]) -> Result<Vec<Address<'a>>, ServeError> {
    let address = |text: &'a String| {
        let refused =
            || ServeError::Start(format!("{setting}: {text}: write it as http://host:port or https://host:port"));
        let (scheme, address) = text.split_once("://").ok_or_else(refused)?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return Err(refused());
        }
        let (host, port) = address.rsplit_once(':').ok_or_else(refused)?;
        let port = port.parse().map_err(|_| refused())?;
        Ok(Address { setting, text, is_https, host: host.trim_matches(['[', ']']), port })
    };
    listeners.iter().map(address).collect()
}

fn tls(addresses: &[Address<'_>], properties: &Properties, prefix: &str) -> Result<Option<Tls>, ServeError> {
    if !addresses.iter().any(|address| address.is_https) {
        return Ok(None);
    }
    Tls::read(properties, prefix).map(Some).map_err(|error| ServeError::Start(error.to_string()))
}

async fn bind(addresses: &[Address<'_>], tls: Option<Tls>) -> Result<Vec<Bound>, ServeError> {
    let mut bound = Vec::new();
    for address in addresses {
        let all = if address.host.is_empty() { "0.0.0.0" } else { address.host };
        let socket = TcpListener::bind((all, address.port)).await.map_err(|error| {
            address.refused(format_args!("cannot be bound: {error}. Is another worker running on this port?"))
        })?;
        bound.push(Bound { socket, tls: tls.clone().filter(|_| address.is_https) });
    }
    Ok(bound)
}

/// The address that other workers are told: that of the first listener with the advertised scheme. `rest.advertised.*`
/// replaces single parts of it.
struct Advertised {
    scheme: &'static str,
    /// Index of that listener among `listeners`.
    listener: usize,
    host: String,
    port: Option<u16>,
}

impl Advertised {
    fn of(worker: &WorkerConfig, main: &[Address<'_>]) -> Result<Self, ServeError> {
        const KEY: &str = "rest.advertised.listener";
        let is_https = match worker.advertised_listener.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None => main.iter().all(|address| address.is_https),
            Some("https") => true,
            Some("http") => false,
            Some(other) => {
                return Err(ServeError::Start(format!("worker setting {KEY}: '{other}' is neither http nor https")));
            }
        };
        // When no listener has the advertised scheme, a proxy in front of the worker speaks it.
        let listener = main.iter().position(|address| address.is_https == is_https).unwrap_or(0);
        let own = main.get(listener).filter(|address| !address.is_anywhere()).map(|address| address.host.to_owned());
        Ok(Self {
            scheme: if is_https { "https" } else { "http" },
            listener,
            host: worker.advertised_host.clone().or(own).unwrap_or_else(hostname),
            port: worker.advertised_port,
        })
    }

    fn worker_id(&self, main: &[Bound]) -> String {
        let bound = main.get(self.listener).and_then(|bound| bound.socket.local_addr().ok()).map(|at| at.port());
        format!("{}:{}", self.host, self.port.or(bound).unwrap_or(8083))
    }
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Some(name.trim()).filter(|name| !name.is_empty()).unwrap_or("localhost").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_file_is_where_javas_tools_look() {
        let (one, two) =
            ("-Djava.security.auth.login.config=/one", "-Xmx1g -Djava.security.auth.login.config=/two -Da=b");
        for (own, environment, expect) in [
            (None, vec![], None),
            (None, vec![("KAFKA_OPTS", "-Da=b")], None),
            (None, vec![("KAFKA_OPTS", one)], Some("/one")),
            (None, vec![("EXTRA_ARGS", two)], Some("/two")),
            (None, vec![("EXTRA_ARGS", two), ("KAFKA_OPTS", one)], Some("/two")),
            (None, vec![("JAVA_TOOL_OPTIONS", two), ("KAFKA_OPTS", one)], Some("/one")),
            (None, vec![("OTHER_OPTS", one)], None),
            (None, vec![("KAFKA_OPTS", "-Djava.security.auth.login.config==file:/three")], Some("/three")),
            (Some("/own"), vec![("KAFKA_OPTS", one)], Some("/own")),
            (Some(" "), vec![("KAFKA_OPTS", one)], Some("/one")),
        ] {
            let mut properties = Properties::new();
            if let Some(own) = own {
                properties.insert(LOGIN_FILE, own);
            }
            let owned = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            assert_eq!(login_file(&properties, owned), expect.map(PathBuf::from), "{own:?} {environment:?}");
        }
    }
}
