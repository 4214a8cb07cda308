//! A vendor and a customer: `chancery-portal serve` and `chancery serve` as they are built, each with a store of its
//! own, on both database engines, and the time that passes for both.

mod capture;
mod delivery;
mod endings;
mod outage;
mod proxies;
mod proxy;
mod registering;
mod relay;
mod rotation;
mod stage;
mod wire;

use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// Longer than the running server waits between two questions: 24 hours, and a tenth.
const TO_THE_NEXT_POLL: Duration = Duration::from_hours(27);
