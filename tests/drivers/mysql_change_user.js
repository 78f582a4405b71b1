// mysql2 and mariadb: COM_CHANGE_USER, as pools use it, without and with compression.
//
//     node mysql_change_user.js mysql2|mariadb host port user password schema
const [library, host, port, user, password, database] = process.argv.slice(2);

function show(name, ...values) {
  console.log(name, ...values.map((value) => JSON.stringify(value, (key, v) => (typeof v === "bigint" ? `${v}n` : v))));
}

async function main(compress) {
  const mysql = require(library === "mysql2" ? "mysql2/promise" : "mariadb");
  const options = { host, port: Number(port), user, password, database, compress };
  if (library === "mariadb") options.allowPublicKeyRetrieval = true;
  const connection = await mysql.createConnection(options);
  const one = async (sql) => {
    const answer = await connection.query(sql);
    const rows = library === "mysql2" ? answer[0] : answer;
    return Object.values(rows[0])[0];
  };
  for (let round = 0; round < 3; round++) {
    await connection.query("SET @a = 7");
    await connection.query("SET sql_mode = 'ANSI_QUOTES'");
    await connection.beginTransaction();
    await connection.query("UPDATE products SET price = 4711 WHERE id = 1");
    show("before", Number(await one("SELECT @a")), await one("SELECT @@sql_mode"));
    await connection.changeUser({ user, password, database: round % 2 ? database : "billing" });
    show("after", await one("SELECT @a"), await one("SELECT @@sql_mode"), await one("SELECT DATABASE()"));
    await connection.changeUser({ user, password, database });
    show("long", (await one("SELECT REPEAT('z', 300000)")).length);
    show("price", Number(await one("SELECT price = 4711 FROM products WHERE id = 1")));
    // MariaDB's own keeps the numbers of what it has prepared, which no server knows any more.
    const ask = library === "mysql2" ? "execute" : "query";
    const rows = await connection[ask]("SELECT id FROM customers WHERE id = ?", [7]);
    show("executed", library === "mysql2" ? rows[0] : rows);
  }
  try {
    await connection.changeUser({ user, password: "wrong", database });
    show("no error");
  } catch (error) {
    show("wrong", error.errno, error.sqlState);
  }
  await connection.end().catch(() => {});
}

main(false).then(() => main(true)).then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
