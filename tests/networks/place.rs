// SPDX-License-Identifier: Apache-2.0
//! A sandbox of Sigstore's services, and runs of the program in a network that stands in its way.

use std::path::{Path, PathBuf};

use ambisign_sandbox::{Options, Sandbox};
use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::common::{
    Finished, GITHUB_IDENTITY, Program, Service, assert_no_canary, signing_config_with,
};

/// An image in a registry that nobody reaches but by a proxy.
pub(crate) const FAR: &str = "r.example/acme/app";
/// User and password of the proxies that want them.
pub(crate) const LOGIN: &str = "user:c4n4ry-c4n4ry";
/// The password in it.
pub(crate) const PASSWORD: &str = "c4n4ry-c4n4ry";
/// A digest of no image.
const NO_IMAGE: &str = "sha256:9f2c000000000000000000000000000000000000000000000000000000000000";

/// The names of the public instance, for which the proxy of the sandbox answers.
const PUBLIC: [(Service, &str); 3] = [
    (Service::Fulcio, "https://fulcio.sigstore.dev"),
    (Service::Rekor, "https://rekor.sigstore.dev"),
    (Service::Tsa, "https://timestamp.sigstore.dev/api/v1/timestamp"),
];

/// Where runs play.
pub(crate) struct Place {
    pub(crate) sandbox: Sandbox,
    dir: TempDir,
}

/// The error of a run.
#[derive(Debug)]
pub(crate) struct Told {
    /// What happened, and why.
    pub(crate) text: String,
    pub(crate) fix: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let options = Options { dir: Some(dir.path().join("sandbox")), ..Options::default() };
        let sandbox = Sandbox::start(options).unwrap();
        Self { sandbox, dir }
    }

    /// A file of the sandbox's.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("sandbox").join(name)
    }

    /// Writes `bytes` into the file `name`.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A new image in the registry, by its repository and digest.
    pub(crate) fn image(&self) -> (String, String) {
        let registry = &self.sandbox.urls().registry_referrers;
        let digest = self.sandbox.push_image(registry, "acme/app", "1");
        (format!("{registry}/acme/app"), digest.unwrap())
    }

    /// `sign`, `doctor` or `verify` of `image`, which gets no further than the network lets it.
    pub(crate) fn job(&self, command: &str, image: &str) -> Program {
        self.with_services(command, &self.file("signing_config.v1.json"))
            .args(["--output", "json", "--timeout", "20s"])
            .arg(image)
    }

    /// The same with the services of the public names, which only the proxy of the sandbox reaches.
    pub(crate) fn public_job(&self, command: &str, image: &str) -> Program {
        let config =
            PUBLIC.iter().fold(self.file("signing_config.v1.json"), |config, (service, url)| {
                signing_config_with(&config, self.dir.path(), *service, url)
            });
        self.with_services(command, &config)
            .args(["--output", "json", "--timeout", "60s"])
            .arg(image)
    }

    fn with_services(&self, command: &str, config: &Path) -> Program {
        let token = self.sandbox.token("github", "sigstore", Map::new());
        let issuer = format!("{}/github", self.sandbox.urls().oidc);
        let program = Program::ambisign()
            .env("SIGSTORE_ID_TOKEN", token.unwrap())
            .args([command, "--trusted-root"])
            .arg(self.file("trusted_root.json"));
        match command {
            "verify" => program
                .args(["--certificate-identity", GITHUB_IDENTITY])
                .args(["--certificate-oidc-issuer", &issuer]),
            _ => program.arg("--signing-config").arg(config),
        }
    }

    /// No certificate and no log entry was requested, and nothing was attached. A timestamp may be: a run
    /// compares the authority with the trusted root, by the timestamp of nothing.
    #[track_caller]
    pub(crate) fn nothing_is_public(&self) {
        let journal = self.sandbox.journal().into_iter();
        let public = journal.filter(|asked| {
            let is_sigstore = ["fulcio", "rekor", "rekor2"].contains(&asked.service);
            asked.method == "PUT" || (asked.method == "POST" && is_sigstore)
        });
        let public: Vec<_> = public.map(|asked| (asked.service, asked.path)).collect();
        assert!(public.is_empty(), "{public:?}");
    }

    /// `sign`, `doctor` and `verify` of an image behind the proxy end in the same way, with `vars`;
    /// returns what they say.
    #[track_caller]
    pub(crate) fn refused(&self, vars: &[(&str, &str)], code: &str, exit: i32) -> Told {
        self.refused_for(&format!("{FAR}@{NO_IMAGE}"), vars, (code, exit))
    }

    /// The same of `image`.
    #[track_caller]
    pub(crate) fn refused_for(
        &self,
        image: &str,
        vars: &[(&str, &str)],
        (code, exit): (&str, i32),
    ) -> Told {
        let told: Vec<Told> = std::thread::scope(|scope| {
            let runs = ["sign", "doctor", "verify"].map(|command| {
                let job = self.job(command, image);
                let job = vars.iter().fold(job, |job, (name, value)| job.env(name, value));
                scope.spawn(move || job.run())
            });
            let ended = runs.map(|run| run.join().unwrap());
            ended.into_iter().map(|run| told(&run, code, exit)).collect()
        });
        self.nothing_is_public();
        let [sign, doctor, verify] = told.try_into().unwrap();
        for other in [&doctor, &verify] {
            assert_eq!(other.fix, sign.fix);
            assert_eq!(without_tries(&other.text), without_tries(&sign.text));
        }
        sign
    }

    /// `sign` of an image on this machine with the services of the public names goes well with `vars`.
    #[track_caller]
    pub(crate) fn signed(&self, vars: &[(&str, &str)]) -> Finished {
        let (repository, digest) = self.image();
        let job = self.public_job("sign", &format!("{repository}@{digest}"));
        let job = vars.iter().fold(job, |job, (name, value)| job.env(name, value));
        let run = job.run().expect(0);
        let registry = &self.sandbox.urls().registry_referrers;
        let attached = self.sandbox.attached(registry, "acme/app", &digest);
        assert!(!attached.is_empty(), "{run}");
        assert_no_canary(&[PASSWORD], &run.outputs());
        run
    }
}

/// What `run` tells of an error with this code and exit code, in its document and on its log alike.
#[track_caller]
pub(crate) fn told(run: &Finished, code: &str, exit: i32) -> Told {
    assert!(!run.hung, "{run}");
    assert_eq!(run.code, Some(exit), "expected {code}: {run}");
    let document = run.json();
    let error = error(&document);
    assert_eq!(error["code"], code, "{run}");
    assert!(run.stderr.contains(&format!("code: {code}")), "{run}");
    assert_no_canary(&[PASSWORD], &run.outputs());
    let texts = [&error["message"], &error["because"][0]];
    let texts = texts.map(|text| text.as_str().unwrap_or_default());
    Told { text: texts.join(": "), fix: error["fix"].as_str().unwrap_or_default().to_owned() }
}

/// The error of the document of a command: of the run, of its image, or the first that was found.
fn error(document: &Value) -> &Value {
    let findings = document["findings"].as_array();
    let failed = findings.and_then(|all| all.iter().find(|one| one["status"] == "fail"));
    let places =
        [&document["error"], &document["images"][0]["error"], &document["artifacts"][0]["error"]];
    let of_run = places.into_iter().find(|error| !error.is_null());
    failed.or(of_run).unwrap_or(&Value::Null)
}

/// A diagnosis is less patient than a run.
fn without_tries(text: &str) -> &str {
    text.split(" tries)").next().unwrap().trim_end_matches(|c: char| c.is_ascii_digit())
}
