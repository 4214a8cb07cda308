//! What a test puts into the DNS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::rdata::{A, AAAA, CAA, CNAME, NS, SOA, TXT};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

/// The data of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsRecord {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// An alias of this name.
    Cname(String),
    /// A CAA record.
    Caa {
        /// 128 for critical.
        flags: u8,
        /// Such as `issue`.
        tag: String,
        /// What stands behind it.
        value: String,
    },
    /// The strings of one TXT record, each at most 255 bytes long.
    Txt(Vec<String>),
    /// A name server of the zone.
    Ns(String),
}

/// What a [`DnsServer`](crate::DnsServer) does instead of answering well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsManner {
    /// Answers SERVFAIL.
    ServFail,
    /// Answers REFUSED.
    Refused,
    /// Answers NXDOMAIN.
    NxDomain,
    /// Says that it knows no EDNS (FORMERR) when asked with it.
    NoEdns,
    /// Refers to other servers, as one that does not ask others.
    Referral,
    /// Does not answer.
    Silent,
    /// Answers after this time.
    Slow(Duration),
    /// Says over UDP that the answer is too long, though it is not.
    Truncated,
    /// Says so over TCP as well.
    AlwaysTruncated,
    /// Answers with the identifier of the query and nothing that can be read.
    Garbage,
    /// Answers another query's identifier.
    WrongId,
    /// Answers another question.
    WrongQuestion,
    /// Spells the name of the question in lower case.
    LowerCase,
    /// The first query for a type gets the first of these answers, and so on; the last one stays.
    InTurn(Vec<Vec<DnsRecord>>),
}

/// A query that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsQuery {
    /// In lower case, without the dot at the end.
    pub name: String,
    /// Such as `TXT`.
    pub kind: String,
    /// Whether it came over TCP.
    pub tcp: bool,
    /// Whether the server was to ask others (RD).
    pub recursion: bool,
}

impl DnsQuery {
    pub(super) fn of(query: &Query, tcp: bool, recursion: bool) -> Self {
        Self { name: key(&query.name().to_ascii()), kind: query.query_type().to_string(), tcp, recursion }
    }
}

impl From<IpAddr> for DnsRecord {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => Self::A(v4),
            IpAddr::V6(v6) => Self::Aaaa(v6),
        }
    }
}

impl DnsRecord {
    /// A TXT record of as many strings as its value needs.
    pub fn txt(value: &str) -> Self {
        if value.is_empty() {
            return Self::Txt(vec![String::new()]);
        }
        let strings = value.as_bytes().chunks(255).map(|part| String::from_utf8(part.to_vec()));
        Self::Txt(strings.map(|part| part.expect("a TXT value of a test is ASCII")).collect())
    }

    pub(super) fn data(&self) -> RData {
        match self {
            Self::A(ip) => RData::A(A(*ip)),
            Self::Aaaa(ip) => RData::AAAA(AAAA(*ip)),
            Self::Cname(name) => RData::CNAME(CNAME(fqdn(name))),
            Self::Caa { flags, tag, value } => {
                let mut caa = CAA::new_issue(*flags & 128 != 0, None, vec![]);
                caa.reserved_flags = *flags & 127;
                caa.tag.clone_from(tag);
                caa.value = value.as_bytes().to_vec();
                RData::CAA(caa)
            }
            Self::Txt(strings) => RData::TXT(TXT::new(strings.clone())),
            Self::Ns(name) => RData::NS(NS(fqdn(name))),
        }
    }

    pub(super) fn kind(&self) -> RecordType {
        self.data().record_type()
    }
}

/// The data of the SOA record in every negative answer.
pub(super) fn soa() -> RData {
    RData::SOA(SOA::new(fqdn("ns.test"), fqdn("hostmaster.test"), 1, 3_600, 600, 86_400, 0))
}

pub(super) fn fqdn(name: &str) -> Name {
    let mut fqdn = Name::from_ascii(name).unwrap_or_else(|error| panic!("the DNS name `{name}`: {error}"));
    fqdn.set_fqdn(true);
    fqdn
}

/// Names that differ in case or in the last dot are one name.
pub(super) fn key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
