// SPDX-License-Identifier: Apache-2.0
//! `SSL_CERT_FILE`, `SSL_CERT_DIR` and `--ca-file`: where CA certificates are, and files that hold none.
//! `host/src/http/roots.rs` has what the machine itself has.

use std::path::PathBuf;

use crate::common::Program;
use crate::common::forward::{Does, Forward};
use crate::place::{Place, told};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
const END: &str = "-----END CERTIFICATE-----\n";

impl Place {
    /// The CA of the services behind the public names.
    fn ca(&self) -> String {
        std::fs::read_to_string(self.sandbox.var("PROXY_CA")).unwrap()
    }

    /// Signs with the services of the public names, which answer with the CA in `variable=value`.
    #[track_caller]
    fn trusts(&self, variable: &str, value: &str) -> String {
        let proxy = self.sandbox.var("PROXY");
        self.signed(&[("HTTPS_PROXY", &proxy), (variable, value)]).stderr
    }
}

fn text(path: PathBuf) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_folder_of_certificates_is_read() {
    let place = Place::new();
    let file = place.write("certs/corp.pem", place.ca());
    place.write("certs/README", "no certificate\n");
    let folder = file.parent().unwrap().to_str().unwrap().to_owned();
    // As OpenSSL and mounted volumes link to files.
    std::os::unix::fs::symlink("corp.pem", format!("{folder}/3f8a0b1c.0")).unwrap();
    let links = place.write("links/README", "").parent().unwrap().to_owned();
    std::os::unix::fs::symlink(&file, links.join("ca.crt")).unwrap();
    let links = text(links);
    for folders in [folder.clone(), format!("/none:{folder}"), links] {
        let log = place.trusts("SSL_CERT_DIR", &folders);
        assert!(log.contains(&format!("not default {folders} (from SSL_CERT_DIR)")), "{log}");
        let missing = "the folder `/none` of `SSL_CERT_DIR` is skipped: No such file";
        assert_eq!(log.contains(missing), folders.contains("/none"), "{log}");
    }
}

/// The certificates of the machine still count: who names the CA of the own registry in one variable
/// wants the public services too.
#[test]
fn a_file_is_read_beside_the_folders() {
    let place = Place::new();
    let (corp, other) = (place.write("corp/ca.pem", place.ca()), place.ca());
    let other = place.write("other.pem", other);
    let proxy = place.sandbox.var("PROXY");
    let (folder, file) = (text(corp.parent().unwrap().to_owned()), text(other));
    place.signed(&[("HTTPS_PROXY", &proxy), ("SSL_CERT_DIR", &folder), ("SSL_CERT_FILE", &file)]);
}

#[test]
fn one_certificate_that_cannot_be_read_is_skipped_and_told() {
    let place = Place::new();
    let ca = place.ca();
    for (name, bundle, which) in [
        ("no base64", format!("{BEGIN}!!!!\n{END}{ca}"), "1 of 2"),
        ("no X.509", format!("{ca}{BEGIN}AAAA\n{END}"), "2 of 2"),
        ("no end", format!("{BEGIN}MIIB\n{ca}"), "1 of 2"),
        ("text between", format!("# corp\n{ca}# old\n{BEGIN}AAAA\n{END}# end\n"), "2 of 2"),
    ] {
        let file = text(place.write("bundle.pem", bundle));
        let said = format!("certificate {which} in `{file}` cannot be read and is skipped");
        for variable in ["SSL_CERT_FILE", "AMBISIGN_CA_FILE"] {
            let log = place.trusts(variable, &file);
            assert!(log.contains(&said), "{name}: {log}");
        }
    }
    let (repository, digest) = place.image();
    let file = text(place.write("bundle.pem", format!("{ca}{BEGIN}AAAA\n{END}")));
    let image = format!("{repository}@{digest}");
    let said = format!("certificate 2 of 2 in `{file}` cannot be read and is skipped");
    let job = |command| place.job(command, &image).env("SSL_CERT_FILE", &file);
    let signed = job("sign").run().expect(0);
    assert_eq!(signed.json()["warnings"][0]["code"], "network/certificate");
    for run in [signed, job("doctor").run().expect(0), job("verify").run().expect(0)] {
        assert!(run.stderr.contains(&said), "{run}");
    }
}

