package app.saifu

// The generated calls under the wallet's, with their handles, which no app needs: what happens at the FFI boundary is tested with both.

val Wallet.raw: RawWallet get() = (this as OpenWallet).raw

suspend fun Wallet.refresh(cancel: RawCancel?): HomeScreen = told { raw.refresh(cancel) }

suspend fun Wallet.followed(cancel: RawCancel?): Unit = told { raw.followed(cancel) }

suspend fun Wallet.reset(insist: Boolean, cancel: RawCancel?): Unit = told { raw.reset(insist, cancel) }

suspend fun Account.signUp(number: String, cancel: RawCancel?): SignUpScreen =
    told { (this as OpenAccount).raw.signUp(number, cancel) }

suspend fun Account.confirm(code: String, cancel: RawCancel?): String = told { (this as OpenAccount).raw.confirm(code, cancel) }

suspend fun TopUps.prepareAtm(yen: Long, cancel: RawCancel?): Approval =
    OpenApproval(told { (this as OpenTopUps).raw.prepareAtm(yen, cancel) })

suspend fun Approval.confirm(signature: ByteArray, cancel: RawCancel?): TopUp =
    told { (this as OpenApproval).raw.confirm(signature, cancel) }

suspend fun Codes.next(purpose: Purpose, cancel: RawCancel?): PaymentCode = told { (this as OpenCodes).raw.next(purpose, cancel) }

suspend fun History.newest(limit: Int, cancel: RawCancel?): HistoryScreen =
    told { (this as OpenHistory).raw.newest(limit, cancel) }
