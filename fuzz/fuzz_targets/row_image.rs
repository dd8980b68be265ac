#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mysql::hostile::row_image(bytes));
