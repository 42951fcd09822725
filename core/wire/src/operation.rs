//! The table of operations: one row gives each its method, path and listener. Router, client, API document and tests read it.

/// Where an operation is served. Each listener has an address of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listener {
    /// Customers' phones (TLS, pinned).
    Customer,
    /// Registers, ATMs and operators (TLS, their own keys).
    Register,
    /// The signed service document (static, another origin).
    Service,
}

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $method:literal, $path:literal, $listener:ident;)*) => {
        /// One operation of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Operation {
            $($(#[$doc])* $variant,)*
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its stable name, as faults and logs use it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Its HTTP method.
            #[must_use]
            pub fn method(self) -> &'static str {
                match self { $(Self::$variant => $method,)* }
            }

            /// Its path, without parameters.
            #[must_use]
            pub fn path(self) -> &'static str {
                match self { $(Self::$variant => $path,)* }
            }

            /// Where it is served.
            #[must_use]
            pub fn listener(self) -> Listener {
                match self { $(Self::$variant => Listener::$listener,)* }
            }
        }
    };
}

operations! {
    /// Asks for an SMS code; the same answer whether or not the number has an account.
    SignUp = "sign-up", "POST", "/v1/sign-up", Customer;
    /// Proves the number; opens the account.
    SignUpConfirm = "sign-up-confirm", "POST", "/v1/sign-up/confirm", Customer;
    /// Opens a session: the device key certifies a session key.
    Session = "session", "POST", "/v1/session", Customer;
    /// A new access token for a session.
    Token = "token", "POST", "/v1/session/token", Customer;
    /// Starts the key agreement that gives the offline seed and the in-app TOTP secret.
    Activation = "activation", "POST", "/v1/activation", Customer;
    /// Proves that the phone has kept both.
    ActivationConfirm = "activation-confirm", "POST", "/v1/activation/confirm", Customer;
    /// Balance, points, standing, notices.
    Home = "home", "GET", "/v1/home", Customer;
    /// Entries after a given event number; `?after=N`.
    History = "history", "GET", "/v1/history", Customer;
    /// What happens to the account, as server-sent events.
    Events = "events", "GET", "/v1/events", Customer;
    /// A nonce and the issuer's time for one intent.
    IntentNonce = "intent-nonce", "POST", "/v1/intents/nonce", Customer;
    /// What became of an intent; one that never arrived is voided for ever.
    IntentResolve = "intent-resolve", "POST", "/v1/intents/resolve", Customer;
    /// An authorised top-up.
    TopUp = "top-up", "POST", "/v1/top-ups", Customer;
    /// A one-time payment code.
    Code = "code", "POST", "/v1/codes", Customer;
    /// A register settles a scanned code.
    Settle = "settle", "POST", "/v1/settlements", Register;
    /// A register reverses one of its transactions, which may not have arrived yet.
    SettleVoid = "settle-void", "POST", "/v1/settlements/void", Register;
    /// A register refunds part or all of a settlement of its merchant.
    Refund = "refund", "POST", "/v1/refunds", Register;
    /// An ATM checks a number and the in-app TOTP before it takes cash.
    AtmAuthorize = "atm-authorize", "POST", "/v1/atm/authorizations", Register;
    /// An ATM posts the cash it took.
    AtmDeposit = "atm-deposit", "POST", "/v1/atm/deposits", Register;
    /// An operator enrols a register or an ATM with its key.
    TerminalEnrol = "terminal-enrol", "POST", "/v1/operator/terminals", Register;
    /// An operator stops or restarts a service, with a reason.
    SwitchSet = "switch-set", "POST", "/v1/operator/switches", Register;
    /// The signed service document.
    ServiceDocument = "service-document", "GET", "/service.json", Service;
}

impl Operation {
    /// The operation at this place; `Err(true)` when the path exists with another method.
    ///
    /// # Errors
    /// Whether the path is known at all.
    pub fn find(listener: Listener, method: &str, path: &str) -> Result<Self, bool> {
        let mut known = false;
        for operation in Self::ALL {
            if operation.listener() == listener && operation.path() == path {
                if operation.method() == method {
                    return Ok(*operation);
                }
                known = true;
            }
        }
        Err(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_only_where_it_is_served() {
        for operation in Operation::ALL {
            assert_eq!(Operation::find(operation.listener(), operation.method(), operation.path()), Ok(*operation));
            assert_eq!(Operation::find(operation.listener(), "DELETE", operation.path()), Err(true));
        }
        assert_eq!(Operation::find(Listener::Customer, "POST", Operation::Settle.path()), Err(false));
        assert_eq!(Operation::find(Listener::Register, "POST", Operation::TopUp.path()), Err(false));
    }
}
