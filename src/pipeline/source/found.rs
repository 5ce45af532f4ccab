//! The files that names of files, folders and patterns stand for, always in the same order.

use std::io;
use std::path::{Path, PathBuf};

use super::Source;

/// A name that stands for no file.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// A folder or a file in it cannot be looked at.
    #[error("cannot look into {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A pattern goes into folders below, perhaps in a circle.
    #[error("{0} has two stars in a row; name the folder, which is read with all that is below it")]
    Stars(String),
    /// No file fits a pattern.
    #[error("no file fits the pattern {0}")]
    Pattern(String),
}

/// The sources that `path` stands for: the file itself; of a folder all files in it and below, by
/// their names; of a pattern with `*`, `?` or `[…]` that is no file the files that fit.
///
/// # Errors
/// [`NotFound`] says what there is nothing of. A plain name of no file is let through: opening it
/// tells.
pub fn sources_at(path: &Path) -> Result<Vec<Source>, NotFound> {
    let pattern = path.to_str().filter(|text| text.contains(['*', '?', '[']) && !path.exists());
    let Some(pattern) = pattern else {
        return if path.is_dir() { in_folder(path) } else { Ok(vec![Source::File(path.into())]) };
    };
    let unfit = || NotFound::Pattern(pattern.to_owned());
    if pattern.contains("**") {
        return Err(NotFound::Stars(pattern.to_owned()));
    }
    let mut sources = Vec::new();
    for fit in glob::glob(pattern).map_err(|_| unfit())? {
        let fit = fit.map_err(|error| NotFound::Folder {
            path: error.path().to_owned(),
            source: error.into(),
        })?;
        match fit.is_dir() {
            true => sources.extend(in_folder(&fit)?),
            false => sources.push(Source::Found(fit)),
        }
    }
    if sources.is_empty() { Err(unfit()) } else { Ok(sources) }
}

/// Files of records, and files beside them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Those that hold records, as far as their names tell.
    pub of_records: Vec<PathBuf>,
    /// Pictures, pages and notes for people that were found with them.
    pub passed_over: Vec<PathBuf>,
}

/// The files that these names of files, folders and patterns stand for, as by [`sources_at`].
///
/// # Errors
/// As [`sources_at`].
pub fn files_at(paths: &[PathBuf]) -> Result<Files, NotFound> {
    let mut files = Files::default();
    for path in paths {
        for source in sources_at(path)? {
            let holds_none = source.holds_no_records();
            let (Source::File(path) | Source::Found(path)) = source else { continue };
            let kind = if holds_none { &mut files.passed_over } else { &mut files.of_records };
            kind.push(path);
        }
    }
    Ok(files)
}

/// All files in a folder and below, by the bytes of their names. Links to folders are not gone
/// into: one may lead back.
fn in_folder(folder: &Path) -> Result<Vec<Source>, NotFound> {
    let refused = |source| NotFound::Folder { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        entries.push((entry.path(), entry.file_type().map_err(refused)?));
    }
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    let mut sources = Vec::new();
    for (path, kind) in entries {
        if kind.is_dir() {
            sources.extend(in_folder(&path)?);
        } else if path.is_file() {
            sources.push(Source::Found(path));
        }
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_patterns_stand_for_their_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("b/c")).unwrap();
        for name in ["b/2.json", "b/10.json", "b/c/1.json", "a.json", "z.csv", "[x].json"] {
            std::fs::write(at(name), "").unwrap();
        }
        std::os::unix::fs::symlink(folder.path(), at("b/loop")).unwrap();
        let names = |path: &str| -> Vec<String> {
            let sources = sources_at(&at(path)).unwrap();
            let inside = folder.path().to_str().unwrap().len() + 1;
            sources.iter().map(|source| source.name()[inside..].to_owned()).collect()
        };
        let all = ["[x].json", "a.json", "b/10.json", "b/2.json", "b/c/1.json", "z.csv"];
        assert_eq!(names(""), all);
        assert_eq!(names("*.json"), ["[x].json", "a.json"]);
        assert_eq!(names("[x].json"), ["[x].json"]);
        assert!(matches!(sources_at(&at("**/*.json")), Err(NotFound::Stars(_))));
        assert_eq!(names("?"), ["b/10.json", "b/2.json", "b/c/1.json"]);
        assert_eq!(names("nowhere.json"), ["nowhere.json"]);
        assert!(matches!(sources_at(&at("*.xml")), Err(NotFound::Pattern(_))));
    }

    #[test]
    fn what_lies_beside_records_is_told_apart_unless_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a.json", "README.md", "b.csv"] {
            std::fs::write(at(name), "").unwrap();
        }
        let files = files_at(&[folder.path().to_owned(), at("README.md")]).unwrap();
        assert_eq!(files.of_records, [at("a.json"), at("b.csv"), at("README.md")]);
        assert_eq!(files.passed_over, [at("README.md")]);
    }
}
