import Foundation
import Saifu

extension Wallet {
    /// Tops up with cash at an ATM: the owner types the number there. What was sent stands in `topUps().pending()` whatever
    /// becomes of this call.
    public func topUp(yen: Int64, _ approver: some Approver) async throws -> TopUp {
        try await topUps().prepareAtm(yen: yen).confirm(by: approver)
    }
}
