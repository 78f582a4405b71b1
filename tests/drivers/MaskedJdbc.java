// pgjdbc where some columns are masked and nobody may unmask: text and binary, prepared on the server
// from the fifth time on, in slices, updatable rows as grids use them, and how they look tables up.

import java.math.BigDecimal;
import java.net.URI;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDate;
import java.util.Properties;
import org.postgresql.util.PSQLException;

public class MaskedJdbc {
    static void check(boolean truth, String what) {
        if (!truth) {
            throw new AssertionError(what);
        }
    }

    static Connection connect(String mode) throws SQLException {
        URI dsn = URI.create(System.getenv("DSN"));
        String[] user = dsn.getUserInfo().split(":", 2);
        Properties p = new Properties();
        p.setProperty("user", user[0]);
        p.setProperty("password", user[1]);
        p.setProperty("preferQueryMode", mode);
        p.setProperty("binaryTransferEnable", "date,numeric,uuid,text,timestamptz,int8");
        return DriverManager.getConnection(
            "jdbc:postgresql://" + dsn.getHost() + ":" + dsn.getPort() + dsn.getPath(), p);
    }

    static void masked(ResultSet row) throws SQLException {
        check(row.getString("email").contains("***@example."), row.getString("email"));
        String phone = row.getString("phone");
        check(phone == null || phone.contains("*"), phone);
        LocalDate born = row.getObject("birth_date", LocalDate.class);
        check(born == null || born.getDayOfYear() == 1, String.valueOf(born));
    }

    static void refused(SQLException error, String part) {
        PSQLException told = (PSQLException) error;
        check("42501".equals(told.getSQLState()), told.getSQLState());
        check(told.getMessage().contains(part), told.getMessage());
        check(told.getServerErrorMessage().getHint().contains("hallpass.request('unmask'"), "the hint");
    }

    static void work(String mode) throws Exception {
        try (Connection c = connect(mode)) {
            String text = "SELECT id, full_name, email, phone, birth_date, credit, created_at FROM customers";
            try (PreparedStatement s = c.prepareStatement(text + " WHERE id = ?")) {
                for (int i = 1; i < 12; i++) {
                    s.setLong(1, i);
                    try (ResultSet rows = s.executeQuery()) {
                        check(rows.next(), "a row");
                        masked(rows);
                        ResultSetMetaData about = rows.getMetaData();
                        check("customers".equals(about.getTableName(3)), about.getTableName(3));
                        check(about.getColumnType(5) == java.sql.Types.DATE, "a date");
                    }
                }
            }
            c.setAutoCommit(false);
            try (PreparedStatement s = c.prepareStatement(text + " ORDER BY id")) {
                s.setFetchSize(150);
                int count = 0;
                try (ResultSet rows = s.executeQuery()) {
                    while (rows.next()) {
                        masked(rows);
                        count++;
                    }
                }
                check(count == 2000, "rows: " + count);
            }
            try (PreparedStatement s = c.prepareStatement("SELECT salary FROM employees WHERE id > ?")) {
                for (int i = 0; i < 8; i++) {
                    s.setInt(1, i);
                    try (ResultSet rows = s.executeQuery()) {
                        while (rows.next()) {
                            BigDecimal salary = rows.getBigDecimal(1);
                            check(salary.remainder(new BigDecimal(10000)).signum() == 0, salary.toString());
                        }
                    }
                }
            }
            try (PreparedStatement s = c.prepareStatement("SELECT avg(salary), max(birth_date) FROM employees, customers WHERE customers.id < ?")) {
                for (int i = 2; i < 10; i++) {
                    s.setInt(1, i);
                    try (ResultSet rows = s.executeQuery()) {
                        check(rows.next() && rows.getBigDecimal(1) == null && rows.getDate(2) == null, "NULL");
                    }
                }
            }
            // A grid: one cell of a row that is found by its key.
            if (!mode.equals("simple")) {
                try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
                        ResultSet rows = s.executeQuery("SELECT id, email, city FROM customers WHERE id = 5")) {
                    check(rows.next(), "a row");
                    rows.updateString("city", "Bonn");
                    rows.updateRow();
                    check("Bonn".equals(rows.getString("city")), "the cell");
                }
                c.rollback();
                try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
                        ResultSet rows = s.executeQuery("SELECT id, email, city FROM customers WHERE id = 5")) {
                    check(rows.next(), "a row");
                    rows.updateString("email", rows.getString("email"));
                    rows.updateRow();
                    check(false, "a mask was written back");
                } catch (SQLException error) {
                    refused(error, "overwrites public.customers.email");
                }
                c.rollback();
            }
            try (PreparedStatement s = c.prepareStatement(
                    "INSERT INTO customers (full_name, email, birth_date, country, city) VALUES (?, ?, ?, 'DE', 'Ulm')",
                    Statement.RETURN_GENERATED_KEYS)) {
                s.setString(1, "J");
                s.setString(2, "j@example.org");
                s.setDate(3, Date.valueOf("1990-05-05"));
                s.executeUpdate();
                try (ResultSet keys = s.getGeneratedKeys()) {
                    check(keys.next() && keys.getLong("id") > 0, "a key");
                    check(keys.getString("email").contains("***"), "all columns come back, masked");
                }
            }
            c.rollback();
            try (ResultSet columns = c.getMetaData().getColumns(null, "public", "customers", null);
                    ResultSet keys = c.getMetaData().getPrimaryKeys(null, "public", "customers")) {
                int count = 0;
                while (columns.next()) {
                    count++;
                }
                check(count == 10 && keys.next(), "columns: " + count);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        for (String mode : new String[] {"extended", "extendedForPrepared", "extendedCacheEverything", "simple"}) {
            work(mode);
            System.out.println("ok " + mode);
        }
    }
}
