//! The registers: each has a key of its own, enrolled by the operator, and scans one code after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use saifu_crypto::{KeyPair, Secret};
use saifu_link::Link;
use saifu_rig::terminal::{ask, link};
use saifu_rig::{Peer, With};
use saifu_wire::messages::{EnrolRequest, EnrolledAnswer, Outcome, SettleAnswer, SettleRequest, TerminalKind};
use saifu_wire::{Amount, Listener, Name, Operation, Sensitive};
use tokio::task::JoinSet;

use super::Scene;
use super::figures::{IN_PROCESS, TLS};
use crate::Result;
use crate::slice::{Slice, Stopwatch};

/// Merchants that the registers are spread over: the ledger has hot accounts, but not one alone.
const MERCHANTS: u32 = 8;

/// One register, with a signed request in hand or on its own connection.
pub(super) struct Register {
    name: String,
    peer: Peer,
    link: Arc<Link>,
    /// Transaction ids used so far.
    scans: u64,
}

/// What came of all scans.
#[derive(Default)]
pub(super) struct Scans {
    pub(super) approved: u64,
    pub(super) failures: Vec<String>,
}

impl Scans {
    fn count(&mut self, answer: std::result::Result<SettleAnswer, String>) {
        match answer {
            Ok(SettleAnswer { result: Outcome::Approved, .. }) => self.approved = self.approved.saturating_add(1),
            Ok(SettleAnswer { reason, .. }) => self.failures.push(format!("a payment was declined: {reason:?}")),
            Err(error) => self.failures.push(error),
        }
    }
}

impl Register {
    /// The body of its next scan.
    fn scan(&mut self, digits: Sensitive, yen: Amount) -> Result<SettleRequest> {
        self.scans = self.scans.saturating_add(1);
        Ok(SettleRequest { txid: Name::new(format!("{}-{}", self.name, self.scans))?, digits, yen })
    }
}

/// New registers.
pub(super) async fn enrol(scene: &Scene, count: u32) -> Result<Vec<Register>> {
    let operator = scene.terminal("operator-1");
    let mut registers = Vec::new();
    for number in 0..count {
        let key = KeyPair::generate()?;
        let name = format!("bench-{number}");
        let request = EnrolRequest {
            terminal: Name::new(name.clone())?,
            kind: TerminalKind::Register,
            merchant: Name::new(format!("merchant-{}", number.checked_rem(MERCHANTS).unwrap_or(0)))?,
            spki: saifu_wire::Bytes(key.public_key().to_spki()),
        };
        let _: EnrolledAnswer = operator.ask(Operation::TerminalEnrol, &request).await.ok();
        let same_key = KeyPair::from_pkcs8(Secret::copy_of(key.pkcs8().expose()))?;
        registers.push(Register { name, peer: scene.peer(key), link: link(&scene.info, same_key), scans: 0 });
    }
    Ok(registers)
}

/// Everything signed first, then answered by the issuer as fast as it can.
pub(super) async fn in_process(
    scene: &Scene,
    registers: &mut [Register],
    codes: Vec<Sensitive>,
    yen: i64,
    scans: &mut Scans,
) -> Result<Slice> {
    let yen = Amount::new(yen).ok_or("the price is out of range")?;
    let mut requests = Vec::new();
    for (register, codes) in share(registers, codes) {
        register.peer.greet(Operation::Settle).await;
        let mut signed: Vec<Request<Bytes>> = Vec::new();
        for digits in codes {
            let body = serde_json::to_vec(&register.scan(digits, yen)?)?;
            signed.push(register.peer.build(Operation::Settle, &body, &With::default()));
        }
        requests.push((scene.clone(), signed));
    }
    let (watch, mut tills) = (Stopwatch::start(), JoinSet::new());
    for (scene, signed) in requests {
        tills.spawn(async move {
            let mut answers = Vec::with_capacity(signed.len());
            for request in signed {
                let at = Instant::now();
                let response = scene.issuer.handle(scene.issuer.now(), Listener::Register, request).await;
                answers.push((at.elapsed(), response));
            }
            answers
        });
    }
    let answers: Vec<(Duration, Response<Bytes>)> = tills.join_all().await.into_iter().flatten().collect();
    let ended = watch.stop(IN_PROCESS);
    for (_, response) in &answers {
        let answer = serde_json::from_slice(response.body());
        scans.count(answer.map_err(|_| String::from_utf8_lossy(response.body()).into_owned()));
    }
    Ok(ended.fill(answers.into_iter().map(|(took, _)| took).collect()))
}

/// Signed, sent, answered and read, each register on a connection of its own that is open already.
pub(super) async fn over_tls(
    registers: &mut [Register],
    codes: Vec<Sensitive>,
    yen: i64,
    scans: &mut Scans,
) -> Result<Slice> {
    let yen = Amount::new(yen).ok_or("the price is out of range")?;
    let mut work = Vec::new();
    for (register, codes) in share(registers, codes) {
        // A scan of nothing opens the connection and brings the nonce.
        let nothing = register.scan(Sensitive::new("0"), yen)?;
        let _: SettleAnswer = ask(&register.link, Operation::Settle, &nothing).await?;
        let bodies = codes.map(|digits| register.scan(digits, yen)).collect::<Result<Vec<_>>>()?;
        work.push((Arc::clone(&register.link), bodies));
    }
    let (watch, mut tills) = (Stopwatch::start(), JoinSet::new());
    for (link, bodies) in work {
        tills.spawn(async move {
            let mut answers = Vec::with_capacity(bodies.len());
            for body in &bodies {
                let at = Instant::now();
                let answer = ask(&link, Operation::Settle, body).await.map_err(|error| error.to_string());
                answers.push((at.elapsed(), answer));
            }
            answers
        });
    }
    let answers: Vec<_> = tills.join_all().await.into_iter().flatten().collect();
    let ended = watch.stop(TLS);
    let mut pieces = Vec::new();
    for (piece, answer) in answers {
        pieces.push(piece);
        scans.count(answer);
    }
    Ok(ended.fill(pieces))
}

/// The codes of each register, dealt in turn.
fn share(
    registers: &mut [Register],
    codes: Vec<Sensitive>,
) -> impl Iterator<Item = (&mut Register, std::vec::IntoIter<Sensitive>)> {
    let mut dealt: Vec<Vec<Sensitive>> = registers.iter().map(|_| Vec::new()).collect();
    let turns = (0..registers.len()).cycle();
    for (code, turn) in codes.into_iter().zip(turns) {
        if let Some(hand) = dealt.get_mut(turn) {
            hand.push(code);
        }
    }
    registers.iter_mut().zip(dealt.into_iter().map(Vec::into_iter))
}
