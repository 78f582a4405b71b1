// MariaDB Connector/J: prints what it was told, to be held against another run.
//
//     java -cp mariadb-java-client.jar MysqlJdbc.java host port user password schema

import java.math.BigDecimal;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.sql.Types;

public class MysqlJdbc {
    interface Run { void run() throws Exception; }

    static void show(Object... values) {
        StringBuilder line = new StringBuilder();
        for (Object value : values) {
            line.append(value instanceof byte[] bytes ? java.util.HexFormat.of().formatHex(bytes) : value);
            line.append(" | ");
        }
        System.out.println(line.toString().replace("\n", "\\n"));
    }

    static void rows(String name, ResultSet result) throws SQLException {
        ResultSetMetaData meta = result.getMetaData();
        int columns = meta.getColumnCount();
        for (int n = 1; n <= columns; n++) {
            show(name, "column", meta.getColumnLabel(n), meta.getColumnName(n), meta.getTableName(n),
                meta.getCatalogName(n), meta.getColumnTypeName(n), meta.getPrecision(n), meta.getScale(n),
                meta.isNullable(n), meta.isAutoIncrement(n), meta.isSigned(n), meta.getColumnDisplaySize(n));
        }
        int count = 0;
        while (result.next()) {
            if (++count > 200) continue;
            Object[] row = new Object[columns + 1];
            row[0] = name;
            for (int n = 1; n <= columns; n++) {
                row[n] = result.getObject(n);
            }
            show(row);
        }
        show(name, "rows", count);
    }

    static void fails(String name, Run run) {
        try {
            run.run();
            show(name, "no error");
        } catch (SQLException error) {
            show(name, error.getClass().getSimpleName(), error.getErrorCode(), error.getSQLState(),
                String.valueOf(error.getMessage()).replaceAll("conn=-?\\d+", "conn"));
        } catch (Exception error) {
            show(name, error);
        }
    }

    static void warnings(String name, Statement statement) throws SQLException {
        for (SQLWarning w = statement.getWarnings(); w != null; w = w.getNextWarning()) {
            show(name, "warning", w.getErrorCode(), w.getSQLState(), w.getMessage());
        }
    }

