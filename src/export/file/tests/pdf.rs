//! PDF files as poppler reads them. That they keep the rules of PDF/UA-1 as far as a program can
//! tell is checked while they are made, in tests only: a file that breaks one is still a file.

use std::io::Write;
use std::path::Path;

use super::*;

/// What a program of poppler says of a PDF file.
pub(super) fn poppler(program: &str, arguments: &[&str], file: &[u8]) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        // In the order of the file, which is that in which it is read.
        .args((program == "pdftotext" && arguments.is_empty()).then_some("-raw"))
        .arg("-")
        .args((program == "pdftotext").then_some("-"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let file = file.to_vec();
    let sender = std::thread::spawn(move || stdin.write_all(&file));
    let said = child.wait_with_output().unwrap();
    sender.join().unwrap().unwrap();
    assert!(said.status.success(), "{program}");
    String::from_utf8(said.stdout).unwrap()
}

/// A text without what has no looks, and without what poppler shows as a question mark.
fn seen(text: &str) -> String {
    let unseen = |sign: char| {
        let ignored = matches!(sign,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{fffd}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
        let no_character =
            u32::from(sign) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&sign);
        ignored || no_character || sign.is_whitespace() || sign.is_control()
    };
    text.chars().filter(|sign| !unseen(*sign)).collect()
}

/// The signs of a text in one order, whatever order they are drawn in: what is written from the
/// right to the left is found as it is drawn.
fn signs(text: &str) -> Vec<char> {
    let mut signs: Vec<char> = seen(text).chars().collect();
    signs.sort_unstable();
    signs
}

/// What a reader finds between the lines of who and when, for each object.
fn said_by_object(said: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut within = false;
    for line in said.lines().map(|line| line.trim_start_matches('\u{c}')) {
        let page = line.strip_prefix("Page ").is_some_and(|page| page.parse::<u32>().is_ok());
        if line.contains("· Twitter · https://") {
            within = false;
        } else if within && !page {
            found.last_mut().unwrap().push_str(line);
        } else if line.ends_with("@made_up_1") || line.ends_with("@made_up_2") {
            within = true;
            found.push(String::new());
        }
    }
    found
}

pub(super) fn bytes(mut file: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// The PDF file of these objects, which is one.
fn pdf(objects: &[Object]) -> (Written, Vec<u8>) {
    let (written, file) = written(Format::Pdf, &cover(objects), objects).unwrap();
    assert_eq!((written.container.extension, written.parts), ("pdf", 1));
    (written, bytes(file))
}

/// Checks that a reader finds each object's whole text under its author, and its address.
pub(super) fn check_texts(said: &str, objects: &[Object]) {
    let found = said_by_object(said);
    assert_eq!(found.len(), objects.len());
    let all = seen(said);
    for (found, object) in found.iter().zip(objects) {
        let (text, link) = match object {
            Object::Tweet(tweet) => {
                let link = format!("https://twitter.com/made_up_1/status/{}", tweet.id);
                (tweet.text.clone(), link)
            }
            Object::User(user) => {
                let link = format!("https://twitter.com/i/user/{}", user.id);
                let UserObject { description, url, .. } = user.as_ref();
                (format!("{}{}", description.clone().unwrap(), url.clone().unwrap()), link)
            }
        };
        assert_eq!(signs(found), signs(&text), "{found:?} instead of {text:?}");
        assert!(all.contains(&link), "{link}");
    }
}

#[test]
fn poppler_reads_a_pdf_file_and_finds_every_text() {
    let objects = odd_objects();
    let (written, file) = pdf(&objects);
    check_texts(&poppler("pdftotext", &[], &file), &objects);
    assert_eq!(written.missing_glyphs, 0);
    // Each word in the order of reading, where the reader turns right to left around itself.
    let read = poppler("pdftotext", &["-layout"], &file);
    for word in ODDITIES[13..18].iter().flat_map(|text| text.split([' ', '"', ',', '1', '2', '3']))
    {
        assert!(read.contains(word), "{word}");
    }
    let facts = poppler("pdfinfo", &[], &file);
    for fact in
        ["Title:           A made-up dataset", "Tagged:          yes", "Page size:       595"]
    {
        assert!(facts.contains(fact), "{facts}");
    }
    let addresses = poppler("pdfinfo", &["-url"], &file);
    for object in &objects {
        if let Object::Tweet(tweet) = object {
            let link = format!("https://twitter.com/made_up_1/status/{}", tweet.id);
            assert!(addresses.contains(&link), "{link}");
        }
    }
}

#[test]
fn a_pdf_file_shows_who_said_what_when_on_which_platform() {
    let mut retweet = tweet(60, "the original's text");
    let Object::Tweet(first) = &odd_objects()[0] else { unreachable!() };
    retweet.retweet_of =
        Some(Original { id: first.id, author: author(9), created_ms: first.created_ms });
    let said = seen(&poppler("pdftotext", &[], &pdf(&[Object::Tweet(retweet.into())]).1));
    for expected in [
        "Retweeted by Made Up, No. 1",
        "@made_up_1 · 2027-01-01 02:00:00 +01:00 · https://twitter.com/made_up_1/status/",
        "Made Up, No. 9",
        "@made_up_9",
        "the original's text",
        "2027-01-01 01:00:00 +01:00 · Twitter · https://twitter.com/made_up_9/status/",
    ] {
        assert!(said.contains(&seen(expected)), "{expected} is not in {said}");
    }
}

#[test]
fn a_pdf_file_has_contents_by_day_and_a_structure() {
    let objects: Vec<Object> = (0..90)
        .map(|hours| Object::Tweet(tweet(hours * 600, &format!("made up {hours}")).into()))
        .collect();
    let (_, file) = pdf(&objects);
    let structure = poppler("pdfinfo", &["-struct"], &file);
    for (what, count) in [("Art", 90), ("TOCI", 38), ("H1", 1), ("H2", 39), ("Link", 128)] {
        let found = structure.lines().filter(|line| line.trim().split(' ').next() == Some(what));
        assert_eq!(found.count(), count, "{what} in {structure}");
    }
    let said = poppler("pdftotext", &[], &file);
    assert!(said.contains("2027-01-01 · 3 · page 2"), "{said}");
    // Where the contents lead is where the days stand.
    let pages: Vec<&str> = said.split('\u{c}').collect();
    let lines = said.lines().map(|line| line.trim_start_matches('\u{c}'));
    for entry in lines.filter(|line| line.contains(" · page ")) {
        let (day, page) = (&entry[..10], entry.rsplit(' ').next().unwrap());
        let page = pages[page.parse::<usize>().unwrap() - 1];
        assert!(page.lines().any(|line| line == day), "{entry}");
    }
}

#[test]
fn a_sign_without_a_font_is_shown_by_its_number_and_counted() {
    let text = "before \u{f8f0}\u{10fffd} after \u{10fffd}\u{10fffd}";
    let (written, file) = pdf(&[Object::Tweet(tweet(0, text).into())]);
    assert_eq!(written.missing_glyphs, 4);
    let said = poppler("pdftotext", &[], &file);
    assert!(seen(&said).contains(&seen(text)), "{said}");
    let mut shown = tempfile::NamedTempFile::new().unwrap();
    shown.write_all(&file).unwrap();
    assert!(has_ink(shown.path()), "the page is not blank");
}

/// Whether the second page has letters, by a picture of it.
fn has_ink(path: &Path) -> bool {
    let picture = Command::new("pdftoppm")
        .args(["-r", "72", "-f", "2", "-l", "2", "-gray"])
        .arg(path)
        .output()
        .unwrap();
    assert!(picture.status.success());
    picture.stdout.iter().rev().take(400_000).any(|grey| *grey < 128)
}

#[test]
fn more_objects_than_a_pdf_file_holds_come_as_a_zip_of_files() {
    let objects: Vec<Object> = (0..10)
        .map(|hours| Object::Tweet(tweet(hours * 60, &format!("made up {hours}")).into()))
        .chain([1, 2].map(|number| Object::User(user(number).into())))
        .collect();
    for (pdf_objects_max, sizes) in [(12, vec![12]), (11, vec![11, 1]), (5, vec![5, 5, 2])] {
        let options = Options { pdf_objects_max, ..Options::default() };
        let mut out = tempfile::tempfile().unwrap();
        let mut source = objects.iter().cloned().map(Ok);
        let cover = cover(&objects);
        let written =
            write(&options, Format::Pdf, &cover, &mut source, &mut out, &mut |_| ()).unwrap();
        out.rewind().unwrap();
        assert_eq!(written.parts as usize, sizes.len());
        let files: Vec<Vec<u8>> = if sizes.len() == 1 {
            vec![bytes(out)]
        } else {
            assert_eq!(written.container.extension, "zip");
            let mut inside = zip::ZipArchive::new(out).unwrap();
            (0..inside.len())
                .map(|place| {
                    let mut file = inside.by_index(place).unwrap();
                    assert!(file.name().unwrap().starts_with("made-up-part-"));
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes).unwrap();
                    bytes
                })
                .collect()
        };
        let mut rest = objects.as_slice();
        for (file, size) in files.iter().zip(sizes) {
            let (here, after) = rest.split_at(size);
            let said = poppler("pdftotext", &[], file);
            check_texts(&said, here);
            assert_eq!(said.matches("· Twitter ·").count(), size);
            rest = after;
        }
    }
}

#[test]
fn a_missing_font_names_what_to_install() {
    let empty = tempfile::tempdir().unwrap();
    let options = Options { fonts: empty.path().to_owned(), ..Options::default() };
    let mut out = tempfile::tempfile().unwrap();
    let cover = cover(&[]);
    let mut none = std::iter::empty();
    let error = write(&options, Format::Pdf, &cover, &mut none, &mut out, &mut |_| ()).unwrap_err();
    let said = error.to_string();
    assert!(said.contains(empty.path().to_str().unwrap()), "{said}");
    assert!(said.contains("fonts-noto-core"), "{said}");
}
