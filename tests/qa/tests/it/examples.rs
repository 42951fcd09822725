//! Every example of a `--help` text works as it is written, and no command waits for a person who is not there. The list of
//! commands and examples comes from the tree of commands, so a new one that is not run here fails.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use clap::CommandFactory as _;
use saifu_qa::cli::Cli;
use saifu_qa::failure::Status;
use serde_json::Value;

use crate::support::common::{Ran, SAIFU, eventually, run};

/// Seconds, far more than any command takes; a command that waits for a person takes longer.
const BOUND: &str = "150";

/// Commands that go on until they are stopped, by their documents: they are seen to begin.
fn goes_on(example: &str) -> bool {
    example.contains("--follow") || example == "saifu sandbox" || example.starts_with("saifu sandbox --data")
}

/// Every command that does something, and every example of the tree.
fn tree() -> (BTreeSet<String>, BTreeSet<String>) {
    fn walk(path: &str, command: &clap::Command, verbs: &mut BTreeSet<String>, examples: &mut BTreeSet<String>) {
        let children: Vec<_> = command.get_subcommands().filter(|child| child.get_name() != "help").collect();
        if children.is_empty() || !command.is_subcommand_required_set() {
            verbs.insert(path.to_owned());
        }
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = text.lines().skip_while(|line| !line.starts_with("Example")).skip(1);
        for line in lines.filter_map(|line| line.strip_prefix("  ")) {
            // What stands after two blanks is a remark.
            examples.insert(line.split("  ").next().unwrap().trim().to_owned());
        }
        for child in children {
            walk(&format!("{path} {}", child.get_name()), child, verbs, examples);
        }
    }
    let mut root = Cli::command();
    root.build();
    let (mut verbs, mut examples) = (BTreeSet::new(), BTreeSet::new());
    walk("saifu", &root, &mut verbs, &mut examples);
    (verbs, examples)
}

/// The command that an example is of: the longest name that it begins with.
fn owner<'a>(example: &str, verbs: &'a BTreeSet<String>) -> Option<&'a String> {
    let command = example.find("saifu").and_then(|at| example.get(at..))?;
    let is_of = |verb: &&String| command == *verb || command.starts_with(&format!("{verb} "));
    verbs.iter().filter(is_of).max_by_key(|verb| verb.len())
}

/// A folder to work in, with a home folder in it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(desk.path().join("tests/scenarios")).unwrap();
        let flow = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/flow.json");
        std::fs::copy(flow, desk.path().join("tests/scenarios/flow.json")).unwrap();
        std::fs::create_dir_all(desk.path().join(".local/share/bash-completion/completions")).unwrap();
        std::fs::write(desk.path().join("smoke-test.sh"), "#!/bin/sh\nsaifu doctor\n").unwrap();
        let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(desk.path().join("smoke-test.sh"), runs).unwrap();
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A line for this shell, with closed stdin, perhaps with somebody who says yes.
    fn shell(&self, shell: &[&str], line: &str, yes: bool) -> Command {
        let path = format!("{}:{}", Path::new(SAIFU).parent().unwrap().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(shell[0]);
        for name in ["SAIFU_SANDBOX", "SAIFU_YES", "SAIFU_LOG", "SAIFU_KILL_AT"] {
            command.env_remove(name);
        }
        if yes {
            command.env("SAIFU_YES", "1");
        }
        command
            .args(&shell[1..])
            .args(["-c", &format!("exec <&-; {line}")])
            .current_dir(self.path())
            .envs([("PATH", path.as_str()), ("SAIFU_KEY_STORE", "file"), ("NO_COLOR", "1")])
            .envs([("HOME", self.path().to_owned()), ("SAIFU_HOME", self.path().join("home"))])
            .stdin(Stdio::null());
        command
    }

    /// Runs a line to its end.
    #[track_caller]
    fn line(&self, line: &str, yes: bool) -> Ran {
        let ran = run(self.shell(&["timeout", BOUND, "bash"], line, yes));
        assert_ne!(ran.code, Some(124), "`{line}` does not end: {ran:?}");
        ran
    }

    /// A document that a line gives.
    #[track_caller]
    fn json(&self, line: &str) -> Value {
        self.line(&format!("saifu --json --quiet {line}"), true).json()
    }
}

/// A line that goes on until it is stopped.
struct GoesOn(Child);

impl Drop for GoesOn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The examples that were not run yet.
struct Examples<'a> {
    desk: &'a Desk,
    left: BTreeSet<String>,
}

