// SPDX-License-Identifier: Apache-2.0
//! Which certificates are read on machines of several kinds.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::{Places, Roots};
use crate::http::setting::ClientError;
use crate::{Env, file};

/// Three certificates, as PEM.
fn certificates() -> Vec<String> {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/roots/production/trusted_root.json");
    let root: Value =
        serde_json::from_slice(&file::read(Path::new(path), 1 << 20).unwrap()).unwrap();
    let chains = root["certificateAuthorities"].as_array().unwrap().iter();
    let all = chains.flat_map(|chain| chain["certChain"]["certificates"].as_array().unwrap());
    let pem = all.map(|one| {
        let text = one["rawBytes"].as_str().unwrap();
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    });
    pem.take(3).collect()
}

/// A machine: files below a root of its own.
struct Machine(TempDir);

impl Machine {
    fn new(files: &[(&str, &str)]) -> Self {
        let machine = Self(TempDir::new().unwrap());
        for (path, text) in files {
            let path = machine.path(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    /// What is read with `variables`, whose values are paths of the machine.
    fn read(&self, variables: &[(&str, &str)]) -> Result<Roots, ClientError> {
        let own = |path: &str| self.path(path).display().to_string();
        let variables = variables.iter().map(|(name, value)| {
            let paths: Vec<_> = value.split(':').map(own).collect();
            (*name, paths.join(":"))
        });
        let env = Env::from_iter(variables);
        Places::new(&env, None, self.0.path().to_owned()).read()
    }

    /// How many certificates are read with `variables`.
    fn count(&self, variables: &[(&str, &str)]) -> usize {
        self.read(variables).unwrap().certificates.len()
    }
}

const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

#[test]
fn the_machine_counts_unless_both_variables_replace_it() {
    let all = certificates();
    let [one, two, three] = all.as_slice() else { panic!("three certificates") };
    let machine = Machine::new(&[(BUNDLE, one), ("/corp/ca.pem", two), ("/certs/ca.pem", three)]);
    for (variables, expected) in [
        (&[][..], 1),
        (&[("SSL_CERT_FILE", "/corp/ca.pem")], 2),
        (&[("SSL_CERT_DIR", "/certs")], 2),
        (&[("SSL_CERT_DIR", "/certs:/corp")], 3),
        (&[("SSL_CERT_FILE", "/corp/ca.pem"), ("SSL_CERT_DIR", "/certs")], 2),
        (&[("SSL_CERT_FILE", "/corp/ca.pem"), ("SSL_CERT_DIR", "/corp")], 1),
    ] {
        assert_eq!(machine.count(variables), expected, "{variables:?}");
    }
    let roots = machine.read(&[]).unwrap();
    assert_eq!(roots.store.len(), 1);
    assert!(roots.warnings.is_empty());
}

/// As a Dockerfile does: `COPY corp.crt /etc/ssl/certs/`. What is linked there is in the bundle, or was
/// taken out of it.
#[test]
fn a_certificate_that_was_put_into_the_folder_of_the_machine_counts() {
    let all = certificates();
    let machine = Machine::new(&[
        (BUNDLE, &all[0]),
        ("/etc/ssl/certs/corp.crt", &all[1]),
        ("/etc/ssl/certs/README", "no certificate"),
        ("/usr/share/ca-certificates/old.crt", &all[2]),
    ]);
    let link = machine.path("/etc/ssl/certs/old.pem");
    symlink(machine.path("/usr/share/ca-certificates/old.crt"), link).unwrap();
    assert_eq!(machine.count(&[]), 2);
    assert_eq!(machine.count(&[("SSL_CERT_DIR", "/etc/ssl/certs")]), 3);
}

#[test]
fn a_machine_without_certificates_is_no_error_and_one_with_an_empty_bundle_is() {
    assert_eq!(Machine::new(&[]).count(&[]), 0);
    let error = Machine::new(&[(BUNDLE, "")]).read(&[]).map(drop).unwrap_err();
    assert_eq!(error.setting(), None);
    assert!(error.to_string().ends_with("it contains no certificate"), "{error}");
    assert!(error.fix().unwrap().contains("`SSL_CERT_FILE`"));
    // The variable is the way out.
    let all = certificates();
    let machine = Machine::new(&[(BUNDLE, ""), ("/corp.pem", &all[0])]);
    assert_eq!(machine.count(&[("SSL_CERT_FILE", "/corp.pem")]), 1);
}

#[test]
fn the_same_certificate_counts_once() {
    let all = certificates();
    let text = format!("{}{}", all[0], all[0]);
    let machine = Machine::new(&[(BUNDLE, &text), ("/corp.pem", &all[0])]);
    assert_eq!(machine.count(&[("SSL_CERT_FILE", "/corp.pem")]), 1);
}
