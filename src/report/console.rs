// SPDX-License-Identifier: Apache-2.0
//! The two output streams. Only [`super::Reporter`] can write to them, so nothing is written that
//! was not redacted and neutralised.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError, TryLockError};

use ambisign_host::Env;

use super::runner::Runner;

/// Standard output and standard error, and how they are to look.
pub struct Console {
    streams: Mutex<Streams>,
    pub(super) look: Style,
}

struct Streams {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
}

/// How the log is to look.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// Whether there are colours.
    pub colour: Colour,
    /// The runner of GitHub Actions, when it reads the log: it turns some lines into annotations.
    pub runner: Option<Runner>,
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// A few, for labels.
    On,
    /// None.
    #[default]
    Off,
}

/// Which stream.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Out,
    Err,
}

impl Style {
    /// Colours only on a terminal that knows them, outside of CI, and not against `NO_COLOR`.
    pub fn of(env: &Env, terminal: bool) -> Self {
        let plain = !terminal
            || env.get("NO_COLOR").is_some()
            || env.get("CI").is_some()
            || env.get("TERM") == Some("dumb");
        Self { colour: if plain { Colour::Off } else { Colour::On }, runner: Runner::of(env) }
    }
}

impl Console {
    /// The streams of the process.
    pub fn process(env: &Env) -> Self {
        let look = Style::of(env, io::stderr().is_terminal());
        Self::new(Box::new(io::stdout()), Box::new(io::stderr()), look)
    }

    /// Other streams, for tests.
    pub fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, look: Style) -> Self {
        Self { streams: Mutex::new(Streams { out, err }), look }
    }

    /// Writes the whole of `text` at once, so that lines of parallel work do not mix.
    pub(super) fn write(&self, stream: Stream, text: &str) -> io::Result<()> {
        // A panic can come while the streams are locked by its own thread: waiting would not end.
        let mut streams = match self.streams.try_lock() {
            Err(TryLockError::WouldBlock) if std::thread::panicking() => return Ok(()),
            Err(TryLockError::WouldBlock) => {
                self.streams.lock().unwrap_or_else(PoisonError::into_inner)
            }
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Ok(streams) => streams,
        };
        let to = match stream {
            Stream::Out => &mut streams.out,
            Stream::Err => &mut streams.err,
        };
        to.write_all(text.as_bytes())?;
        to.flush()
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("look", &self.look).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use ambisign_host::Env;

    use super::{Colour, Style};

    #[test]
    fn colours_need_a_terminal_and_no_objection() {
        let colour = |env: &[(&str, &str)], terminal| {
            Style::of(&Env::from_iter(env.iter().copied()), terminal).colour
        };
        assert_eq!(colour(&[("NO_COLOR", "")], true), Colour::On);
        assert_eq!(colour(&[], false), Colour::Off);
        for objection in [("NO_COLOR", "1"), ("CI", "true"), ("TERM", "dumb")] {
            assert_eq!(colour(&[objection], true), Colour::Off);
        }
        let github = Env::from_iter([("GITHUB_ACTIONS", "true")]);
        assert!(Style::of(&github, false).runner.is_some());
        assert!(Style::of(&Env::default(), false).runner.is_none());
    }
}
