//! What the ledger knows of deployments: what is watched, what was judged, who was told.

use std::collections::{BTreeMap, BTreeSet};

use grace_drift::{Better, Missing, Point, Rule, Series, State, Unknown, Verdict, Watch, guarded};
use grace_dsl::ast::{Drift, ItemKind, Kpi, NoData, Operational};
use grace_ledger::{Error, Snapshot};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::accepted::ACCEPTED;
use super::points;
use super::said::{BaselineSaid, CheckSaid, DeliverySaid, DeploymentSaid, MessageSaid, RaiseSaid, WatchSaid};

/// What is known.
#[derive(Debug, Default)]
pub struct Past {
    /// Deployments by their number in the ledger.
    pub deployments: BTreeMap<u64, Deployment>,
    /// Raised tiers.
    pub raises: Vec<RaiseSaid>,
    /// Messages by name, with when they were recorded.
    pub messages: BTreeMap<String, (MessageSaid, String)>,
    /// Messages that were delivered or given up.
    pub settled: BTreeSet<String>,
    /// Stories that something was added to: of a follow-up, somebody has seen to it.
    pub amended: BTreeSet<u64>,
}

/// A deployment and its watches.
#[derive(Debug)]
pub struct Deployment {
    /// Its number in the ledger.
    pub number: u64,
    /// What was deployed.
    pub said: DeploymentSaid,
    /// Its rules, in the order of their names.
    pub rules: Vec<Watched>,
    /// The follow-up stories: rule and number in the ledger.
    pub stories: BTreeMap<String, u64>,
    /// Its incidents: rule, hour, in words.
    pub incidents: Vec<(String, u32, String)>,
    /// Rollbacks: rule, word, in words.
    pub rollbacks: Vec<(String, String, String)>,
}

impl Deployment {
    /// Whether it went wrong: some rule found drift in it, or it was rolled back.
    #[must_use]
    pub fn went_wrong(&self) -> bool {
        self.drifted() || self.rollbacks.iter().any(|(_, word, _)| word == ACCEPTED)
    }

    /// Whether some rule found drift in it, at any hour.
    #[must_use]
    pub fn drifted(&self) -> bool {
        self.rules.iter().flat_map(|rule| rule.checks.values()).any(|check| state(&check.state) >= State::Drift)
    }
}

/// One rule's watch.
#[derive(Debug)]
pub struct Watched {
    /// As it was recorded.
    pub said: WatchSaid,
    /// The rule; `None` where its text says nothing that can be watched.
    pub drift: Option<Drift>,
    /// Why it watches, in its words.
    pub because: String,
    /// Its KPI's name.
    pub kpi_name: String,
    /// Its KPI.
    pub kpi: Option<Kpi>,
    /// Its control, with its name.
    pub control: Option<(String, Kpi)>,
    /// When the first watched hour begins.
    pub first: i64,
    /// What it is held against.
    pub baseline: Option<BaselineSaid>,
    /// Judged hours, from 1.
    pub checks: BTreeMap<u32, CheckSaid>,
}

fn operational(text: &str) -> Option<(String, Operational)> {
    grace_dsl::parse(text).items.into_iter().find_map(|item| match item.kind {
        ItemKind::Operational(operational) => Some((item.name, operational)),
        _ => None,
    })
}

pub(super) fn kpi_of(text: &str) -> Option<(String, Kpi)> {
    let (name, item) = operational(text)?;
    Some((name, Kpi::of(&item)?))
}

impl Watched {
    /// The watch of a deployment at this time.
    #[must_use]
    pub fn of(said: WatchSaid, deployed: i64) -> Self {
        let item = operational(&said.text).map(|(_, item)| item);
        let drift = item.as_ref().and_then(Drift::of);
        let because = item.and_then(|item| item.because).map(|text| text.value).unwrap_or_default();
        let kpi = kpi_of(&said.kpi);
        let control = said.control.as_deref().and_then(kpi_of);
        let step = i64::from(drift.as_ref().map_or(3600, |drift| drift.every_s).max(1));
        let first = deployed.div_euclid(step) * step;
        let first = if first < deployed { first + step } else { first };
        let kpi_name = kpi.as_ref().map_or_else(String::new, |(name, _)| name.clone());
        let kpi = kpi.map(|(_, kpi)| kpi);
        Self { said, drift, because, kpi_name, kpi, control, first, baseline: None, checks: BTreeMap::new() }
    }

