//! What goes into a bundle, field by field. Whatever cannot be had says why instead; nothing here fails.

use std::collections::{BTreeMap, VecDeque};

use saifu::{EntryKind, Pending, PendingWhat};
use saifu_host::Clock as _;
use saifu_host::desktop::DesktopClock;
use serde_json::{Value, json};

use super::scrub::scrubbed;
use crate::commands::wallet::open::{Network, OpenWallet, open};
use crate::context::Context;
use crate::failure::Failure;
use crate::peers::{ControlApi, sandbox_clock};
use crate::report::with;
use crate::request_log::{LoggedRequest, RequestLog, Requests};

/// Lines of the issuer's log that are looked at.
const LINES: usize = 2_000;
/// Answers of the control API's log: a sandbox that writes faster than it is read must not keep this for ever.
const PAGES: usize = 100;
/// Taps whose name in the log is asked for.
const NAMED: usize = 40;
/// Entries of the history that are counted.
const COUNTED: usize = 10_000;
/// Things that wait.
const PENDING: usize = 50;

/// What is running here.
pub(super) fn versions(context: &Context) -> Value {
    json!({
        "saifu": env!("CARGO_PKG_VERSION"),
        "sandbox": context.sandbox().ok().map(|info| saifu_wire::redacted(&info.version)),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
    })
}

/// What time it is, for this machine and for the wallet. The issuer's own is the sandbox's to tell.
pub(super) fn clock(context: &Context) -> Value {
    let clock = context.sandbox_file().and_then(|file| sandbox_clock(&file, Some(context.wallet.as_str())));
    let wallet = clock.ok().map(|clock| clock.read().wall_ms);
    json!({ "machine": DesktopClock::default().read().wall_ms, "wallet": wallet })
}

/// The wallet's requests, and how many lines of their file are damaged; null where it cannot be read.
pub(super) fn requests(context: &Context) -> (Vec<LoggedRequest>, Option<usize>) {
    match context.folder().map(|folder| RequestLog::new(folder.path()).read()) {
        Ok(Ok(Requests { requests, damaged })) => (requests, Some(damaged)),
        Ok(Err(_)) | Err(_) => (Vec::new(), None),
    }
}

/// How the wallet stands. No number, no code, no text of a notice.
pub(super) async fn wallet(context: &Context) -> Value {
    let name = saifu_wire::redacted(context.wallet.as_str());
    let OpenWallet { wallet, .. } = match open(context, Network::Unused).await {
        Ok(open) => open,
        Err(failure) => return json!({ "name": name, "error": scrubbed(json!(failure)) }),
    };
    let history = wallet.history(COUNTED).await.ok().map(|history| {
        let mut counts = BTreeMap::new();
        for entry in history.entries {
            let count: &mut usize = counts.entry(entry.kind.known().map_or("other", EntryKind::as_str)).or_default();
            *count = count.saturating_add(1);
        }
        counts
    });
    let settings = context.folder().and_then(|folder| folder.settings()).ok().flatten();
    let home = wallet.home();
    let kept =
        ["state", "standing", "balance_yen", "balance_reason", "as_of", "age_ms", "frozen", "device_id", "last_event"];
    let mut told = json!(home);
    if let Some(fields) = told.as_object_mut() {
        fields.retain(|name, _| kept.contains(&name.as_str()));
    }
    // Their kinds and times; what they say names the phone's last digits.
    let notices: Vec<Value> = home.notices.iter().map(|notice| json!((notice.at, &notice.kind))).collect();
    let pending: Vec<Value> = wallet.pending().iter().take(PENDING).map(waits).collect();
    wallet.close().await;
    let told = with(with(told, "notices", notices), "pending", pending);
    let told = with(with(told, "name", name), "history", history);
    with(told, "key_store", settings.map(|settings| settings.key_store))
}

/// Something unfinished, without the number that an ATM takes; the intent's key is for `saifu explain`.
fn waits(pending: &Pending) -> Value {
    let Pending { id, since, ends_by, what, next: _ } = pending;
    let intent = (*what != PendingWhat::SignUp).then_some(id);
    json!({ "intent": intent, "kind": what.as_str(), "yen": what.yen(), "since": since, "ends_by": ends_by })
}

/// What a sandbox told.
pub(super) struct SandboxPart {
    control: ControlApi,
    /// Its clock and limits.
    pub(super) state: Value,
    /// What goes wrong by order, and what the world did; the newest last.
    pub(super) faults: Vec<Value>,
    pub(super) events: Vec<Value>,
    /// The newest lines of its log.
    pub(super) lines: Vec<Value>,
}

/// Asks the sandbox that is named, if it runs.
pub(super) async fn sandbox(context: &Context) -> Result<SandboxPart, Failure> {
    let control = context.control()?;
    let clock: Value = control.get("clock", &[]).await?;
    let faults = listed(control.get("faults", &[]).await?, "faults");
    let events = listed(control.get("events", &[]).await?, "events");
    let policy = control.policy(None).await?;
    let mut lines = VecDeque::new();
    let mut after = 0;
    for _ in 0..PAGES {
        let page = control.log(after, &[]).await?;
        let Some(last) = page.last().and_then(|line| line.get("number")).and_then(Value::as_u64) else { break };
        after = last;
        lines.extend(page);
        lines.drain(..lines.len().saturating_sub(LINES));
    }
    let lines = lines.into_iter().map(scrubbed).collect();
    Ok(SandboxPart { control, state: json!({ "clock": clock, "policy": policy }), faults, events, lines })
}

/// The list under this name. An event may name a number.
fn listed(answer: Value, name: &str) -> Vec<Value> {
    let list = answer.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    list.into_iter().map(scrubbed).collect()
}

impl SandboxPart {
    /// What the log calls the newest taps: it shows no ids, so that a run can be repeated and compared.
    pub(super) async fn names(&self, requests: &[LoggedRequest]) -> Value {
        let mut names = serde_json::Map::new();
        for asked in requests.iter().rev() {
            let trace = asked.trace.to_string();
            if names.len() >= NAMED {
                break;
            }
            if names.contains_key(&trace) {
                continue;
            }
            let found = self.control.log(0, &[("trace", trace.clone())]).await;
            // Whoever does not answer once is not asked forty times.
            let Ok(lines) = found else { break };
            let name = lines.first().and_then(|line| line.get("trace")).cloned();
            names.insert(trace, name.unwrap_or_default());
        }
        Value::Object(names)
    }
}
