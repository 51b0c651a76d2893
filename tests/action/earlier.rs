// SPDX-License-Identifier: Apache-2.0
//! A job in which an earlier step wrote to `GITHUB_ENV` whatever makes a shell, a loader or a tool run code. In the
//! steps of the action nothing runs and nothing leaks, whichever shell `/bin/sh` is.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::act::Repository;
use crate::common::{Cosign, Registry, Stack};
use crate::step::Step;
use crate::traps::Traps;

const IMAGE: &str =
    "ghcr.io/acme/app@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The shells that `/bin/sh` is on runners.
const SHELLS: [&str; 2] = ["/bin/bash", "/bin/dash"];

#[test]
fn variables_of_an_earlier_step_run_nothing() {
    for shell in SHELLS {
        let traps = Traps::new();
        let variables = traps.variables();
        assert!(variables.len() >= 60, "{}", variables.len());
        let step = || {
            let step = Step::new().sh(shell);
            variables.iter().fold(step, |step, (name, value)| step.job(name, value))
        };
        let installed = step().install();
        assert_eq!(traps.sprung(), [""; 0], "{shell}: {}", installed.run);
        assert_eq!(installed.run.code, Some(0), "{shell}: {}", installed.run);
        assert_eq!(installed.outputs["program"], env!("CARGO_BIN_EXE_ambisign"));
        let signed = step().input("images", IMAGE).run();
        assert_eq!(traps.sprung(), [""; 0], "{shell}: {}", signed.run);
        signed.refused(3, "github/not-permitted");
    }
}

/// A registry that asks for a login, until the test ends.
fn registry() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _asked = stream.read(&mut [0; 4096]);
            let _told = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            );
        }
    });
    host
}

/// A configuration of Docker can name any program in `PATH` as a credential helper.
#[test]
fn a_helper_in_a_folder_of_an_earlier_step_is_not_run() {
    let (traps, host) = (Traps::new(), registry());
    let ran = Step::new()
        .job("PATH", format!("{}:/usr/bin:/bin", traps.path("bin").display()))
        .job("DOCKER_CONFIG", traps.helper(&host).to_str().unwrap())
        .input("images", IMAGE.replace("ghcr.io", &host))
        .input("identity-token", "e30.e30.e30")
        .input("trusted-root", "/absent")
        .input("signing-config", "/absent")
        .run();
    assert_eq!(traps.sprung(), [""; 0], "{}", ran.run);
    let error = &ran.document()["images"][0]["error"];
    assert_eq!(error["code"], "registry/credentials", "{}", ran.run);
    assert!(ran.run.stderr.contains("docker-credential-trap"), "{}", ran.run);
}

/// The same in a job that `act` runs, where `/bin/sh` is each of the shells for every process of the job.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_job_with_a_hostile_earlier_step_signs_and_runs_nothing_else() {
    let stack = Stack::shared();
    for shell in SHELLS {
        let (traps, repository) = (Traps::new(), Repository::new(&stack).sh(shell));
        let image = stack.push(Registry::Fallback, "action/earlier", 1);
        let before = Traps::step(&traps.variables());
        let text = repository.signing(&image.reference(), "", &before) + &traps.keep();
        let ran = repository.permitted(&stack, &text);
        assert_eq!(traps.kept(), [""; 0], "{shell}: {}", ran.log.join("\n"));
        let ran = ran.expect(0);
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
        assert_eq!(ran.outputs["signed-refs"], image.reference(), "{shell}");
    }
}

/// The runner takes exit 0 for success, whatever ran.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_step_without_outputs_fails() {
    let stack = Stack::shared();
    let repository = Repository::new(&stack);
    repository
        .replace_program("#!/bin/dash\nif [ \"$1\" = --version ]; then echo ambisign 0.1.0; fi\n");
    let image = stack.push(Registry::Fallback, "action/silent", 1);
    let text = repository.signing(&image.reference(), "", "");
    let ran = repository.permitted(&stack, &text).expect(1);
    let said = ran.log.join("\n");
    assert!(said.contains("ambisign-wrote-no-outputs"), "{said}");
    assert!(image.signatures().is_empty());
}

/// The loader of a program that is not static lists its libraries then, and the run is no success.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_step_in_which_the_program_did_not_start_fails() {
    let stack = Stack::shared();
    let repository = Repository::new(&stack);
    let image = stack.push(Registry::Fallback, "action/loader", 1);
    let before = Traps::step(&[("LD_TRACE_LOADED_OBJECTS".to_owned(), "1".to_owned())]);
    let text = repository.signing(&image.reference(), "", &before);
    let ran = repository.permitted(&stack, &text).expect(1);
    let said = ran.log.join("\n");
    assert!(said.contains("ambisign-is-not-installed"), "{said}");
    assert!(image.signatures().is_empty());
}
