//! The client's side: how the gateway proves itself to an upstream. What each method computes is
//! `mysql_common`'s; here is decided what a server may ask for on which channel.
//!
//! A server that asks for the password itself gets it on a channel that nobody else reads, and nowhere
//! else; encrypted with a key that it sends, only where the settings say that this is good enough, since
//! whoever sits between can send another key.

use mysql_common::{
    auth::plugins::{AuthProc, ChallengeResponsePlugin as _, Context, Error, Response},
    packets::AuthPlugin,
};

use super::{ASKS_KEY, CLEAR};
use crate::kernel::secret::Secret;

/// What the bytes travel through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// TLS.
    Tls,
    /// A socket in the file system.
    Socket,
    /// Anybody's network.
    Plain,
}

/// The key that a password is encrypted with where the channel doesn't.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServerKey {
    /// There is none: the server must know the password already, or have TLS.
    None,
    /// This one, in PEM.
    Pinned(Vec<u8>),
    /// Whatever the server sends.
    Fetched,
}

/// Why a proof can't be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofError {
    /// A method that isn't known, or not done.
    #[error("the server wants the log-in method `{0}`, which is not supported")]
    Method(String),
    /// It would send the password for anybody to read.
    #[error(
        "the server wants the password itself, and the connection is not encrypted: use TLS, or give the \
         server's public key"
    )]
    NeedsTls,
    /// What the server sent has no place in the method.
    #[error("the server's challenge is not one of its method")]
    Challenge,
    /// The server's key is none.
    #[error("the server's public key can't be used")]
    Key,
    /// The system gives no random numbers.
    #[error("the proof can't be computed: {0}")]
    Other(String),
}

/// A proof in the making.
pub struct Prover<'a> {
    method: AuthProc,
    means: Means<'a>,
}

/// What a proof is made of.
struct Means<'a> {
    password: &'a Secret,
    nonce: Vec<u8>,
    channel: Channel,
    key: &'a ServerKey,
}

impl Context for &Means<'_> {
    fn pass(&self) -> &[u8] {
        self.password.reveal()
    }

    fn is_ipc_transport(&self) -> bool {
        self.channel == Channel::Socket
    }

    fn is_tls_transport(&self) -> bool {
        self.channel == Channel::Tls
    }

    fn scramble(&self) -> &[u8] {
        &self.nonce
    }

    fn server_key_pem(&self) -> Option<&[u8]> {
        match self.key {
            ServerKey::Pinned(pem) => Some(pem),
            ServerKey::None | ServerKey::Fetched => None,
        }
    }
}

impl std::fmt::Debug for Prover<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prover").field("channel", &self.means.channel).finish_non_exhaustive()
    }
}

impl<'a> Prover<'a> {
    /// Begins with a method, over what the server sent with it. Gives what to send, if anything.
    ///
    /// # Errors
    /// [`ProofError`]; nothing has been said of the password.
    pub fn begin(
        method: &[u8],
        nonce: &[u8],
        password: &'a Secret,
        (channel, key): (Channel, &'a ServerKey),
    ) -> Result<(Self, Option<Vec<u8>>), ProofError> {
        let named = AuthPlugin::from_bytes(method);
        let unknown = || ProofError::Method(method.escape_ascii().to_string());
        let is_secret = channel != Channel::Plain;
        match named {
            AuthPlugin::CachingSha2Password
            | AuthPlugin::MysqlNativePassword
            | AuthPlugin::Ed25519
            | AuthPlugin::Parsec => {}
            AuthPlugin::MysqlClearPassword if is_secret => {}
            AuthPlugin::Sha256Password if is_secret || *key != ServerKey::None => {}
            AuthPlugin::MysqlClearPassword | AuthPlugin::Sha256Password => {
                return Err(ProofError::NeedsTls);
            }
            AuthPlugin::MysqlOldPassword | AuthPlugin::Other(_) => return Err(unknown()),
        }
        let method = AuthProc::init(&named).map_err(|_| unknown())?;
        let means = Means { password, nonce: nonce.to_vec(), channel, key };
        let mut prover = Self { method, means };
        let said = prover.step(nonce)?;
        Ok((prover, said))
    }

    /// What to send to a further challenge of the method, if anything.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn next(&mut self, challenge: &[u8]) -> Result<Option<Vec<u8>>, ProofError> {
        self.step(challenge)
    }

