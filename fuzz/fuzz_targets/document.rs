#![no_main]

libfuzzer_sys::fuzz_target!(
    init: chancery_fuzz::write_seeds("document"),
    |data: &[u8]| chancery_fuzz::fuzzed::document(data)
);
