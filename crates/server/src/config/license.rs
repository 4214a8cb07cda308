//! Which licences count, and who is asked for newer ones.

use std::path::PathBuf;
use std::time::Duration;

use chancery_license::Environment;

use super::PassphraseSource;

/// `license` in the configuration.
#[derive(Debug)]
pub(crate) struct License {
    /// The environment that licences have to be for; that of the build where the file names none.
    pub(crate) environment: Option<Environment>,
    pub(crate) call_home: CallHome,
}

/// Whether anybody is asked for newer documents.
#[derive(Debug)]
pub(crate) enum CallHome {
    /// `offline: true`: nobody is, also where a portal is configured.
    Offline {
        unused: Option<Portal>,
    },
    /// No portal is configured.
    NoPortal,
    Portal(Portal),
}

/// The licence portal, and the way there.
#[derive(Debug, Clone)]
pub(crate) struct Portal {
    /// `https://host[:port][/path]`, without a slash at its end.
    pub(crate) url: String,
    /// Host and port of the URL.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The only certificates that vouch for the portal; those that the system trusts where there is no file.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) proxy: Option<Proxy>,
    /// How often the portal is asked.
    pub(crate) interval: Duration,
}

/// A proxy on the way to the portal.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    /// `scheme://host:port`.
    pub(crate) url: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) credentials: Option<Credentials>,
}

/// What the proxy knows this installation by.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: PassphraseSource,
}

impl License {
    /// The portal that is asked; `None` where nobody is.
    pub(crate) fn portal(&self) -> Option<&Portal> {
        match &self.call_home {
            CallHome::Portal(portal) => Some(portal),
            CallHome::Offline { .. } | CallHome::NoPortal => None,
        }
    }
}
