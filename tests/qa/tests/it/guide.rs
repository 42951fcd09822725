//! The QA guide, run as it is written: each block in an issuer of its own, its output compared with the page.
//! `SAIFU_UPDATE_DOCS=1` writes the outputs anew.

use std::path::Path;
use std::process::{Command, Stdio};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/qa-guide.md");
const OPEN: &str = "```console\n";

/// The page in pieces: text, block, text, block, …, text.
fn pieces(page: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (block, after) = after.split_once("```\n").unwrap();
        pieces.extend([before.to_owned(), block.to_owned()]);
        rest = after;
    }
    pieces.push(rest.to_owned());
    pieces
}

/// What differs from run to run becomes `…`: words that hold a digit and are an id, a time, a code or a process.
fn normalised(line: &str) -> String {
    let volatile = |word: &str| {
        let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let digits = core.bytes().filter(u8::is_ascii_digit).count();
        let is_date = core.len() == 10 && core.as_bytes()[4] == b'-' && core.as_bytes()[7] == b'-';
        let is_time = core.len() >= 5 && core.contains(':') && digits >= 4;
        let is_id = core.len() >= 12 && digits >= 3 && !core.contains(',');
        is_date || is_time || is_id
    };
    let words: Vec<_> = line.split(' ').collect();
    // An age is a second more on a machine that is busy.
    let is_age =
        |at: usize| words.get(at + 1) == Some(&"s") && words.get(at + 2).is_some_and(|it| it.starts_with("old"));
    let shown = words.iter().enumerate().map(|(at, word)| if volatile(word) || is_age(at) { "…" } else { word });
    shown.collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

/// Runs a block's commands in a fresh sandbox; gives the block with their outputs.
fn run(block: &str) -> String {
    let commands: Vec<_> = block.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let script: Vec<_> = commands
        .iter()
        .map(|command| format!("echo '@@@'; {{ {command}; }} 2>&1; code=$?; [ $code = 0 ] || echo \"[exit $code]\""))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let saifu = Path::new(env!("CARGO_BIN_EXE_saifu"));
    let path = format!("{}:{}", saifu.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new(saifu)
        .args(["sandbox", "run", "--seed", "7", "--", "bash", "-c", &script.join("\n")])
        .current_dir(folder.path())
        .envs([("PATH", path.as_str()), ("SAIFU_YES", "1"), ("NO_COLOR", "1"), ("COLUMNS", "100")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let outputs: Vec<_> = stdout.split("@@@\n").skip(1).collect();
    assert_eq!(outputs.len(), commands.len(), "{commands:?}\n{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    let mut written = String::new();
    for (command, output) in commands.iter().zip(outputs) {
        written.push_str(&format!("$ {command}\n"));
        for line in output.lines().filter(|line| !line.trim().is_empty()) {
            written.push_str(&format!("{}\n", normalised(line)));
        }
    }
    written
}

#[test]
fn guide_shows_what_its_commands_show() {
    let page = std::fs::read_to_string(GUIDE).unwrap();
    let mut pieces = pieces(&page);
    assert!(pieces.len() >= 21, "ten blocks");
    let update = std::env::var_os("SAIFU_UPDATE_DOCS").is_some();
    let mut differs = Vec::new();
    for block in pieces.iter_mut().skip(1).step_by(2) {
        let shown = run(block);
        if *block != shown {
            differs.push(format!("--- the page\n{block}--- the commands\n{shown}"));
            *block = shown;
        }
    }
    if update {
        let mut page = String::new();
        for (index, piece) in pieces.iter().enumerate() {
            page.push_str(&if index % 2 == 1 { format!("{OPEN}{piece}```\n") } else { piece.clone() });
        }
        std::fs::write(GUIDE, page).unwrap();
    } else {
        assert!(differs.is_empty(), "SAIFU_UPDATE_DOCS=1 writes the page anew\n{}", differs.join("\n"));
    }
}
