// SPDX-License-Identifier: Apache-2.0
//! What a child process gets of the environment, and the folders in which it is looked for.
//!
//! A variable is passed on only if a list names it: what a CI system or a step adds tomorrow is not in any list, and
//! may hold a secret. An element of `PATH` that is empty or relative means the working directory or a folder below
//! it, and the sources of a job are in that directory. So such elements are neither searched nor
//! passed on.

use std::env::{join_paths, split_paths};
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::Env;

/// Variables that any program may need: who and where the user is, the language, temporary files, the way to the
/// network and the CA certificates there. A `*` stands for the rest of a name. `PATH` is passed on too.
const ANY_PROGRAM: &[&str] = &[
    "ALL_PROXY",
    "CURL_CA_BUNDLE",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "NIX_SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_*",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Credentials of registries and other services. No pattern passes them on: a child process gets one only if it asks
/// for it by its name. The program adds those of CI systems with [`crate::Env::hide`].
const SECRET_VARIABLES: &[&str] = &[
    "CI_DEPLOY_PASSWORD",
    "CI_JOB_TOKEN",
    "CI_REGISTRY_PASSWORD",
    "DOCKER_AUTH_CONFIG",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "SIGSTORE_IDENTITY_TOKEN",
    "SYSTEM_ACCESSTOKEN",
];

/// Prefixes of other such variables. The program's own settings are among them, because some are secret and no
/// child process needs one.
const PREFIXES: &[&str] =
    &["AMBISIGN_", "CIRCLE_OIDC_TOKEN", "CI_JOB_JWT", "TFC_WORKLOAD_IDENTITY_TOKEN"];

/// Suffixes of further such variables.
const SUFFIXES: &[&str] = &["_ID_TOKEN", "_OIDC_TOKEN"];

/// The folders that are searched if there is no `PATH` (POSIX leaves them to the system).
const USUAL_FOLDERS: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// The variables of `env` for a child process that `sees` names and patterns, and needs the credentials `needs`.
pub(crate) fn variables(env: &Env, sees: &[&str], needs: &[&str]) -> Vec<(OsString, OsString)> {
    let passes = |name: &str| {
        let listed = ANY_PROGRAM.iter().chain(sees);
        let mut listed = listed.map(|pattern| matches(pattern, name));
        let is_secret = is_secret(name) || env.is_hidden(name);
        needs.contains(&name) || (!is_secret && listed.any(|fits| fits))
    };
    let passed = env
        .iter()
        .filter(|(name, _)| name.to_str().is_some_and(passes))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let path = path(env).map(|path| (OsString::from("PATH"), path));
    passed.chain(path).collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}

fn is_secret(name: &str) -> bool {
    SECRET_VARIABLES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// `PATH` without its empty and relative elements; `None` if it is not set.
fn path(env: &Env) -> Option<OsString> {
    let folders = split_paths(env.raw("PATH")?).filter(|folder| folder.is_absolute());
    // What was split at `:` can be joined again.
    join_paths(folders).ok()
}

/// Where a program was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// At this path.
    At(PathBuf),
    /// Only in a folder that `PATH` names by a relative path.
    InRelativeFolder,
    /// Nowhere.
    Nowhere,
}

/// Looks for `program`, a name without `/`, in the folders of `PATH`.
pub(crate) fn find(env: &Env, program: &str) -> Found {
    let folders: Vec<PathBuf> = match env.raw("PATH") {
        Some(path) => split_paths(path).collect(),
        None => USUAL_FOLDERS.iter().map(PathBuf::from).collect(),
    };
    let is_program = |path: &PathBuf| {
        path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let (absolute, relative): (Vec<_>, Vec<_>) =
        folders.into_iter().partition(|folder| folder.is_absolute());
    let mut programs = absolute.iter().map(|folder| folder.join(program));
    match programs.find(is_program) {
        Some(path) => Found::At(path),
        None if relative
            .iter()
            .map(|folder| folder.join(program))
            .any(|path| is_program(&path)) =>
        {
            Found::InRelativeFolder
        }
        None => Found::Nowhere,
    }
}

/// Returns `true` if `program` is a path, which is not looked for.
pub(crate) fn is_path(program: &str) -> bool {
    OsStr::new(program).as_encoded_bytes().contains(&b'/')
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::{Found, find, is_path, variables};
    use crate::Env;

    fn names(env: &Env, sees: &[&str], needs: &[&str]) -> Vec<String> {
        let passed = variables(env, sees, needs).into_iter();
        passed.map(|(name, _)| name.into_string().unwrap()).collect()
    }

    #[test]
    fn only_what_a_list_names_is_passed_on() {
        let env: Env = [
            "AWS_SECRET_ACCESS_KEY",
            "CI_JOB_TOKEN",
            "CI_REPOSITORY_URL",
            "DOCKER_AUTH_CONFIG",
            "HOME",
            "LC_ALL",
            "SOME_TOKEN_OF_TOMORROW",
            "VAULT_TOKEN",
            "https_proxy",
        ]
        .into_iter()
        .map(|name| (name, "x"))
        .collect();
        let any = ["HOME", "LC_ALL", "https_proxy"];
        assert_eq!(names(&env, &[], &[]), any);
        let aws = names(&env, &["AWS_*", "CI_*", "DOCKER_*"], &[]);
        let seen = ["AWS_SECRET_ACCESS_KEY", "CI_REPOSITORY_URL"];
        assert_eq!(aws, [&seen[..], &any].concat(), "no pattern passes a credential");
        assert_eq!(names(&env, &[], &["CI_JOB_TOKEN"])[0], "CI_JOB_TOKEN");
    }

    #[test]
    fn a_relative_element_of_path_is_not_passed_on() {
        let env = Env::from_iter([("PATH", "/usr/bin::.:bin:/bin:")]);
        let passed = variables(&env, &[], &[]);
        assert_eq!(passed, [("PATH".into(), "/usr/bin:/bin".into())]);
    }

    #[test]
    fn a_program_is_found_in_absolute_folders_only() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, mode| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        let good = make("good/helper", 0o755);
        let _plain = make("plain/helper", 0o644);
        let below = |name: &str| folder.path().join(name).display().to_string();
        let found = |path: &str| find(&Env::from_iter([("PATH", path)]), "helper");
        let path = format!(".::{}:{}", below("plain"), below("good"));
        assert_eq!(found(&path), Found::At(good));
        assert_eq!(found(&below("plain")), Found::Nowhere);
        // From here to the folder of the program.
        let here = std::env::current_dir().unwrap();
        let up: String = here.ancestors().skip(1).map(|_| "../").collect();
        let relative = format!("{up}{}", below("good").trim_start_matches('/'));
        assert!(Path::new(&relative).join("helper").exists(), "{relative}");
        assert_eq!(found(&relative), Found::InRelativeFolder);
        assert_eq!(found(&format!("{relative}:/nowhere")), Found::InRelativeFolder);
        assert!(is_path("./helper") && is_path("/bin/x") && !is_path("helper"));
    }
}
