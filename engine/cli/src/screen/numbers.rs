//! Numbers, durations and counts as people read them.

use std::time::Duration;

/// `1234567` as `1,234,567`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `1,200 files`: the plural is the singular with `s` (`es` after `s`, `ies` for `y` after a consonant).
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { noun.to_owned() } else { plural(noun) })
}

/// The plural of a noun, or of a phrase's last word.
#[must_use]
pub fn plural(noun: &str) -> String {
    if let Some(stem) = noun.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        return format!("{stem}ies");
    }
    let ending = if noun.ends_with('s') || noun.ends_with("ch") { "es" } else { "s" };
    format!("{noun}{ending}")
}

/// `840 ms`, `9.4 s`, `2 min 05 s`, `1 h 10 min`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let seconds = (milliseconds + 500) / 1000;
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..59_950 => format!("{:.1} s", duration.as_secs_f64()),
        59_950..3_599_500 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A duration that nobody knows exactly: `1 s`, `45 s`, `1 min 50 s`, `12 min`, `1 h 10 min`.
#[must_use]
pub fn about(duration: Duration) -> String {
    let seconds = duration.as_millis().div_ceil(1000).max(1);
    let round = |to: u128| seconds.div_ceil(to) * to;
    match seconds {
        0..=55 => format!("{seconds} s"),
        56..600 => match (round(5) / 60, round(5) % 60) {
            (minutes, 0) => format!("{minutes} min"),
            (minutes, rest) => format!("{minutes} min {rest:02} s"),
        },
        600..3_541 => format!("{} min", round(60) / 60),
        _ => match (round(300) / 3600, round(300) % 3600 / 60) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes:02} min"),
        },
    }
}

/// A round limit without needless zeros: `120 s`, `2 min`, `500 ms`.
#[must_use]
pub fn limit(milliseconds: u64) -> String {
    if !milliseconds.is_multiple_of(1_000) {
        format!("{} ms", thousands(milliseconds))
    } else if milliseconds >= 300_000 && milliseconds.is_multiple_of(60_000) {
        format!("{} min", thousands(milliseconds / 60_000))
    } else {
        format!("{} s", thousands(milliseconds / 1_000))
    }
}

/// Thousandths without needless zeros: `900` as `0.9`, `400000` as `400`.
#[must_use]
pub fn decimal(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let magnitude = thousandths.unsigned_abs();
    let whole = thousands(magnitude / 1_000);
    match magnitude % 1_000 {
        0 => format!("{sign}{whole}"),
        rest => format!("{sign}{whole}.{}", format!("{rest:03}").trim_end_matches('0')),
    }
}

/// Bytes in the nearest unit: `33.1 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let as_float = bytes as f64;
    match bytes {
        0..1_000 => count(bytes, "byte"),
        1_000..1_000_000 => format!("{:.1} kB", as_float / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", as_float / 1e6),
        _ => format!("{:.1} GB", as_float / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_separators_and_units() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(2, "dependency"), "2 dependencies");
        assert_eq!(count(2, "class"), "2 classes");
        assert_eq!(count(3, "day"), "3 days");
        assert_eq!(bytes(33_100_000), "33.1 MB");
        assert_eq!(bytes(1), "1 byte");
    }

    #[test]
    fn durations_read_as_people_say_them() {
        let seconds = Duration::from_secs_f64;
        assert_eq!(duration(seconds(0.84)), "840 ms");
        assert_eq!(duration(seconds(9.41)), "9.4 s");
        assert_eq!(duration(seconds(59.96)), "1 min 00 s");
        assert_eq!(duration(seconds(125.0)), "2 min 05 s");
        assert_eq!(duration(seconds(4_200.0)), "1 h 10 min");
        assert_eq!(limit(120_000), "120 s");
        assert_eq!(limit(600_000), "10 min");
        assert_eq!(limit(1_500), "1,500 ms");
    }

    #[test]
    fn what_is_not_known_exactly_is_rounded_up() {
        let said = [0.0, 0.2, 44.1, 55.5, 107.0, 125.0, 241.0, 3_500.0, 3_541.0, 4_100.0, 9_000.0]
            .map(|seconds| about(Duration::from_secs_f64(seconds)));
        let wanted = [
            "1 s",
            "1 s",
            "45 s",
            "1 min",
            "1 min 50 s",
            "2 min 05 s",
            "4 min 05 s",
            "59 min",
            "1 h",
            "1 h 10 min",
            "2 h 30 min",
        ];
        assert_eq!(said, wanted);
    }

    #[test]
    fn thousandths_lose_their_needless_zeros() {
        assert_eq!(decimal(900), "0.9");
        assert_eq!(decimal(400_000), "400");
        assert_eq!(decimal(-1_050), "-1.05");
        assert_eq!(decimal(1_234_000), "1,234");
    }
}
