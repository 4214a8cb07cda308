//! Ports that stay the test's own between two starts of a server.

use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which the system takes the local ports of outgoing connections
/// (`ip_local_port_range`, from 32768 on), so that none of these takes a port that a server will
/// want back after a restart.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// The locks of the ports that this process holds; released when it ends.
static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A TCP port on which nobody listens on 127.0.0.1, and which no other test takes while this
/// process lives.
///
/// Binding port 0 would not do: a server that is killed and started again needs the port that its
/// clients know, and nobody may have taken it in between.
pub fn free_port() -> u16 {
    // One directory for each user: another's would not be writable.
    let user = rustix::process::getuid().as_raw();
    let locks = std::env::temp_dir().join(format!("chancery-test-ports-{user}"));
    std::fs::create_dir_all(&locks).expect("a directory for the locks of ports");
    // Processes start at different places, so that they seldom meet.
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap();
    for _ in 0..COUNT {
        let offset = (start.wrapping_mul(7) % COUNT + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = FIRST + offset;
        let lock = File::create(locks.join(port.to_string())).expect("the lock file of a port");
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => panic!("lock {}/{port}: {error}", locks.display()),
        }
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            HELD.lock().unwrap().push(lock);
            return port;
        }
    }
    panic!("no free port from {FIRST} to {}", FIRST + COUNT - 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let mut ports: Vec<u16> = (0..50).map(|_| free_port()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 50);
    }
}
