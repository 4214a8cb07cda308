//! `checkpoint`.

use std::process::ExitCode;

use anyhow::ensure;
use chancery_audit::{Checkpoint, Node};
use chancery_cli::print;
use clap::Args;
use serde_json::json;

use super::Program;

/// What `checkpoint` is told.
#[derive(Debug, Args)]
pub struct CheckpointArgs<P: Program> {
    /// Print only the public key, with which the checkpoints and the log itself can be verified elsewhere.
    #[arg(long)]
    key: bool,
    /// For the log of another node of this installation.
    #[arg(long, value_name = "NODE", value_parser = Node::new)]
    node: Option<Node>,
    #[command(flatten)]
    program: P,
    /// Print a JSON object with both, and with what the checkpoint is about.
    #[arg(long, conflicts_with = "key")]
    json: bool,
}

pub(super) fn run<P: Program>(args: &CheckpointArgs<P>) -> anyhow::Result<ExitCode> {
    let text = args.program.visit(async |site| {
        let node = args.node.as_ref().unwrap_or(&site.node);
        let signer = site.keys.signer(node)?;
        let key = signer.verifier_key().to_string();
        if args.key {
            return Ok(key);
        }
        let head = site.pinned(node).await?.head;
        ensure!(
            head.seq() > 0,
            "there is nothing to sign yet: the log of node {node} has no lines until its server has run"
        );
        let checkpoint = Checkpoint::sign(&signer, &head)?;
        if !args.json {
            return Ok(checkpoint.note().to_owned());
        }
        let json = json!({
            "node": node.as_str(),
            "size": checkpoint.size(),
            "note": checkpoint.note(),
            "key": key,
        });
        Ok(json.to_string())
    })?;
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
