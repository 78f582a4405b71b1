-- The rules of masking, one row for each change of them; rows are added and never changed. The one of
-- the highest version is in force. rules: a JSON array, in order.
CREATE TABLE mask_versions (
    version BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    by_actor TEXT NOT NULL,
    note TEXT NOT NULL,
    rules TEXT NOT NULL
);
