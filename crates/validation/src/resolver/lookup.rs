//! From a name and a type to records: which servers are asked, and what their answers mean.

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::Inner;
use super::exchange::Question;
use super::trouble::Trouble;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The configured servers.
    Recursive,
    /// The name servers of the zone.
    Authoritative,
}

/// How many aliases may stand between a name and its records. Resolvers follow between 8 and 16.
const MAX_ALIASES: usize = 10;
/// How many records of one name and type are looked at.
const MAX_RECORDS: usize = 256;
/// How many servers are asked for one name.
const MAX_SERVERS: usize = 6;

impl Inner {
    /// The records of this type that `name` has, itself or by its aliases; none when the DNS says so.
    pub(super) async fn find(&self, name: &Name, kind: RecordType, way: Way) -> Result<Vec<RData>, Trouble> {
        let mut aliases = Aliases::new(name);
        loop {
            let at = aliases.last.clone();
            let (answer, follow): (_, &dyn Fn(&Name) -> bool) = match way {
                Way::Recursive => {
                    let servers = self.servers.of(&at);
                    let answer = self.ask(servers, &at, kind, way).await?;
                    (answer, &|next| std::ptr::eq(self.servers.of(next), servers))
                }
                Way::Authoritative => {
                    let servers = Box::pin(self.zone_servers(&at)).await?;
                    // What a server says of other zones than its own is hearsay.
                    (self.ask(&servers, &at, kind, way).await?, &|_| false)
                }
            };
            if let Some(found) = aliases.walk(&answer, kind, follow)? {
                return Ok(found);
            }
        }
    }

    /// Asks one server after the other, and those that are silent again, until one gives an answer.
    async fn ask(
        &self,
        servers: &[SocketAddr],
        name: &Name,
        kind: RecordType,
        way: Way,
    ) -> Result<Message, Trouble> {
        let question = Question {
            query: Query::query(name.clone(), kind),
            recursion: way == Way::Recursive,
            dnssec: self.dnssec,
        };
        let mut trouble = None;
        let mut servers: Vec<SocketAddr> = servers.iter().take(MAX_SERVERS).copied().collect();
        for _ in 0..self.attempts {
            let mut again = vec![];
            for server in servers {
                let answer = question.ask(server, self.protocol, self.timeout).await;
                match answer.and_then(|answer| self.judged(answer, way)) {
                    Ok(answer) => return Ok(answer),
                    Err(failed) => {
                        tracing::debug!(%server, %name, %kind, trouble = %failed, "a DNS server did not answer");
                        if failed.is_worth_another_try() {
                            again.push(server);
                        }
                        trouble = Some(Trouble::telling(trouble, failed));
                    }
                }
            }
            servers = again;
        }
        Err(trouble.unwrap_or(Trouble::NoServer))
    }

