//! The saifu command: the wallet, the register, the ATM and the issuer on a desktop.
