#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mysql::hostile::json_binary(bytes));
