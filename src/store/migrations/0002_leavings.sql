-- What grants with admin leave behind. baseline: what the target held when the grant began, as JSON;
-- gone once it is settled. settled: when it was compared. items: the differences, as JSON. trouble:
-- why there is no baseline, or why it could not be compared.
CREATE TABLE leavings (
    grant_id BIGINT PRIMARY KEY REFERENCES grants (id),
    taken BIGINT NOT NULL,
    baseline TEXT,
    settled BIGINT,
    items TEXT,
    items_more BIGINT NOT NULL,
    trouble TEXT
);
CREATE INDEX leavings_settled ON leavings (settled);
