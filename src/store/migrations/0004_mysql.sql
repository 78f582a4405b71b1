-- SHA1(SHA1(secret)), of secrets that were made while a listener took mysql_native_password.
ALTER TABLE secrets ADD COLUMN native_digest BLOB;

-- How servers of MySQL and MariaDB greeted last: clients are greeted so while they don't answer.
-- server: the target's name and address. capabilities: flags of both halves.
CREATE TABLE greetings (
    server TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    capabilities BIGINT NOT NULL,
    collation_number BIGINT NOT NULL
);
