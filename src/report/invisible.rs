// SPDX-License-Identifier: Apache-2.0
//! Characters that are invisible, or that change how the text around them is shown, by the properties that Unicode
//! gives them.

use std::ops::RangeInclusive;

/// The characters that have a category of letters, marks or symbols and show nothing
/// (`Default_Ignorable_Code_Point`, Unicode 17 5.21). The categories cover the others with this property.
const IGNORABLE: [RangeInclusive<char>; 9] = [
    '\u{34f}'..='\u{34f}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180d}',
    '\u{180f}'..='\u{180f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{e0100}'..='\u{e01ef}',
];

/// Returns `true` for control and format characters, separators of lines and paragraphs, every space but the usual
/// one, characters for private use or without a meaning (`Cc`, `Cf`, `Zl`, `Zp`, `Zs`, `Co`, `Cn`), and
/// those that programs may ignore (`Default_Ignorable_Code_Point`).
pub(super) fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    // The standard library has the tables of the categories and shows them here alone. Behind a letter, a mark
    // that combines with it is not escaped.
    let is_escaped = || String::from_iter(['a', c]).escape_debug().nth(1) == Some('\\');
    IGNORABLE.iter().any(|range| range.contains(&c)) || is_escaped()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex_syntax::hir::{Class, HirKind};

    use super::{IGNORABLE, is_invisible};

    /// The characters of a class, in the tables of another library.
    fn class(pattern: &str) -> BTreeSet<char> {
        let parsed = regex_syntax::parse(pattern).unwrap().into_kind();
        let HirKind::Class(Class::Unicode(class)) = parsed else {
            panic!("{parsed:?}");
        };
        class.iter().flat_map(|range| range.start()..=range.end()).collect()
    }

    fn hidden() -> BTreeSet<char> {
        class(r"[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}\p{Co}\p{Cn}]--\x20]")
    }

    /// The two libraries may know different versions of Unicode, and what has a meaning in one of them alone may be
    /// shown or not.
    #[test]
    fn is_what_unicode_says() {
        let (hidden, ignored) = (hidden(), class(r"\p{Default_Ignorable_Code_Point}"));
        let unassigned = class(r"\p{Cn}");
        assert!(hidden.len() > 800_000 && ignored.len() > 4_000);
        let differ: Vec<_> = ('\0'..=char::MAX)
            .filter(|c| is_invisible(*c) != (hidden.contains(c) || ignored.contains(c)))
            .filter(|c| ignored.contains(c) || !unassigned.contains(c))
            .collect();
        assert!(differ.is_empty(), "{differ:?}");
    }

    #[test]
    fn the_list_has_what_no_category_covers() {
        let hidden = hidden();
        let ignored = class(r"\p{Default_Ignorable_Code_Point}").into_iter();
        let expected: Vec<_> = ignored.filter(|c| !hidden.contains(c)).collect();
        let listed: Vec<_> = IGNORABLE.into_iter().flatten().collect();
        assert_eq!(listed, expected);
    }

    #[test]
    fn what_people_write_is_shown() {
        let written = "café cafe\u{301} 日本語 हिन्दी ไทย العربية עברית 👍 € ½ Ω ﷽";
        let escaped: Vec<_> = written.chars().filter(|&c| is_invisible(c)).collect();
        assert!(escaped.is_empty(), "{escaped:?}");
    }
}
