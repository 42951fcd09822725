//! What a library that ships must not hold: whose machine built it, the control API and drills of our tests, keys, and telephone
//! numbers.

use std::io;
use std::path::Path;

use memchr::memmem;
use regex::bytes::Regex;

use super::cargo_home;

/// Words of what only tests and the sandbox have. Put together from pieces where a file may not hold them whole.
const WORDS: [(&str, &str); 13] = [
    ("the sandbox", "saifu-sandbox"),
    ("the sandbox", "saifu_sandbox"),
    ("the sandbox", "sandbox.json"),
    ("the workbench", "saifu_qa"),
    ("a folder of tests", "saifu/tests/"),
    ("a test double", "host/src/doubles"),
    ("a test double", "MemoryHost"),
    ("a drill", "SAIFU_DRILL"),
    ("a variable of tests", "SAIFU_TEST"),
    ("the control API", "drop-answer"),
    ("the control API", "/explain/"),
    ("a private key", concat!("BEGIN ", "PRIVATE KEY")),
    ("a private key", concat!("BEGIN EC ", "PRIVATE KEY")),
];
/// A Japanese mobile number: eleven digits, or three groups with hyphens, and no digit before or after.
const NUMBER: &str = r"(?-u)(?:^|[^0-9-])(0[789]0(?:[0-9]{8}|-[0-9]{4}-[0-9]{4}))(?:$|[^0-9-])";

/// What is looked for.
pub(super) struct Scan {
    words: Vec<(String, Vec<u8>)>,
    number: Regex,
}

impl Scan {
    /// For a library built on this machine from the workspace at `root`.
    pub(super) fn new(root: &Path) -> io::Result<Self> {
        let home = std::env::home_dir();
        let folders =
            [("the builder's home", home), ("cargo's folder", cargo_home()), ("the workspace", Some(root.into()))];
        let folders = folders.into_iter().filter_map(|(what, folder)| Some((what, format!("{}/", folder?.display()))));
        let words = folders.chain(WORDS.map(|(what, word)| (what, word.to_owned())));
        let words = words.map(|(what, word)| (format!("{what} ({word})"), word.into_bytes())).collect();
        Ok(Self { words, number: Regex::new(NUMBER).map_err(io::Error::other)? })
    }

    /// What of it stands in `library`.
    pub(super) fn findings(&self, library: &[u8]) -> Vec<String> {
        let words = self.words.iter().filter(|(_, word)| memmem::find(library, word).is_some());
        let numbers = self.number.captures_iter(library).filter_map(|found| found.get(1));
        let numbers = numbers.map(|number| String::from_utf8_lossy(number.as_bytes()).into_owned());
        words.map(|(what, _)| what.clone()).chain(numbers).collect()
    }

    /// The control of [`findings`](Self::findings): what it misses in `library` once everything was put into it.
    pub(super) fn missed(&self, library: &[u8]) -> Vec<String> {
        let number = concat!("0", "90-1234-5678");
        let expected = self.words.iter().map(|(what, word)| (what.as_str(), word.as_slice()));
        let expected: Vec<_> = expected.chain([(number, number.as_bytes())]).collect();
        let planted = expected.iter().fold(library.to_vec(), |bytes, (_, word)| [&bytes[..], word, b"\0"].concat());
        let found = self.findings(&planted);
        expected
            .iter()
            .filter(|(what, _)| !found.iter().any(|it| it == what))
            .map(|(what, _)| (*what).to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_planted_is_found() {
        let scan = Scan::new(Path::new("/a/workspace")).unwrap();
        assert_eq!(scan.missed(b"clean"), [""; 0]);
        assert_eq!(scan.findings(b"clean"), [""; 0]);
        assert_eq!(scan.findings(b"/a/workspace/core/lib.rs"), ["the workspace (/a/workspace/)"]);
    }

    #[test]
    fn a_number_in_a_longer_row_of_digits_is_none() {
        let scan = Scan::new(Path::new("/a/workspace")).unwrap();
        assert_eq!(scan.findings(b"x09012345678 a070-1234-5678\0"), ["09012345678", "070-1234-5678"]);
        assert_eq!(scan.findings(b"0607080910111213 03012345678 0901234567 09-012345678-"), [""; 0]);
    }
}
