//! What the fuzz targets run. The code lies with the tests of the crate that it holds to its word, which run
//! it too, over the committed corpus.

use std::path::Path;
use std::{env, fs};

#[path = "../../crates/license/tests/it/fuzzed/mod.rs"]
pub mod fuzzed;

/// Names the folder that the seeds are written to before fuzzing begins.
const SEEDS: &str = "CHANCERY_FUZZ_SEEDS";

/// Writes the seeds of a target into the folder that the environment variable `CHANCERY_FUZZ_SEEDS` names, one
/// to a file. Without it, fuzzing begins with the corpus alone.
///
/// # Panics
/// Where the folder cannot be written to.
pub fn write_seeds(target: &str) {
    let Some(folder) = env::var_os(SEEDS) else { return };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder).expect(SEEDS);
    let license = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/license");
    for (number, seed) in fuzzed::seeds::of(target, &license).iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:03}")), seed).expect(SEEDS);
    }
}
