//! One line of the log, written (`docs/formats/audit-log.md`, "Lines").

use chancery_time::Timestamp;
use serde_json::{Map, Value};

use crate::bulk::Bulk;
use crate::crypto::{Mac, Secret};
use crate::event::Event;
use crate::hex;
use crate::json::{append, write_members, write_string};
use crate::names::Node;

/// The most bytes of a line, its line feed included.
pub const MAX_LINE_LENGTH: usize = 64 * 1_024;
/// The version of the format that stands in each line.
pub(crate) const SCHEMA: u64 = 1;
/// What stands before the authenticator.
pub(crate) const MAC_MEMBER: &[u8] = b",\"mac\":\"";
/// What closes a line.
pub(crate) const END: &[u8] = b"\"}";
/// What closes a line for its authenticator, which is not in it yet.
const BRACE: &[u8] = b"}";
/// From the comma before `mac` to the last brace.
pub(crate) const MAC_PART_LENGTH: usize = MAC_MEMBER.len() + hex::HEX_LENGTH + END.len();
/// The member of `details` that holds [`Event::id`].
pub(crate) const EVENT_ID: &str = "event_id";

/// The label of the first `prev_mac`, which names what the HMAC is for.
const GENESIS_LABEL: &[u8] = b"chancery-audit/v1/genesis:";

// The bounds of the texts. Even if every byte of theirs had to be escaped (six bytes for one), a line
// of them alone would be shorter than the limit.
const MAX_ACCOUNT_ID: usize = 256;
const MAX_USER_AGENT: usize = 2 * 1_024;
const MAX_ACTOR: usize = 1_024;
const MAX_REASON: usize = 4 * 1_024;

/// Where a line stands in its chain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) node: &'a Node,
    pub(crate) seq: u64,
    pub(crate) prev_mac: &'a Mac,
}

/// `prev_mac` of the first line of a node.
pub(crate) fn genesis(secret: &Secret, installation_key: &str, node: &Node) -> Mac {
    secret.mac(&[GENESIS_LABEL, installation_key.as_bytes(), &[0x00], node.as_str().as_bytes()])
}

/// Appends the line of a caller's event, with its line feed.
pub(crate) fn write_event(out: &mut Vec<u8>, secret: &Secret, place: Place<'_>, event: &Event) -> Mac {
    let line_from = out.len();
    write_head(out, place, event.at, event.name.as_str());
    write_text(out, "account_id", event.account_id.as_deref(), MAX_ACCOUNT_ID);
    if let Some(address) = event.source_ip {
        append(out, format_args!(",\"source_ip\":\"{address}\""));
    }
    write_text(out, "user_agent", event.user_agent.as_deref(), MAX_USER_AGENT);
    write_text(out, "actor", event.actor.as_deref(), MAX_ACTOR);
    if let Some(decision) = event.decision {
        append(out, format_args!(",\"decision\":\"{}\"", decision.as_str()));
    }
    write_text(out, "reason", event.reason.as_deref(), MAX_REASON);
    write_details(out, line_from, event);
    seal(out, line_from, secret)
}

/// Appends a line of the journal's own, with its line feed.
pub(crate) fn write_own(
    out: &mut Vec<u8>,
    secret: &Secret,
    place: Place<'_>,
    at: Timestamp,
    name: &str,
    details: &[(&str, &str)],
) -> Mac {
    let line_from = out.len();
    write_head(out, place, at, name);
    out.extend_from_slice(b",\"details\":{");
    for (number, (name, value)) in details.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
        write_string(out, value);
    }
    out.push(b'}');
    seal(out, line_from, secret)
}

/// The HMAC of a line whose bytes before `,"mac":` those are.
pub(crate) fn mac_of(secret: &Secret, before_mac: &[u8]) -> Mac {
    secret.mac(&[before_mac, BRACE])
}

/// Makes what [`mac_of`] makes, of many lines.
pub(crate) fn macs_of(secret: &Secret) -> Bulk {
    Bulk::hmac(secret, BRACE)
}

/// RFC 3339 in UTC with milliseconds: `2026-06-14T13:23:00.125Z`.
pub(crate) fn with_millis(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate(text.len().saturating_sub(1));
    text.push_str(&format!(".{:03}Z", at.unix_millis().rem_euclid(1_000)));
    text
}

fn write_head(out: &mut Vec<u8>, place: Place<'_>, at: Timestamp, event: &str) {
    append(
        out,
        format_args!("{{\"ts\":\"{}\",\"schema\":{SCHEMA},\"node\":\"{}\"", with_millis(at), place.node),
    );
    append(out, format_args!(",\"seq\":{},\"prev_mac\":\"", place.seq));
    out.extend_from_slice(&hex::encode(place.prev_mac));
    append(out, format_args!("\",\"event\":\"{event}\""));
}

/// Empty texts are left out, long ones are cut and say so.
fn write_text(out: &mut Vec<u8>, name: &str, text: Option<&str>, limit: usize) {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return };
    append(out, format_args!(",\"{name}\":"));
    if text.len() <= limit {
        return write_string(out, text);
    }
    let kept = text.get(..text.floor_char_boundary(limit)).unwrap_or_default();
    write_string(out, &format!("{kept}… (cut: {} bytes)", text.len()));
}

