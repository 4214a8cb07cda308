//! `list-nodes`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Context;
use chancery_audit::Head;
use chancery_cli::print;
use clap::Args;
use serde_json::{Value, json};

use super::Program;
use crate::outbox;

/// What `list-nodes` is told.
#[derive(Debug, Args)]
pub struct ListNodesArgs<P: Program> {
    #[command(flatten)]
    program: P,
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Listed {
    node: String,
    /// The number of its last line; 0 when nothing was written yet.
    last_seq: u64,
    /// How many events wait to be written.
    waiting: u64,
    is_this: bool,
}

pub(super) fn run<P: Program>(args: &ListNodesArgs<P>) -> anyhow::Result<ExitCode> {
    let nodes = args.program.visit(async |site| {
        let this = site.node.to_string();
        site.db
            .read(move |tx| {
                let mut ends = BTreeMap::from([(this.clone(), 0)]);
                for (node, head) in outbox::heads(tx)? {
                    let head = Head::from_bytes(&head).with_context(|| format!("the log of node {node}"))?;
                    ends.insert(node, head.seq());
                }
                let mut nodes = Vec::with_capacity(ends.len());
                for (node, last_seq) in ends {
                    let waiting = outbox::backlog(tx, &node)?;
                    nodes.push(Listed { is_this: node == this, node, last_seq, waiting });
                }
                Ok::<_, anyhow::Error>(nodes)
            })
            .await
    })?;
    print(&if args.json { json(&nodes).to_string() } else { text(&nodes) })?;
    Ok(ExitCode::SUCCESS)
}

fn text(nodes: &[Listed]) -> String {
    let width = nodes.iter().map(|listed| listed.node.len()).max().unwrap_or_default();
    let mut text = format!("{:<width$}  LAST SEQ  WAITING\n", "NODE");
    for Listed { node, last_seq, waiting, is_this } in nodes {
        let here = if *is_this { "  this node" } else { "" };
        text += &format!("{node:<width$}  {last_seq:>8}  {waiting:>7}{here}\n");
    }
    text
}

fn json(nodes: &[Listed]) -> Value {
    let listed = |listed: &Listed| {
        let Listed { node, last_seq, waiting, is_this } = listed;
        json!({ "node": node, "last_seq": last_seq, "waiting": waiting, "this": is_this })
    };
    nodes.iter().map(listed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_stand_under_each_other() {
        let listed = |node: &str, last_seq, waiting, is_this| Listed {
            node: node.to_owned(),
            last_seq,
            waiting,
            is_this,
        };
        let nodes = [listed("ca1", 41, 0, true), listed("ca2.test", 1_234_567, 12, false)];
        assert_eq!(
            text(&nodes),
            "NODE      LAST SEQ  WAITING\n\
             ca1             41        0  this node\n\
             ca2.test   1234567       12\n"
        );
        assert_eq!(json(&nodes)[1]["last_seq"], 1_234_567);
    }
}
