"""Django: `read` inspects the database and reads through its mapper; `migrate` runs the migrations of
its own applications and of a small one up and down, one that fails in the middle among them."""

import importlib.util
import io
import os
import pathlib
import sys
import tempfile
import urllib.parse

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

DSN = urllib.parse.urlparse(os.environ["DSN"])
CONTRIB = ("postgres", "auth", "contenttypes", "sessions", "messages", "admin")
MODELS = """
import uuid
from django.db import models
from django.db.models.functions import Lower
from django.contrib.postgres.fields import ArrayField, IntegerRangeField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.contrib.postgres.constraints import ExclusionConstraint

class Shelf(models.Model):
    name = models.CharField(max_length=50, unique=True, db_comment="its name")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)

class Book(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=100, db_index=True)
    slug = models.SlugField()
    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE, related_name="books")
    tags = ArrayField(models.TextField(), default=list)
    doc = models.JSONField(default=dict)
    span = IntegerRangeField(null=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, db_default=0)
    twice = models.GeneratedField(
        expression=models.F("price") * 2, db_persist=True,
        output_field=models.DecimalField(max_digits=9, decimal_places=2))
    pages = models.PositiveSmallIntegerField(default=1)
    readers = models.ManyToManyField("auth.User")

    class Meta:
        indexes = [GinIndex(fields=["tags"], name="book_tags"), models.Index(Lower("title"), name="book_low")]
        constraints = [
            models.CheckConstraint(condition=models.Q(pages__gt=0), name="book_pages"),
            models.UniqueConstraint(fields=["slug", "shelf"], name="book_once",
                                    deferrable=models.Deferrable.DEFERRED),
            models.UniqueConstraint(Lower("slug"), condition=models.Q(pages__gt=100), name="book_slug"),
            ExclusionConstraint(name="book_apart", expressions=[("span", "&&")]),
        ]
"""
HEAD = """
from django.db import migrations, models
from django.contrib.postgres.operations import (
    AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint)

def fill(apps, editor):
    shelves, books = apps.get_model("library", "Shelf"), apps.get_model("library", "Book")
    first = shelves.objects.create(name="a")
    shelves.objects.bulk_create([shelves(name=f"s{n}", parent=first) for n in range(20)])
    books.objects.bulk_create(
        [books(title=f"T{n}", slug=f"t{n}", shelf=first, tags=["x"], price=n) for n in range(200)])
    for shelf in shelves.objects.select_for_update().filter(parent=first):
        shelf.name += "!"
        shelf.save()

class Migration(migrations.Migration):
"""
STEPS = {
    "0002_fill": """
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL("CREATE VIEW short AS SELECT id FROM library_book WHERE pages < 9", "DROP VIEW short"),
    ]
""",
    "0003_alone": """
    atomic = False
    dependencies = [("library", "0002_fill")]
    operations = [
        AddIndexConcurrently("book", models.Index(fields=["slug", "pages"], name="book_both")),
        AddConstraintNotValid("shelf", models.CheckConstraint(condition=~models.Q(name=""), name="named")),
        ValidateConstraint("shelf", "named"),
    ]
""",
    "0004_alter": """
    dependencies = [("library", "0003_alone")]
    operations = [
        migrations.AddField("book", "extra", models.IntegerField(default=5)),
        migrations.AlterField("book", "extra", models.BigIntegerField(null=True)),
        migrations.RenameField("book", "extra", "more"),
        migrations.RenameModel("Shelf", "Rack"),
        migrations.RenameModel("Rack", "Shelf"),
        migrations.CreateModel("Note", [("id", models.AutoField(primary_key=True)), ("t", models.TextField())]),
        migrations.AlterField("note", "id", models.BigAutoField(primary_key=True)),
        migrations.AlterUniqueTogether("note", {("t",)}),
        migrations.AlterModelTable("note", "notes"),
        migrations.RunSQL("INSERT INTO notes (t) VALUES ('a'), ('b')", migrations.RunSQL.noop),
        migrations.RenameIndex("book", "book_lower", old_name="book_low"),
        migrations.RemoveConstraint("book", "book_apart"),
        migrations.RemoveField("book", "more"),
    ]
""",
    "0005_fails": """
    dependencies = [("library", "0004_alter")]
    operations = [
        migrations.CreateModel("Gone", [("id", models.AutoField(primary_key=True))]),
        migrations.RunSQL("INSERT INTO notes (t) VALUES ('lost')"),
        migrations.RunSQL("SELECT 1/0"),
    ]
""",
}


def command(*arguments, **options):
    printed = io.StringIO()
    call_command(*arguments, stdout=printed, no_color=True, **options)
    return printed.getvalue()


def rows(sql):
    with connection.cursor() as c:
        c.execute(sql)
        return c.fetchall()


def begin(folder):
    library = folder / "library"
    (library / "migrations").mkdir(parents=True)
    for name in ("__init__.py", "migrations/__init__.py"):
        (library / name).write_text("")
    (library / "models.py").write_text(MODELS)
    sys.path.insert(0, str(folder))
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": DSN.path[1:],
                "USER": urllib.parse.unquote(DSN.username),
                "PASSWORD": DSN.password,
                "HOST": DSN.hostname,
                "PORT": DSN.port,
            }
        },
        INSTALLED_APPS=[f"django.contrib.{name}" for name in CONTRIB] + ["library"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SECRET_KEY="of a test",
        SILENCED_SYSTEM_CHECKS=["admin.E403", "admin.E408", "admin.E409", "admin.E410"],
        USE_TZ=True,
    )
    django.setup()
    return library / "migrations"