#[test]
fn a_file_without_a_certificate_is_a_usage_error() {
    let place = Place::new();
    let empty = text(place.write("empty.pem", ""));
    let pipe = place.write("pipe", "");
    std::fs::remove_file(&pipe).unwrap();
    assert_eq!(Program::new("/usr/bin/mkfifo").arg(&pipe).run().code, Some(0));
    let pipe = text(pipe);
    let garbage = text(place.write("garbage.pem", "no certificate\n"));
    let broken = text(place.write("broken.pem", format!("{BEGIN}AAAA\n{END}")));
    let der = text(place.write("ca.der", b"\x30\x82\x01\x00"));
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let key = text(place.write("key.pem", key));
    let folder = text(place.write("nothing/README", "").parent().unwrap().to_owned());
    for (variable, path, why) in [
        ("SSL_CERT_FILE", "/none.pem", "No such file or directory"),
        ("SSL_CERT_FILE", &folder, "it is not a regular file"),
        ("SSL_CERT_FILE", &empty, "it contains no certificate"),
        ("SSL_CERT_FILE", &garbage, "it contains no certificate"),
        ("SSL_CERT_FILE", &key, "it contains no certificate"),
        ("SSL_CERT_FILE", &broken, "it contains no certificate that can be read"),
        ("SSL_CERT_FILE", &der, "it contains no PEM certificate"),
        ("SSL_CERT_FILE", "/dev/zero", "it is not a regular file"),
        // Opening it would wait for somebody who writes.
        ("SSL_CERT_FILE", &pipe, "it is not a regular file"),
        ("SSL_CERT_DIR", &folder, "it contains no certificate"),
        ("SSL_CERT_DIR", "/none:/none/too", "No such file or directory"),
    ] {
        let told = place.refused(&[(variable, path)], "settings/network", 2);
        let path = path.split(':').next().unwrap();
        let said =
            format!("cannot read CA certificates from `{path}`, which `{variable}` names: {why}");
        assert!(told.text.contains(&said), "{told:?}");
        let fix = format!("set `{variable}` to readable PEM certificates, or remove it");
        assert_eq!(told.fix, fix);
    }
    let told = place.refused(&[("AMBISIGN_CA_FILE", &empty)], "settings/network", 2);
    assert!(told.text.contains("which `--ca-file` names"), "{told:?}");
}

#[test]
fn a_path_in_another_encoding_is_a_path() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    let (repository, digest) = place.image();
    let path = place.write("ca.pem", place.ca());
    let path = path.with_file_name(OsStr::from_bytes(b"ca\xff.pem"));
    std::fs::write(&path, place.ca()).unwrap();
    let sign = |path: &OsStr| {
        let job = place.public_job("sign", &format!("{repository}@{digest}"));
        job.env("HTTPS_PROXY", place.sandbox.var("PROXY")).env("SSL_CERT_FILE", path).run()
    };
    sign(path.as_os_str()).expect(0);
    told(&sign(OsStr::from_bytes(b"/none\xff")), "settings/network", 2);
}

/// What needs no network is not held up by its settings: files say everything.
#[test]
fn a_verification_of_files_needs_no_certificates() {
    let place = Place::new();
    let proxy = Forward::that(Does::HangUp);
    let (repository, digest) = place.image();
    let dir = text(place.write("bundles/README", "").parent().unwrap().to_owned());
    let image = format!("{repository}@{digest}");
    place.job("sign", &image).args(["--bundle-dir", &dir]).run().expect(0);
    let bundle = std::fs::read_dir(&dir).unwrap();
    let bundle = bundle.flatten().map(|file| file.path());
    let bundle = bundle.into_iter().find(|path| path.extension().is_some_and(|end| end == "json"));
    place
        .job("verify", &image)
        .arg("--bundle")
        .arg(bundle.unwrap())
        .env("SSL_CERT_FILE", "/none.pem")
        .env("HTTPS_PROXY", proxy.url("http"))
        .run()
        .expect(0);
    assert_eq!(proxy.seen(), []);
}
