// SPDX-License-Identifier: Apache-2.0
//! What a server, a shell or a form makes of a secret is masked.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::Redactor;

#[test]
fn masks_known_secrets_and_their_signatures() {
    let redactor = Redactor::default();
    redactor.guard("header.payload.signature-part");
    assert_eq!(redactor.redact("got header.payload.signature-part!"), "got ***!");
    assert_eq!(redactor.redact("ends in signature-part"), "ends in ***");
}

#[test]
fn masks_secrets_as_servers_write_them() {
    let redactor = Redactor::default();
    redactor.guard(r#"a<"b &c/D"#);
    for text in [
        r#"a<"b &c/D"#,
        r#"{"was":"a<\"b &c/D"}"#,
        r#"{"was":"a\u003c\"b \u0026c/D"}"#,
        r#"{"was":"a\u003C\u0022b\u0020\u0026c\/D"}"#,
        r#"{"was":"{\"was\":\"a<\\\"b &c\\/D\"}"}"#,
        r#"a\u{3c}\x22b \x26c/D"#,
        "was=a%3C%22b+%26c%2FD&x",
        "was=a%3C%22b%20&c/D",
        "/a%3C%22b%20%26c%2FD",
        "/a%3c%22b%20%26c%2fD",
        "/%61%3C%22%62%20%26%63%2F%44",
        "/a%253C%2522b%2520%2526c%252FD",
        "<p>a&lt;&quot;b &amp;c/D</p>",
        "<p>a&#60;&#x22;b &amp;amp;c&#x2F;D</p>",
    ] {
        let shown = redactor.redact(text);
        assert!(shown.contains("***") && !shown.contains('D'), "{shown}");
    }
    redactor.guard(r#"e'f"D"#);
    for text in [r"'e'\''f", r#"'e'\''f"D'"#, r#"'"k=e'\''f""D"'"#, r#"k=e'f""D"#].iter().skip(1) {
        let shown = redactor.redact(text);
        assert!(shown.contains("***") && !shown.contains('D'), "{shown}");
    }
    // What is too short to be a secret is so in every form.
    redactor.guard("/");
    assert_eq!(redactor.redact("%2F"), "%2F");
}

/// The server of the report wrote `\/` for `/`.
#[test]
fn a_slash_behind_a_backslash_hides_no_secret() {
    let redactor = Redactor::default();
    redactor.guard("wJalr/K7MDENG/bPxRfiCY");
    let shown = redactor.redact(r#"{"login":"wJalr\/K7MDENG\/bPxRfiCY is wrong"}"#);
    assert_eq!(shown, r#"{"login":"*** is wrong"}"#);
}

#[test]
fn what_is_no_secret_stays() {
    let redactor = Redactor::default();
    redactor.guard("4711-0815");
    for text in
        ["4711-0814", r"4711-\0816", "%34711-081", "&#52;711-081", r"\u0034711-081", "NDcxMS0wODE"]
    {
        assert_eq!(redactor.redact(text), text);
    }
}

#[test]
fn secrets_that_overlap_leave_no_rest() {
    let redactor = Redactor::default();
    redactor.guard("secret-one");
    redactor.guard("my-secret");
    assert_eq!(redactor.redact("is my-secret-one!"), "is ***!");
}

#[test]
fn masks_what_looks_like_a_jwt() {
    let redactor = Redactor::default();
    let text = "body: {\"token\":\"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln\"} eyJ";
    assert_eq!(redactor.redact(text), "body: {\"token\":\"***\"} eyJ");
}

/// A long text with many secrets must not take long: bodies of answers are searched whole.
#[test]
fn a_long_text_takes_no_time() {
    let redactor = Redactor::default();
    for number in 0..50 {
        redactor.guard(&format!("secret-number-{number}-of-this-run"));
    }
    let text = r"\%&+secret-number \\\\\\\\ %25%25%25 &amp;amp;amp; ".repeat(2_000);
    let began = std::time::Instant::now();
    assert_eq!(redactor.redact(&text).len(), text.len());
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}

/// A string as a writer of JSON may write it: by its choice, each character as it is or escaped.
fn json(secret: &str, mut choice: impl FnMut() -> u8) -> String {
    let mut out = String::new();
    for c in secret.chars() {
        let must = c == '"' || c == '\\' || c.is_control();
        match choice() % 4 {
            0 if !must => out.push(c),
            1 if "\"\\/".contains(c) => out.extend(['\\', c]),
            2 => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04X}"))
            }
            _ if must || c == '/' => {
                c.encode_utf16(&mut [0; 2])
                    .iter()
                    .for_each(|unit| out += &format!("\\u{unit:04x}"));
            }
            _ => out.push(c),
        }
    }
    out
}

/// A string as a writer of URLs or forms may write it.
fn percent(secret: &str, form: bool, mut choice: impl FnMut() -> u8) -> String {
    let mut out = String::new();
    for c in secret.chars() {
        let plain = c.is_ascii_alphanumeric() || (!form && "-._~/!$'()*,;:@".contains(c));
        match choice() % 3 {
            0 if plain => out.push(c),
            _ if form && c == ' ' => out.push('+'),
            1 => c.to_string().bytes().for_each(|byte| out += &format!("%{byte:02x}")),
            _ => c.to_string().bytes().for_each(|byte| out += &format!("%{byte:02X}")),
        }
    }
    out
}

/// Text with the characters that writers treat in special ways.
fn secrets() -> impl Strategy<Value = String> {
    let special = prop::sample::select("/\\\"'<>&+%= ~_-.:\n\té€😀".chars().collect::<Vec<_>>());
    let plain = prop::sample::select("abcXYZ0123456789".chars().collect::<Vec<_>>());
    prop::collection::vec(prop_oneof![special, plain], 8..40)
        .prop_map(|all| all.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn no_writer_hides_a_secret(secret in secrets(), choices in prop::collection::vec(any::<u8>(), 40)) {
        let redactor = Redactor::default();
        redactor.guard(&secret);
        let mut next = choices.iter().copied().cycle();
        let mut choice = || next.next().unwrap();
        let once = json(&secret, &mut choice);
        let twice = json(&once, &mut choice);
        for written in [
            secret.clone(),
            percent(&secret, false, &mut choice),
            percent(&secret, true, &mut choice),
            percent(&once, false, &mut choice),
            percent(&once, true, &mut choice),
            json(&percent(&secret, true, &mut choice), &mut choice),
            once,
            twice,
        ] {
            let shown = redactor.redact(&format!("({written})"));
            prop_assert_eq!(shown, "(***)", "{} is {}", secret, written);
        }
    }

    #[test]
    fn base64_hides_no_secret(
        secret in secrets(),
        before in prop::collection::vec(any::<u8>(), 0..7),
        after in prop::collection::vec(any::<u8>(), 0..7),
        choices in prop::collection::vec(any::<u8>(), 40),
    ) {
        let redactor = Redactor::default();
        redactor.guard(&secret);
        let mut next = choices.iter().copied().cycle();
        let mut choice = || next.next().unwrap();
        let bytes = [&before, secret.as_bytes(), &after].concat();
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&bytes);
            let lines: Vec<_> = encoded.as_bytes().chunks(19).map(String::from_utf8_lossy).collect();
            let (before, after) = ((before.len() * 8).div_ceil(6), (after.len() * 8).div_ceil(6) + 3);
            for written in [
                json(&encoded, &mut choice),
                percent(&encoded, true, &mut choice),
                lines.join("\n"),
                lines.join("\r\n"),
                lines.join("\\n"),
                encoded,
            ] {
                let shown = redactor.redact(&written);
                let (start, end) = shown.split_once("***").unwrap_or((&written, ""));
                // What is left is what surrounds the secret, in at most six characters each and two ends of lines.
                let most = |characters: usize| characters * 6 + 4;
                prop_assert!(start.len() <= most(before) && end.len() <= most(after), "{} of {}", shown, written);
                prop_assert!(shown.contains("***"));
            }
        }
    }
}
