//! Starts a worker from its configuration (store, group, supervisor, REST) and stops these parts in order.
//!
//! The REST listener is bound and answers before any state is read, so that a start can be watched. At the
//! stop, REST and the tasks are told together; the group is left after both. So a standby takes over only when this
//! worker no longer produces. One clock, three moments, even when a broker cannot be reached: the tasks
//! (grace), the status records (+1 s) and everything (+2 s) must be over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use relational::Budget;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout_at;

use super::api::Api;
use super::{ServeError, Standalone, State, WorkerConfig};
use crate::plugins;
use crate::rest;
use crate::rest::server::{self, Limits, Listener};
use crate::runtime::catalog::Catalog;
use crate::runtime::exactly_once::Producers;
use crate::runtime::fenced::Fenced;
use crate::runtime::own_offsets::OffsetTopics;
use crate::runtime::owner::{Fence, GroupSettings, Owner, Ownership};
use crate::runtime::supervisor::{self, Launched, Supervisor, SupervisorSettings};
use crate::runtime::task::{self, Worker};
use crate::runtime::{clients, cluster, traces};
use crate::sink;
use crate::store::{File, Kafka, KafkaSettings, Offsets, Store};

/// The byte budget of the process for data that was read and is not yet converted. With the producer's queue of 8 MiB
/// the daemon stays below 96 MiB, whatever the size of a transaction.
const BUDGET_BYTES: usize = 16 * 1024 * 1024;
/// Each connector's floor in that budget. It holds three batches even if each fills the read buffer (320 KiB), so that
/// one can be read while another is converted, whatever the other connectors hold.
const FLOOR_BYTES: usize = 1024 * 1024;
/// How long requests under way may still take at the stop.
const REST_GRACE: Duration = Duration::from_secs(1);

/// Runs the worker until it is told to stop.
pub(super) fn serve(worker: WorkerConfig, standalone: Option<Standalone>) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| ServeError::Start(format!("the runtime cannot be made: {error}")))?;
    let outcome = runtime.block_on(run(worker, standalone));
    // Threads that wait for a broker must not delay the end of the process.
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

/// The settings of the store, if the state is in topics. `client` holds the properties of the internal Kafka clients.
fn store_settings(worker: &WorkerConfig, client: &BTreeMap<String, String>) -> Option<KafkaSettings> {
    let client_id = match worker.client_id.trim() {
        "" => worker.group_id.clone(),
        id => format!("{}-{id}", worker.group_id),
    };
    let State::Topics { configs, offsets, statuses } = &worker.state else { return None };
    let is_transactional = worker.exactly_once != super::ExactlyOnce::Disabled;
    Some(KafkaSettings {
        client: client.clone(),
        group_id: worker.group_id.clone(),
        client_id,
        configs: configs.clone(),
        offsets: offsets.clone(),
        statuses: statuses.clone(),
        leader_id: is_transactional.then(|| format!("connect-cluster-{}", worker.group_id)),
        read_committed: is_transactional,
    })
}

/// Opens the store.
fn store(worker: &WorkerConfig, settings: Option<KafkaSettings>) -> Result<Arc<dyn Store>, ServeError> {
    match (&worker.state, settings) {
        (State::File(path), _) => Ok(Arc::new(File::new(path))),
        (State::Topics { .. }, Some(settings)) => Kafka::new(settings)
            .map(|store| Arc::new(store) as Arc<dyn Store>)
            .map_err(|e| ServeError::Start(e.to_string())),
        (State::Topics { .. }, None) => Err(ServeError::Start("the internal topics have no settings".to_owned())),
    }
}

