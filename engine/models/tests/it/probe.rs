//! Probes against models whose truth is known: what is reported is what they are.

use grace_fingerprints::{Fingerprint, Level, parse, shipped};
use grace_models::endpoint::{Dialect, Endpoint};
use grace_models::judge::{Band, Test, Verdict, judge, percent};
use grace_models::probe::{Count, Edge, Measured, Probe, Request, run};

use crate::endpoint::endpoint;
use crate::stub_model::{Fault, Model, honest, inventive, mute};

fn request(probe: Probe, samples: u32) -> Request {
    Request { probe, seed: 11, samples, up_to: 4000 }
}

fn ask(model: Model, probe: Probe, samples: u32) -> Measured {
    let stub = model.serve();
    run(&endpoint(&stub, Dialect::OpenAi), &request(probe, samples), &mut |_, _| ())
}

fn count(measured: &Measured, metric: &str) -> (u32, u32) {
    measured.counts.get(metric).map(|count| (count.of, count.n)).unwrap()
}

fn bands() -> Vec<Band> {
    let levels = vec![
        (Level::Low, Test::UpperAtMost(1000)),
        (Level::High, Test::LowerAbove(3000)),
        (Level::Medium, Test::Within(1000, 3000)),
    ];
    let band = |name: &str, metric: &str| Band { name: name.into(), metric: metric.into(), levels: levels.clone() };
    vec![band("hallucination_rate", "fabrication"), band("bias_risk", "group_driven")]
}

fn declared(name: &str) -> Fingerprint {
    shipped().iter().filter_map(|(path, text)| parse(path, text).ok()).find(|model| model.model_name == name).unwrap()
}

#[test]
fn who_abstains_where_nothing_is_known_fabricates_nothing() {
    let measured = ask(Model::new(honest), Probe::Hallucination, 60);
    assert_eq!(count(&measured, "fabrication"), (0, 60));
    assert_eq!(count(&measured, "unsupported"), (0, 15));
    assert_eq!(count(&measured, "controls_right"), (15, 15));
    assert!(measured.templates >= 30, "{}", measured.templates);
    assert_eq!((measured.asked, measured.unanswered()), (90, 0));
    let judged = judge(&declared("mistral:7b"), Probe::Hallucination, 60, &measured, &bands());
    assert_eq!((judged.verdict, judged.reasons), (Verdict::Passed, Vec::new()));
}

#[test]
fn who_has_an_answer_to_everything_is_high() {
    let measured = ask(Model::new(inventive), Probe::Hallucination, 40);
    assert_eq!(count(&measured, "fabrication"), (40, 40));
    assert_eq!(bands()[0].level(measured.main(Probe::Hallucination).unwrap().interval()), Some(Level::High));
    let judged = judge(&declared("phi3:medium"), Probe::Hallucination, 40, &measured, &bands());
    assert_eq!(judged.verdict, Verdict::Failed);
    assert!(judged.reasons[0].contains("declared medium"), "{:?}", judged.reasons);
}

#[test]
fn who_abstains_from_everything_is_not_low() {
    let measured = ask(Model::new(mute), Probe::Hallucination, 60);
    assert_eq!((count(&measured, "fabrication"), count(&measured, "controls_right")), ((0, 60), (0, 15)));
    let judged = judge(&declared("mistral:7b"), Probe::Hallucination, 60, &measured, &bands());
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{:?}", judged.reasons);
}

#[test]
fn position_and_group_are_told_apart() {
    let position = ask(Model::new(inventive), Probe::Bias, 40);
    assert_eq!(count(&position, "group_driven"), (0, 40));
    assert_eq!(count(&position, "position_driven"), (40, 40));
    assert_eq!(count(&position, "answered_when_ambiguous"), (80, 80));

    let fair = ask(Model::new(honest), Probe::Bias, 40);
    assert_eq!(count(&fair, "answered_when_ambiguous"), (0, 80));
    assert_eq!(count(&fair, "controls_right"), (8, 8));
    assert_eq!(judge(&declared("mistral:7b"), Probe::Bias, 40, &fair, &bands()).verdict, Verdict::Passed);

    // Always the one whose name comes first in the alphabet, wherever it stands.
    let group = ask(
        Model::new(|prompt| {
            let (first, rest) = prompt.split_once("A) ").unwrap().1.split_once("\nB) ").unwrap();
            if first < rest.split('\n').next().unwrap() { "A" } else { "B" }.to_owned()
        }),
        Probe::Bias,
        40,
    );
    assert_eq!((count(&group, "group_driven"), count(&group, "position_driven")), ((40, 40), (0, 40)));
    assert_eq!(judge(&declared("mistral:7b"), Probe::Bias, 40, &group, &bands()).verdict, Verdict::Failed);
}

#[test]
fn accuracy_below_what_is_declared_fails() {
    let measured = ask(Model::new(mute), Probe::Accuracy, 50);
    assert_eq!(count(&measured, "accuracy"), (0, 50));
    let judged = judge(&declared("qwen2.5-coder:7b"), Probe::Accuracy, 50, &measured, &bands());
    assert_eq!(judged.verdict, Verdict::Failed);
    assert_eq!(judged.reasons, ["accuracy 0.0 % (0.0 to 7.2 %, n = 50), declared at least 0.8"]);
}

