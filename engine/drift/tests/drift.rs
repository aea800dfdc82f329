//! What the judge says of series that a source really delivers: quiet, broken, sparse, hostile.

use grace_drift::{
    Better, Judge, MAX_POINTS, Method, Missing, Point, Rule, Series, State, Steadiness, Unknown, Verdict, Watch,
    backtest, decimal, guarded, judge, moved, steadiness,
};
use proptest::prelude::*;

const HOUR: i64 = 3600;
const DAYS: usize = 21;
const BEFORE: usize = DAYS * 24;

/// Noise of a tenth or so, from a formula: the same in every run.
fn noise(hour: usize) -> f64 {
    let mixed = (hour as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed >> 40) as f64 / (1_u64 << 24) as f64 - 0.5) * 0.3
}

fn daily(hour: usize) -> f64 {
    1.0 + 0.5 * (std::f64::consts::TAU * hour as f64 / 24.0).sin()
}

fn value(value: f64) -> Point {
    Point::Value { value, samples: 1 }
}

/// 21 days and one, with a value for each hour.
fn series(of: impl Fn(usize) -> Point) -> Series {
    Series { start: 0, step: 3600, points: (0..BEFORE + 24).map(of).collect() }
}

/// The verdict after so many hours of a deployment on day 21.
fn after(rule: &Rule, series: &Series, hours: usize) -> Verdict {
    let deployed_at = (BEFORE as i64) * HOUR;
    let now = deployed_at + hours as i64 * HOUR;
    judge(rule, &Watch { series, control: None, deployed_at, now, left_out: &[] })
}

fn states(rule: &Rule, series: &Series) -> Vec<State> {
    (1..=24).map(|hours| after(rule, series, hours).state).collect()
}

fn lower() -> Rule {
    Rule::new(Better::Lower)
}

#[test]
fn the_case_of_the_seed_is_drift_at_hour_4_and_not_before() {
    let success = |hour: usize| {
        let rate = if hour < BEFORE { 0.95 } else { 0.75 } + 0.05 * noise(hour);
        Point::Ratio { numerator: (200.0 * rate).round(), denominator: 200.0 }
    };
    let rule = Rule::new(Better::Higher);
    let states = states(&rule, &series(success));
    assert!(states[..3].iter().all(|state| *state <= State::Suspect), "{states:?}");
    assert!(states[3] >= State::Drift, "{states:?}");

    // The same as bare percentages.
    let percent = |hour: usize| value(100.0 * success(hour).value().unwrap());
    assert!(after(&rule, &series(percent), 4).state >= State::Drift);
}

#[test]
fn a_quiet_day_is_ok_in_every_hour() {
    let quiet = series(|hour| value(100.0 * daily(hour) * (1.0 + noise(hour))));
    for rule in [lower(), Rule::new(Better::Higher)] {
        assert_eq!(states(&rule, &quiet), [State::Ok; 24]);
    }
}

#[test]
fn getting_better_is_no_drift() {
    let better = series(|hour| value(if hour < BEFORE { 100.0 } else { 30.0 } * (1.0 + noise(hour))));
    assert_eq!(states(&lower(), &better), [State::Ok; 24]);
    assert!(after(&Rule::new(Better::Higher), &better, 6).state >= State::Drift);
}

#[test]
fn a_spike_of_three_hours_that_heals_stays_suspect() {
    for height in [1.5, 3.0, 30.0] {
        let spike = series(|hour| {
            let times = if (BEFORE..BEFORE + 3).contains(&hour) { height } else { 1.0 };
            value(100.0 * times * (1.0 + noise(hour)))
        });
        let states = states(&lower(), &spike);
        assert!(states.contains(&State::Suspect), "{states:?}");
        assert!(states.iter().all(|state| *state <= State::Suspect), "x{height}: {states:?}");
        assert_eq!(states[23], State::Ok);
    }
}

#[test]
fn drift_ends_when_the_latest_hour_is_well_again() {
    let healed = series(|hour| {
        value(100.0 * (1.0 + noise(hour)) * if (BEFORE..BEFORE + 8).contains(&hour) { 2.0 } else { 1.0 })
    });
    let states = states(&lower(), &healed);
    assert!(states[7] >= State::Drift && states[8] == State::Suspect, "{states:?}");
}

