"""mysql-connector-python: what goes over the wire in unusual ways. Prints what it was told, to be held
against another run.

    mysql_wire.py change_user|compressed|long host port user password schema
"""

import sys

import mysql.connector

what, host, port, user, password, schema = sys.argv[1:7]


def connect(**more):
    return mysql.connector.connect(
        host=host, port=int(port), user=user, password=password, database=schema,
        charset="utf8mb4", collation="utf8mb4_general_ci", allow_local_infile=True,
        use_pure=True, ssl_disabled=True, **more,
    )


def show(name, *values):
    print(name, *[repr(value) for value in values], flush=True)


def one(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.with_rows else None


def change_user():
    connection = connect()
    for database in (schema, "billing", ""):
        one(connection, "SET @a = 7")
        one(connection, "SET sql_mode = 'ANSI_QUOTES'")
        prepared = connection.cursor(prepared=True)
        prepared.execute("SELECT id FROM shop.customers WHERE id = %s", (7,))
        show("prepared", prepared.fetchall())
        one(connection, "BEGIN")
        one(connection, "UPDATE shop.products SET price = 4711 WHERE id = 1")
        show("before", one(connection, "SELECT @a, @@sql_mode"))
        connection.cmd_change_user(user, password, database)
        show("after", one(connection, "SELECT @a, @@sql_mode"))
        if database:
            show("schema", one(connection, "SELECT DATABASE()"))
        show("price", one(connection, "SELECT price = 4711 FROM shop.products WHERE id = 1"))
        show("open", connection.in_transaction)
    # A pool resets its connections with it where nothing else can.
    pool = mysql.connector.pooling.MySQLConnectionPool(
        pool_size=2, pool_name="wire", host=host, port=int(port), user=user, password=password,
        database=schema, use_pure=True, ssl_disabled=True, collation="utf8mb4_general_ci",
    )
    for _ in range(5):
        pooled = pool.get_connection()
        show("pooled", one(pooled, "SELECT @a"), one(pooled, "SELECT count(*) FROM customers"))
        one(pooled, "SET @a = 1")
        pooled.close()
    try:
        connection.cmd_change_user(user, "wrong", schema)
        show("no error")
    except mysql.connector.Error as error:
        show("wrong", error.errno, error.sqlstate)


def long():
    """Packets of more than 16 MiB, both ways, and results of that size."""
    # At the server itself without: both must come to the same.
    for more in ({}, {"compress": "@" in user}):
        connection = connect(**more)
        cursor = connection.cursor()
        for length in (40, 17_000_000):
            cursor.execute(f"SELECT LENGTH('{'abcde' * (length // 5)}'), 7")
            show("text", length, cursor.fetchall())
        for length in (40, 60, 100_000, (1 << 24) - 6, (1 << 24) - 5, 20_000_000):
            cursor.execute(f"SELECT REPEAT('ab', {length // 2}), 7")
            value, seven = cursor.fetchone()
            show("value", len(value), value == "ab" * (length // 2), seven)
            cursor.fetchall()
        cursor.execute("SELECT REPEAT('x', 9000000), REPEAT('y', 9000000) UNION ALL SELECT 1, 2")
        show("row", [[len(cell) for cell in row] for row in cursor.fetchall()])
        cursor.execute("SELECT a.id, b.full_name FROM customers a, customers b WHERE b.id < 100")
        rows = cursor.fetchall()
        show("rows", len(rows), rows[0], rows[-1])
        prepared = connection.cursor(prepared=True)
        prepared.execute("SELECT LENGTH(%s), %s", (b"\1" * 17_000_000, "short"))
        show("long data", prepared.fetchall())
        prepared.close()
        show("alive", one(connection, "SELECT 'alive'"))
        connection.close()


def everyday(**more):
    import tempfile

    connection = connect(**more)
    cursor = connection.cursor()
    cursor.execute("SHOW STATUS LIKE 'Compression'")
    show("compression", len(cursor.fetchall()))
    cursor.execute("SELECT * FROM order_items ORDER BY order_id, position")
    rows = cursor.fetchall()
    show("all", len(rows), rows[0], rows[-1])
    cursor.execute("DROP TABLE IF EXISTS wire_loaded")
    cursor.execute("CREATE TABLE wire_loaded (a int, b varchar(300))")
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        for n in range(100_000):
            file.write(f"{n},{'x' * (n % 200)}\n")
        file.flush()
        cursor.execute(f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE wire_loaded FIELDS TERMINATED BY ','")
        show("loaded", cursor.rowcount)
    connection.commit()
    cursor.execute("SELECT count(*), sum(a), sum(length(b)) FROM wire_loaded")
    show("sums", cursor.fetchall())
    cursor.execute("DROP TABLE wire_loaded")
    prepared = connection.cursor(prepared=True)
    for number in (3, 1, 2):
        prepared.execute("SELECT id, email, credit FROM customers WHERE id = %s", (number,))
        show("prepared", prepared.fetchall())
    prepared.close()
    try:
        cursor.execute("SELECT * FROM no_such_table")
    except mysql.connector.Error as error:
        show("error", error.errno, error.sqlstate, error.msg)
    cursor.execute("SELECT REPEAT('z', 1000000)")
    show("long", len(cursor.fetchone()[0]))
    for n in range(300):
        cursor.execute("SELECT %s, REPEAT('a', %s)", (n, n))
        row = cursor.fetchone()
        if n % 100 == 99:
            show("many", row[0], len(row[1]))
    connection.close()


def compressed():
    """Everyday use, with compressed packets behind a gateway: those of MariaDB are too much for it."""
    everyday(compress="@" in user)


{"change_user": change_user, "long": long, "compressed": compressed}[what]()
