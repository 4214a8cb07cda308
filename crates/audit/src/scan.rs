//! One line of the log, read: the fixed order of its members, nothing taken apart, nothing copied.

use crate::hex::{self, HEX_LENGTH};
use crate::json::{MAX_DEPTH, Scanner};
use crate::line::{END, EVENT_ID, MAC_MEMBER, MAC_PART_LENGTH};
use crate::names::{MAX_NAME_LENGTH, is_event, is_node};

/// Length of an instant: `2026-06-14T13:23:00.125Z`.
const TS_FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";

/// The members that every line has. Those after `event` are still unread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header<'a> {
    pub(crate) ts: &'a [u8],
    pub(crate) node: &'a [u8],
    pub(crate) seq: u64,
    pub(crate) prev_mac: &'a [u8; HEX_LENGTH],
    pub(crate) event: &'a [u8],
    pub(crate) mac: &'a [u8; HEX_LENGTH],
    /// What the authenticator covers, without the brace that closes it.
    pub(crate) before_mac: &'a [u8],
    /// What stands between `event` and `mac`.
    optional: &'a [u8],
}

/// A whole line. Texts are as they stand, with quotation marks and escapes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) header: Header<'a>,
    pub(crate) account_id: Option<&'a [u8]>,
    pub(crate) source_ip: Option<&'a [u8]>,
    pub(crate) user_agent: Option<&'a [u8]>,
    pub(crate) actor: Option<&'a [u8]>,
    pub(crate) decision: Option<&'a [u8]>,
    pub(crate) reason: Option<&'a [u8]>,
    pub(crate) details: Option<&'a [u8]>,
}

/// Why a line is none of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Malformation {
    /// It is no JSON object.
    NotJson,
    /// It is JSON, but not in the one form of a line: members missing, unknown, empty, in another order
    /// or with a value of another form.
    WrongForm,
}

impl<'a> Header<'a> {
    /// Reads a line without its line feed. Enough to check the authenticator, and no more: what stands
    /// between `event` and `mac` may be anything.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let (before_mac, mac_part) = line.split_at_checked(line.len().checked_sub(MAC_PART_LENGTH)?)?;
        let mut end = Scanner::new(mac_part);
        end.literal(MAC_MEMBER)?;
        let mac = end.take(HEX_LENGTH)?.try_into().ok()?;
        end.literal(END)?;

        let mut scanner = Scanner::new(before_mac);
        scanner.literal(b"{\"ts\":\"")?;
        let ts = scanner.take(TS_FORM.len())?;
        scanner.literal(b"\",\"schema\":1,\"node\":\"")?;
        let node = scanner.until_quote(MAX_NAME_LENGTH)?;
        scanner.literal(b",\"seq\":")?;
        let seq = scanner.number()?;
        scanner.literal(b",\"prev_mac\":\"")?;
        let prev_mac = scanner.take(HEX_LENGTH)?.try_into().ok()?;
        scanner.literal(b"\",\"event\":\"")?;
        let event = scanner.until_quote(MAX_NAME_LENGTH)?;
        Some(Self { ts, node, seq, prev_mac, event, mac, before_mac, optional: scanner.rest() })
    }
}

impl<'a> Fields<'a> {
    /// Reads a line without its line feed, to the last byte.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, Malformation> {
        Self::scan(line).ok_or_else(|| malformation(line))
    }

    /// The caller's number of the event; the journal's own lines have none.
    pub(crate) fn event_id(&self) -> Option<u64> {
        let mut scanner = Scanner::new(self.details?);
        scanner.literal(b"{\"")?;
        scanner.literal(EVENT_ID.as_bytes())?;
        scanner.literal(b"\":")?;
        scanner.number()
    }

    fn scan(line: &'a [u8]) -> Option<Self> {
        str::from_utf8(line).ok()?;
        let header = Header::parse(line)?;
        let sound = is_instant(header.ts)
            && is_node(header.node)
            && is_event(header.event)
            && hex::decode(header.prev_mac).is_some()
            && hex::decode(header.mac).is_some();
        if !sound {
            return None;
        }
        let mut scanner = Scanner::new(header.optional);
        let fields = Self {
            header,
            account_id: text(&mut scanner, b",\"account_id\":")?,
            source_ip: text(&mut scanner, b",\"source_ip\":")?,
            user_agent: text(&mut scanner, b",\"user_agent\":")?,
            actor: text(&mut scanner, b",\"actor\":")?,
            decision: text(&mut scanner, b",\"decision\":")?,
            reason: text(&mut scanner, b",\"reason\":")?,
            details: details(&mut scanner)?,
        };
        let decided = fields.decision.is_none_or(|word| matches!(word, b"\"allow\"" | b"\"deny\""));
        (decided && scanner.rest().is_empty()).then_some(fields)
    }
}

