use std::io;
use std::path::{Component, Path, PathBuf};

/// Whether a path is a pattern: `*` and `?` stand for some characters of a name and for one, `**` for any
/// number of directories.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains(['*', '?'])) && !path.exists()
}

/// The files a pattern means, by name.
pub(super) fn expand(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let mut steps: Vec<String> = Vec::new();
    let mut root = PathBuf::new();
    for component in pattern.components() {
        match component {
            Component::Normal(name) => steps.push(name.to_string_lossy().into_owned()),
            other => root.push(other),
        }
    }
    let mut found = Vec::new();
    walk(&root, &steps, &mut found)?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn walk(dir: &Path, steps: &[String], found: &mut Vec<PathBuf>) -> io::Result<()> {
    let Some((step, rest)) = steps.split_first() else {
        if dir.is_file() {
            found.push(dir.to_owned());
        }
        return Ok(());
    };
    if step == "**" {
        walk(dir, rest, found)?;
    } else if !step.contains(['*', '?']) {
        let next = dir.join(step);
        return if next.exists() { walk(&next, rest, found) } else { Ok(()) };
    }
    let here = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    if !here.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(here)? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        // As a shell has it: hidden files are meant only when they are named.
        if text.starts_with('.') && !step.starts_with('.') {
            continue;
        }
        let next = dir.join(&name);
        match step.as_str() {
            // Links are not followed: they may lead back here.
            "**" if next.is_dir() && !next.is_symlink() => walk(&next, steps, found)?,
            "**" => {}
            pattern if matches(pattern.as_bytes(), text.as_bytes()) => walk(&next, rest, found)?,
            _ => {}
        }
    }
    Ok(())
}

/// Whether a name fits a pattern, in time that grows with both lengths only.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(b'?') => (p, n) = (p + 1, n + 1),
            Some(c) if Some(c) == name.get(n) => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_patterns() {
        for (pattern, name, fits) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("a*b*c", "aXbYbZc", true),
            ("?.y*", "a.yml", true),
            ("?", "", false),
            ("**", "x", true),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_reach_into_directories() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["a.yaml", "b.json", "x/c.yaml", "x/y/d.yaml", ".hidden.yaml"] {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            let found = expand(&dir.path().join(pattern)).unwrap();
            let relative = found.iter().map(|path| path.strip_prefix(dir.path()).unwrap());
            relative.map(|path| path.display().to_string()).collect()
        };
        assert_eq!(found("*.yaml"), ["a.yaml"]);
        assert_eq!(found("**/*.yaml"), ["a.yaml", "x/c.yaml", "x/y/d.yaml"]);
        assert_eq!(found("?/*"), ["x/c.yaml"]);
        assert_eq!(found("none/*"), [""; 0]);
    }
}
