//! Which log-in a session has at the server, and how that is proven where nothing protects the connection.

use std::fs;

use crate::{
    client::Pair,
    raw::Raw,
    support::{
        Gateway, MySql, MySqlRaw, PATIENCE, eventually,
        gateway::Options,
        mysql::{Family, SCHEMA},
    },
};

const LOWER: &str =
    "[target.log_in.read]\nuser = \"h_read\"\npassword_command = [\"echo\", \"one\"]\n";

const UPDATE: &str = "UPDATE products SET price = price WHERE id = 1";

#[test]
fn a_session_has_the_lowest_log_in_that_its_rights_took_when_it_began() {
    for family in Family::ALL {
        let server = MySql::start(family);
        server.sql(
            "CREATE USER h_read IDENTIFIED BY 'one'; GRANT SELECT, SHOW VIEW ON *.* TO h_read",
        );
        let options = Options { target: LOWER.to_owned(), ..Options::default() };
        let gateway = Gateway::start_mysql(&server, &options);
        let pair = Pair { server, gateway };
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "select");
        let who = |raw: &mut Raw| raw.value("SELECT CURRENT_USER()");
        let mut before = Raw::connect(&pair, "alice", &secret);
        assert_eq!(who(&mut before), "h_read@%", "{family:?}");
        before.query(UPDATE).expect_err("needs dml");
        let dml = pair.gateway.grant("alice", "dml");
        // What is open stays where it is, and is told so; whoever comes now may.
        let mut told = String::new();
        let is_told = eventually(PATIENCE, || {
            told = before.query(UPDATE).expect_err("its log-in can't").1;
            told.contains("Connect again")
        });
        assert!(is_told, "{family:?}: {told}");
        assert_eq!(who(&mut before), "h_read@%", "{family:?}");
        let mut after = Raw::connect(&pair, "alice", &secret);
        assert_eq!(who(&mut after), "root@localhost", "{family:?}");
        after.query(UPDATE).expect("may");
        // When it ends, the judgement and the wall hold; the next session is lower again.
        pair.gateway.must(&["grant", "revoke", &dml]);
        let ends = || after.query(UPDATE).is_err_and(|(_, told)| told.contains("sql.dml"));
        assert!(eventually(PATIENCE, ends), "{family:?}");
        let mut again = Raw::connect(&pair, "alice", &secret);
        assert_eq!(who(&mut again), "h_read@%", "{family:?}");
    }
}

/// The public key of nobody.
const STRANGE: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxB6x82NHDVegNqpP5dc1
CBq7GkYVnElMuZMTwryfs/XkZ+awl/ZPI2Z5QcH2h60FNS3Py2fzfibs7oXGKn3r
WOxzW1OmZ7bIL3rjU5vgnb57O7gqZqwNVu8noHMKbfTrfscGyOGroVZBRIke9zMM
be9vYfLe7nAn1zdvay+zOOrdp/KUOjwuVO4v4zBvMfkTXgzzS30OQDKEd4l8TBIQ
L8czZMzQYbBQRThXv0FXCmL+4OzeFqJYVEtGzBoeYhRn7YTTJIQR0IycNnkkvBEw
JEHIvnClc2f5EORDEUVZ5KxnPqzxYLHb+ganaQjFWwTVZDWV3438IF19MSyfzqp7
LQIDAQAB
-----END PUBLIC KEY-----
";

#[test]
fn a_password_is_encrypted_by_the_key_that_is_pinned_and_by_no_other() {
    let server = MySql::start(Family::MySql);
    let mut rest = String::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, key: &str| {
        let file = folder.path().join(name);
        fs::write(&file, key).expect("writes");
        file.display().to_string()
    };
    let right = fs::read_to_string(format!("{}/public_key.pem", server.sql("SELECT @@datadir")));
    let right = file("right.pem", &right.expect("the server has made one"));
    let strange = file("strange.pem", STRANGE);
    for (name, key) in [("right", &*right), ("strange", &strange), ("fetched", "fetch")] {
        // Each its own: the server remembers whom it has seen.
        server.sql(&format!(
            "CREATE USER h_{name} IDENTIFIED BY 'two'; GRANT ALL ON *.* TO h_{name}"
        ));
        rest.push_str(&format!(
            "[[target]]\nname = \"{name}\"\nengine = \"mysql\"\naddress = \"{}\"\nuser = \"h_{name}\"\n             password_command = [\"echo\", \"two\"]\ntls = \"disable\"\nrsa_key = \"{key}\"\n\n",
            server.address(),
        ));
    }
    let gateway = Gateway::start_mysql(&server, &Options { rest, ..Options::default() });
    let secret = gateway.principal("alice", "developer");
    let connects = |target: &str| {
        let (port, user) = (gateway.port(), format!("alice@{target}"));
        std::panic::catch_unwind(|| {
            MySqlRaw::connect(port, &user, &secret, SCHEMA).query("SELECT 1").error()
        })
    };
    assert_eq!(connects("right").expect("logs in"), None);
    assert_eq!(connects("fetched").expect("logs in"), None);
    connects("strange").expect_err("the server can't read it");
    let said = gateway.cli(&["check"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let about = |name: &str| said.lines().any(|line| line.contains(&format!("target {name}:")));
    assert!(about("strange") && !about("right") && !about("fetched"), "{said}");
}
