//! The dialect of OpenAI's chat completions, as many servers speak it.

use serde_json::{Value, json};

use super::{Ask, Fault, Read, limited, reported};

pub(super) fn body(model: &str, ask: &Ask<'_>, streaming: bool) -> Value {
    let mut messages: Vec<Value> = ask.system.iter().map(|text| json!({ "role": "system", "content": text })).collect();
    messages.push(json!({ "role": "user", "content": ask.prompt }));
    let mut body = json!({
        "model": model,
        "messages": messages,
        "temperature": 0,
        "seed": ask.seed,
        "max_tokens": ask.max_tokens,
        "stream": streaming,
    });
    if streaming {
        body["stream_options"] = json!({ "include_usage": true });
    }
    body
}

pub(super) fn completion(value: &Value) -> Result<Read, Fault> {
    if let Some(fault) = reported(value) {
        return Err(fault);
    }
    let Some(choice) = value.pointer("/choices/0") else { return Err(Fault::Malformed("no `choices`".to_owned())) };
    let Some(text) = choice.pointer("/message/content").and_then(Value::as_str) else {
        return Err(Fault::Malformed("no `message.content`".to_owned()));
    };
    let mut read = Read {
        text: text.to_owned(),
        prompt_tokens: None,
        answer_tokens: None,
        cut_short: choice.get("finish_reason").and_then(Value::as_str) == Some("length"),
        said_model: None,
    };
    counts(value, &mut read);
    Ok(read)
}

/// One event of a stream; true for the last one that has text.
pub(super) fn event(value: &Value, read: &mut Read) -> Result<(), Fault> {
    if let Some(fault) = reported(value) {
        return Err(fault);
    }
    if let Some(text) = value.pointer("/choices/0/delta/content").and_then(Value::as_str) {
        read.text.push_str(text);
    }
    if let Some(reason) = value.pointer("/choices/0/finish_reason").and_then(Value::as_str) {
        read.cut_short = reason == "length";
    }
    counts(value, read);
    Ok(())
}

fn counts(value: &Value, read: &mut Read) {
    let count = |name: &str| value.pointer(name).and_then(Value::as_u64);
    read.prompt_tokens = count("/usage/prompt_tokens").or(read.prompt_tokens);
    read.answer_tokens = count("/usage/completion_tokens").or(read.answer_tokens);
    if let Some(model) = value.get("model").and_then(Value::as_str) {
        read.said_model = Some(limited(model, 200));
    }
}
