//! Messages: webhooks, signed, and issues as files. What is to be told is recorded before, and what was told after, so that a
//! message may be sent twice and is never forgotten; its name says that it is the same.

use std::path::Path;
use std::time::Duration;

use grace_models::http::{Client, Header, Limits, Secret};
use grace_system::clock::Stopwatch;
use grace_system::config::Webhook;
use grace_system::{clock, files};

use super::collect::{CollectError, Monitor};
use super::history::Past;
use super::said::{DeliverySaid, MessageSaid, Said};
use crate::journal::{Event, Journal};

/// After so many seconds a message is given up: three days.
const GIVEN_UP: i64 = 3 * 86_400;
/// Largest answer to a webhook that is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;
/// How long a step tells at most: what is left is told by the next one. A message that is begun ends with its attempts.
const BUDGET: Duration = Duration::from_secs(60);
/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// Delivers what was not delivered. One process does it at a time, and others do not wait for it.
pub(super) fn deliver(
    monitor: &Monitor<'_>,
    journal: &Journal,
    dir: &Path,
    now: i64,
    late: &mut Vec<String>,
) -> Result<(), CollectError> {
    let Some(_lock) = files::lock(&dir.join("tell.lock"), Duration::ZERO)? else { return Ok(()) };
    let begun = Stopwatch::start();
    let past = Past::read(&journal.read()?)?;
    for (id, (message, recorded)) in past.messages.iter().filter(|(id, _)| !past.settled.contains(*id)) {
        if monitor.cancel.is_cancelled() {
            return Ok(());
        }
        let left = begun.remaining(BUDGET);
        if left.is_zero() {
            late.push(format!("{} is not told yet: a step tells for {} s at most", message.to, BUDGET.as_secs()));
            continue;
        }
        let (word, how) = match send(monitor, message, left) {
            Ok(how) => ("delivered", how),
            Err(why) => {
                let since = clock::parse(recorded).map_or(now, jiff::Timestamp::as_second);
                // By the clock of the ledger: `now` may be any day.
                if clock::now().as_second() < since.saturating_add(GIVEN_UP) {
                    late.push(format!("{} is not told yet: {why}", message.to));
                    continue;
                }
                ("given up", why)
            }
        };
        let said = DeliverySaid { id: id.clone(), word: word.to_owned(), how };
        journal.append(&[Event::Monitoring(Said::Delivery(said))])?;
    }
    Ok(())
}

fn send(monitor: &Monitor<'_>, message: &MessageSaid, left: Duration) -> Result<String, String> {
    let Some(name) = message.to.strip_prefix("webhook ") else { return issue(monitor, message) };
    let Some(webhook) = monitor.config.webhooks.get(name) else {
        return Err(format!("the operator's configuration has no webhook `{}`", name.escape_debug()));
    };
    post(monitor, webhook, message, left)
}

fn post(monitor: &Monitor<'_>, webhook: &Webhook, message: &MessageSaid, left: Duration) -> Result<String, String> {
    let secret = Secret::from_env(&webhook.secret)
        .ok_or_else(|| format!("the variable {}, which holds its secret, is not set", webhook.secret))?;
    let limits = Limits {
        connect: Duration::from_secs(5).min(webhook.timeout()),
        total: webhook.timeout().min(left),
        max_bytes: MAX_ANSWER,
        attempts: webhook.attempts,
        ..Limits::default()
    };
    let client = Client::new(limits, monitor.cancel.clone()).map_err(|error| error.to_string())?;
    let at = clock::now().as_second();
    let signature = hmac_sha256(secret.reveal().as_bytes(), format!("{at}.{}", message.text).as_bytes());
    let headers = [
        Header::new("x-grace-event", message.id.as_str()),
        Header::new("x-grace-timestamp", at.to_string()),
        Header::new("x-grace-signature", format!("sha256={signature}")),
    ];
    let answer = client.post_json(&webhook.url, &message.text, &headers).map_err(|error| error.to_string())?;
    Ok(format!("status {}, attempt {}", answer.status, answer.attempts))
}

fn issue(monitor: &Monitor<'_>, message: &MessageSaid) -> Result<String, String> {
    let dir = monitor.repository.common_dir().join("grace").join("issues");
    files::create_dirs(&dir).map_err(|error| error.to_string())?;
    let short: String = message.id.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    let name = format!("{:06}-{short}.md", message.deployment);
    files::write_atomic(&dir.join(&name), message.text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(format!("grace/issues/{name}"))
}

/// HMAC with SHA-256 (RFC 2104), hexadecimal.
fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    let mut block = [0_u8; BLOCK];
    let key = if key.len() > BLOCK { bytes_of(&files::sha256(key)) } else { key.to_vec() };
    block.iter_mut().zip(&key).for_each(|(byte, key)| *byte = *key);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = files::sha256(&[pad(0x36).as_slice(), message].concat());
    files::sha256(&[pad(0x5c), bytes_of(&inner)].concat())
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    hex.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_signed_as_rfc_4231_has_it() {
        let data = b"what do ya want for nothing?";
        assert_eq!(hmac_sha256(b"Jefe", data), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long = hmac_sha256(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }
}
