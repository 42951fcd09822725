//! `docs/interface.md` against the code: whatever the tables of the code and the tree of commands say stands in it, word
//! for word, and nothing else does. The help texts are a snapshot, so that a changed word is seen in review.
//!
//! After a wanted change: `SAIFU_UPDATE_DOCS=1 cargo test -p saifu-qa --test it interface`, and `INSTA_UPDATE=always` for the
//! help texts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};
use saifu_qa::cli::Cli;
use saifu_qa::failure::{LocalCode, Status};
use saifu_wire::{Listener, Operation, ProblemCode, Reason};

use crate::support::common::hold;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/interface.md");

/// Every command with its whole name, parents first.
fn commands() -> Vec<(String, Command)> {
    fn walk(path: &str, command: &Command, all: &mut Vec<(String, Command)>) {
        all.push((path.to_owned(), command.clone()));
        for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
            walk(&format!("{path} {}", child.get_name()), child, all);
        }
    }
    let mut root = Cli::command();
    root.build();
    let mut all = Vec::new();
    walk("saifu", &root, &mut all);
    all
}

fn own_arguments(command: &Command) -> impl Iterator<Item = &Arg> {
    let ours = |arg: &&Arg| !arg.is_global_set() && !["help", "version"].contains(&arg.get_id().as_str());
    command.get_arguments().filter(ours)
}

fn global_arguments() -> Vec<Arg> {
    Cli::command().get_arguments().filter(|arg| arg.is_global_set()).cloned().collect()
}

fn argument_row(arg: &Arg) -> String {
    let value = arg.get_value_names().map(|names| names.join(" ")).filter(|_| arg.get_action().takes_values());
    let name = match (arg.get_long(), value) {
        (Some(long), Some(value)) => format!("--{long} {value}"),
        (Some(long), None) => format!("--{long}"),
        (None, value) => value.unwrap_or_default(),
    };
    let mut notes = Vec::new();
    if arg.is_required_set() {
        notes.push("required".to_owned());
    }
    if let Some(variable) = arg.get_env() {
        notes.push(format!("`{}`", variable.to_str().unwrap()));
    }
    let values: Vec<String> = arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if arg.get_action().takes_values() && !values.is_empty() {
        notes.push(values.join(" "));
    }
    let defaults: Vec<&str> = arg.get_default_values().iter().filter_map(|value| value.to_str()).collect();
    if !defaults.is_empty() && arg.get_action().takes_values() {
        notes.push(format!("default `{}`", defaults.join(" ")));
    }
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    format!("| `{name}` | {} | {help} |", notes.join(", "))
}

fn arguments<'a>(args: impl Iterator<Item = &'a Arg>) -> String {
    let rows: Vec<String> = args.map(argument_row).collect();
    if rows.is_empty() {
        return "No arguments of its own.".to_owned();
    }
    format!("| Argument | | |\n| --- | --- | --- |\n{}", rows.join("\n"))
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rule = vec!["---"; header.len()].join(" | ");
    let mut out = format!("| {} |\n| {rule} |", header.join(" | "));
    for row in rows {
        let _ = write!(out, "\n| {} |", row.join(" | "));
    }
    out
}

