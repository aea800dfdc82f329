//! Answers that come piece by piece: server-sent events, and JSON lines.

use std::time::Duration;

use serde_json::Value;

use super::{Fault, Read, json, ollama, openai};
use crate::http::Answer;

pub(super) struct Streamed {
    pub(super) read: Read,
    pub(super) first_text: Option<Duration>,
}

/// OpenAI's: lines `data: {…}`, the last of which is `data: [DONE]`.
pub(super) fn events(answer: &Answer) -> Result<Streamed, Fault> {
    each(answer, |line, read| {
        let Some(data) = line.strip_prefix(b"data:") else { return Ok(false) };
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            return Ok(true);
        }
        openai::event(&value(data)?, read)?;
        Ok(false)
    })
}

/// Ollama's: one object a line, the last of which is `done`.
pub(super) fn lines(answer: &Answer) -> Result<Streamed, Fault> {
    each(answer, |line, read| ollama::event(&value(line)?, read))
}

fn value(bytes: &[u8]) -> Result<Value, Fault> {
    json(bytes)
}

/// Takes line after line until `take` says that it was the last.
fn each(answer: &Answer, mut take: impl FnMut(&[u8], &mut Read) -> Result<bool, Fault>) -> Result<Streamed, Fault> {
    let mut read =
        Read { text: String::new(), prompt_tokens: None, answer_tokens: None, cut_short: false, said_model: None };
    let mut first_text = None;
    let mut end = 0;
    for line in answer.body.split_inclusive(|&byte| byte == b'\n') {
        end += line.len();
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let last = take(line, &mut read)?;
        if first_text.is_none() && !read.text.is_empty() {
            first_text = answer.arrivals.iter().find(|(_, bytes)| *bytes >= end).map(|(after, _)| *after);
        }
        if last {
            return Ok(Streamed { read, first_text });
        }
    }
    Err(Fault::CutStream)
}
