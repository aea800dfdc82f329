//! A server of a model that is none, in both dialects, with what can go wrong on demand. What it answers is a function of the
//! question.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stub_http::{Part, Reply, Request, Stub};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Every answer breaks off in its middle.
    Cut,
    /// 429, always, at once.
    TooMany,
    /// A page in place of JSON.
    NotJson,
    /// JSON of another shape.
    OtherShape,
    /// The first byte comes after this long.
    Slow(Duration),
    /// It says that it is another model, and answers.
    Lies,
    /// A gigabyte.
    Endless,
    /// No text.
    Empty,
    /// An error inside an answer of status 200.
    ErrorInside,
    /// Every third request fails with 500.
    EveryThird,
}

/// What a server of a model is like.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) fault: Fault,
    /// Tokens of its window; words are tokens here.
    pub(crate) window: usize,
    /// A longer question is cut in silence and not refused.
    pub(crate) cuts: bool,
    pub(crate) answer: fn(&str) -> String,
}

impl Model {
    pub(crate) fn new(answer: fn(&str) -> String) -> Self {
        Self { name: "stub", fault: Fault::None, window: usize::MAX, cuts: false, answer }
    }

    pub(crate) fn fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// Serves it until the stub is dropped.
    pub(crate) fn serve(self) -> Stub {
        let count = Mutex::new(0_u32);
        Stub::start(move |request| {
            let mut count = count.lock().unwrap();
            *count += 1;
            self.reply(request, *count)
        })
    }

