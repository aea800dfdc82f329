//! The asynchronous client within: one small runtime, so that every wait has an end and hears an interrupt.

use std::error::Error as _;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use grace_system::clock::Stopwatch;
use grace_system::process::Cancel;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{ClientBuilder, Response, Url};
use tokio::runtime::Runtime;
use tokio::time;

use super::{Answer, Error, Header, Limits, MOST_ARRIVALS};

/// How soon an interrupt is heard.
const TICK: Duration = Duration::from_millis(50);

/// Longest address in bytes.
const MOST_ADDRESS: usize = 8192;

pub(super) struct Inner {
    limits: Limits,
    cancel: Cancel,
    /// Taken only when this is dropped.
    runtime: Option<Runtime>,
    /// For this machine: never through a proxy.
    near: reqwest::Client,
    /// For others: through the proxy that the environment names.
    far: Result<reqwest::Client, Error>,
    /// When the last request was sent, for the rate.
    last: Mutex<Option<Stopwatch>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A name that is still being resolved is not waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Inner {
    pub(super) fn new(limits: Limits, cancel: Cancel) -> Result<Self, Error> {
        // An error says that there is a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let system = |error: &dyn std::fmt::Display| Error::System(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(2)
            .build()
            .map_err(|error| system(&error))?;
        let builder = || {
            reqwest::Client::builder()
                .connect_timeout(limits.connect)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .pool_max_idle_per_host(1)
                .referer(false)
                .user_agent(concat!("grace-rules/", env!("CARGO_PKG_VERSION")))
        };
        let build = |builder: ClientBuilder| builder.build().map_err(|error| Error::System(deepest(&error)));
        // A machine without certificates still asks itself.
        let near = build(builder().no_proxy()).or_else(|_| build(builder().no_proxy().tls_certs_only([])))?;
        let far = build(builder());
        Ok(Self { limits, cancel, runtime: Some(runtime), near, far, last: Mutex::new(None) })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn send(&self, url: &Url, headers: &[Header], body: Option<&str>) -> Result<Answer, Error> {
        self.ask(url, headers, body).map_err(|error| match error {
            Error::Status { status, body } => Error::Status { status, body: without_secrets(body, headers) },
            other => other,
        })
    }

    fn ask(&self, url: &Url, headers: &[Header], body: Option<&str>) -> Result<Answer, Error> {
        let Some(runtime) = &self.runtime else { return Err(Error::System("the client has ended".to_owned())) };
        let near = is_near(url);
        let headers = header_map(headers, near || url.scheme() == "https", body.is_some())?;
        let client = if near { &self.near } else { self.far.as_ref().map_err(Clone::clone)? };
        runtime.block_on(async {
            let mut pause = self.limits.pause;
            for attempt in 1.. {
                self.take_turn().await?;
                let mut request = match body {
                    None => client.get(url.clone()),
                    Some(body) => client.post(url.clone()).body(body.to_owned()),
                };
                request = request.headers(headers.clone());
                let mut asked = None;
                match self.attempt(request, &mut asked).await {
                    Ok(answer) => return Ok(Answer { attempts: attempt, ..answer }),
                    Err(error) if !error.is_passing() || attempt >= self.limits.attempts => return Err(error),
                    Err(error) => {
                        if let (Some(asked), Error::Status { status, .. }) = (asked, error) {
                            if asked > self.limits.longest_pause {
                                return Err(Error::Refused { status, pause: asked });
                            }
                            pause = pause.max(asked);
                        }
                    }
                }
                self.wait(time::sleep(pause.min(self.limits.longest_pause)), Duration::MAX).await?;
                pause = pause.saturating_mul(2);
            }
            Err(Error::Cancelled)
        })
    }

    /// One attempt; `asked` becomes the pause that a refusal asks for.
    async fn attempt(&self, request: reqwest::RequestBuilder, asked: &mut Option<Duration>) -> Result<Answer, Error> {
        let clock = Stopwatch::start();
        let total = self.limits.total;
        let mut response = self.wait(request.send(), total).await?.map_err(|error| self.failure(&error))?;
        let status = response.status().as_u16();
        if !response.status().is_success() {
            *asked = retry_after(&response);
            let read = self.read(&mut response, &clock, Error::MOST_BODY).await;
            // What it says is welcome; that it does not say it is no other failure.
            let bytes = match read {
                Ok((bytes, _)) | Err((Error::TooLong(_), bytes)) => bytes,
                Err((Error::Cancelled, _)) => return Err(Error::Cancelled),
                Err((_, bytes)) => bytes,
            };
            return Err(Error::Status { status, body: String::from_utf8_lossy(&bytes).into_owned() });
        }
        let read = self.read(&mut response, &clock, self.limits.max_bytes).await;
        let (body, arrivals) = read.map_err(|(error, _)| error)?;
        Ok(Answer { status, body, elapsed: clock.elapsed(), arrivals, attempts: 1 })
    }

    /// The body up to `most` bytes, and when it came; with an error, what had come by then.
    async fn read(
        &self,
        response: &mut Response,
        clock: &Stopwatch,
        most: usize,
    ) -> Result<(Vec<u8>, Vec<(Duration, usize)>), (Error, Vec<u8>)> {
        let mut body = Vec::new();
        let mut arrivals = Vec::new();
        loop {
            let left = clock.remaining(self.limits.total);
            let chunk = match self.wait(response.chunk(), left).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok((body, arrivals)),
                Ok(Err(error)) => return Err((self.failure(&error), body)),
                Err(error) => return Err((error, body)),
            };
            let room = most - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                return Err((Error::TooLong(most), body));
            }
            if arrivals.len() < MOST_ARRIVALS {
                arrivals.push((clock.elapsed(), body.len()));
            }
        }
    }

