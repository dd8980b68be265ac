//! How long an evaluation takes. Run it optimised: `cargo test --release -p afterimage-transforms speed -- --ignored --nocapture`.
//!
//! Must not know: how anything is evaluated.

use std::hint::black_box;

use super::super::{Expression, Language};
use crate::example::with_record;

/// The nanoseconds that this thread has run, on Linux: unlike a clock, this does not count the time of other programs.
fn cpu_ns() -> f64 {
    let all = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    all.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
#[ignore = "a measurement, not a check"]
fn of_usual_conditions() {
    const ROUNDS: u32 = 1_000_000;
    for (language, source) in [
        (Language::Groovy, "value.op == 'u' && value.before.id == 2"),
        (Language::JavaScript, "value.op == 'u' && value.before.id == 2"),
        (Language::Cel, "value.op == 'u' && value.before.id == 2"),
        (Language::Groovy, "value.after?.amount > 1000 ? 'high-value' : null"),
        (Language::Groovy, "value.op in ['c', 'u'] && value.after.email.endsWith('.com')"),
        (Language::Groovy, "topic + '.created'"),
        (Language::Groovy, "value.after.name ==~ /srv.*/"),
    ] {
        let expression = Expression::new(language, source).unwrap();
        with_record(super::UPDATE, false, |record| {
            let start = cpu_ns();
            for _ in 0..ROUNDS {
                black_box(expression.evaluate(black_box(record))).unwrap();
            }
            println!("{:>6.0} ns  {language:?}: {source}", (cpu_ns() - start) / f64::from(ROUNDS));
        });
    }
}
