//! The known word that somebody probably meant; not what is done with it.

/// The candidate that is most like `word`, if one is like enough to be a slip of the keyboard.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Below 0.8 of the Jaro-Winkler scale suggestions look like guesses.
    const LIKENESS_MIN: f64 = 0.8;
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["server.listen", "server.public_url", "policy.profile"];
        assert_eq!(nearest("server.lisen", known), Some("server.listen"));
        assert_eq!(nearest("polici.profile", known), Some("policy.profile"));
        assert_eq!(nearest("zebra", known), None);
    }
}