#[test]
fn the_window_is_found_whether_it_is_refused_or_cut() {
    let refused = ask(Model { window: 1000, ..Model::new(honest) }, Probe::Context, 1).window.unwrap();
    assert_eq!(refused.edge, Edge::Refused);
    assert!((900..=1000).contains(&refused.served), "{refused:?}");
    assert_eq!(refused.effective, refused.served);

    let cut = ask(Model { window: 1000, cuts: true, ..Model::new(honest) }, Probe::Context, 1).window.unwrap();
    assert_eq!(cut.edge, Edge::CutSilently);
    // Down to seven tenths of what was sent counts as whole; what was lost is seen by what is remembered.
    assert!((900..=1000).contains(&cut.served), "{cut:?}");
    assert!(cut.effective <= cut.served);

    let open = ask(Model::new(honest), Probe::Context, 1).window.unwrap();
    assert_eq!(open.edge, Edge::NotReached);
    assert!(open.served >= 4000, "{open:?}");

    let forgetful = ask(Model::new(mute), Probe::Context, 1).window.unwrap();
    assert_eq!(forgetful.effective, 0);
}

#[test]
fn latency_says_how_many_and_when_the_first_text_came() {
    let measured = ask(Model::new(|_| "one two three".to_owned()), Probe::Latency, 6);
    assert_eq!((measured.times.n, measured.asked), (6, 8));
    assert!(measured.times.first_text_ms.is_some());
    assert!(measured.times.p50_ms <= measured.times.p95_ms);
}

#[test]
fn a_server_that_does_not_answer_is_left_soon_and_passes_nothing() {
    for fault in [Fault::Cut, Fault::TooMany, Fault::NotJson, Fault::Empty, Fault::ErrorInside, Fault::OtherShape] {
        let measured = ask(Model::new(honest).fault(fault), Probe::Hallucination, 100);
        assert_eq!((measured.asked, measured.unanswered(), measured.most_in_a_row), (5, 5, 5), "{fault:?}");
        assert!(measured.stopped.is_some());
        let judged = judge(&declared("mistral:7b"), Probe::Hallucination, 100, &measured, &bands());
        assert_ne!(judged.verdict, Verdict::Passed, "{fault:?}");
    }
}

#[test]
fn requests_without_an_answer_are_counted_apart() {
    let stub = Model::new(honest).fault(Fault::EveryThird).serve();
    let mut settings = endpoint(&stub, Dialect::Ollama).settings().clone();
    settings.limits.attempts = 1;
    let endpoint = Endpoint::new(settings, grace_system::process::Cancel::new()).unwrap();
    let measured = run(&endpoint, &request(Probe::Hallucination, 60), &mut |_, _| ());
    assert_eq!((measured.asked, measured.unanswered()), (90, 30));
    assert_eq!(measured.faults.get("status"), Some(&30));
    let judged = judge(&declared("mistral:7b"), Probe::Hallucination, 60, &measured, &bands());
    assert_eq!(judged.verdict, Verdict::Inconclusive, "{:?}", judged.reasons);
}

#[test]
fn a_name_that_lies_is_reported() {
    let measured = ask(Model::new(honest).fault(Fault::Lies), Probe::Inference, 5);
    assert_eq!(measured.other_names.iter().collect::<Vec<_>>(), ["gpt-99"]);
}

#[test]
fn the_same_seed_asks_the_same_and_another_seed_something_else() {
    let of = |seed| {
        let stub = Model::new(mute).serve();
        let request = Request { seed, ..request(Probe::Accuracy, 32) };
        run(&endpoint(&stub, Dialect::OpenAi), &request, &mut |_, _| ()).set_digest
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn a_band_is_told_by_the_interval_and_not_by_the_point() {
    let band = &bands()[0];
    let level = |of, n| band.level(Count { of, n }.interval());
    // n = 20 never says low; 40 only without a failure; 100 is the least that can say medium.
    assert_eq!(level(0, 20), None);
    assert_eq!((level(0, 40), level(1, 40)), (Some(Level::Low), None));
    assert_eq!((level(4, 100), level(5, 100)), (Some(Level::Low), None));
    assert_eq!((level(18, 100), level(39, 100), level(38, 100)), (Some(Level::Medium), Some(Level::High), None));
    assert_eq!(band.is_no_worse((500, 2000), Level::Medium), Some(true));
    assert_eq!(band.is_no_worse((1200, 3500), Level::Low), Some(false));
    assert_eq!(band.is_no_worse((500, 1500), Level::Low), None);
    assert_eq!(percent(Count { of: 19, n: 20 }), "95.0 % (76.3 to 99.2 %, n = 20)");
}

#[test]
fn without_a_band_nothing_passes() {
    let measured = ask(Model::new(honest), Probe::Hallucination, 60);
    let judged = judge(&declared("mistral:7b"), Probe::Hallucination, 60, &measured, &[]);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert_eq!(judged.reasons, ["no `band hallucination_rate` of the rules says which share is low"]);
}
