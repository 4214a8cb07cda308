//! Somebody between a server and its portal who reads everything and changes nothing.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use chancery_testkit::PortalSite;

use super::wire::{Ends, Message, listen};

pub(super) struct Relay {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Message>>>,
}

impl Relay {
    /// Listens under the portal's certificate, and hands on what comes.
    pub(super) fn before(portal: &PortalSite) -> Self {
        let ends = Ends::of(portal);
        let port = portal.url().rsplit(':').next().unwrap().parse().unwrap();
        let seen = Arc::<Mutex<Vec<Message>>>::default();
        let shared = Arc::clone(&seen);
        let address = listen(move |stream| {
            let mut caller = ends.accept(stream)?;
            // A caller may keep its connection for more.
            while let Some(request) = Message::read(&mut caller) {
                shared.lock().unwrap().push(request.clone());
                let mut portal = ends.call(SocketAddr::from(([127, 0, 0, 1], port)))?;
                request.write(&mut portal)?;
                Message::read(&mut portal)?.write(&mut caller)?;
            }
            Some(())
        });
        Self { address, seen }
    }

    pub(super) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Every request so far.
    pub(super) fn seen(&self) -> Vec<Message> {
        self.seen.lock().unwrap().clone()
    }
}