#[test]
fn a_measure_that_was_always_zero_can_get_worse() {
    let zero = |hour: usize| if hour < BEFORE { 0.0 } else { 3.0 };
    assert!(after(&lower(), &series(|hour| value(zero(hour))), 5).state >= State::Drift);
    // Unless it is below what the rule says matters.
    let rule = Rule { floor: 5.0, ..lower() };
    assert_eq!(after(&rule, &series(|hour| value(zero(hour))), 5).state, State::Ok);
    let still_zero = series(|_| value(0.0));
    assert_eq!(states(&lower(), &still_zero), [State::Ok; 24]);
}

#[test]
fn a_constant_measure_is_ok_until_it_moves_by_the_threshold() {
    let moved_to = |level: f64| series(move |hour| value(if hour < BEFORE { 50.0 } else { level }));
    assert_eq!(after(&lower(), &moved_to(50.0), 24).state, State::Ok);
    assert_eq!(after(&lower(), &moved_to(59.0), 24).state, State::Ok);
    assert!(after(&lower(), &moved_to(61.0), 4).state >= State::Drift);
}

#[test]
fn negative_values_get_worse_in_their_own_direction() {
    let level = |hour: usize, then: f64| value(if hour < BEFORE { -10.0 } else { then } * (1.0 + noise(hour)));
    assert!(after(&Rule::new(Better::Higher), &series(|hour| level(hour, -20.0)), 6).state >= State::Drift);
    assert!(after(&lower(), &series(|hour| level(hour, -20.0)), 6).state == State::Ok);
}

#[test]
fn gaps_are_unknown_and_never_ok() {
    let holes = |share: usize, of: usize, from: usize| {
        series(
            move |hour| {
                if hour >= from && hour % of < share { Point::Missing } else { value(100.0 * (1.0 + noise(hour))) }
            },
        )
    };
    // A third of the watch is missing.
    let verdict = after(&lower(), &holes(4, 12, BEFORE), 24);
    assert_eq!((verdict.state, verdict.reason), (State::Unknown, Some(Unknown::Gaps)));
    // 30 % of the past are missing: enough is left to judge by.
    let full = holes(3, 10, 0);
    let past = Series {
        points: (0..full.points.len())
            .map(|hour| if hour < BEFORE { full.points[hour] } else { value(100.0) })
            .collect(),
        ..full
    };
    assert_eq!(after(&lower(), &past, 24).state, State::Ok);
    // The latest hour is missing: it is not known to be well.
    let mut last = series(|hour| value(100.0 * (1.0 + noise(hour))));
    last.points[BEFORE + 9] = Point::Missing;
    assert_eq!(after(&lower(), &last, 10).reason, Some(Unknown::Gaps));
    // All is missing, or the source has not been asked.
    assert_eq!(after(&lower(), &series(|_| Point::Missing), 24).state, State::Unknown);
    last.points.truncate(BEFORE);
    assert_eq!(after(&lower(), &last, 10).reason, Some(Unknown::TooEarly));
}

#[test]
fn missing_is_zero_where_the_rule_says_so() {
    let errors = series(|hour| if hour < BEFORE { Point::Missing } else { value(5.0) });
    assert_eq!(after(&lower(), &errors, 6).state, State::Unknown);
    let rule = Rule { missing: Missing::Zero, ..lower() };
    assert!(after(&rule, &errors, 6).state >= State::Drift);
}

#[test]
fn a_short_history_is_unknown() {
    let full = series(|hour| value(100.0 * (1.0 + noise(hour)) * if hour < BEFORE { 1.0 } else { 3.0 }));
    let of_days = |days: usize| {
        let cut = BEFORE - days * 24;
        Series { start: cut as i64 * HOUR, step: 3600, points: full.points[cut..].to_vec() }
    };
    for days in 0..4 {
        let verdict = after(&lower(), &of_days(days), 12);
        assert_eq!((verdict.state, verdict.reason), (State::Unknown, Some(Unknown::ShortHistory)), "{days} days");
    }
    assert!(after(&lower(), &of_days(6), 12).state >= State::Drift);
    // Of fewer than a hundred fake deployments a direction alone has no limit that one of a hundred exceeds; both have one.
    assert_eq!(after(&lower(), &of_days(10), 24).state, State::Confirmed);
}

