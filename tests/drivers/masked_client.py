"""Python's clients where customers.email, phone and birth_date, employees.salary and payments.card_number
are masked and nobody may unmask: types stay, ordinary work goes on, and what would write a masked value
back is refused with the way out."""

import asyncio
import datetime
import decimal
import os
import sys
import urllib.parse

import asyncpg
import psycopg
import psycopg2
import psycopg2.extensions
import psycopg2.extras
from psycopg.rows import namedtuple_row

DSN = os.environ["DSN"]
URL = urllib.parse.urlparse(DSN)


def is_masked(row):
    """id, email, phone, birth_date of a customer."""
    _, email, phone, born = row
    assert isinstance(email, str) and "***@example." in email, email
    assert phone is None or "*" in phone, phone
    assert born is None or isinstance(born, datetime.date) and (born.month, born.day) == (1, 1), born


CUSTOMERS = "SELECT id, email, phone, birth_date FROM customers"


def refused(error, *parts):
    text = f"{error} {getattr(error, 'hint', '') or getattr(getattr(error, 'diag', None), 'message_hint', '')}"
    for part in ("sql.unmask", "hallpass.request('unmask'", *parts):
        assert part in text, text


def of_psycopg():
    with psycopg.connect(DSN) as c:
        for binary in (False, True):
            with c.cursor(binary=binary, row_factory=namedtuple_row) as cur:
                for _ in range(8):  # Prepared from the sixth time on.
                    row = cur.execute(CUSTOMERS + " WHERE id = %s", (42,)).fetchone()
                    is_masked(row)
            with c.cursor("named", binary=binary) as cur:
                cur.itersize = 100
                rows = list(cur.execute(CUSTOMERS + " ORDER BY id LIMIT 450"))
                assert len(rows) == 450
                for row in rows:
                    is_masked(row)
            with c.cursor(binary=binary) as cur:
                salary = cur.execute("SELECT salary, hired_on FROM employees").fetchall()
                assert all(isinstance(s, decimal.Decimal) and s % 10000 == 0 for s, _ in salary), salary
        with c.pipeline():
            one = c.execute(CUSTOMERS + " WHERE id = 1", prepare=True)
            two = c.execute("SELECT count(*) FROM customers", prepare=True)
            three = c.execute("SELECT card_number FROM payments WHERE method = 'card' LIMIT 1")
        is_masked(one.fetchone())
        assert two.fetchone() == (2000,)
        assert "*" in three.fetchone()[0]
        made = c.execute(
            "INSERT INTO customers (full_name, email, birth_date, country, city)"
            " VALUES ('P', 'p@example.org', '1990-05-05', 'DE', 'Ulm') RETURNING id, email, phone, birth_date"
        ).fetchone()
        is_masked(made)
        c.execute("UPDATE customers SET city = 'Bonn' WHERE id = %s", (made[0],))
        try:
            with c.transaction():
                c.execute("UPDATE customers SET email = %s WHERE id = %s", (made[1], made[0]))
            raise AssertionError("a mask was written back")
        except psycopg.errors.InsufficientPrivilege as error:
            refused(error, "overwrites public.customers.email")
        assert c.execute("SELECT city FROM customers WHERE id = %s", (made[0],)).fetchone() == ("Bonn",)
        c.rollback()
    # executemany goes as a pipeline.
    with psycopg.connect(DSN) as c:
        c.cursor().executemany("UPDATE customers SET city = %s WHERE id = %s", [("A", 1), ("B", 2)])
        c.rollback()