    /// How long a step is, in seconds.
    #[must_use]
    pub fn step(&self) -> i64 {
        i64::from(self.drift.as_ref().map_or(3600, |drift| drift.every_s).max(1))
    }

    /// How many hours are watched.
    #[must_use]
    pub fn hours(&self) -> u32 {
        self.drift.as_ref().map_or(0, |drift| drift.steps)
    }

    /// When an hour ends.
    #[must_use]
    pub fn end_of(&self, hour: u32) -> i64 {
        self.first.saturating_add(self.step().saturating_mul(hour.into()))
    }

    /// When an hour is judged: what it holds may still change for a while after its end.
    #[must_use]
    pub fn due_at(&self, hour: u32) -> i64 {
        let of_control = self.control.as_ref().map_or(0, |(_, kpi)| kpi.settle_s);
        let settles = self.kpi.as_ref().map_or(0, |kpi| kpi.settle_s).max(of_control);
        self.end_of(hour).saturating_add(settles.into())
    }

    /// Hours that have ended and settled at `now` and were not judged.
    #[must_use]
    pub fn due(&self, now: i64) -> Vec<u32> {
        (1..=self.hours()).filter(|hour| self.due_at(*hour) <= now && !self.checks.contains_key(hour)).collect()
    }

    /// The last verdict, and the worst.
    #[must_use]
    pub fn latest(&self) -> Option<&CheckSaid> {
        self.checks.last_key_value().map(|(_, check)| check)
    }

    /// The worst state so far before an hour.
    #[must_use]
    pub fn worst_before(&self, hour: u32) -> State {
        self.checks.range(..hour).map(|(_, check)| state(&check.state)).max().unwrap_or(State::Unknown)
    }

    /// Whether no data is as bad as drift.
    #[must_use]
    pub fn missing_is_bad(&self) -> bool {
        self.missing() == NoData::Bad
    }

    /// What no data means.
    #[must_use]
    pub fn missing(&self) -> NoData {
        let of_kpi = self.kpi.as_ref().map_or(NoData::Unknown, |kpi| kpi.missing);
        self.drift.as_ref().and_then(|drift| drift.missing).unwrap_or(of_kpi)
    }

    /// What counts as worse, as the method takes it.
    #[must_use]
    pub fn rule(&self, is_counted: bool) -> Option<Rule> {
        let (drift, kpi) = (self.drift.as_ref()?, self.kpi.as_ref()?);
        let better = if kpi.higher_is_better { Better::Higher } else { Better::Lower };
        let mut rule = Rule::new(better);
        if let Some(method) = &drift.method {
            rule.method = method.parse().ok()?;
        }
        rule.threshold = drift.worse_by as f64 / 100_000.0;
        // A share is counted from 0 to 1, and written in percent.
        let scale = if is_counted && kpi.unit == "percent" { 100.0 } else { 1.0 };
        rule.floor = drift.floor as f64 / 1000.0 / scale;
        rule.watch = drift.steps;
        rule.missing = if self.missing() == NoData::Zero { Missing::Zero } else { Missing::Unknown };
        // Means without a number of samples are one each; only what is counted can be too few by default.
        rule.min_samples = drift.samples.unwrap_or(if is_counted { rule.min_samples } else { 1 });
        Some(rule)
    }

    /// The measure up to an hour, and the control's, from what is recorded alone.
    fn series(&self, upto: u32) -> Option<(Series, Option<Series>)> {
        let baseline = self.baseline.as_ref()?;
        let mut series = baseline.series.series();
        let mut control = baseline.control.as_ref().map(super::points::SeriesSaid::series);
        for hour in 1..=upto {
            let check = self.checks.get(&hour);
            let point = |text: Option<&String>| text.and_then(|text| points::read(text)).unwrap_or(Point::Missing);
            series.points.push(point(check.map(|check| &check.point)));
            if let Some(control) = &mut control {
                control.points.push(point(check.and_then(|check| check.control.as_ref())));
            }
        }
        Some((series, control))
    }

