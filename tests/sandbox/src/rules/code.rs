//! One-time payment codes: random digits of which only an HMAC is kept, short-lived, few at a time, each for one purpose.

use rusqlite::params;
use saifu_code::{Issuer, Kind, PaymentDigits};
use saifu_wire::messages::{CodeAnswer, CodeRequest, Purpose, Switch};
use saifu_wire::{ProblemCode, Sensitive, Yen};

use super::context::ms;
use super::{Binding, Cx, Refused, limits, operator, session};

/// Makes a code. One more than may live of this device kills its oldest.
///
/// # Errors
/// `unknown-device`, `frozen`, `switched-off`.
pub fn issue(cx: &Cx<'_>, binding: Binding, request: &CodeRequest) -> Result<CodeAnswer, Refused> {
    let customer = session::live(cx, binding)?.customer;
    if customer.frozen {
        return Err(ProblemCode::Frozen.into());
    }
    operator::require(cx, Switch::Code)?;
    let policy = &cx.policy.code;
    let (kind, purpose) = match request.purpose {
        Purpose::Pay => (Kind::OnlinePay, "pay"),
        Purpose::CashIn => (Kind::CashIn, "cash-in"),
    };
    let digits = PaymentDigits::from_random(Issuer::SANDBOX, kind, cx.random)?;
    let cap = limits::code_cap(cx, &customer);
    let expires_at = cx.now.plus(policy.life_ms);
    let stored = cx.run(
        "INSERT OR IGNORE INTO payment_code (hmac, account, device, epoch, purpose, cap_yen, issued_at, expires_at,
             state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'live')",
        params![
            hmac(cx, digits.as_str()),
            binding.account.as_bytes(),
            binding.device.as_bytes(),
            customer.epoch,
            purpose,
            cap,
            cx.ms(),
            ms(expires_at)
        ],
    )?;
    if stored == 0 {
        // The same 14 digits as a code that is still remembered: once in 10^8 with a million of them.
        return Err(ProblemCode::Overloaded.into());
    }
    cx.run(
        "UPDATE payment_code SET state = 'replaced' WHERE id IN (
             SELECT id FROM payment_code WHERE device = ? AND state = 'live' ORDER BY id DESC LIMIT -1 OFFSET ?)",
        params![binding.device.as_bytes(), policy.live],
    )?;
    Ok(CodeAnswer {
        digits: Sensitive::new(digits.as_str()),
        issued_at: cx.now,
        refresh_at: cx.now.plus(policy.refresh_ms),
        expires_at,
        cap_yen: Yen(cap),
        last_event: customer.last_event,
    })
}

/// What a code is stored as.
pub(crate) fn hmac(cx: &Cx<'_>, digits: &str) -> [u8; 32] {
    cx.secrets.code(&[b"pay", digits.as_bytes()])
}
