package app.saifu.scenario

import app.saifu.HostException

/** Everything a host may throw, by the names that scenarios and the conformance suite have for it. */
internal val FAILURES: Map<String, () -> HostException> = listOf(
    HostException::Temporary,
    HostException::UserDeclined,
    HostException::NoScreenLock,
    HostException::Gone,
    HostException::Unexpected,
).associateBy { it().wireName }

internal val HostException.wireName: String
    get() = when (this) {
        is HostException.Temporary -> "temporary"
        is HostException.UserDeclined -> "user-declined"
        is HostException.NoScreenLock -> "no-screen-lock"
        is HostException.Gone -> "gone"
        is HostException.Unexpected -> "unexpected"
    }
