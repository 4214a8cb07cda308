#![no_main]

libfuzzer_sys::fuzz_target!(
    init: chancery_fuzz::write_seeds("manifest"),
    |data: &[u8]| chancery_fuzz::fuzzed::manifest(data)
);
