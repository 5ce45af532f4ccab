//! Files that lie beside data in folders and archives and hold no records, told by their names:
//! pictures, pages, notes for people, what systems leave behind. Everything else is read.

/// Endings of such files.
const ENDINGS: &[&str] = &[
    "jpg", "jpeg", "png", "gif", "webp", "svg", "ico", "mp4", "mov", "webm", "m3u8", "ts", "mp3",
    "m4a", "html", "htm", "css", "map", "woff", "woff2", "ttf", "eot", "pdf", "md", "rst", "doc",
    "docx", "py", "ipynb", "sh", "sha256", "md5", "log",
];

/// Names of notes for people, without their endings.
const NOTES: &[&str] = &["readme", "license", "licence", "copying", "manifest", "notice"];

/// Whether the file of that name (with slashes before it) holds no records.
pub(super) fn is_one(name: &str) -> bool {
    let mut folders = name.rsplit('/');
    let file = folders.next().unwrap_or_default().to_lowercase();
    let (stem, ending) = file.split_once('.').unwrap_or((&file, ""));
    let last = ending.rsplit('.').next().unwrap_or_default();
    file.starts_with('.')
        || file == "thumbs.db"
        || ENDINGS.contains(&last)
        || NOTES.contains(&stem) && ["", "txt", "xml"].contains(&ending)
        || folders.any(|folder| folder == "__MACOSX")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_pages_and_notes_are_told_from_data() {
        for name in [
            "data/tweets_media/20-x.JPG",
            "Your archive.html",
            "README.txt",
            "a/LICENSE",
            "__MACOSX/data/tweets.js",
            "data/._tweets.js",
            ".DS_Store",
            "assets/app.js.map",
        ] {
            assert!(is_one(name), "{name}");
        }
        for name in [
            "data/tweets.js",
            "2012/01/01.json.bz2",
            "ids.txt",
            "readme-ids.txt",
            "tweets",
            "a.csv",
            "data/manifest.js",
            "x.jsonl.gz",
            "page.warc.gz",
        ] {
            assert!(!is_one(name), "{name}");
        }
    }
}
