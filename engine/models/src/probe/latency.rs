//! How long answers take, as they come; and whether there are any.

use super::session::Session;
use super::{Request, text};

/// Requests before any is timed: the first ones load the model.
const WARM_UP: u32 = 2;

/// Questions of one length, all different, so that no server answers from memory.
fn prompt(at: u32) -> String {
    format!("Write a sentence of about twenty words about a walk of {} steps.", 100 + at)
}

/// One request at a time: what several at once would take, it does not say.
pub(super) fn run(session: &mut Session<'_>, request: &Request) {
    session.expect((request.samples + WARM_UP) as usize);
    session.measured.set = "grace latency items 1, one at a time, 64 tokens at most".to_owned();
    session.measured.templates = 1;
    for at in 0..request.samples + WARM_UP {
        session.stream(&prompt(at), 64, at >= WARM_UP);
        if session.is_over() {
            break;
        }
    }
}

pub(super) fn inference(session: &mut Session<'_>, request: &Request) {
    session.expect(request.samples as usize);
    session.measured.set = "grace inference items 1".to_owned();
    session.measured.templates = 1;
    for at in 0..request.samples {
        let answered = session.ask(text::SYSTEM, &format!("What is {at} + 1?"), 40).is_some();
        session.count("answered", answered);
        if session.is_over() {
            break;
        }
    }
}
