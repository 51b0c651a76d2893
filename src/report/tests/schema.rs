// SPDX-License-Identifier: Apache-2.0
//! The schema of the documents, made from the types that are serialised. `SNAPSHOTS=overwrite` writes it.

use std::path::Path;

use schemars::consts::meta_schemas;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, RestrictFormats, Transform as _};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use snapbox::assert::DEFAULT_ACTION_ENV;
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

use super::documents;
use crate::outcome::RESULT_SCHEMA;
use crate::outcome::trust::{Overview, Update};
use crate::report::diagnosis::{self, Examination};
use crate::report::document::{Document, Failed};
use crate::report::run::Run;
use crate::report::trust::Told;
use crate::report::verdicts::{self, Verification};

/// The schema of a document that tells `T`, and whose member `schema` is as `form` says.
fn document<T: JsonSchema>(generator: &mut SchemaGenerator, form: &Value) -> Value {
    let told = T::json_schema(generator);
    let mut schema = Document::<T>::json_schema(generator);
    schema.insert("description".to_owned(), told.get("description").unwrap().clone());
    let member = schema.pointer_mut("/properties/schema").unwrap();
    member.as_object_mut().unwrap().extend(form.as_object().unwrap().clone());
    schema.into()
}

/// The members of a schema that come first, in their order; the others follow by their names.
const FIRST: [&str; 8] =
    ["$schema", "$id", "title", "description", "type", "required", "properties", "anyOf"];

/// A line is not longer unless it must be, in characters.
const WIDTH: usize = 160;

/// The schema of all documents.
fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let generator = &mut settings.into_generator();
    let named = |form: &str| json!({ "const": form });
    let any = json!({
        "description": "The form of the document that the command would have printed.",
        "pattern": "^urn:ambisign:[a-z]+:v1$",
    });
    let documents = [
        ("Result", document::<Run<'_>>(generator, &named(RESULT_SCHEMA))),
        ("Verification", document::<Verification<'_>>(generator, &named(verdicts::SCHEMA))),
        ("Trust", document::<Overview>(generator, &named(Overview::SCHEMA))),
        ("Update", document::<Update>(generator, &named(Update::SCHEMA))),
        ("Diagnosis", document::<Examination<'_>>(generator, &named(diagnosis::SCHEMA))),
        ("Failure", document::<Failed<'_>>(generator, &any)),
    ];
    let references = documents.iter().map(|(name, _)| json!({ "$ref": format!("#/$defs/{name}") }));
    let references: Vec<_> = references.collect();
    let documents = documents.into_iter().map(|(name, schema)| (name.to_owned(), schema));
    let definitions = generator.take_definitions(true).into_iter().chain(documents);
    let whole = json!({
        "$schema": meta_schemas::DRAFT2020_12,
        "$id": "urn:ambisign:schema:v1",
        "title": "The documents of `ambisign --output json`",
        "description": "One document on standard output. Members are only added within a version: a reader \
                        ignores those that it does not know.",
        "anyOf": references,
        "$defs": definitions.collect::<Map<_, _>>(),
    });
    let mut whole = Schema::try_from(whole).unwrap();
    // `uint64` and the like are formats of schemars alone.
    RestrictFormats::default().transform(&mut whole);
    RecursiveTransform(unfold).transform(&mut whole);
    RecursiveTransform(name_alone).transform(&mut whole);
    whole.into()
}

/// A description on one line.
fn unfold(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

/// A variant whose content is left out: serde writes its name alone, and schemars does not know that.
fn name_alone(schema: &mut Schema) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let only = properties.and_then(|members| match members.iter().next() {
        Some((name, content)) if *content == json!({ "type": "null" }) => Some(name.clone()),
        Some(_) | None => None,
    });
    if let (Some(name), Some(members)) = (only, schema.as_object_mut()) {
        members.retain(|keyword, _| keyword == "description");
        members.extend([("type".to_owned(), "string".into()), ("const".to_owned(), name.into())]);
    }
}

/// `members` in the order of `first`.
fn sorted<'a>(members: &'a Map<String, Value>, first: &[&str]) -> Vec<(&'a String, &'a Value)> {
    let mut members: Vec<_> = members.iter().collect();
    let place = |name: &str| first.iter().position(|known| *known == name).unwrap_or(usize::MAX);
    members.sort_by_key(|(name, _)| place(name));
    members
}

/// `value` as people would write it: what is short is on one line, and properties have the order of the
/// document, which is that of `required`.
fn written(value: &Value, indent: usize, first: &[&str]) -> String {
    let (open, parts, close) = match value {
        Value::Array(items) => (
            '[',
            items.iter().map(|one| (String::new(), one, FIRST.to_vec())).collect::<Vec<_>>(),
            ']',
        ),
        Value::Object(members) => {
            let required = members.get("required").and_then(Value::as_array);
            let required =
                required.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
            let parts = sorted(members, first).into_iter().map(|(name, one)| {
                let first = if name == "properties" { required.clone() } else { FIRST.to_vec() };
                (format!("{}: ", json!(name)), one, first)
            });
            ('{', parts.collect(), '}')
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return value.to_string();
        }
    };
    let parts =
        parts.into_iter().map(|(name, one, first)| name + &written(one, indent + 2, &first));
    let parts: Vec<_> = parts.collect();
    let line = format!("{open}{}{close}", parts.join(", "));
    if line.len() + indent <= WIDTH && !line.contains('\n') {
        return line;
    }
    let (inner, outer) = (" ".repeat(indent + 2), " ".repeat(indent));
    format!("{open}\n{inner}{}\n{outer}{close}", parts.join(&format!(",\n{inner}")))
}

#[test]
fn the_schema_is_that_of_the_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/schema.json");
    let made = written(&schema(), 0, &FIRST) + "\n";
    let assert = Assert::new().action_env(DEFAULT_ACTION_ENV);
    assert.eq(Data::text(made).raw(), Data::read_from(&file, Some(DataFormat::Text)).raw());
}

/// Readers must be more lenient: members are added.
#[test]
fn the_schema_has_every_member_of_the_documents() {
    let mut schema = schema();
    for definition in schema["$defs"].as_object_mut().unwrap().values_mut() {
        if definition.get("properties").is_some() {
            definition["additionalProperties"] = false.into();
        }
    }
    let files = [
        ("run", "Result"),
        ("run-failed", "Result"),
        ("verification", "Verification"),
        ("verification-failed", "Verification"),
        ("trust", "Trust"),
        ("update", "Update"),
        ("diagnosis", "Diagnosis"),
        ("failure", "Failure"),
    ];
    for (file, definition) in files {
        let text = std::fs::read_to_string(documents::folder().join(format!("{file}.json")));
        let document: Value = serde_json::from_str(&text.unwrap()).unwrap();
        schema["anyOf"] = json!([{ "$ref": format!("#/$defs/{definition}") }]);
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors = validator.iter_errors(&document);
        let errors: Vec<_> =
            errors.map(|error| format!("{}: {error}", error.instance_path)).collect();
        assert!(errors.is_empty(), "{file}: {errors:#?}");
    }
}
