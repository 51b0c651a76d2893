// SPDX-License-Identifier: Apache-2.0
//! Reads one character in all ways in which it may be written.

/// The most backslashes in a row that are read: texts in texts in texts double them.
const MOST_BACKSLASHES: usize = 32;

/// The most times that an escape is escaped again (`%2525`, `&amp;amp;`).
const MOST_LAYERS: usize = 8;

/// The characters that `text` may have at `at`, each with its end there.
pub(super) fn characters(text: &str, at: usize, found: &mut Vec<(char, usize)>) {
    found.clear();
    let rest = text.get(at..).unwrap_or_default();
    let Some(first) = rest.chars().next() else { return };
    found.push((first, at + first.len_utf8()));
    match first {
        '\\' => backslashes(text, at, found),
        '%' => percent(rest, at, found),
        '&' => references(rest, at, found),
        '+' => found.push((' ', at + 1)),
        // What a shell and a table of CSV make of quotes.
        '\'' => {
            let quoted = [r"'\''", "'\"'\"'"].into_iter().find(|form| rest.starts_with(form));
            found.extend(quoted.map(|form| ('\'', at + form.len())));
        }
        '"' if rest.starts_with("\"\"") => found.push(('"', at + 2)),
        _ => {}
    }
}

/// Where a character of base64 may begin that is expected at `at`: there, or behind ends of lines.
pub(super) fn unwrapped(text: &str, at: usize) -> Vec<usize> {
    let mut starts = vec![at];
    let mut at = at;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let escaped = rest.trim_start_matches('\\');
        let slashes = rest.len() - escaped.len();
        let forms = ["\r", "\n", "%0A", "%0a", "%0D", "%0d"];
        let length = match forms.into_iter().find(|form| rest.starts_with(form)) {
            Some(form) => form.len(),
            None if slashes > 0 && escaped.starts_with(['r', 'n']) => slashes + 1,
            None => return starts,
        };
        at += length;
        starts.push(at);
    }
}

/// What one or more backslashes stand for, or stand before.
fn backslashes(text: &str, at: usize, found: &mut Vec<(char, usize)>) {
    let rest = text.get(at..).unwrap_or_default();
    let count = rest.bytes().take(MOST_BACKSLASHES).take_while(|byte| *byte == b'\\').count();
    found.extend((2..=count).map(|length| ('\\', at + length)));
    let from = at + count;
    let rest = text.get(from..).unwrap_or_default();
    let Some(next) = rest.chars().next() else { return };
    found.push((next, from + next.len_utf8()));
    let behind = rest.get(next.len_utf8()..).unwrap_or_default();
    let short = match next {
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        _ => None,
    };
    found.extend(short.map(|c| (c, from + 1)));
    let long = match next {
        'x' => hex(behind, 2).and_then(char::from_u32).map(|c| (c, 2)),
        'u' => unicode(behind),
        _ => None,
    };
    found.extend(long.map(|(c, length)| (c, from + 1 + length)));
}

/// The character behind `\u`, and the length of its number: `XXXX`, twice for one outside of the first plane
/// (UTF-16), or `{X}`.
fn unicode(text: &str) -> Option<(char, usize)> {
    if let Some(braced) = text.strip_prefix('{') {
        let (digits, _) = braced.split_once('}').filter(|(digits, _)| digits.len() <= 6)?;
        return Some((char::from_u32(hex(braced, digits.len())?)?, digits.len() + 2));
    }
    let unit = |text: &str| u16::try_from(hex(text, 4)?).ok();
    let one = unit(text)?;
    if let Some(Ok(c)) = char::decode_utf16([one]).next() {
        return Some((c, 4));
    }
    let rest = text.get(4..)?;
    let behind = rest.trim_start_matches('\\');
    let slashes = rest.len() - behind.len();
    let other = unit(behind.strip_prefix('u').filter(|_| slashes > 0)?)?;
    let c = char::decode_utf16([one, other]).next()?.ok()?;
    Some((c, 4 + slashes + 1 + 4))
}

/// The bytes of a character as `%XX`, where the sign may be encoded again (`%25XX`).
fn percent(rest: &str, at: usize, found: &mut Vec<(char, usize)>) {
    for layer in 0..MOST_LAYERS {
        let sign = format!("%{}", "25".repeat(layer));
        if !rest.starts_with(&sign) {
            return;
        }
        let byte =
            |rest: &str| hex(rest.strip_prefix(&sign)?, 2).and_then(|byte| u8::try_from(byte).ok());
        let Some(first) = byte(rest) else { continue };
        let width = match first {
            0..0x80 => 1,
            0xC0..0xE0 => 2,
            0xE0..0xF0 => 3,
            0xF0.. => 4,
            0x80..0xC0 => continue,
        };
        let step = sign.len() + 2;
        let bytes: Option<Vec<u8>> =
            (0..width).map(|index| byte(rest.get(index * step..)?)).collect();
        let c = bytes.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.chars().next());
        found.extend(c.map(|c| (c, at + width * step)));
    }
}

/// What a reference of HTML stands for, where its `&` may be one itself.
fn references(rest: &str, at: usize, found: &mut Vec<(char, usize)>) {
    let mut start = 1;
    for _ in 0..MOST_LAYERS {
        let text = rest.get(start..).unwrap_or_default();
        let names = [("amp;", '&'), ("lt;", '<'), ("gt;", '>'), ("quot;", '"'), ("apos;", '\'')];
        let named = names.into_iter().find(|(name, _)| text.starts_with(name));
        let named = named.map(|(name, c)| (c, name.len()));
        let Some((c, length)) = named.or_else(|| numbered(text)) else { return };
        found.push((c, at + start + length));
        if c != '&' {
            return;
        }
        start += length;
    }
}

/// The character of `#38;` or `#x26;`, and the length of that.
fn numbered(text: &str) -> Option<(char, usize)> {
    let (number, _) = text.strip_prefix('#')?.split_at_checked(12).unwrap_or((text.get(1..)?, ""));
    let (number, _) = number.split_once(';')?;
    let value = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    Some((char::from_u32(value.ok()?)?, number.len() + 2))
}

/// The number in the first `digits` characters of `text`, which are hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u32> {
    let digits = text.get(..digits)?;
    let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u32::from_str_radix(digits, 16).ok())?
}
