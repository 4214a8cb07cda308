use proptest::prelude::*;

use super::*;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000) + Duration::from_secs(seconds)
}

/// The example of RFC 9773 §4.1.
#[test]
fn the_identifier_of_the_rfc_is_read_and_written() {
    let text = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
    let id: CertId = text.parse().unwrap();
    assert_eq!(
        id.key_identifier(),
        [
            0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40, 0x41, 0xe1, 0xb3, 0x7b, 0x84, 0x7b, 0xa0, 0xae, 0x2c,
            0xde, 0x01, 0xc8, 0xd4
        ]
    );
    assert_eq!(id.serial(), [0x00, 0x87, 0x65, 0x43, 0x21]);
    assert_eq!(id.to_string(), text);
}

#[test]
fn identifiers_are_read_strictly() {
    let long = |bytes: usize| "A".repeat(bytes * 4 / 3);
    let cases = [
        ("", CertIdError::Shape),
        ("AAAA", CertIdError::Shape),
        ("AAAA.AQ.AQ", CertIdError::Shape),
        (&format!("AAAA.{}", "A".repeat(400)), CertIdError::Shape),
        (".AQ", CertIdError::KeyIdentifier(0)),
        (&format!("{}.AQ", long(66)), CertIdError::KeyIdentifier(66)),
        ("AAAA.", CertIdError::Serial),
        // Zero, a leading zero that is not needed, a negative number, and 21 octets.
        ("AAAA.AA", CertIdError::Serial),
        ("AAAA.AAE", CertIdError::Serial),
        ("AAAA.gA", CertIdError::Serial),
        ("AAAA.AQAAAAAAAAAAAAAAAAAAAAAAAAAA", CertIdError::Serial),
        // Padding, the other alphabet, and bits left over.
        ("AAAA.AQ==", CertIdError::Base64("second part")),
        ("AA==.AQ", CertIdError::Base64("first part")),
        ("A+AA.AQ", CertIdError::Base64("first part")),
        ("AB.AQ", CertIdError::Base64("first part")),
        ("AAAA.AR", CertIdError::Base64("second part")),
        (" AAAA.AQ", CertIdError::Base64("first part")),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<CertId>(), Err(error), "{text}");
    }
    for serial in ["AQ", "fw", "AIA"] {
        assert!(format!("AAAA.{serial}").parse::<CertId>().is_ok(), "{serial}");
    }
}

#[test]
fn windows_begin_after_two_thirds_and_leave_the_last_sixth() {
    let cases = [
        // lifetime, start, length
        (90 * DAY, 60 * DAY, 48 * HOUR),
        (365 * DAY, 365 * DAY / 3 * 2, 48 * HOUR),
        (12 * DAY, 8 * DAY, 48 * HOUR),
        (6 * DAY, 4 * DAY, DAY),
        (DAY, 16 * HOUR, 4 * HOUR),
        (HOUR, 40 * 60, 10 * 60),
        (6, 4, 1),
    ];
    for (lifetime, start, length) in cases {
        let window = suggested_window(at(0), at(lifetime), None, at(0));
        assert_eq!(window, Window { start: at(start), end: at(start + length) }, "{lifetime}");
    }
}

#[test]
fn a_revoked_certificate_is_to_be_renewed_at_once() {
    let now = at(10 * DAY);
    for (revoked_at, end) in [(at(5 * DAY), at(5 * DAY)), (now, now), (at(20 * DAY), now)] {
        let window = suggested_window(at(0), at(90 * DAY), Some(revoked_at), now);
        assert_eq!(window, Window { start: end - Duration::from_hours(1), end });
    }
}

#[test]
fn clients_ask_more_often_where_lives_are_short() {
    for (lifetime, seconds) in [
        (90 * DAY, 6 * HOUR),
        (6 * DAY, 6 * HOUR),
        (36 * HOUR, 90 * 60),
        (DAY, HOUR),
        (HOUR, 150),
        (60, 60),
        (0, 60),
    ] {
        assert_eq!(retry_after(at(0), at(lifetime)), Duration::from_secs(seconds), "{lifetime}");
    }
}

#[test]
fn windows_are_written_as_the_rfc_has_them() {
    let window = suggested_window(at(0), at(DAY), None, at(0));
    assert_eq!(
        serde_json::to_string(&window).unwrap(),
        r#"{"start":"2027-01-16T00:00:00Z","end":"2027-01-16T04:00:00Z"}"#
    );
}

proptest! {
    #[test]
    fn identifiers_read_back(
        key_identifier in proptest::collection::vec(any::<u8>(), 1..=64),
        serial in proptest::collection::vec(any::<u8>(), 1..=20),
    ) {
        if let Ok(id) = CertId::new(&key_identifier, &serial) {
            prop_assert_eq!(id.to_string().parse::<CertId>(), Ok(id));
        }
    }

    #[test]
    fn each_certificate_has_one_text(text in "[A-Za-z0-9_=-]{0,90}\\.[A-Za-z0-9_=-]{0,30}") {
        if let Ok(id) = text.parse::<CertId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,100}") {
        let _ = text.parse::<CertId>();
    }

    /// RFC 9773 §4.2: the end is after the start, also as written, in whole seconds.
    #[test]
    fn windows_are_valid(
        not_before in 0_i64..=253_402_200_000_000,
        lifetime in 0_u64..=40_000_000_000_000,
        revoked_at in proptest::option::of(any::<i64>()),
        now in 0_i64..=253_402_200_000_000,
    ) {
        let not_before = Timestamp::from_unix_millis(not_before);
        let not_after = (not_before + Duration::from_millis(lifetime)).min(Timestamp::MAX - Duration::from_hours(1));
        let now = Timestamp::from_unix_millis(now);
        let window =
            suggested_window(not_before, not_after, revoked_at.map(Timestamp::from_unix_millis), now);
        prop_assert!(window.start < window.end);
        prop_assert_eq!(window.start, window.start.whole_seconds());
        prop_assert_eq!(window.end, window.end.whole_seconds());
        if revoked_at.is_some() {
            prop_assert!(window.end <= now.max(Timestamp::MIN + WINDOW_OF_A_REVOKED_CERTIFICATE));
        } else if lifetime >= 10_000 {
            prop_assert!(window.end <= not_after);
        }
    }

    #[test]
    fn at_least_four_answers_fall_into_a_window(lifetime in HOUR..=(3650 * DAY)) {
        let window = suggested_window(at(0), at(lifetime), None, at(0));
        prop_assert!(retry_after(at(0), at(lifetime)) * 4 <= window.end.since(window.start) + Duration::from_secs(4));
    }
}
