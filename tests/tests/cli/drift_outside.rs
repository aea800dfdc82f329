//! Monitoring and what is outside: a real Prometheus, servers that are hostile, kills at any moment.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::drift::{Bench, DEPLOYED, RULES, jiff_like};

/// The seed's case: 200 events an hour, 21 days of history, 95 % healed and then 75 %.
const SEED_CASE: &str = r#"module project.rules

tag core  on path("app/core/**")

kpi self_healing_success_rate
  better  higher
  unit    percent
  from    prometheus "main",
          numerator "sum(increase(heal_ok_total[1h]))",
          denominator "sum(increase(heal_total[1h]))"

drift heal_regression on self_healing_success_rate
  watch         every 1 h for 24 h after deployment
  alert         worse by more than 20 % of baseline
  on suspect    note
  on drift      open story, log incident, tier at least 3 for tag(core) during 24 h
  on confirmed  propose rollback
  because       "A healed system that heals less is degrading."

tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation
  2 internal   approve by rules       for any other change
  3 sensitive  approve by rules       for operations change_security
"#;

/// A program of the extras, or of this machine.
fn extra(name: &str) -> Option<PathBuf> {
    let kept =
        std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/grace-rules/extras/usr/bin").join(name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = kept.into_iter().chain(std::env::split_paths(&path).map(|dir| dir.join(name)));
    found.into_iter().find(|path| path.exists())
}

/// Ended when dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// A Prometheus on loopback with the seed's case in it; its address.
fn prometheus(dir: &Path, program: &Path, tool: &Path) -> (Ended, String) {
    let (step, before, after) = (300, 21 * 86_400, 6 * 3600);
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    // Counted in whole events, with the noise that events have.
    let mut lucky = |share: f64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f64 / f64::from(1_u32 << 31)) < share
    };
    let (mut ok, mut all) = (0_u64, 0_u64);
    let (mut oks, mut alls) = (String::new(), String::new());
    let mut carried = 0.0;
    for at in (DEPLOYED - before..=DEPLOYED + after).step_by(step) {
        let share = if at > DEPLOYED { 0.75 } else { 0.95 };
        carried += 200.0 * step as f64 / 3600.0;
        while carried >= 1.0 {
            carried -= 1.0;
            all += 1;
            ok += u64::from(lucky(share));
        }
        oks.push_str(&format!("heal_ok_total {ok} {at}\n"));
        alls.push_str(&format!("heal_total {all} {at}\n"));
    }
    let text = format!("# TYPE heal_ok counter\n{oks}# TYPE heal counter\n{alls}# EOF\n");
    let metrics = dir.join("metrics.txt");
    fs::write(&metrics, text).unwrap();
    let data = dir.join("data");
    let made = Command::new(tool)
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&metrics, &data])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let config = dir.join("prometheus.yml");
    fs::write(&config, "global:\n  scrape_interval: 1h\n").unwrap();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new(program)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", data.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--storage.tsdb.retention.time=20y")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let child = Ended(child);
    for _ in 0..600 {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            let asked = stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n");
            let mut answer = String::new();
            let _read = stream.read_to_string(&mut answer);
            if asked.is_ok() && answer.contains("200 OK") {
                break;
            }
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    (child, format!("http://127.0.0.1:{port}"))
}

