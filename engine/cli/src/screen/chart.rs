//! The page of `drift status --html`: a chart for each rule, in one file that asks nobody for anything.

use super::drift::{OpenedReport, RollbackReport};
use std::fmt::Write as _;

use grace_drift::State;
use grace_govern::monitor::history::state;

use super::drift::{DeploymentReport, Report, RuleReport, with_unit};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 34.0;

/// A day, in seconds, and days of a chart that are named.
const DAY: i64 = 86_400;
const MOST_DAYS: usize = 12;

const LOOK: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:800px;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .3rem}h3{font-size:1rem;margin:1.2rem 0 0}svg{width:100%;height:auto;display:block}.ok{color:#19692c}.suspect,.unknown{color:#8a5a00}.drift,.confirmed{color:#b3141d}footer,.dim{color:#595959}.axis{stroke:#bbb}.label{font-size:12px;fill:#595959}.band{fill:#4a7fb5;opacity:.16}.expected{stroke:#4a7fb5;stroke-dasharray:2 3;fill:none}.limit{stroke:#b3141d;stroke-dasharray:6 4;fill:none}.value{stroke:#1b1b1b;stroke-width:1.6;fill:none}.before{stroke:#777;stroke-width:1.2;fill:none}.deployed{stroke:#6b3fa0;stroke-width:1.5}.point{fill:#1b1b1b}.point.suspect{fill:#c78500}.point.drift,.point.confirmed{fill:#b3141d}.day{stroke:#ddd}@media(max-width:600px){.label{font-size:20px}.value,.before{stroke-width:2.5}}@media(prefers-color-scheme:dark){body{background:#161616;color:#e6e6e6}.value{stroke:#e6e6e6}.point{fill:#e6e6e6}.label{fill:#aaa}.axis{stroke:#4a4a4a}.day{stroke:#333}.before{stroke:#999}.deployed{stroke:#b58be0}footer,.dim{color:#aaa}.ok{color:#6fcf83}.suspect,.unknown{color:#e0a93b}.drift,.confirmed{color:#ff7a7f}}";

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// The whole page.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut body = String::from("<h1>After deployment</h1>\n");
    if report.deployments.is_empty() {
        body.push_str("<p>Nothing is deployed, as far as is recorded.</p>\n");
    }
    if report.deployments.iter().flat_map(|one| &one.rules).any(|rule| !rule.judged.is_empty()) {
        body.push_str("<p class=\"dim\">Grey is what was before. The band reaches from what was to be expected (dotted) to where worse begins (dashed). Large red points are alarms, orange ones are suspect. Times are UTC.</p>\n");
    }
    for deployment in &report.deployments {
        section(&mut body, deployment);
    }
    // A page that asks for nothing and runs nothing, whoever wrote what stands on it.
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>After deployment</title>\n<style>{LOOK}</style>\n</head>\n<body>\n{body}<footer>As grace-rules knows it.</footer>\n</body>\n</html>\n"
    )
}

fn section(body: &mut String, one: &DeploymentReport) {
    let name = one.story.map_or_else(|| format!("Deployment {}", one.deployment), |story| format!("Story {story}"));
    let _ =
        writeln!(body, "<h2>{name}: {}</h2>\n<p class=\"dim\">deployed {}</p>", escaped(&one.title), minute(&one.at));
    for rule in &one.rules {
        let _ = writeln!(
            body,
            "<section data-rule=\"{}\" data-state=\"{}\">\n<h3>{} <span class=\"{}\">{}</span></h3>",
            escaped(&rule.rule),
            escaped(&rule.state),
            escaped(&rule.kpi),
            escaped(&rule.state),
            escaped(&rule.state)
        );
        let says = rule.reason.as_deref().unwrap_or(&rule.says);
        let _ = writeln!(
            body,
            "<p>{} <span class=\"dim\">· rule {}, watched {} of {}</span></p>",
            escaped(says).replace(" %", "&nbsp;%"),
            escaped(&rule.rule),
            rule.watched,
            rule.hours
        );
        body.push_str(&chart(one.at_seconds, rule));
        body.push_str("</section>\n");
    }
    for OpenedReport { rule, story, .. } in &one.opened {
        let _ = writeln!(body, "<p>Opened story {story} for {}.</p>", escaped(rule));
    }
    for RollbackReport { rule, word, says } in &one.rollbacks {
        // What was proposed was prepared before.
        if *word != "proposed" && one.rollbacks.iter().any(|row| row.rule == *rule && row.word == "proposed") {
            continue;
        }
        let _ = writeln!(body, "<p>Rollback {} for {}: {}.</p>", escaped(word), escaped(rule), escaped(says));
    }
}

