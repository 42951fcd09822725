//! The driver of Rust: a process that holds one wallet and does what the runner asks of it, a JSON line for a JSON line.
//! `docs/scenarios.md` says what every driver does; this one is the shortest way to see how.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use saifu::{Approval, Config, Error, Events, Wallet};
use saifu_host::Clock;
use saifu_host::desktop::DesktopClock;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::arguments::Arguments;
use super::halt::Halt;
use super::host::Host;
use super::line::{DriverAnswer, End, Request};
use super::wallet;
use crate::cli::KeyStoreChoice;
use crate::context::Context;
use crate::failure::Failure;
use crate::home::{Settings, WalletFolder};
use crate::peers::RememberedIssuer;

/// Answers until stdin ends.
pub(crate) async fn drive(context: &Context) -> Result<(), Failure> {
    let (mut phone, clock) = (None, Arc::new(PhoneClock::default()));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match serde_json::from_str::<Request>(&line) {
            Ok(Request { id, verb, arguments, .. }) => {
                let arguments = arguments.as_object().cloned().unwrap_or_default();
                DriverAnswer { id, end: End::of(answer(&mut phone, &clock, &verb, &arguments).await) }
            }
            Err(error) => DriverAnswer { id: 0, end: End::Broken(format!("this is no request: {error}")) },
        };
        context.printer.line(&answer)?;
    }
    Ok(())
}

/// The open wallet and what belongs to it.
pub(super) struct Phone {
    pub(super) wallet: Wallet,
    pub(super) host: Host,
    pub(super) events: Option<Events>,
    /// A top-up that waits for its owner.
    pub(super) approval: Option<Approval>,
}

/// The machine's clock, moved as the runner says.
#[derive(Default)]
struct PhoneClock {
    offset_ms: AtomicI64,
    /// The time that is held; 0 while it runs.
    held_at: AtomicI64,
}

impl PhoneClock {
    fn set(&self, told: &Value) {
        let number = |name: &str| told.get(name).and_then(Value::as_i64).unwrap_or(0);
        self.offset_ms.store(number("offset_ms"), Ordering::Relaxed);
        self.held_at.store(number("held_at"), Ordering::Relaxed);
    }

    fn shift_ms(&self, machine_ms: u64) -> i64 {
        match self.held_at.load(Ordering::Relaxed) {
            0 => self.offset_ms.load(Ordering::Relaxed),
            held => held.saturating_sub(i64::try_from(machine_ms).unwrap_or(i64::MAX)),
        }
    }
}

async fn answer(
    phone: &mut Option<Phone>,
    clock: &Arc<PhoneClock>,
    verb: &str,
    arguments: &Map<String, Value>,
) -> Result<Value, Halt> {
    match verb {
        "driver.clock" => {
            clock.set(&json!(arguments));
            Ok(json!({}))
        }
        "wallet.open" => {
            let opened = open(clock, &json!(arguments)).await?;
            let state = opened.wallet.home().state.as_str();
            *phone = Some(opened);
            Ok(json!({ "state": state }))
        }
        _ => match phone {
            Some(phone) => wallet::perform(phone, verb, &Arguments(arguments)).await,
            None => Err(Halt::Broken("no wallet is open here".into())),
        },
    }
}

/// Opens the wallet of a folder as the command line would: `saifu --home` finds it there.
async fn open(clock: &Arc<PhoneClock>, told: &Value) -> Result<Phone, Halt> {
    #[derive(Deserialize)]
    struct OpenArguments {
        folder: PathBuf,
        issuer: RememberedIssuer,
        clock: Value,
    }
    let broken = |why: String| Halt::Broken(why);
    let told = OpenArguments::deserialize(told).map_err(|error| broken(error.to_string()))?;
    clock.set(&told.clock);
    let folder = WalletFolder::at(told.folder);
    folder.keep_settings(&Settings::new(KeyStoreChoice::File, told.issuer.clone()))?;
    let clock = clock.clone();
    let clock: Arc<dyn Clock> = Arc::new(DesktopClock::shifted(Arc::new(move |ms| clock.shift_ms(ms))));
    let (issuer, runtime) = (told.issuer.config()?, tokio::runtime::Handle::current());
    let opened = tokio::task::spawn_blocking(move || {
        let host = Host::open(folder.path(), clock).map_err(|error| broken(error.to_string()))?;
        let config = Config { folder: folder.vault(), issuer, app_version: env!("CARGO_PKG_VERSION").into() };
        let wallet = Wallet::open(host.platform(), config, runtime).map_err(Error::from)?;
        Ok(Phone { wallet, host, events: None, approval: None })
    });
    opened.await.map_err(|error| broken(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_is_moved_and_held() {
        let clock = PhoneClock::default();
        clock.set(&json!({"offset_ms": 5, "held_at": null}));
        assert_eq!(clock.shift_ms(100), 5);
        clock.set(&json!({"offset_ms": 5, "held_at": 90}));
        assert_eq!(clock.shift_ms(100), -10);
    }
}
