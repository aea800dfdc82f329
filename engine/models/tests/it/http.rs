//! The bounded client: every request ends, and a secret stays one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use grace_models::http::{Answer, Client, Error, Header, Limits, Secret};
use grace_system::clock::Stopwatch;
use grace_system::process::Cancel;

use crate::stub_http::{Part, Reply, Stub};

/// Short in every way, so that tests are quick.
fn limits() -> Limits {
    Limits {
        total: Duration::from_secs(20),
        max_bytes: 1 << 16,
        attempts: 1,
        pause: Duration::from_millis(1),
        longest_pause: Duration::from_secs(2),
        ..Limits::default()
    }
}

fn get(stub: &Stub, limits: Limits) -> Result<Answer, Error> {
    Client::new(limits, Cancel::new()).unwrap().get(&stub.url("/"), &[], &[])
}

#[test]
fn a_request_carries_its_query_headers_and_body() {
    let stub = Stub::start(|_| Reply::ok("{}"));
    let client = Client::new(limits(), Cancel::new()).unwrap();
    let secret = Header::secret("x-signature", Secret::new("abc"));
    client.get(&stub.url("/q?a=1"), &[("query", "up{x=\"y z\"}")], &[]).unwrap();
    let answer = client.post_json(&stub.url("/hook"), r#"{"a":1}"#, &[secret]).unwrap();
    assert_eq!((answer.status, answer.text().as_str(), answer.attempts), (200, "{}", 1));
    let seen = stub.seen();
    assert_eq!(seen[0].target, "/q?a=1&query=up%7Bx%3D%22y+z%22%7D");
    assert_eq!((seen[1].method.as_str(), seen[1].body.as_str()), ("POST", r#"{"a":1}"#));
    assert_eq!(seen[1].header("x-signature"), Some("abc"));
    assert_eq!(seen[1].header("content-type"), Some("application/json"));
}

#[test]
fn an_endless_answer_is_cut_at_the_limit() {
    let stub = Stub::start(|_| Reply::parts(vec![Part::Endless(vec![b'x'; 1 << 16], 1 << 30)]));
    assert_eq!(get(&stub, limits()), Err(Error::TooLong(1 << 16)));
}

#[test]
fn an_answer_of_just_the_limit_is_whole() {
    let stub = Stub::start(|_| Reply::ok(vec![b'x'; 1 << 16]));
    assert_eq!(get(&stub, limits()).unwrap().body.len(), 1 << 16);
}

#[test]
fn a_server_that_drips_for_ever_is_left_at_the_deadline() {
    // Each byte comes soon, the whole never does.
    let drip = [Part::Bytes(b"x".to_vec()), Part::Wait(Duration::from_millis(40))];
    let stub = Stub::start(move |_| Reply::parts(drip.iter().cycle().take(2000).cloned().collect()));
    let limits = Limits { total: Duration::from_millis(400), ..limits() };
    assert_eq!(get(&stub, limits), Err(Error::TimedOut(Duration::from_millis(400))));
}

#[test]
fn a_server_that_says_nothing_is_left_at_the_deadline() {
    let stub = Stub::start(|_| {
        thread::sleep(Duration::from_secs(30));
        Reply::ok("late")
    });
    let limits = Limits { total: Duration::from_millis(300), ..limits() };
    assert_eq!(get(&stub, limits), Err(Error::TimedOut(Duration::from_millis(300))));
}

#[test]
fn a_cut_answer_is_an_error_and_no_short_answer() {
    let stub = Stub::start(|_| Reply::parts(vec![Part::Bytes(b"{\"half".to_vec()), Part::Cut]));
    assert_eq!(get(&stub, limits()).unwrap_err().word(), "cut");
}

#[test]
fn what_passes_is_tried_again_and_what_does_not_is_not() {
    for (status, asked) in [(429, 3), (500, 3), (503, 3), (400, 1), (401, 1), (404, 1)] {
        let stub = Stub::start(move |_| Reply::new(status, "no"));
        let error = get(&stub, Limits { attempts: 3, ..limits() }).unwrap_err();
        assert_eq!(error, Error::Status { status, body: "no".to_owned() });
        assert_eq!(stub.seen().len(), asked, "{status}");
    }
}

#[test]
fn a_second_attempt_that_succeeds_is_the_answer() {
    let count = AtomicU32::new(0);
    let stub = Stub::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(503, ""),
        1 => Reply::parts(vec![Part::Bytes(b"ha".to_vec()), Part::Cut]),
        _ => Reply::ok("whole"),
    });
    let answer = get(&stub, Limits { attempts: 3, ..limits() }).unwrap();
    assert_eq!((answer.text().as_str(), answer.attempts), ("whole", 3));
}

#[test]
fn retry_after_is_honoured_within_its_bound() {
    let count = AtomicU32::new(0);
    let stub = Stub::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(429, "").header("retry-after", "1"),
        _ => Reply::ok("now"),
    });
    let clock = Stopwatch::start();
    assert_eq!(get(&stub, Limits { attempts: 2, ..limits() }).unwrap().text(), "now");
    assert!(clock.elapsed() >= Duration::from_secs(1));

    let stub = Stub::start(|_| Reply::new(429, "").header("retry-after", "86400"));
    let refused = Error::Refused { status: 429, pause: Duration::from_secs(86_400) };
    assert_eq!(get(&stub, Limits { attempts: 2, ..limits() }), Err(refused));
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Stub::start(|_| Reply::ok("elsewhere"));
    let to = other.url("/");
    let stub = Stub::start(move |_| Reply::new(302, "").header("location", to.clone()));
    assert_eq!(get(&stub, limits()), Err(Error::Status { status: 302, body: String::new() }));
    assert!(other.seen().is_empty());
}

