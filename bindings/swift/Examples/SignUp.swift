import Saifu

extension Wallet {
    /// Where the app begins: on the home screen, at the code of a sign-up that was begun before, or at the number.
    public func firstScreen() throws -> FirstScreen {
        if try home().state == .ready { return .home }
        if let waiting = try account().signUpInProgress() { return .code(waiting) }
        return .number
    }
}

/// The screens that an app can begin with.
public enum FirstScreen: Equatable, Sendable {
    case number
    case code(SignUpScreen)
    case home
}
