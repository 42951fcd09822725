//! An issuer in a temporary folder with a clock of its own, and phones, tills and cash machines that talk to its rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use saifu_code::Totp;
use saifu_crypto::{Secret, SeededRandom};
use saifu_rig::terminal::scan;
use saifu_rig::{Agreement, Keys};
use saifu_sandbox::ledger;
use saifu_sandbox::policy::Policy;
use saifu_sandbox::rules::{
    Answered, Binding, Cx, Refused, Rules, Secrets, Terminal, account, activation, atm, code, due, operator, settle,
    sign_up, sms, top_up,
};
use saifu_sandbox::store::Store;
use saifu_wire::messages::*;
use saifu_wire::{
    Amount, IntentKey, Millis, Name, PhoneNumber, Problem, ProblemCode, RequestId, Sensitive, SettlementId,
};

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;
pub(crate) const THUMBPRINT: &str = "session-key";
pub(crate) const NUMBER: &str = "09012345678";
const START: u64 = 1_800_000_000_000;

pub(crate) struct World {
    pub(crate) rules: Rules,
    pub(crate) folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    now: AtomicU64,
    serial: AtomicU64,
}

/// A phone that signed up.
#[derive(Clone)]
pub(crate) struct Phone {
    pub(crate) number: PhoneNumber,
    pub(crate) binding: Binding,
    pub(crate) keys: Arc<Keys>,
    pub(crate) totp: Arc<Secret>,
}

/// A phone in the middle of signing up.
pub(crate) struct Applicant {
    pub(crate) number: PhoneNumber,
    pub(crate) keys: Keys,
}

/// No limits and nobody a beginner, for tests about something else.
pub(crate) fn open_policy() -> Policy {
    let mut policy = normal_policy();
    let (top_up, pay) = (&mut policy.top_up, &mut policy.pay);
    (top_up.interval_ms, top_up.an_hour, top_up.each_yen, top_up.day_yen) = (None, None, None, None);
    (pay.each_yen, pay.in_10_min, pay.hour_yen, pay.day_yen) = (None, None, None, None);
    policy.code.cap_yen = None;
    policy
}

/// Limits of *Normal*, not halved, nobody a beginner.
pub(crate) fn normal_policy() -> Policy {
    let mut policy = Policy::default();
    policy.standing.starter_ms = None;
    policy.standing.starter_until_recovery_factor = false;
    policy.standing.software_divisor = None;
    policy
}

