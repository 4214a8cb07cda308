#![no_main]

libfuzzer_sys::fuzz_target!(
    init: chancery_fuzz::write_seeds("machine_file"),
    |data: &[u8]| chancery_fuzz::fuzzed::machine_file(data)
);