/// Everything that the code knows better than a writer, by the name of its block.
fn blocks() -> BTreeMap<String, String> {
    let code = |text: &str| format!("`{text}`");
    let mut blocks = BTreeMap::new();
    for (path, command) in commands() {
        if command.get_subcommands().all(|child| child.get_name() == "help") || path == "saifu sandbox" {
            blocks.insert(path, arguments(own_arguments(&command)));
        }
    }
    blocks.insert("everywhere".into(), arguments(global_arguments().iter()));
    let exits = Status::ALL.iter().map(|status| vec![status.number().to_string(), status.meaning().into()]);
    blocks.insert("exit codes".into(), table(&["Exit code", "Meaning"], exits));
    let operations = Operation::ALL.iter().map(|operation| {
        let listener = match operation.listener() {
            Listener::Customer => "customer",
            Listener::Register => "register",
            Listener::Service => "service",
        };
        vec![code(operation.name()), operation.method().into(), code(operation.path()), listener.into()]
    });
    blocks.insert("operations".into(), table(&["Operation", "Method", "Path", "Listener"], operations));
    let problems = ProblemCode::ALL
        .iter()
        .map(|p| vec![code(p.as_str()), p.status().to_string(), p.title().into(), p.next().into()]);
    blocks.insert("problems".into(), table(&["Code", "HTTP", "Meaning", "Next"], problems));
    let reasons = Reason::ALL.iter().map(|reason| vec![code(reason.as_str()), reason.text().into()]);
    blocks.insert("reasons".into(), table(&["Reason", "What the cashier reads"], reasons));
    let wallet = saifu::Error::TABLE.iter().map(|(n, name, next)| vec![n.to_string(), code(name), (*next).into()]);
    blocks.insert("wallet errors".into(), table(&["Number", "Name", "Next"], wallet));
    let local = LocalCode::ALL.iter().map(|local| {
        vec![code(local.as_str()), local.status().number().to_string(), local.title().into(), local.next().into()]
    });
    blocks.insert("local codes".into(), table(&["Code", "Exit", "Meaning", "Next"], local));
    let steps = saifu::STEPS.iter().map(|step| vec![code(step)]);
    blocks.insert("steps".into(), table(&["Step"], steps));
    blocks
}

#[test]
fn document_says_what_the_code_says() {
    for (name, expected) in blocks() {
        hold(DOCUMENT, &format!("from the code: {name}"), &format!("{expected}\n"));
    }
}

#[test]
fn document_has_no_block_that_the_code_does_not_know() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let known = blocks();
    let named = document.lines().filter_map(|line| line.strip_prefix("<!-- from the code: ")?.strip_suffix(" -->"));
    let named: Vec<&str> = named.collect();
    assert_eq!(named.len(), known.len(), "each block stands once");
    assert!(named.iter().all(|name| known.contains_key(*name)), "{named:?}");
}

/// Words that look like a command of ours must be one, and a flag beside it one of its flags.
#[test]
fn document_names_no_command_and_no_flag_that_does_not_exist() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let commands: BTreeMap<String, Command> = commands().into_iter().collect();
    let flags: Vec<String> = commands
        .values()
        .flat_map(|command| command.get_arguments().filter_map(Arg::get_long).map(str::to_owned))
        .collect();
    for span in document.split('`').skip(1).step_by(2) {
        if let Some(flag) = span.split(' ').next().and_then(|word| word.strip_prefix("--")) {
            assert!(flags.iter().any(|known| known == flag), "no command has `{span}`");
        }
        let mut words = span.split(' ');
        if words.next() != Some("saifu") {
            continue;
        }
        let (mut path, mut command) = ("saifu".to_owned(), &commands["saifu"]);
        for word in words {
            let longer = format!("{path} {word}");
            if let Some(child) = commands.get(&longer) {
                (path, command) = (longer, child);
            } else if let Some(flag) = word.strip_prefix("--") {
                let known = command.get_arguments().filter_map(Arg::get_long).any(|known| known == flag);
                assert!(known, "`{path}` has no --{flag}: `{span}`");
            } else {
                let leaf = command.get_subcommands().next().is_none();
                assert!(leaf || word.contains("="), "`{path}` has no `{word}`: `{span}`");
            }
        }
    }
}

#[test]
fn every_command_has_a_section_an_example_and_what_it_prints() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    for (path, command) in commands() {
        let help = command.clone().render_long_help().to_string();
        assert!(help.contains("Example"), "`{path} --help` has no example");
        if command.get_subcommands().next().is_some() && path != "saifu sandbox" {
            continue;
        }
        let heading = format!("\n### `{path}`\n");
        let (_, section) = document.split_once(&heading).unwrap_or_else(|| panic!("no section for `{path}`"));
        let section = section.split("\n### ").next().unwrap();
        assert!(section.contains("JSON: "), "the section of `{path}` does not say what it prints");
    }
}

#[test]
fn help_texts_are_as_reviewed() {
    let mut all = String::new();
    for (path, mut command) in commands() {
        let _ = writeln!(all, "$ {path} --help\n{}\n", command.render_long_help().to_string().trim_end());
    }
    insta::assert_snapshot!("help", all);
}
