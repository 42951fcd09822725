//! `saifu doctor`: what is here, what is missing, and whether each wallet's files are sound. It changes nothing and asks
//! no network.

use std::time::Duration;

use saifu::WalletState;
use saifu_host::desktop;
use serde::Serialize;
use serde_json::json;

use super::wallet::open::{blocking, open_with};
use crate::cli::{KeyStoreChoice, WalletName, word};
use crate::context::Context;
use crate::failure::{Failure, LocalCode, Status};
use crate::report::Report;
use crate::words::shown_path;

/// How one thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Health {
    /// As it should be.
    Fine,
    /// Not there, and only needed for some things.
    Missing,
    /// Not sound.
    Broken,
}

#[derive(Debug, Serialize)]
struct Check {
    what: String,
    health: Health,
    detail: String,
    next: Option<&'static str>,
}

impl Check {
    fn fine(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { what: what.into(), health: Health::Fine, detail: detail.into(), next: None }
    }

    fn broken(what: impl Into<String>, detail: impl Into<String>, next: &'static str) -> Self {
        Self { what: what.into(), health: Health::Broken, detail: detail.into(), next: Some(next) }
    }

    fn missing(what: impl Into<String>, detail: impl Into<String>, next: &'static str) -> Self {
        Self { what: what.into(), health: Health::Missing, detail: detail.into(), next: Some(next) }
    }
}

/// How long all wallets together may take; the keyring is asked before, for two seconds.
const PATIENCE: Duration = Duration::from_millis(2_500);
const KEEP: &str = "Keep the folder for a bug report; sign up or recover in another --wallet.";

pub(super) async fn run(context: &Context) -> Result<Report, Failure> {
    let keyring = blocking(desktop::keyring_answers).await?;
    let mut checks = vec![home(context), sandbox(context), keyring_check(keyring), zbar()];
    let (wallets, strays) = context.home().map(|home| home.wallets()).unwrap_or_default();
    let looking = wallets.iter().map(|name| async move {
        let looked = tokio::time::timeout(PATIENCE, wallet(context, name, keyring)).await;
        let what = format!("wallet {}", name.as_str());
        looked.unwrap_or_else(|_| Ok(Check::broken(what, "its disk or its key store does not answer", KEEP)))
    });
    for check in futures_util::future::join_all(looking).await {
        checks.push(check?);
    }
    checks.extend(strays.iter().map(|stray| {
        Check::missing(format!("stray {}", shown_path(stray)), "no wallet; it is left alone", "Move it elsewhere.")
    }));
    let sound = checks.iter().all(|check| check.health != Health::Broken);
    let text = checks.iter().map(words).collect::<Vec<_>>().join("\n");
    let report = Report::new(json!({ "sound": sound, "checks": checks }), text)?;
    Ok(report.with_status(if sound { Status::Done } else { Status::Vault }))
}

fn words(check: &Check) -> String {
    let mark = match check.health {
        Health::Fine => "ok     ",
        Health::Missing => "missing",
        Health::Broken => "BROKEN ",
    };
    let next = check.next.map(|next| format!("\n          next: {next}")).unwrap_or_default();
    format!("{mark}  {}: {}{next}", check.what, check.detail)
}

fn home(context: &Context) -> Check {
    let path = match context.home() {
        Ok(home) => home.path(),
        Err(failure) => {
            return Check::missing("home folder", failure.detail().unwrap_or_default(), LocalCode::Usage.next());
        }
    };
    let shown = shown_path(path);
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Check::missing("home folder", shown, "The first sandbox or sign-up makes it.")
        }
        Err(error) => Check::broken("home folder", format!("{shown}: {error}"), "Check the path and its permissions."),
        Ok(about) if !about.is_dir() => {
            Check::broken("home folder", format!("{shown} is no folder"), "Move it away, or name another --home.")
        }
        Ok(about) if others_may(&about, 0o022) => {
            Check::broken("home folder", format!("others may write into {shown}"), "Run `chmod go-w` on it.")
        }
        Ok(_) => Check::fine("home folder", shown),
    }
}

