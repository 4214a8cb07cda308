//! An installation whose programs are cut off, or watched.

use std::process::Command;

use super::Installation;
use crate::process::{Finished, run};
use crate::server::Serving;
use crate::{MovableClock, Network, SocketTrace, TestServer};

/// The same installation, whose programs run in a network of their own or under a trace.
#[derive(Debug)]
pub struct Elsewhere<'a> {
    installation: &'a Installation,
    surroundings: Surroundings<'a>,
}

#[derive(Debug)]
enum Surroundings<'a> {
    Network(&'a Network),
    Trace(&'a SocketTrace),
}

impl Installation {
    /// The installation, its programs in that network. For SQLite alone: the tests' PostgreSQL is not in there.
    pub fn within<'a>(&'a self, network: &'a Network) -> Elsewhere<'a> {
        Elsewhere { installation: self, surroundings: Surroundings::Network(network) }
    }

    /// The installation, the calls of one of its programs written down.
    pub fn traced<'a>(&'a self, trace: &'a SocketTrace) -> Elsewhere<'a> {
        Elsewhere { installation: self, surroundings: Surroundings::Trace(trace) }
    }
}

impl Elsewhere<'_> {
    /// Runs `chancery ARGUMENTS… -f CONFIG` to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        run(&mut self.around(&self.installation.command(arguments)))
    }

    /// Starts `chancery serve` under a clock that the test moves.
    pub fn serve_under<'a>(&'a self, clock: &'a MovableClock) -> TestServer<'a> {
        TestServer::start(self, Some(clock))
    }

    fn around(&self, command: &Command) -> Command {
        match self.surroundings {
            Surroundings::Network(network) => network.within(command),
            Surroundings::Trace(trace) => trace.of(command),
        }
    }
}

impl Serving for Elsewhere<'_> {
    fn serving(&self) -> Command {
        self.around(&self.installation.serving())
    }

    fn ready(&self) -> String {
        self.installation.ready()
    }
}
