// SPDX-License-Identifier: Apache-2.0
//! Prints the identity of this environment: provider, issuer and `sub` of its identity token, but never
//! the token.
//!
//! ```text
//! whoami [AUDIENCE [PROVIDER]]
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use ambisign_providers::{Detector, Explain, Options};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    email: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let audience = arguments.next().unwrap_or_else(|| "whoami".to_owned());
    let options = Options {
        token_variables: vec!["WHOAMI_ID_TOKEN".to_owned()],
        token_file: PathBuf::from("/var/run/whoami/token"),
        provider: arguments.next(),
        ..Options::default()
    };
    match whoami(&audience, options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

fn tell(error: &ambisign_providers::Error) {
    let mut out = io::stderr();
    let _closed = writeln!(out, "error: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        let _closed = writeln!(out, "because: {error}");
        source = error.source();
    }
    if let Some(fix) = error.fix() {
        let _closed = writeln!(out, "fix: {fix}");
    }
    let _closed = writeln!(out, "code: {}", error.code());
}

async fn whoami(audience: &str, options: Options) -> Result<(), ambisign_providers::Error> {
    let detector = Detector::from_env().with_options(options);
    let choice = detector.detect(audience)?;
    let token = choice.source.token(detector.host(), audience).await?;
    let mut out = io::stdout();
    for note in &choice.notes {
        let _closed = writeln!(out, "note: {note}");
    }
    let _closed = writeln!(out, "provider: {}", choice.provider);
    let claims = token.expose().split('.').nth(1);
    let claims = claims
        .and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok())
        .and_then(|claims| serde_json::from_slice::<Claims>(&claims).ok());
    let _closed = match claims {
        Some(Claims { iss, sub, email }) => {
            writeln!(out, "issuer: {iss}\nsub: {sub}\nemail: {}", email.unwrap_or_default())
        }
        None => writeln!(out, "the token cannot be read"),
    };
    Ok(())
}
