//! `chancery-portal init`: a commented configuration file, the master key, and the schema.

use std::net::SocketAddr;
use std::path::{Path, PathBuf, absolute};

use anyhow::Context as _;
use chancery_cli::print;
use chancery_db::Db;
use chancery_files::{self as files, Access};
use chancery_time::{Clock as _, SystemClock};
use clap::Args;

use super::certificate::own_certificate;
use crate::config::template::{Answers, render};
use crate::config::{Tls, check};
use crate::store;
use crate::vault::Vault;

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The configuration file to write; an existing one is left alone.
    #[arg(short = 'o', long = "output", value_name = "FILE", default_value = "portal.yaml")]
    output: PathBuf,
    /// The origin under which programs and people will reach the portal.
    #[arg(long, default_value = "https://localhost:15000")]
    url: String,
    /// Where it listens.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:15000")]
    listen: SocketAddr,
    /// The directory for its files.
    #[arg(long, value_name = "DIRECTORY", default_value = "portal")]
    workdir: PathBuf,
}

pub(super) async fn run(args: &InitArgs) -> anyhow::Result<()> {
    let file = absolute(&args.output)?;
    anyhow::ensure!(
        !file.exists(),
        "{} exists already and is not overwritten: name another file with -o, or move it away",
        file.display()
    );
    let workdir = absolute(&args.workdir)?;
    let text = render(&Answers { url: &args.url, listen: args.listen, workdir: &workdir });
    // What is written must be what the portal will accept; the check also says what is wrong with an answer.
    let config = check(&file, &text, None)?;
    files::create_directory(&workdir)?;
    if let Some(directory) = file.parent() {
        files::create_directory(directory)?;
    }
    Vault::create(&workdir)?;
    if config.server.tls == Tls::SelfSigned {
        own_certificate(&workdir, config.server.url.host(), SystemClock.now())?;
    }
    Db::open(&config.database, store::MIGRATIONS).await.context("the database")?.close().await;
    // Last: where there is a configuration, everything that it names is there.
    files::create(&file, text.as_bytes(), Access::Owner)?;
    print(&next_steps(&args.output, &workdir))?;
    Ok(())
}

fn next_steps(file: &Path, workdir: &Path) -> String {
    format!(
        "Wrote {file}.\n\
         The master key is {master}: keep a copy elsewhere, the database is of no use without it.\n\
         Programs that call the portal trust {certificate}.\n\
         Next:\n  \
         chancery-portal product create --slug my-app --name 'My App' -f {file}\n  \
         chancery-portal api-key create --class secret --live --scopes all --name first -f {file}\n  \
         chancery-portal serve -f {file}",
        file = file.display(),
        master = crate::vault::key_file(workdir).display(),
        certificate = workdir.join("tls").join("portal.pem").display(),
    )
}
