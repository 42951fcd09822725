//! Why a till or an ATM declined: what the cashier reads, and what to do.

use crate::{Open, Word};

macro_rules! reasons {
    ($($variant:ident = $code:literal, $text:literal;)*) => {
        /// A register's or ATM's reason for declining. Public and stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Reason {
            $(#[doc = $text] #[serde(rename = $code)] $variant,)*
        }

        impl Reason {
            /// Every reason the issuer gives.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What a person reads, and what to do.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl Word for Reason {
            const ALL: &'static [Self] = Self::ALL;

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }
    };
}

reasons! {
    CodeNotValid = "code-not-valid", "This code cannot be used. Ask for a fresh one.";
    WrongPurpose = "wrong-purpose", "This code is not for this purpose. Ask for the right one.";
    InsufficientBalance = "insufficient-balance", "The balance is too low. Ask for another way to pay, or a top-up.";
    OverLimit = "over-limit", "The amount is over the customer's limit. The app says which one.";
    OverCap = "over-cap", "The amount is over this code's cap. Ask for a larger code.";
    AccountFrozen = "account-frozen", "The account is frozen. Ask for another way to pay.";
    Stopped = "stopped", "This service is stopped for now. Ask for another way to pay.";
    Voided = "voided", "This transaction was reversed before it arrived. Start a new one.";
    OriginalNotFound = "original-not-found", "There is no such payment at this merchant.";
    OverRefund = "over-refund", "The refunds would exceed the payment.";
    NumberOrCodeNotValid = "number-or-code-not-valid", "The number or the code is not valid. Look at the app and try again.";
    NotAuthorized = "not-authorized", "There is no approval for this deposit. Enter number and code again.";
    AmountTooLarge = "amount-too-large", "The cash is more than was approved. Return it and insert less.";
    TransactionReused = "transaction-reused", "This transaction id was used for something else. Use a new one.";
}

impl Open<Reason> {
    /// What a person reads, and what to do.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.known().map_or("Declined. Ask the customer to look at the app.", Reason::text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{}\"", reason.as_str()));
        }
    }
}