#[test]
fn the_seeds_case_is_drift_by_hour_four_against_a_real_prometheus() {
    let (Some(program), Some(tool)) = (extra("prometheus"), extra("promtool")) else {
        println!("SKIPPED: no prometheus; bring it with: cargo xtask extras");
        return;
    };
    let bench = Bench::changed(SEED_CASE);
    let dir = bench.repo.path.with_file_name("prometheus");
    fs::create_dir(&dir).unwrap();
    let (_server, url) = prometheus(&dir, &program, &tool);
    fs::write(bench.config(), format!("[endpoints.main]\nurl = \"{url}\"\n")).unwrap();
    let said = bench.run("drift deploy --base HEAD~1 --head HEAD --at 2026-06-10T00:00:00Z", "");
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    for hour in 1..=4 {
        // An hour is judged once it has settled: two minutes, where a rule says nothing.
        let collected = bench.collect(hour, 2);
        assert_eq!(collected["judged"].as_array().map(Vec::len), Some(1), "{collected}");
    }
    let checks = bench.checks();
    assert_eq!(checks.iter().map(|(hour, _)| *hour).collect::<Vec<_>>(), [1, 2, 3, 4]);
    // Never before hour 4, and by then.
    assert!(checks[..3].iter().all(|(_, state)| state == "ok" || state == "suspect"), "{checks:?}");
    assert!(["drift", "confirmed"].contains(&checks[3].1.as_str()), "{checks:?}");
    let baseline = &bench.repo.recorded_as("baseline")[0]["series"]["points"];
    let known = baseline.as_array().unwrap().iter().filter(|point| *point != "").count();
    assert!((500..=505).contains(&known), "21 days of hours: {known}");
    for kind in ["story", "incident", "raise"] {
        assert_eq!(bench.repo.recorded_as(kind).len(), 1, "{kind}");
    }
    let story = &bench.repo.recorded_as("story")[0]["fields"];
    assert!(story["rollback_plan"]["value"].as_str().unwrap().contains("applies cleanly"), "{story}");
    let incident = story["telemetry_incident"]["value"].as_str().unwrap();
    assert!(incident.contains("self_healing_success_rate 9") && incident.contains("worse by "), "{story}");
    bench.repo.edit_kernel();
    let plan = bench.run("plan --as-of 2026-06-10T05:00:00Z --format json", "");
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["tier"], 3);
    assert_eq!(bench.run("drift status --as-of 2026-06-10T04:00:00Z", "").code, Some(1));
}

#[test]
fn a_browser_shows_the_page_with_its_alarm() {
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| extra(name)) else {
        println!("SKIPPED: no Chromium; install the package chromium");
        return;
    };
    let bench = Bench::deployed(RULES);
    bench.push(0..1, 190);
    bench.push(1..6, 120);
    bench.collect(6, 0);
    let said = bench.run("drift status --as-of 2026-06-10T06:00:00Z --html page.html", "");
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let page = format!("file://{}", bench.repo.path.join("page.html").display());
    let profile = format!("--user-data-dir={}", bench.repo.path.with_file_name("profile").display());
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", &profile, &page])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    // As the browser understood it: elements, not text.
    assert_eq!(shown.matches("<svg").count(), 1, "{shown}");
    assert_eq!(shown.matches("data-alarm=\"yes\"").count(), 3, "{shown}");
    assert!(shown.contains("class=\"band\"") && shown.contains("class=\"deployed\""), "{shown}");
}

/// What a server does with each request in turn; the last for all that follow.
#[derive(Debug, Clone)]
enum Does {
    Answers(u16, String),
    /// Sends a body that does not end.
    Floods,
    /// Takes the request and says nothing.
    Stalls,
    /// Closes at once.
    HangsUp,
}

/// A server that goes by a script; what it was asked comes through the channel.
fn server(script: Vec<Does>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let does = script.get(index).or(script.last()).cloned().unwrap();
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut request = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut length = 0;
                while reader.read_line(&mut request).is_ok_and(|count| count > 2) {
                    let line = request.lines().last().unwrap_or_default().to_ascii_lowercase();
                    if let Some(value) = line.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap_or(0);
                    }
                }
                let mut body = vec![0; length];
                let _read = reader.read_exact(&mut body);
                request.push_str(&String::from_utf8_lossy(&body));
                let _heard = sender.send(request);
                match does {
                    Does::HangsUp => {}
                    Does::Stalls => std::thread::sleep(Duration::from_secs(20)),
                    Does::Floods => {
                        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
                        while stream.write_all(&[b' '; 65_536]).is_ok() {}
                    }
                    Does::Answers(status, body) => {
                        let head = format!(
                            "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                            body.len()
                        );
                        let _sent = stream.write_all((head + &body).as_bytes());
                    }
                }
            });
        }
    });
    (url, asked)
}

