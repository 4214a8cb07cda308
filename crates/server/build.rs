//! Tells the program when it was built: the day, in UTC, so that two builds of one day are alike.
//! `SOURCE_DATE_EPOCH` sets it for reproducible builds.

use std::time::{SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400;

fn main() {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo::rerun-if-changed=build.rs");
    let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(given) => given.trim().parse().unwrap_or_else(|_| {
            println!("cargo::error=SOURCE_DATE_EPOCH is not a number of seconds since 1970: `{given}`");
            0
        }),
        Err(_) => now(),
    };
    println!("cargo::rustc-env=CHANCERY_BUILD_DAY={}", seconds / DAY * DAY);
}

#[expect(clippy::disallowed_methods, reason = "a build has no clock to be given")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
