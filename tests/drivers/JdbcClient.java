// pgjdbc: all query modes, server-side prepared statements, fetch size, batches, COPY, cancel,
// savepoints, metadata as object browsers ask for it.

import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.net.URI;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.OffsetDateTime;
import java.util.Properties;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.jdbc.PreferQueryMode;

public class JdbcClient {
    interface Step {
        void run(Connection c) throws Exception;
    }

    static Connection connect(String mode) throws SQLException {
        URI dsn = URI.create(System.getenv("DSN"));
        String[] user = dsn.getUserInfo().split(":", 2);
        Properties p = new Properties();
        p.setProperty("user", user[0]);
        p.setProperty("password", user[1]);
        p.setProperty("preferQueryMode", mode);
        p.setProperty("ApplicationName", "jdbc test");
        p.setProperty("loginTimeout", "20");
        return DriverManager.getConnection(
            "jdbc:postgresql://" + dsn.getHost() + ":" + dsn.getPort() + dsn.getPath(), p);
    }

    static void check(boolean truth, String what) {
        if (!truth) {
            throw new AssertionError(what);
        }
    }

    static void fails(String state, Step step, Connection c) throws Exception {
        try {
            step.run(c);
        } catch (SQLException e) {
            check(state.equals(e.getSQLState()), e.getSQLState() + " instead of " + state + ": " + e.getMessage());
            return;
        }
        throw new AssertionError("should fail with " + state);
    }

