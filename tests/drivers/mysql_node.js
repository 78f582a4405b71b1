// mysql2 and mariadb, by turns: prints what each was told, to be held against another run.
//
//     node mysql_node.js mysql2|mariadb host port user password schema
const [library, host, port, user, password, database] = process.argv.slice(2);

function show(name, ...values) {
  const plain = (key, value) => {
    if (typeof value === "bigint") return `${value}n`;
    if (value && value.type === "Buffer") return Buffer.from(value.data).toString("hex");
    return value;
  };
  console.log(name, ...values.map((value) => JSON.stringify(value, plain)));
}

async function fails(name, run) {
  try {
    show(name, "no error", await run());
  } catch (error) {
    show(name, error.code, error.errno, error.sqlState);
  }
}

async function mysql2() {
  const mysql = require("mysql2/promise");
  const options = { host, port: Number(port), user, password, database, dateStrings: true, multipleStatements: true };
  const connection = await mysql.createConnection(options);
  const rows = async (sql, values) => (await connection.query(sql, values))[0];
  show("text", await rows("SELECT 1 AS a, 'zwölf' AS b, NULL AS c, 1.50 AS d, DATE '2024-02-29' AS e, x'00ff' AS f"));
  show("placeholders", await rows("SELECT id, email FROM customers WHERE id IN (?) ORDER BY id", [[1, 2, 3]]));
  for (const id of [3, 1, 2, 3]) {
    show("executed", (await connection.execute("SELECT id, email, credit, birth_date, created_at > '2000-01-01' AS k FROM customers WHERE id = ?", [id]))[0]);
  }
  show("typed", (await connection.execute("SELECT ? AS a, ? AS b, ? AS c, ? AS d", [1, "ä", null, true]))[0]);
  show("several", await rows("SELECT 1 AS a; SELECT 2 AS b, 3 AS c; DO 0"));
  await connection.beginTransaction();
  const [inserted] = await connection.execute(
    "INSERT INTO products (sku, name, price, tags, attributes) VALUES (?, ?, ?, '[]', '{}')", ["node-1", "n", 3]);
  show("inserted", inserted.affectedRows, inserted.insertId > 0, inserted.warningStatus);
  await connection.rollback();
  show("after", await rows("SELECT count(*) AS n FROM products WHERE sku = 'node-1'"));
  await fails("missing", () => connection.execute("SELECT * FROM no_such_table"));
  await fails("syntax", () => connection.query("SELEC 1"));
  await fails("wrong count", () => connection.execute("SELECT ?, ?", [1]));
  await connection.query("USE billing");
  show("schema", await rows("SELECT DATABASE() AS d"));
  await connection.query("USE shop");
  show("fields", (await connection.query("SELECT id, email AS mail FROM customers LIMIT 0"))[1].map((f) => [f.name, f.orgName, f.orgTable, f.schema]));
  show("types", await rows("SELECT attributes, tags FROM products WHERE id < 4 ORDER BY id"));
  await rows("CREATE TEMPORARY TABLE more_types (j json, g point, l linestring)");
  await rows(`INSERT INTO more_types VALUES ('{"a":[1,"x"]}', POINT(1, 2), NULL)`);
  show("types", await rows("SELECT * FROM more_types"), (await connection.execute("SELECT j, g, l FROM more_types"))[0]);
  show("many", (await rows("SELECT * FROM order_items")).length);
  show("long", (await connection.execute("SELECT LENGTH(?) AS n", ["x".repeat(2_000_000)]))[0]);
  await connection.ping();
  show("goes on", await rows("SELECT 1 AS a"));
  await connection.end();
  const pool = mysql.createPool({ ...options, connectionLimit: 5 });
  const all = await Promise.all(Array.from({ length: 40 }, (_, n) => pool.execute("SELECT ? + 1 AS n", [n])));
  show("pool", all.map(([found]) => Number(found[0].n)).reduce((a, b) => a + b));
  await pool.end();
}

async function mariadb() {
  const library = require("mariadb");
  const options = { host, port: Number(port), user, password, database, dateStrings: true, multipleStatements: true, allowPublicKeyRetrieval: true };
  const connection = await library.createConnection(options);
  show("text", await connection.query("SELECT 1 AS a, 'zwölf' AS b, NULL AS c, 1.50 AS d, DATE '2024-02-29' AS e"));
  for (const id of [3, 1, 2, 3]) {
    show("executed", await connection.execute("SELECT id, email, credit, birth_date FROM customers WHERE id = ?", [id]));
  }
  await connection.beginTransaction();
  const many = await connection.batch(
    "INSERT INTO products (sku, name, price, tags, attributes) VALUES (?, ?, ?, '[]', '{}')",
    Array.from({ length: 20 }, (_, n) => [`batch-${n}`, "b", n + 1]));
  show("batch", many.affectedRows);
  show("inside", await connection.query("SELECT count(*) AS n, sum(price) AS s FROM products WHERE sku LIKE 'batch-%'"));
  await connection.rollback();
  show("after", await connection.query("SELECT count(*) AS n FROM products WHERE sku LIKE 'batch-%'"));
  await fails("missing", () => connection.query("SELECT * FROM no_such_table"));
  await fails("missing prepared", () => connection.execute("SELECT * FROM no_such_table WHERE a = ?", [1]));
  show("pipelined", await Promise.all([1, 2, 3, 4].map((n) => connection.query("SELECT ? AS n", [n]))));
  let count = 0;
  for await (const row of connection.queryStream("SELECT * FROM order_items")) count += row.quantity;
  show("streamed", count);
  await connection.reset();
  show("goes on", await connection.query("SELECT 1 AS a"));
  await connection.end();
}

({ mysql2, mariadb })[library]().catch((error) => {
  console.error(error);
  process.exit(1);
});
