//! Real series with labelled anomalies: the Numenta Anomaly Benchmark, by path. Nothing of it is in this repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use grace_drift::{Better, Point, Series};
use serde_json::Value;

use super::random::Random;
use super::{Change, HOURS, Trial};

/// Files that the method was tuned on. Whatever else is found is reported on.
const TUNED: [&str; 10] = [
    "realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv",
    "realAWSCloudwatch/ec2_cpu_utilization_fe7f93.csv",
    "realAWSCloudwatch/elb_request_count_8c0756.csv",
    "realAWSCloudwatch/rds_cpu_utilization_e47b3b.csv",
    "realAdExchange/exchange-3_cpc_results.csv",
    "realAdExchange/exchange-4_cpc_results.csv",
    "realKnownCause/machine_temperature_system_failure.csv",
    "realTraffic/TravelTime_387.csv",
    "realTraffic/speed_6005.csv",
    "realTweets/Twitter_volume_FB.csv",
];

/// Fake deployments of each file, each watched for a rise and for a fall.
const DRAWS: usize = 60;
/// The least history before one, in hours: eight and a half days.
const HISTORY: usize = 204;
/// The least share of hours with data that makes a file usable: with less, every verdict would be `unknown`.
const KNOWN: f64 = 0.75;

/// What the files gave.
pub(super) struct Nab {
    pub(super) trials: Vec<Trial>,
    /// The files that are used, in the order of their groups.
    pub(super) files: Vec<String>,
    /// Those that are not, and why.
    pub(super) unusable: Vec<String>,
}

/// Fake deployments in the real series below `root`: those that the method was tuned on, or all others.
pub(super) fn trials(root: &Path, tuning: bool) -> Result<Nab, String> {
    let said = |path: &Path, error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| said(path, &error));
    let entries = |path: &Path| -> Result<Vec<_>, String> {
        let mut entries: Vec<_> = fs::read_dir(path)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>())
            .map_err(|error| said(path, &error))?;
        entries.sort();
        Ok(entries)
    };
    let labels = root.join("labels").join("combined_windows.json");
    let labels: Value = serde_json::from_str(&read(&labels)?).map_err(|error| said(&labels, &error))?;
    let mut nab = Nab { trials: Vec::new(), files: Vec::new(), unusable: Vec::new() };
    for folder in entries(&root.join("data"))? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with("real") {
            continue;
        }
        for file in entries(&folder)? {
            let name = format!("{name}/{}", file.file_name().unwrap_or_default().to_string_lossy());
            if TUNED.contains(&name.as_str()) != tuning {
                continue;
            }
            let hours = hours(&read(&file)?);
            let known = hours.points.iter().filter(|point| point.value().is_some()).count();
            if (known as f64) < KNOWN * hours.points.len() as f64 {
                nab.unusable.push(format!("{name}: {known} of {} hours", hours.points.len()));
                continue;
            }
            let windows = windows(&labels[&name]);
            let free: Vec<usize> = (HISTORY..hours.points.len().saturating_sub(HOURS))
                .filter(|first| {
                    let (from, to) = (hours.at(first - HOURS), hours.at(first + HOURS));
                    !windows.iter().any(|(begin, end)| *begin < to && *end >= from)
                })
                .collect();
            if free.is_empty() {
                nab.unusable.push(format!("{name}: no free day"));
                continue;
            }
            let group = nab.files.len();
            let mut random = Random::named(&name);
            nab.files.push(name);
            let hours = Arc::new(hours);
            for _ in 0..DRAWS {
                let first = free[random.below(free.len())];
                for better in [Better::Lower, Better::Higher] {
                    let hours = Arc::clone(&hours);
                    nab.trials.push(Trial {
                        group,
                        family: 0,
                        row: group,
                        better,
                        first,
                        start: hours.start,
                        series: Box::new(move |change| changed(&hours, first, better, change)),
                    });
                }
            }
        }
    }
    Ok(nab)
}

/// The series with a change from a step on. Twice the noise is no change that could be made to what was measured.
fn changed(hours: &Series, first: usize, better: Better, change: Change) -> Vec<Point> {
    let until = (first + HOURS).min(hours.points.len());
    hours.points[..until]
        .iter()
        .enumerate()
        .map(|(hour, point)| match point.value() {
            None => Point::Missing,
            Some(value) => {
                let times = change.times(hour as i64 - first as i64);
                Point::Value { value: if better == Better::Lower { value * times } else { value / times }, samples: 1 }
            }
        })
        .collect()
}

/// The means of the hours of a file of lines `2014-04-10 00:04:00,94.0`.
fn hours(text: &str) -> Series {
    let lines = text.lines().filter_map(|line| {
        let (at, value) = line.split_once(',')?;
        Some((seconds(at)?, Point::Value { value: value.trim().parse().ok()?, samples: 1 }))
    });
    Series::of_samples(3600, lines)
}

fn windows(labels: &Value) -> Vec<(i64, i64)> {
    let pair = |window: &Value| Some((seconds(window[0].as_str()?)?, seconds(window[1].as_str()?)?));
    labels.as_array().into_iter().flatten().filter_map(pair).collect()
}

/// Seconds since 1970 of `2014-04-10 00:04:00`, whatever follows.
fn seconds(text: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let (hour, minute, second) = (part(11..13)?, part(14..16)?, part(17..19)?);
    // Days since 1970 of a civil date, after Hinnant: years begin in March, so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// How many hours of each file, for the report.
pub(super) fn per_folder(files: &[String]) -> String {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for file in files {
        *folders.entry(file.split('/').next().unwrap_or_default()).or_default() += 1;
    }
    folders.into_iter().map(|(folder, files)| format!("{folder} {files}")).collect::<Vec<_>>().join(", ")
}
