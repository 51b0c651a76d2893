// SPDX-License-Identifier: Apache-2.0
//! A DER tree of our own, independent of the program's parsers. It changes structures without breaking
//! the lengths around them, and checks the results of those parsers.

/// One encoded value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The identifier octets.
    pub tag: Vec<u8>,
    /// What it holds.
    pub content: Content,
}

/// What a value holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Values.
    Nodes(Vec<Node>),
}

/// Deeper values are taken as bytes.
const DEEPEST: usize = 24;

/// All values that `der` consists of; `None` when it is not a whole number of them.
pub fn read(der: &[u8]) -> Option<Vec<Node>> {
    read_within(der, 0)
}

fn read_within(mut der: &[u8], depth: usize) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    while !der.is_empty() {
        let (node, rest) = read_one(der, depth)?;
        nodes.push(node);
        der = rest;
    }
    Some(nodes)
}

fn read_one(der: &[u8], depth: usize) -> Option<(Node, &[u8])> {
    let first = *der.first()?;
    let long = |at: &usize| der.get(*at).is_some_and(|byte| byte & 0x80 != 0);
    let tag_end = match first & 0x1f {
        0x1f => (1..).take_while(long).count() + 2,
        _ => 1,
    };
    let (tag, rest) = der.split_at_checked(tag_end)?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = if *length < 0x80 {
        (usize::from(*length), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        if digits.is_empty() || digits.len() > 4 {
            return None;
        }
        let length = digits.iter().fold(0, |sum, digit| sum * 256 + usize::from(*digit));
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    let inner =
        (first & 0x20 != 0 && depth < DEEPEST).then(|| read_within(content, depth + 1)).flatten();
    let content = inner.map_or_else(|| Content::Bytes(content.to_vec()), Content::Nodes);
    let tag = tag.to_vec();
    Some((Node { tag, content }, rest))
}

/// The encoding of `nodes`, one after the other.
pub fn write(nodes: &[Node]) -> Vec<u8> {
    let mut der = Vec::new();
    for node in nodes {
        let content = match &node.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Nodes(nodes) => write(nodes),
        };
        der.extend(&node.tag);
        der.extend(length(content.len()));
        der.extend(content);
    }
    der
}

fn length(length: usize) -> Vec<u8> {
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        return vec![short];
    }
    let digits = length.to_be_bytes();
    let digits: Vec<u8> = digits.into_iter().skip_while(|digit| *digit == 0).collect();
    let count = u8::try_from(digits.len()).unwrap_or_default();
    [vec![0x80 | count], digits].concat()
}

impl Node {
    /// The values inside.
    pub fn nodes(&self) -> &[Self] {
        match &self.content {
            Content::Nodes(nodes) => nodes,
            Content::Bytes(_) => &[],
        }
    }
}
