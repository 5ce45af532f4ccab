//! The fonts of PDF files: Noto, from a folder of this machine, in the order in which they are
//! asked for a sign.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parley::fontique::{Collection, CollectionOptions, SourceCache};
use parley::{FontContext, FontFamilyName, GenericFamily};

use crate::export::file::WriteError;

/// The font without which there is no PDF.
const MAIN: &str = "Noto Sans";

/// Emoji come before the fonts of Chinese, Japanese and Korean, which draw some of them in black.
const EMOJI: &str = "Noto Color Emoji";

/// Who is asked first, after [`MAIN`]; whoever is not listed is asked last.
const ORDER: &[&str] = &[
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Thai",
    "Noto Sans Devanagari",
    EMOJI,
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Noto Sans CJK SC",
    "Noto Sans CJK TC",
    "Noto Sans Symbols",
    "Noto Sans Symbols2",
    "Noto Sans Math",
];

/// Languages whose Chinese characters have shapes of their own, with the font that draws them.
const CHINESE_CHARACTERS: &[(&str, &str)] =
    &[("zh", "Noto Sans CJK SC"), ("ko", "Noto Sans CJK KR")];

/// Fonts with the orders in which they are asked.
pub(super) struct Fonts {
    pub(super) context: FontContext,
    usual: Families,
    by_language: Vec<(&'static str, Families)>,
}

/// Families in the order in which they are asked for a sign.
pub(super) type Families = Arc<[FontFamilyName<'static>]>;

impl Fonts {
    /// The fonts of a folder and of the folders in it.
    pub(super) fn of_folder(folder: &Path) -> Result<Fonts, WriteError> {
        let mut collection =
            Collection::new(CollectionOptions { shared: false, system_fonts: false });
        collection.load_fonts_from_paths(files(folder));
        let Some(_) = collection.family_id(MAIN) else {
            return Err(WriteError::NoFont { folder: folder.to_owned() });
        };
        if let Some(emoji) = collection.family_id(EMOJI) {
            collection.set_generic_families(GenericFamily::Emoji, [emoji].into_iter());
        }
        let mut names: Vec<String> = collection.family_names().map(str::to_owned).collect();
        let place = |name: &str| match ORDER.iter().position(|known| *known == name) {
            _ if name == MAIN => 0,
            Some(place) => 1 + place,
            None => 1 + ORDER.len(),
        };
        names.sort_by(|one, other| (place(one), one).cmp(&(place(other), other)));
        let by_language = CHINESE_CHARACTERS.iter().filter_map(|(language, family)| {
            let place = names.iter().position(|name| name == family)?;
            let first = names.iter().position(|name| name.starts_with("Noto Sans CJK"))?;
            let mut names = names.clone();
            let family = names.remove(place);
            names.insert(first, family);
            Some((*language, families(&names)))
        });
        Ok(Fonts {
            by_language: by_language.collect(),
            usual: families(&names),
            // Shared, because only then a file that was let go of and is wanted again keeps the
            // number by which faces are known here.
            context: FontContext { collection, source_cache: SourceCache::new_shared() },
        })
    }

    /// The families for a text in that language.
    pub(super) fn families(&self, language: Option<&str>) -> Families {
        let known = self.by_language.iter().find(|(known, _)| Some(*known) == language);
        Arc::clone(known.map_or(&self.usual, |(_, families)| families))
    }
}

fn families(names: &[String]) -> Families {
    names.iter().map(|name| FontFamilyName::Named(name.clone().into())).collect()
}

/// The files of Noto's regular faces, of its bold Latin one and of its emoji, below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            // A link to a folder may lead round in a circle.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_str().is_some_and(is_wanted) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

fn is_wanted(name: &str) -> bool {
    let regular =
        name.starts_with("Noto") && name.contains("-Regular.") || name == "NotoSans-Bold.ttf";
    let ending = [".ttf", ".otf", ".ttc"].iter().any(|ending| name.ends_with(ending));
    ending && (regular || name.starts_with("NotoColorEmoji"))
}
