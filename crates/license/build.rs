//! Compiles the trust anchors in: those of the folder `CHANCERY_TRUST_DIR`, or else of `trust/` beside this
//! file, which holds the development anchors. `trust/dev/README.md` describes such a folder.

#[path = "src/armour.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "it is a part of the library, of which this script uses a part"
)]
mod armour;
#[path = "build/trust_folder.rs"]
mod trust_folder;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use trust_folder::{Anchor, Entry};

const VARIABLE: &str = "CHANCERY_TRUST_DIR";

fn main() -> ExitCode {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/trust_folder.rs");
    println!("cargo::rerun-if-changed=src/armour.rs");
    match compile_anchors() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("cargo::error={why}");
            ExitCode::FAILURE
        }
    }
}

fn compile_anchors() -> Result<(), String> {
    let folder = folder()?;
    // A folder counts as changed when anything below it does.
    println!("cargo::rerun-if-changed={}", folder.display());
    let refused = |why: &dyn std::fmt::Display| format!("the trust folder {}: {why}", folder.display());
    let entries = read(&folder)
        .map_err(|(path, error)| refused(&format!("cannot read {}: {error}", path.display())))?;
    for entry in &entries {
        println!("cargo::rerun-if-changed={}", folder.join(&entry.path).display());
    }
    let anchors: Vec<Anchor<'_>> = trust_folder::anchors(&entries).map_err(|why| refused(&why))?;
    let out = env::var_os("OUT_DIR").ok_or("Cargo did not set OUT_DIR")?;
    let table = Path::new(&out).join("anchors.rs");
    fs::write(&table, trust_folder::table(&anchors)).map_err(|error| format!("{}: {error}", table.display()))
}

/// The folder that the build names. Cargo runs this script in the folder of the crate, so a relative path
/// would not mean what whoever gave it meant.
fn folder() -> Result<PathBuf, String> {
    let Some(named) = env::var_os(VARIABLE) else {
        let crate_folder = env::var_os("CARGO_MANIFEST_DIR").ok_or("Cargo did not set CARGO_MANIFEST_DIR")?;
        return Ok(Path::new(&crate_folder).join("trust"));
    };
    let folder = PathBuf::from(named);
    if folder.is_absolute() {
        return Ok(folder);
    }
    Err(format!(
        "{VARIABLE} is `{}`: give the absolute path of a folder with your trust anchors, or unset it for a development build",
        folder.display()
    ))
}

/// Everything in the folder and in the folders directly in it, in the order of their paths. Hidden files are
/// passed over.
fn read(folder: &Path) -> Result<Vec<Entry>, (PathBuf, io::Error)> {
    let mut entries = Vec::new();
    for (name, path) in list(folder)? {
        if !path.is_dir() {
            entries.push(Entry { path: name, text: read_text(&path)? });
            continue;
        }
        let inside = list(&path)?;
        if inside.is_empty() {
            entries.push(Entry { path: format!("{name}/"), text: String::new() });
        }
        for (inner, path) in inside {
            entries.push(Entry { path: format!("{name}/{inner}"), text: read_text(&path)? });
        }
    }
    Ok(entries)
}

fn list(folder: &Path) -> Result<Vec<(String, PathBuf)>, (PathBuf, io::Error)> {
    let failed = |error| (folder.to_owned(), error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

fn read_text(path: &Path) -> Result<String, (PathBuf, io::Error)> {
    let bytes = fs::read(path).map_err(|error| (path.to_owned(), error))?;
    // What is not text is no PEM, and is refused as such.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
