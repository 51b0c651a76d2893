// SPDX-License-Identifier: Apache-2.0
//! Which module imports which: what the tables of ARCHITECTURE.md allow, and never in a loop. Between
//! crates the compiler sees to it. Reads text alone.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    /// A module by its path from the root of the crate, which itself is the empty one.
    type Module = Vec<String>;
    /// The code of each module that is a file.
    type Modules = BTreeMap<Module, String>;
    /// Which module imports which.
    type Imports = BTreeMap<Module, BTreeSet<Module>>;

    /// Crates without a loop of files, and the heading of the table of their modules, where there is one.
    const CRATES: [(&str, Option<&str>); 5] = [
        ("host/src", None),
        ("providers/src", Some("### The modules of `providers`")),
        ("registry/src", Some("### The modules of `registry`")),
        ("sigstore/src", Some("### The modules of `sigstore`")),
        ("src", Some("### The modules of the program")),
    ];

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// The modules below `folder` that are not tests.
    fn modules(folder: &str) -> Modules {
        let top = root().join(folder);
        let mut found = Modules::new();
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                // The binary is another crate.
                if path.ends_with("tests") || path.ends_with("main.rs") {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let name = path.strip_prefix(&top).unwrap().with_extension("");
                    let parts = name.iter().map(|part| part.to_str().unwrap().to_owned());
                    let is_own = |part: &String| !["lib", "mod"].contains(&part.as_str());
                    let module: Module = parts.filter(is_own).collect();
                    if module.last().is_none_or(|last| last != "tests") {
                        found.insert(module, code(&text));
                    }
                }
            }
        }
        found
    }

    /// `text` without comments, and without what is compiled for tests alone.
    fn code(text: &str) -> String {
        let mut code = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line == "#[cfg(test)]" {
                let first = lines.next().unwrap_or_default();
                if !first.ends_with(';') {
                    lines.by_ref().find(|line| *line == "}");
                }
                continue;
            }
            code.push_str(line.split("//").next().unwrap_or_default());
            code.push('\n');
        }
        code
    }

    /// The paths of a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
    fn leaves(tree: &str) -> Vec<String> {
        let Some((head, rest)) = tree.split_once('{') else {
            let path = tree.split(" as ").next().unwrap();
            return vec![path.trim().to_owned()];
        };
        let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
        let mut found = Vec::new();
        let (mut depth, mut start) = (0, 0);
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let part = inner[start..at].trim();
                    if !part.is_empty() {
                        let below = leaves(part).into_iter();
                        found.extend(below.map(|leaf| format!("{}{leaf}", head.trim())));
                    }
                    start = at + 1;
                }
                _ => {}
            }
        }
        found
    }

    /// The paths of all `use` declarations of `code`, those of `pub use` apart, and the rest of it.
    fn declarations(code: &str) -> (Vec<String>, Vec<String>, String) {
        let (mut private, mut public, mut rest) = (Vec::new(), Vec::new(), String::new());
        let mut lines = code.lines();
        while let Some(line) = lines.next() {
            let text = line.trim_start();
            let visible = text.starts_with("pub");
            let after = text.split_once("use ").filter(|(before, _)| {
                let before = before.trim();
                before.is_empty() || before == "pub" || before.starts_with("pub(")
            });
            let Some((_, tree)) = after else {
                rest.push_str(line);
                rest.push('\n');
                continue;
            };
            let mut tree = tree.to_owned();
            while !tree.contains(';') {
                let Some(line) = lines.next() else { break };
                tree.push_str(line);
            }
            let tree = tree.split(';').next().unwrap();
            if visible {
                public.extend(leaves(tree));
            } else {
                private.extend(leaves(tree));
            }
        }
        (private, public, rest)
    }

    /// The paths in `code`: names with `::` between.
    fn paths(code: &str) -> Vec<String> {
        let is_part = |c: char| c.is_alphanumeric() || "_:".contains(c);
        code.split(|c| !is_part(c))
            .map(|word| word.trim_matches(':').to_owned())
            .filter(|word| word.contains("::"))
            .collect()
    }

    /// `path`, as `module` writes it, from the root of the crate; `None` when it leads elsewhere.
    fn absolute(path: &str, module: &[String], modules: &Modules) -> Option<Module> {
        let mut parts = path.split("::").filter(|part| !part.is_empty()).peekable();
        let mut found = match *parts.peek()? {
            "crate" => {
                parts.next();
                Module::new()
            }
            "self" | "super" => module.to_vec(),
            first => {
                let child = [module, &[first.to_owned()]].concat();
                modules.contains_key(&child).then(|| module.to_vec())?
            }
        };
        for part in parts {
            match part {
                "self" => {}
                "super" => drop(found.pop()),
                _ => found.push(part.to_owned()),
            }
        }
        Some(found)
    }

    /// The module that what is at `path` is written in: by way of what modules say is in those below
    /// them.
    fn home(path: &[String], modules: &Modules) -> Module {
        let is_module = |length: &usize| modules.contains_key(&path[..*length]);
        let length = (0..=path.len()).rev().find(is_module).unwrap_or_default();
        let module = &path[..length];
        let Some(name) = path.get(length) else {
            return module.to_vec();
        };
        let (_, public, _) = declarations(&modules[module]);
        let ends = format!("::{name}");
        let elsewhere = public.iter().filter(|path| path.ends_with(&ends));
        let mut elsewhere = elsewhere.filter_map(|path| absolute(path, module, modules));
        match elsewhere.find(|found| found[..] != path[..]) {
            Some(found) => home(&found, modules),
            None => module.to_vec(),
        }
    }

    fn imports(modules: &Modules) -> Imports {
        let mut all = Imports::new();
        for (module, code) in modules {
            let (private, _, rest) = declarations(code);
            let named = private.into_iter().chain(paths(&rest));
            let found = named.filter_map(|path| absolute(&path, module, modules));
            let homes = found.map(|path| home(&path, modules));
            all.insert(module.clone(), homes.filter(|home| home != module).collect());
        }
        all
    }

    /// A chain of imports from a module back to itself.
    fn in_a_loop(imports: &Imports) -> Option<String> {
        let mut left: BTreeSet<&Module> = imports.keys().collect();
        loop {
            let is_free =
                |module: &&&Module| imports[**module].iter().all(|other| !left.contains(other));
            let free: Vec<_> = left.iter().filter(is_free).copied().collect();
            if free.is_empty() {
                break;
            }
            left.retain(|module| !free.contains(module));
        }
        let mut chain = vec![*left.first()?];
        loop {
            let next = imports[*chain.last()?].iter().find(|next| left.contains(next))?;
            let begun = chain.iter().position(|module| *module == next);
            chain.push(next);
            if let Some(begun) = begun {
                let chain = chain.iter().skip(begun);
                let names: Vec<_> = chain.map(|module| module.join("::")).collect();
                return Some(names.join(" -> "));
            }
        }
    }

    /// The imports between the modules at the top of a crate that `table` does not allow.
    fn not_allowed(imports: &Imports, table: &[(String, BTreeSet<String>)]) -> Vec<String> {
        let mut wrong = Vec::new();
        for (module, others) in imports {
            let Some(top) = module.first() else { continue };
            let row = table.iter().find(|(name, _)| name == top);
            for other in others.iter().filter_map(|other| other.first()) {
                if other != top && !row.is_some_and(|(_, allowed)| allowed.contains(other)) {
                    wrong.push(format!("{} imports {other}", module.join("::")));
                }
            }
        }
        wrong
    }

    /// The table under `heading`: a module, and those that it may use.
    fn table(heading: &str) -> Vec<(String, BTreeSet<String>)> {
        let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
        let (_, text) = text.split_once(heading).unwrap();
        let rows = text.lines().skip_while(|line| !line.starts_with('|'));
        rows.skip(2)
            .take_while(|line| line.starts_with('|'))
            .map(|line| {
                let mut cells = line.trim_matches('|').split('|');
                let names =
                    |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
                let name: Vec<String> = names(cells.next().unwrap());
                (name[0].clone(), names(cells.next().unwrap()).into_iter().collect())
            })
            .collect()
    }

    #[test]
    fn no_module_imports_what_the_table_does_not_allow() {
        for (folder, heading) in CRATES {
            let Some(heading) = heading else { continue };
            let (modules, table) = (modules(folder), table(heading));
            let tops: BTreeSet<_> = modules.keys().filter_map(|module| module.first()).collect();
            let named: BTreeSet<_> = table.iter().map(|(name, _)| name).collect();
            assert_eq!(named, tops, "{heading}");
            let mut above = BTreeSet::new();
            for (name, allowed) in &table {
                assert!(allowed.is_subset(&above), "{name} may use what is not above it");
                above.insert(name.clone());
            }
            let imports = imports(&modules);
            assert_eq!(not_allowed(&imports, &table), [""; 0], "{folder}");
            // And the other way round: what nobody uses is not allowed.
            for (name, allowed) in &table {
                for other in allowed {
                    let is_used = imports.iter().any(|(module, others)| {
                        module.first() == Some(name)
                            && others.iter().any(|found| found.first() == Some(other))
                    });
                    assert!(is_used, "{name} does not use {other}");
                }
            }
        }
    }

    #[test]
    fn no_file_imports_itself_by_way_of_others() {
        for (folder, _) in CRATES {
            assert_eq!(in_a_loop(&imports(&modules(folder))), None, "{folder}");
        }
    }

    /// Three modules, of which `low` has this code.
    fn with(low: &str) -> Imports {
        let module = |path: &str| path.split("::").map(str::to_owned).collect();
        let modules = [
            ("low", low),
            ("high", "mod part;\npub use part::Part;\nuse crate::low::Thing;\n"),
            ("high::part", "use super::super::low::{Other, Thing as It};\n"),
        ];
        imports(&modules.map(|(path, text)| (module(path), code(text))).into())
    }

    #[test]
    fn each_form_of_an_import_is_seen() {
        let table = [
            ("low".to_owned(), BTreeSet::new()),
            ("high".to_owned(), BTreeSet::from(["low".to_owned()])),
        ];
        let harmless = "// crate::high::Part\n#[cfg(test)]\nmod tests {\n    use crate::high;\n}\n";
        assert_eq!(not_allowed(&with(harmless), &table), [""; 0]);
        assert_eq!(in_a_loop(&with(harmless)), None);
        for wrong in [
            "use crate::high::Part;\n",
            "use crate::{\n    high::{self},\n};\n",
            "pub(crate) fn f() -> super::high::Part {\n",
            "    use super::high::part::Part;\n",
        ] {
            assert_eq!(not_allowed(&with(wrong), &table), ["low imports high"], "{wrong}");
            assert!(in_a_loop(&with(wrong)).is_some(), "{wrong}");
        }
        // A name is where it is written, not where it is named again.
        let by_name = with("use crate::high::Part;\n");
        let low = vec!["low".to_owned()];
        let part = vec!["high".to_owned(), "part".to_owned()];
        assert_eq!(by_name[&low], BTreeSet::from([part]));
    }
}
