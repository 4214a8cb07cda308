#![no_main]

libfuzzer_sys::fuzz_target!(
    init: chancery_fuzz::write_seeds("revocations"),
    |data: &[u8]| chancery_fuzz::fuzzed::revocations(data)
);