async fn run(worker: WorkerConfig, standalone: Option<Standalone>) -> Result<(), ServeError> {
    let failed = |error: &dyn std::fmt::Display| ServeError::Start(error.to_string());
    for remark in worker.remarks() {
        tracing::warn!(key = %remark.key, "{} {}", remark.reason, remark.remedy);
    }
    let (stop, stopped) = watch::channel(false);
    let stop = Arc::new(stop);
    let told = Arc::clone(&stop);
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| failed(&e))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| failed(&e))?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
        told.send_replace(true);
        // A second signal ends the process at once.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(i32::from(super::FAILED));
    });

    let api = Api::bind(&worker, super::environment()).await?;
    for warning in api.warnings() {
        tracing::warn!("{warning}");
    }
    let worker_id = api.worker_id.clone();
    let (tracer, flusher) = traces::start(worker.traces.exporting.clone(), &worker_id).map_err(|e| failed(&e))?;
    let properties: BTreeMap<String, String> =
        worker.properties.iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    let client = clients::internal(&properties).map_err(|refusal| failed(&refusal))?;
    let settings = store_settings(&worker, &client);
    let store = Fenced::new(store(&worker, settings.clone())?);
    let exactly_once = (worker.exactly_once == super::ExactlyOnce::Enabled).then(|| worker.group_id.clone());
    let offsets = Offsets::new(Arc::clone(&store) as _);
    let offsets = Arc::new(OffsetTopics::new(offsets, settings, properties.clone(), exactly_once.is_some()));
    let open_sink: Arc<sink::Open> = Arc::new(sink::open);
    let producers = exactly_once.clone().map(|group| Producers::new(group, properties.clone(), Arc::clone(&open_sink)));
    let shared = Arc::new(Worker {
        properties,
        offsets: Arc::clone(&offsets),
        budget: Budget::new(BUDGET_BYTES, FLOOR_BYTES),
        flush_interval: worker.offset_flush_interval,
        flush_timeout: worker.offset_flush_timeout,
        exactly_once,
        open_sink,
        traces: tracer.clone(),
    });
    let variables = worker.variables.clone();
    let loggers = rest::Loggers::new("INFO", Arc::new(super::logging::set_level));
    let of_cluster = loggers.clone();
    let supervisor = Supervisor::new(
        store,
        offsets,
        SupervisorSettings {
            worker_id: worker_id.clone(),
            graceful_stop: worker.shutdown_timeout,
            topic_tracking: worker.topic_tracking,
            topic_tracking_reset: worker.topic_tracking_reset,
            worker: worker.properties.clone(),
            plugins: plugins::ALL,
            catalog: Catalog::all(),
            resolve: Arc::new(move |config| variables.resolve(&config)),
            launch: Arc::new(move |spec| Launched::new(task::start(spec, Arc::clone(&shared)))),
            exactly_once: producers.map(Arc::new),
            restarts: worker.restarts.clone(),
            traces: tracer.clone(),
            set_log_level: Arc::new(move |logger, level| {
                if of_cluster.set(logger, level).is_none() {
                    tracing::warn!(
                        "the level '{level}' of logger {logger} in the config topic is not known: it stays as it is"
                    );
                }
            }),
        },
    );
    let config = rest::Config {
        commit: option_env!("AFTERIMAGE_COMMIT").unwrap_or("unknown").to_owned(),
        kafka_cluster_id: cluster::id(client.clone()),
        bootstrap_servers: worker.bootstrap_servers.join(","),
        advertised_url: api.advertised_url,
        cors: api.cors,
        response_headers: api.response_headers,
        auth: api.auth,
        loggers,
        metric_names: worker.metric_names,
        forwarder: rest::Forwarder::new(&worker.properties).map_err(|error| failed(&error))?,
        traces: tracer,
    };
    let mut listeners = Vec::new();
    for (bound, part) in [(api.main, api.main_part), (api.admin, rest::Part::Admin)] {
        for bound in bound {
            let what = if part == rest::Part::Admin { "answers for /admin" } else { "answers" };
            tracing::info!("afterimage {} {what} on {}", env!("CARGO_PKG_VERSION"), bound.url());
            let router = rest::router(Arc::clone(&supervisor), config.clone(), part);
            listeners.push(Listener { socket: bound.socket, tls: bound.tls, router });
        }
    }
    let serving = tokio::spawn(server::serve(listeners, Limits::default(), stopped.clone(), REST_GRACE));
    let mut owner = None;
    let (alone, alone_state);
    let ownership = match &worker.state {
        State::File(_) => {
            // No other process owns the connectors of a file. The sender lives as long as this function.
            (alone, alone_state) = watch::channel(Ownership::Owner { tenure: 1, fence: Arc::new(Fence::unguarded()) });
            let _ = &alone;
            alone_state
        }
        State::Topics { configs, .. } => {
            let settings = GroupSettings {
                client,
                client_id: format!("afterimage-{worker_id}"),
                group_id: worker.group_id.clone(),
                url: config.advertised_url.clone(),
                instance_id: worker.instance_id.clone().unwrap_or_else(|| worker_id.clone()),
                topic: configs.name.clone(),
                session_timeout: worker.session_timeout,
                heartbeat: worker.heartbeat_interval,
            };
            let started = Owner::start(settings).map_err(|e| failed(&e))?;
            let state = started.state();
            owner = Some(started);
            state
        }
    };
    if let Some(standalone) = standalone {
        tokio::spawn(create_all(Arc::clone(&supervisor), standalone));
    }
    let outcome = supervisor.run(ownership, stopped).await.map_err(|error| ServeError::Failed(error.to_string()));
    // This also happens when the store has failed, so that nobody can go on using the API.
    stop.send_replace(true);
    // The tasks and the status records have had their moments; the rest of the stop has until the last one.
    let deadline = supervisor.deadline().of_all();
    let _ = timeout_at(deadline, serving).await;
    let leaving = async {
        let Some(mut owner) = owner else { return };
        let leaving = tokio::task::spawn_blocking(move || owner.leave());
        if timeout_at(deadline, leaving).await.is_err() {
            tracing::warn!("the group could not be left in time: a standby takes over when the session has run out");
        }
    };
    // A collector that is away must not keep a standby waiting.
    let flushing = async {
        if let Some(flusher) = flusher {
            flusher.flush(deadline).await;
        }
    };
    tokio::join!(leaving, flushing);
    // Waits for the clients to close, at most until the deadline, which counts when a broker is away.
    let _ = timeout_at(deadline, tokio::task::spawn_blocking(sink::wait_closed)).await;
    tracing::info!("stopped");
    outcome
}

/// Creates the connectors that the command line names, in order, as soon as the supervisor accepts them.
async fn create_all(supervisor: Arc<Supervisor>, standalone: Standalone) {
    for file in standalone.connectors {
        let created = loop {
            match supervisor.create(&file.name, file.config.clone(), Some(file.initial_state)).await {
                Err(supervisor::Refusal::Starting | supervisor::Refusal::NotOwner) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                other => break other,
            }
        };
        match created {
            Ok(_) => tracing::info!(connector = %file.name, file = %file.path.display(), "created"),
            Err(error) => tracing::error!(connector = %file.name, file = %file.path.display(), "{error}"),
        }
    }
}
