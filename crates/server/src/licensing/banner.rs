//! What the operator is shown when the server refuses to start.

use std::fmt::Write as _;
use std::path::Path;

use chancery_license::InstallationKey;

use super::boot::{BootRefusal, Reason};
use super::cold_start;

/// What a refusal comes to.
pub(crate) struct Told {
    heading: &'static str,
    pub(crate) why: String,
    pub(crate) reasons: Vec<&'static str>,
    /// Commands, each with what it is for.
    pub(crate) help: Vec<(String, &'static str)>,
}

/// The banner: what happened, why, the installation's key, and the commands that help. `is_online` says whether
/// there is a portal to ask.
pub(crate) fn banner(
    refusal: &BootRefusal,
    installation: &InstallationKey,
    config: &Path,
    is_online: bool,
) -> String {
    let mut told = tell(refusal, &config.display().to_string());
    if is_online && !matches!(refusal, BootRefusal::RecordDamaged) {
        let refresh = format!("chancery license refresh -f {}", config.display());
        told.help.push((refresh, "asks the portal whether there is a licence for this installation key"));
    }
    let mut text = format!("{} — server refuses to start.\n", told.heading);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "Reasons: {}.", told.reasons.join(", "));
    if let BootRefusal::Degraded { .. } = refusal {
        let _ = writeln!(
            text,
            "Run 'chancery license acknowledge-degraded -f {}' to acknowledge\n\
             and persist this state, or fix your configuration / upgrade your plan.",
            config.display()
        );
    }
    let _ = writeln!(text, "  Why             : {}.", told.why);
    let _ = writeln!(text, "  Installation key: {installation}");
    text.push_str("What helps:\n");
    for (command, purpose) in told.help {
        let _ = writeln!(text, "  {command}   ({purpose})");
    }
    text
}

/// What the operator is to hear of a refusal; `config` is the configuration file as they named it.
pub(crate) fn tell(refusal: &BootRefusal, config: &str) -> Told {
    let install = || (format!("chancery license install -f {config} FILE"), "installs a licence");
    let status = || (format!("chancery license status -f {config}"), "shows what is installed");
    let required = "LICENSE REQUIRED";
    match refusal {
        BootRefusal::NoLicense => Told {
            heading: required,
            why: "no licence is installed and no cold-start window was opened".to_owned(),
            reasons: vec!["no_license"],
            help: vec![
                install(),
                (
                    format!("chancery cold-start init --plan=<free|starter|pro|enterprise> -f {config}"),
                    "opens a window of one week",
                ),
            ],
        },
        BootRefusal::WindowElapsed { window, cap } => {
            let ended = window.ends_at.to_minutes();
            let mut help = vec![install()];
            let mut why = format!(
                "the cold-start window (plan {}) ended at {ended}, and no licence is installed",
                window.plan
            );
            match cap {
                Some(cap) if *cap <= window.ends_at => {
                    why.push_str(", and the cumulative cap of 3 weeks is reached");
                }
                _ => help.push((
                    format!("chancery cold-start extend --confirm -f {config}"),
                    "opens another week, within three weeks of the first ACME account",
                )),
            }
            Told { heading: required, why, reasons: vec!["cold_start_elapsed"], help }
        }
        BootRefusal::RecordDamaged => Told {
            heading: required,
            why: "the record of what this installation has seen is missing or damaged".to_owned(),
            reasons: vec!["record_damaged"],
            help: vec![(
                format!("chancery license status -f {config}"),
                "shows the installation; restore the database from a backup, or ask the vendor",
            )],
        },
        BootRefusal::NotYetValid { from } => Told {
            heading: required,
            why: format!("the licence begins at {}", from.to_minutes()),
            reasons: vec!["license_not_yet_valid"],
            help: vec![status(), install()],
        },
        BootRefusal::Revoked => Told {
            heading: "LICENSE REVOKED",
            why: "the vendor revoked the licence; this cannot be acknowledged".to_owned(),
            reasons: vec!["license_revoked"],
            help: vec![install(), status()],
        },
        BootRefusal::Invalid(reason) => Told {
            heading: "LICENSE INVALID",
            why: format!("the installed licence does not count: {reason}"),
            reasons: vec![reason.name()],
            help: vec![status(), install()],
        },
        BootRefusal::Degraded { plan, reasons } => Told {
            heading: "LICENSE DEGRADED",
            why: format!(
                "beyond the licence (plan {plan}): {}",
                reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ")
            ),
            reasons: reasons.iter().map(|reason| reason.name()).collect(),
            help: vec![
                (format!("chancery license acknowledge-degraded -f {config}"), "lets it start as it is"),
                (format!("chancery license explain -f {config}"), "shows what would be refused, and why"),
                install(),
            ],
        },
    }
}

/// What a start in a window is warned of.
pub(crate) fn misfit_warning(misfits: &[chancery_license::Misfit]) -> String {
    format!(
        "the configuration does not fit the plan of the window, so orders for new certificates are refused: {}",
        cold_start::list(misfits)
    )
}
