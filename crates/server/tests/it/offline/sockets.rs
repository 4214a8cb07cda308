//! Which calls are in order.

use std::net::SocketAddr;

use chancery_testkit::{Engine, Installation, SocketCall};

/// With whom a program may have to do. Whatever else it asks of the kernel's network is beyond that.
pub(super) struct Expected<'a> {
    /// The installation whose clients it listens for.
    pub(super) listener: Option<&'a Installation>,
    /// The database that it keeps everything in, where that is a server.
    pub(super) database: Option<SocketAddr>,
}

/// The address of the tests' PostgreSQL, where that engine is used.
pub(super) fn database(engine: Engine) -> Option<SocketAddr> {
    if engine == Engine::Sqlite {
        return None;
    }
    let dsn = std::env::var("CHANCERY_TEST_POSTGRES").expect("run the tests with `make test`");
    let value = |key: &str| {
        let pair = dsn.split_whitespace().find_map(|pair| pair.strip_prefix(key));
        pair.unwrap_or_else(|| panic!("the tests' PostgreSQL has a `{key}`"))
    };
    let host = value("host=").parse().expect("an address: a name would have to be looked up");
    Some(SocketAddr::new(host, value("port=").parse().expect("a port")))
}

impl Expected<'_> {
    /// Fails the test where a call is beyond, or where an expected one is missing.
    #[track_caller]
    pub(super) fn hold(&self, calls: &[SocketCall]) {
        let beyond = self.beyond(calls);
        assert!(beyond.is_empty(), "{beyond:#?}");
        let count = |name: &str| calls.iter().filter(|call| call.name == name).count();
        // Each socket is a listener or leads to the database.
        assert_eq!(count("listen"), usize::from(self.listener.is_some()), "{calls:#?}");
        assert_eq!(count("bind"), count("listen"), "{calls:#?}");
        assert_eq!(count("socket"), count("listen") + count("connect"), "{calls:#?}");
        assert_eq!(count("connect") > 0, self.database.is_some(), "{calls:#?}");
        assert_eq!(count("accept4") > 0, self.listener.is_some(), "{calls:#?}");
    }

    /// The calls that are beyond, as strace shows them.
    pub(super) fn beyond(&self, calls: &[SocketCall]) -> Vec<String> {
        calls.iter().filter(|call| !self.is_in_order(call)).map(ToString::to_string).collect()
    }

    fn is_in_order(&self, call: &SocketCall) -> bool {
        let rest = call.rest.as_str();
        match call.name.as_str() {
            // Two ends within the process: with them tokio's signal handler wakes the runtime.
            "socketpair" => rest.starts_with("AF_UNIX, SOCK_STREAM"),
            "socket" => rest.starts_with("AF_INET, SOCK_STREAM"),
            "bind" => self.here().is_some_and(|here| rest.contains(&shown(here))),
            "connect" => self.database.is_some_and(|database| rest.contains(&shown(database))),
            "listen" | "accept4" | "setsockopt" | "getsockopt" | "getsockname" | "getpeername"
            | "recvfrom" | "sendto" | "shutdown" => {
                call.descriptor().is_some_and(|descriptor| self.is_known(descriptor, &call.name))
            }
            _ => false,
        }
    }

    /// Whether a descriptor is one of those that may be used. `9<TCP:[INODE]>` has neither end yet: it may be set up,
    /// and no data may go over it, since TCP Fast Open would open it then.
    fn is_known(&self, descriptor: &str, call: &str) -> bool {
        let Some((_, socket)) = descriptor.split_once('<') else { return false };
        if socket.starts_with("UNIX-STREAM:[") {
            return matches!(call, "sendto" | "recvfrom");
        }
        let Some(ends) = socket.strip_prefix("TCP:[").and_then(|ends| ends.strip_suffix("]>")) else {
            return false;
        };
        let (from, to) = ends.split_once("->").unwrap_or((ends, ""));
        let is = |end: &str, address: Option<SocketAddr>| address.is_some_and(|it| end == it.to_string());
        is(from, self.here())
            || is(to, self.database)
            || (ends.bytes().all(|byte| byte.is_ascii_digit()) && matches!(call, "setsockopt" | "getsockopt"))
    }

    fn here(&self) -> Option<SocketAddr> {
        self.listener.map(|installation| SocketAddr::from(([127, 0, 0, 1], installation.listening())))
    }
}

/// An address as it stands among the arguments of a call.
fn shown(address: SocketAddr) -> String {
    format!("sin_port=htons({}), sin_addr=inet_addr(\"{}\")}}", address.port(), address.ip())
}
