// SPDX-License-Identifier: Apache-2.0
//! Every situation that was thought of, and who wins in it.

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ambisign_host::{Class, Clock, Env, Explain, Host, Net, NetOptions};
use secrecy::SecretString;

use super::{ChooseError, choose, survey};
use crate::platforms::PLATFORMS;
use crate::{Detection, Error, GivenToken, Kind, Names, Options, PROVIDERS};

/// A machine: variables, and files in a folder of its own that goes with it.
pub(crate) struct Place {
    vars: Vec<(String, String)>,
    root: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ambient-{}-{number}", std::process::id());
        let root = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&root).unwrap();
        let vars = Vec::new();
        Self { vars, root }
    }

    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn file(self, path: &str, content: &str) -> Self {
        let path = self.root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn host(&self) -> Host {
        let env: Env = self.vars.iter().cloned().collect();
        let clock = Clock::system();
        let net = Net::new(&env, clock, NetOptions::default());
        Host { env, net, clock, root: self.root.clone() }
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            audience: "aud".to_owned(),
            token_variables: vec!["TEST_ID_TOKEN".to_owned(), "TEST_OTHER_TOKEN".to_owned()],
            token_file: PathBuf::from("/var/run/test/token"),
            names: &Names {
                provider: "--from",
                token: "--token",
                token_file: "--token-file",
                disable_ambient: "--no-ambient",
                require_identity: Some("--only"),
                realm: Some("--issuer"),
            },
            ..Options::default()
        }
    }

    fn winner(&self) -> &'static str {
        choose(&self.host(), &self.options()).unwrap().provider
    }

    fn error(&self) -> Error {
        choose(&self.host(), &self.options()).unwrap_err()
    }

    fn notes(&self) -> String {
        choose(&self.host(), &self.options()).unwrap().notes.join("\n")
    }

    fn requested(&self, name: &str) -> Result<&'static str, Error> {
        let options = Options { provider: Some(name.to_owned()), ..self.options() };
        choose(&self.host(), &options).map(|choice| choice.provider)
    }

    fn on_gce(self) -> Self {
        self.file("/sys/class/dmi/id/product_name", "Google Compute Engine\n")
    }

    fn in_github(self) -> Self {
        self.in_github_without_permission()
            .var(
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                "https://run.actions.githubusercontent.com/x?api-version=2.0",
            )
            .var("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token")
    }

    fn in_github_without_permission(self) -> Self {
        self.var("GITHUB_ACTIONS", "true")
    }

    fn impersonating(self) -> Self {
        self.var("GOOGLE_SERVICE_ACCOUNT_NAME", "signer@p.iam.gserviceaccount.com")
    }

    fn with_token_file(self) -> Self {
        self.file("/var/run/test/token", "a.b.c")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.root);
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn github_runner_on_gce_with_permission() {
    let place = Place::new().in_github().on_gce();
    assert_eq!(place.winner(), "github-actions");
    assert_eq!(place.notes(), "");
}

#[test]
fn github_runner_on_gce_without_permission() {
    let place = Place::new().in_github_without_permission().on_gce();
    assert_eq!(place.error().code(), "github/not-permitted");
}

#[test]
fn github_with_google_impersonation() {
    let place = Place::new().in_github().on_gce().impersonating();
    assert_eq!(place.winner(), "github-actions");
    assert!(place.notes().contains("--from google-impersonate"));
    assert_eq!(place.requested("google-impersonate").unwrap(), "google-impersonate");
}

#[test]
fn gitlab_runner_on_gke_with_token() {
    let place = Place::new().var("GITLAB_CI", "true").var("TEST_ID_TOKEN", "a.b.c").on_gce();
    assert_eq!(place.winner(), "gitlab");
    assert!(!place.notes().contains("envvar"));
}

#[test]
fn gitlab_runner_on_gke_without_token() {
    let place = Place::new().var("GITLAB_CI", "true").var("VAULT_ID_TOKEN", "c4n4ry").on_gce();
    let error = place.error();
    assert_eq!(error.code(), "gitlab/no-token");
    assert!(error.to_string().contains("VAULT_ID_TOKEN"));
    assert!(!error.to_string().contains("c4n4ry"));
    assert_eq!(error.fix().unwrap(), "add `id_tokens: {TEST_ID_TOKEN: {aud: aud}}` to the job");
}

