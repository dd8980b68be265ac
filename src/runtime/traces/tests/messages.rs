//! The bytes of an export, and those of an answer.

use super::fake::Fake;
use super::oracle::Message;
use crate::runtime::traces::span::Value;
use crate::runtime::traces::{Context, Kind, Sampler, otlp};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn an_export_is_read_as_it_was_meant() {
    let mut fake = Fake::new(8, Sampler::default());
    let parent = Context::parse(PARENT, Some("a=1")).unwrap();
    let mut outer = fake.tracer.begin("outer", Kind::Server, Some(&parent)).unwrap();
    outer.begun_at(1_700_000_000_000_000_001);
    outer.set("text", "t".repeat(300));
    outer.set("least", i64::MIN);
    outer.fail("broken");
    let inner = outer.child("inner");
    inner.end();
    outer.end_at(1_700_000_000_000_000_002);
    let spans = fake.spans();
    let resource = otlp::resource(&[("service.name".into(), Value::from("s"))]);
    let export = Message::read("otlp.Export", &otlp::request(&resource, &spans));

    let of_resource = &export.all("resource_spans")[0];
    assert_eq!(of_resource.one("resource").attributes(), ["service.name=s"]);
    let of_scope = &of_resource.all("scope_spans")[0];
    assert_eq!(of_scope.one("scope").text("name"), "afterimage");
    let spans = of_scope.all("spans");
    let [inner, outer] = &spans[..] else { panic!("{} spans", spans.len()) };
    assert_eq!((outer.text("name"), outer.number("kind")), ("outer".to_owned(), 2));
    assert_eq!((inner.text("name"), inner.number("kind")), ("inner".to_owned(), 1));
    assert_eq!(outer.bytes("trace_id"), parent.trace);
    assert_eq!(outer.bytes("parent_span_id"), parent.span);
    assert_eq!(inner.bytes("trace_id"), parent.trace);
    assert_eq!(inner.bytes("parent_span_id"), outer.bytes("span_id"));
    assert_eq!(outer.bytes("span_id").len(), 8);
    assert_eq!((outer.text("trace_state"), inner.text("trace_state")), ("a=1".to_owned(), "a=1".to_owned()));
    assert_eq!(outer.number("start_time_unix_nano"), 1_700_000_000_000_000_001);
    assert_eq!(outer.number("end_time_unix_nano"), 1_700_000_000_000_000_002);
    let expect = [format!("text={}", "t".repeat(300)), format!("least={}", i64::MIN), "error.type=broken".to_owned()];
    assert_eq!(outer.attributes(), expect);
    assert_eq!((outer.one("status").number("code"), inner.one("status").number("code")), (2, 0));
    assert_eq!(outer.number("flags"), 1);
}

#[test]
fn answers() {
    for (answer, expect) in [
        (&[][..], 0),
        // partial_success { rejected_spans: 3, error_message: "no" }
        (&[0x0a, 6, 0x08, 3, 0x12, 2, b'n', b'o'], 3),
        // The message alone, and fields that are not known before it.
        (&[0x0a, 4, 0x12, 2, b'n', b'o'], 0),
        (&[0x10, 1, 0x1d, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 3, 0x08, 0xac, 0x02], 300),
        // Nothing that could be read.
        (&[0x0a, 9, 0x08], 0),
        (b"<html>", 0),
        (&[0xff; 20], 0),
    ] {
        assert_eq!(otlp::rejected(answer), expect, "{answer:?}");
    }
}

#[test]
fn what_is_not_sampled_is_not_sent_and_keeps_its_place_in_the_trace() {
    let mut fake = Fake::new(8, Sampler::default());
    let parent = Context::parse(&PARENT.replace("-01", "-00"), None).unwrap();
    let span = fake.tracer.begin("span", Kind::Internal, Some(&parent)).unwrap();
    assert!(!span.is_recorded() && !span.child("child").is_recorded());
    assert!(span.context().traceparent().ends_with("-00"));
    assert_eq!(span.context().trace, parent.trace);
    span.end();
    assert!(fake.spans().is_empty());
    // The children of what is not sampled are not, whatever the sampler says of children.
    let mut fake = Fake::new(8, Sampler { parent_based: false, ratio: 0.0 });
    let span = fake.tracer.begin("span", Kind::Internal, None).unwrap();
    drop(span.child("child"));
    span.end();
    assert!(fake.spans().is_empty());
}

#[test]
fn what_the_queue_has_no_room_for_is_dropped_and_counted() {
    let mut fake = Fake::new(2, Sampler::default());
    for _ in 0..5 {
        drop(fake.tracer.begin("span", Kind::Internal, None));
    }
    assert_eq!(fake.spans().len(), 2);
    assert_eq!(fake.tracer.numbers().unwrap().full, 3);
}
