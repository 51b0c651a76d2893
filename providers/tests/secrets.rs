// SPDX-License-Identifier: Apache-2.0
//! Child processes see no credential of a platform that has a provider.

use std::path::PathBuf;
use std::time::Duration;

use ambisign_host::{Child, Clock, Env, Host, Net, NetOptions, spawn};
use ambisign_providers::{PROVIDERS, secret_variables};

#[tokio::test]
async fn no_child_sees_a_secret_of_a_provider() {
    let names: Vec<_> = secret_variables().collect();
    for known in ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN"] {
        assert!(names.contains(&known), "{known}");
    }
    let values = names.iter().map(|name| (*name, "c4n4ry"));
    let others = [("PATH", "/usr/bin:/bin"), ("HOME", "/kept")];
    let env: Env = values.chain(others).collect();
    let (env, clock) = (env.hide(secret_variables()), Clock::system());
    let host = Host {
        net: Net::new(&env, clock, NetOptions::default()),
        env,
        clock,
        root: PathBuf::from("/"),
    };
    let child = Child {
        program: "env",
        args: &[],
        input: b"",
        limit: Duration::from_secs(10),
        sees: &["*"],
        needs: &[],
    };
    let output = spawn(&host, child).await.unwrap();
    let output = String::from_utf8_lossy(&output.stdout);
    assert!(output.contains("HOME=/kept") && !output.contains("c4n4ry"), "{output}");
}

/// A name that says so is marked as secret.
#[test]
fn variables_with_tokens_are_secret() {
    for variable in PROVIDERS.iter().flat_map(|row| row.variables) {
        let is_token = variable.name.ends_with("TOKEN") || variable.example == "<token>";
        assert_eq!(is_token, variable.is_secret, "{}", variable.name);
    }
}
