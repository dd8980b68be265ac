//! `GET /metrics`: the metrics of the worker, its connectors and tasks in the text format of Prometheus.
//!
//! The names are those that dashboards for Kafka Connect and Debezium ask for (`docs/metrics.md` lists them). Connect has its
//! metrics in JMX, and the Prometheus JMX exporter makes names of them by rules that each installation chooses: `names.rs`
//! has the rules in use, and `metrics.names` chooses among them. What is shown is a table of rows (`rows/`), one for each
//! attribute; a name costs no code of its own.
//!
//! Must not know: where the numbers come from.

#[cfg(test)]
mod document;
mod names;
mod page;
mod rows;
#[cfg(test)]
mod tests;

use std::fmt;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;

pub use self::names::MetricNames;
use self::page::Page;
use self::rows::{Read, Scraped, Subject};
use super::App;
use super::routes::METRICS;

pub(super) fn routes() -> Router<App> {
    Router::new().route(METRICS, get(metrics))
}

async fn metrics(State(app): State<App>) -> Response {
    let scraped = Scraped {
        worker: app.supervisor.numbers(),
        commit: app.config.commit.clone(),
        url: app.config.advertised_url.clone(),
    };
    match text(&scraped, app.config.metric_names) {
        Ok(text) => ([("content-type", prometheus_text::CONTENT_TYPE)], text).into_response(),
        // Formatting into a string fails only if the formatter itself is wrong.
        Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn text(scraped: &Scraped, names: MetricNames) -> Result<String, fmt::Error> {
    let mut page = Page::new(names);
    let worker = Subject { scraped, connector: None, task: None };
    for row in rows::all() {
        match &row.read {
            Read::Worker(value) => page.number(row, worker, value(scraped)),
            Read::WorkerSeries(_, series) => page.series(row, worker, series(scraped)),
            _ => {
                for connector in &scraped.worker.connectors {
                    of_connector(&mut page, row, Subject { connector: Some(connector), ..worker });
                }
            }
        }
    }
    let mut registry = Registry::default();
    registry.register_collector(Box::new(page));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

/// Adds what a row shows of one connector and its tasks.
fn of_connector(page: &mut Page, row: &rows::Row, subject: Subject<'_>) {
    let Some(connector) = subject.connector else { return };
    match &row.read {
        Read::Worker(_) | Read::WorkerSeries(..) => return,
        Read::Connector(value) => return page.number(row, subject, value(connector)),
        Read::ConnectorSeries(_, series) => return page.series(row, subject, series(connector)),
        Read::Task(_) | Read::TaskSeries(..) | Read::Counted(_) | Read::CountedSeries(..) | Read::Times(_) => {}
    }
    for task in &connector.tasks {
        let subject = Subject { task: Some(task), ..subject };
        match (&row.read, &task.counted) {
            (Read::Task(value), _) => page.number(row, subject, value(task)),
            (Read::TaskSeries(_, series), _) => page.series(row, subject, series(connector, task)),
            (Read::Counted(value), Some(counted)) => page.number(row, subject, value(counted)),
            (Read::CountedSeries(_, series), Some(counted)) => page.series(row, subject, series(counted)),
            (Read::Times(times), Some(counted)) => page.times(row, subject, times(counted)),
            _ => {}
        }
    }
}
