package app.saifu.presentation

import app.saifu.ErrorInfo
import app.saifu.HostException
import app.saifu.WalletException
import java.time.Duration

/** Why something did not work, in words of ours; never the core's own sentence, which is for logs. */
data class Problem(
    val text: Text,
    /** When another try makes sense, if the issuer said so. */
    val retryIn: Text? = null,
    /** The code that support asks for. */
    val details: Text,
) {
    companion object {
        /** What [error] says to a customer, by its code. */
        fun of(error: WalletException): Problem = of(error.info)

        /** What the phone's key store says, while it signs for its owner. */
        fun of(failure: HostException): Problem {
            val code = when (failure) {
                is HostException.UserDeclined -> "key-user-declined"
                is HostException.NoScreenLock -> "key-no-screen-lock"
                is HostException.Gone -> "key-gone"
                is HostException.Temporary, is HostException.Unexpected -> "key-temporary"
            }
            return Problem(Text(key("error", code)), details = Text("label_details", Argument.Name(code)))
        }

        private fun of(info: ErrorInfo): Problem {
            val code = when {
                info.problem != null -> info.problem.orEmpty()
                info.name == "key" || info.name == "vault" -> "${info.name}-${info.detail}"
                else -> info.name
            }
            return Problem(
                text = Text(key("error", code)),
                retryIn = info.retryAfter?.takeIf { it > Duration.ZERO }?.let { Text("label_retry_in", Argument.Span(it)) },
                details = Text("label_details", Argument.Name(code)),
            )
        }

        /** The key of a code of the core, `error_no_answer` of `no-answer`; a code from a later version is `error_other`. */
        fun key(prefix: String, code: String): String =
            "${prefix}_${code.replace('-', '_')}".takeIf { it in Words } ?: "${prefix}_other"
    }
}
