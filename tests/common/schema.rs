// SPDX-License-Identifier: Apache-2.0
//! The schema that the program prints, held against the documents that it prints.

use serde_json::{Value, json};

use super::Program;

/// Stops the test unless `document` is as the schema says, and has no member that the schema does
/// not know. Readers must be more lenient: members are added.
#[track_caller]
pub(crate) fn hold(document: &Value) {
    let printed = Program::ambisign().arg("schema").run().expect(0).stdout;
    let mut schema: Value = serde_json::from_str(&printed).unwrap();
    close(&mut schema);
    // That of its own name: the errors of the others would say nothing.
    let names = schema["$defs"].as_object().unwrap().iter();
    let of_name =
        names.filter(|(_, one)| one["properties"]["schema"]["const"] == document["schema"]);
    let own: Vec<String> = of_name.map(|(name, _)| name.clone()).collect();
    let [own] = own.as_slice() else {
        panic!("there is no schema of {}", document["schema"]);
    };
    let is_failure = document.get("error").is_some() && document.as_object().unwrap().len() == 5;
    let own = if is_failure { "Failure" } else { own };
    schema["anyOf"] = json!([{"$ref": format!("#/$defs/{own}")}]);
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(errors.is_empty(), "not as `ambisign schema` says: {errors:#?}\n{document:#}");
}

/// Forbids members that are not described.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("properties").is_some_and(Value::is_object)
                && members.get("type").is_some_and(Value::is_string)
            {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