#[test]
fn a_job_of_a_ci_system_with_tokens_never_signs_as_the_machine_below_it() {
    let systems = PROVIDERS.iter().filter(|row| row.kind == Kind::Ci);
    let mut count = 0;
    for system in systems {
        let place = Place::new().var(system.variables[0].name, "true").on_gce();
        let code = place.error().code().into_owned();
        assert!(!code.starts_with("gce/"), "{}: {code}", system.name);
        count += 1;
    }
    assert!(count >= 5);
}

#[test]
fn a_job_of_a_ci_system_without_tokens_is_its_google_machine_by_request_alone() {
    let systems = PLATFORMS.iter().filter(|row| row.kind == Kind::Ci);
    let mut names = Vec::new();
    for system in systems {
        let value = match system.name {
            "Woodpecker" => "woodpecker",
            _ => "true",
        };
        let place = Place::new().var(system.marks[0], value);
        // Without a machine that has an identity there is none.
        assert_eq!(place.error().code(), "provider/no-identity");
        let place = place.on_gce();
        let error = place.error();
        assert_eq!(error.code(), "provider/machine");
        assert!(error.to_string().starts_with(&format!("this is {}, ", system.name)));
        let fix = error.fix().unwrap();
        let request = "request it with `--from google-workload-identity`";
        assert!(fix.ends_with(request), "{fix}");
        for name in ["google-workload-identity", "google"] {
            assert_eq!(place.requested(name).unwrap(), "google-workload-identity");
        }
        // What somebody configured for the job comes before it.
        assert_eq!(place.impersonating().winner(), "google-impersonate");
        names.push(system.name);
    }
    for name in ["Azure Pipelines", "Jenkins", "Travis CI", "Woodpecker"] {
        assert!(names.contains(&name), "{name}");
    }
}

#[test]
fn jenkins_agent_on_gke() {
    let place = Place::new().var("JENKINS_URL", "https://j").on_gce();
    let error = place.error();
    assert_eq!(error.code(), "provider/machine");
    assert_eq!(error.class(), Class::Identity);
    assert!(error.fix().unwrap().contains("bind an OpenID Connect"));
    // A machine that cannot be asked is no way out.
    let odd = place.var("GCE_METADATA_HOST", "metadata.example.com");
    assert_eq!(odd.error().code(), "provider/no-identity");
}

#[test]
fn jenkins_agent_on_gke_with_token_file() {
    let place = Place::new().var("JENKINS_URL", "https://j").on_gce().with_token_file();
    assert_eq!(place.winner(), "filesystem");
    assert_eq!(place.requested("kubernetes-file").unwrap(), "filesystem");
}

#[test]
fn cloud_build_with_impersonation() {
    let place = Place::new().var("BUILDER_OUTPUT", "/builder/outputs").on_gce().impersonating();
    assert_eq!(place.winner(), "google-impersonate");
    assert_eq!(place.requested("google").unwrap(), "google-impersonate");
}

#[test]
fn cloud_build_without_impersonation() {
    let place = Place::new().var("BUILDER_OUTPUT", "/builder/outputs");
    assert_eq!(place.winner(), "google-workload-identity");
    assert_eq!(place.requested("google").unwrap(), "google-workload-identity");
}

#[test]
fn buildkite_on_eks() {
    let place = Place::new().var("BUILDKITE", "true").var("AWS_WEB_IDENTITY_TOKEN_FILE", "/t");
    let error = place.error();
    assert_eq!(error.code(), "buildkite/unsupported");
    assert!(error.fix().unwrap().contains("TEST_ID_TOKEN"));
    let place = place.var("TEST_ID_TOKEN", "a.b.c");
    assert_eq!(place.winner(), "envvar");
}

#[test]
fn tekton_on_gke_with_token_file() {
    let place = Place::new().on_gce().with_token_file();
    assert_eq!(place.winner(), "filesystem");
}

#[test]
fn act_locally() {
    let place = Place::new().in_github_without_permission().var("ACT", "true");
    assert_eq!(place.error().code(), "github/act");
}

#[test]
fn developer_laptop() {
    let error = Place::new().error();
    assert_eq!(error.code(), "provider/no-identity");
    assert_eq!(error.class(), Class::Identity);
    for looked in ["`TEST_ID_TOKEN`", "`github-actions`", "`filesystem`"] {
        assert!(error.to_string().contains(looked), "{error}");
    }
}

#[test]
fn every_platform_without_acquisition_names_the_variable() {
    for variable in ["BUILDKITE", "CIRCLECI", "CF_BUILD_ID"] {
        let error = Place::new().var(variable, "true").on_gce().error();
        assert!(error.code().ends_with("/unsupported"), "{variable}");
        assert!(error.fix().unwrap().contains("TEST_ID_TOKEN"), "{variable}");
    }
    let socket = Place::new().var("SPIFFE_ENDPOINT_SOCKET", "unix:///run/x.sock");
    assert_eq!(socket.on_gce().error().code(), "spiffe/unsupported");
}

