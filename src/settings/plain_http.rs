// SPDX-License-Identifier: Apache-2.0
//! `--allow-http-registry`: the registries that may use plain HTTP.

use super::SettingsError;
use super::provenance::Override;
use super::value::{Origin, Sourced};
use ambisign_registry::PlainHttp;
use ambisign_registry::reference::Reference;

/// The name of the flag.
const FLAG: &str = "allow-http-registry";

/// The registries that the flags name, otherwise those in the variable, separated by blanks or commas. A
/// flag without a host, as in other clients, allows every registry that answers TLS with plain HTTP.
///
/// # Errors
/// A value is not the host of a registry.
pub(super) fn read(
    flags: &[String],
    variable: Option<&str>,
) -> Result<(PlainHttp, Option<Override>), SettingsError> {
    let from = if flags.is_empty() { Origin::Variable(FLAG) } else { Origin::Flag(FLAG) };
    if flags.iter().any(String::is_empty) {
        return Err(SettingsError::Empty { name: from.to_string() });
    }
    let given = flags.iter().map(String::as_str);
    let given = given.chain(variable.filter(|_| flags.is_empty()));
    let texts: Vec<&str> = given
        .flat_map(|text| text.split(|c: char| c == ',' || c.is_whitespace()))
        .filter(|text| !text.is_empty())
        .collect();
    // The last word of a switch counts.
    let plain_http = match texts.last() {
        None | Some(&"false") => return Ok((PlainHttp::Never, None)),
        Some(_) if texts.contains(&"true") => PlainHttp::IfNoTls,
        Some(_) => {
            PlainHttp::Named(texts.iter().map(|text| host(text, &from)).collect::<Result<_, _>>()?)
        }
    };
    let notice = Override::of_plain_http(&plain_http, from);
    Ok((plain_http, Some(notice)))
}

/// The host and port of a registry, in the same form as in images.
fn host(text: &str, from: &Origin) -> Result<String, SettingsError> {
    let reference = Reference::parse_repository(&format!("{text}/x")).ok();
    let reference = reference.filter(|reference| reference.repository() == "x");
    let host = reference.map(|reference| reference.registry().to_owned());
    host.ok_or_else(|| {
        let given = Sourced { value: (), from: from.clone() };
        given.wrong("the host and port of a registry, such as `registry.corp:5000`")
    })
}

#[cfg(test)]
mod tests {
    use super::{PlainHttp, read};

    fn named(hosts: &[&str]) -> PlainHttp {
        PlainHttp::Named(hosts.iter().map(|host| (*host).to_owned()).collect())
    }

    #[test]
    fn names_hosts_as_images_do() {
        let flags =
            |flags: &[&str]| flags.iter().map(|flag| (*flag).to_owned()).collect::<Vec<_>>();
        for (given, variable, expected) in [
            (flags(&[]), None, PlainHttp::Never),
            (flags(&["true"]), None, PlainHttp::IfNoTls),
            (flags(&["false"]), Some("r.corp"), PlainHttp::Never),
            (flags(&["R.corp:5000"]), None, named(&["r.corp:5000"])),
            (flags(&["a.corp", "b.corp:80"]), Some("c.corp"), named(&["a.corp", "b.corp:80"])),
            (flags(&[]), Some("a.corp, b.corp\n"), named(&["a.corp", "b.corp"])),
            (flags(&[]), Some("true"), PlainHttp::IfNoTls),
        ] {
            let read = read(&given, variable).unwrap();
            assert_eq!(read.0, expected, "{given:?} {variable:?}");
            assert_eq!(read.1.is_some(), expected != PlainHttp::Never);
        }
    }

    #[test]
    fn refuses_what_is_no_registry() {
        for text in ["", "registry", "http://r.corp", "r.corp/acme", "r.corp:x", "u@r.corp"] {
            assert!(read(&[text.to_owned()], None).is_err(), "{text}");
        }
    }
}
