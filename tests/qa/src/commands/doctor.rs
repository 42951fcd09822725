//! `saifu doctor`: what is here, what is missing, and whether each wallet's files are sound. It changes nothing and asks
//! no network.

use saifu_host::desktop;
use serde::Serialize;

use super::wallet::open::{blocking, open_with};
use crate::cli::WalletName;
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

    fn missing(what: impl Into<String>, detail: impl Into<String>, next: &'static str) -> Self {
        Self { what: what.into(), health: Health::Missing, detail: detail.into(), next: Some(next) }
    }
}

pub(super) async fn run(context: &Context) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Document {
        sound: bool,
        checks: Vec<Check>,
    }
    let mut checks = vec![home(context), sandbox(context), keyring().await?, zbar()];
    let (wallets, strays) = context.home().map(|home| home.wallets()).unwrap_or_default();
    for name in wallets {
        checks.push(wallet(context, &name).await?);
    }
    checks.extend(strays.iter().map(|stray| {
        Check::missing(format!("stray {}", shown_path(stray)), "no wallet; it is left alone", "Move it elsewhere.")
    }));
    let sound = checks.iter().all(|check| check.health != Health::Broken);
    let text = checks.iter().map(words).collect::<Vec<_>>().join("\n");
    let report = Report::new(&Document { sound, checks }, text)?;
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
    match path.is_dir() {
        true => Check::fine("home folder", shown_path(path)),
        false => Check::missing("home folder", shown_path(path), "The first sandbox or sign-up makes it."),
    }
}

fn sandbox(context: &Context) -> Check {
    match context.sandbox() {
        Ok(info) => {
            let detail = format!(
                "process {} at {} since {}, version {}",
                info.pid, info.customer_url, info.started_at, info.version
            );
            Check::fine("sandbox", detail)
        }
        Err(failure) => {
            Check::missing("sandbox", failure.detail().unwrap_or("not running"), LocalCode::NoSandbox.next())
        }
    }
}

async fn keyring() -> Result<Check, Failure> {
    Ok(match blocking(desktop::keyring_answers).await? {
        true => Check::fine("keyring", "the operating system's keyring answers"),
        false => Check::missing("keyring", "none answers", LocalCode::NeedsKeyStore.next()),
    })
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

async fn wallet(context: &Context, name: &WalletName) -> Result<Check, Failure> {
    let what = format!("wallet {}", name.as_str());
    let folder = context.home()?.wallet(name);
    let opened = match folder.settings() {
        Ok(None) => return Ok(Check::missing(what, "nobody signed up in it", "Sign up with --wallet NAME.")),
        Ok(Some(settings)) => {
            open_with(&folder, settings.key_store, &settings.issuer).await.map(|open| (open, settings))
        }
        Err(failure) => Err(failure),
    };
    match opened {
        Ok((open, settings)) => {
            let state = open.wallet.home().state.as_str();
            open.wallet.close().await;
            Ok(Check::fine(
                what,
                format!("its files are sound, its keys are in the {}; {state}", settings.key_store.as_str()),
            ))
        }
        Err(failure) if failure.status() == Status::InUse => Ok(Check::fine(what, "in use by another process")),
        Err(failure) => Ok(Check {
            what,
            health: Health::Broken,
            detail: failure.detail().unwrap_or("its files cannot be used").to_owned(),
            next: Some("Keep the folder for a bug report; sign up or recover in another --wallet."),
        }),
    }
}
