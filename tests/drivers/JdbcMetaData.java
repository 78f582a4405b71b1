// pgjdbc: every method of DatabaseMetaData with many arguments, all answers printed. Object browsers
// are built on them. What the driver doesn't implement is printed as well.

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Types;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;

public class JdbcMetaData {
    // They tell what the connection string says, not what the server does.
    static final List<String> OF_THE_CONNECTION =
        Arrays.asList("getConnection", "getURL", "getUserName", "getCatalogs", "unwrap", "isWrapperFor");

    static List<Object> values(Class<?> type, int position, int strings) {
        if (type == String.class) {
            if (position == 0) return Collections.singletonList(null);
            if (position == 1) return Arrays.asList(null, "every");
            // Six of them are those of getCrossReference.
            return strings > 4 ? Arrays.asList(null, "parent") : Arrays.asList(null, "%", "parent");
        }
        if (type == int.class) return Arrays.asList(0, 1, 2);
        if (type == boolean.class) return Arrays.asList(true, false);
        if (type == String[].class) {
            return Arrays.asList(null, new String[] {"TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "TYPE"});
        }
        if (type == int[].class) return Arrays.asList(null, new int[] {Types.STRUCT, Types.DISTINCT});
        return Collections.singletonList(null);
    }

    interface Call {
        void with(Object[] arguments);
    }

    static void each(Class<?>[] types, int at, Object[] arguments, Call call) {
        if (at == types.length) {
            call.with(arguments);
            return;
        }
        int strings = (int) Arrays.stream(types).filter(t -> t == String.class).count();
        for (Object value : values(types[at], at, strings)) {
            arguments[at] = value;
            each(types, at + 1, arguments, call);
        }
    }

    static void print(Object answer) throws SQLException {
        if (!(answer instanceof ResultSet)) {
            System.out.println(answer);
            return;
        }
        try (ResultSet rows = (ResultSet) answer) {
            ResultSetMetaData about = rows.getMetaData();
            StringBuilder line = new StringBuilder();
            for (int n = 1; n <= about.getColumnCount(); n++) {
                line.append(about.getColumnName(n)).append(' ').append(about.getColumnTypeName(n)).append('|');
            }
            while (rows.next()) {
                line.append('\n');
                for (int n = 1; n <= about.getColumnCount(); n++) {
                    line.append(rows.getString(n)).append('|');
                }
            }
            System.out.println(line);
        }
    }

    static void ask(DatabaseMetaData about, Method method, Object[] arguments) {
        System.out.println("== " + method.getName() + Arrays.deepToString(arguments));
        try {
            print(method.invoke(about, arguments));
        } catch (InvocationTargetException e) {
            System.out.println("fails: " + e.getCause());
        } catch (IllegalAccessException | SQLException e) {
            System.out.println("fails: " + e);
        }
    }

    public static void main(String[] a) throws Exception {
        URI dsn = URI.create(System.getenv("DSN"));
        String[] user = dsn.getUserInfo().split(":", 2);
        Properties p = new Properties();
        p.setProperty("user", user[0]);
        p.setProperty("password", user[1]);
        p.setProperty("loginTimeout", "20");
        String url = "jdbc:postgresql://" + dsn.getHost() + ":" + dsn.getPort() + dsn.getPath();
        try (Connection c = DriverManager.getConnection(url, p)) {
            DatabaseMetaData about = c.getMetaData();
            Method[] methods = DatabaseMetaData.class.getMethods();
            Arrays.sort(methods, Comparator.comparing(Method::toString));
            for (Method m : methods) {
                if (Modifier.isStatic(m.getModifiers()) || OF_THE_CONNECTION.contains(m.getName())) {
                    continue;
                }
                each(m.getParameterTypes(), 0, new Object[m.getParameterCount()], arguments -> ask(about, m, arguments));
            }
        }
    }
}