    /// The verdict on an hour whose points are recorded, as it was or is to be given. `None` where the rule says nothing.
    #[must_use]
    pub fn judge(&self, deployed: i64, hour: u32) -> Option<Verdict> {
        let (series, control) = self.series(hour)?;
        let is_counted = series.points.iter().any(|point| matches!(point, Point::Ratio { .. }));
        let mut left_out = self.baseline.as_ref()?.left_out.clone();
        // A source that failed said nothing, and not that nothing happened.
        let failed = self.checks.range(..=hour).filter(|(_, check)| check.gap.is_some());
        left_out.extend(failed.map(|(hour, _)| (self.end_of(*hour) - self.step(), self.end_of(*hour))));
        let watch = Watch {
            series: &series,
            control: control.as_ref(),
            deployed_at: deployed,
            now: self.end_of(hour),
            left_out: &left_out,
        };
        Some(guarded(&self.rule(is_counted)?, &watch))
    }

    /// What an hour came to by its verdict: the state, and whether that is because no data counted as bad.
    #[must_use]
    pub fn came_to(&self, verdict: &Verdict, hour: u32) -> (State, bool) {
        // As of the fourth hour, as drift itself: one late scrape is no outage.
        let is_bad = self.missing_is_bad() && verdict.reason == Some(Unknown::Gaps) && hour >= 4;
        (if is_bad { State::Drift } else { verdict.state }, is_bad)
    }

    /// Judges a recorded hour again, from what is recorded: what differs, or why it cannot be told.
    ///
    /// # Errors
    /// In words, when something is missing, or another version of the method judged.
    pub fn again(&self, deployed: i64, hour: u32) -> Result<Vec<String>, String> {
        let check = self.checks.get(&hour).ok_or("the hour is not recorded")?;
        let mut differs = Vec::new();
        let mut hold = |what: &str, was: &Json, is: &Json| {
            if was != is {
                differs.push(format!("{what} was {was}, and is {is}"));
            }
        };
        let Some(verdict) = self.judge(deployed, hour) else {
            // Nothing was learned yet, or the rule says nothing: so it was unknown.
            hold("the state", &Json::from(check.state.as_str()), &Json::from(State::Unknown.name()));
            hold("the verdict", &check.verdict, &Json::Null);
            return Ok(differs);
        };
        let is = serde_json::to_value(&verdict).unwrap_or_default();
        let method = |verdict: &Json| verdict.pointer("/evidence/method").cloned().unwrap_or_default();
        if method(&check.verdict) != method(&is) {
            return Err(format!("it was judged by {}, and this is {}", method(&check.verdict), method(&is)));
        }
        let (state, is_bad) = self.came_to(&verdict, hour);
        hold("the state", &Json::from(check.state.as_str()), &Json::from(state.name()));
        hold("no data as bad", &Json::from(check.missing_is_bad), &Json::from(is_bad));
        for part in ["state", "reason"] {
            hold(&format!("the verdict's {part}"), &check.verdict[part], &is[part]);
        }
        if let (Some(was), Some(is)) = (check.verdict["evidence"].as_object(), is["evidence"].as_object()) {
            // Hours are told by their number, not one by one.
            let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            for name in names.into_iter().filter(|name| was.get(*name) != is.get(*name)) {
                differs.push(format!("the evidence differs in {name}"));
            }
        }
        Ok(differs)
    }
}

/// A state by its name; what is none is unknown.
#[must_use]
pub fn state(name: &str) -> State {
    [State::Ok, State::Suspect, State::Drift, State::Confirmed]
        .into_iter()
        .find(|state| state.name() == name)
        .unwrap_or(State::Unknown)
}

/// The kind of story that follows a drift: what it calls its run.
#[must_use]
pub fn follow_up(deployment: u64, rule: &str) -> String {
    format!("drift {deployment} {rule}")
}

