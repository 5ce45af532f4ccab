//! A QR code as a drawing within the page: no file, nothing from elsewhere.

use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};

/// How wide the white frame is that readers want, in squares.
const FRAME: usize = 4;

/// The code of `text`, with `label` for those who do not see it; nothing if the text is too long
/// for any code.
pub(super) fn code(text: &str, label: &str) -> Markup {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else { return html! {} };
    let width = code.width() + 2 * FRAME;
    html! {
        svg class="qr" role="img" aria-label=(label) viewBox={ "0 0 " (width) " " (width) }
            shape-rendering="crispEdges" {
            rect width=(width) height=(width) fill="#fff" {}
            path fill="#000" d=(squares(&code)) {}
        }
    }
}

/// The dark squares, each run of a row as one bar.
fn squares(code: &QrCode) -> String {
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, other| one == other) {
            if run[0] == Color::Dark {
                let (left, top, long) = (x + FRAME, y + FRAME, run.len());
                path += &format!("M{left} {top}h{long}v1h-{long}z");
            }
            x += run.len();
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_square_is_drawn_once() {
        let code = QrCode::with_error_correction_level("https://review.example/s/x", EcLevel::M);
        let code = code.unwrap();
        let dark = code.to_colors().iter().filter(|color| **color == Color::Dark).count();
        let bars = squares(&code);
        let drawn = bars.split('h').filter_map(|part| part.split_once("v1"));
        let drawn: usize = drawn.map(|(long, _)| long.parse::<usize>().unwrap()).sum();
        assert_eq!(drawn, dark);
        let shown = super::code("https://review.example/s/x", "a <code>").into_string();
        assert!(shown.contains("a &lt;code&gt;") && !shown.contains("style="), "{shown}");
        assert!(super::code(&"x".repeat(5_000), "").into_string().is_empty());
    }
}