    fn step(&mut self, challenge: &[u8]) -> Result<Option<Vec<u8>>, ProofError> {
        let response = self.method.run(&self.means, challenge).map_err(|error| match error {
            Error::Logic | Error::Password | Error::Challenge => ProofError::Challenge,
            Error::FeatureRequired(what) => ProofError::Method(what.to_owned()),
            Error::Other(error) => ProofError::Other(error.to_string()),
        })?;
        let (Response::Next { packet } | Response::Last { packet }) = response;
        let asks_key = packet.as_deref() == Some(&[ASKS_KEY][..]);
        if asks_key && *self.means.key != ServerKey::Fetched {
            return Err(ProofError::NeedsTls);
        }
        Ok(packet)
    }
}

/// True if it is the method that sends the password as it is.
pub fn is_clear(method: &[u8]) -> bool {
    method == CLEAR.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mysql::auth::{CACHING_SHA2, FULL, NATIVE};

    const NONCE: &[u8; 20] = b"abcdefghijklmnopqrst";

    fn begin<'a>(
        method: &str,
        (channel, key): (Channel, &'a ServerKey),
        password: &'a Secret,
    ) -> Result<(Prover<'a>, Option<Vec<u8>>), ProofError> {
        Prover::begin(method.as_bytes(), NONCE, password, (channel, key))
    }

    #[test]
    fn a_password_is_sent_as_it_is_where_nobody_else_reads_it() {
        let password = Secret::new(b"secret".to_vec());
        for method in [CLEAR, "sha256_password"] {
            let plain = begin(method, (Channel::Plain, &ServerKey::None), &password);
            assert_eq!(plain.expect_err("readable"), ProofError::NeedsTls, "{method}");
            for channel in [Channel::Tls, Channel::Socket] {
                if (method, channel) == ("sha256_password", Channel::Socket) {
                    continue;
                }
                let (_, said) =
                    begin(method, (channel, &ServerKey::None), &password).expect(method);
                assert_eq!(said.as_deref(), Some(&b"secret\0"[..]), "{method}");
            }
        }
    }

    #[test]
    fn a_server_that_has_forgotten_the_password_gets_it_over_tls() {
        let password = Secret::new(b"secret".to_vec());
        let none = ServerKey::None;
        let (mut prover, said) =
            begin(CACHING_SHA2, (Channel::Tls, &none), &password).expect("begins");
        assert_eq!(said.map(|said| said.len()), Some(32));
        assert_eq!(prover.next(&[FULL]), Ok(Some(b"secret\0".to_vec())));
        assert!(prover.next(&[FULL]).is_err(), "it is over");
    }

    #[test]
    fn a_key_is_asked_for_where_the_settings_say_so() {
        let password = Secret::new(b"secret".to_vec());
        for (key, wanted) in [
            (ServerKey::None, Err(ProofError::NeedsTls)),
            (ServerKey::Fetched, Ok(Some(vec![ASKS_KEY]))),
        ] {
            let (mut prover, _) =
                begin(CACHING_SHA2, (Channel::Plain, &key), &password).expect("begins");
            assert_eq!(prover.next(&[FULL]), wanted);
        }
    }

    #[test]
    fn methods_that_are_not_known_are_named() {
        let password = Secret::new(b"secret".to_vec());
        let channel = (Channel::Tls, &ServerKey::None);
        for method in ["dialog", "mysql_old_password", "authentication_kerberos_client"] {
            let error = begin(method, channel, &password).expect_err("unknown");
            assert_eq!(error, ProofError::Method(method.to_owned()));
        }
        let (_, said) = begin(NATIVE, channel, &password).expect("known");
        assert_eq!(said.map(|said| said.len()), Some(20));
        assert!(Prover::begin(CACHING_SHA2.as_bytes(), b"short", &password, channel).is_err());
    }
}