impl Past {
    /// Reads all of it.
    ///
    /// # Errors
    /// When the ledger is not what was signed.
    pub fn read(snapshot: &Snapshot) -> Result<Self, Error> {
        let mut past = Self::default();
        for record in snapshot.records(0..snapshot.len()) {
            let record = record?;
            match record.kind.as_str() {
                "deployment" => {
                    let Some(said) = body::<DeploymentSaid>(snapshot, &record)? else { continue };
                    let mut watches = said.watches.clone();
                    watches.sort_by(|a, b| a.rule.cmp(&b.rule));
                    watches.dedup_by(|a, b| a.rule == b.rule);
                    let rules = watches.into_iter().map(|watch| Watched::of(watch, said.at)).collect();
                    let deployment = Deployment {
                        number: record.seq,
                        said,
                        rules,
                        stories: BTreeMap::new(),
                        incidents: Vec::new(),
                        rollbacks: Vec::new(),
                    };
                    past.deployments.insert(record.seq, deployment);
                }
                "baseline" => {
                    let Some(said) = body::<BaselineSaid>(snapshot, &record)? else { continue };
                    // The first counts: what came later was not what verdicts are from.
                    if let Some(rule) = past.rule(said.deployment, &said.rule) {
                        rule.baseline.get_or_insert(said);
                    }
                }
                "check" => {
                    let Some(said) = body::<CheckSaid>(snapshot, &record)? else { continue };
                    if let Some(rule) = past.rule(said.deployment, &said.rule) {
                        rule.checks.entry(said.hour).or_insert(said);
                    }
                }
                "amendment" => {
                    past.amended.extend(snapshot.body(&record)?.get("story").and_then(Json::as_u64));
                }
                "raise" => past.raises.extend(body::<RaiseSaid>(snapshot, &record)?),
                "message" => {
                    let Some(said) = body::<MessageSaid>(snapshot, &record)? else { continue };
                    past.messages.insert(said.id.clone(), (said, record.ts.clone()));
                }
                "delivery" => {
                    past.settled.extend(body::<DeliverySaid>(snapshot, &record)?.map(|said| said.id));
                }
                "incident" => {
                    let Some(said) = body::<super::said::IncidentSaid>(snapshot, &record)? else { continue };
                    if let Some(deployment) = past.deployments.get_mut(&said.deployment) {
                        deployment.incidents.push((said.rule, said.hour, said.what));
                    }
                }
                "rollback" => {
                    let Some(said) = body::<super::said::RollbackSaid>(snapshot, &record)? else { continue };
                    if let Some(deployment) = past.deployments.get_mut(&said.deployment) {
                        deployment.rollbacks.push((said.rule, said.word, said.says));
                    }
                }
                "story" => {
                    let run = snapshot.body(&record)?;
                    let run = run.get("run").and_then(serde_json::Value::as_str).unwrap_or_default();
                    let Some((number, rule)) = run.strip_prefix("drift ").and_then(|rest| rest.split_once(' ')) else {
                        continue;
                    };
                    let deployment = number.parse().ok().and_then(|number: u64| past.deployments.get_mut(&number));
                    if let Some(deployment) = deployment {
                        deployment.stories.entry(rule.to_owned()).or_insert(record.seq);
                    }
                }
                _ => {}
            }
        }
        Ok(past)
    }

    fn rule(&mut self, deployment: u64, rule: &str) -> Option<&mut Watched> {
        let deployment = self.deployments.get_mut(&deployment)?;
        deployment.rules.iter_mut().find(|watched| watched.said.rule == rule)
    }
}

/// The body of a record; `None` for a form that this version does not know: the record stays.
fn body<T: DeserializeOwned>(snapshot: &Snapshot, record: &grace_ledger::Record) -> Result<Option<T>, Error> {
    Ok(serde_json::from_value(snapshot.body(record)?).ok())
}

#[cfg(test)]
mod tests {
    use super::super::points::SeriesSaid;
    use super::*;

    const KPI: &str = "kpi heal\n  better higher\n  unit percent\n  from push\n  settle 0 s\n";

