//! Both dialects, and what a server may do wrong: each is a fault with a name, in bounded time and space.

use std::time::Duration;

use grace_models::endpoint::{Ask, Dialect, Endpoint, Settings};
use grace_models::http::{Limits, Secret};
use grace_system::process::Cancel;

use crate::stub_http::Stub;
use crate::stub_model::{Fault, Model, honest};

pub(crate) fn endpoint(stub: &Stub, dialect: Dialect) -> Endpoint {
    let limits = Limits {
        total: Duration::from_secs(20),
        max_bytes: 1 << 18,
        attempts: 2,
        pause: Duration::from_millis(1),
        ..Limits::default()
    };
    limited(stub, dialect, limits)
}

fn limited(stub: &Stub, dialect: Dialect, limits: Limits) -> Endpoint {
    let url = match dialect {
        Dialect::OpenAi => stub.url("/v1/"),
        Dialect::Ollama => stub.url(""),
    };
    let settings = Settings {
        name: "mistral:7b".to_owned(),
        url,
        dialect,
        served_as: "stub".to_owned(),
        key: Some(Secret::new("sk-1")),
        limits,
    };
    Endpoint::new(settings, Cancel::new()).unwrap()
}

const ASK: Ask<'static> = Ask { system: Some("Be brief."), prompt: "Is it so?", max_tokens: 5, seed: 3 };

#[test]
fn both_dialects_answer_whole_and_piece_by_piece() {
    for dialect in [Dialect::OpenAi, Dialect::Ollama] {
        let stub = Model::new(|_| "yes it is".to_owned()).serve();
        let endpoint = endpoint(&stub, dialect);
        let whole = endpoint.complete(&ASK).unwrap();
        assert_eq!((whole.text.as_str(), whole.prompt_tokens, whole.answer_tokens), ("yes it is", Some(3), Some(3)));
        assert_eq!((whole.said_model.as_deref(), whole.cut_short, whole.first_text), (Some("stub"), false, None));
        let streamed = endpoint.stream(&ASK).unwrap();
        assert_eq!(streamed.text, "yes it is");
        assert!(streamed.first_text.is_some_and(|first| first <= streamed.elapsed));
        let listed = endpoint.listed().unwrap().models;
        assert_eq!(listed.keys().collect::<Vec<_>>(), ["stub"]);
        assert_eq!(listed["stub"].is_some(), dialect == Dialect::Ollama);
        let seen = stub.seen();
        assert_eq!(seen[0].header("authorization"), Some("Bearer sk-1"));
        let body: serde_json::Value = serde_json::from_str(&seen[0].body).unwrap();
        assert_eq!((&body["model"], &body["messages"][1]["content"]), (&"stub".into(), &"Is it so?".into()));
        assert!(!format!("{endpoint:?}").contains("sk-1"));
    }
}

#[test]
fn every_fault_has_its_name_and_ends() {
    let faults = [
        (Fault::Cut, "cut"),
        (Fault::TooMany, "status"),
        (Fault::NotJson, "malformed"),
        (Fault::OtherShape, "malformed"),
        (Fault::Endless, "too long"),
        (Fault::Empty, "empty"),
        (Fault::ErrorInside, "reported"),
    ];
    for dialect in [Dialect::OpenAi, Dialect::Ollama] {
        for (fault, word) in faults {
            let stub = Model::new(honest).fault(fault).serve();
            let endpoint = endpoint(&stub, dialect);
            assert_eq!(endpoint.complete(&ASK).unwrap_err().word(), word, "{fault:?}");
            let streamed = endpoint.stream(&ASK).unwrap_err();
            let also = if fault == Fault::OtherShape { "cut" } else { word };
            // A page is no event stream: it ends without its end.
            let page = fault == Fault::NotJson && dialect == Dialect::OpenAi;
            let inside = fault == Fault::ErrorInside && dialect == Dialect::OpenAi;
            assert_eq!(streamed.word(), if page || inside { "cut" } else { also }, "{fault:?} {dialect:?}");
        }
    }
}

#[test]
fn a_slow_first_token_is_bounded_and_else_measured() {
    let stub = Model::new(honest).fault(Fault::Slow(Duration::from_millis(300))).serve();
    let patient = endpoint(&stub, Dialect::OpenAi).stream(&ASK).unwrap();
    assert!(patient.first_text.unwrap() >= Duration::from_millis(300));
    let limits = Limits { total: Duration::from_millis(100), attempts: 1, ..Limits::default() };
    assert_eq!(limited(&stub, Dialect::OpenAi, limits).complete(&ASK).unwrap_err().word(), "time out");
}

#[test]
fn a_name_that_lies_is_kept_as_what_was_said() {
    let stub = Model::new(honest).fault(Fault::Lies).serve();
    assert_eq!(endpoint(&stub, Dialect::Ollama).complete(&ASK).unwrap().said_model.as_deref(), Some("gpt-99"));
}

#[test]
fn a_question_beyond_the_window_is_told_apart() {
    let stub = Model { window: 2, ..Model::new(honest) }.serve();
    let fault = endpoint(&stub, Dialect::OpenAi).complete(&ASK).unwrap_err();
    assert_eq!(fault.word(), "context exceeded", "{fault}");
}

#[test]
fn a_body_of_nothing_but_brackets_is_no_stack_overflow() {
    let stub = Stub::start(|_| crate::stub_http::Reply::ok("[".repeat(200_000)));
    let fault = endpoint(&stub, Dialect::OpenAi).complete(&ASK).unwrap_err();
    assert_eq!(fault.word(), "malformed");
}