impl Examples<'_> {
    /// Runs one as it is written, but with what only this run knows in the place of what stands there.
    #[track_caller]
    fn run_with(&mut self, example: &str, instead: &[(&str, &str)]) {
        assert!(self.left.remove(example), "no help has this example: {example}");
        let mut line = example.to_owned();
        for (written, now) in instead {
            assert!(line.contains(written), "{example}: {written}");
            line = line.replace(written, now);
        }
        let ran = self.desk.line(&line, true);
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    }

    #[track_caller]
    fn run(&mut self, example: &str) {
        self.run_with(example, &[]);
    }

    /// Begins one that goes on until it is stopped; `sign` is what it says when it has begun.
    #[track_caller]
    fn begin(&mut self, example: &str, instead: &[(&str, &str)], sign: &str) -> GoesOn {
        assert!(self.left.remove(example) && goes_on(example), "no help has this example: {example}");
        let line = instead.iter().fold(example.to_owned(), |line, (written, now)| line.replace(written, now));
        let said = self.desk.path().join("said");
        let mut shell = self.desk.shell(&["bash"], &format!("exec {line} 2>&1"), true);
        let mut child = GoesOn(shell.stdout(File::create(&said).unwrap()).spawn().unwrap());
        eventually(&format!("`{line}` begins"), || {
            let said = std::fs::read_to_string(&said).unwrap();
            assert_eq!(child.0.try_wait().unwrap(), None, "{line}: {said}");
            said.contains(sign)
        });
        child
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field}: {value}"))
}

#[test]
fn every_example_of_every_help_works_as_written() {
    let desk = Desk::new();
    let mut examples = Examples { desk: &desk, left: tree().1 };
    offline(&mut examples);
    let issuer = examples.begin("saifu sandbox", &[], "sandbox");
    customer(&mut examples);
    control(&mut examples);
    examples.run("saifu scenario record refused-at-the-till.json");
    examples.run("saifu sandbox stop");
    drop(issuer);
    examples.run("saifu sandbox restore before.json --home ./elsewhere");
    examples.run("saifu wallet reset --yes");
    // Its ports would be somebody else's: the folder and the seed are as written.
    drop(examples.begin("saifu sandbox --data ./issuer --port 8443 --seed 7", &[("--port 8443 ", "")], "issuer"));
    assert!(examples.left.is_empty(), "examples that this test does not run: {:#?}", examples.left);
}

/// Commands that need no issuer, or bring their own.
fn offline(examples: &mut Examples<'_>) {
    for example in [
        "saifu",
        "saifu demo --out demo.svg",
        "saifu scenario list",
        "saifu scenario run tests/scenarios/flow.json",
        "saifu scenario run --all",
        "saifu scenario run --all --json",
        "saifu scenario run --seed 7 --log logs tests/scenarios/flow.json",
        r#"echo '{"id": 1, "verb": "wallet.home", "as": "taro"}' | saifu scenario driver"#,
        "saifu scenario run --all --driver 'saifu scenario driver'",
        "saifu sandbox run --seed 7 -- ./smoke-test.sh",
        "saifu tool totp --secret GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ --digits 8 --time 59",
        "saifu tool barcode 900000020123456789012345 --out bars.png",
        "saifu tool qr hello --out hello.svg",
        "saifu tool cpm decode hQVDUFYwMQ==",
        "saifu tool cpm decode hQVKUFFSMWEUTwgxMjM0NTY3OFcIODc2NTQzMjE=",
        "saifu explain number-taken",
        "saifu completions bash > ~/.local/share/bash-completion/completions/saifu",
    ] {
        examples.run(example);
    }
}

