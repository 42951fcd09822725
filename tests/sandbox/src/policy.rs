//! Every number of the issuer's rules, in one file that an operator may override in part. The rules read it, and each
//! refusal names the rule that decided by its path here: `top_up.day_yen`.
//!
//! Times are milliseconds, money is yen. A rule that is `null` is off.
//!
//! ```
//! use saifu_sandbox::policy::Policy;
//!
//! let policy: Policy = serde_json::from_str(r#"{"top_up":{"day_yen":50000,"an_hour":null}}"#).unwrap();
//! assert_eq!((policy.top_up.day_yen, policy.top_up.an_hour), (Some(50_000), None));
//! assert!(serde_json::from_str::<Policy>(r#"{"top_up":{"a_day":1}}"#).is_err());
//! ```

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

macro_rules! policy {
    ($($(#[doc = $doc:literal])* $section:ident: $name:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $default:expr;)* })*) => {
        /// All of it.
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Policy {
            $($(#[doc = $doc])* pub $section: $name,)*
            /// Defences taken away; not part of the file.
            #[serde(skip)]
            pub without: Without,
        }

        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $name { $($(#[doc = $field_doc])* pub $field: $type,)* }

            impl Default for $name {
                fn default() -> Self {
                    Self { $($field: $default,)* }
                }
            }
        )*

        /// Every rule by its place in the file, and what it means.
        pub const RULES: &[(&str, &str)] = &[
            $($((concat!(stringify!($section), ".", stringify!($field)), concat!($($field_doc),*)),)*)*
        ];
    };
}

policy! {
    /// Getting in.
    sign_up: SignUpPolicy {
        /// An SMS code lives this long.
        code_ms: u64 = 5 * MINUTE;
        /// Wrong codes of one sign-up.
        tries: u32 = 3;
        /// Between two codes to one number.
        resend_ms: Option<u64> = Some(MINUTE);
        /// Codes to one number in 24 h, for all devices that are bound to no account.
        number_a_day: Option<u32> = Some(5);
        /// Codes in an hour to all numbers of one operator block (`+81`, five digits).
        prefix_an_hour: Option<u32> = Some(1_000);
        /// Codes in an hour altogether.
        all_an_hour: Option<u32> = Some(20_000);
        /// A right code repeats its answer this long, so that a phone killed in between goes on.
        repeat_ms: u64 = DAY;
    }
    /// Which limits apply to whom.
    standing: StandingPolicy {
        /// An account is *Starter* this long.
        starter_ms: Option<u64> = Some(3 * DAY);
        /// An account is also *Starter* until a recovery factor is saved.
        starter_until_recovery_factor: bool = true;
        /// *Normal* limits are divided by this on a device without verified evidence of secure hardware.
        software_divisor: Option<i64> = Some(2);
    }
    /// Money in.
    top_up: TopUpPolicy {
        /// A nonce lives this long.
        nonce_ms: u64 = 2 * MINUTE;
        /// The first arrival of an intent whose key is older is refused.
        key_age_ms: u64 = 10 * MINUTE;
        /// An intent whose key lies further ahead is refused.
        key_ahead_ms: u64 = MINUTE;
        /// Between two top-ups of an account.
        interval_ms: Option<u64> = Some(MINUTE);
        /// Top-ups in an hour.
        an_hour: Option<u32> = Some(3);
        /// The most of one top-up.
        each_yen: Option<i64> = Some(30_000);
        /// The most topped up in 24 h, holds included.
        day_yen: Option<i64> = Some(100_000);
        /// The most topped up in 24 h while *Starter*.
        starter_day_yen: Option<i64> = Some(10_000);
        /// While *Starter*, only from the channel used first.
        starter_one_source: bool = true;
    }
    /// Cash at an ATM.
    atm: AtmPolicy {
        /// A number lives this long.
        number_ms: u64 = 15 * MINUTE;
        /// After its approval the cash must be posted within this.
        deposit_ms: u64 = 5 * MINUTE;
        /// Wrong TOTP codes kill the number.
        tries: u32 = 3;
    }
    /// Payment codes.
    code: CodePolicy {
        /// A phone shows another one after this.
        refresh_ms: u64 = MINUTE;
        /// A code is dead after this.
        life_ms: u64 = 5 * MINUTE;
        /// Live codes of a device.
        live: u32 = 3;
        /// The most one pays without the owner's presence.
        cap_yen: Option<i64> = Some(10_000);
    }
    /// Money out.
    pay: PayPolicy {
        /// The most of one payment.
        each_yen: Option<i64> = Some(30_000);
        /// The most paid in 24 h while *Starter*.
        starter_day_yen: Option<i64> = Some(10_000);
        /// Payments in 10 min; more need presence.
        in_10_min: Option<u32> = Some(5);
        /// Paid in an hour; more needs presence.
        hour_yen: Option<i64> = Some(50_000);
        /// Paid in 24 h; more needs presence.
        day_yen: Option<i64> = Some(20_000);
    }
    /// Loyalty points.
    points: PointsPolicy {
        /// One point for each full amount of this.
        yen_a_point: Option<i64> = Some(200);
    }
    /// What the owner is told by SMS beside the app.
    tell: TellPolicy {
        /// Payments and top-ups from this on are told by SMS.
        sms_from_yen: Option<i64> = Some(10_000);
        /// The first top-up is told by SMS.
        sms_first_top_up: bool = true;
    }
    /// Key agreement.
    activation: ActivationPolicy {
        /// An offline alias is dead after this.
        alias_ms: u64 = 7 * DAY;
    }
    /// What is kept for how long after it ended.
    keep: KeepPolicy {
        /// Codes and nonces are kept this long after they died.
        codes_ms: u64 = DAY;
        /// Sign-ups and messages are kept this long.
        sign_ups_ms: u64 = 7 * DAY;
    }
}

/// Defences taken away one by one, so that the test of each can be seen failing without it. No policy file can say so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Without {
    /// A repeated transaction or intent is not recognised.
    pub replay_lookup: bool,
    /// A scanned code stays live.
    pub code_burn: bool,
    /// A TOTP step may be used again.
    pub totp_step: bool,
    /// Any key of the device may approve a top-up.
    pub key_role: bool,
    /// Refunds are not added up.
    pub refund_sum: bool,
}

/// The stable names of the rules that refusals give.
pub mod rule {
    macro_rules! names {
        ($($name:ident = $path:literal;)*) => {
            $(#[doc = $path] pub const $name: &str = $path;)*
            /// Every one.
            pub const ALL: &[&str] = &[$($path,)*];
        };
    }
    names! {
        SIGN_UP_TRIES = "sign_up.tries";
        SIGN_UP_RESEND = "sign_up.resend_ms";
        SIGN_UP_NUMBER_A_DAY = "sign_up.number_a_day";
        SIGN_UP_PREFIX_AN_HOUR = "sign_up.prefix_an_hour";
        SIGN_UP_ALL_AN_HOUR = "sign_up.all_an_hour";
        TOP_UP_INTERVAL = "top_up.interval_ms";
        TOP_UP_AN_HOUR = "top_up.an_hour";
        TOP_UP_EACH = "top_up.each_yen";
        TOP_UP_DAY = "top_up.day_yen";
        TOP_UP_STARTER_DAY = "top_up.starter_day_yen";
        TOP_UP_STARTER_ONE_SOURCE = "top_up.starter_one_source";
        TOP_UP_KEY_AGE = "top_up.key_age_ms";
        TOP_UP_KEY_AHEAD = "top_up.key_ahead_ms";
        CODE_CAP = "code.cap_yen";
        PAY_EACH = "pay.each_yen";
        PAY_STARTER_DAY = "pay.starter_day_yen";
        PAY_IN_10_MIN = "pay.in_10_min";
        PAY_HOUR = "pay.hour_yen";
        PAY_DAY = "pay.day_yen";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_name_is_a_place_in_the_policy_file() {
        let file = serde_json::to_value(Policy::default()).unwrap();
        for name in rule::ALL {
            let pointer = format!("/{}", name.replace('.', "/"));
            assert!(file.pointer(&pointer).is_some(), "{name}");
        }
    }

    #[test]
    fn every_rule_of_the_file_says_what_it_means() {
        let file = serde_json::to_value(Policy::default()).unwrap();
        let sections = file.as_object().unwrap().iter();
        let names =
            sections.flat_map(|(name, it)| it.as_object().unwrap().keys().map(move |key| format!("{name}.{key}")));
        let mut names: Vec<String> = names.collect();
        names.sort();
        let mut told: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
        told.sort_unstable();
        assert_eq!(told, names);
        assert!(RULES.iter().all(|(_, means)| means.trim().ends_with('.')), "{RULES:?}");
    }

    #[test]
    fn file_overrides_in_part_and_refuses_what_it_does_not_know() {
        let policy: Policy = serde_json::from_str(r#"{"pay":{"day_yen":null}}"#).unwrap();
        assert_eq!(policy, Policy { pay: PayPolicy { day_yen: None, ..PayPolicy::default() }, ..Policy::default() });
        for bad in [r#"{"without":{}}"#, r#"{"pay":{"daily":1}}"#, r#"{"payments":{}}"#] {
            assert!(serde_json::from_str::<Policy>(bad).is_err(), "{bad}");
        }
    }
}
