"""SQLAlchemy: reflects everything there is and reads through its mapper; prints what it was told."""

import os
import re
import sys
import warnings

from sqlalchemy import MetaData, create_engine, exists, func, inspect, literal, select, text
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session, joinedload, selectinload

warnings.simplefilter("ignore")  # types it doesn't know, which both ways are the same
ENGINE = create_engine(os.environ["DSN"].replace("postgres:", "postgresql+psycopg:"))


def show(what, value):
    print("==", what, re.sub(r" at 0x[0-9a-f]+", "", repr(value)))


def reflection():
    look = inspect(ENGINE)
    show("schemas", look.get_schema_names())
    for schema in (None, "every", "billing", "information_schema"):
        for kind in ("table", "view", "materialized_view", "sequence", "foreign_table"):
            show((schema, kind), getattr(look, f"get_{kind}_names")(schema=schema))
        show((schema, "enums"), look.get_enums(schema=schema))
        show((schema, "domains"), look.get_domains(schema=schema))
        for what in (
            "columns",
            "pk_constraint",
            "foreign_keys",
            "indexes",
            "unique_constraints",
            "check_constraints",
            "table_comment",
            "table_options",
        ):
            read = getattr(look, f"get_multi_{what}")
            for kind in (ObjectKind.TABLE, ObjectKind.ANY_VIEW):
                found = read(schema=schema, kind=kind, scope=ObjectScope.ANY)
                show((schema, what, kind), sorted((str(k), v) for k, v in found.items()))
    for view in look.get_view_names(schema="every"):
        show(view, look.get_view_definition(view, schema="every"))
    show("an index", look.has_index("orders", "orders_by_customer"))
    show("a sequence", look.has_sequence("ticket", schema="every"))
    everything = MetaData()
    everything.reflect(ENGINE, schema="every", views=True)
    show("reflected", sorted((k, list(t.columns)) for k, t in everything.tables.items()))


def mapper():
    base = automap_base()
    base.prepare(autoload_with=ENGINE)
    customers, orders, products = (
        getattr(base.classes, name) for name in ("customers", "orders", "products")
    )
    some = select(customers).order_by(customers.id).limit(20)
    with Session(ENGINE) as s:
        show("names", [c.full_name for c in s.scalars(some)])
        show("one", s.get(orders, 7).total)
        show("lazy", [o.id for o in s.get(customers, 42).orders_collection])
        for load in (selectinload, joinedload):
            eager = some.options(load(customers.orders_collection))
            show(load.__name__, [len(c.orders_collection) for c in s.scalars(eager).unique()])
        by_country = (
            select(customers.country, func.count(), func.sum(orders.total))
            .join(orders, orders.customer_id == customers.id)
            .group_by(customers.country)
            .order_by(customers.country)
        )
        show("groups", s.execute(by_country).all())
        german = select(customers.id).where(customers.country == "DE")
        show("in", s.scalar(select(func.count()).where(orders.customer_id.in_(german))))
        numbered = func.row_number().over(partition_by=orders.customer_id, order_by=orders.id)
        show("window", s.execute(select(orders.id, numbered).order_by(orders.id).limit(5)).all())
        show("exists", s.scalar(select(exists().where(customers.id == 1))))
        colour = products.attributes["colour"].astext
        show("json", s.execute(select(colour, products.tags[1]).order_by(products.id).limit(3)).all())
        streamed = select(orders.id).limit(900).execution_options(yield_per=100)
        show("stream", sum(1 for _ in s.execute(streamed)))
        show("literal", s.execute(select(literal("it's"), literal(1))).one())
    for options in (
        {"isolation_level": "AUTOCOMMIT"},
        {"isolation_level": "SERIALIZABLE", "postgresql_readonly": True, "postgresql_deferrable": True},
    ):
        with ENGINE.connect().execution_options(**options) as c:
            show(options, c.scalar(text("SELECT count(*) FROM customers")))


reflection()
mapper()
sys.stdout.flush()
