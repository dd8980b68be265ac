//! The page: collects samples under their names, and writes each metric once, with all its samples.
//!
//! Must not know: which attributes there are.

use std::collections::HashMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use relational::HistogramNumbers;

use super::names::MetricNames;
use super::rows::{Row, Series, Subject};

type Labels = Vec<(&'static str, String)>;

#[derive(Debug)]
enum Value {
    Number(f64),
    Times(HistogramNumbers),
}

#[derive(Debug)]
struct Metric {
    name: String,
    help: &'static str,
    is_histogram: bool,
    samples: Vec<(Labels, Value)>,
}

#[derive(Debug)]
pub(super) struct Page {
    names: MetricNames,
    metrics: Vec<Metric>,
    /// Where a name stands in `metrics`.
    places: HashMap<String, usize>,
}

impl Page {
    pub(super) fn new(names: MetricNames) -> Self {
        Self { names, metrics: Vec::new(), places: HashMap::new() }
    }

    /// Adds a number, if there is one.
    pub(super) fn number(&mut self, row: &Row, subject: Subject<'_>, value: Option<f64>) {
        // Prometheus could read infinities, but no mean, rate or alert can deal with them.
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.add(row, subject, &[], || Value::Number(value));
        }
    }

    /// Adds numbers that have labels of their own.
    pub(super) fn series(&mut self, row: &Row, subject: Subject<'_>, series: Vec<Series>) {
        for (texts, value) in series {
            self.add(row, subject, &texts, || Value::Number(value));
        }
    }

    /// Adds a histogram.
    pub(super) fn times(&mut self, row: &Row, subject: Subject<'_>, times: HistogramNumbers) {
        self.add(row, subject, &[], || Value::Times(times));
    }

    fn add(&mut self, row: &Row, subject: Subject<'_>, texts: &[String], value: impl Fn() -> Value) {
        for name in row.names(self.names) {
            let own = row.read.labels().iter().copied().zip(texts.iter().cloned());
            let labels = name.labels.iter().map(|label| (*label, subject.label(label, row.group))).chain(own).collect();
            let sample = (labels, value());
            let place = *self.places.entry(name.text).or_insert_with_key(|name| {
                let is_histogram = matches!(sample.1, Value::Times(_));
                self.metrics.push(Metric { name: name.clone(), help: row.help, is_histogram, samples: Vec::new() });
                self.metrics.len() - 1
            });
            self.metrics[place].samples.push(sample);
        }
    }
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for metric in &self.metrics {
            // The encoder adds `_total` to the name of a counter.
            let counter = metric.name.strip_suffix("_total");
            let kind = match counter {
                Some(_) => MetricType::Counter,
                None if metric.is_histogram => MetricType::Histogram,
                None => MetricType::Gauge,
            };
            let mut out = encoder.encode_descriptor(counter.unwrap_or(&metric.name), metric.help, None, kind)?;
            for (labels, value) in &metric.samples {
                write(kind, value, out.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}

fn write(kind: MetricType, value: &Value, mut out: MetricEncoder<'_>) -> Result<(), fmt::Error> {
    match (kind, value) {
        // What a counter counts is whole and not below zero.
        (MetricType::Counter, Value::Number(value)) => ConstCounter::new(*value as u64).encode(out),
        (_, Value::Number(value)) => ConstGauge::new(*value).encode(out),
        (_, Value::Times(times)) => {
            let bound = |bound_ms: Option<u64>| bound_ms.map_or(f64::INFINITY, |bound_ms| bound_ms as f64 / 1000.0);
            let buckets: Vec<(f64, u64)> = times.buckets().map(|(bound_ms, count)| (bound(bound_ms), count)).collect();
            out.encode_histogram::<Labels>(times.sum_ms as f64 / 1000.0, times.count(), &buckets, None)
        }
    }
}
