// SPDX-License-Identifier: Apache-2.0
//! What a reader finds beside an image, and its limits.

use ambisign_host::{Env, Explain as _};
use ambisign_sigstore::digest::Digest;

use super::fake::{Fake, IMAGE, INDEX, OCI, Reply, fallback_tag};
use super::host;
use crate::reference::Reference;
use crate::{Candidate, Listing, Registry, RegistryOptions, Stored};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const LEGACY: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// The listing, and what is at each place: its content, what else it is, or the code of an error.
async fn read(fake: &Fake) -> (Listing, Vec<String>) {
    let host = host(Env::default());
    let registry = Registry::reader(&host, &RegistryOptions::default());
    let reference = Reference::parse(&fake.image()).unwrap();
    let listing = registry.signatures(&reference, &[]).await.unwrap();
    let mut contents = Vec::new();
    for place in &listing.places {
        let fetched = registry.fetch(&reference, place).await;
        contents.push(match fetched.map(|fetched| fetched.stored) {
            Ok(Stored::Bundle(bytes)) => String::from_utf8(bytes).unwrap(),
            Ok(Stored::Legacy { payload, annotations }) => {
                format!("{} {annotations:?}", String::from_utf8(payload).unwrap())
            }
            Ok(Stored::Other(media_type)) => media_type,
            Err(error) => error.code().into_owned(),
        });
    }
    (listing, contents)
}

fn blob(fake: &Fake, content: &str) -> String {
    let digest = Digest::of(content.as_bytes()).to_string();
    let content = content.as_bytes().to_vec();
    fake.state().blobs.insert(digest.clone(), content);
    digest
}

/// A manifest with these layers (media type, digest, size), and its line in a list.
fn attach(fake: &Fake, layers: &[(&str, &str, usize)], artifact_type: &str) -> String {
    let layer = |(media_type, digest, size): &(&str, &str, usize)| {
        format!(
            r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size},"annotations":{{"a":"b"}}}}"#
        )
    };
    let layers: Vec<_> = layers.iter().map(layer).collect();
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{}},"layers":[{}],"subject":{{"digest":"{}"}}}}"#,
        layers.join(","),
        Digest::of(IMAGE.as_bytes())
    );
    let digest = Digest::of(manifest.as_bytes()).to_string();
    fake.put_manifest(&digest, OCI, manifest.as_bytes());
    format!(r#"{{"digest":"{digest}","artifactType":"{artifact_type}"}}"#)
}

fn list(fake: &Fake, tag: &str, lines: &[String]) {
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, lines.join(","));
    fake.put_manifest(tag, INDEX, index.as_bytes());
}

fn legacy(fake: &Fake, payloads: &[&str]) {
    let layers: Vec<_> = payloads.iter().map(|payload| blob(fake, payload)).collect();
    let layers: Vec<_> = layers.iter().map(|digest| (LEGACY, digest.as_str(), 1)).collect();
    attach(fake, &layers, "");
    let state = fake.state().manifests.clone();
    let (_, manifest) = state
        .iter()
        .find(|(_, (_, bytes))| String::from_utf8_lossy(bytes).contains(LEGACY))
        .unwrap();
    fake.put_manifest(&format!("{}.sig", fallback_tag()), OCI, &manifest.1);
}

