//! What `cargo xtask bench drift --points` measures: `make FILE POINTS SECONDS`, `plain FILE`, `pass FILE POINTS SECONDS`.
//!
//! 200 series with a point every so many seconds, whose last day is watched by 50 rules each.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark talks to the terminal and takes the time"
)]

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use duckdb::Connection;
use grace_drift::{Better, Judge, Point, Rule, Series, State, Watch};
use grace_store::{SeriesHours, hours_by_series};
use rayon::prelude::*;

const SERIES: i64 = 200;
const RULES: usize = 50;
const START: i64 = 1_700_000_000 / 3600 * 3600;
/// What a judgement looks at: four weeks and a day.
const LOOKS: i64 = 29 * 86_400;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["make", file, points, seconds] => make(file, points.parse()?, seconds.parse()?),
        ["plain", file] => plain(file),
        ["pass", file, points, seconds] => pass(file, points.parse::<i64>()? / SERIES * seconds.parse::<i64>()?),
        _ => Err("make FILE POINTS SECONDS, plain FILE or pass FILE POINTS SECONDS".into()),
    }
}

fn quoted(file: &str) -> String {
    file.replace('\'', "''")
}

/// Points of all series in the order of time, as a collector writes them.
fn make(file: &str, points: i64, seconds: i64) -> Result<(), Box<dyn Error>> {
    let connection = Connection::open_in_memory()?;
    let file = quoted(file);
    connection.execute_batch(&format!(
        "SET threads = 2; SET preserve_insertion_order = true;
         COPY (SELECT make_timestamp(({START} + (i // {SERIES}) * {seconds}) * 1000000) AS ts,
                      'service_' || (i % {SERIES}) AS series,
                      100 + (hash(i) % 4000) / 100.0 AS value
               FROM range({points}) t(i))
         TO '{file}' (FORMAT parquet, COMPRESSION snappy)"
    ))?;
    Ok(())
}

fn plain(file: &str) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let connection = Connection::open_in_memory()?;
    connection.execute_batch("SET threads = 2")?;
    let sql = format!("SELECT series, avg(value), stddev(value) FROM read_parquet('{}') GROUP BY series", quoted(file));
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| row.get::<_, f64>(1))?.count();
    println!("{:.3} {rows}", started.elapsed().as_secs_f64());
    Ok(())
}

fn pass(file: &str, span: i64) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let now = (START + span) / 3600 * 3600;
    let asked = SeriesHours {
        files: vec![PathBuf::from(file)],
        time: "ts".to_owned(),
        series: "series".to_owned(),
        value: "value".to_owned(),
        step: 3600,
        from: now - LOOKS,
        to: now,
    };
    let found = hours_by_series(&asked)?;
    let read = started.elapsed().as_secs_f64();
    let verdicts: Vec<State> = found
        .par_iter()
        .flat_map_iter(|(_, hours)| {
            let samples = hours.iter().map(|hour| (hour.at, Point::Value { value: hour.value, samples: hour.count }));
            let series = Series::of_samples(3600, samples);
            let deployed_at = now - 24 * 3600;
            let mut judge = Judge::default();
            let watch = Watch { series: &series, control: None, deployed_at, now, left_out: &[] };
            let rules = (0..RULES).map(|number| Rule {
                threshold: 0.1 + number as f64 / 100.0,
                ..Rule::new(if number % 2 == 0 { Better::Lower } else { Better::Higher })
            });
            rules.map(|rule| judge.judge(&rule, &watch).state).collect::<Vec<_>>()
        })
        .collect();
    let ok = verdicts.iter().filter(|state| **state == State::Ok).count();
    println!("{:.3} {read:.3} {} {ok}", started.elapsed().as_secs_f64(), verdicts.len());
    Ok(())
}
