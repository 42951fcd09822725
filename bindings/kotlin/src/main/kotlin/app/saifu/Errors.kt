package app.saifu

/**
 * Why a call failed: [message] says what happened, one sentence for the user; [info] has the next step, the kind's fixed
 * number, and what else is known.
 */
public sealed class WalletException(public val info: ErrorInfo) : Exception(info.sentence) {
    /** No connection: nothing was sent. */
    public class Offline(info: ErrorInfo) : WalletException(info)

    /** Sent, but no answer came. What moves money is kept and resolved at the next contact. */
    public class NoAnswer(info: ErrorInfo) : WalletException(info)

    /** The issuer refused; `info.problem` is its code. */
    public class Refused(info: ErrorInfo) : WalletException(info)

    /** There is no account in this wallet. */
    public class NotSignedUp(info: ErrorInfo) : WalletException(info)

    /** There is an account already. */
    public class AlreadySignedUp(info: ErrorInfo) : WalletException(info)

    /** The phone is not activated: TOTP is not there yet. */
    public class NotActivated(info: ErrorInfo) : WalletException(info)

    /** What was entered or handed over makes no sense. */
    public class InvalidInput(info: ErrorInfo) : WalletException(info)

    /** The approval has expired. */
    public class ApprovalExpired(info: ErrorInfo) : WalletException(info)

    /** The host's key could not be used; `info.detail` says why. */
    public class Key(info: ErrorInfo) : WalletException(info)

    /** The wallet's files; `info.detail` says what. */
    public class Vault(info: ErrorInfo) : WalletException(info)

    /** The wallet is locked or closed. */
    public class Locked(info: ErrorInfo) : WalletException(info)

    /** By the phone's date the issuer's certificate is not valid: no connection was made. */
    public class WrongClock(info: ErrorInfo) : WalletException(info)

    /** Something answered that is not the issuer, or not sensibly. */
    public class Untrusted(info: ErrorInfo) : WalletException(info)

    /** A bug of the library; the process goes on. */
    public class Bug(info: ErrorInfo) : WalletException(info)

    /** Given up by a handle of the library's own. A coroutine that is cancelled sees its own exception instead. */
    public class Cancelled(info: ErrorInfo) : WalletException(info)

    /** What the generated constructor throws, see [FfiConverterTypeWallet]. */
    internal companion object : UniffiRustCallStatusErrorHandler<WalletException> {
        override fun lift(error_buf: RustBuffer.ByValue): WalletException = RawWalletException.lift(error_buf).told()
    }
}

/** The generated exception has no sentence to say: this one has. */
internal fun RawWalletException.told(): WalletException =
    when (this) {
        is RawWalletException.Offline -> WalletException.Offline(info)
        is RawWalletException.NoAnswer -> WalletException.NoAnswer(info)
        is RawWalletException.Refused -> WalletException.Refused(info)
        is RawWalletException.NotSignedUp -> WalletException.NotSignedUp(info)
        is RawWalletException.AlreadySignedUp -> WalletException.AlreadySignedUp(info)
        is RawWalletException.NotActivated -> WalletException.NotActivated(info)
        is RawWalletException.InvalidInput -> WalletException.InvalidInput(info)
        is RawWalletException.ApprovalExpired -> WalletException.ApprovalExpired(info)
        is RawWalletException.Key -> WalletException.Key(info)
        is RawWalletException.Vault -> WalletException.Vault(info)
        is RawWalletException.Locked -> WalletException.Locked(info)
        is RawWalletException.WrongClock -> WalletException.WrongClock(info)
        is RawWalletException.Untrusted -> WalletException.Untrusted(info)
        is RawWalletException.Bug -> WalletException.Bug(info)
        is RawWalletException.Cancelled -> WalletException.Cancelled(info)
    }

/** Makes [call], and tells its failure as a [WalletException]. */
internal inline fun <T> told(call: () -> T): T =
    try {
        call()
    } catch (raw: RawWalletException) {
        throw raw.told()
    }
