//! Chains of transforms, with what Debezium and Kafka Connect made of them.

use record::{Headers, Kind, Payload, Record, Schema, Value};
use settings::Properties;

use crate::Chain;
use crate::example::described;

fn properties(text: &str) -> Properties {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.filter_map(|line| line.split_once('=')).collect()
}

fn record<'a>(topic: &str, key: Payload<'a>, value: Payload<'a>) -> Record<'a> {
    Record { topic: topic.into(), partition: None, timestamp_ms: None, key, value, headers: Headers::default() }
}

fn row(fields: Vec<(&str, Kind, Value)>) -> Payload<'static> {
    let of = |(name, kind, _): &(&str, Kind, Value)| {
        let optional = !matches!(*name, "id" | "code");
        let micros = *name == "at";
        let schema = Schema::of(kind.clone()).optional_if(optional);
        let schema = if micros { schema.named("io.debezium.time.MicroTimestamp", Some(1)) } else { schema };
        record::Field { name: (*name).into(), schema: schema.build() }
    };
    let kind = Kind::Struct(fields.iter().map(of).collect());
    let values = fields.into_iter().map(|(_, _, value)| value).collect();
    Payload::Value(Schema::of(kind).named("t.Value", None).build(), Value::Struct(values))
}

const FIELDS: &str = "
    transforms=rf,mf,vk,ek,inf,cast,tc,tu,md
    transforms.rf.type=org.apache.kafka.connect.transforms.ReplaceField$Value
    transforms.rf.exclude=junk,nosuch
    transforms.rf.renames=nm:name,n:count
    transforms.mf.type=org.apache.kafka.connect.transforms.MaskField$Value
    transforms.mf.fields=pin,secret,big,flag
    transforms.vk.type=org.apache.kafka.connect.transforms.ValueToKey
    transforms.vk.fields=code,id
    transforms.ek.type=org.apache.kafka.connect.transforms.ExtractField$Key
    transforms.ek.field=code
    transforms.inf.type=org.apache.kafka.connect.transforms.InsertField$Value
    transforms.inf.topic.field=topic!
    transforms.inf.static.field=origin?
    transforms.inf.static.value=here
    transforms.cast.type=org.apache.kafka.connect.transforms.Cast$Value
    transforms.cast.spec=count:string,f:int32,txt:float64,yes:int8,small:boolean
    transforms.tc.type=org.apache.kafka.connect.transforms.TimestampConverter$Value
    transforms.tc.field=at
    transforms.tc.target.type=string
    transforms.tc.format=yyyy-MM-dd'T'HH:mm:ss.SSS
    transforms.tc.unix.precision=microseconds
    transforms.tu.type=org.apache.kafka.connect.transforms.TimestampConverter$Value
    transforms.tu.field=at3
    transforms.tu.target.type=Timestamp
    transforms.md.type=org.apache.kafka.connect.transforms.SetSchemaMetadata$Value
    transforms.md.schema.name=my.Row
    transforms.md.schema.version=7
";

/// Nine transforms behind each other on a flattened row.
#[test]
fn fields_of_rows() {
    let mut chain = Chain::build(&properties(FIELDS)).unwrap();
    let sent = |full: bool| {
        let or = |value: Value| if full { value } else { Value::Null };
        let text = |text: &str| or(Value::text(text));
        row(vec![
            ("id", Kind::Int32, Value::Int(1)),
            ("code", Kind::String, Value::text("c1")),
            ("nm", Kind::String, text("n1")),
            ("n", Kind::Int64, or(Value::Int(10))),
            ("junk", Kind::String, text("j")),
            ("pin", Kind::Int32, or(Value::Int(1234))),
            ("secret", Kind::String, text("s")),
            ("big", Kind::Int64, or(Value::Int(99))),
            ("flag", Kind::Bool, or(Value::Bool(true))),
            ("f", Kind::Float64, or(Value::Double(-2.9))),
            ("txt", Kind::String, text("1.25")),
            ("yes", Kind::Bool, or(Value::Bool(true))),
            ("small", Kind::Int16, or(Value::Int(3))),
            ("at", Kind::Int64, or(Value::Int(1_704_164_645_678_901))),
            ("at3", Kind::Int64, or(Value::Int(1_704_164_645_678))),
        ])
    };
    for (full, expect) in [
        (
            true,
            r#"{"id":1,"code":"c1","name":"n1","count":"10","pin":0,"secret":"","big":0,"flag":false,"f":-2,"txt":1.25,"yes":1,"small":true,"at":"2024-01-02T03:04:05.678","at3":1704164645678,"topic":"s.p.t","origin":"here"}"#,
        ),
        (
            false,
            r#"{"id":1,"code":"c1","name":null,"count":null,"pin":null,"secret":null,"big":null,"flag":null,"f":null,"txt":null,"yes":null,"small":null,"at":null,"at3":null,"topic":"s.p.t","origin":"here"}"#,
        ),
    ] {
        let record = chain.apply(record("s.p.t", Payload::Null, sent(full))).unwrap().unwrap();
        assert_eq!(described(&record.key), "\"c1\" string");
        assert_eq!(described(&record.value), format!("{expect} struct my.Row"));
        let schema = record.value.schema().unwrap();
        assert_eq!(schema.version, Some(7));
        let types: Vec<&str> = schema.fields().iter().map(|field| field.schema.type_name()).collect();
        let expect = "INT32 STRING STRING STRING INT32 STRING INT64 BOOLEAN INT32 FLOAT64 INT8 BOOLEAN STRING INT64 STRING STRING";
        assert_eq!(types.join(" "), expect);
        let required: Vec<&str> =
            schema.fields().iter().filter(|field| !field.schema.optional).map(|field| &*field.name).collect();
        assert_eq!(required, ["id", "code", "topic"]);
        assert_eq!(schema.fields()[12].schema.name, None, "a cast and a converted time lose their old names");
        assert_eq!(schema.fields()[13].schema.name.as_deref(), Some("org.apache.kafka.connect.data.Timestamp"));
    }
}