fn write_details(out: &mut Vec<u8>, line_from: usize, event: &Event) {
    append(out, format_args!(",\"details\":{{\"{EVENT_ID}\":{}", event.id));
    let details_from = out.len();
    let mut members = event.details.iter().filter(|(name, _)| *name != EVENT_ID).peekable();
    if members.peek().is_some() {
        out.push(b',');
        let written = write_members(out, members, 1);
        let length = out.len() - line_from + "}".len() + MAC_PART_LENGTH + "\n".len();
        if written.is_err() || length > MAX_LINE_LENGTH {
            out.truncate(details_from);
            let bytes = length_of(&event.details);
            append(out, format_args!(",\"omitted_bytes\":{bytes}"));
        }
    }
    out.push(b'}');
}

/// How long details are as JSON, to tell what was left out.
fn length_of(details: &Map<String, Value>) -> usize {
    serde_json::to_vec(details).map_or(0, |json| json.len())
}

/// Closes the line that begins at `line_from`.
fn seal(out: &mut Vec<u8>, line_from: usize, secret: &Secret) -> Mac {
    let mac = mac_of(secret, out.get(line_from..).unwrap_or_default());
    out.extend_from_slice(MAC_MEMBER);
    out.extend_from_slice(&hex::encode(&mac));
    out.extend_from_slice(END);
    out.push(b'\n');
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Decision;
    use crate::names::EventName;

    fn line_of(event: &Event) -> String {
        let (secret, node) = (Secret::new(&[1; 32]), Node::new("ca1").unwrap());
        let mut out = Vec::new();
        write_event(&mut out, &secret, Place { node: &node, seq: 7, prev_mac: &[0xab; 32] }, event);
        String::from_utf8(out).unwrap()
    }

    fn event() -> Event {
        Event::new(17, Timestamp::from_unix_millis(1_781_443_380_125), EventName::new("order.new").unwrap())
    }

    #[test]
    fn fields_stand_in_their_order() {
        let mut full = event();
        full.account_id = Some("acct-1".into());
        full.source_ip = Some("2001:db8::1".parse().unwrap());
        full.user_agent = Some("certbot\n\u{1b}[31m".into());
        full.actor = Some(String::new());
        full.decision = Some(Decision::Deny);
        full.reason = Some("no seat".into());
        full.details.insert("names".into(), serde_json::json!(["a.example"]));
        full.details.insert("event_id".into(), serde_json::json!(1));
        let line = line_of(&full);
        let (before, mac) = line.split_once(",\"mac\":").unwrap();
        assert_eq!(
            before,
            format!(
                r#"{{"ts":"2026-06-14T13:23:00.125Z","schema":1,"node":"ca1","seq":7,"prev_mac":"{}","event":"order.new","account_id":"acct-1","source_ip":"2001:db8::1","user_agent":"certbot\n\u001b[31m","decision":"deny","reason":"no seat","details":{{"event_id":17,"names":["a.example"]}}"#,
                "ab".repeat(32)
            )
        );
        let expected = hex::to_string(&Secret::new(&[1; 32]).mac(&[format!("{before}}}").as_bytes()]));
        assert_eq!(mac, format!("\"{expected}\"}}\n"));
    }

    #[test]
    fn details_that_are_too_long_or_too_deep_leave_a_marker() {
        let mut long = event();
        long.details.insert("text".into(), "x".repeat(MAX_LINE_LENGTH).into());
        assert!(line_of(&long).contains(r#""details":{"event_id":17,"omitted_bytes":65547},"mac""#));

        let mut deep = event();
        let nested = (0..40).fold(Value::Null, |inner, _| serde_json::json!([inner]));
        deep.details.insert("deep".into(), nested);
        assert!(line_of(&deep).contains(r#""details":{"event_id":17,"omitted_bytes":93},"mac""#));
    }

    #[test]
    fn the_longest_texts_fit_into_a_line() {
        let mut long = event();
        long.id = u64::MAX;
        for text in [&mut long.account_id, &mut long.user_agent, &mut long.actor, &mut long.reason] {
            *text = Some("\u{1}".repeat(100_000));
        }
        let line = line_of(&long);
        assert!(line.len() <= MAX_LINE_LENGTH, "{}", line.len());
        assert!(line.contains("… (cut: 100000 bytes)\""));
    }

    #[test]
    fn details_fill_a_line_to_the_last_byte() {
        let mut event = event();
        let bare = line_of(&event).len();
        let room = MAX_LINE_LENGTH - bare - r#","t":"""#.len();
        event.details.insert("t".into(), "x".repeat(room).into());
        assert_eq!(line_of(&event).len(), MAX_LINE_LENGTH);
        event.details.insert("t".into(), "x".repeat(room + 1).into());
        assert!(line_of(&event).contains("omitted_bytes"));
    }
}