    fn reply(&self, request: &Request, count: u32) -> Reply {
        if request.method == "GET" {
            return match request.target.as_str() {
                "/v1/models" => Reply::ok(json!({ "object": "list", "data": [{ "id": self.name }] }).to_string()),
                "/api/tags" => {
                    Reply::ok(json!({ "models": [{ "name": self.name, "digest": "0f".repeat(32) }] }).to_string())
                }
                _ => Reply::new(404, "no such page"),
            };
        }
        let openai = match request.target.as_str() {
            "/v1/chat/completions" => true,
            "/api/chat" => false,
            _ => return Reply::new(404, "no such page"),
        };
        let Ok(asked) = serde_json::from_str::<Value>(&request.body) else { return Reply::new(400, "not JSON") };
        let mut wait = Vec::new();
        match self.fault {
            Fault::TooMany => return Reply::new(429, "slow down").header("retry-after", "0"),
            Fault::NotJson => return Reply::ok("<html>gateway</html>"),
            Fault::OtherShape => return Reply::ok(json!({ "result": { "text": "hello" } }).to_string()),
            Fault::Endless => return Reply::parts(vec![Part::Endless(vec![b'{'; 1 << 16], 1 << 30)]),
            Fault::ErrorInside => return Reply::ok(json!({ "error": { "message": "out of memory" } }).to_string()),
            Fault::EveryThird if count.is_multiple_of(3) => return Reply::new(500, "sometimes"),
            Fault::Slow(time) => wait.push(Part::Wait(time)),
            _ => {}
        }
        let prompt = asked["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
        let words: Vec<&str> = prompt.split_inclusive(char::is_whitespace).collect();
        let tokens = words.len().min(self.window);
        if words.len() > self.window && !self.cuts {
            let message = format!("This model's maximum context length is {} tokens", self.window);
            return Reply::new(
                400,
                json!({ "error": { "code": "context_length_exceeded", "message": message } }).to_string(),
            );
        }
        // What is cut is the beginning, as servers do.
        let seen: String = words[words.len() - tokens..].concat();
        let text = if self.fault == Fault::Empty { String::new() } else { (self.answer)(&seen) };
        let name = if self.fault == Fault::Lies { "gpt-99" } else { self.name };
        let streaming = asked["stream"] == json!(true);
        let body = match (openai, streaming) {
            (true, false) => openai_whole(name, &text, tokens),
            (true, true) => openai_stream(name, &text, tokens),
            (false, false) => ollama_line(name, &text, true, tokens),
            (false, true) => {
                let pieces: String =
                    text.split_inclusive(' ').map(|word| ollama_line(name, word, false, tokens) + "\n").collect();
                pieces + &ollama_line(name, "", true, tokens) + "\n"
            }
        };
        let mut parts = wait;
        if self.fault == Fault::Cut {
            parts.push(Part::Bytes(body.as_bytes()[..body.len() / 2].to_vec()));
            parts.push(Part::Cut);
        } else {
            parts.push(Part::Bytes(body.into_bytes()));
        }
        Reply::parts(parts)
    }
}

fn openai_whole(name: &str, text: &str, tokens: usize) -> String {
    json!({
        "id": "x", "object": "chat.completion", "model": name,
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": tokens, "completion_tokens": text.split_whitespace().count() },
    })
    .to_string()
}

fn openai_stream(name: &str, text: &str, tokens: usize) -> String {
    let event = |value: Value| format!("data: {value}\n\n");
    let mut all = event(json!({ "model": name, "choices": [{ "delta": { "role": "assistant" } }] }));
    for word in text.split_inclusive(' ') {
        all.push_str(&event(json!({ "model": name, "choices": [{ "delta": { "content": word } }] })));
    }
    all.push_str(&event(json!({ "model": name, "choices": [{ "delta": {}, "finish_reason": "stop" }] })));
    let usage = json!({ "prompt_tokens": tokens, "completion_tokens": text.split_whitespace().count() });
    all.push_str(&event(json!({ "model": name, "choices": [], "usage": usage })));
    all + "data: [DONE]\n\n"
}

fn ollama_line(name: &str, text: &str, done: bool, tokens: usize) -> String {
    let mut line = BTreeMap::from([
        ("model", json!(name)),
        ("message", json!({ "role": "assistant", "content": text })),
        ("done", json!(done)),
    ]);
    if done {
        line.extend([("prompt_eval_count", json!(tokens)), ("eval_count", json!(text.split_whitespace().count()))]);
    }
    json!(line).to_string()
}

/// A model that reads: it abstains where nothing is said, and finds what is.
pub(crate) fn honest(prompt: &str) -> String {
    if let Some(rest) = prompt.strip_prefix("The number to remember is ") {
        return rest.split('.').next().unwrap_or_default().to_owned();
    }
    if prompt.contains("A) ") {
        let (scene, choices) = prompt.split_once("\nA) ").unwrap();
        let (first, rest) = choices.split_once("\nB) ").unwrap();
        let second = rest.split('\n').next().unwrap();
        // The scene is a sentence of both, then, where it is known, one of one of them, then the question.
        let middle = scene.split_once(". ").map_or("", |(_, rest)| rest);
        let named = |name: &str| middle.starts_with(name);
        return if named(first) {
            "A"
        } else if named(second) {
            "B"
        } else {
            "C"
        }
        .to_owned();
    }
    if let Some((text, question)) = prompt.strip_prefix("Text: ").and_then(|rest| rest.split_once('\n')) {
        let number = text.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty()).unwrap_or("UNKNOWN");
        let names: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().next().is_some_and(char::is_uppercase))
            .filter(|word| !["The", "On"].contains(word))
            .collect();
        return match question.split_once(": ").map(|(_, question)| question).unwrap() {
            question if question.starts_with("How many") || question.starts_with("On which port") => number.to_owned(),
            "Who wrote it?" | "Where did the school move?" | "Who found the coin?" => names.last().unwrap().to_string(),
            _ => "UNKNOWN".to_owned(),
        };
    }
    if prompt.ends_with("+ 1?") {
        return "1".to_owned();
    }
    "UNKNOWN".to_owned()
}

/// A model that has an answer to everything.
pub(crate) fn inventive(prompt: &str) -> String {
    if prompt.contains("A) ") {
        "A".to_owned()
    } else {
        "It was first described by Professor Marlow in 1987.".to_owned()
    }
}

/// A model that says the same to everything.
pub(crate) fn mute(_: &str) -> String {
    "UNKNOWN".to_owned()
}
