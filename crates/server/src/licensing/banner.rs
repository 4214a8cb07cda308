//! What the operator is shown when the server refuses to start.

use std::fmt::Write as _;
use std::path::Path;

use chancery_license::{InstallationKey, Misfit};

use super::boot::BootRefusal;

/// The banner: what happened, why, the installation's key, and the commands that help.
pub(crate) fn banner(refusal: &BootRefusal, installation: &InstallationKey, config: &Path) -> String {
    let config = config.display();
    let open = format!("chancery cold-start init --plan=<free|starter|pro|enterprise> -f {config}");
    let (why, reasons, help) = match refusal {
        BootRefusal::NoLicense => (
            "no licence is installed and no cold-start window was opened".to_owned(),
            vec!["no_license"],
            vec![format!("{open}   (opens a window of one week)")],
        ),
        BootRefusal::WindowElapsed(window) => (
            format!(
                "the cold-start window (plan {}) ended at {}, and no licence is installed",
                window.plan,
                window.ends_at.to_minutes()
            ),
            vec!["no_license"],
            vec![format!("chancery cold-start status -f {config}   (shows the window)")],
        ),
        BootRefusal::Misfit(plan, misfits) => (
            format!(
                "the configuration goes beyond the plan {plan}: {}",
                misfits.iter().map(Misfit::to_string).collect::<Vec<_>>().join("; ")
            ),
            misfits.iter().map(|misfit| misfit.reason()).collect(),
            vec![format!("chancery validate -f {config}   (after changing the configuration to fit)")],
        ),
    };
    let mut text = String::from("LICENSE REQUIRED — server refuses to start.\n");
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  Why             : {why}.");
    let _ = writeln!(text, "  Reasons         : {}", reasons.join(", "));
    let _ = writeln!(text, "  Installation key: {installation}");
    text.push_str("What helps:\n");
    for command in help {
        let _ = writeln!(text, "  {command}");
    }
    text
}
