//! From a query to an answer.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, Record, RecordType};

use super::record::{DnsManner, DnsQuery, DnsRecord, fqdn, key, soa};

/// How many aliases one answer holds.
const MAX_ALIASES: usize = 12;
/// What UDP carries without EDNS (RFC 1035 §4.2.1).
const UDP_BYTES: usize = 512;

/// What the server knows and has seen.
#[derive(Debug)]
pub(super) struct State {
    pub(super) book: Mutex<Book>,
    pub(super) hooks: PathBuf,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) records: HashMap<String, Vec<DnsRecord>>,
    pub(super) manners: HashMap<String, DnsManner>,
    pub(super) queries: Vec<DnsQuery>,
    pub(super) authenticated: bool,
}

/// An answer, and how long it takes; nothing for silence.
pub(super) type Reply = Option<(Vec<u8>, Duration)>;

impl State {
    pub(super) fn reply(&self, bytes: &[u8], tcp: bool) -> Reply {
        let request = Message::from_vec(bytes).ok()?;
        let question = request.queries.first()?.clone();
        let mut book = self.book.lock().unwrap();
        let asked = DnsQuery::of(&question, tcp, request.recursion_desired);
        let nth = book.queries.iter().filter(|one| one.name == asked.name && one.kind == asked.kind).count();
        book.queries.push(asked.clone());
        let manner = book.manners.get(&asked.name).or_else(|| book.manners.get("*")).cloned();

        let mut answer = Message::response(request.id, request.op_code);
        answer.add_query(question.clone());
        answer.metadata.recursion_desired = request.recursion_desired;
        answer.metadata.recursion_available = true;
        answer.metadata.authoritative = true;
        answer.metadata.authentic_data = book.authenticated;
        let mut delay = Duration::ZERO;
        let code = |mut answer: Message, code| {
            answer.metadata.response_code = code;
            Some(answer)
        };
        let told = match manner {
            Some(DnsManner::Silent) => None,
            Some(DnsManner::ServFail) => code(answer, ResponseCode::ServFail),
            Some(DnsManner::Refused) => code(answer, ResponseCode::Refused),
            Some(DnsManner::NxDomain) => code(answer, ResponseCode::NXDomain),
            Some(DnsManner::NoEdns) if request.edns.is_some() => code(answer, ResponseCode::FormErr),
            Some(DnsManner::Referral) => {
                answer.metadata.recursion_available = false;
                answer.metadata.authoritative = false;
                let ns = DnsRecord::Ns("ns.elsewhere.test".to_owned()).data();
                answer.add_authority(Record::from_rdata(question.name().base_name(), 60, ns));
                Some(answer)
            }
            Some(DnsManner::Garbage) => {
                return Some(([&request.id.to_be_bytes()[..], &[0xff; 7]].concat(), delay));
            }
            Some(DnsManner::AlwaysTruncated) => Some(truncated(answer)),
            Some(DnsManner::Truncated) if !tcp => Some(truncated(answer)),
            Some(DnsManner::InTurn(answers)) => {
                let turn = nth.min(answers.len().saturating_sub(1));
                let records = answers.get(turn).cloned().unwrap_or_default();
                self.fill(&mut answer, &book, &question, Some(&records));
                Some(answer)
            }
            other => {
                self.fill(&mut answer, &book, &question, None);
                match other {
                    Some(DnsManner::Slow(time)) => delay = time,
                    Some(DnsManner::WrongId) => answer.metadata.id = request.id.wrapping_add(1),
                    Some(DnsManner::WrongQuestion) => {
                        answer.queries = vec![Query::query(fqdn("other.test"), question.query_type())];
                    }
                    Some(DnsManner::LowerCase) => {
                        answer.queries =
                            vec![Query::query(question.name().to_lowercase(), question.query_type())];
                    }
                    _ => {}
                }
                Some(answer)
            }
        }?;
        let limit = request.edns.as_ref().map_or(UDP_BYTES, |edns| edns.max_payload().into());
        let bytes = told.to_vec().expect("an answer that can be written");
        if tcp || bytes.len() <= limit {
            return Some((bytes, delay));
        }
        Some((truncated(told).to_vec().expect("an answer that can be written"), delay))
    }

    /// Puts the records in, and those at the end of an alias when asked to recurse.
    fn fill(&self, answer: &mut Message, book: &Book, question: &Query, first: Option<&[DnsRecord]>) {
        let mut name = question.name().clone();
        let mut known = first.map(<[DnsRecord]>::to_vec).or_else(|| self.known(book, &name));
        for _ in 0..MAX_ALIASES {
            let Some(records) = &known else {
                answer.metadata.response_code = ResponseCode::NXDomain;
                break;
            };
            let asked = |record: &&DnsRecord| record.kind() == question.query_type();
            let found: Vec<&DnsRecord> = records.iter().filter(asked).collect();
            for record in &found {
                answer.add_answer(Record::from_rdata(name.clone(), 60, record.data()));
            }
            let alias = records.iter().find_map(|record| match record {
                DnsRecord::Cname(target) if found.is_empty() => Some(target),
                _ => None,
            });
            let Some(target) = alias else {
                if found.is_empty() {
                    answer.add_authority(Record::from_rdata(Name::root(), 60, soa()));
                }
                break;
            };
            let alias = DnsRecord::Cname(target.clone()).data();
            answer.add_answer(Record::from_rdata(name.clone(), 60, alias));
            name = fqdn(target);
            if !answer.recursion_desired || question.query_type() == RecordType::CNAME {
                break;
            }
            known = self.known(book, &name);
        }
    }

    /// The records of a name; none at all when there is no such name.
    fn known(&self, book: &Book, name: &Name) -> Option<Vec<DnsRecord>> {
        let name = key(&name.to_ascii());
        let own = book.records.get(&name).or_else(|| book.records.get("*"));
        let hooked = self.hooked(&name);
        let below = || book.records.keys().any(|other| other.ends_with(&format!(".{name}")));
        if own.is_none() && hooked.is_none() && !below() {
            return None;
        }
        Some(own.cloned().unwrap_or_default().into_iter().chain(hooked.unwrap_or_default()).collect())
    }

    /// What a client's hook wrote for this name.
    fn hooked(&self, name: &str) -> Option<Vec<DnsRecord>> {
        if name.is_empty() || name.contains('/') {
            return None;
        }
        let text = std::fs::read_to_string(self.hooks.join(name)).ok()?;
        Some(text.lines().filter(|line| !line.is_empty()).map(DnsRecord::txt).collect())
    }
}

fn truncated(mut answer: Message) -> Message {
    answer.metadata.truncation = true;
    answer.answers.clear();
    answer.authorities.clear();
    answer
}
