//! Bodies of the API, one module for each flow. Requests refuse unknown fields and words; answers and events tolerate them.

mod account;
mod code;
mod event;
mod operator;
mod service;
mod settlement;
mod sign_up;
mod top_up;

pub use account::{EntryKind, EntryState};
pub use account::{HistoryEntry, HistoryPage, HistoryQuery, Home, Notice, NoticeKind, Standing};
pub use code::{CodeAnswer, CodeRequest, Purpose};
pub use event::{Event, EventBody};
pub use operator::{EnrolRequest, EnrolledAnswer, Switch, SwitchRequest, SwitchState, TerminalKind};
pub use service::{Features, QrForm, ServiceDocument, SignedDocument};
pub use settlement::{
    AtmAuthorizeAnswer, AtmAuthorizeRequest, AtmDepositRequest, Outcome, RefundRequest, SettleAnswer, SettleRequest,
    VoidRequest,
};
pub use sign_up::{
    ActivationAnswer, ActivationConfirmRequest, ActivationConfirmed, ActivationRequest, SessionAnswer, SessionRequest,
    SignUpAnswer, SignUpConfirmAnswer, SignUpConfirmRequest, SignUpRequest, TokenAnswer, TokenRequest, TotpParameters,
};
pub use top_up::{
    Channel, IntentNonce, IntentNonceRequest, IntentOperation, ResolveAnswer, ResolveRequest, Resolved, TopUp,
    TopUpRequest, TopUpState,
};