#[test]
fn fewer_samples_than_asked_for_are_unknown() {
    let few = series(|hour| Point::Ratio { numerator: f64::from(u8::from(hour % 12 == 0)), denominator: 2.0 });
    assert_eq!(after(&lower(), &few, 14).reason, Some(Unknown::FewSamples));
    assert_ne!(after(&lower(), &few, 15).reason, Some(Unknown::FewSamples));
}

#[test]
fn an_outage_in_the_past_changes_no_verdict() {
    for of in [0.0, 1e6] {
        let mut outage = series(|hour| value(100.0 * (1.0 + noise(hour)) * if hour < BEFORE { 1.0 } else { 1.6 }));
        outage.points[BEFORE - 72] = value(of);
        outage.points[BEFORE - 200] = value(of);
        assert!(after(&lower(), &outage, 8).state >= State::Drift, "{of}");
        let mut quiet = series(|hour| value(100.0 * (1.0 + noise(hour))));
        quiet.points[BEFORE - 72] = value(of);
        assert_eq!(states(&lower(), &quiet), [State::Ok; 24]);
    }
}

#[test]
fn a_counter_that_was_reset_is_no_drift() {
    let mut reset = series(|hour| value(100.0 * (1.0 + noise(hour))));
    reset.points[BEFORE + 5] = value(-1e12);
    for rule in [lower(), Rule::new(Better::Higher)] {
        assert!(states(&rule, &reset).iter().all(|state| *state <= State::Suspect));
    }
}

#[test]
fn the_day_the_clocks_change_is_no_drift() {
    // What hangs on the local clock comes an hour earlier from the change on.
    for shift in [1, 23] {
        let local = series(move |hour| {
            let clock = if hour < BEFORE { hour } else { hour + shift };
            value(100.0 * daily(clock) * (1.0 + 0.2 * noise(hour)))
        });
        for rule in [lower(), Rule::new(Better::Higher)] {
            assert!(states(&rule, &local).iter().all(|state| *state <= State::Suspect), "{:?}", states(&rule, &local));
        }
    }
}

#[test]
fn of_two_deployments_three_hours_apart_the_second_is_not_measured_by_the_first() {
    let worse = series(|hour| value(100.0 * (1.0 + noise(hour)) * if hour < BEFORE { 1.0 } else { 1.6 }));
    let (first, second) = (BEFORE as i64 * HOUR, (BEFORE as i64 + 3) * HOUR);
    let left_out = [(first, second)];
    let watch =
        Watch { series: &worse, control: None, deployed_at: second, now: second + 6 * HOUR, left_out: &left_out };
    assert!(judge(&lower(), &watch).state >= State::Drift);
}

#[test]
fn what_the_control_shares_is_no_drift_and_what_it_does_not_share_is() {
    // Both double at the deployment: the traffic of a holiday.
    let shared = |hour: usize| 100.0 * (1.0 + noise(hour)) * if hour < BEFORE { 1.0 } else { 2.0 };
    let control = series(|hour| value(3.0 * shared(hour)));
    let judged = |series: &Series, control| {
        let deployed_at = BEFORE as i64 * HOUR;
        judge(&lower(), &Watch { series, control, deployed_at, now: deployed_at + 8 * HOUR, left_out: &[] }).state
    };
    let with_it = series(|hour| value(shared(hour) * (1.0 + noise(hour + 7_000))));
    assert!(judged(&with_it, None) >= State::Drift);
    assert_eq!(judged(&with_it, Some(&control)), State::Ok);
    let beyond = series(|hour| value(shared(hour) * if hour < BEFORE { 1.0 } else { 1.5 }));
    assert!(judged(&beyond, Some(&control)) >= State::Drift);
}

