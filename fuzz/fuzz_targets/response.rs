#![no_main]

libfuzzer_sys::fuzz_target!(
    init: chancery_fuzz::write_seeds("response"),
    |data: &[u8]| chancery_fuzz::fuzzed::response(data)
);