/// Whether others than the owner have any of these permissions.
#[cfg(unix)]
fn others_may(about: &std::fs::Metadata, what: u32) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & what != 0
}

#[cfg(not(unix))]
fn others_may(_: &std::fs::Metadata, _: u32) -> bool {
    false
}

fn sandbox(context: &Context) -> Check {
    let exposed = context.sandbox_file().ok().and_then(|file| std::fs::metadata(file).ok());
    if exposed.is_some_and(|about| about.is_file() && others_may(&about, 0o077)) {
        let next = "Run `chmod 600` on it: it holds the keys of every terminal.";
        return Check::broken("sandbox", "others may read its sandbox.json", next);
    }
    match context.sandbox() {
        Ok(info) => {
            let detail = format!(
                "process {} at {} since {}, version {}",
                info.pid, info.customer_url, info.started_at, info.version
            );
            Check::fine("sandbox", detail)
        }
        Err(failure) => {
            let detail = failure.detail().unwrap_or("not running").to_owned();
            match failure.status() {
                // None, or one that has ended.
                Status::Offline => Check::missing("sandbox", detail, LocalCode::NoSandbox.next()),
                _ if context.home().is_err() => Check::missing("sandbox", detail, LocalCode::NoSandbox.next()),
                _ => {
                    Check::broken("sandbox", detail, "Name another --sandbox, or start one again with `saifu sandbox`.")
                }
            }
        }
    }
}

fn keyring_check(answers: bool) -> Check {
    match answers {
        true => Check::fine("keyring", "the operating system's keyring answers"),
        false => Check::missing("keyring", "none answers", LocalCode::NeedsKeyStore.next()),
    }
}

/// Only tests need it: a second decoder beside the one that is built in.
fn zbar() -> Check {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("zbarimg").is_file()));
    match found {
        true => Check::fine("zbarimg", "the tests read every symbol with it too"),
        false => Check::missing("zbarimg", "tests that use it are skipped", "Install zbar-tools."),
    }
}

async fn wallet(context: &Context, name: &WalletName, keyring: bool) -> Result<Check, Failure> {
    let what = format!("wallet {}", name.as_str());
    let folder = context.home()?.wallet(name);
    if std::fs::metadata(folder.path()).is_ok_and(|about| others_may(&about, 0o077)) {
        return Ok(Check::broken(what, "others may look into its folder", "Run `chmod 700` on it."));
    }
    let opened = match folder.settings() {
        Ok(None) if folder.path().join("keys.json").exists() => {
            return Ok(Check::broken(what, "there are keys and no settings.json", KEEP));
        }
        Ok(None) => return Ok(Check::missing(what, "nobody signed up in it", "Sign up with --wallet NAME.")),
        Ok(Some(settings)) if settings.key_store == KeyStoreChoice::Keyring && !keyring => {
            let detail = "its keys are in the keyring, which does not answer";
            return Ok(Check::missing(what, detail, "Unlock the keyring and look again."));
        }
        Ok(Some(settings)) => {
            open_with(&folder, settings.key_store, &settings.issuer).await.map(|open| (open, settings))
        }
        Err(failure) => Err(failure),
    };
    match opened {
        Ok((open, settings)) => {
            let home = open.wallet.home();
            // Only now is the cache looked at: the home screen comes from the journal.
            let history = open.wallet.history(1).await;
            open.wallet.close().await;
            if home.state == WalletState::Ready && !history.is_ok_and(|history| !history.incomplete) {
                let detail = "its journal is sound; lines of its history are missing or damaged";
                return Ok(Check::broken(what, detail, "Run `saifu wallet refresh`: the issuer gives them again."));
            }
            let (state, place) = (home.state.as_str(), word(settings.key_store));
            Ok(Check::fine(what, format!("its files are sound, its keys are in the {place}; {state}")))
        }
        Err(failure) if failure.status() == Status::InUse => Ok(Check::fine(what, "in use by another process")),
        Err(failure) => Ok(Check::broken(what, failure.detail().unwrap_or("its files cannot be used"), KEEP)),
    }
}
