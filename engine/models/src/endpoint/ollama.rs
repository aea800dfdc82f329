//! Ollama's own dialect.

use serde_json::{Value, json};

use super::{Ask, Fault, Read, limited, reported};

pub(super) fn body(model: &str, ask: &Ask<'_>, streaming: bool) -> Value {
    let mut messages: Vec<Value> = ask.system.iter().map(|text| json!({ "role": "system", "content": text })).collect();
    messages.push(json!({ "role": "user", "content": ask.prompt }));
    json!({
        "model": model,
        "messages": messages,
        "stream": streaming,
        "options": { "temperature": 0, "seed": ask.seed, "num_predict": ask.max_tokens },
    })
}

pub(super) fn completion(value: &Value) -> Result<Read, Fault> {
    let mut read =
        Read { text: String::new(), prompt_tokens: None, answer_tokens: None, cut_short: false, said_model: None };
    if value.pointer("/message/content").and_then(Value::as_str).is_none() && value.get("error").is_none() {
        return Err(Fault::Malformed("no `message.content`".to_owned()));
    }
    if !event(value, &mut read)? {
        return Err(Fault::Malformed("it is not `done`".to_owned()));
    }
    Ok(read)
}

/// One line of a stream; true for the last one.
pub(super) fn event(value: &Value, read: &mut Read) -> Result<bool, Fault> {
    if let Some(fault) = reported(value) {
        return Err(fault);
    }
    if let Some(text) = value.pointer("/message/content").and_then(Value::as_str) {
        read.text.push_str(text);
    }
    read.prompt_tokens = value.get("prompt_eval_count").and_then(Value::as_u64).or(read.prompt_tokens);
    read.answer_tokens = value.get("eval_count").and_then(Value::as_u64).or(read.answer_tokens);
    if let Some(model) = value.get("model").and_then(Value::as_str) {
        read.said_model = Some(limited(model, 200));
    }
    read.cut_short |= value.get("done_reason").and_then(Value::as_str) == Some("length");
    Ok(value.get("done").and_then(Value::as_bool) == Some(true))
}