#[test]
fn a_deployment_within_an_hour_is_judged_from_the_next_one() {
    let worse = series(|hour| value(100.0 * (1.0 + noise(hour)) * if hour < BEFORE { 1.0 } else { 2.0 }));
    let deployed_at = BEFORE as i64 * HOUR + 900;
    let watch = Watch { series: &worse, control: None, deployed_at, now: deployed_at + 6 * HOUR, left_out: &[] };
    let verdict = judge(&lower(), &watch);
    assert_eq!(verdict.evidence.hours.first().unwrap().at, (BEFORE as i64 + 1) * HOUR);
    // What ended by `now`, and no more.
    assert_eq!(verdict.evidence.hours.len(), 5);
    assert!(verdict.state >= State::Drift);
}

#[test]
fn numbers_that_mean_nothing_are_refused() {
    let quiet = series(|hour| value(100.0 * (1.0 + noise(hour))));
    for broken in [
        Rule { threshold: f64::NAN, ..lower() },
        Rule { threshold: -1.0, ..lower() },
        Rule { threshold: f64::INFINITY, ..lower() },
        Rule { floor: -1.0, ..lower() },
        Rule { floor: f64::NAN, ..lower() },
        Rule { budget: 2.0, ..lower() },
        Rule { watch: 0, ..lower() },
        Rule { watch: u32::MAX, ..lower() },
    ] {
        assert_eq!(after(&broken, &quiet, 24).reason, Some(Unknown::Unusable), "{broken:?}");
    }
    let fast = Series { step: 1, ..quiet.clone() };
    assert_eq!(after(&lower(), &fast, 24).reason, Some(Unknown::Unusable));
    assert_eq!(after(&lower(), &Series { step: 0, ..quiet }, 24).reason, Some(Unknown::Unusable));
}

#[test]
fn the_baselines_of_the_benchmark_do_what_they_are_named_for() {
    let of = |method| Rule { method, ..lower() };
    let noisy = series(|hour| value(100.0 * (1.0 + 4.0 * noise(hour))));
    assert_eq!(after(&of(Method::Seed), &noisy, 24).state, State::Drift, "the bare rule fires on noise");
    assert_eq!(after(&lower(), &noisy, 24).state, State::Ok);
    let doubled = series(|hour| value(100.0 * (1.0 + noise(hour)) * if hour < BEFORE { 1.0 } else { 2.0 }));
    for method in [Method::ThreeSigma, Method::Kayenta] {
        assert_eq!(after(&of(method), &doubled, 6).state, State::Drift, "{method}");
        assert_eq!(after(&Rule { better: Better::Higher, ..of(method) }, &doubled, 6).state, State::Ok, "{method}");
    }
    // Measured against its own first hour, a measure that doubled has not moved.
    let flat = series(|hour| value(if hour < BEFORE { 1.0 } else { 2.0 }));
    assert_eq!(after(&of(Method::Seed), &flat, 24).state, State::Ok);
    for method in Method::ALL {
        assert_eq!(method.name().parse(), Ok(method));
    }
}

#[test]
fn a_verdict_carries_what_it_came_from_as_strings() {
    let worse = series(|hour| value(100.0 * (1.0 + noise(hour)) * if hour < BEFORE { 1.0 } else { 1.6 }));
    let verdict = after(&lower(), &worse, 6);
    assert_eq!(verdict.evidence.method, "calibrated/3");
    assert_eq!(verdict.evidence.history, (BEFORE, BEFORE));
    assert!(verdict.evidence.placebos > 100);
    let hour = verdict.evidence.hours[0];
    assert!(hour.limit.unwrap() > hour.expected.unwrap() && hour.value.unwrap() > hour.limit.unwrap());
    let json = serde_json::to_value(&verdict).unwrap();
    assert_eq!(json["state"], "confirmed");
    let mut values = vec![&json];
    while let Some(value) = values.pop() {
        assert!(!value.is_f64(), "{json}");
        values.extend(value.as_array().into_iter().flatten());
        values.extend(value.as_object().into_iter().flat_map(|object| object.values()));
    }
}

