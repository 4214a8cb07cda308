use proptest::prelude::*;

use super::*;

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_800_000_000_000 + millis)
}

fn until(refusal: Refusal) -> Timestamp {
    match refusal {
        Refusal::Wait { until, .. } => until,
        Refusal::TooMuch { .. } => panic!("{refusal}"),
    }
}

#[test]
fn rates_are_read_and_written() {
    for (text, count, seconds, written) in [
        ("300/3h", 300, 10_800, "300/3h"),
        ("5/7d", 5, 604_800, "5/7d"),
        ("10/1m", 10, 60, "10/1m"),
        ("1/1s", 1, 1, "1/1s"),
        ("10/60s", 10, 60, "10/1m"),
        ("10/90m", 10, 5_400, "10/90m"),
        ("10/48h", 10, 172_800, "10/2d"),
        ("1000000/1s", 1_000_000, 1, "1000000/1s"),
        ("4294967295/366d", u32::MAX, 31_622_400, "4294967295/366d"),
    ] {
        let rate = rate(text);
        assert_eq!((rate.count().get(), rate.per().as_secs()), (count, seconds), "{text}");
        assert_eq!(rate.to_string(), written);
    }
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "",
        "/",
        "300",
        "300/",
        "/3h",
        "300/h",
        "300/3",
        "300/3w",
        "300/3H",
        "300 / 3h",
        " 300/3h",
        "300/3h ",
        "+300/3h",
        "-300/3h",
        "300/+3h",
        "300/-3h",
        "3.5/3h",
        "300/1.5h",
        "300/3h/2",
        "3e2/3h",
        "300/3hh",
        "4294967296/1d",
        "1/99999999999999999999d",
        "٣/3h",
    ] {
        assert_eq!(text.parse::<Rate>(), Err(RateError::Shape(text.into())), "{text}");
    }
    for text in ["0/3h", "300/0h", "0/0s", "000/1d"] {
        assert_eq!(text.parse::<Rate>(), Err(RateError::Zero(text.into())), "{text}");
    }
    for text in ["1/367d", "1/18446744073709551615d", "1/18446744073709551615s"] {
        assert_eq!(text.parse::<Rate>(), Err(RateError::Length), "{text}");
    }
    assert_eq!("1000001/1s".parse::<Rate>(), Err(RateError::TooFast));
    let one = NonZeroU32::MIN;
    for per in [Duration::ZERO, Duration::from_millis(999), Duration::from_millis(1_500), Duration::MAX] {
        assert_eq!(Rate::new(one, per), Err(RateError::Length), "{per:?}");
    }
}

#[test]
fn what_is_refused_is_named_in_few_words() {
    let error = "9".repeat(10_000).parse::<Rate>().unwrap_err().to_string();
    assert!(error.len() < 200 && error.contains("300/3h"), "{error}");
    let error = "0/1h".parse::<Rate>().unwrap_err().to_string();
    assert!(error.contains("leave the key out"), "{error}");
}

#[test]
fn a_burst_and_then_one_in_each_interval() {
    let rate = rate("5/10s");
    let mut tat = None;
    for _ in 0..5 {
        tat = Some(rate.take(tat, 1, at(0)).unwrap());
    }
    let refusal = rate.take(tat, 1, at(0)).unwrap_err();
    assert_eq!(refusal, Refusal::Wait { rate, until: at(2_000), after: Duration::from_secs(2) });
    assert!(rate.take(tat, 1, at(1_999)).is_err());
    tat = Some(rate.take(tat, 1, at(2_000)).unwrap());
    assert_eq!(until(rate.take(tat, 1, at(2_000)).unwrap_err()), at(4_000));
    assert_eq!(until(rate.take(tat, 3, at(2_000)).unwrap_err()), at(8_000));
    // After ten quiet seconds the whole burst is there again.
    assert!(rate.take(tat, 5, at(12_000)).is_ok());
}

#[test]
fn more_than_the_count_at_once_is_never_allowed() {
    let rate = rate("5/10s");
    let refusal = rate.take(None, 6, at(0)).unwrap_err();
    assert_eq!(refusal, Refusal::TooMuch { rate, cost: 6 });
    assert_eq!(refusal.to_string(), "6 at once can never be allowed: the limit is 5/10s");
    assert!(rate.take(None, 5, at(0)).is_ok());
}

