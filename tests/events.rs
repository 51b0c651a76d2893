// SPDX-License-Identifier: Apache-2.0
//! The events of whole runs against a sandbox, in their order: what the report, the log and whoever
//! ends a run in the middle are made from.

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use ambisign::cli::{self, Command};
    use ambisign::commands::session;
    use ambisign::outcome::event::{Event, ImageEvent};
    use ambisign::outcome::{Report, State};
    use ambisign::pipeline::Context;
    use ambisign::report::{Console, Recorder, Reporter, Style};
    use ambisign::settings::Settings;
    use ambisign_host::Env;
    use ambisign_sandbox::{Lie, Options, Sandbox};
    use getrandom::SysRng;
    use getrandom::rand_core::UnwrapErr;
    use serde_json::Map;

    /// Before anything is public. The warning says that the image is named by a tag.
    const BEGINNING: [&str; 8] = [
        "Began",
        "AnnotationsGiven",
        "RegistryAccessGiven",
        "ImagesRequested",
        "Warned",
        "ImagesResolved",
        "IdentityChosen",
        "InstanceChosen",
    ];
    /// Of a certificate that is issued.
    const CERTIFICATE: [&str; 3] = ["CertificateRequested", "CertificateUsed", "CertificateIssued"];
    /// From the certificate to a log entry.
    const EVIDENCE: [&str; 4] = ["CertificateUsed", "Timestamped", "LogRequested", "Logged"];

    /// The names of the events of `ambisign sign` for one image, with the code of its failure.
    fn events(lies: &[Lie], tag: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(Options {
            lies: lies.to_vec(),
            dir: Some(folder.path().to_owned()),
            ..Options::default()
        })
        .unwrap();
        let registry = &sandbox.urls().registry_referrers;
        sandbox.push_image(registry, "acme/app", "1").unwrap();
        let claims = Map::new();
        let token = sandbox.token("github", "sigstore", claims).unwrap();
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let words = [
            "ambisign".to_owned(),
            "sign".to_owned(),
            "--timeout=10s".to_owned(),
            format!("--bundle-dir={}", file("bundles")),
            format!("--trusted-root={}", file("trusted_root.json")),
            format!("--signing-config={}", file("signing_config.v1.json")),
            format!("{registry}/acme/app:{tag}"),
        ];
        let env: Env = [("SIGSTORE_ID_TOKEN", token.as_str())].into_iter().collect();
        let words = words.map(Into::into);
        let (Command::Sign(args), env) = cli::read(&words, env).unwrap() else {
            panic!("not the command `sign`");
        };
        let settings = Settings::resolve(*args, &env).unwrap();
        let sink = || Box::new(io::sink());
        let console = Arc::new(Console::new(sink(), sink(), Style::default()));
        let signing = &settings.signing;
        let host = session::host(env, &signing.trust, &signing.run, &console);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let watch = Arc::clone(&seen);
        let recorder =
            Recorder::new(Reporter::new(&console, &host.net), Report::new(host.clock.now()))
                .watched(Box::new(move |event| watch.lock().unwrap().push(name(event))));
        let context = Context { host: &host, settings: signing, recorder: &recorder };
        let mut rng = UnwrapErr(SysRng);
        let signed = context.sign(&settings, &mut rng);
        let _end = session::supervise(signing.run.timeout, signed);
        let seen = seen.lock().unwrap();
        seen.clone()
    }

    /// The name of `event`; of the end of an image, also what it is.
    fn name(event: &Event) -> String {
        if let Event::Image(_, ImageEvent::Finished(state)) = event {
            return if let State::Failed(failure) = state {
                format!("Finished {}", failure.code)
            } else {
                format!("Finished {state:?}")
            };
        }
        let text = if let Event::Image(_, event) = event {
            format!("{event:?}")
        } else {
            format!("{event:?}")
        };
        let end = text.find(|c: char| !c.is_alphanumeric());
        text[..end.unwrap_or(text.len())].to_owned()
    }

    #[test]
    fn a_run_that_goes_well_says_each_thing_once() {
        let end = ["BundleVerified", "BundleKept", "Attached", "Finished Signed"];
        let expected = [&BEGINNING[..], &CERTIFICATE, &EVIDENCE, &end].concat();
        assert_eq!(events(&[], "1"), expected);
    }

    #[test]
    fn an_image_that_is_not_there_ends_before_anybody_is_asked_for_more() {
        let expected = [&BEGINNING[..4], &["ImagesResolved"]].concat();
        assert_eq!(events(&[], "absent"), expected);
    }

    #[test]
    fn a_certificate_that_lies_is_known_to_exist() {
        let expected = [&BEGINNING[..], &["CertificateRequested"]].concat();
        assert_eq!(events(&[Lie::CertificateForAnotherName], "1"), expected);
    }

    #[test]
    fn a_log_that_lies_leaves_an_entry_that_may_exist() {
        let end = ["Finished rekor/promise"];
        let expected = [&BEGINNING[..], &CERTIFICATE, &EVIDENCE[..3], &end].concat();
        assert_eq!(events(&[Lie::PromiseByAnotherKey], "1"), expected);
    }

    #[test]
    fn a_registry_that_keeps_nothing_leaves_the_bundle_in_a_file() {
        let end =
            ["BundleVerified", "BundleKept", "Finished registry/not-visible", "BundleWritten"];
        let expected = [&BEGINNING[..], &CERTIFICATE, &EVIDENCE, &end].concat();
        assert_eq!(events(&[Lie::RegistryKeepsNothing], "1"), expected);
    }
}
