//! The other programs of this repository, for tests of several of them together.

use std::path::{Path, PathBuf};

/// The program `name`, or the example `examples/NAME`, that was built beside `binary`, the one under test
/// (`env!("CARGO_BIN_EXE_…")`). Cargo builds only the programs of the package whose tests it runs.
pub fn sibling(binary: &str, name: &str) -> PathBuf {
    let directory = Path::new(binary).parent().expect("a program lies in a directory");
    let path = directory.join(name);
    assert!(
        path.is_file(),
        "{} is not built; run the tests with `make test`, which builds it",
        path.display()
    );
    path
}
