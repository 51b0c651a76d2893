// SPDX-License-Identifier: Apache-2.0
//! Changes to the structure of JSON documents: members, types, numbers, texts, times, and what is inside of
//! base64.

mod text;
mod values;

use serde_json::{Map, Value, json};

use self::text::{KINDS, in_text};
use self::values::{bytes, der, digit, inside, number, text, time};
use crate::random::Random;

/// A change to a value, which may take something from another document. `false` if nothing there can be
/// changed in this way.
type Change = fn(&mut Value, &Value, &mut Random) -> bool;

const CHANGES: [(&str, Change); 13] = [
    ("a member or item less", less),
    ("a member more", more),
    ("a member of another document", foreign),
    ("two values exchanged", exchanged),
    ("a value of another type", retyped),
    ("a number at a limit", number),
    ("a text at a limit", text),
    ("a time moved", time),
    ("bytes in base64", bytes),
    ("DER in base64", der),
    ("a document in a text", inside),
    ("a list in another order or length", list),
    ("a hexadecimal digit", digit),
];

/// A changed copy of `document`, and what was changed first.
pub(crate) fn mutate(
    document: &Value,
    other: &Value,
    random: &mut Random,
) -> (&'static str, Vec<u8>) {
    let place = random.below(CHANGES.len() + KINDS.len());
    if let Some(kind) = place.checked_sub(CHANGES.len()) {
        return (KINDS[kind], in_text(kind, document, random));
    }
    let (kind, changed) = changed(place, document, other, random);
    let bytes = match random.once_in(8) {
        true => in_text(random.below(KINDS.len()), &changed, random),
        false => changed.to_string().into_bytes(),
    };
    (kind, bytes)
}

/// A changed copy of `document` as a value, and what was changed first.
pub(crate) fn mutate_value(
    document: &Value,
    other: &Value,
    random: &mut Random,
) -> (&'static str, Value) {
    changed(random.below(CHANGES.len()), document, other, random)
}

/// Begins with the change at `place`, or the next one that is possible.
fn changed(
    place: usize,
    document: &Value,
    other: &Value,
    random: &mut Random,
) -> (&'static str, Value) {
    let mut changed = document.clone();
    let mut order = CHANGES.iter().cycle().skip(place).take(CHANGES.len());
    let first = order.find(|(_, change)| change(&mut changed, other, random));
    if random.once_in(4) {
        let (_, change) = random.one_of(&CHANGES);
        change(&mut changed, other, random);
    }
    (first.map_or("nothing", |(kind, _)| kind), changed)
}

/// Every place of `json`, as a JSON pointer (RFC 6901).
fn places(json: &Value, fits: fn(&Value) -> bool) -> Vec<String> {
    fn walk(json: &Value, at: &str, fits: fn(&Value) -> bool, found: &mut Vec<String>) {
        let below: Vec<(String, &Value)> = match json {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
                .collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        for (name, value) in below {
            walk(value, &format!("{at}/{name}"), fits, found);
        }
        if fits(json) {
            found.push(at.to_owned());
        }
    }
    let mut found = Vec::new();
    walk(json, "", fits, &mut found);
    found
}

fn pick<'a>(
    json: &'a mut Value,
    fits: fn(&Value) -> bool,
    random: &mut Random,
) -> Option<&'a mut Value> {
    let found = places(json, fits);
    let place = found.get(random.below(found.len()))?;
    json.pointer_mut(place)
}

fn any(_value: &Value) -> bool {
    true
}

fn name_of(members: &Map<String, Value>, random: &mut Random) -> Option<String> {
    members.keys().nth(random.below(members.len())).cloned()
}

fn less(json: &mut Value, _other: &Value, random: &mut Random) -> bool {
    let fits = |value: &Value| {
        value.as_object().is_some_and(|members| !members.is_empty())
            || value.as_array().is_some_and(|items| !items.is_empty())
    };
    let Some(value) = pick(json, fits, random) else {
        return false;
    };
    if let Value::Object(members) = value {
        name_of(members, random).and_then(|name| members.remove(&name));
    } else if let Value::Array(items) = value {
        items.remove(random.below(items.len()));
    }
    true
}

fn more(json: &mut Value, _other: &Value, random: &mut Random) -> bool {
    let found = places(json, any);
    let value = json.pointer(&found[random.below(found.len())]).cloned().unwrap_or_default();
    let Some(Value::Object(members)) = pick(json, Value::is_object, random) else {
        return false;
    };
    let known = name_of(members, random).unwrap_or_default();
    let names = [known.to_uppercase(), format!("{known}\0"), format!(" {known}"), "x".to_owned()];
    let name = random.one_of(&names).clone();
    members.insert(name, value);
    true
}

/// The value from the same place of another document, even if this one has none there.
fn foreign(json: &mut Value, other: &Value, random: &mut Random) -> bool {
    let found = places(other, any);
    let place = &found[random.below(found.len())];
    let (Some(from), Some((above, name))) = (other.pointer(place), place.rsplit_once('/')) else {
        return false;
    };
    let Some(above) = json.pointer_mut(above) else {
        return false;
    };
    if let Value::Object(members) = above {
        members.insert(name.replace("~1", "/").replace("~0", "~"), from.clone());
    } else if let Value::Array(items) = above {
        items.push(from.clone());
    }
    above.is_object() || above.is_array()
}

fn exchanged(json: &mut Value, _other: &Value, random: &mut Random) -> bool {
    let found = places(json, |value| !value.is_object());
    let (one, two) = (random.below(found.len()), random.below(found.len()));
    let (Some(one), Some(two)) = (found.get(one), found.get(two)) else {
        return false;
    };
    let (left, right) = (json.pointer(one).cloned(), json.pointer(two).cloned());
    // One inside of the other would vanish.
    if one.starts_with(two.as_str()) || two.starts_with(one.as_str()) {
        return false;
    }
    if let (Some(place), Some(value)) = (json.pointer_mut(one), right) {
        *place = value;
    }
    if let (Some(place), Some(value)) = (json.pointer_mut(two), left) {
        *place = value;
    }
    true
}

fn retyped(json: &mut Value, _other: &Value, random: &mut Random) -> bool {
    let Some(value) = pick(json, any, random) else {
        return false;
    };
    let old = value.take();
    *value = match random.below(8) {
        0 => Value::Null,
        1 => 0.into(),
        2 => "".into(),
        3 => json!([old]),
        4 => json!({"x": old}),
        5 => true.into(),
        // The members of an object as a list, as some readers take them.
        6 => old.as_object().map(|members| members.values().cloned().collect()).unwrap_or_default(),
        _ => match old.as_str() {
            Some(text) => text.parse::<u64>().map_or(Value::Null, Value::from),
            None => old.to_string().into(),
        },
    };
    true
}

fn list(json: &mut Value, other: &Value, random: &mut Random) -> bool {
    let found = places(json, Value::is_array);
    let Some(place) = found.get(random.below(found.len())) else {
        return false;
    };
    let foreign = other.pointer(place).and_then(|list| list.get(0)).cloned();
    let Some(Value::Array(items)) = json.pointer_mut(place) else {
        return false;
    };
    let (one, two) = (random.below(items.len()), random.below(items.len()));
    match random.below(4) {
        0 if items.len() > 1 => items.swap(one, two),
        1 if !items.is_empty() => items.insert(two, items[one].clone()),
        2 if !items.is_empty() => *items = vec![items[one].clone(); 40],
        _ => items.extend(foreign.or(Some(Value::Null))),
    }
    true
}
