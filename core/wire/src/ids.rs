use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The 16 bytes, as signatures cover them.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
    };
}

id! {
    /// A customer's account.
    AccountId
}
id! {
    /// One device of an account.
    DeviceId
}
id! {
    /// A sign-up in progress.
    RequestId
}
id! {
    /// A settlement, refund or deposit at the issuer.
    SettlementId
}
id! {
    /// The idempotency key of an intent: a UUIDv7 (RFC 9562 §5.7) whose time field is the issuer's time.
    IntentKey
}

impl IntentKey {
    /// A key whose time field is `at` and whose other 74 bits are `random`.
    #[must_use]
    pub fn new(at: crate::Millis, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(at.0, &random).into_uuid())
    }

    /// The time field; `None` unless this is a UUIDv7.
    #[must_use]
    pub fn at(&self) -> Option<crate::Millis> {
        if self.0.get_version_num() != 7 {
            return None;
        }
        self.0
            .as_bytes()
            .first_chunk::<6>()
            .map(|time| crate::Millis(time.iter().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intent_key_carries_its_time() {
        let key = IntentKey::new(crate::Millis(1_700_000_000_123), [0xff; 10]);
        assert_eq!(key.at(), Some(crate::Millis(1_700_000_000_123)));
        assert_eq!(IntentKey(Uuid::from_u128(5)).at(), None);
    }
}