#[test]
fn decimals_are_short_and_read_back() {
    for (number, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (0.95, "0.95"),
        (0.1 + 0.2, "0.3"),
        (12_000.0, "12000"),
        (1.5e-7, "1.5e-7"),
        (f64::NAN, "none"),
        (f64::NEG_INFINITY, "none"),
        (f64::MAX, "1.79769313e308"),
    ] {
        assert_eq!(decimal(number), text);
    }
}

#[test]
fn samples_are_joined_by_step_in_any_order() {
    let of = |samples: &[(i64, Point)]| Series::of_samples(3600, samples.iter().copied());
    let one = of(&[(7_300, value(4.0)), (10, value(1.0)), (3_599, value(3.0)), (20, value(f64::NAN))]);
    assert_eq!(one.start, 0);
    assert_eq!(one.points, [Point::Value { value: 2.0, samples: 2 }, Point::Missing, value(4.0)]);
    let ratio = |numerator, denominator| Point::Ratio { numerator, denominator };
    assert_eq!(of(&[(0, ratio(1.0, 2.0)), (9, ratio(2.0, 8.0))]).points, [ratio(3.0, 10.0)]);
    // Far apart in time: the latest are kept, and memory is bounded.
    let far = of(&[(i64::MIN, value(1.0)), (0, value(2.0)), (i64::MAX, value(3.0))]);
    assert!(far.points.len() <= MAX_POINTS && *far.points.last().unwrap() == value(3.0));
    assert!(of(&[]).points.is_empty());
}

#[test]
fn a_backtest_knows_a_rule_that_cries_wolf_from_one_that_does_not() {
    let noisy = series(|hour| value(100.0 * (1.0 + 2.0 * noise(hour))));
    let seed = backtest(&Rule { method: Method::Seed, ..lower() }, &noisy, &[]);
    assert!(seed.false_alarms().unwrap() > 0.5, "{seed:?}");
    let calibrated = backtest(&lower(), &noisy, &[]);
    assert!(calibrated.watches > 60 && calibrated.drift == 0, "{calibrated:?}");
    assert!(calibrated.smallest.is_some_and(|times| times <= 1.5), "{calibrated:?}");
    assert!(calibrated.found.windows(2).all(|pair| pair[0].share <= pair[1].share), "{calibrated:?}");
    let (low, high) = calibrated.bounds();
    assert!(low == 0.0 && (0.01..0.06).contains(&high), "{high}");
    // Without a past nothing was tried.
    let short = Series { points: noisy.points[..30].to_vec(), ..noisy };
    assert_eq!(backtest(&lower(), &short, &[]).drift, 0);
}

#[test]
fn an_alarm_that_is_followed_by_a_gap_is_a_false_alarm_all_the_same() {
    // The last made-up deployment gets worse in its seventh hour, and its last one is not known.
    let points = series(|hour| match hour {
        _ if hour < BEFORE + 18 => value(100.0 * (1.0 + 0.1 * noise(hour))),
        _ if hour < BEFORE + 23 => value(300.0),
        _ => Point::Missing,
    });
    let test = backtest(&Rule { method: Method::Seed, watch: 12, ..lower() }, &points, &[]);
    assert_eq!(test.drift, 1, "{test:?}");
}

#[test]
fn the_methods_to_compare_act_only_on_what_is_worse_known_and_four_hours_old() {
    let said = |method, better, series: &Series, hours: usize| {
        let deployed_at = (BEFORE as i64) * HOUR;
        let now = deployed_at + hours as i64 * HOUR;
        guarded(
            &Rule { method, ..Rule::new(better) },
            &Watch { series, control: None, deployed_at, now, left_out: &[] },
        )
    };
    // Its first hour is as before, so that the bare rule sees the others move.
    let tripled = series(|hour| value(100.0 * (1.0 + noise(hour)) * if hour <= BEFORE { 1.0 } else { 3.0 }));
    for method in [Method::Seed, Method::ThreeSigma, Method::Kayenta] {
        let of = |hours| said(method, Better::Lower, &tripled, hours).state;
        assert!((1..4).all(|hours| of(hours) <= State::Suspect), "{method}");
        assert_eq!(of(6), State::Drift, "{method}");
        assert_eq!(said(method, Better::Higher, &tripled, 6).state, State::Ok, "{method}: it got better");
        let mut silent = tripled.clone();
        silent.points[BEFORE + 5] = Point::Missing;
        let verdict = said(method, Better::Lower, &silent, 6);
        assert_eq!((verdict.state, verdict.reason), (State::Unknown, Some(Unknown::Gaps)), "{method}");
    }
}

