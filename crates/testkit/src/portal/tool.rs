//! Programs of others that look at the portal.

use std::path::Path;

use crate::process::{Finished, clean_command, program_from_env, run};

/// Has the client library `licenseseat` take these steps, set up by these environment variables. See
/// `tools/clients/licenseseat`.
pub fn licenseseat(setup: &[(&str, &str)], steps: &[&str]) -> Finished {
    let mut command = clean_command(program_from_env("CHANCERY_TEST_LICENSESEAT"));
    run(command.envs(setup.iter().copied()).args(steps))
}

/// Runs schemathesis with these arguments in a directory, where it leaves what it remembers.
pub fn schemathesis(directory: &Path, arguments: &[&str]) -> Finished {
    let mut command = clean_command(program_from_env("CHANCERY_TEST_SCHEMATHESIS"));
    run(command.args(arguments).current_dir(directory))
}