#[test]
fn two_ready_ci_platforms_are_an_error_and_a_request_decides() {
    let place = Place::new().in_github().var("GITLAB_CI", "true").impersonating();
    // GitLab is broken without its token: that is no second candidate.
    assert_eq!(place.winner(), "github-actions");
    let place = place.var("TEST_ID_TOKEN", "a.b.c");
    assert_eq!(place.winner(), "gitlab");
    assert_eq!(place.requested("github-actions").unwrap(), "github-actions");

    let seen = |name, kind| super::ProviderStatus {
        name,
        kind,
        marks: Vec::new(),
        detection: Detection::Ready(Box::new(crate::file::StandardInput)),
    };
    let both = [seen("one", Kind::Ci), seen("other", Kind::Ci), seen("asked", Kind::Asked)];
    let place = Place::new();
    let error = super::pick(&both, &place.host(), &place.options()).unwrap_err();
    assert_eq!(error.code(), "provider/ambiguous");
    assert_eq!(error.fix().unwrap(), "choose one with `--from one` or `--from other`");
}

#[test]
fn a_broken_ci_platform_blocks_only_the_machine() {
    let github = || Place::new().in_github_without_permission().on_gce();
    for (place, winner) in [
        (github().with_token_file(), "filesystem"),
        (github().impersonating(), "google-impersonate"),
        (github().var("TEST_ID_TOKEN", "a.b.c"), "envvar"),
    ] {
        assert_eq!(place.winner(), winner);
        assert!(place.notes().contains("`github-actions` was not used: this GitHub job"));
    }
    assert_eq!(github().requested("google-workload-identity").unwrap(), "google-workload-identity");
}

#[test]
fn an_empty_variable_is_an_error_whatever_else_is_here() {
    let place = Place::new().var("TEST_ID_TOKEN", " ").in_github().on_gce();
    assert_eq!(place.error().code(), "env-var/empty");
    assert_eq!(place.requested("github-actions").unwrap(), "github-actions");
    let gitlab = Place::new().var("TEST_ID_TOKEN", "").var("GITLAB_CI", "true");
    assert_eq!(gitlab.error().code(), "env-var/empty");
    let asked = Place::new().var("GOOGLE_SERVICE_ACCOUNT_NAME", "").on_gce();
    assert_eq!(asked.error().code(), "impersonation/name");
}

#[test]
fn two_variables_must_agree() {
    let place = Place::new().var("TEST_ID_TOKEN", "a.b.c");
    assert_eq!(place.winner(), "envvar");
    let same = place.var("TEST_OTHER_TOKEN", "a.b.c\n");
    assert_eq!(same.winner(), "envvar");
    let other = Place::new().var("TEST_ID_TOKEN", "a.b.c").var("TEST_OTHER_TOKEN", "a.b.d");
    assert_eq!(other.error().code(), "env-var/disagree");
}

#[test]
fn two_asked_for_identities_are_an_error() {
    let place = Place::new().on_gce().impersonating().with_token_file();
    let error = place.error();
    assert!(error.to_string().contains("`google-impersonate`, `filesystem`"));
    assert_eq!(place.requested("filesystem").unwrap(), "filesystem");
}

#[test]
fn a_flag_comes_before_everything() {
    let place = Place::new().in_github().var("TEST_ID_TOKEN", "");
    let token = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln".to_owned();
    for given in [
        GivenToken::Value(SecretString::from(token)),
        GivenToken::File(PathBuf::from("/t")),
        GivenToken::File(PathBuf::from("-")),
    ] {
        let options = Options {
            token: Some(given),
            provider: Some("github-actions".to_owned()),
            ..place.options()
        };
        let choice = choose(&place.host(), &options).unwrap();
        assert_eq!(choice.provider, "identity-token");
        // How the value came here is not known, so there is nothing to say of it.
        assert!(!choice.notes.concat().contains("arguments"));
    }
}

#[test]
fn switched_off_means_handed_over_only() {
    let off = |place: &Place, provider: Option<&str>| {
        let options = Options {
            disable_ambient: true,
            provider: provider.map(str::to_owned),
            ..place.options()
        };
        choose(&place.host(), &options).map(|choice| choice.provider)
    };
    let place = Place::new().in_github().on_gce();
    assert_eq!(off(&place, None).unwrap_err().code(), "provider/disabled");
    let error = off(&place, Some("github-actions")).unwrap_err();
    assert_eq!(error.code(), "provider/excluded");
    assert_eq!(error.class(), Class::Usage);
    let place = place.var("TEST_ID_TOKEN", "a.b.c");
    assert_eq!(off(&place, None).unwrap(), "envvar");
}

