// SPDX-License-Identifier: Apache-2.0
//! Changes to the structure of a bundle, chosen by bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::der::{self, Content, Node};
use super::vectors::{self, Vector};

/// Bytes that determine choices. Once they are used up, every choice is 0.
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    /// A number below `end`, or 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let low = usize::from(self.byte());
        let high = if end > 256 { usize::from(self.byte()) } else { 0 };
        (high * 256 + low).checked_rem(end).unwrap_or_default()
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// Returns `true` if bytes are left.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Chooses a vector and makes one to three changes to its bundle.
pub fn bent(choices: &mut Choices<'_>) -> (&'static Vector, Vec<u8>) {
    let vector = choose(choices);
    let mut json = vector.json.clone();
    for _ in 0..choices.below(4).max(1) {
        let other = choose(choices);
        change(&mut json, &other.json, choices);
    }
    let mut text = json.to_string();
    if choices.below(16) == 1 {
        text = member_twice(&text, choices);
    }
    (vector, text.into_bytes())
}

/// Half of the time it chooses a vector that is not a release, because the releases are many and alike.
fn choose(choices: &mut Choices<'_>) -> &'static Vector {
    let all = vectors::all();
    let others = all.iter().filter(|vector| !vector.name.starts_with("release-"));
    let others: Vec<_> = others.collect();
    match choices.below(2) {
        0 => others[choices.below(others.len())],
        _ => &all[choices.below(all.len())],
    }
}

/// The places where `changed` differs from the bundle of `vector`.
pub fn places_of(vector: &Vector, changed: &[u8]) -> Vec<String> {
    let changed: Value = serde_json::from_slice(changed).unwrap_or_default();
    let mut found = Vec::new();
    places(&vector.json, String::new(), &mut found);
    places(&changed, String::new(), &mut found);
    found.sort();
    found.dedup();
    found.retain(|place| vector.json.pointer(place) != changed.pointer(place));
    found
}

/// One change to `json`; some take a part of `other`.
fn change(json: &mut Value, other: &Value, choices: &mut Choices<'_>) {
    match choices.below(4) {
        0 => change_shape(json, other, choices),
        1 => {
            if let Some(Value::String(text)) = pick(json, Value::is_string, choices) {
                *text = change_text(text, choices);
            }
        }
        _ => {
            let is_binary = |value: &Value| decoded(value).is_some();
            if let Some(value) = pick(json, is_binary, choices)
                && let Some(bytes) = decoded(value)
            {
                *value = STANDARD.encode(change_bytes(bytes, choices)).into();
            }
        }
    }
}

/// Decodes a member that is base64.
fn decoded(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str().filter(|text| text.len() > 15)?;
    STANDARD.decode(text).ok()
}

/// Every place of `json`, as a JSON pointer (RFC 6901).
fn places(json: &Value, at: String, found: &mut Vec<String>) {
    match json {
        Value::Object(members) => {
            for (name, value) in members {
                places(value, format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                places(value, format!("{at}/{number}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found.push(at);
}

fn pick_place(
    json: &Value,
    fits: impl Fn(&str, &Value) -> bool,
    choices: &mut Choices<'_>,
) -> Option<String> {
    let mut found = Vec::new();
    places(json, String::new(), &mut found);
    found.retain(|place| json.pointer(place).is_some_and(|value| fits(place, value)));
    let at = choices.below(found.len());
    found.into_iter().nth(at)
}

fn pick<'a>(
    json: &'a mut Value,
    fits: impl Fn(&Value) -> bool,
    choices: &mut Choices<'_>,
) -> Option<&'a mut Value> {
    let place = pick_place(json, |_, value| fits(value), choices)?;
    json.pointer_mut(&place)
}

fn change_shape(json: &mut Value, other: &Value, choices: &mut Choices<'_>) {
    match choices.below(6) {
        // Take the value from the same place of another bundle, even if this one has no value there.
        0 | 1 => {
            let fits = |place: &str, _: &Value| {
                let above = place.rsplit_once('/').map(|(above, _)| json.pointer(above));
                above.is_some_and(|above| above.is_some_and(|value| !value.is_string()))
            };
            if let Some(place) = pick_place(other, fits, choices)
                && let (Some(from), Some((above, name))) =
                    (other.pointer(&place), place.rsplit_once('/'))
                && let Some(to) = json.pointer_mut(above)
            {
                if let Value::Object(members) = to {
                    members.insert(name.to_owned(), from.clone());
                } else if let Some(item) = json.pointer_mut(&place) {
                    *item = from.clone();
                }
            }
        }
        2 => remove(json, choices),
        3 => change_list(json, other, choices),
        // Two members have the same value, or changed places.
        4 => {
            let one = pick_place(json, |_, value| value.is_string(), choices);
            let two = pick_place(json, |_, value| value.is_string(), choices);
            let (Some(one), Some(two)) = (one, two) else {
                return;
            };
            let values = (json.pointer(&one).cloned(), json.pointer(&two).cloned());
            if let (Some(place), Some(value)) = (json.pointer_mut(&one), values.1) {
                *place = value;
            }
            if let (Some(place), Some(value), 0) =
                (json.pointer_mut(&two), values.0, choices.below(2))
            {
                *place = value;
            }
        }
        // Another kind of value.
        _ => {
            let kinds = [Value::Null, 0.into(), "".into(), Value::Array(vec![]), true.into()];
            if let Some(value) = pick(json, |_| true, choices) {
                *value = kinds[choices.below(kinds.len())].clone();
            }
        }
    }
}

/// A member or an item is gone.
fn remove(json: &mut Value, choices: &mut Choices<'_>) {
    let Some(value) = pick(json, |value| value.is_object() || value.is_array(), choices) else {
        return;
    };
    if let Value::Object(members) = value {
        let name = members.keys().nth(choices.below(members.len())).cloned();
        name.and_then(|name| members.remove(&name));
    } else if let Value::Array(items) = value
        && !items.is_empty()
    {
        items.remove(choices.below(items.len()));
    }
}

/// Swaps two items, repeats one, or adds one from another bundle.
fn change_list(json: &mut Value, other: &Value, choices: &mut Choices<'_>) {
    let Some(place) = pick_place(json, |_, value| value.is_array(), choices) else {
        return;
    };
    let foreign = other.pointer(&place).and_then(|list| list.get(0)).cloned();
    let Some(Value::Array(items)) = json.pointer_mut(&place) else {
        return;
    };
    let (one, two) = (choices.below(items.len()), choices.below(items.len()));
    match choices.below(3) {
        0 if !items.is_empty() => items.swap(one, two),
        1 if !items.is_empty() => items.insert(two, items[one].clone()),
        _ => items.extend(foreign),
    }
}

/// Changes the text of a number, name or checkpoint.
fn change_text(text: &str, choices: &mut Choices<'_>) -> String {
    if let Ok(number) = text.parse::<u64>() {
        let changed = [number + 1, number.saturating_sub(1), 0, number ^ 1 << 32];
        return changed[choices.below(changed.len())].to_string();
    }
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let (one, two) = (choices.below(lines.len()), choices.below(lines.len()));
    match choices.below(5) {
        0 => drop(lines.remove(one)),
        1 => lines.insert(two, lines[one].clone()),
        2 => lines.swap(one, two),
        _ => {
            let mut bytes = std::mem::take(&mut lines[one]).into_bytes();
            flip(&mut bytes, choices);
            lines[one] = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    lines.join("\n")
}

fn flip(bytes: &mut [u8], choices: &mut Choices<'_>) {
    let at = choices.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << choices.below(8);
    }
}

/// Other bytes: fewer, more, another structure of DER, or another bit.
pub fn change_bytes(mut bytes: Vec<u8>, choices: &mut Choices<'_>) -> Vec<u8> {
    match choices.below(6) {
        0 => bytes.truncate(choices.below(bytes.len())),
        1 => bytes.push(choices.byte()),
        2 | 3 => match change_der(&bytes, choices) {
            Some(changed) => return changed,
            None => flip(&mut bytes, choices),
        },
        _ => flip(&mut bytes, choices),
    }
    bytes
}

/// Another structure, with the lengths around it right; `None` if the bytes are not DER.
pub fn change_der(bytes: &[u8], choices: &mut Choices<'_>) -> Option<Vec<u8>> {
    let mut nodes = der::read(bytes).filter(|nodes| !nodes.is_empty())?;
    let mut steps = choices.below(count(&nodes)) + 1;
    change_tree(&mut nodes, &mut steps, choices);
    Some(der::write(&nodes))
}

/// The number of values, those inside of others included.
fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + count(node.nodes())).sum()
}

/// Changes the value that is reached after `steps`, in the order of the bytes.
fn change_tree(nodes: &mut Vec<Node>, steps: &mut usize, choices: &mut Choices<'_>) {
    for at in 0..nodes.len() {
        *steps -= 1;
        if *steps == 0 {
            return change_node(nodes, at, choices);
        }
        if let Content::Nodes(inner) = &mut nodes[at].content {
            change_tree(inner, steps, choices);
            if *steps == 0 {
                return;
            }
        }
    }
}

fn change_node(nodes: &mut Vec<Node>, at: usize, choices: &mut Choices<'_>) {
    let other = choices.below(nodes.len());
    match choices.below(7) {
        0 => drop(nodes.remove(at)),
        1 => nodes.insert(at, nodes[other].clone()),
        2 => nodes.swap(at, other),
        3 => flip(&mut nodes[at].tag, choices),
        4 => nodes[at].content = Content::Bytes(Vec::new()),
        5 => {
            let inner = vec![nodes[at].clone()];
            nodes[at].content = Content::Nodes(inner);
        }
        _ => match &mut nodes[at].content {
            Content::Bytes(bytes) => flip(bytes, choices),
            Content::Nodes(inner) => inner.reverse(),
        },
    }
}

/// The text with one member twice, which no reader may take; as it is when nothing is left in it.
pub fn member_twice(text: &str, choices: &mut Choices<'_>) -> String {
    let colons: Vec<_> = text.match_indices("\":").map(|(at, _)| at).collect();
    let Some(end) = colons.get(choices.below(colons.len())).copied() else {
        return text.to_owned();
    };
    let start = text[..end].rfind('"').unwrap_or_default();
    let member = &text[start..end];
    format!("{}{member}\":null,{}", &text[..start], &text[start..])
}