const SMTS: &str = "
    transforms=drop,ins,key,xkey,cast,mask,hoist,ren,route
    predicates=isA,isB,isTomb
    predicates.isA.type=org.apache.kafka.connect.transforms.predicates.TopicNameMatches
    predicates.isA.pattern=.*\\.a
    predicates.isB.type=org.apache.kafka.connect.transforms.predicates.TopicNameMatches
    predicates.isB.pattern=.*\\.b[0-9]
    predicates.isTomb.type=org.apache.kafka.connect.transforms.predicates.RecordIsTombstone
    transforms.drop.type=org.apache.kafka.connect.transforms.Filter
    transforms.drop.predicate=isTomb
    transforms.ins.type=org.apache.kafka.connect.transforms.InsertField$Value
    transforms.ins.static.field=origin
    transforms.ins.static.value=mysql
    transforms.ins.topic.field=tp?
    transforms.key.type=org.apache.kafka.connect.transforms.ValueToKey
    transforms.key.fields=id,v
    transforms.key.predicate=isA
    transforms.xkey.type=org.apache.kafka.connect.transforms.ExtractField$Key
    transforms.xkey.field=v
    transforms.xkey.predicate=isA
    transforms.cast.type=org.apache.kafka.connect.transforms.Cast$Value
    transforms.cast.spec=n:string,f:int32,flag:boolean
    transforms.mask.type=org.apache.kafka.connect.transforms.MaskField$Value
    transforms.mask.fields=secret,flag
    transforms.hoist.type=org.apache.kafka.connect.transforms.HoistField$Value
    transforms.hoist.field=wrapped
    transforms.hoist.predicate=isB
    transforms.ren.type=org.apache.kafka.connect.transforms.ReplaceField$Value
    transforms.ren.exclude=gone
    transforms.ren.renames=v:value,f:eff
    transforms.ren.predicate=isB
    transforms.ren.negate=true
    transforms.route.type=org.apache.kafka.connect.transforms.RegexRouter
    transforms.route.regex=(.*)\\.b[0-9]
    transforms.route.replacement=$1.all_b
";

#[test]
fn chains_with_predicates() {
    let mut chain = Chain::build(&properties(SMTS)).unwrap();
    let value = |n: i64, f: f64| {
        row(vec![
            ("id", Kind::Int32, Value::Int(3)),
            ("v", Kind::String, Value::text("y")),
            ("n", Kind::Int64, Value::Int(n)),
            ("f", Kind::Float64, Value::Double(f)),
            ("flag", Kind::Int16, Value::Int(7)),
            ("secret", Kind::String, Value::text("t")),
            ("gone", Kind::Int32, Value::Int(1)),
        ])
    };
    let key = || Payload::Value(Schema::of(Kind::Int32).build(), Value::Int(3));
    for (topic, n, f, expect) in [
        (
            "c.a",
            9_007_199_254_740_993,
            3e9,
            r#"c.a "y" string? {"id":3,"value":"y","n":"9007199254740993","eff":2147483647,"flag":false,"secret":"","tp":"c.a","origin":"mysql"} struct t.Value"#,
        ),
        (
            "c.b2",
            3,
            -2.9,
            r#"c.all_b 3 int32 {"wrapped":{"id":3,"v":"y","n":"3","f":-2,"flag":false,"secret":"","gone":1,"tp":"c.b2","origin":"mysql"}} struct"#,
        ),
        (
            "c.b1",
            3,
            0.5,
            r#"c.all_b 3 int32 {"wrapped":{"id":3,"v":"y","n":"3","f":0,"flag":false,"secret":"","gone":1,"tp":"c.b1","origin":"mysql"}} struct"#,
        ),
    ] {
        let sent = chain.apply(record(topic, key(), value(n, f))).unwrap().unwrap();
        assert_eq!(format!("{} {} {}", sent.topic, described(&sent.key), described(&sent.value)), expect);
        assert!(chain.apply(record(topic, key(), Payload::Null)).unwrap().is_none(), "a tombstone is dropped");
    }
}
