#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mysql::types::hostile::value(bytes));