    static void everything(String url, String user, String password, String more) throws Exception {
        show("with", more);
        try (Connection c = DriverManager.getConnection(url + more, user, password)) {
            Statement s = c.createStatement();
            rows("types", s.executeQuery("SELECT 1, 'zwölf', NULL, 1.50, 1e0, DATE '2024-02-29', TIME '12:13:14.5', "
                + "TIMESTAMP '2024-02-29 12:13:14.567', x'00ff', 18446744073709551615, b'101', JSON_ARRAY(1), true"));
            rows("customers", s.executeQuery("SELECT id, full_name, email, credit, birth_date FROM customers WHERE id < 6 ORDER BY id"));
            PreparedStatement p = c.prepareStatement("SELECT c.id AS x, email, ?, ?, ?, ?, ? FROM customers c WHERE id = ? OR full_name = ?");
            for (int n = 1; n < 5; n++) {
                p.setInt(1, n);
                p.setString(2, "tëxt \\ ' \" \u2603");
                p.setBigDecimal(3, new BigDecimal("12345678901234567890.123"));
                p.setBytes(4, new byte[] {0, -1, 39, 92, (byte) 0xc3});
                p.setNull(5, Types.VARCHAR);
                p.setInt(6, n);
                p.setString(7, "Ü");
                rows("prepared", p.executeQuery());
            }
            p.close();
            s.execute("CREATE TEMPORARY TABLE jdbc_t (id bigint PRIMARY KEY AUTO_INCREMENT, t varchar(50), b blob, "
                + "d decimal(30,10), ts datetime(6), f float, g double, y year, e enum('a','b'), st set('x','y'), ti tinyint(1), bi bit(3), u int unsigned)");
            p = c.prepareStatement("INSERT INTO jdbc_t (t, b, d, ts, f, g, y, e, st, ti, bi, u) VALUES (?, ?, ?, '2024-01-02 03:04:05.678', ?, 2.5, 2024, 'b', 'x,y', ?, b'101', 4294967295)",
                Statement.RETURN_GENERATED_KEYS);
            for (int n = 0; n < 3; n++) {
                p.setString(1, "row " + n);
                byte[] all = new byte[256];
                for (int i = 0; i < 256; i++) all[i] = (byte) i;
                p.setBytes(2, all);
                p.setBigDecimal(3, new BigDecimal("-7.5"));
                p.setDouble(4, 0.1);
                p.setBoolean(5, n == 1);
                show("inserted", p.executeUpdate());
                rows("keys", p.getGeneratedKeys());
            }
            for (int n = 0; n < 20; n++) {
                p.setString(1, "batch " + n);
                p.setBytes(2, new byte[n * 1000]);
                p.setBigDecimal(3, BigDecimal.valueOf(n));
                p.setDouble(4, n);
                p.setBoolean(5, false);
                p.addBatch();
            }
            show("batch", java.util.Arrays.toString(p.executeBatch()));
            rows("keys", p.getGeneratedKeys());
            p.close();
            rows("back", s.executeQuery("SELECT id, t, LENGTH(b), d, ts, f, g, y, e, st, ti, bi, u FROM jdbc_t"));
            p = c.prepareStatement("SELECT b, ts, d FROM jdbc_t WHERE id = ?");
            p.setLong(1, 1);
            rows("blob", p.executeQuery());
            show("updated", s.executeUpdate("UPDATE jdbc_t SET t = 'same' WHERE id < 5"), s.executeUpdate("UPDATE jdbc_t SET t = 'same' WHERE id < 5"));
            s.executeQuery("SELECT CAST('x' AS SIGNED), 1 / 0");
            warnings("cast", s);
            fails("syntax", () -> s.execute("SELEC 1"));
            fails("missing", () -> s.executeQuery("SELECT * FROM no_such"));
            fails("duplicate", () -> s.execute("INSERT INTO jdbc_t (id) VALUES (1)"));
            fails("prepared missing", () -> c.prepareStatement("SELECT * FROM no_such WHERE a = ?").executeQuery());
            fails("null", () -> s.execute("INSERT INTO customers (full_name) VALUES (NULL)"));
            c.setAutoCommit(false);
            s.executeUpdate("UPDATE products SET price = price + 1");
            var savepoint = c.setSavepoint("here");
            show("in", s.executeUpdate("DELETE FROM order_items WHERE order_id = 1"));
            c.rollback(savepoint);
            c.rollback();
            c.setAutoCommit(true);
            for (int level : new int[] {Connection.TRANSACTION_READ_COMMITTED, Connection.TRANSACTION_SERIALIZABLE, Connection.TRANSACTION_REPEATABLE_READ}) {
                c.setTransactionIsolation(level);
                show("isolation", c.getTransactionIsolation() == level);
            }
            c.setReadOnly(true);
            fails("read only", () -> s.executeUpdate("UPDATE products SET price = price WHERE id = 1"));
            c.setReadOnly(false);
            c.setCatalog("billing");
            show("catalog", c.getCatalog());
            c.setCatalog("shop");
            s.execute("DROP PROCEDURE IF EXISTS jdbc_p");
            s.execute("CREATE PROCEDURE jdbc_p(IN a int, INOUT b int, OUT t text) BEGIN SELECT a, b; SELECT 'two'; SET b = a * b; SET t = 'öut'; END");
            CallableStatement call = c.prepareCall("{call jdbc_p(?, ?, ?)}");
            call.setInt(1, 6);
            call.setInt(2, 7);
            call.registerOutParameter(2, Types.INTEGER);
            call.registerOutParameter(3, Types.VARCHAR);
            boolean has = call.execute();
            while (has) {
                rows("called", call.getResultSet());
                has = call.getMoreResults();
            }
            show("out", call.getInt(2), call.getString(3));
            s.execute("DROP PROCEDURE jdbc_p");
            Statement stream = c.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY);
            stream.setFetchSize(10);
            rows("streamed", stream.executeQuery("SELECT * FROM order_items ORDER BY order_id, position"));
            stream.setMaxRows(7);
            rows("at most", stream.executeQuery("SELECT id FROM customers ORDER BY id"));
            s.setQueryTimeout(1);
            fails("too long", () -> s.executeQuery("SELECT COUNT(*) FROM order_items a, order_items b, order_items c, order_items d WHERE SLEEP(0) = 0"));
            s.setQueryTimeout(0);
            rows("alive", s.executeQuery("SELECT 'alive'"));
            show("valid", c.isValid(2));
            var meta = c.getMetaData();
            show(meta.getDatabaseProductName(), meta.getDatabaseProductVersion(), meta.getMaxColumnNameLength());
            rows("catalogs", meta.getCatalogs());
            rows("tables", meta.getTables("shop", null, "%", null));
            rows("columns", meta.getColumns("shop", null, "customers", "%"));
            rows("primary", meta.getPrimaryKeys("shop", null, "orders"));
            rows("imported", meta.getImportedKeys("shop", null, "orders"));
            rows("indexes", meta.getIndexInfo("shop", null, "customers", false, false));
            rows("procedures", meta.getProcedures("shop", null, "%"));
            ResultSet changed = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)
                .executeQuery("SELECT id, t FROM jdbc_t WHERE id = 2");
            fails("updatable", () -> {
                changed.next();
                changed.updateString(2, "changed");
                changed.updateRow();
            });
            rows("changed", s.executeQuery("SELECT t FROM jdbc_t WHERE id = 2"));
        }
    }

    public static void main(String[] arguments) throws Exception {
        String url = "jdbc:mariadb://" + arguments[0] + ":" + arguments[1] + "/" + arguments[4]
            + "?allowPublicKeyRetrieval=true";
        for (String more : new String[] {"", "&useServerPrepStmts=true", "&rewriteBatchedStatements=true&allowMultiQueries=true",
                "&useServerPrepStmts=true&useBulkStmts=true"}) {
            everything(url, arguments[2], arguments[3], more);
        }
    }
}