/// An answer of Prometheus: hours from two days before the deployment to six after it.
fn matrix() -> String {
    let values: Vec<String> = (-48..6).map(|hour| format!("[{},\"0.95\"]", DEPLOYED + (hour + 1) * 3600)).collect();
    format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{{\"metric\":{{}},\"values\":[{}]}}]}}}}",
        values.join(",")
    )
}

#[test]
fn a_hostile_prometheus_is_bounded_and_reported_and_nothing_is_lost() {
    let bench = Bench::changed(&RULES.replace("from    push", "from    prometheus \"main\", query \"heal\""));
    let said = bench.run("drift deploy --base HEAD~1 --head HEAD --at 2026-06-10T00:00:00Z", "");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let two =
        "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"values\":[]},{\"values\":[]}]}}";
    for (does, why) in [
        (Does::Answers(500, "oops".to_owned()), "500"),
        (Does::Answers(200, "<html>".to_owned()), "no series"),
        (Does::Answers(200, two.to_owned()), "2 series"),
        (Does::Answers(302, String::new()), "302"),
        (Does::Floods, ""),
        (Does::Stalls, ""),
        (Does::HangsUp, ""),
    ] {
        let (url, _asked) = server(vec![does.clone()]);
        fs::write(bench.config(), format!("[endpoints.main]\nurl = \"{url}\"\ntimeout_s = 1\nmax_bytes = 100000\n"))
            .unwrap();
        let collected = bench.collect(3, 0);
        assert_eq!(collected["judged"], serde_json::json!([]), "{does:?}");
        let said = collected["waiting"][0]["why"].as_str().unwrap().to_owned();
        assert!(said.contains("endpoint `main`") && said.contains(why), "{does:?}: {said}");
    }
    assert!(bench.repo.recorded_as("check").is_empty());
    // It comes back, after a failure that is tried again at once.
    let (url, _asked) = server(vec![Does::Answers(503, String::new()), Does::Answers(200, matrix())]);
    fs::write(bench.config(), format!("[endpoints.main]\nurl = \"{url}/\"\n")).unwrap();
    assert_eq!(bench.collect(3, 0)["judged"].as_array().map(Vec::len), Some(3));
    let points: Vec<_> = bench.repo.recorded_as("check").iter().map(|check| check["point"].clone()).collect();
    assert_eq!(points, ["0.95", "0.95", "0.95"]);
}

#[test]
fn a_webhook_is_told_once_signed_and_again_after_a_failure() {
    let bench = Bench::deployed(RULES);
    bench.push(0..1, 190);
    bench.push(1..5, 100);
    let (url, asked) = server(vec![Does::Answers(400, String::new())]);
    let config = |url: &str| {
        fs::write(bench.config(), format!("[webhooks.ops]\nurl = \"{url}\"\nsecret = \"HOOK_SECRET\"\nattempts = 1\n"))
            .unwrap();
    };
    config(&url);
    let collected = bench.collect(4, 0);
    assert!(collected["late"][0].as_str().unwrap().contains("not told yet"), "{collected}");
    let first = asked.recv_timeout(Duration::from_secs(5)).unwrap();
    let (url, asked) = server(vec![Does::Answers(200, "{}".to_owned())]);
    config(&url);
    assert_eq!(bench.collect(4, 0)["late"], serde_json::json!([]));
    let second = asked.recv_timeout(Duration::from_secs(5)).unwrap();
    bench.collect(5, 0);
    assert!(asked.recv_timeout(Duration::from_millis(300)).is_err(), "told once");
    let header = |request: &str, name: &str| {
        let line = request.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
        line.and_then(|line| line.split_once(": ")).map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    assert_eq!(header(&first, "x-grace-event"), header(&second, "x-grace-event"));
    assert!(header(&second, "x-grace-signature").starts_with("sha256="), "{second}");
    assert!(!second.contains("open sesame"));
    let body: Value = serde_json::from_str(&second[second.find('{').unwrap()..]).unwrap();
    assert_eq!((&body["state"], &body["rule"]), (&Value::from("drift"), &Value::from("heal_regression")));
    assert_eq!(body["rollback"]["applies"], true);
    assert_eq!(bench.repo.recorded_as("delivery").len(), 2, "the webhook and the issue");
}

#[test]
fn a_step_that_is_killed_at_any_moment_is_caught_up_by_the_seeds_rule() {
    println!("{}", killed_and_caught_up(RULES, -48));
}

#[test]
fn a_step_that_is_killed_at_any_moment_is_caught_up_by_the_method_that_ships() {
    let shipped = RULES.replace("  method        seed\n", "");
    assert_ne!(shipped, RULES);
    println!("{}", killed_and_caught_up(&shipped, -28 * 24));
}

/// Kills at random moments of a step, hour after hour; then everything was judged once. What lies before the deployment is known
/// from this hour on. What happened, in words.
fn killed_and_caught_up(rules: &str, from: i64) -> String {
    let kills: i64 = std::env::var("GRACE_TEST_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(8);
    let (rule, end) = (rules.find("drift heal_regression").unwrap(), rules.find("tiers\n").unwrap());
    let more: String =
        ["b", "c"].map(|name| rules[rule..end].replace("heal_regression", &format!("heal_{name}"))).concat();
    let rules = format!("{}{more}{}", &rules[..end], &rules[end..]);
    let hours = kills.max(8);
    let rules = rules.replace("for 6 h after", &format!("for {hours} h after"));
    let bench = Bench::deployed(&rules);
    if from < -48 {
        bench.push(from..-48, 190);
    }
    bench.push(0..hours / 4, 190);
    bench.push(hours / 4..hours, 120);
    // A step that nobody kills: the moments lie within the time that it takes here.
    let begun = Instant::now();
    bench.collect(1, 0);
    let span = u64::try_from(begun.elapsed().as_micros()).unwrap().max(1);
    let (mut state, mut late) = (42_u64, 0);
    for hour in 1..=kills {
        let at = jiff_like(DEPLOYED + hour * 3600);
        let mut command = bench.repo.command();
        command.args(["drift", "collect", "--as-of", &at]).stdin(Stdio::null());
        bench.set(&mut command);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros((state >> 33) % span));
        late += i64::from(child.try_wait().unwrap().is_some());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(late < kills, "no step was killed while it worked");
    bench.collect(hours, 0);
    let mut seen: BTreeMap<(String, u64), u64> = BTreeMap::new();
    for check in bench.repo.recorded_as("check") {
        *seen.entry((check["rule"].as_str().unwrap().to_owned(), check["hour"].as_u64().unwrap())).or_default() += 1;
    }
    assert_eq!(seen.len(), 3 * usize::try_from(hours).unwrap(), "none is left out");
    assert!(seen.values().all(|count| *count == 1), "none is judged twice: {seen:?}");
    for kind in ["baseline", "story", "incident", "raise"] {
        assert_eq!(bench.repo.recorded_as(kind).len(), 3, "{kind}: once for each rule");
    }
    // Drift was found by what is watched, and what was recorded meanwhile gives the same verdicts again.
    let states = bench.checks().into_iter().map(|(_, state)| state);
    assert!(states.filter(|state| ["drift", "confirmed"].contains(&state.as_str())).count() >= 3);
    let again = bench.run("audit replay --all", "");
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    format!("{kills} kills ({late} after the end), {} hours judged once each", seen.len())
}