#[test]
fn a_requested_provider_must_be_known_and_here() {
    let place = Place::new().on_gce();
    let error = place.requested("gogle").unwrap_err();
    assert_eq!(error.code(), "provider/unknown-name");
    assert!(error.fix().unwrap().contains("`google-impersonate`"));
    for name in ["jenkins", "identity-token", "spiffe-default-socket"] {
        let error = place.requested(name).unwrap_err();
        assert_eq!(error.code(), "provider/unknown-name");
    }
    for (name, mark) in [
        ("github-actions", "`GITHUB_ACTIONS`, `ACTIONS_"),
        ("envvar", "`TEST_ID_TOKEN`, `TEST_OTHER_TOKEN`"),
        ("filesystem", "`/var/run/test/token`"),
    ] {
        let error = place.requested(name).unwrap_err();
        assert_eq!(error.code(), "provider/not-detected");
        assert!(error.fix().unwrap().contains(mark), "{:?}", error.fix());
    }
    let place = Place::new().in_github_without_permission();
    let error = place.requested("github-actions").unwrap_err();
    assert_eq!(error.code(), "github/not-permitted");
}

#[test]
fn a_request_alone_makes_the_metadata_server_worth_a_question() {
    let place = Place::new();
    let name = "google-workload-identity";
    assert_eq!(place.requested(name).unwrap(), name);
}

#[test]
fn a_credential_file_alone_changes_nothing() {
    let place = Place::new().in_github().var("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere");
    assert_eq!(place.winner(), "github-actions");
    assert!(!place.notes().contains("google-adc"));
    let error = place.requested("google-adc").unwrap_err();
    assert_eq!(error.code(), "adc/unreadable");
}

#[test]
fn a_metadata_server_elsewhere_is_refused() {
    let place = Place::new().var("GCE_METADATA_HOST", "evil.example");
    assert_eq!(place.error().code(), "gce/host");
}

#[test]
fn impersonation_needs_a_caller() {
    let place = Place::new().impersonating().var("HOME", "/nowhere");
    assert_eq!(place.error().code(), "impersonation/no-caller");
}

#[test]
fn the_first_recognised_platform_gives_the_fix() {
    let error = Place::new().var("TRAVIS", "true").error();
    assert!(error.to_string().ends_with("; this is Travis CI"));
    assert!(error.fix().unwrap().contains("TEST_ID_TOKEN"));
    let error = Place::new().file("/.dockerenv", "").error();
    assert!(error.fix().unwrap().contains("docker run -e"));
    // A pod is a container too, and nobody runs it with `docker run`.
    let pod = Place::new().file("/.dockerenv", "");
    let error = pod.var("KUBERNETES_SERVICE_HOST", "10.0.0.1").error();
    let fix = error.fix().unwrap().into_owned();
    assert!(fix.contains("`serviceAccountToken`") && !fix.contains("docker"), "{fix}");
}

#[test]
fn looking_takes_no_time() {
    let place = Place::new().in_github().on_gce().impersonating();
    let (host, options) = (place.host(), place.options());
    let started = Instant::now();
    for _ in 0..100 {
        assert!(survey(&host, &options).len() > 20);
    }
    // 1 ms each would be 100 ms; slow test machines get some room.
    assert!(started.elapsed() < Duration::from_millis(500));
}

#[test]
fn messages_keep_the_house_style() {
    let places = [
        Place::new(),
        Place::new().in_github_without_permission(),
        Place::new().var("GITLAB_CI", "true"),
        Place::new().var("CIRCLECI", "true"),
        Place::new().var("TEST_ID_TOKEN", ""),
        Place::new().impersonating().var("HOME", "/nowhere"),
    ];
    for place in places {
        let error = place.error();
        for text in [error.to_string(), error.fix().unwrap().into_owned()] {
            assert!(!text.contains('\n') && !text.contains("  "), "{text}");
            assert!(!text.ends_with('.'), "{text}");
            let first = text.chars().next().unwrap();
            assert!(!first.is_ascii_uppercase(), "{text}");
        }
    }
    let ambiguous = ChooseError::Ambiguous { names: vec!["a"], settings: &Names::FIELDS };
    assert_eq!(ambiguous.class(), Class::Identity);
}