#[test]
fn the_moment_is_told_rounded_up() {
    let rate = rate("2/3s");
    let tat = rate.take(None, 2, at(1)).unwrap();
    let refusal = rate.take(Some(tat), 1, at(1)).unwrap_err();
    assert_eq!(until(refusal), at(1_501));
    assert_eq!(refusal.to_string(), "the limit of 2/3s is reached until 2027-01-15T08:00:02Z");
}

fn rates() -> impl Strategy<Value = Rate> {
    (1_u32..=5_000, 1_u64..=1_000_000).prop_map(|(count, seconds)| {
        Rate::new(NonZeroU32::new(count).unwrap(), Duration::from_secs(seconds)).unwrap()
    })
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}|[0-9]{0,22}/[0-9]{0,22}[smhd]?") {
        if let Ok(rate) = text.parse::<Rate>() {
            prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate));
        }
    }

    /// Whatever was stored, the moment that is told is the first at which the request is allowed.
    #[test]
    fn the_wait_is_exact(rate in rates(), stored in 0_i64..=5_000_000_000_000, cost in 0_u32..=5_000) {
        let tat = Tat::from_unix_micros(Tat::from(at(0)).unix_micros() + stored);
        match rate.take(Some(tat), cost, at(0)) {
            Ok(next) => prop_assert!(next >= tat),
            Err(Refusal::TooMuch { .. }) => prop_assert!(cost > rate.count().get()),
            Err(Refusal::Wait { until, after, .. }) => {
                prop_assert!(until > at(0));
                prop_assert_eq!(at(0) + after, until);
                prop_assert!(rate.take(Some(tat), cost, until).is_ok());
                prop_assert!(rate.take(Some(tat), cost, until - Duration::from_millis(1)).is_err());
            }
        }
    }

    /// The bound that the module states, for every stretch that begins and ends with something taken.
    #[test]
    fn never_more_than_the_bound(
        count in 1_u32..=20,
        seconds in 1_u64..=30,
        steps in proptest::collection::vec((0_i64..=3_000, 1_u32..=4), 1..120),
    ) {
        let rate = Rate::new(NonZeroU32::new(count).unwrap(), Duration::from_secs(seconds)).unwrap();
        let (mut now, mut tat) = (0, None);
        let mut taken: Vec<(i64, u32)> = Vec::new();
        for (pause, cost) in steps {
            now += pause;
            if let Ok(next) = rate.take(tat, cost, at(now)) {
                tat = Some(next);
                taken.push((now, cost));
            }
        }
        for (index, (first, _)) in taken.iter().enumerate() {
            let mut sum = 0;
            for (last, cost) in &taken[index..] {
                sum += i64::from(*cost);
                let bound = i64::from(count) + (last - first) * MICROS_PER_MILLI / rate.interval;
                prop_assert!(sum <= bound, "{} taken in {} ms under {}", sum, last - first, rate);
                if last - first <= i64::try_from(rate.per.as_millis()).unwrap() {
                    prop_assert!(sum <= 2 * i64::from(count));
                }
            }
        }
    }

    /// A client that is patient is never held to less than the rate, but for the rounding.
    #[test]
    fn a_patient_client_gets_the_rate(rate in rates()) {
        let mut now = at(0);
        let mut tat = None;
        for _ in 0..rate.count().get() * 2 {
            tat = Some(match rate.take(tat, 1, now) {
                Ok(next) => next,
                Err(refusal) => {
                    now = until(refusal);
                    rate.take(tat, 1, now).unwrap()
                }
            });
        }
        // One microsecond of rounding for each, and one millisecond for the last.
        let slack = Duration::from_micros(u64::from(rate.count().get())) + Duration::from_millis(1);
        prop_assert!(now.since(at(0)) <= rate.per() + slack);
    }

    #[test]
    fn no_number_makes_it_panic(stored in any::<i64>(), cost in any::<u32>(), millis in any::<i64>(), count in 1_u32..) {
        let now = Timestamp::from_unix_millis(millis);
        let rate = Rate::new(NonZeroU32::new(count).unwrap(), Duration::from_hours(366 * 24)).unwrap();
        let tat = Tat::from_unix_micros(stored);
        let _ = rate.take(Some(tat), cost, now);
    }
}
