//! Further nodes of an installation, on the same database.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::Installation;
use crate::{Workdir, free_port};

impl Installation {
    /// Another node with this one's database, CA and configuration, but a directory and a port of its own. Clients
    /// know both by this one's [`url`](Self::url), as behind a balancer; [`node_url`](Self::node_url) leads to either alone.
    pub fn another_node(&self) -> Self {
        let workdir = Workdir::new();
        let node = Self {
            binary: self.binary.clone(),
            port: self.port,
            listening: free_port(),
            http01_port: self.http01_port,
            config: workdir.join("chancery.yaml"),
            root: self.root.clone(),
            log: self.log,
            database: Arc::clone(&self.database),
            workdir,
        };
        for part in ["ca", "secrets"] {
            copy_directory(&self.server_workdir().join(part), &node.server_workdir().join(part));
        }
        std::fs::copy(&self.config, &node.config).expect("copy the configuration");
        node.configure(|config| {
            config["server"]["workdir"] = json!(node.server_workdir());
            config["server"]["listen"] = json!(format!("127.0.0.1:{}", node.listening));
        });
        node
    }

    /// Where this very node listens: `https://localhost:PORT`.
    pub fn node_url(&self) -> String {
        format!("https://localhost:{}", self.listening)
    }
}

fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("make a directory");
    for entry in std::fs::read_dir(from).expect("the directory is there") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copy a file");
    }
}
