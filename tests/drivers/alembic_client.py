"""Alembic: writes migrations by comparing models with the database, runs them up and down again."""

import argparse
import io
import os
import pathlib
import sys
import tempfile
import types

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import postgresql as pg

URL = os.environ["DSN"].replace("postgres:", "postgresql+psycopg:")
ENV = """
from alembic import context
import sqlalchemy as sa
import models
engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(
        connection=connection, target_metadata=models.metadata, compare_type=True,
        compare_server_default=True,
        include_name=lambda name, kind, parents: kind != "table" or name.startswith("a_"),
    )
    with context.begin_transaction():
        context.run_migrations()
"""
STEP = '''
"""${message}"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision, down_revision = ${repr(up_revision)}, ${repr(down_revision)}
branch_labels = depends_on = None

def upgrade():
    ${upgrades if upgrades else "pass"}

def downgrade():
    ${downgrades if downgrades else "pass"}
'''
BY_HAND = '''
"""by hand"""
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "hand", %r, None, None

def upgrade():
    op.bulk_insert(sa.table("a_users", sa.column("name", sa.Text)), [{"name": "x"}, {"name": "y"}])
    op.execute("UPDATE a_users SET tags = '{a}' WHERE name = 'x'")
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE a_kind ADD VALUE IF NOT EXISTS 'c'")
        op.create_index("a_together", "a_posts", ["body"], postgresql_concurrently=True)
    op.create_unique_constraint("a_once", "a_posts", ["uid"])
    op.alter_column("a_users", "name", new_column_name="nick")
    op.rename_table("a_posts", "a_articles")
    op.create_check_constraint("a_body", "a_articles", "body <> ''")
    op.execute("CREATE VIEW a_nicks AS SELECT id, nick FROM a_users")
    op.execute("CREATE MATERIALIZED VIEW a_ids AS SELECT id FROM a_users WITH NO DATA")
    op.execute("REFRESH MATERIALIZED VIEW a_ids")
    op.execute("CREATE SEQUENCE a_numbers")
    op.execute("SELECT setval('a_numbers', 10)")
    print("rows", op.get_bind().execute(sa.text("SELECT count(*) FROM a_users")).scalar())

def downgrade():
    op.execute("DROP SEQUENCE a_numbers")
    op.execute("DROP MATERIALIZED VIEW a_ids")
    op.execute("DROP VIEW a_nicks")
    op.drop_constraint("a_body", "a_articles", type_="check")
    op.rename_table("a_articles", "a_posts")
    op.alter_column("a_users", "nick", new_column_name="name")
    op.drop_constraint("a_once", "a_posts", type_="unique")
    with op.get_context().autocommit_block():
        op.drop_index("a_together", "a_posts", postgresql_concurrently=True)
'''


def models(step):
    """What the application wants to have, in two versions."""
    metadata = sa.MetaData()
    later = step > 1
    sa.Table(
        "a_users",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80 if later else 40), index=True, comment="called"),
        sa.Column("kind", sa.Enum("a", "b", name="a_kind"), server_default="a"),
        sa.Column("doc", pg.JSONB, server_default=sa.text("'{}'::jsonb")),
        sa.Column("tags", pg.ARRAY(sa.Text)),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        *([sa.Column("mail", sa.Text), sa.UniqueConstraint("mail", name="a_mail")] if later else []),
        *([sa.Column("twice", sa.Integer, sa.Computed("id * 2", persisted=True))] if later else []),
        sa.CheckConstraint("length(name) > 0", name="a_named"),
        sa.Index("a_doc", "doc", postgresql_using="gin"),
        comment="people",
    )
    sa.Table(
        "a_posts",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("user_id", sa.ForeignKey("a_users.id", ondelete="CASCADE")),
        sa.Column("uid", pg.UUID, server_default=sa.text("gen_random_uuid()")),
        sa.Column("body", sa.Text, nullable=not later),
        *([] if later else [sa.Column("old", sa.Numeric(10, 2), server_default="0")]),
    )
    return metadata


def tables():
    look = sa.inspect(sa.create_engine(URL))
    return [
        (t, [(c["name"], str(c["type"])) for c in look.get_columns(t)])
        for t in sorted(look.get_table_names())
        if t.startswith("a_")
    ]


def main(folder):
    config = Config(stdout=io.StringIO(), cmd_opts=argparse.Namespace(quiet=True))
    config.set_main_option("script_location", str(folder))
    config.set_main_option("sqlalchemy.url", URL.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    (folder / "versions").mkdir()
    (folder / "env.py").write_text(ENV)
    (folder / "script.py.mako").write_text(STEP)
    wanted = sys.modules["models"] = types.ModuleType("models")
    for step in (1, 2):
        wanted.metadata = models(step)
        command.revision(config, f"step {step}", autogenerate=True, rev_id=f"step{step}")
        if step == 1:  # Alembic leaves the types of columns to whoever writes the migration.
            (made,) = (folder / "versions").glob("*.py")
            made.write_text(made.read_text().rstrip() + "\n    op.execute('DROP TYPE a_kind')\n")
        command.upgrade(config, "head")
        command.check(config)
        print("==", step, tables())
    (folder / "versions/hand.py").write_text(BY_HAND % "step2")
    command.upgrade(config, "head")
    print("== by hand", tables())
    command.downgrade(config, "-1")
    command.upgrade(config, "head")
    command.current(config)
    command.downgrade(config, "base")
    print("== none", tables())


with tempfile.TemporaryDirectory() as folder:
    main(pathlib.Path(folder))
with sa.create_engine(URL).begin() as c:
    c.execute(sa.text("DROP TABLE alembic_version"))