pub(crate) fn yen(yen: i64) -> Amount {
    Amount::new(yen).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn terminal(text: &str, kind: TerminalKind, merchant: &str) -> Terminal {
    Terminal { name: name(text), kind, merchant: name(merchant) }
}

pub(crate) fn till() -> Terminal {
    terminal("till-1", TerminalKind::Register, "shop")
}

pub(crate) fn cash_machine() -> Terminal {
    terminal("atm-1", TerminalKind::Atm, "bank")
}

pub(crate) fn staff() -> Terminal {
    terminal("staff", TerminalKind::Operator, "saifu")
}

impl Applicant {
    pub(crate) fn new(number: &str) -> Self {
        Self { number: PhoneNumber::parse(number).unwrap(), keys: Keys::generate() }
    }

    pub(crate) fn request(&self) -> SignUpRequest {
        self.keys.sign_up(&self.number, THUMBPRINT)
    }

    pub(crate) fn confirmation(&self, request: RequestId, code: &str) -> SignUpConfirmRequest {
        self.keys.confirm(request, code, THUMBPRINT)
    }
}

impl World {
    pub(crate) fn new(policy: Policy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let rules = rules_at(folder.path(), policy);
        Self { rules, folder, runtime, now: AtomicU64::new(START), serial: AtomicU64::new(0) }
    }

    /// With somebody who has an account.
    pub(crate) fn with_phone(policy: Policy) -> (Self, Phone) {
        let world = Self::new(policy);
        let phone = world.phone(NUMBER);
        (world, phone)
    }

    /// And this balance.
    pub(crate) fn funded(policy: Policy, amount: i64) -> (Self, Phone) {
        let (world, phone) = Self::with_phone(policy);
        world.fund(&phone, amount);
        (world, phone)
    }

    pub(crate) fn now(&self) -> Millis {
        Millis(self.now.load(Ordering::SeqCst))
    }

    pub(crate) fn wait(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn set_back(&self, ms: u64) {
        self.now.fetch_sub(ms, Ordering::SeqCst);
    }

    fn next(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn txid(&self) -> Name {
        name(&format!("tx-{}", self.next()))
    }

    pub(crate) fn answered<T: Send + 'static>(
        &self,
        rule: impl FnOnce(&Cx<'_>) -> Result<T, Refused> + Send + 'static,
    ) -> Answered<T> {
        self.runtime.handle().block_on(self.rules.write(self.now(), "trace", rule))
    }

    pub(crate) fn write<T: Send + 'static>(
        &self,
        rule: impl FnOnce(&Cx<'_>) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Problem> {
        self.answered(rule).result
    }

    pub(crate) fn read<T: Send + 'static>(
        &self,
        rule: impl FnOnce(&Cx<'_>) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Problem> {
        self.runtime.handle().block_on(self.rules.read(self.now(), "trace", rule))
    }

    /// A second connection, as anybody with the file has it.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("issuer.db")).unwrap()
    }

    pub(crate) fn assert_sound(&self) {
        let audit = ledger::audit(&self.raw()).unwrap();
        assert_eq!(audit.faults, Vec::<String>::new());
    }

    /// Everything that money or identity rests on, as counts and sums: equal before and after means nothing changed.
    pub(crate) fn footprint(&self) -> Vec<(String, i64)> {
        let raw = self.raw();
        let count = |table: &str| {
            raw.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap()
        };
        let tables = ["posting", "ledger_account", "account", "device", "intent", "top_up", "settlement", "event"];
        let mut all: Vec<_> = tables.iter().map(|table| ((*table).to_owned(), count(table))).collect();
        let nonces = raw.query_row("SELECT count(*) FROM intent_nonce", [], |row| row.get(0)).unwrap();
        all.push(("nonces".into(), nonces));
        all
    }

    pub(crate) fn inbox(&self, number: &PhoneNumber) -> Vec<sms::Sms> {
        let number = number.clone();
        self.read(move |cx| sms::inbox(cx, &number)).unwrap()
    }

    pub(crate) fn code_for(&self, number: &PhoneNumber) -> String {
        self.inbox(number).into_iter().rev().find_map(|message| message.code).unwrap()
    }

    pub(crate) fn begin(&self, applicant: &Applicant) -> Result<SignUpAnswer, Problem> {
        let request = applicant.request();
        self.write(move |cx| sign_up::begin(cx, &request, THUMBPRINT))
    }

    /// Somebody who has the code in hand.
    pub(crate) fn applicant(&self) -> (Applicant, SignUpAnswer, String) {
        let applicant = Applicant::new(NUMBER);
        let begun = self.begin(&applicant).unwrap();
        let code = self.code_for(&applicant.number);
        (applicant, begun, code)
    }

    pub(crate) fn confirm(
        &self,
        applicant: &Applicant,
        request: RequestId,
        code: &str,
    ) -> Result<SignUpConfirmAnswer, Problem> {
        let request = applicant.confirmation(request, code);
        self.write(move |cx| sign_up::confirm(cx, &request, THUMBPRINT))
    }

    /// A phone with an account and working secrets.
    pub(crate) fn phone(&self, number: &str) -> Phone {
        let applicant = Applicant::new(number);
        let begun = self.begin(&applicant).unwrap();
        let code = self.code_for(&applicant.number);
        let opened = self.confirm(&applicant, begun.request, &code).unwrap();
        let binding = Binding { account: opened.account, device: opened.device, epoch: opened.epoch };
        let totp = Arc::new(Secret::new(Vec::new()));
        let mut phone = Phone { number: applicant.number, binding, keys: Arc::new(applicant.keys), totp };
        let (confirmation, totp) = self.begin_activation(&phone);
        self.write(move |cx| activation::confirm(cx, binding, &confirmation)).unwrap();
        phone.totp = Arc::new(totp);
        phone
    }

    /// The phone's side of a key agreement: what it would confirm with, and its TOTP secret.
    pub(crate) fn begin_activation(&self, phone: &Phone) -> (ActivationConfirmRequest, Secret) {
        let (binding, (agreement, request)) = (phone.binding, Agreement::begin());
        let answer = self.write(move |cx| activation::begin(cx, binding, &request)).unwrap();
        agreement.end(&phone.keys, binding, &answer)
    }

    pub(crate) fn totp(&self, phone: &Phone) -> String {
        Totp::default().code(&phone.totp, self.now().seconds())
    }

    pub(crate) fn nonce(&self, phone: &Phone) -> IntentNonce {
        let binding = phone.binding;
        self.write(move |cx| top_up::nonce(cx, binding)).unwrap()
    }

    pub(crate) fn key(&self) -> IntentKey {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.next().to_be_bytes());
        IntentKey::new(self.now(), random)
    }

    /// An intent as the owner approves it.
    pub(crate) fn intent(&self, phone: &Phone, key: IntentKey, amount: i64) -> TopUpRequest {
        phone.keys.top_up(phone.binding, key, yen(amount), self.nonce(phone).nonce)
    }

    pub(crate) fn send(&self, phone: &Phone, key: IntentKey, request: &TopUpRequest) -> Result<TopUp, Problem> {
        let (binding, request) = (phone.binding, request.clone());
        self.write(move |cx| top_up::request(cx, binding, key, &request))
    }

    pub(crate) fn top_up(&self, phone: &Phone, amount: i64) -> Result<TopUp, Problem> {
        let key = self.key();
        let request = self.intent(phone, key, amount);
        self.send(phone, key, &request)
    }

    pub(crate) fn resolve(&self, phone: &Phone, key: IntentKey) -> ResolveAnswer {
        let binding = phone.binding;
        let request = ResolveRequest { operation: IntentOperation::TopUp, key };
        self.write(move |cx| top_up::resolve(cx, binding, &request)).unwrap()
    }

    pub(crate) fn authorize(&self, txid: &Name, number: &str, totp: &str) -> AtmAuthorizeAnswer {
        let request =
            AtmAuthorizeRequest { txid: txid.clone(), number: Sensitive::new(number), totp: Sensitive::new(totp) };
        self.write(move |cx| atm::authorize(cx, &cash_machine(), &request)).unwrap()
    }

    pub(crate) fn deposit(&self, txid: &Name, amount: i64) -> SettleAnswer {
        let request = AtmDepositRequest { txid: txid.clone(), yen: yen(amount) };
        self.write(move |cx| atm::deposit(cx, &cash_machine(), &request)).unwrap()
    }

    /// Money in, all the way.
    pub(crate) fn fund(&self, phone: &Phone, amount: i64) {
        let held = self.top_up(phone, amount).unwrap();
        let txid = self.txid();
        let approved = self.authorize(&txid, held.number.unwrap().expose(), &self.totp(phone));
        assert_eq!(approved.result, Outcome::Approved, "{approved:?}");
        assert_eq!(self.deposit(&txid, amount).result, Outcome::Approved);
        // The next code of this phone lies in another step.
        self.wait(31 * SECOND);
    }

    pub(crate) fn code(&self, phone: &Phone, purpose: Purpose) -> Result<CodeAnswer, Problem> {
        let binding = phone.binding;
        self.write(move |cx| code::issue(cx, binding, &CodeRequest { purpose }))
    }

    pub(crate) fn digits(&self, phone: &Phone) -> String {
        self.code(phone, Purpose::Pay).unwrap().digits.expose().to_owned()
    }

    pub(crate) fn settle(&self, till: &Terminal, txid: &Name, digits: &str, amount: i64) -> SettleAnswer {
        let (till, request) = (till.clone(), scan(txid.as_str(), &Sensitive::new(digits), amount));
        self.write(move |cx| settle::settle(cx, &till, &request)).unwrap()
    }

    /// A payment with a fresh code and transaction id.
    pub(crate) fn pay(&self, phone: &Phone, amount: i64) -> SettleAnswer {
        let digits = self.digits(phone);
        self.settle(&till(), &self.txid(), &digits, amount)
    }

    pub(crate) fn refund(&self, till: &Terminal, txid: &Name, settlement: SettlementId, amount: i64) -> SettleAnswer {
        let request = RefundRequest { txid: txid.clone(), settlement, yen: yen(amount) };
        let till = till.clone();
        self.write(move |cx| settle::refund(cx, &till, &request)).unwrap()
    }

    pub(crate) fn void(&self, till: &Terminal, txid: &Name) -> SettleAnswer {
        let (till, request) = (till.clone(), VoidRequest { txid: txid.clone() });
        self.write(move |cx| settle::void(cx, &till, &request)).unwrap()
    }

    pub(crate) fn home(&self, phone: &Phone) -> Home {
        let binding = phone.binding;
        self.read(move |cx| account::home(cx, binding)).unwrap()
    }

    pub(crate) fn history(&self, phone: &Phone) -> Vec<HistoryEntry> {
        let binding = phone.binding;
        let mut entries: Vec<HistoryEntry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.number);
            let page = self.read(move |cx| account::history(cx, binding, HistoryQuery { after })).unwrap();
            entries.extend(page.entries);
            if !page.more {
                return entries;
            }
        }
    }

    pub(crate) fn events(&self, phone: &Phone) -> Vec<Event> {
        let account = phone.binding.account;
        self.read(move |cx| saifu_sandbox::rules::events::after(cx, account, 0, u32::MAX)).unwrap()
    }

    pub(crate) fn run_due(&self) -> Vec<due::Done> {
        self.write(due::run).unwrap()
    }

    pub(crate) fn freeze(&self, phone: &Phone) {
        let account = phone.binding.account;
        self.write(move |cx| operator::freeze(cx, &staff(), account)).unwrap();
    }

    pub(crate) fn switch(&self, switch: Switch, on: bool) {
        let request = SwitchRequest { switch, on, reason: "drill".into() };
        self.write(move |cx| operator::set_switch(cx, &staff(), &request)).unwrap();
    }
}

/// Rules over the database of a folder; the same folder always has the same keys.
pub(crate) fn rules_at(folder: &std::path::Path, policy: Policy) -> Rules {
    let store = Store::open(folder.join("issuer.db")).unwrap();
    let secrets = Secrets::generate(&SeededRandom::new(7)).unwrap();
    Rules::new(store, policy, secrets, Arc::new(saifu_crypto::SystemRandom)).unwrap()
}

#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(result: Result<T, Problem>, code: ProblemCode) -> Problem {
    let problem = result.unwrap_err();
    assert_eq!(problem.code, code, "{problem:?}");
    problem
}

#[track_caller]
pub(crate) fn assert_rule<T: std::fmt::Debug>(result: Result<T, Problem>, rule: &str) {
    let problem = result.unwrap_err();
    assert_eq!(problem.rule.as_deref(), Some(rule), "{problem:?}");
}
