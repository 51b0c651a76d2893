// SPDX-License-Identifier: Apache-2.0
//! Errors that no run of these tests gives, as values: they would need a fault of the machine, a
//! key that a sandbox does not have, or a service that it does not play. The code that prints every
//! error prints them.

mod http;
mod identity;
mod proof;
mod registry;
mod run;
mod trust;

use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use ambisign::commands;
use ambisign::commands::session::no_net;
use ambisign::report::{Console, Reporter, Style};
use ambisign_host::Failure;
use ambisign_host::{Env, Explain};

/// An error as it is told.
pub(crate) struct Told {
    /// Its code.
    pub(crate) code: String,
    /// The command that tells it.
    pub(crate) command: &'static str,
    /// Exit code and standard error, in the form of a transcript.
    pub(crate) text: String,
}

/// Every constructed error.
pub(crate) fn all() -> Vec<Told> {
    let signing = [
        http::all(),
        identity::all(),
        proof::of_signing(),
        registry::all(),
        run::all(),
        trust::all(),
    ];
    let told = signing.into_iter().flatten();
    let mut told: Vec<Told> = told.map(|error| told_by("sign", &*error)).collect();
    let verifying = proof::of_verifying();
    told.extend(verifying.iter().map(|error| told_by("verify", &**error)));
    told
}

/// An error of any stage.
type Error = Box<dyn Explain>;

/// `error` on the heap.
fn boxed(error: impl Explain + 'static) -> Error {
    Box::new(error)
}

/// What `command` tells when it ends with `error`.
fn told_by(command: &'static str, error: &dyn Explain) -> Told {
    let memory = Memory::default();
    let console = Console::new(Box::new(io::sink()), Box::new(memory.clone()), Style::default());
    let env = Env::default();
    let net = no_net(&env);
    let words = ["ambisign", command].map(OsString::from);
    let reporter = Reporter::new(&console, &net);
    let exit = commands::unreadable(&words, Failure::of(error), &env, reporter);
    let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    Told {
        code: error.code().into_owned(),
        command,
        text: format!("--- exit {exit}\n--- stderr\n{text}"),
    }
}

/// Standard error in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