#[tokio::test]
async fn finds_every_generation_and_asks_to_read_alone() {
    let fake = Fake::start().await.with_hook(|request, _| {
        if request.path.starts_with("/token") {
            let pull = request.path.ends_with("scope=repository%3Aapp%3Apull");
            let body = r#"{"token":"t"}"#;
            return Some(if pull { Reply::new(200).body(body) } else { Reply::new(400) });
        }
        let realm = format!("Bearer realm=\"http://{}/token\"", request.header("host"));
        let proven = request.header("authorization") == "Bearer t";
        (!proven).then(|| Reply::new(401).with("WWW-Authenticate", realm))
    });
    let (bundle, other) = (blob(&fake, "bundle"), blob(&fake, "other"));
    let lines = [
        attach(&fake, &[("text/plain", &other, 5)], "text/sbom"),
        attach(&fake, &[(BUNDLE, &bundle, 6)], BUNDLE),
    ];
    list(&fake, &fallback_tag(), &lines);
    legacy(&fake, &["payload"]);
    let (listing, contents) = read(&fake).await;
    assert_eq!(contents, ["bundle", r#"payload {"a": "b"}"#, "text/plain"]);
    assert_eq!((listing.left_out, listing.problems.len()), (0, 0));
    assert!(listing.places[1].name().ends_with(".sig layer 1"));
}

#[tokio::test]
async fn the_api_and_the_tag_are_one_list() {
    let fake = Fake::start().await.with_referrers();
    let line = attach(&fake, &[(BUNDLE, &blob(&fake, "one"), 3)], BUNDLE);
    list(&fake, &fallback_tag(), &[line]);
    assert_eq!(read(&fake).await.1, ["one"]);
}

#[tokio::test]
async fn what_is_not_what_it_is_called_is_refused() {
    let fake = Fake::start().await;
    let good = blob(&fake, "good");
    let missing = Digest::of(b"missing").to_string();
    let wrong = Digest::of(b"wrong").to_string();
    fake.state().blobs.insert(wrong.clone(), b"swapped".to_vec());
    let huge = 16 * 1024 * 1024 + 1;
    let lines = [
        attach(&fake, &[(BUNDLE, &wrong, 5)], ""),
        attach(&fake, &[(BUNDLE, &missing, 7)], ""),
        attach(&fake, &[(BUNDLE, &good, huge)], ""),
        attach(&fake, &[(BUNDLE, "sha512:00", 4)], ""),
        attach(&fake, &[(BUNDLE, &good, 4), (BUNDLE, &good, 4)], ""),
        attach(&fake, &[], "text/none"),
        format!(r#"{{"digest":"{missing}"}}"#),
        r#"{"digest":"sha512:00"}"#.to_owned(),
    ];
    list(&fake, &fallback_tag(), &lines);
    let (_, mut contents) = read(&fake).await;
    contents.sort();
    let expected = [
        "",
        BUNDLE,
        "registry/digest-mismatch",
        "registry/manifest",
        "registry/not-found",
        "registry/not-found",
        "registry/too-large",
    ];
    assert_eq!(contents, expected);
}

/// A line of a list, and the digest in it.
fn line(number: usize, artifact_type: &str, predicate_type: &str) -> (Digest, String) {
    let digest = Digest::of(number.to_string().as_bytes());
    let annotations = format!(r#"{{"dev.sigstore.bundle.predicateType":"{predicate_type}"}}"#);
    let line = format!(
        r#"{{"digest":"{digest}","artifactType":"{artifact_type}","annotations":{annotations}}}"#
    );
    (digest, line)
}

async fn listing(fake: &Fake, predicate_types: &[&str]) -> Listing {
    let host = host(Env::default());
    let registry = Registry::reader(&host, &RegistryOptions::default());
    let reference = Reference::parse(&fake.image()).unwrap();
    let wanted: Vec<_> = predicate_types.iter().map(|one| (*one).to_owned()).collect();
    registry.signatures(&reference, &wanted).await.unwrap()
}

#[tokio::test]
async fn no_more_than_a_thousand_are_looked_at_and_none_crowds_out_the_others() {
    let fake = Fake::start().await;
    let others = (0..1500).map(|number| line(number, "text/sbom", "").1);
    let bundles = (1500..3500).map(|number| line(number, BUNDLE, "").1);
    let lines: Vec<_> = others.chain(bundles).collect();
    list(&fake, &fallback_tag(), &lines);
    let payloads: Vec<_> = (0..400).map(|number| format!("p{number}")).collect();
    let payloads: Vec<_> = payloads.iter().map(String::as_str).collect();
    legacy(&fake, &payloads);
    let listing = listing(&fake, &[]).await;
    assert_eq!((listing.places.len(), listing.left_out), (1000, 2900));
    let layers = |places: &[Candidate]| {
        let names = places.iter().map(Candidate::name);
        names.filter(|name| name.contains(".sig layer")).count()
    };
    assert_eq!(layers(&listing.places[..99]), 33);
    assert_eq!(layers(&listing.places), 333);
}

/// 110 identities on one digest: the verdict depended on the order of the list. What lines say comes
/// first, and the order of the list means nothing.
#[tokio::test]
async fn the_order_of_the_list_does_not_matter() {
    let signed = "https://sigstore.dev/cosign/sign/v1";
    let kinds = [
        (BUNDLE, signed),
        (BUNDLE, ""),
        ("", ""),
        ("application/vnd.oci.empty.v1+json", signed),
        (BUNDLE, "https://slsa.dev/provenance/v1"),
        ("text/sbom", ""),
    ];
    let all = (0..60).map(|number| {
        let (artifact_type, predicate_type) = kinds[number % kinds.len()];
        line(number, artifact_type, predicate_type)
    });
    let all: Vec<_> = all.collect();
    let place = |digest: &Digest, places: &[Candidate]| {
        let mut names = places.iter().map(Candidate::name);
        names.position(|name| name.ends_with(&digest.to_string())).unwrap()
    };
    let mut orders = Vec::new();
    // Multiplied by a number that is prime to 60, the positions are shuffled.
    for factor in [1, 7, 59] {
        let fake = Fake::start().await;
        let lines: Vec<_> = (0..60).map(|at| all[at * factor % 60].1.clone()).collect();
        list(&fake, &fallback_tag(), &lines);
        let listing = listing(&fake, &[signed]).await;
        let host = fake.host.clone();
        let names = listing.places.iter().map(|place| place.name().replace(&host, ""));
        orders.push(names.collect::<Vec<_>>());
        // What says that it is another thing comes last.
        let (unlikely, likely): (Vec<_>, Vec<_>) = (0..60).partition(|number| number % 6 > 3);
        let last = likely.iter().map(|number| place(&all[*number].0, &listing.places)).max();
        let first = unlikely.iter().map(|number| place(&all[*number].0, &listing.places)).min();
        assert!(last < first, "{last:?} {first:?}");
        // What says that it is wanted comes before what does not say.
        assert!(place(&all[0].0, &listing.places) < place(&all[1].0, &listing.places));
    }
    assert_eq!(orders[0], orders[1]);
    assert_eq!(orders[0], orders[2]);
}

/// A line of any form is a line: a wrong annotation is no fault of the list.
#[tokio::test]
async fn annotations_of_any_form_spoil_no_list() {
    let fake = Fake::start().await;
    let forms = ["[]", "1", "null", r#"{"dev.sigstore.bundle.predicateType":7}"#];
    let lines = forms.into_iter().enumerate().map(|(number, form)| {
        let digest = Digest::of(&[u8::try_from(number).unwrap()]);
        format!(r#"{{"digest":"{digest}","artifactType":"{BUNDLE}","annotations":{form}}}"#)
    });
    list(&fake, &fallback_tag(), &lines.collect::<Vec<_>>());
    let listing = listing(&fake, &[]).await;
    assert_eq!((listing.places.len(), listing.problems.len()), (4, 0));
}

#[tokio::test]
async fn a_list_without_end_is_left() {
    let fake = Fake::start().await.with_hook(|request, _| {
        request.path.contains("/referrers/").then(|| {
            Reply::new(200)
                .with("Content-Type", INDEX)
                .with("Link", "<?again>; rel=\"next\"")
                .body(r#"{"schemaVersion":2,"manifests":[{"digest":"x"}]}"#)
        })
    });
    let (listing, _) = read(&fake).await;
    assert_eq!((listing.places.len(), listing.left_out), (0, 1));
    let pages =
        fake.state().log.iter().filter(|request| request.path.contains("/referrers/")).count();
    assert_eq!(pages, 100);
}
