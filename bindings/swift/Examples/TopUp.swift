import Foundation
import Saifu

/// Has the owner agree, and signs with the authorization key.
public protocol Approver: Sendable {
    /// Shows `text` beside the prompt. Throws `HostError.UserDeclined` if the owner does not agree.
    func approve(_ message: Data, text: String) async throws -> Data
}

extension Wallet {
    /// Tops up with cash at an ATM: the owner types the number there. What was sent stands in `topUps().pending()` whatever
    /// becomes of this call.
    public func topUp(yen: Int64, _ approver: some Approver) async throws -> TopUp {
        let approval = try await topUps().prepareAtm(yen: yen)
        let signature = try await approver.approve(approval.signingBytes(), text: approval.text())
        return try await approval.confirm(signature: signature)
    }
}