    /// The answer, if it says anything of the name.
    fn judged(&self, answer: Message, way: Way) -> Result<Message, Trouble> {
        match answer.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => {}
            code => return Err(Trouble::Code(code)),
        }
        // Without AA or RA an empty answer is a referral (RFC 1034 §4.3.1), which says nothing of the
        // name. Taken for "no such record" it would open a way around CAA.
        let lame = match way {
            Way::Authoritative => !answer.authoritative,
            Way::Recursive => {
                answer.answers.is_empty() && !answer.authoritative && !answer.recursion_available
            }
        };
        if lame {
            return Err(Trouble::Lame);
        }
        if self.dnssec && !answer.authentic_data {
            return Err(Trouble::Unauthenticated);
        }
        Ok(answer)
    }

    /// The addresses of the name servers of the zone that `name` is in, those that may be dialled.
    async fn zone_servers(&self, name: &Name) -> Result<Vec<SocketAddr>, Trouble> {
        let mut zone = name.clone();
        let hosts = loop {
            let answer = self.ask(self.servers.of(&zone), &zone, RecordType::NS, Way::Recursive).await?;
            // An alias has no NS records of its own; those of its target are of another zone.
            let hosts = owned(&answer, &zone, RecordType::NS)?;
            if !hosts.is_empty() {
                break hosts;
            }
            if zone.is_root() {
                return Err(Trouble::NoZoneServers(format!("no name server of a zone above `{name}`")));
            }
            zone = zone.base_name();
        };
        let mut servers = vec![];
        let mut trouble = None;
        for host in
            hosts.iter().filter_map(|host| if let RData::NS(host) = host { Some(&host.0) } else { None })
        {
            match self.host_addresses(host).await {
                Ok(addresses) => servers.extend(addresses),
                Err(failed) => trouble = Some(Trouble::telling(trouble, failed)),
            }
            if servers.len() >= MAX_SERVERS {
                break;
            }
        }
        if servers.is_empty() {
            let none = || Trouble::NoZoneServers(format!("no name server of the zone `{zone}`"));
            return Err(trouble.unwrap_or_else(none));
        }
        self.in_bounds(&servers)
    }

    async fn host_addresses(&self, host: &Name) -> Result<Vec<SocketAddr>, Trouble> {
        let mut addresses = vec![];
        for kind in [RecordType::A, RecordType::AAAA] {
            addresses.extend(self.find(host, kind, Way::Recursive).await?.iter().filter_map(RData::ip_addr));
        }
        Ok(addresses.into_iter().map(|ip: IpAddr| SocketAddr::new(ip, self.authoritative_port)).collect())
    }

    fn in_bounds(&self, servers: &[SocketAddr]) -> Result<Vec<SocketAddr>, Trouble> {
        let mut refusal = None;
        let mut allowed = vec![];
        for server in servers {
            match self.egress.check(*server) {
                Ok(()) => allowed.push(*server),
                Err(refused) => refusal = Some(refused),
            }
        }
        match refusal {
            Some(refusal) if allowed.is_empty() => Err(Trouble::Egress(refusal)),
            _ => Ok(allowed),
        }
    }
}

/// The way from a name along its CNAME records, which a DNAME record brings about as well (RFC 6672).
struct Aliases {
    seen: Vec<Name>,
    last: Name,
}

impl Aliases {
    fn new(name: &Name) -> Self {
        Self { seen: vec![], last: name.clone() }
    }

    /// The records at the end of the way through this answer; `None` when somebody has to be asked for
    /// the name that it leads to. The way goes on to those names that `follow` agrees to.
    fn walk(
        &mut self,
        answer: &Message,
        kind: RecordType,
        follow: &dyn Fn(&Name) -> bool,
    ) -> Result<Option<Vec<RData>>, Trouble> {
        let mut moved = false;
        loop {
            let found = owned(answer, &self.last, kind)?;
            if !found.is_empty() {
                return Ok(Some(found));
            }
            let Some(RData::CNAME(target)) = owned(answer, &self.last, RecordType::CNAME)?.pop() else {
                // NXDOMAIN is of the last name (RFC 6604 §3), a SOA record says that it has no such
                // records (RFC 2308 §2.2).
                let said = answer.response_code == ResponseCode::NXDomain
                    || answer.authorities.iter().any(|record| {
                        record.record_type() == RecordType::SOA && record.name.zone_of(&self.last)
                    });
                return Ok((!moved || said).then(Vec::new));
            };
            self.step(target.0)?;
            if !follow(&self.last) {
                return Ok(None);
            }
            moved = true;
        }
    }

    fn step(&mut self, to: Name) -> Result<(), Trouble> {
        let from = std::mem::replace(&mut self.last, to);
        self.seen.push(from);
        if self.seen.contains(&self.last) {
            return Err(Trouble::Aliases("in a circle"));
        }
        if self.seen.len() > MAX_ALIASES {
            return Err(Trouble::Aliases("too far"));
        }
        Ok(())
    }
}

/// The records of the answer section that belong to this very name.
fn owned(answer: &Message, name: &Name, kind: RecordType) -> Result<Vec<RData>, Trouble> {
    let found: Vec<RData> = answer
        .answers
        .iter()
        .filter(|record| record.name == *name && record.record_type() == kind)
        .take(MAX_RECORDS + 1)
        .map(|record| record.data.clone())
        .collect();
    if found.len() > MAX_RECORDS { Err(Trouble::TooMany(MAX_RECORDS)) } else { Ok(found) }
}