    /// Waits for `future`, at most `limit`, and not after an interrupt.
    async fn wait<F: Future>(&self, future: F, limit: Duration) -> Result<F::Output, Error> {
        let clock = Stopwatch::start();
        let mut future = pin!(future);
        loop {
            if self.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let left = clock.remaining(limit);
            if left.is_zero() {
                return Err(Error::TimedOut(self.limits.total));
            }
            if let Ok(output) = time::timeout(left.min(TICK), &mut future).await {
                return Ok(output);
            }
        }
    }

    /// Waits until the rate allows a request.
    async fn take_turn(&self) -> Result<(), Error> {
        let Some(per_minute) = self.limits.per_minute else { return Ok(()) };
        let apart = Duration::from_secs(60) / per_minute.max(1);
        loop {
            let left = {
                let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                let left = last.map_or(Duration::ZERO, |last| last.remaining(apart));
                if left.is_zero() {
                    *last = Some(Stopwatch::start());
                }
                left
            };
            if left.is_zero() {
                return Ok(());
            }
            self.wait(time::sleep(left), Duration::MAX).await?;
        }
    }

    fn failure(&self, error: &reqwest::Error) -> Error {
        let why = deepest(error);
        if error.is_connect() {
            Error::Connection(why)
        } else if error.is_timeout() {
            Error::TimedOut(self.limits.total)
        } else {
            Error::Cut(why)
        }
    }
}

/// The innermost reason: the outer ones name the address, which may hold what is nobody's business.
fn deepest(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    match error.source() {
        Some(_) => inner.to_string().chars().filter(|c| !c.is_control()).take(300).collect(),
        None => "the request could not be sent".to_owned(),
    }
}

/// An address that may be asked.
pub(super) fn parse(text: &str) -> Result<Url, Error> {
    let refuse = |why: &str| Err(Error::Address(why.to_owned()));
    if text.len() > MOST_ADDRESS {
        return refuse("it is too long");
    }
    let Ok(url) = Url::parse(text) else { return refuse("it is no URL") };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("only http and https are asked");
    }
    if !url.has_host() {
        return refuse("it has no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("it holds a name or a password, which belong in an environment variable");
    }
    Ok(url)
}

/// Whether the address is of this machine, by its own words: a name that is resolved elsewhere proves nothing.
fn is_near(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn header_map(headers: &[Header], confidential: bool, json: bool) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    if json {
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for header in headers {
        if header.secret && !confidential {
            return Err(Error::Address("a key is sent over https only, or to this machine".to_owned()));
        }
        let odd = || Error::Header(header.name.clone());
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| odd())?;
        let mut value = HeaderValue::from_str(header.value.reveal()).map_err(|_| odd())?;
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}

/// The seconds of `Retry-After`. A date there is not heard: the own pause is.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse::<u32>().ok()?;
    Some(Duration::from_secs(seconds.into()))
}

/// What a server says, less the keys that it repeats.
fn without_secrets(mut said: String, headers: &[Header]) -> String {
    for header in headers.iter().filter(|header| header.secret) {
        let value = header.value.reveal();
        let key = value.rsplit(' ').next().unwrap_or(value);
        if !key.is_empty() {
            said = said.replace(key, "(secret)");
        }
    }
    said
}
