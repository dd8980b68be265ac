#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postgres::hostile::frames(bytes));
