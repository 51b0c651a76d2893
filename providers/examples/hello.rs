// SPDX-License-Identifier: Apache-2.0
//! Requests an identity token from this environment.

use ambisign_providers::{Detector, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let token = Detector::from_env().token("sigstore").await?;
    use_it(token.expose());
    Ok(())
}

/// Prints only the length of the token, because an identity token is a secret.
#[expect(clippy::print_stdout, reason = "an example")]
fn use_it(token: &str) {
    println!("a token of {} bytes", token.len());
}
