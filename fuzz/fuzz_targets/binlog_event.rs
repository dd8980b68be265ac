#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = mysql::hostile::binlog_event(bytes);
});