    /// A watch with so many steps of past and the points since, judged.
    fn watched(watch: &str, more: &str, past: usize, points: &[&str]) -> Watched {
        let text = format!(
            "drift d on heal\n  watch {watch}\n  alert worse by more than 20 % of baseline\n{more}  because \"x\"\n"
        );
        let said = WatchSaid { rule: "d".to_owned(), text, kpi: KPI.to_owned(), control: None };
        let deployed = 1_781_049_600;
        let mut rule = Watched::of(said, deployed);
        let step = rule.step();
        let before = (0..past).map(|number| format!("{}/200", 188 + number % 5)).collect();
        rule.baseline = Some(BaselineSaid {
            deployment: 1,
            rule: "d".to_owned(),
            series: SeriesSaid {
                start: rule.first - step * i64::try_from(past).unwrap(),
                step: u32::try_from(step).unwrap(),
                points: before,
            },
            control: None,
            left_out: Vec::new(),
        });
        for (hour, point) in (1..).zip(points) {
            let mut check = CheckSaid {
                deployment: 1,
                rule: "d".to_owned(),
                hour,
                from: rule.end_of(hour) - step,
                to: rule.end_of(hour),
                point: (*point).to_owned(),
                control: None,
                gap: None,
                state: String::new(),
                missing_is_bad: false,
                verdict: Json::Null,
                judged: 0,
            };
            rule.checks.insert(hour, check.clone());
            let verdict = rule.judge(deployed, hour).unwrap();
            let (state, is_bad) = rule.came_to(&verdict, hour);
            (check.state, check.missing_is_bad) = (state.name().to_owned(), is_bad);
            check.verdict = serde_json::to_value(&verdict).unwrap();
            rule.checks.insert(hour, check);
        }
        rule
    }

    #[test]
    fn a_recorded_hour_is_judged_again_and_one_changed_point_is_seen() {
        let points = ["190/200", "140/200", "140/200", "140/200", "140/200"];
        let mut rule = watched("every 1 h for 24 h after deployment", "", 21 * 24, &points);
        let again = |rule: &Watched, hour: u32| rule.again(1_781_049_600, hour);
        assert!(rule.checks[&5].state == "confirmed" || rule.checks[&5].state == "drift", "{}", rule.checks[&5].state);
        (1..=5).for_each(|hour| assert_eq!(again(&rule, hour), Ok(vec![]), "{hour}"));
        "190/200".clone_into(&mut rule.checks.get_mut(&3).unwrap().point);
        assert_eq!(again(&rule, 2), Ok(vec![]), "what came after it changes nothing");
        assert!(again(&rule, 3).unwrap().iter().any(|what| what.contains("hours")), "{:?}", again(&rule, 3));
        // A verdict that is not what the points say, and one by another method.
        let mut rule = watched("every 1 h for 24 h after deployment", "", 21 * 24, &points);
        "ok".clone_into(&mut rule.checks.get_mut(&5).unwrap().state);
        assert!(again(&rule, 5).unwrap()[0].starts_with("the state was \"ok\""), "{:?}", again(&rule, 5));
        rule.checks.get_mut(&5).unwrap().verdict["evidence"]["method"] = Json::from("calibrated/0");
        assert!(again(&rule, 5).unwrap_err().contains("calibrated/0"));
    }

    #[test]
    fn a_source_that_failed_is_unknown_even_where_missing_is_zero() {
        let points = ["190/200", "", "", "", ""];
        let mut rule = watched("every 1 h for 24 h after deployment", "  missing zero\n", 21 * 24, &points);
        assert_ne!(rule.checks[&5].state, "unknown", "it answered that there was nothing");
        let failed = rule.checks.range_mut(2..);
        failed.for_each(|(_, check)| check.gap = Some("endpoint `main`: refused".to_owned()));
        assert_eq!(rule.judge(1_781_049_600, 5).unwrap().state, State::Unknown);
    }

    #[test]
    fn a_watch_that_check_allows_can_be_judged() {
        // The longest of each step, with as much past as is asked for.
        for (watch, past) in [
            ("every 1 d for 11 d after deployment", 28),
            ("every 1 h for 579 h after deployment", 28 * 24),
            ("every 1 min for 1000 min after deployment", 7 * 1440 + 1000),
        ] {
            let steps = if watch.contains("1 min") { 240 } else { 4 };
            let points = vec!["190/200"; 1];
            let mut rule = watched(watch, "", past, &points);
            let check = rule.checks[&1].clone();
            for hour in 2..=steps {
                rule.checks.insert(hour, CheckSaid { hour, ..check.clone() });
            }
            let verdict = rule.judge(1_781_049_600, steps).unwrap();
            assert_eq!((verdict.state, verdict.reason), (State::Ok, None), "{watch}");
        }
    }
}