/// Why a line is not what [`Fields::parse`] wants; asked once it is clear that it is not.
pub(crate) fn malformation(line: &[u8]) -> Malformation {
    match serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line) {
        Ok(_) => Malformation::WrongForm,
        Err(_) => Malformation::NotJson,
    }
}

/// An optional text: `Some(None)` when it is not there, `None` when it is wrong.
fn text<'a>(scanner: &mut Scanner<'a>, member: &[u8]) -> Option<Option<&'a [u8]>> {
    if !scanner.skip(member) {
        return Some(None);
    }
    let text = scanner.string()?;
    (text != b"\"\"").then_some(Some(text))
}

/// As [`text`].
fn details<'a>(scanner: &mut Scanner<'a>) -> Option<Option<&'a [u8]>> {
    if !scanner.skip(b",\"details\":") {
        return Some(None);
    }
    let details = scanner.object(MAX_DEPTH)?;
    (details != b"{}").then_some(Some(details))
}

fn is_instant(ts: &[u8]) -> bool {
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    ts.len() == TS_FORM.len() && ts.iter().zip(TS_FORM).all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAC: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn line(between: &str) -> String {
        format!(
            r#"{{"ts":"2026-06-14T13:23:00.125Z","schema":1,"node":"ca1","seq":7,"prev_mac":"{MAC}","event":"a.b"{between},"mac":"{MAC}"}}"#
        )
    }

    #[test]
    fn reads_what_is_there_and_what_is_not() {
        let text = line(r#","account_id":"a\n","decision":"deny","details":{"x":[1,{"y":null}]}"#);
        let fields = Fields::parse(text.as_bytes()).unwrap();
        assert_eq!(fields.header.seq, 7);
        assert_eq!(fields.header.node, b"ca1");
        assert_eq!(fields.header.event, b"a.b");
        assert_eq!(fields.account_id, Some(&br#""a\n""#[..]));
        assert_eq!(fields.actor, None);
        assert_eq!(fields.decision, Some(&br#""deny""#[..]));
        assert_eq!(fields.details, Some(&br#"{"x":[1,{"y":null}]}"#[..]));
        assert!(Fields::parse(line("").as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_read_is_json_and_nothing_panics(
            at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
        ) {
            let good = line(r#","account_id":"a","reason":"\u001b","details":{"x":[1.5e3,{"y":null}]}"#);
            let mut changed = good.into_bytes();
            let at = at.index(changed.len());
            changed[at] = byte;
            for text in [&changed[..], &changed[..cut.index(changed.len())]] {
                if Fields::parse(text).is_ok() {
                    prop_assert!(serde_json::from_slice::<serde_json::Value>(text).is_ok());
                }
            }
        }
    }

    #[test]
    fn refuses_every_other_form() {
        let good = line("");
        for (text, why) in [
            (String::new(), Malformation::NotJson),
            ("[]".to_owned(), Malformation::NotJson),
            (good.replace('}', ""), Malformation::NotJson),
            (format!("{good}\r"), Malformation::WrongForm),
            (format!(" {good}"), Malformation::WrongForm),
            (good.replace("\"seq\":7", "\"seq\":07"), Malformation::NotJson),
            (good.replace("\"schema\":1", "\"schema\":2"), Malformation::WrongForm),
            (good.replace("\"seq\":7", "\"seq\":-7"), Malformation::WrongForm),
            (good.replace("aabb", "AABB"), Malformation::WrongForm),
            (good.replace("06-14T", "06-14t"), Malformation::WrongForm),
            (good.replace("a.b", "A.b"), Malformation::WrongForm),
            (line(r#","actor":"a","account_id":"b""#), Malformation::WrongForm),
            (line(r#","actor":"""#), Malformation::WrongForm),
            (line(r#","details":{}"#), Malformation::WrongForm),
            (line(r#","details":[]"#), Malformation::WrongForm),
            (line(r#","decision":"maybe""#), Malformation::WrongForm),
            (line(r#","extra":"x""#), Malformation::WrongForm),
            (line(r#","account_id":"a","account_id":"a""#), Malformation::WrongForm),
        ] {
            assert_eq!(Fields::parse(text.as_bytes()).err(), Some(why), "{text}");
        }
    }
}