/// A chart: what was before, the band from what is expected to where worse begins, what was measured, and alarms.
fn chart(deployed: i64, rule: &RuleReport) -> String {
    let watched = rule.judged.iter().flat_map(|hour| [hour.value, hour.expected, hour.limit]).flatten();
    let values: Vec<f64> = rule.before.iter().filter_map(|step| step.value).chain(watched).collect();
    let Some(first) = rule.before.first().map(|step| step.at).or(rule.judged.first().map(|hour| hour.at)) else {
        return "<p class=\"dim\">Nothing is measured yet.</p>\n".to_owned();
    };
    if values.is_empty() {
        return "<p class=\"dim\">There is no data.</p>\n".to_owned();
    }
    // The hour in which it was deployed comes before the first that is watched.
    let last = first.max(deployed) + rule.step * (i64::from(rule.hours) + 1);
    let (mut least, mut most) = (
        values.iter().copied().fold(f64::INFINITY, f64::min),
        values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    );
    let room = (most - least).max(most.abs() * 0.02).max(1e-9) * 0.08;
    (least, most) = (least - room, most + room);
    let wide = (last - first).max(1) as f64;
    let x = |at: i64| LEFT + (at - first) as f64 / wide * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| TOP + (most - value) / (most - least) * (HEIGHT - TOP - BOTTOM);
    let middle = |at: i64| x(at + rule.step / 2);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} over time, {}\">\n",
        escaped(&rule.kpi),
        escaped(&rule.state)
    );
    for value in ticks(least, most) {
        let (at, label) = (y(value), escaped(&with_unit(Some(value), &rule.unit)));
        let _ = writeln!(
            svg,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"label\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        );
    }
    for at in (first.div_euclid(DAY) + 1..).map(|day| day * DAY).take_while(|at| *at < last).take(MOST_DAYS) {
        let day = jiff::Timestamp::from_second(at).map(|at| at.strftime("%m-%d").to_string()).unwrap_or_default();
        let _ = writeln!(
            svg,
            "<line class=\"day\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP}\" y2=\"{1:.1}\"/><text class=\"label\" x=\"{0:.1}\" y=\"{2:.1}\" text-anchor=\"middle\">{day}</text>",
            x(at),
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 20.0
        );
    }
    let known: Vec<_> = rule.judged.iter().filter_map(|hour| Some((hour.at, hour.expected?, hour.limit?))).collect();
    if !known.is_empty() {
        let edge = |of: &dyn Fn(&(i64, f64, f64)) -> f64| -> Vec<String> {
            known
                .iter()
                .flat_map(|hour| {
                    let at = y(of(hour));
                    [format!("{:.1},{at:.1}", x(hour.0)), format!("{:.1},{at:.1}", x(hour.0 + rule.step))]
                })
                .collect()
        };
        let (expected, mut limit) = (edge(&|hour| hour.1), edge(&|hour| hour.2));
        let _ = writeln!(svg, "<polyline class=\"expected\" points=\"{}\"/>", expected.join(" "));
        let _ = writeln!(svg, "<polyline class=\"limit\" points=\"{}\"/>", limit.join(" "));
        limit.reverse();
        let _ = writeln!(svg, "<polygon class=\"band\" points=\"{} {}\"/>", expected.join(" "), limit.join(" "));
    }
    let before: Vec<(i64, Option<f64>)> = rule.before.iter().map(|step| (step.at, step.value)).collect();
    let after: Vec<(i64, Option<f64>)> = rule.judged.iter().map(|hour| (hour.at, hour.value)).collect();
    for (class, points) in [("before", &before), ("value", &after)] {
        // A gap is a gap: nothing is drawn across it.
        for piece in points.split(|(_, value)| value.is_none()).filter(|piece| !piece.is_empty()) {
            let drawn: Vec<String> = piece
                .iter()
                .filter_map(|(at, value)| Some(format!("{:.1},{:.1}", middle(*at), y((*value)?))))
                .collect();
            let _ = writeln!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", drawn.join(" "));
        }
    }
    for hour in &rule.judged {
        let Some(value) = hour.value else { continue };
        let alarm = state(&hour.state) >= State::Drift;
        let _ = writeln!(
            svg,
            "<circle class=\"point {}\"{} cx=\"{:.1}\" cy=\"{:.1}\" r=\"{}\"><title>{}: {}</title></circle>",
            escaped(&hour.state),
            if alarm { " data-alarm=\"yes\"" } else { "" },
            middle(hour.at),
            y(value),
            if alarm { "5" } else { "2.5" },
            escaped(&hour.state),
            escaped(&with_unit(Some(value), &rule.unit))
        );
    }
    let at = x(deployed.clamp(first, last));
    let _ = writeln!(
        svg,
        "<line class=\"deployed\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/><text class=\"label\" x=\"{:.1}\" y=\"{:.1}\">deployed</text>",
        TOP - 12.0,
        HEIGHT - BOTTOM,
        at + 5.0,
        TOP - 3.0
    );
    svg.push_str("</svg>\n");
    svg
}

/// Round numbers between two, five or so.
fn ticks(least: f64, most: f64) -> Vec<f64> {
    let rough = (most - least) / 5.0;
    if !(rough > 0.0 && rough.is_finite()) {
        return Vec::new();
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|part| part * power).into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(rough);
    let first = (least / step).ceil();
    (0..8).map(|number| (first + f64::from(number)) * step).take_while(|tick| *tick <= most).collect()
}

/// `2026-06-10 00:00 UTC`
fn minute(at: &str) -> String {
    escaped(&format!("{} UTC", at.get(..16).unwrap_or(at).replace('T', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(68.3, 100.6), [70.0, 80.0, 90.0, 100.0]);
        assert_eq!(ticks(241.0, 662.0), [300.0, 400.0, 500.0, 600.0]);
        assert_eq!(ticks(-1.0, 1.0), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(ticks(1.0, 1.0), [0.0; 0]);
        assert_eq!(ticks(0.0, f64::INFINITY), [0.0; 0]);
        assert!(ticks(1e300, 1.000_000_1e300).iter().all(|tick| tick.is_finite()));
    }
}
