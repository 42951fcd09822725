import Saifu

extension Wallet {
    /// Where the app begins: on the home screen, at the code of a sign-up that was begun before, at the number, or,
    /// while the wallet is locked, at the prompt that unlocks it. Signing up again gives a phone that the issuer put aside
    /// its account back.
    public func firstScreen() throws -> FirstScreen {
        switch try home().state {
        case .ready: return .home
        case .locked: return .unlock
        case .noAccount, .signingUp, .putAside:
            return try account().signUpInProgress().map(FirstScreen.code) ?? .number
        }
    }
}

/// The screens that an app can begin with.
public enum FirstScreen: Equatable, Sendable {
    case number
    case code(SignUpScreen)
    case home
    case unlock
}
