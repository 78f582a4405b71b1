"""psycopg 3: client- and server-side binding, pipeline mode, COPY, cancel, cursors, notifications."""

import datetime
import decimal
import os
import threading
import time
import uuid

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

DSN = os.environ["DSN"]


def connect(**options):
    return psycopg.connect(DSN, connect_timeout=20, **options)


def simple_and_prepared():
    with connect(autocommit=True) as c:
        assert c.execute("SELECT 1").fetchone() == (1,)
        assert c.execute("SELECT count(*) FROM customers WHERE id <= %s", (10,)).fetchone() == (10,)
        for n in range(1, 12):  # the sixth run and later are prepared on the server
            row = c.execute("SELECT id FROM orders WHERE id = %s", (n,)).fetchone()
            assert row == (n,)
        row = c.execute("SELECT id FROM orders WHERE id = %s", (3,), prepare=True).fetchone()
        assert row == (3,)
        with psycopg.ClientCursor(c) as cursor:  # literals in the text, simple protocol
            cursor.execute("SELECT %s, %s", ("it's", 7))
            assert cursor.fetchone() == ("it's", 7)
        with c.cursor(binary=True, row_factory=dict_row) as cursor:
            row = cursor.execute("SELECT id, total FROM orders WHERE id = 5").fetchone()
            assert row["id"] == 5 and isinstance(row["total"], decimal.Decimal)
        many = c.cursor()
        many.execute("CREATE TEMP TABLE many (a int, b text)")
        many.executemany("INSERT INTO many VALUES (%s, %s)", [(n, str(n)) for n in range(500)])
        assert c.execute("SELECT count(*), sum(a) FROM many").fetchone() == (500, 124750)


def transactions():
    with connect() as c:
        before = c.execute("SELECT city FROM customers WHERE id = 1").fetchone()
        c.execute("UPDATE customers SET city = 'Elsewhere' WHERE id = 1")
        c.rollback()
        assert c.execute("SELECT city FROM customers WHERE id = 1").fetchone() == before
        c.rollback()
        with c.transaction():
            c.execute("CREATE TEMP TABLE t (x int)")
            try:
                with c.transaction():
                    c.execute("INSERT INTO t VALUES (1)")
                    c.execute("SELECT 1/0")
            except psycopg.errors.DivisionByZero:
                pass
            c.execute("INSERT INTO t VALUES (2)")
        assert c.execute("SELECT array_agg(x) FROM t").fetchone() == ([2],)
        try:
            c.execute("SELECT nothing")
        except psycopg.errors.UndefinedColumn as e:
            assert e.diag.sqlstate == "42703" and e.diag.statement_position == "8"
        try:
            c.execute("SELECT 1")
        except psycopg.errors.InFailedSqlTransaction:
            pass
        c.rollback()
        assert c.execute("SELECT 1").fetchone() == (1,)


def pipeline():
    with connect(autocommit=True) as c:
        with c.pipeline() as p:
            cursors = [c.execute("SELECT %s::int", (n,)) for n in range(200)]
            p.sync()
            assert [cursor.fetchone()[0] for cursor in cursors] == list(range(200))
        try:
            with c.pipeline():
                c.execute("SELECT 1")
                c.execute("SELECT 1/0")
                c.execute("SELECT 2")
        except psycopg.errors.DivisionByZero:
            pass
        assert c.execute("SELECT 3").fetchone() == (3,)


def copy():
    with connect() as c:
        c.execute("CREATE TEMP TABLE lines (n int, word text)")
        cursor = c.cursor()
        with cursor.copy("COPY lines FROM STDIN") as out:
            for n in range(10_000):
                out.write_row((n, f"word\t{n}" if n % 3 else None))
        with cursor.copy("COPY lines FROM STDIN (FORMAT binary)") as out:
            out.set_types(["int4", "text"])
            out.write_row((10_000, "last"))
        with cursor.copy("COPY (SELECT * FROM lines ORDER BY n) TO STDOUT") as rows:
            rows.set_types(["int4", "text"])
            got = list(rows.rows())
        assert len(got) == 10_001 and got[1] == (1, "word\t1") and got[3] == (3, None)
        try:
            with cursor.copy("COPY lines (n) FROM STDIN") as out:
                out.write("not a number\n")
        except psycopg.errors.InvalidTextRepresentation:
            c.rollback()
        else:
            raise AssertionError("a bad line must be refused")


def cancel():
    with connect(autocommit=True) as c:
        timer = threading.Timer(0.3, c.cancel)
        timer.start()
        began = time.monotonic()
        try:
            c.execute("SELECT pg_sleep(30)")
        except psycopg.errors.QueryCanceled:
            pass
        else:
            raise AssertionError("not cancelled")
        timer.join()
        assert time.monotonic() - began < 10
        assert c.execute("SELECT 'alive'").fetchone() == ("alive",)


def types():
    values = [
        True,
        -32_000,
        2**40,
        decimal.Decimal("12345.678"),
        1.5,
        "Zürich 💧 it's \\ \"quoted\"",
        b"\x00\xff\x01",
        datetime.date(2024, 2, 29),
        datetime.time(12, 34, 56, 789000),
        datetime.datetime(2024, 6, 1, 12, 0, tzinfo=datetime.timezone.utc),
        datetime.timedelta(days=3, seconds=7),
        uuid.UUID("12345678-1234-5678-1234-567812345678"),
        [1, None, 3],
        ["a,b", 'c"d', None],
        None,
    ]
    casts = "bool int2 int8 numeric float8 text bytea date time timestamptz interval uuid int[] text[] int"
    with connect(autocommit=True) as c:
        for binary in (False, True):
            with c.cursor(binary=binary) as cursor:
                for value, cast in zip(values, casts.split()):
                    got = cursor.execute(f"SELECT %s::{cast}", (value,)).fetchone()[0]
                    assert got == value, (cast, value, got)
        assert c.execute("SELECT %s", (Jsonb({"a": [1]}),)).fetchone() == ({"a": [1]},)


def large_results():
    with connect() as c:
        rows = c.execute("SELECT n, repeat('x', 100) FROM generate_series(1, 100000) AS n").fetchall()
        assert len(rows) == 100_000 and rows[-1][0] == 100_000
        value = c.execute("SELECT repeat('y', 5000000)").fetchone()[0]
        assert len(value) == 5_000_000
        with c.cursor("named") as cursor:
            cursor.itersize = 1000
            cursor.execute("SELECT id FROM orders ORDER BY id")
            assert sum(1 for _ in cursor) == 6000
        with c.cursor("scrolling", scrollable=True) as cursor:
            cursor.execute("SELECT id FROM orders ORDER BY id")
            cursor.scroll(99)
            assert cursor.fetchone() == (100,)
    with connect(autocommit=True) as c:
        total = 0
        for row in c.cursor().stream("SELECT id FROM orders"):
            total += 1
        assert total == 6000


def notices_and_notifications():
    with connect(autocommit=True) as c:
        heard = []
        c.add_notice_handler(lambda d: heard.append(d.message_primary))
        c.execute("DO $$ BEGIN RAISE NOTICE 'said %', 1; END $$")
        assert heard == ["said 1"], heard
        c.execute("LISTEN here")
        with connect(autocommit=True) as other:
            other.execute("NOTIFY here, 'news'")
        for notify in c.notifies(timeout=10, stop_after=1):
            assert (notify.channel, notify.payload) == ("here", "news")
            break
        else:
            raise AssertionError("no notification")


for step in (
    simple_and_prepared,
    transactions,
    pipeline,
    copy,
    cancel,
    types,
    large_results,
    notices_and_notifications,
):
    print(step.__name__)
    step()
