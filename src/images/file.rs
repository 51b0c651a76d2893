// SPDX-License-Identifier: Apache-2.0
//! A file that names images: one per line, in the format of ko, apko, crane and kaniko, or the JSON
//! document of an earlier run.

use std::path::Path;

use ambisign_host::file::read_in_run;
use serde::Deserialize;

use super::Error;
use super::named::{Named, Place, Writer};
use crate::outcome::RESULT_SCHEMA;

/// The longest accepted file, in bytes. A document has a few KiB about each image.
const LONGEST: u64 = 16 * 1024 * 1024;
/// The most images in one file.
const MOST: usize = 10_000;

#[derive(Deserialize)]
struct Document {
    schema: String,
    images: Vec<Image>,
}

#[derive(Deserialize)]
struct Image {
    requested: Vec<String>,
    repository: String,
    digest: Option<String>,
}

/// Reads the images in the file at `path`; `-` is standard input.
///
/// # Errors
/// The file cannot be read, is malformed, or names no image.
pub(super) async fn read(path: &Path) -> Result<Vec<Named>, Error> {
    let what = format!("`{}`", path.display());
    let path = match path.to_str() {
        Some("-") => Path::new("/dev/stdin"),
        Some(_) | None => path,
    };
    let bytes = read_in_run(path, LONGEST).await;
    let bytes = bytes.map_err(|source| Error::Read { what: what.clone(), source })?;
    parse(&bytes, &what)
}

/// The names in `bytes`, the content of the file that messages call `what`.
pub(super) fn parse(bytes: &[u8], what: &str) -> Result<Vec<Named>, Error> {
    let malformed = |why: &str| Error::Malformed { what: what.to_owned(), why: why.to_owned() };
    let text = std::str::from_utf8(bytes).map_err(|_utf8| malformed("it is not UTF-8"))?;
    // Files from Windows can begin with a byte order mark.
    let text = text.trim_start_matches('\u{feff}').trim();
    let named = if text.starts_with('{') {
        let document: Document = ambisign_host::json::parse(text.as_bytes())
            .map_err(|error| malformed(&error.to_string()))?;
        if document.schema != RESULT_SCHEMA {
            return Err(malformed("it is not the output of a run that signed images"));
        }
        of_document(document, what)
    } else {
        lines(text, what)
    };
    if named.len() > MOST {
        return Err(malformed(&format!("it names more than {MOST} images")));
    }
    if named.is_empty() {
        let what = what.to_owned();
        return Err(Error::Nothing { what });
    }
    Ok(named)
}

fn lines(text: &str, what: &str) -> Vec<Named> {
    let mut named: Vec<Named> = Vec::new();
    for (line, at) in text.lines().zip(1_usize..) {
        if named.len() > MOST {
            break;
        }
        // No reference contains a `#`, but only a `#` after a blank begins a comment.
        let comment = line.char_indices().find(|(at, c)| {
            *c == '#'
                && line
                    .get(..*at)
                    .is_some_and(|before| !before.ends_with(|c: char| !c.is_whitespace()))
        });
        let line = comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line).trim();
        if !line.is_empty() {
            named.push(careful(line.to_owned(), format!("line {at} of {what}")));
        }
    }
    named
}

/// Each image with its digest, or as it was requested if it was not found.
fn of_document(document: Document, what: &str) -> Vec<Named> {
    let images = document.images.into_iter().zip(1_usize..);
    let named = images.flat_map(|(image, at)| {
        let names = match image.digest {
            Some(digest) => vec![format!("{}@{digest}", image.repository)],
            None => image.requested,
        };
        let named = names.into_iter();
        named.map(move |text| careful(text, format!("image {at} of {what}")))
    });
    named.collect()
}

fn careful(text: String, name: String) -> Named {
    Named { text, place: Place { writer: Writer::Careful, name }, digest: None }
}

#[cfg(test)]
mod tests {
    use ambisign_host::Explain as _;

    use super::parse;

    fn texts(file: &str) -> Vec<String> {
        let named = parse(file.as_bytes(), "`images.txt`").unwrap();
        named.into_iter().map(|named| named.text).collect()
    }

    #[test]
    fn has_a_line_for_each_image() {
        let file = "\u{feff}# built today\r\n\r\na/b@sha256:00  # amd64\r\n\tc.io/d:1\n#\ne#f\n";
        assert_eq!(texts(file), ["a/b@sha256:00", "c.io/d:1", "e#f"]);
        let named = parse(b"a\n\nb", "`x`").unwrap();
        assert_eq!(named[1].place.name, "line 3 of `x`");
    }

    #[test]
    fn may_be_the_document_of_an_earlier_run() {
        let document = r#" {"schema":"urn:ambisign:result:v1","version":"1","images":[
            {"requested":["a/b:1","a/b:2"],"repository":"c.io/a/b","digest":"sha256:00","x":1},
            {"requested":["d:1"],"repository":"c.io/d","digest":null}]}"#;
        assert_eq!(texts(document), ["c.io/a/b@sha256:00", "d:1"]);
    }

    #[test]
    fn is_refused_in_any_other_form() {
        let verdict = r#"{"schema":"urn:ambisign:verdict:v1","images":[]}"#;
        let none = r#"{"schema":"urn:ambisign:result:v1","images":[]}"#;
        for (bytes, code) in [
            ("".as_bytes(), "images/nothing"),
            (b"# nothing\n \n", "images/nothing"),
            (none.as_bytes(), "images/nothing"),
            (verdict.as_bytes(), "images/malformed"),
            (b"{\"schema\":", "images/malformed"),
            (b"\xff\xfea\0", "images/malformed"),
        ] {
            let error = parse(bytes, "`images.txt`").unwrap_err();
            assert_eq!(error.code(), code, "{error}");
        }
    }
}
