//! The digests that an answer says its content has: RFC 9530, and RFC 3230 before it.

use base64::Engine;
use reqwest::header::HeaderMap;

/// The fields that name a digest of all bytes of an answer in full, and what stands around it.
const FIELDS: [(&str, &str, &str); 3] = [
    ("repr-digest", "sha-256=:", ":"),
    ("content-digest", "sha-256=:", ":"),
    ("digest", "sha-256=", ""),
];

/// Every SHA-256 that the fields name; what cannot be read names none.
pub(super) fn named(headers: &HeaderMap) -> Vec<[u8; 32]> {
    let mut digests = Vec::new();
    for (field, before, after) in FIELDS {
        for value in headers.get_all(field).iter().filter_map(|value| value.to_str().ok()) {
            digests.extend(value.split(',').filter_map(|member| {
                let member = member.trim();
                let algorithm = member.get(..before.len())?;
                let text = member[before.len()..].strip_suffix(after)?;
                let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
                algorithm.eq_ignore_ascii_case(before).then_some(<[u8; 32]>::try_from(bytes).ok()?)
            }));
        }
    }
    digests
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn a_digest_is_found_in_each_field_that_carries_one() {
        let text = base64::engine::general_purpose::STANDARD.encode([7; 32]);
        for (field, value, expected) in [
            ("repr-digest", format!("sha-256=:{text}:"), 1),
            ("content-digest", format!("sha-512=:abc:, sha-256=:{text}:"), 1),
            ("digest", format!("SHA-256={text}"), 1),
            ("digest", "md5=HUXZLQLMuI/KZ5KDcJPcOA==".to_owned(), 0),
            ("repr-digest", "sha-256=:AAAA:".to_owned(), 0),
            ("repr-digest", "sha".to_owned(), 0),
            ("etag", format!("sha-256=:{text}:"), 0),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(field, HeaderValue::from_str(&value).unwrap());
            assert_eq!(named(&headers), vec![[7; 32]; expected], "{field}: {value}");
        }
    }
}