#[test]
fn nobody_listening_is_no_connection() {
    let url = Stub::start(|_| Reply::ok("")).url("/");
    thread::sleep(Duration::from_millis(50));
    let error = Client::new(limits(), Cancel::new()).unwrap().get(&url, &[], &[]).unwrap_err();
    assert_eq!(error.word(), "connection", "{error}");
}

#[test]
fn an_interrupt_ends_the_wait() {
    let stub = Stub::start(|_| Reply::parts(vec![Part::Wait(Duration::from_secs(30))]));
    let cancel = Cancel::new();
    let client = Client::new(limits(), cancel.clone()).unwrap();
    let url = stub.url("/");
    let asking = thread::spawn(move || client.get(&url, &[], &[]));
    while stub.seen().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    cancel.cancel();
    assert_eq!(asking.join().unwrap(), Err(Error::Cancelled));
}

#[test]
fn requests_are_spaced_as_the_rate_says() {
    let stub = Stub::start(|_| Reply::ok(""));
    let client = Client::new(Limits { per_minute: Some(300), ..limits() }, Cancel::new()).unwrap();
    let clock = Stopwatch::start();
    for _ in 0..3 {
        client.get(&stub.url("/"), &[], &[]).unwrap();
    }
    // The first at once, two more 200 ms apart.
    assert!(clock.elapsed() >= Duration::from_millis(400));
}

#[test]
fn a_secret_is_in_no_debug_output_and_goes_to_no_stranger_in_the_clear() {
    let header = Header::bearer(&Secret::new("sk-very-secret"));
    let client = Client::new(limits(), Cancel::new()).unwrap();
    assert!(!format!("{header:?} {client:?}").contains("very"));
    let error = client.get("http://models.example.org/v1", &[], &[header]).unwrap_err();
    assert_eq!(error.to_string(), "the address cannot be asked: a key is sent over https only, or to this machine");
    let odd = Header::secret("authorization", Secret::new("sk-very\nsecret"));
    let error = client.get("https://models.example.org/v1", &[], &[odd]).unwrap_err();
    assert_eq!(error.to_string(), "the header `authorization` cannot be sent");
}

#[test]
fn a_key_that_the_server_repeats_is_not_shown() {
    let stub = Stub::start(|request| Reply::new(401, format!("wrong: {}", request.header("authorization").unwrap())));
    let client = Client::new(limits(), Cancel::new()).unwrap();
    let error = client.get(&stub.url("/"), &[], &[Header::bearer(&Secret::new("sk-very-secret"))]).unwrap_err();
    assert_eq!(error.to_string(), "status 401: wrong: Bearer (secret)");
}

#[test]
fn an_error_shows_neither_the_query_nor_control_characters() {
    let stub = Stub::start(|_| Reply::new(400, "\n\u{1b}[31mbad\u{7} \n"));
    let client = Client::new(limits(), Cancel::new()).unwrap();
    let error = client.get(&stub.url("/"), &[("token", "sk-very-secret")], &[]).unwrap_err();
    assert_eq!(error.to_string(), "status 400: [31mbad");
    let closed = Stub::start(|_| Reply::ok("")).url("/?token=sk-very-secret");
    thread::sleep(Duration::from_millis(50));
    let error = client.get(&closed, &[], &[]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("very"), "{error:?}");
}

#[test]
fn an_address_that_is_none_is_refused() {
    let client = Client::new(limits(), Cancel::new()).unwrap();
    for url in ["", "models", "file:///etc/passwd", "ftp://x/", "https://ann:pw@models.example.org/", "http://"] {
        assert_eq!(client.get(url, &[], &[]).unwrap_err().word(), "address", "{url}");
    }
    let long = format!("http://127.0.0.1/{}", "x".repeat(10_000));
    assert_eq!(client.get(&long, &[], &[]).unwrap_err().word(), "address");
}