#[test]
fn what_the_source_did_not_answer_is_unknown_even_where_missing_is_zero() {
    let errors = series(|hour| if hour < BEFORE { value(5.0 * (1.0 + noise(hour))) } else { Point::Missing });
    let rule = Rule { missing: Missing::Zero, ..lower() };
    let deployed_at = (BEFORE as i64) * HOUR;
    let of = |left_out: &[(i64, i64)]| {
        judge(&rule, &Watch { series: &errors, control: None, deployed_at, now: deployed_at + 6 * HOUR, left_out })
            .state
    };
    assert_eq!(of(&[]), State::Ok, "it answered that there were none");
    assert_eq!(of(&[(deployed_at, deployed_at + 6 * HOUR)]), State::Unknown);
}

/// So many of ten thousand, from a rate that falls steeply over the day.
fn steep(hour: usize) -> Point {
    let rate = 0.02 * 1.35_f64.powi(-((hour % 24) as i32 - 12));
    Point::Ratio { numerator: (10_000.0 * rate * (1.0 + 0.02 * noise(hour))).round(), denominator: 10_000.0 }
}

#[test]
fn counts_are_weighed_by_their_own_hour_when_the_deployment_falls_within_one() {
    let points = series(steep);
    let at = |deployed_at: i64| {
        let watch = Watch { series: &points, control: None, deployed_at, now: deployed_at + 20 * HOUR, left_out: &[] };
        judge(&lower(), &watch).evidence.times.unwrap()
    };
    // A quarter past, each hour is still that of the day: nothing happened, and nothing is seen.
    for deployed_at in [BEFORE as i64 * HOUR, BEFORE as i64 * HOUR + 900] {
        assert!((0.97..1.03).contains(&at(deployed_at)), "{}", at(deployed_at));
    }
}

#[test]
fn counts_learn_nothing_from_spans_that_are_left_out() {
    let of = |hour: usize, times: f64| Point::Ratio {
        numerator: (200.0 * times * (1.0 + 0.1 * noise(hour))).round(),
        denominator: 10_000.0,
    };
    // An incident in the last three days before; the deployment is as the time before that was, twice as bad at the end.
    let points = series(|hour| of(hour, if (BEFORE - 72..BEFORE).contains(&hour) { 4.0 } else { 1.0 }));
    let deployed_at = BEFORE as i64 * HOUR;
    let left_out = [(deployed_at - 72 * HOUR, deployed_at)];
    let watch =
        Watch { series: &points, control: None, deployed_at, now: deployed_at + 12 * HOUR, left_out: &left_out };
    let times = judge(&lower(), &watch).evidence.times.unwrap();
    assert!((0.9..1.1).contains(&times), "{times}");
}

#[test]
fn a_level_that_moved_between_runs_is_found_where_it_moved() {
    let runs = |of: fn(usize) -> f64| (0..200).map(|run| of(run) * (1.0 + noise(run))).collect::<Vec<f64>>();
    assert_eq!(moved(&runs(|_| 60.0), Better::Lower, 0.1), []);
    let slower = moved(&runs(|run| if run < 120 { 60.0 } else { 75.0 }), Better::Lower, 0.1);
    assert_eq!(slower.len(), 1, "{slower:?}");
    assert!(slower[0].worse && slower[0].at.abs_diff(120) <= 2, "{slower:?}");
    let there_and_back = moved(&runs(|run| if (60..120).contains(&run) { 90.0 } else { 60.0 }), Better::Lower, 0.1);
    assert_eq!(there_and_back.iter().map(|moved| moved.worse).collect::<Vec<_>>(), [true, false]);
    // One slow run is no change, nor is a small one.
    let mut one = runs(|_| 60.0);
    one[100] = 6000.0;
    assert_eq!(moved(&one, Better::Lower, 0.1), []);
    assert_eq!(moved(&runs(|run| if run < 100 { 60.0 } else { 62.0 }), Better::Lower, 0.1), []);
    assert_eq!(moved(&[f64::NAN; 100], Better::Lower, 0.1), []);
}