def migrate(steps):
    command("makemigrations", "library")
    for name, text in STEPS.items():
        (steps / f"{name}.py").write_text(HEAD + text)
    command("migrate", "--plan")
    print("== up", command("migrate", "library", "0004"))
    for name in CONTRIB[1:3] + ("sessions", "admin"):
        command("migrate", name)
    try:
        command("migrate", "library", "0005")
    except django.db.DataError as error:
        print("== fails", str(error).splitlines()[0])
    # The migration that failed has left nothing.
    print("== left", rows("SELECT to_regclass('library_gone'), (SELECT count(*) FROM notes)"))
    (steps / "0005_fails.py").unlink()
    print("== down", command("migrate", "library", "0002"), command("migrate", "library", "0004"))
    print("== again", command("migrate"), command("showmigrations"), command("sqlmigrate", "library", "0001"))
    mapper()
    command("dumpdata", "library.shelf", output=str(steps / "shelves.json"))
    command("loaddata", str(steps / "shelves.json"))
    command("flush", "--noinput")
    print("== flushed", rows("SELECT count(*) FROM library_shelf"))
    for name in ("library", "admin", "sessions", "auth", "contenttypes"):
        command("migrate", name, "zero")
    print("== tables", [t for t in connection.introspection.table_names() if t.startswith("library")])


def mapper():
    from django.contrib.auth.models import User
    from django.db.models import F
    from library.models import Book, Shelf

    reader = User.objects.create_superuser("root", "root@example.org", "secret")
    shelf = Shelf.objects.create(name="z")
    book = Book.objects.create(title="q", slug="q", shelf=shelf)
    book.refresh_from_db()
    print("==", Book.objects.update_or_create(slug="q", defaults={"title": "w"})[1])
    with transaction.atomic():
        try:
            with transaction.atomic():
                Shelf.objects.create(name="z")
        except django.db.IntegrityError:
            print("== a savepoint")
        Shelf.objects.create(name="zz")
    Shelf.objects.bulk_create([Shelf(name="z"), Shelf(name="y")], ignore_conflicts=True)
    Shelf.objects.bulk_create(
        [Shelf(name="y", parent=shelf)], update_conflicts=True, update_fields=["parent"], unique_fields=["name"]
    )
    book.readers.add(reader)
    print("==", Book.objects.filter(tags__contains=["x"]).update(pages=F("pages") + 1))
    Book.objects.bulk_update(list(Book.objects.all()[:5]), ["title"])
    print("==", Shelf.objects.filter(name="z").delete())


def read(folder):
    print("== everything", command("inspectdb", "--include-views", "--include-partitions"))
    (folder / "shop.py").write_text(command("inspectdb", "customers", "orders", "products").replace(
        "managed = False", "managed = False; app_label = 'library'"))
    spec = importlib.util.spec_from_file_location("shop", folder / "shop.py")
    shop = sys.modules["shop"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shop)
    from django.contrib.postgres.aggregates import ArrayAgg
    from django.db.models import Avg, Count, Exists, F, OuterRef, Q, Subquery, Sum, Window
    from django.db.models.functions import Lower, RowNumber, TruncMonth

    customers, orders = shop.Customers.objects.order_by("id"), shop.Orders.objects.order_by("id")
    theirs = orders.filter(customer=OuterRef("pk"))
    print("==", customers.first().full_name, orders.count(), orders.aggregate(Sum("total"), Avg("total")))
    print("==", list(shop.Orders.objects.values("status").annotate(n=Count("id")).order_by("status")))
    print("==", [o.customer.full_name for o in orders.select_related("customer")[:5]])
    print("==", [len(c.orders_set.all()) for c in customers.prefetch_related("orders_set")[:20]])
    print("==", list(customers.annotate(t=Subquery(theirs.values("total")[:1])).values_list("id", "t")[:5]))
    print("==", customers.filter(Exists(theirs)).count())
    place = Window(RowNumber(), partition_by="customer", order_by="id")
    print("==", list(orders.annotate(n=place).values_list("id", "n")[:5]))
    months = shop.Orders.objects.annotate(m=TruncMonth("placed_at")).values("m").annotate(Sum("total"))
    print("==", list(months.order_by("m")[:3]))
    print("==", customers.filter(full_name__icontains="ada", email__iregex="^a").count())
    print("==", shop.Products.objects.filter(attributes__colour="red").count())
    few = shop.Customers.objects.values("country").annotate(ids=ArrayAgg("id", filter=Q(id__lt=10)))
    print("==", list(few.order_by("country")[:3]), list(customers.values_list(Lower("city"))[:2]))
    print("==", sum(1 for _ in orders[:900].iterator(chunk_size=100)), customers.filter(id=F("id") + 0)[0].id)
    print("==", len(orders.filter(id=1).explain()) > 0, sorted(connection.introspection.table_names()))
    with transaction.atomic():
        print("==", [c.id for c in customers.raw("SELECT * FROM customers WHERE id < %s ORDER BY id", [4])])


with tempfile.TemporaryDirectory() as folder:
    home = pathlib.Path(folder)
    steps = begin(home)
    migrate(steps) if sys.argv[1] == "migrate" else read(home)
