"""PyMySQL and mysql-connector-python, by turns: prints what each was told, to be held against another run.

    mysql_python.py pymysql|connector host port user password schema [socket]
"""

import datetime
import decimal
import sys
import threading
import time

library, host, port, user, password, schema = sys.argv[1:7]


def connect(**more):
    if library == "pymysql":
        import pymysql

        return pymysql.connect(
            host=host, port=int(port), user=user, password=password, database=schema,
            charset="utf8mb4", local_infile=True, **more,
        )
    import mysql.connector

    return mysql.connector.connect(
        host=host, port=int(port), user=user, password=password, database=schema,
        charset="utf8mb4", collation="utf8mb4_general_ci", allow_local_infile=True,
        use_pure=True, ssl_disabled=True, **more,
    )


def show(name, *values):
    print(name, *[repr(value) for value in values], flush=True)


def fails(name, run):
    try:
        show(name, "no error", run())
    except Exception as error:  # noqa: BLE001: whatever the library makes of it
        show(name, type(error).__name__, error.args[0] if error.args else None)


connection = connect()
cursor = connection.cursor()
cursor.execute("SELECT 1, 'zwölf', NULL, 1.50, DATE '2024-02-29', TIMESTAMP '2024-02-29 12:13:14.5', x'00ff'")
show("types", cursor.fetchall(), [column[0] for column in cursor.description])
cursor.execute("SELECT id, email, credit, birth_date, created_at FROM customers WHERE id < %s ORDER BY id", (6,))
show("rows", [row[:4] for row in cursor.fetchall()])
cursor.execute("SELECT count(*) FROM order_items")
show("count", cursor.fetchone())

# Transactions: nothing of it stays.
cursor.execute("SET autocommit = 0")
cursor.execute("INSERT INTO products (sku, name, price, tags, attributes) VALUES (%s, %s, %s, '[]', '{}')",
               ("driver-1", "näme", decimal.Decimal("12.34")))
show("inserted", cursor.rowcount, cursor.lastrowid > 0)
cursor.executemany("INSERT INTO products (sku, name, price, tags, attributes) VALUES (%s, %s, %s, '[]', '{}')",
                   [(f"driver-many-{n}", "many", n + 1) for n in range(50)])
show("many", cursor.rowcount)
cursor.execute("UPDATE products SET price = price + 1 WHERE sku LIKE 'driver-many-%'")
show("updated", cursor.rowcount)
cursor.execute("SELECT count(*), sum(price) FROM products WHERE sku LIKE 'driver%'")
show("inside", cursor.fetchone())
connection.rollback()
cursor.execute("SELECT count(*) FROM products WHERE sku LIKE 'driver%'")
show("after", cursor.fetchone())
connection.commit()

# Errors leave the session alive.
fails("syntax", lambda: cursor.execute("SELEC 1"))
fails("missing", lambda: cursor.execute("SELECT * FROM no_such_table"))
fails("duplicate", lambda: cursor.execute(
    "INSERT INTO customers (id, full_name, email, country, city) VALUES (1, 'x', 'x', 'DE', 'x')"))
connection.rollback()
fails("division", lambda: cursor.execute("SELECT * FROM customers WHERE id = 'x' AND 1 = CAST('y' AS SIGNED) + nope"))
cursor.execute("SELECT 'alive'")
show("alive", cursor.fetchone())

# Large values, many rows, many columns.
cursor.execute("SELECT REPEAT('ä', 200000)")
show("long", len(cursor.fetchone()[0]))
cursor.execute("SELECT %s", ("x" * 1_000_000,))
show("long parameter", len(cursor.fetchone()[0]))
cursor.execute("SELECT * FROM order_items ORDER BY order_id, position")
rows = cursor.fetchall()
show("all", len(rows), rows[0], rows[-1])
cursor.execute("SELECT " + ", ".join(str(n) for n in range(500)))
show("wide", len(cursor.fetchone()))
show("empty", cursor.execute("SELECT id FROM customers WHERE id < 0"), cursor.fetchall())

# Session state.
cursor.execute("SET @a = 5")
cursor.execute("SELECT @a + 1")
show("variable", cursor.fetchone())
cursor.execute("USE billing")
cursor.execute("SELECT DATABASE()")
show("schema", cursor.fetchone())
cursor.execute("USE shop")
cursor.execute("SET SESSION sql_mode = 'ANSI_QUOTES'")
cursor.execute('SELECT "id" FROM "customers" WHERE "id" = 7')
show("ansi", cursor.fetchone())
cursor.execute("SET SESSION sql_mode = DEFAULT")
cursor.execute("SET time_zone = '+02:00'")
cursor.execute("SELECT @@time_zone")
show("zone", cursor.fetchone())
cursor.execute("CREATE TEMPORARY TABLE driver_temp (n int)")
cursor.execute("INSERT INTO driver_temp VALUES (1), (2)")
cursor.execute("SELECT sum(n) FROM driver_temp")
show("temporary", cursor.fetchone())
cursor.execute("DROP TEMPORARY TABLE driver_temp")
connection.commit()
connection.ping()
show("ping")