/// A customer's flow, and the terminals on it.
fn customer(examples: &mut Examples<'_>) {
    let desk = examples.desk;
    examples.run("saifu wallet signup --number 090-1234-5678 --key-store file");
    examples.left.remove("saifu wallet signup --number 090-1234-5678");
    let inbox = desk.json("sandbox sms --number 090-1234-5678");
    examples.run_with("saifu wallet confirm --code 123456", &[("123456", text(&inbox["messages"][0], "code"))]);
    examples.run("saifu sandbox sms --number 090-1234-5678");
    examples.run("saifu wallet refresh");
    examples.run("saifu wallet topup atm --yen 5000 --yes --json");
    let number = text(&desk.json("wallet pending")["entries"][0], "number").to_owned();
    examples.run("saifu wallet pending");
    let totp = text(&desk.json("wallet totp"), "code").to_owned();
    let instead = [("123456789015", number.as_str()), ("--totp 123456", &format!("--totp {totp}"))];
    examples.run_with("saifu atm deposit --number 123456789015 --totp 123456 --yen 5000", &instead);
    desk.json("sandbox clock +61s");
    examples.run("saifu wallet topup atm --yen 5000");
    examples.run("saifu atm deposit --yen 5000");
    examples.run("saifu pay --yen 1280");
    for example in ["saifu sandbox status", "saifu sandbox policy --wallet me", "saifu sandbox pair --out pair.png"] {
        examples.run(example);
    }
    examples.run("saifu wallet totp");
    examples.run("saifu wallet code");
    examples.run("saifu wallet code --out code.png --json");
    examples.run("saifu tool scan code.png");
    examples.run("saifu register scan --image code.png --yen 1280");
    let digits = text(&desk.json("wallet code"), "digits").to_owned();
    let example = "saifu register scan --digits 999999991123456789012347 --yen 1280 --txid T-1";
    examples.run_with(example, &[("999999991123456789012347", &digits)]);
    examples.run_with("saifu explain register-1f0e9d", &[("register-1f0e9d", "T-1")]);
    examples.run("saifu register refund --settlement T-1 --yen 500");
    desk.json("pay --yen 100 --txid T-2");
    examples.run_with("saifu register void --txid T-1", &[("T-1", "T-2")]);
    desk.json("wallet refresh");
    let history = desk.json("wallet history");
    let paid = history["entries"].as_array().unwrap().iter().rfind(|entry| entry["kind"] == "payment").unwrap();
    let refund = "saifu register refund --settlement 0192f3c1-7e2a-7000-8000-000000000000 --yen 500";
    examples.run_with(refund, &[("0192f3c1-7e2a-7000-8000-000000000000", text(paid, "id"))]);
    for example in [
        "saifu wallet history --limit 5",
        "saifu wallet home --json",
        "saifu doctor --json",
        "saifu trace --last 5",
        "saifu bundle --out report.json",
    ] {
        examples.run(example);
    }
    drop(examples.begin("saifu wallet events --follow", &[], "following"));
}

/// The workbench, the clock last.
fn control(examples: &mut Examples<'_>) {
    for example in [
        "saifu sandbox log --refused",
        "saifu sandbox fault add --on top-up --do drop-answer --times 1",
        "saifu sandbox fault add --on settle --from register-1 --do delay:3000 --chance 0.1",
        "saifu sandbox fault list",
        "saifu sandbox fault clear",
        "saifu sandbox person starter --wallet hanako",
        "saifu sandbox snapshot before.json",
        "saifu sandbox event sms-late --by 6m --because phone-off",
        "saifu sandbox event day-end --because scheduled",
        "saifu sandbox clock",
        "saifu sandbox clock +72h",
        "saifu sandbox clock +3h --only wallet:me",
    ] {
        examples.run(example);
    }
    drop(examples.begin("saifu sandbox log --wallet me --follow", &[], "top-up"));
    // A time that no machine is past.
    examples.run_with("saifu sandbox clock to 2027-01-01T00:00:00Z", &[("2027", "2200")]);
    examples.run("saifu sandbox clock hold");
    examples.run("saifu sandbox event number-recycled --number 090-1234-5678 --because given-up");
}

#[test]
fn every_command_ends_by_itself_when_stdin_is_closed_and_nothing_is_there() {
    let (verbs, examples) = tree();
    let mut never_run = BTreeSet::new();
    for verb in &verbs {
        let of_verb = |example: &&String| owner(example, &verbs) == Some(verb);
        let Some(example) = examples.iter().filter(of_verb).find(|example| !goes_on(example)) else {
            never_run.insert(verb.as_str());
            continue;
        };
        let desk = Desk::new();
        // No issuer, no wallet, nobody who says yes.
        let ran = desk.line(&format!("set -o pipefail; {example}"), false);
        let known = Status::ALL.iter().any(|status| Some(i32::from(status.number())) == ran.code);
        assert!(known && !ran.stderr.contains("panicked"), "{example}: {ran:?}");
    }
    // One runs until it is stopped and was seen to begin; the other one's only example follows, so it is run here without.
    assert_eq!(never_run, BTreeSet::from(["saifu sandbox", "saifu wallet events"]), "commands that were not run");
    let ran = Desk::new().line("saifu wallet events", false);
    assert!(ran.code.is_some_and(|code| (0..=6).contains(&code)), "{ran:?}");
}
