// SPDX-License-Identifier: Apache-2.0
//! Many requests wait for one host: the log has one line for it.

use std::collections::BTreeMap;

use crate::common::forward::{Does, Forward};
use crate::place::{FAR, Place};

const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";

/// How many lines of `log` tell of a wait, by the tries before it.
fn waits(log: &str) -> BTreeMap<&str, usize> {
    let mut waits = BTreeMap::new();
    for line in log.lines().filter(|line| line.starts_with("  waiting ")) {
        let tries = line.rsplit_once("(try ").unwrap().1.trim_end_matches(')');
        *waits.entry(tries).or_default() += 1;
    }
    waits
}

#[test]
fn one_line_is_told_for_each_host_and_step() {
    let (place, proxy) = (Place::new(), Forward::that(Does::Say(BUSY)));
    let image = |name: &str| format!("{FAR}-{name}");
    let job = || {
        place
            .job("sign", &image("one"))
            .args([image("two"), image("three")])
            .env("HTTPS_PROXY", proxy.url("http"))
    };
    let run = job().run().expect(75);
    let told = waits(&run.stderr);
    let lines: usize = told.values().sum();
    assert!((2..=7).contains(&lines), "{lines} lines: {run}");
    let said = format!(
        " for r.example: the proxy {} could not reach r.example (HTTP 503: `busy`) (try 1)",
        proxy.url("http")
    );
    assert_eq!(run.stderr.matches(&said).count(), 1, "{run}");

    // Whoever wants to see each request sees each wait.
    let loud = job().arg("--verbose").run().expect(75);
    let each: usize = waits(&loud.stderr).values().sum();
    assert!(each > 20, "{each} lines: {loud}");
    assert!(loud.stderr.contains(" for https://r.example/v2/"), "{loud}");
}
