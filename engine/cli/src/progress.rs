//! Progress for what takes longer than a second, on standard error, where somebody watches.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use grace_runner::{BundleStatus, Event};
use grace_system::clock::Stopwatch;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::screen::numbers;

/// What is quicker than this is not worth a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether and how progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Bars that are redrawn, on a terminal.
    Drawn,
    /// Lines, and only for what a log should hold.
    Lines,
    /// Nothing.
    Silent,
}

/// What may stand on the screen: to be cleared where the process ends before those who drew it do.
static DRAWN: Mutex<Vec<Drawn>> = Mutex::new(Vec::new());

#[derive(Debug)]
enum Drawn {
    One(ProgressBar),
    Many(MultiProgress),
}

impl Drawn {
    fn remember(self) {
        DRAWN.lock().unwrap_or_else(PoisonError::into_inner).push(self);
    }
}

/// Clears all progress from the screen, for good.
pub fn clear() {
    for drawn in DRAWN.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        match drawn {
            Drawn::One(bar) => bar.finish_and_clear(),
            Drawn::Many(bars) => {
                let _gone = bars.clear();
                bars.set_draw_target(ProgressDrawTarget::hidden());
            }
        }
    }
}

impl Progress {
    fn target(self) -> ProgressDrawTarget {
        if self == Self::Drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
    }

    /// A meter of `total` steps, drawn once it has taken a second.
    #[must_use]
    pub fn meter(self, what: &'static str, total: u64) -> Meter {
        let style = ProgressStyle::with_template("{msg} {bar:30} {human_pos}/{human_len}  {eta}")
            .map(|style| style.progress_chars("█▉▊▋▌▍▎▏ "))
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden())
            .with_style(style)
            .with_message(what);
        Drawn::One(bar.clone()).remember();
        Meter { bar, clock: Stopwatch::start(), drawn: AtomicBool::new(self != Self::Drawn), steps: AtomicU64::new(0) }
    }

    /// A line without a known end, drawn at once for what is known to take long.
    #[must_use]
    pub fn spinner(self, what: &'static str) -> Meter {
        let style =
            ProgressStyle::with_template("{msg} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar =
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style).with_message(what);
        if self == Self::Drawn {
            // The first tick comes after a second, so that what is quick stays silent.
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(PATIENCE);
        }
        Drawn::One(bar.clone()).remember();
        Meter { bar, clock: Stopwatch::start(), drawn: AtomicBool::new(true), steps: AtomicU64::new(0) }
    }
}

/// Progress of one task; gone from the screen when dropped.
#[derive(Debug)]
pub struct Meter {
    bar: ProgressBar,
    clock: Stopwatch,
    /// Already drawn, or never to be.
    drawn: AtomicBool,
    steps: AtomicU64,
}

impl Meter {
    /// So many steps more are done.
    pub fn advance(&self, steps: u64) {
        let done = self.steps.fetch_add(steps, Ordering::Relaxed) + steps;
        // Looking at the clock costs more than most steps.
        if done.is_multiple_of(16) {
            if !self.drawn.load(Ordering::Relaxed)
                && self.clock.elapsed() > PATIENCE
                && !self.drawn.swap(true, Ordering::Relaxed)
            {
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            self.bar.set_position(done);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The display of a run: a bar for each bundle on a terminal, else a line when one starts and when it ends.
pub struct Bundles {
    mode: Progress,
    bars: MultiProgress,
    by_name: BTreeMap<String, (ProgressBar, ProgressStyle)>,
}

impl Progress {
    /// A display for bundles, each with its limit and the tests expected of it.
    #[must_use]
    pub fn bundles<'a>(self, bundles: impl Iterator<Item = (&'a str, Duration, usize)>) -> Bundles {
        let bars = MultiProgress::with_draw_target(self.target());
        Drawn::Many(bars.clone()).remember();
        let bundles: Vec<_> = bundles.collect();
        let widest = bundles.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
        let mut by_name = BTreeMap::new();
        for (name, limit, tests) in bundles {
            let limit = numbers::limit(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
            let bar = if tests > 0 { "{bar:16}  {pos}/{len}  " } else { "running  " };
            let running = style(&format!(" {{prefix}}  {bar}{{took}} of {limit}"))
                .progress_chars("█▉▊▋▌▍▎▏░")
                .with_key("took", |state: &ProgressState, text: &mut dyn std::fmt::Write| {
                    let _whole = write!(text, "{} s", numbers::thousands(state.elapsed().as_secs()));
                });
            let bar = bars.add(ProgressBar::new(tests as u64)).with_style(style(WITH_WORD));
            bar.set_prefix(format!("{name:widest$}"));
            bar.set_message("waiting");
            by_name.insert(name.to_owned(), (bar, running));
        }
        Bundles { mode: self, bars, by_name }
    }
}

/// A bundle that waits or is done.
const WITH_WORD: &str = " {prefix}  {msg}";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Bundles {
    /// Shows what happened.
    pub fn show(&self, event: &Event) {
        match event {
            Event::Started { bundle, attempt } => {
                let again = if *attempt > 1 { format!(" again (attempt {attempt})") } else { String::new() };
                self.line(&format!("{bundle}: started{again}"));
                if let Some((bar, style)) = self.by_name.get(bundle) {
                    bar.set_style(style.clone());
                    bar.reset_elapsed();
                    bar.enable_steady_tick(Duration::from_millis(200));
                }
            }
            Event::Tests { bundle, done, total } => {
                if let Some((bar, _)) = self.by_name.get(bundle) {
                    if let Some(total) = total {
                        bar.set_length((*total).max(*done) as u64);
                    }
                    bar.set_position(*done as u64);
                }
            }
            Event::Recorded { .. } => {}
            Event::Finished { outcome } => {
                let (word, _) = crate::screen::run::status(outcome.status);
                let tests = crate::screen::run::tests(outcome);
                let tests = if tests.is_empty() { String::new() } else { format!(", {tests}") };
                let took = match outcome.status {
                    BundleStatus::NothingSelected => String::new(),
                    _ => format!(", {}", numbers::duration(Duration::from_millis(outcome.duration_ms))),
                };
                self.line(&format!("{}: {word}{tests}{took}", outcome.bundle));
                if let Some((bar, _)) = self.by_name.get(&outcome.bundle) {
                    bar.disable_steady_tick();
                    bar.set_style(style(WITH_WORD));
                    bar.finish_with_message(format!("{word}{tests}{took}"));
                }
            }
        }
    }

    /// Clears the bars; the summary says it all.
    pub fn finish(&self) {
        let _gone = self.bars.clear();
    }

    fn line(&self, text: &str) {
        if self.mode == Progress::Lines {
            let _gone = writeln!(std::io::stderr().lock(), "{}", crate::screen::page::printable(text));
        }
    }
}
