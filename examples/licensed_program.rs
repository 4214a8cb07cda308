//! A program that is licensed: it opens its machine file with `chancery-license` alone, without any network, and
//! says what that is worth. Run it with the file of your portal, or write its like into a program of yours:
//!
//! ```console
//! $ cargo run -p chancery-license --example licensed_program -- FILE LICENCE-KEY FINGERPRINT PUBLIC-KEY PRODUCT
//! ```
//!
//! PUBLIC-KEY is `public_key` of `GET /api/v1/signing_keys/{kid}`. A real program has it compiled in, makes the
//! fingerprint itself, and remembers the highest time it has seen as the `watermark`, so that setting back the clock
//! gains nothing.

use std::io::Write as _;
use std::process::ExitCode;

use base64ct::{Base64, Encoding as _};
use chancery_license::PublicKey;
use chancery_license::machine_file::{Expected, MachineFile, MachineFileError, Standing, open};
use chancery_time::{Clock as _, SystemClock};

fn main() -> ExitCode {
    let (line, code) = match opened(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Err(usage) => (usage, ExitCode::from(2)),
        Ok(Ok(file)) => (describe(&file), ExitCode::SUCCESS),
        // Each error has a message for people and a class for programs.
        Ok(Err(refused)) => (format!("refused ({}): {refused}", refused.class()), ExitCode::FAILURE),
    };
    // Where standard output is closed, the exit code tells.
    let _ = writeln!(std::io::stdout(), "{line}");
    code
}

/// Opens the machine file that the arguments name; the outer error is for whoever called the program wrongly.
fn opened(arguments: &[String]) -> Result<Result<MachineFile, MachineFileError>, String> {
    let [file, license_key, fingerprint, public_key, product_slug] = arguments else {
        return Err("give FILE LICENCE-KEY FINGERPRINT PUBLIC-KEY PRODUCT".to_owned());
    };
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let raw = Base64::decode_vec(public_key).ok().and_then(|raw| raw.try_into().ok());
    let raw: [u8; 32] = raw.ok_or("PUBLIC-KEY is 32 bytes in base64")?;
    let key = PublicKey::from_ed25519(&raw).map_err(|error| format!("PUBLIC-KEY: {error}"))?;
    let keys = [(key.id().to_string(), key)];
    let (now, watermark) = (SystemClock.now(), None);
    Ok(open(&text, &Expected { license_key, fingerprint, product_slug, keys: &keys, now, watermark }))
}

/// What the program may do, and until when.
fn describe(file: &MachineFile) -> String {
    let contents = file.contents();
    let standing = match file.standing() {
        Standing::Valid => format!("valid until {}", contents.expires),
        Standing::Grace { until } => format!("in grace until {until}: fetch a new machine file before that"),
    };
    let Some(license) = &contents.license else { return standing };
    let allowed: Vec<&str> =
        license.entitlements.iter().map(|entitlement| entitlement.key.as_str()).collect();
    format!("{standing}; plan {}; allowed: {}", license.plan_key, allowed.join(" "))
}