# Bytes that are no text, in a text; warnings that a SET leaves; another character set.
every = bytes(range(256))
cursor.execute("CREATE TEMPORARY TABLE driver_bytes (n int, b blob, t varchar(50) CHARACTER SET utf8mb4)")
cursor.execute("INSERT INTO driver_bytes VALUES (%s, %s, %s)", (1, every, "ä"))
cursor.executemany("INSERT INTO driver_bytes VALUES (%s, %s, %s)", [(n, every * n, "ö") for n in range(2, 30)])
cursor.execute("SELECT n, b FROM driver_bytes WHERE b = %s", (every,))
show("bytes", cursor.fetchall())
cursor.execute("UPDATE driver_bytes SET b = %s WHERE b = %s", (every[::-1], every))
show("bytes changed", cursor.rowcount)
cursor.execute("SELECT HEX(%s)", (every,))
show("bytes selected", cursor.fetchall())
cursor.execute("SELECT n, LENGTH(b), t FROM driver_bytes ORDER BY n")
show("bytes kept", cursor.fetchall())
cursor.execute("SET SESSION sql_mode = 'STRICT_TRANS_TABLES'")
cursor.execute("SHOW WARNINGS")
show("warned", cursor.fetchall())
fails("mode", lambda: cursor.execute("SET SESSION sql_mode = 'nope'"))
cursor.execute("SHOW ERRORS LIMIT 1")
show("told", cursor.fetchall())
cursor.execute("SET SESSION sql_mode = DEFAULT")
for charset, text in (("latin1", "Müller"), ("cp1251", "Да"), ("latin2", "Łódź")):
    if library == "pymysql":
        connection.set_character_set(charset)
    else:
        connection.set_charset_collation(charset)
    cursor = connection.cursor()
    cursor.execute("INSERT INTO driver_bytes VALUES (%s, %s, %s)", (100, every, text))
    cursor.execute("SELECT n, t, HEX(t) FROM driver_bytes WHERE t = %s", (text,))
    show(charset, cursor.fetchall())
    cursor.execute("SELECT %s", (text,))
    show(charset, cursor.fetchall())
if library == "pymysql":
    connection.set_character_set("utf8mb4", "utf8mb4_general_ci")
else:
    connection.set_charset_collation("utf8mb4", "utf8mb4_general_ci")
cursor = connection.cursor()
cursor.execute("DROP TEMPORARY TABLE driver_bytes")
connection.commit()

# Routines, several results.
cursor.execute("DROP PROCEDURE IF EXISTS driver_two")
cursor.execute("CREATE PROCEDURE driver_two(IN a int, OUT b int) BEGIN SELECT a; SELECT a + 1, 'two'; SET b = a * 2; END")
if library == "pymysql":
    cursor.callproc("driver_two", (4, 0))
    show("first", cursor.fetchall())
    while cursor.nextset():
        show("next", cursor.fetchall())
    cursor.execute("SELECT @_driver_two_1")
    show("out", cursor.fetchone())
else:
    show("called", cursor.callproc("driver_two", (4, 0)))
    show("results", [result.fetchall() for result in cursor.stored_results()])
cursor.execute("DROP PROCEDURE driver_two")

# Prepared statements of the protocol.
if library == "connector":
    prepared = connection.cursor(prepared=True)
    for number in (3, 1, 2):
        prepared.execute("SELECT id, email, credit, birth_date FROM customers WHERE id = %s", (number,))
        show("prepared", prepared.fetchall())
    prepared.execute("SELECT ?, ?, ?, ?", (datetime.datetime(2024, 2, 29, 1, 2, 3), "tëxt", None, 5.25))
    show("parameters", prepared.fetchall())
    prepared.execute("SELECT LENGTH(?)", (b"\0" * 100_000,))
    show("bytes", prepared.fetchall())
    fails("prepared error", lambda: prepared.execute("SELECT * FROM no_such_table WHERE a = ?", (1,)))
    prepared.close()
    connection.cmd_reset_connection()
    cursor = connection.cursor()
    cursor.execute("SELECT @a")
    show("reset", cursor.fetchone())
    multi = connection.cursor()
    multi.execute("SELECT 1; SELECT 'two', 2; DO 0; SELECT 3")
    results = [multi.fetchall() if multi.with_rows else multi.rowcount]
    while multi.nextset():
        results.append(multi.fetchall() if multi.with_rows else multi.rowcount)
    show("several", results)
else:
    from pymysql.constants import CLIENT

    several = connect(client_flag=CLIENT.MULTI_STATEMENTS)
    with several.cursor() as multi:
        multi.execute("SELECT 1; SELECT 'two', 2; DO 0; SELECT 3")
        results = [multi.fetchall()]
        while multi.nextset():
            results.append(multi.fetchall())
        show("several", results)
    several.close()
    import pymysql.cursors

    with connection.cursor(pymysql.cursors.SSCursor) as stream:
        stream.execute("SELECT id FROM order_items JOIN orders ON orders.id = order_id ORDER BY 1")
        total = 0
        for (number,) in stream:
            total += number
        show("streamed", total)

# Another connection cancels this one.
other = connect()
def cancel(number):
    time.sleep(0.5)
    with other.cursor() as killer:
        killer.execute(f"KILL QUERY {number}")
number = connection.thread_id() if library == "pymysql" else connection.connection_id
canceller = threading.Thread(target=cancel, args=(number,))
canceller.start()
started = time.monotonic()
cursor = connection.cursor()
try:
    cursor.execute("SELECT count(*) FROM order_items a, order_items b, order_items c, order_items d WHERE SLEEP(0) = 0")
    show("cancelled", cursor.fetchall())
except Exception as error:
    show("cancelled", type(error).__name__, error.args[0])
canceller.join()
show("in time", time.monotonic() - started < 5)
cursor = connection.cursor()
cursor.execute("SELECT 'goes on'")
show("goes on", cursor.fetchone())
other.close()
connection.close()
