//! Private keys in the one form that all users of a store take: PKCS#8, whole.

use openssl::ec::EcKey;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The key as PKCS#8. A key of an elliptic curve gets its public half beside it, which Java leaves out and ring wants.
pub(crate) fn whole(key: &PKey<Private>) -> Result<PrivateKeyDer<'static>, ErrorStack> {
    // A key that was read without its public half is written without it, so another one is made of the parts.
    let key = match key.ec_key() {
        Ok(ec) => PKey::from_ec_key(EcKey::from_private_components(ec.group(), ec.private_key(), ec.public_key())?)?,
        Err(_) => key.clone(),
    };
    Ok(PrivatePkcs8KeyDer::from(key.private_key_to_pkcs8()?).into())
}
