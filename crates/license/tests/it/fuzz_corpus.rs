//! The fuzz targets as ordinary tests: over their seeds and over the corpus that fuzzing found.

use std::path::Path;

use crate::fuzzed::{TARGETS, seeds};

#[test]
fn every_target_holds_over_its_seeds() {
    for (name, target) in TARGETS {
        let seeds = seeds::of(name, Path::new(env!("CARGO_MANIFEST_DIR")));
        assert!(!seeds.is_empty(), "{name} has no seeds");
        seeds.iter().for_each(|seed| target(seed));
    }
}

#[test]
fn every_target_holds_over_its_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    for (name, target) in TARGETS {
        let corpus = fuzz.join("corpus").join(name);
        let mut inputs = 0;
        for file in std::fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()))
        {
            let path = file.unwrap().path();
            // Shown only when the test fails.
            println!("{}", path.display());
            target(&std::fs::read(&path).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0, "{} is empty", corpus.display());
        assert!(fuzz.join("fuzz_targets").join(format!("{name}.rs")).exists(), "{name} is not fuzzed");
    }
}