    static Object one(Connection c, String sql) throws SQLException {
        try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
            check(r.next(), "a row");
            return r.getObject(1);
        }
    }

    static void execute(Connection c, String sql) throws SQLException {
        try (Statement s = c.createStatement()) {
            s.execute(sql);
        }
    }

    static void statements(Connection c) throws Exception {
        check(one(c, "SELECT 1").equals(1), "one");
        try (Statement s = c.createStatement()) {
            check(s.execute("SELECT 1; SELECT 2; UPDATE customers SET credit = credit WHERE id = 1"), "a result");
            check(s.getMoreResults(), "a second");
            check(!s.getMoreResults() && s.getUpdateCount() == 1, "an update count");
        }
        try (PreparedStatement s = c.prepareStatement("SELECT id, status FROM orders WHERE id = ?")) {
            for (int n = 1; n < 20; n++) { // from the fifth run on the server's statement is named
                s.setLong(1, n);
                try (ResultSet r = s.executeQuery()) {
                    check(r.next() && r.getLong(1) == n && r.getString(2) != null, "row " + n);
                }
            }
        }
        execute(c, "CREATE TEMP TABLE IF NOT EXISTS batch (id serial PRIMARY KEY, t text)");
        try (PreparedStatement s =
                c.prepareStatement("INSERT INTO batch (t) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
            for (int n = 0; n < 300; n++) {
                s.setString(1, "row " + n);
                s.addBatch();
            }
            check(s.executeBatch().length == 300, "a batch");
            try (ResultSet keys = s.getGeneratedKeys()) {
                check(keys.next(), "generated keys");
            }
        }
    }

    static void transactions(Connection c) throws Exception {
        Object before = one(c, "SELECT city FROM customers WHERE id = 1");
        c.setAutoCommit(false);
        execute(c, "UPDATE customers SET city = 'Elsewhere' WHERE id = 1");
        c.rollback();
        check(one(c, "SELECT city FROM customers WHERE id = 1").equals(before), "rolled back");
        Savepoint savepoint = c.setSavepoint();
        fails("22012", x -> one(x, "SELECT 1/0"), c);
        fails("25P02", x -> one(x, "SELECT 1"), c);
        c.rollback(savepoint);
        check(one(c, "SELECT 2").equals(2), "after the savepoint");
        c.commit();
        c.setReadOnly(true);
        fails("25006", x -> execute(x, "UPDATE customers SET credit = 0 WHERE id = 1"), c);
        c.rollback();
        c.setReadOnly(false);
        c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
        check(one(c, "SHOW transaction_isolation").equals("serializable"), "the isolation level");
        c.commit();
        c.setAutoCommit(true);
        fails("42703", x -> one(x, "SELECT nothing"), c);
    }

    static void copy(Connection c) throws Exception {
        CopyManager copy = c.unwrap(PGConnection.class).getCopyAPI();
        execute(c, "CREATE TEMP TABLE IF NOT EXISTS lines (n int, word text)");
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < 10_000; n++) {
            text.append(n).append("\tword ").append(n).append('\n');
        }
        check(copy.copyIn("COPY lines FROM STDIN", new StringReader(text.toString())) == 10_000, "copied in");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        check(copy.copyOut("COPY lines TO STDOUT", out) == 10_000, "copied out");
        check(out.size() > 100_000, "bytes");
        fails("22P02", x -> copy.copyIn("COPY lines (n) FROM STDIN", new StringReader("no\n")), c);
        execute(c, "DROP TABLE lines");
    }

    static void cancel(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            Thread other = new Thread(() -> {
                try {
                    Thread.sleep(300);
                    s.cancel();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            other.start();
            fails("57014", x -> s.execute("SELECT pg_sleep(30)"), c);
            other.join();
            s.setQueryTimeout(1);
            fails("57014", x -> s.execute("SELECT pg_sleep(30)"), c);
        }
        check(one(c, "SELECT 'alive'").equals("alive"), "alive");
    }

    static void types(Connection c) throws Exception {
        String sql = "SELECT CAST(? AS bool), CAST(? AS int), CAST(? AS bigint), CAST(? AS numeric), CAST(? AS float8), "
            + "CAST(? AS text), CAST(? AS bytea), CAST(? AS timestamptz), "
            + "CAST(? AS uuid), CAST(? AS int[]), CAST(? AS int), 'paid'::order_status, '{\"a\": 1}'::jsonb, date '2024-02-29'";
        try (PreparedStatement s = c.prepareStatement(sql)) {
            UUID uuid = UUID.fromString("12345678-1234-5678-1234-567812345678");
            OffsetDateTime time = OffsetDateTime.parse("2024-06-01T00:00:00Z");
            s.setBoolean(1, true);
            s.setInt(2, -5);
            s.setLong(3, 1L << 40);
            s.setBigDecimal(4, new BigDecimal("12345.678"));
            s.setDouble(5, 1.5);
            s.setString(6, "Zürich 💧 it's \\");
            s.setBytes(7, new byte[] {0, -1});
            s.setObject(8, time);
            s.setObject(9, uuid);
            s.setArray(10, c.createArrayOf("int4", new Integer[] {1, null, 3}));
            s.setNull(11, java.sql.Types.INTEGER);
            for (int round = 0; round < 7; round++) { // text first, binary once the statement is named
                try (ResultSet r = s.executeQuery()) {
                    check(r.next(), "a row");
                    check(r.getBoolean(1) && r.getInt(2) == -5 && r.getLong(3) == 1L << 40, "numbers");
                    check(r.getBigDecimal(4).equals(new BigDecimal("12345.678")), "numeric");
                    check(r.getDouble(5) == 1.5 && r.getString(6).equals("Zürich 💧 it's \\"), "text");
                    check(r.getBytes(7)[1] == -1, "bytea");
                    check(r.getObject(8, OffsetDateTime.class).isEqual(time), "time");
                    check(r.getObject(9).equals(uuid), "uuid");
                    Array array = r.getArray(10);
                    check(((Integer[]) array.getArray())[2] == 3, "array");
                    check(r.getObject(11) == null && r.getString(12).equals("paid"), "NULL and enum");
                    check(r.getDate(14).toString().equals("2024-02-29"), "date");
                }
            }
        }
    }

    static void largeResults(Connection c) throws Exception {
        c.setAutoCommit(false);
        for (int fetch : new int[] {0, 1000}) {
            try (Statement s = c.createStatement()) {
                s.setFetchSize(fetch);
                int rows = 0;
                try (ResultSet r = s.executeQuery("SELECT n, repeat('x', 100) FROM generate_series(1, 50000) AS n")) {
                    while (r.next()) {
                        rows++;
                    }
                }
                check(rows == 50_000, rows + " rows");
            }
        }
        // In simple mode the driver has no way to ask for fewer rows.
        boolean limits = c.unwrap(PGConnection.class).getPreferQueryMode() != PreferQueryMode.SIMPLE;
        try (PreparedStatement s = c.prepareStatement("SELECT * FROM orders")) {
            s.setMaxRows(10);
            int rows = 0;
            try (ResultSet r = s.executeQuery()) {
                while (r.next()) {
                    rows++;
                }
            }
            check(rows == (limits ? 10 : 6000), rows + " rows of at most 10");
        }
        c.commit();
        c.setAutoCommit(true);
    }

    static void browsing(Connection c) throws Exception {
        DatabaseMetaData data = c.getMetaData();
        check(data.getDatabaseProductName().equals("PostgreSQL"), "the product");
        int tables = 0;
        try (ResultSet r = data.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"})) {
            while (r.next()) {
                tables++;
            }
        }
        check(tables >= 7, tables + " tables");
        for (ResultSet r : new ResultSet[] {
            data.getSchemas(), data.getCatalogs(), data.getColumns(null, "public", "orders", null),
            data.getPrimaryKeys(null, "public", "orders"), data.getImportedKeys(null, "public", "orders"),
            data.getExportedKeys(null, "public", "orders"), data.getTypeInfo(),
            data.getIndexInfo(null, "public", "orders", false, false),
            data.getProcedures(null, "public", null), data.getFunctions(null, "pg_catalog", "lower"),
            data.getTablePrivileges(null, "public", "orders")}) {
            try (r) {
                check(r.next() || r.getMetaData().getColumnCount() > 0, "metadata");
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        Step[] steps = {
            JdbcClient::statements, JdbcClient::transactions, JdbcClient::cancel,
            JdbcClient::largeResults, JdbcClient::browsing};
        for (String mode : new String[] {"extended", "extendedForPrepared", "extendedCacheEverything", "simple"}) {
            try (Connection c = connect(mode)) {
                System.out.println(mode);
                for (Step step : steps) {
                    step.run(c);
                }
                if (!mode.equals("simple")) { // where the driver prints arrays without quotes
                    types(c);
                }
                copy(c);
            }
        }
    }
}
