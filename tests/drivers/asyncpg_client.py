"""asyncpg: always prepared and binary, with its own type introspection, cursors, COPY and cancel."""

import asyncio
import datetime
import decimal
import io
import os
import uuid

import asyncpg

DSN = os.environ["DSN"]


async def connect():
    return await asyncpg.connect(DSN, timeout=20)


async def simple_and_prepared(c):
    assert await c.fetchval("SELECT 1") == 1
    await c.execute("SELECT 1; SELECT 2")
    statement = await c.prepare("SELECT id, status FROM orders WHERE id = $1")
    for n in range(1, 20):
        assert (await statement.fetchrow(n))["id"] == n
    assert [a.name for a in statement.get_attributes()] == ["id", "status"]
    rows = await c.fetch("SELECT * FROM customers WHERE id = ANY($1::bigint[])", [1, 2, 3])
    assert len(rows) == 3
    await c.execute("CREATE TEMP TABLE many (a int, b text)")
    await c.executemany("INSERT INTO many VALUES ($1, $2)", [(n, str(n)) for n in range(1000)])
    assert await c.fetchval("SELECT sum(a) FROM many") == 499500


async def transactions(c):
    before = await c.fetchval("SELECT city FROM customers WHERE id = 1")
    transaction = c.transaction()
    await transaction.start()
    await c.execute("UPDATE customers SET city = 'Elsewhere' WHERE id = 1")
    await transaction.rollback()
    assert await c.fetchval("SELECT city FROM customers WHERE id = 1") == before
    async with c.transaction():
        try:
            async with c.transaction():
                await c.fetchval("SELECT 1/0")
        except asyncpg.DivisionByZeroError:
            pass
        assert await c.fetchval("SELECT 2") == 2
    try:
        async with c.transaction(isolation="serializable"):
            await c.execute("SELECT nothing")
    except asyncpg.UndefinedColumnError as e:
        assert e.sqlstate == "42703"
    assert await c.fetchval("SELECT 3") == 3


async def copy(c):
    await c.execute("CREATE TEMP TABLE lines (n int, word text)")
    rows = [(n, f"word {n}" if n % 3 else None) for n in range(10_000)]
    await c.copy_records_to_table("lines", records=rows)
    out = io.BytesIO()
    await c.copy_from_query("SELECT * FROM lines ORDER BY n", output=out, format="csv")
    assert len(out.getvalue().splitlines()) == 10_000
    status = await c.copy_to_table("lines", source=io.BytesIO(b"1,x\n2,y\n"), format="csv")
    assert status == "COPY 2"
    try:
        await c.copy_to_table("lines", source=io.BytesIO(b"x,x\n"), format="csv")
    except asyncpg.InvalidTextRepresentationError:
        pass
    else:
        raise AssertionError("a bad line must be refused")
    assert await c.fetchval("SELECT count(*) FROM lines") == 10_002


async def cancel(c):
    try:
        await asyncio.wait_for(c.fetch("SELECT pg_sleep(30)"), timeout=0.3)
    except asyncio.TimeoutError:
        pass
    else:
        raise AssertionError("not cancelled")
    assert await c.fetchval("SELECT 'alive'") == "alive"
    try:
        await c.execute("SELECT pg_sleep(30)", timeout=0.3)
    except asyncio.TimeoutError:
        pass
    assert await c.fetchval("SELECT 'alive'") == "alive"


async def types(c):
    values = {
        "bool": True,
        "int2": -32000,
        "int8": 2**40,
        "numeric": decimal.Decimal("12345.678"),
        "float8": 1.5,
        "text": "Zürich 💧 it's \\",
        "bytea": b"\x00\xff",
        "date": datetime.date(2024, 2, 29),
        "timestamptz": datetime.datetime(2024, 6, 1, tzinfo=datetime.timezone.utc),
        "interval": datetime.timedelta(days=3, seconds=7),
        "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
        "int[]": [1, None, 3],
        "text[]": ["a,b", None],
        "jsonb": '{"a": [1]}',
    }
    for cast, value in values.items():
        assert await c.fetchval(f"SELECT $1::{cast}", value) == value, cast
    # Types of the database itself make asyncpg ask the catalog.
    assert await c.fetchval("SELECT status FROM orders WHERE id = $1", 2) is not None
    assert await c.fetchval("SELECT 'paid'::order_status") == "paid"
    assert (await c.fetchval("SELECT o FROM orders AS o WHERE id = 4"))["id"] == 4
    assert await c.fetchval("SELECT '[1,5)'::int4range") == asyncpg.Range(1, 5)


async def large_results(c):
    rows = await c.fetch("SELECT n, repeat('x', 100) AS t FROM generate_series(1, 100000) AS n")
    assert len(rows) == 100_000 and rows[-1]["n"] == 100_000
    async with c.transaction():
        seen = 0
        async for _ in c.cursor("SELECT id FROM orders ORDER BY id", prefetch=500):
            seen += 1
        assert seen == 6000
        cursor = await c.cursor("SELECT id FROM orders ORDER BY id")
        await cursor.forward(99)
        assert (await cursor.fetchrow())["id"] == 100


async def notifications(c):
    heard = asyncio.get_running_loop().create_future()
    await c.add_listener("here", lambda *args: heard.set_result(args[3]))
    other = await connect()
    await other.execute("NOTIFY here, 'news'")
    await other.close()
    assert await asyncio.wait_for(heard, 10) == "news"
    await c.reset()


async def pool():
    async with asyncpg.create_pool(DSN, min_size=3, max_size=3) as p:
        answers = await asyncio.gather(*(p.fetchval("SELECT $1::int", n) for n in range(50)))
        assert answers == list(range(50))


async def main():
    for step in (simple_and_prepared, transactions, copy, cancel, types, large_results, notifications):
        print(step.__name__)
        c = await connect()
        try:
            await step(c)
        finally:
            await c.close(timeout=10)
    print("pool")
    await pool()


asyncio.run(main())