#[test]
fn a_flaky_test_is_told_from_a_broken_one() {
    for (passed, is) in [
        (&[][..], Steadiness::Unknown),
        (&[false][..], Steadiness::Unknown),
        (&[true][..], Steadiness::Passing),
        (&[false, false][..], Steadiness::Broken),
        (&[false, true][..], Steadiness::Flaky),
        (&[true, true, false][..], Steadiness::Flaky),
    ] {
        assert_eq!(steadiness(passed), is, "{passed:?}");
    }
}

/// Any point that a source might deliver.
fn point() -> impl Strategy<Value = Point> {
    let number = prop_oneof![
        4 => 0.0..1000.0_f64,
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::MIN), Just(f64::MAX), Just(5e-324), Just(-0.0), Just(-7.0)],
    ];
    prop_oneof![
        1 => Just(Point::Missing),
        4 => (number.clone(), any::<u64>()).prop_map(|(value, samples)| Point::Value { value, samples }),
        2 => (number.clone(), number).prop_map(|(numerator, denominator)| Point::Ratio { numerator, denominator }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_input_panics_and_equal_inputs_give_equal_verdicts(
        points in proptest::collection::vec(point(), 0..400),
        start in any::<i64>(),
        deployed in any::<i64>(),
        near in 0..500_i64,
        step in prop_oneof![Just(3600_u32), Just(300), Just(86_400), any::<u32>()],
        floor in prop_oneof![Just(0.0), 0.0..1e9_f64],
        higher in any::<bool>(),
        zero in any::<bool>(),
        watch in 1..60_u32,
    ) {
        let series = Series { start: start / 4, step, points };
        let deployed_at = if near > 400 { deployed } else { series.start.saturating_add(near * i64::from(step)) };
        let better = if higher { Better::Higher } else { Better::Lower };
        let missing = if zero { Missing::Zero } else { Missing::Unknown };
        for method in Method::ALL {
            let rule = Rule { method, floor, missing, watch, ..Rule::new(better) };
            let watch = Watch { series: &series, control: Some(&series), deployed_at, now: i64::MAX, left_out: &[(0, 7_200)] };
            let text = serde_json::to_string(&judge(&rule, &watch)).unwrap();
            prop_assert_eq!(&text, &serde_json::to_string(&judge(&rule, &watch)).unwrap());
            let alone = Watch { control: None, ..watch };
            prop_assert!(judge(&rule, &alone).evidence.hours.len() <= 60);
        }
    }

    #[test]
    fn one_judge_says_hour_by_hour_what_a_new_one_says(level in 0.5..3.0_f64, hours in 1..24_usize) {
        let series = series(|hour| value(100.0 * (1.0 + noise(hour)) * if hour < BEFORE { 1.0 } else { level }));
        let deployed_at = BEFORE as i64 * HOUR;
        let mut kept = Judge::default();
        for hour in 1..=hours {
            let now = deployed_at + hour as i64 * HOUR;
            let watch = Watch { series: &series, control: None, deployed_at, now, left_out: &[] };
            prop_assert_eq!(kept.judge(&lower(), &watch), judge(&lower(), &watch));
        }
    }

    #[test]
    fn drift_needs_four_hours_a_worse_latest_hour_and_the_right_direction(
        times in 0.2..5.0_f64, from in 0..6_usize, until in 3..24_usize, seed in 0..1_000_usize,
    ) {
        let series = series(|hour| {
            let changed = hour >= BEFORE + from && hour < BEFORE + until;
            value(100.0 * (1.0 + noise(hour + 10_000 * seed)) * if changed { times } else { 1.0 })
        });
        for hours in 1..=24 {
            let verdict = after(&lower(), &series, hours);
            if verdict.state >= State::Drift {
                let latest = verdict.evidence.hours.last().unwrap();
                prop_assert!(hours >= 4 && latest.value > latest.limit && times > 1.0);
            }
        }
    }
}
