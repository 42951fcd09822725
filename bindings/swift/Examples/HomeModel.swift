import Foundation
import Observation
import Saifu

/// What the home screen shows. A SwiftUI view runs it with `.task { await model.run() }`.
@MainActor @Observable public final class HomeModel {
    public private(set) var home: HomeScreen?
    /// What is to be told, until the next time that all goes well.
    public private(set) var trouble: Trouble?
    private let wallet: Wallet

    public init(_ wallet: Wallet) { self.wallet = wallet }

    /// Shows what is known at once, then what happens, until the screen goes away.
    public func run() async {
        do {
            home = try wallet.home()
            let events = try wallet.events()
            try await follow()
            home = try wallet.home()
            trouble = nil
            for await _ in events { home = try wallet.home() }
        } catch {
            trouble = Trouble(error)
        }
    }

    /// Has the wallet follow the issuer. An app also starts where there is no network: what is known stays on the screen, and
    /// it is tried again.
    private func follow() async throws {
        while true {
            do {
                return try await wallet.follow()
            } catch let error as WalletError {
                guard error.passesByItself else { throw error }
                trouble = Trouble(error)
            }
            try await Task.sleep(for: .seconds(3))
        }
    }
}

extension WalletError {
    /// Whether it is the network's, and another try may go better.
    fileprivate var passesByItself: Bool {
        switch self {
        case .Offline, .NoAnswer, .Untrusted: true
        default: false
        }
    }
}

/// A failure as a screen tells it.
public struct Trouble: Equatable, Sendable {
    public let sentence: String
    /// What the user can do next.
    public let next: String

    /// Nothing to tell of a call that was given up: the screen it was for has gone.
    public init?(_ error: any Error) {
        switch error {
        case WalletError.Cancelled, is CancellationError: return nil
        case let error as WalletError: (sentence, next) = (error.info.sentence, error.info.next)
        default: (sentence, next) = ("Something failed that should not.", "Try again.")
        }
    }
}
