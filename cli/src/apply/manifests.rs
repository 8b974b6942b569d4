mod glob;

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use proto::manifest::{self, Document, Object};

use crate::failure::Failure;
use crate::output::remark;
use crate::words::count;

/// A document and the file it is in.
pub(crate) struct Declared {
    pub(crate) file: String,
    pub(crate) document: Document,
}

/// Most bytes of one manifest.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// What was read, and how many faults were found and told.
pub(crate) struct Read {
    pub(crate) declared: Vec<Declared>,
    pub(crate) faults: usize,
}

/// Reads every document of every path. All faults of all files are told before it fails; what is left
/// out is told as well.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<Declared>, Failure> {
    let read = read_and_tell(paths)?;
    match read.faults {
        0 => Ok(read.declared),
        faults => Err(nothing_done(faults)),
    }
}

/// Reads what can be read of every path, and tells of all faults and of all that is left out.
pub(crate) fn read_and_tell(paths: &[PathBuf]) -> Result<Read, Failure> {
    let (mut declared, mut faults, mut is_template) = (Vec::new(), 0, false);
    let paths = expand(paths)?;
    for path in &paths {
        let file = if is_stdin(path) { "<stdin>".to_owned() } else { path.display().to_string() };
        let text = match read_text(path) {
            Ok(text) => text,
            Err(failure) if paths.len() == 1 => return Err(failure),
            Err(failure) => {
                faults += 1;
                remark(failure);
                continue;
            }
        };
        let (sound, found) = manifest::read_sound(&text);
        declared.extend(sound.into_iter().map(|document| Declared { file: file.clone(), document }));
        faults += found.len();
        is_template |= !found.is_empty() && looks_like_a_template(&text);
        found.iter().for_each(|fault| remark(fault.in_file(&file)));
    }
    let notes = declared.iter().flat_map(|one| one.document.left_out.iter().map(|note| (&one.file, note)));
    notes.for_each(|(file, note)| remark(note.in_file(file)));
    if is_template {
        remark(
            "{{ }} and {% %} are of a template: `rio apply -v VALUES` fills it in, epr reads what comes of it",
        );
    }
    Ok(Read { declared, faults })
}

/// Whether a text has what the rapyuta.io client fills in (Jinja) before it takes it for a manifest.
fn looks_like_a_template(text: &str) -> bool {
    [("{{", "}}"), ("{%", "%}")]
        .iter()
        .any(|(begin, end)| text.split_once(begin).is_some_and(|(_, rest)| rest.contains(end)))
}

/// How reading ends when there are faults, each of which was told.
pub(crate) fn nothing_done(faults: usize) -> Failure {
    Failure::refused(format_args!("{}; nothing was done", count(faults, "fault")))
}

/// What is declared twice, and not alike: the second could only be refused once the first is there.
pub(crate) fn contradictions(declared: &[Declared]) -> Vec<String> {
    let objects = declared.iter().map(|one| (one, &one.document.object));
    let mut firsts: HashMap<String, (&Declared, &Object)> = HashMap::new();
    let mut found = Vec::new();
    for (one, object) in objects.filter(|(_, object)| !super::is_stopped(object)) {
        let label = super::label(object);
        let (first, same) = *firsts.entry(label.clone()).or_insert((one, object));
        if same != object {
            let (place, at) = (one.document.place, first.document.place);
            found.push(format!(
                "{}:{}:{}: {label} is declared twice and differs, first at {}:{}; leave one out",
                one.file, place.line, place.column, first.file, at.line
            ));
        }
    }
    found
}

/// Reads manifests that are part of the program.
pub(crate) fn built_in(file: &str, text: &str) -> Result<Vec<Declared>, Failure> {
    let documents = manifest::read(text).map_err(|faults| {
        let faults: Vec<_> = faults.iter().map(|fault| fault.in_file(file).to_string()).collect();
        Failure::refused(faults.join("\n"))
    })?;
    Ok(documents.into_iter().map(|document| Declared { file: file.to_owned(), document }).collect())
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Directories become the manifests in them, and patterns the files they mean, by name.
fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !is_stdin(path) && glob::is_pattern(path) {
            let found = glob::expand(path).map_err(|error| unreadable(path, &error))?;
            if found.is_empty() {
                return Err(Failure::refused(format_args!("no file fits {}", path.display())));
            }
            files.extend(found);
            continue;
        }
        if is_stdin(path) || !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.map_err(|error| unreadable(path, &error))?;
        let mut found: Vec<_> =
            entries.iter().map(std::fs::DirEntry::path).filter(|path| is_manifest(path)).collect();
        if found.is_empty() {
            return Err(Failure::refused(format_args!(
                "{} holds no *.yaml, *.yml or *.json",
                path.display()
            )));
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    let length = read.map_err(|error| unreadable(path, &error))?;
    if length as u64 > MOST_BYTES {
        return Err(Failure::refused(format_args!("{} is larger than 16 MiB; split it", path.display())));
    }
    String::from_utf8(bytes).map_err(|_| Failure::refused(format_args!("{} is not UTF-8", path.display())))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::refused(format_args!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: &str = "apiVersion: api.rapyuta.io/v2\nkind: StaticRoute\nmetadata: {name: NAME}\n";

    #[test]
    fn a_directory_is_its_manifests_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for (file, name) in [("b.yml", "second"), ("a.yaml", "first"), ("c.txt", "never")] {
            std::fs::write(dir.path().join(file), ROUTE.replace("NAME", name)).unwrap();
        }
        let declared = read_all(&[dir.path().to_owned()]).unwrap();
        let labels: Vec<_> = declared.iter().map(|one| super::super::label(&one.document.object)).collect();
        assert_eq!(labels, ["static-route/first", "static-route/second"]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let told = |path: &Path| read_all(&[path.to_owned()]).err().unwrap().to_string();
        assert!(told(dir.path()).contains("holds no *.yaml"));
        assert!(told(&dir.path().join("none.yaml")).contains("none.yaml: No such file"));
        let binary = dir.path().join("x.yaml");
        std::fs::write(&binary, [0xff, 0xfe]).unwrap();
        assert!(told(&binary).contains("not UTF-8"));
    }

    #[test]
    fn templates_are_told_from_manifests() {
        assert!(looks_like_a_template("metadata: {name: shop-{{ site }}}"));
        assert!(looks_like_a_template("{% for camera in cameras %}"));
        assert!(!looks_like_a_template(ROUTE));
        assert!(!looks_like_a_template("a: }}\nb: {{"));
        assert!(!looks_like_a_template("a: {b: {c: d}}"));
    }

    #[test]
    fn what_is_declared_twice_must_be_alike() {
        let text = |second: &str| format!("{ROUTE}---\n{}", ROUTE.replace("NAME", second));
        let read = |text: &str| contradictions(&built_in("f", text).unwrap());
        assert_eq!(read(&text("NAME")), [""; 0]);
        assert_eq!(read(&text("OTHER")), [""; 0]);
        assert_eq!(
            read(&text("NAME, labels: {a: b}")),
            ["f:5:1: static-route/NAME is declared twice and differs, first at f:1; leave one out"]
        );
    }
}
