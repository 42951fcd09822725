package app.saifu

/** What is known of this failure, whatever its kind. */
public val WalletException.info: ErrorInfo
    get() = when (this) {
        is WalletException.Offline -> info
        is WalletException.NoAnswer -> info
        is WalletException.Refused -> info
        is WalletException.NotSignedUp -> info
        is WalletException.AlreadySignedUp -> info
        is WalletException.NotActivated -> info
        is WalletException.InvalidInput -> info
        is WalletException.ApprovalExpired -> info
        is WalletException.Key -> info
        is WalletException.Vault -> info
        is WalletException.Locked -> info
        is WalletException.WrongClock -> info
        is WalletException.Untrusted -> info
        is WalletException.Bug -> info
        is WalletException.Cancelled -> info
    }
