// SPDX-License-Identifier: Apache-2.0
//! Providers against peers on loopback: what is asked, and what each answer leads to.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may fail loudly, as the tests themselves"
)]

mod github;
mod google;
mod hello;
mod metadata;
mod peer;
mod table;

use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;

use ambisign_host::{Clock, Env, Explain, Host, Net, NetOptions, Token};
use ambisign_providers::{Error, Options, choose};
use tokio::time::Instant;

/// Stands for every secret that a test hands out, and must never be seen again.
const CANARY: &str = "c4n4ry";

fn host(vars: impl IntoIterator<Item = (String, String)>, time: Duration) -> Host {
    let env: Env = vars.into_iter().collect();
    let clock = Clock::system();
    let root = PathBuf::from("/nowhere");
    let options = NetOptions {
        deadline: Some(Instant::now() + time),
        root: root.clone(),
        ..NetOptions::default()
    };
    Host { net: Net::new(&env, clock, options), env, clock, root }
}

/// What the chosen provider gives, for the audience `a&b`.
async fn ask(host: &Host) -> Result<Token, Error> {
    let options = Options {
        audience: "a&b".to_owned(),
        token_variables: vec!["TEST_ID_TOKEN".to_owned()],
        token_file: PathBuf::from("/var/run/test/token"),
        ..Options::default()
    };
    let choice = choose(host, &options)?;
    choice.source.token(host, &options.audience).await
}

fn vars<const N: usize>(pairs: [(&str, String); N]) -> Vec<(String, String)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whatever an error can show holds no secret.
fn assert_keeps_secrets(error: &Error) {
    let mut text = format!("{error} {error:?} {:?}", error.fix());
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&error.to_string());
        source = error.source();
    }
    assert!(!text.contains(CANARY), "{text}");
}
