//! Dates: time enters as `as of`, and becomes a calendar date only here.

use grace_dsl::ast::Date;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The date of a moment (seconds since 1970, UTC) in a named zone; `None` for a zone that does not exist.
pub(crate) fn date_in(seconds: i64, zone: &str) -> Option<Date> {
    let zone = TimeZone::get(zone).ok()?;
    let date = Timestamp::from_second(seconds).ok()?.to_zoned(zone).date();
    Some(Date { year: date.year(), month: date.month(), day: date.day() })
}

/// The moment as ISO 8601, UTC.
pub(crate) fn iso(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| "unknown".to_owned(), |moment| moment.to_string())
}

/// The first moment of a date in a zone, in seconds since 1970; with `end` the first moment after it.
pub(crate) fn boundary(date: Date, zone: &str, end: bool) -> Option<i64> {
    let zone = TimeZone::get(zone).ok()?;
    let mut day = jiff::civil::Date::new(date.year, date.month, date.day).ok()?;
    if end {
        day = day.tomorrow().ok()?;
    }
    Some(day.to_zoned(zone).ok()?.timestamp().as_second())
}