def of_psycopg2():
    """It writes its parameters into the text."""
    import io
    import uuid

    c = psycopg2.connect(DSN)
    cur = c.cursor()
    for number in (1, 42, 43):
        cur.execute(CUSTOMERS + " WHERE id = %s", (number,))
        is_masked(cur.fetchone())
    cur.execute("SELECT id FROM customers WHERE email = %s AND full_name <> %s", ("o'nobody@example.org", "a\\b"))
    assert cur.fetchall() == []
    cur.execute(CUSTOMERS + " WHERE id IN %s ORDER BY id", ((1, 2, 3),))
    assert len(cur.fetchall()) == 3
    cur.execute(CUSTOMERS + " WHERE id = ANY(%s) ORDER BY id", ([1, 2, 3],))
    for row in cur.fetchall():
        is_masked(row)
    # It describes what it has as the server does: the type of a masked column stays.
    assert [d.type_code for d in cur.description] == [20, 25, 25, 1082]
    with c.cursor("named") as named:
        named.itersize = 100
        named.execute(CUSTOMERS + " ORDER BY id LIMIT 450")
        rows = list(named)
        assert len(rows) == 450
        for row in rows:
            is_masked(row)
    with c.cursor("scrolled", scrollable=True, withhold=True) as named:
        named.execute(CUSTOMERS + " ORDER BY id LIMIT 20")
        named.scroll(10)
        c.commit()
        is_masked(named.fetchone())
        named.scroll(-5)
        is_masked(named.fetchone())
    for dictionaries in (psycopg2.extras.RealDictCursor, psycopg2.extras.NamedTupleCursor):
        with c.cursor(cursor_factory=dictionaries) as other:
            other.execute(CUSTOMERS + " WHERE id = 42")
            row = other.fetchone()
            is_masked(tuple(row.values()) if isinstance(row, dict) else tuple(row))
    out = io.StringIO()
    cur.copy_expert("COPY (SELECT id, email, city FROM customers ORDER BY id LIMIT 30) TO STDOUT WITH CSV HEADER", out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "id,email,city" and len(lines) == 31, lines
    assert all("***@example." in line for line in lines[1:]), lines
    out = io.StringIO()
    cur.copy_to(out, "products", columns=("id", "sku"))  # Before two more come.
    assert len(out.getvalue().splitlines()) == 120
    cur.copy_from(io.StringIO("C-1\tone\t1.5\nC-2\ttwo\t2.5\n"), "products", columns=("sku", "name", "price"))
    cur.execute("SELECT name FROM products WHERE sku LIKE 'C-%%' ORDER BY sku", ())
    assert cur.fetchall() == [("one",), ("two",)]
    # Types that it asks the catalogs for, and makes of texts.
    psycopg2.extras.register_uuid()
    cur.execute("SELECT id, card_number FROM payments WHERE method = 'card' LIMIT 1")
    row = cur.fetchone()
    assert isinstance(row[0], uuid.UUID) and "*" in row[1], row
    psycopg2.extras.register_composite("customers", cur)
    cur.execute("SELECT c, c.id FROM customers c WHERE id = 42")
    whole, _ = cur.fetchone()
    assert whole is None, whole  # A whole row with masked columns comes as NULL.
    statuses = psycopg2.extensions.new_type((20,), "AS_TEXT", lambda value, _: value)
    psycopg2.extensions.register_type(statuses, cur)
    cur.execute("SELECT id, birth_date FROM customers WHERE id = 42")
    assert cur.fetchone()[0] == "42"
    cur.execute("SELECT attributes, tags FROM products WHERE id = 1")
    attributes, tags = cur.fetchone()
    assert isinstance(attributes, dict) and isinstance(tags, list)
    made = psycopg2.extras.execute_values(
        cur,
        "INSERT INTO customers (full_name, email, country, city) VALUES %s RETURNING id, email, phone, birth_date",
        [(f"P{n}", f"p2.{n}@example.org", "DE", "Ulm") for n in range(20)],
        fetch=True,
    )
    assert len(made) == 20
    for row in made:
        is_masked(row)
    psycopg2.extras.execute_batch(cur, "UPDATE customers SET city = %s WHERE id = %s", [("A", 1), ("B", 2)])
    cur.execute("SAVEPOINT s")
    try:
        cur.execute("UPDATE customers SET email = %s WHERE id = %s", (made[0][1], made[0][0]))
        raise AssertionError("a mask was written back")
    except psycopg2.errors.InsufficientPrivilege as error:
        refused(error, "overwrites public.customers.email")
    cur.execute("ROLLBACK TO s")
    cur.execute("SELECT city FROM customers WHERE id = 1; SELECT count(*) FROM orders")
    row = cur.fetchone()
    assert row == ("6000",), row
    assert any("masked" in notice for notice in c.notices), c.notices
    c.rollback()
    c.close()


async def of_asyncpg():
    c = await asyncpg.connect(DSN)
    try:
        for _ in range(7):
            is_masked(await c.fetchrow(CUSTOMERS + " WHERE id = $1", 42))
        statement = await c.prepare("SELECT * FROM customers WHERE id = ANY ($1::bigint[])")
        assert [a.name for a in statement.get_attributes()][:3] == ["id", "full_name", "email"]
        rows = await statement.fetch([1, 2, 3])
        for row in rows:
            is_masked((row["id"], row["email"], row["phone"], row["birth_date"]))
            assert isinstance(row["created_at"], datetime.datetime)
        # It asks the catalogs for types that it doesn't know: enums, arrays, composites.
        assert await c.fetchval("SELECT status FROM orders WHERE id = 1") is not None
        assert await c.fetchval("SELECT array_agg(id) FROM customers WHERE id < 4") == [1, 2, 3]
        # An aggregate of masked values is NULL in its own type.
        assert await c.fetchval("SELECT array_agg(birth_date) FROM customers WHERE id < 4") is None
        assert await c.fetchval("SELECT avg(salary) FROM employees") is None
        async with c.transaction():
            seen = [row async for row in c.cursor(CUSTOMERS + " ORDER BY id", prefetch=50)]
            assert len(seen) == 2000
            for row in seen:
                is_masked(row)
        try:
            await c.execute("UPDATE customers SET phone = $1 WHERE id = $2", "x", 1)
            raise AssertionError("a mask was written back")
        except asyncpg.InsufficientPrivilegeError as error:
            refused(error, "overwrites public.customers.phone")
        assert await c.fetchval("SELECT count(*) FROM customers") == 2000
        await c.executemany("UPDATE customers SET city = city WHERE id = $1", [(1,), (2,)])
    finally:
        await c.close()


def of_sqlalchemy():
    import sqlalchemy as sa
    from sqlalchemy.ext.automap import automap_base
    from sqlalchemy.orm import Session

    engine = sa.create_engine(DSN.replace("postgres://", "postgresql+psycopg://"))
    base = automap_base()
    base.prepare(autoload_with=engine)
    customer = base.classes.customers
    with Session(engine) as session:
        one = session.get(customer, 42)
        is_masked((one.id, one.email, one.phone, one.birth_date))
        one.city = "Bonn"
        session.flush()  # It writes what has changed.
        session.refresh(one)
        assert one.city == "Bonn"
        assert len(one.orders_collection) >= 0
        page = session.scalars(sa.select(customer).order_by(customer.id).offset(20).limit(20)).all()
        assert len(page) == 20
        by_country = session.execute(
            sa.select(customer.country, sa.func.count()).group_by(customer.country)
        ).all()
        assert sum(n for _, n in by_country) == 2000
        one.email = one.email + "x"
        try:
            session.flush()
            raise AssertionError("a mask was written back")
        except sa.exc.ProgrammingError as error:
            refused(error.orig, "overwrites public.customers.email")
        session.rollback()
        new = customer(full_name="S", email="s@example.org", country="DE", city="Ulm")
        session.add(new)
        session.flush()
        assert new.id and new.newsletter is False
        session.delete(new)
        session.flush()
        session.rollback()


def of_django():
    import django
    from django.conf import settings

    settings.configure(
        INSTALLED_APPS=[],
        USE_TZ=True,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": URL.hostname,
                "PORT": URL.port,
                "USER": urllib.parse.unquote(URL.username),
                "PASSWORD": URL.password,
                "NAME": URL.path.lstrip("/"),
            }
        },
    )
    django.setup()
    from django.core.paginator import Paginator
    from django.db import models, transaction
    from django.db.utils import ProgrammingError

    class Customer(models.Model):
        id = models.BigAutoField(primary_key=True)
        full_name = models.TextField()
        email = models.TextField(unique=True)
        phone = models.TextField(null=True)
        birth_date = models.DateField(null=True)
        country = models.CharField(max_length=2)
        city = models.TextField()
        newsletter = models.BooleanField(default=False)
        credit = models.DecimalField(max_digits=10, decimal_places=2, default=0)
        created_at = models.DateTimeField(auto_now_add=True)

        class Meta:
            app_label = "shop"
            db_table = "customers"
            managed = False

    with transaction.atomic():
        one = Customer.objects.get(pk=42)
        is_masked((one.id, one.email, one.phone, one.birth_date))
        one.city = "Bonn"
        one.save(update_fields=["city"])
        try:
            with transaction.atomic():
                one.save()  # It writes every column.
            raise AssertionError("a mask was written back")
        except ProgrammingError as error:
            refused(error.__cause__, "overwrites public.customers", "set only the columns that change")
        # The admin's list: a count, a page in the key's order, a search by an unmasked column.
        pages = Paginator(Customer.objects.order_by("-pk"), 100)
        assert pages.count == 2000
        assert len(pages.page(3).object_list) == 100
        assert Customer.objects.filter(full_name__icontains="ada").count() > 0
        assert Customer.objects.filter(email="nobody@example.org").exists() is False
        assert Customer.objects.values("country").annotate(n=models.Count("id")).count() == 10
        assert Customer.objects.filter(pk__in=[1, 2]).update(newsletter=True) == 2
        new = Customer.objects.create(full_name="D", email="d@example.org", country="DE", city="Ulm")
        assert new.pk
        new.delete()
        try:
            with transaction.atomic():
                list(Customer.objects.order_by("email")[:5])
            raise AssertionError("sorted by a masked column")
        except ProgrammingError as error:
            refused(error.__cause__, "sorts or groups by public.customers.email")
        transaction.set_rollback(True)


CLIENTS = {
    "psycopg": of_psycopg,
    "psycopg2": of_psycopg2,
    "asyncpg": lambda: asyncio.run(of_asyncpg()),
    "sqlalchemy": of_sqlalchemy,
    "django": of_django,
}
failed = False
for name, client in CLIENTS.items():
    try:
        client()
        print("ok", name)
    except BaseException as error:  # noqa: BLE001
        import traceback

        failed = True
        print("FAIL", name, repr(error))
        traceback.print_exc()
sys.exit(failed)
