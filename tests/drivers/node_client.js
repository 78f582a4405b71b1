// node-postgres: simple and prepared queries, pools, cursors, COPY streams, cancel by a second
// connection's function, notifications.
'use strict';

const assert = require('node:assert');
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');
const { from: copyFrom, to: copyTo } = require('pg-copy-streams');

const connectionString = process.env.DSN;

async function connect() {
  const client = new Client({ connectionString, connectionTimeoutMillis: 20000 });
  await client.connect();
  return client;
}

const steps = {
  async 'simple and prepared'(c) {
    assert.strictEqual((await c.query('SELECT 1 AS one')).rows[0].one, 1);
    const several = await c.query('SELECT 1 AS a; SELECT 2 AS b');
    assert.deepStrictEqual(several.map((r) => r.rows.length), [1, 1]);
    const named = (id) => c.query({ name: 'by-id', text: 'SELECT id FROM orders WHERE id = $1', values: [id] });
    for (let id = 1; id < 20; id += 1) assert.strictEqual((await named(id)).rows[0].id, String(id));
    const answers = await Promise.all([...Array(50).keys()].map((n) => c.query('SELECT $1::int AS n', [n])));
    assert.deepStrictEqual(answers.map((r) => r.rows[0].n), [...Array(50).keys()]);
    const binary = await c.query({ text: 'SELECT $1::int AS n', values: [7], binary: true });
    assert.strictEqual(binary.rows[0].n, 7);
  },

  async transactions(c) {
    const city = async () => (await c.query('SELECT city FROM customers WHERE id = 1')).rows[0].city;
    const before = await city();
    await c.query('BEGIN');
    await c.query('UPDATE customers SET city = $1 WHERE id = 1', ['Elsewhere']);
    await c.query('ROLLBACK');
    assert.strictEqual(await city(), before);
    await c.query('BEGIN');
    await assert.rejects(c.query('SELECT 1/0'), { code: '22012' });
    await assert.rejects(c.query('SELECT $1::int', [1]), { code: '25P02' });
    assert.strictEqual((await c.query('COMMIT')).command, 'ROLLBACK');
    await assert.rejects(c.query('SELECT nothing'), { code: '42703', position: '8' });
    await assert.rejects(c.query('SELECT $1::int', ['x']), { code: '22P02' });
    assert.strictEqual((await c.query('SELECT 2 AS n')).rows[0].n, 2);
  },

  async copy(c) {
    await c.query('CREATE TEMP TABLE lines (n int, word text)');
    const lines = Readable.from((function* all() {
      for (let n = 0; n < 10000; n += 1) yield `${n}\tword ${n}\n`;
    })());
    await pipeline(lines, c.query(copyFrom('COPY lines FROM STDIN')));
    assert.strictEqual((await c.query('SELECT count(*)::int AS n FROM lines')).rows[0].n, 10000);
    let bytes = 0;
    for await (const chunk of c.query(copyTo('COPY lines TO STDOUT (FORMAT csv)'))) bytes += chunk.length;
    assert.ok(bytes > 100000, `${bytes} bytes`);
    await assert.rejects(
      pipeline(Readable.from(['not a number\n']), c.query(copyFrom('COPY lines (n) FROM STDIN'))),
      { code: '22P02' },
    );
  },

  async cancel(c) {
    const canceller = new Client({ connectionString });
    const sleeping = assert.rejects(c.query('SELECT pg_sleep(30)'), { code: '57014' });
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    // What `client.cancel` does: a CancelRequest with the session's key over a new socket.
    const connection = canceller.connection;
    connection.once('connect', () => connection.cancel(c.processID, c.secretKey));
    connection.connect(c.port, c.host);
    await sleeping;
    assert.strictEqual((await c.query("SELECT 'alive' AS s")).rows[0].s, 'alive');
  },

  async types(c) {
    const { rows: [row] } = await c.query(
      `SELECT $1::bool AS a, $2::int AS b, $3::bigint AS c, $4::numeric AS d, $5::float8 AS e, $6::text AS f,
              $7::bytea AS g, $8::timestamptz AS h, $9::jsonb AS i, $10::int[] AS j, $11::text[] AS k, $12::uuid AS l,
              $13::int AS m`,
      [true, -5, '1099511627776', '12345.678', 1.5, "Zürich 💧 it's \\", Buffer.from([0, 255]),
        new Date('2024-06-01T00:00:00Z'), { a: [1] }, [1, null, 3], ['a,b', 'c"d'],
        '12345678-1234-5678-1234-567812345678', null],
    );
    assert.deepStrictEqual([row.a, row.b, row.c, row.d, row.e], [true, -5, '1099511627776', '12345.678', 1.5]);
    assert.strictEqual(row.f, "Zürich 💧 it's \\");
    assert.deepStrictEqual([...row.g], [0, 255]);
    assert.strictEqual(row.h.toISOString(), '2024-06-01T00:00:00.000Z');
    assert.deepStrictEqual([row.i, row.j, row.k, row.m], [{ a: [1] }, [1, null, 3], ['a,b', 'c"d'], null]);
  },

  async 'large results'(c) {
    const { rows } = await c.query("SELECT n, repeat('x', 100) AS t FROM generate_series(1, 100000) AS n");
    assert.strictEqual(rows.length, 100000);
    const cursor = c.query(new Cursor('SELECT id FROM orders ORDER BY id'));
    let seen = 0;
    for (let batch = await cursor.read(700); batch.length; batch = await cursor.read(700)) seen += batch.length;
    assert.strictEqual(seen, 6000);
    const early = c.query(new Cursor('SELECT id FROM orders ORDER BY id'));
    assert.strictEqual((await early.read(5)).length, 5);
    await early.close();
    assert.strictEqual((await c.query('SELECT 1 AS n')).rows[0].n, 1);
  },

  async notifications(c) {
    const heard = new Promise((resolve) => { c.on('notification', (n) => resolve(n.payload)); });
    const notices = [];
    c.on('notice', (n) => notices.push(n.message));
    await c.query("DO $$ BEGIN RAISE NOTICE 'said'; END $$");
    assert.deepStrictEqual(notices, ['said']);
    await c.query('LISTEN here');
    const other = await connect();
    await other.query("NOTIFY here, 'news'");
    await other.end();
    assert.strictEqual(await heard, 'news');
  },
};

async function main() {
  for (const [name, step] of Object.entries(steps)) {
    console.log(name);
    const client = await connect();
    await step(client);
    await client.end();
  }
  console.log('pool');
  const pool = new Pool({ connectionString, max: 4 });
  const answers = await Promise.all([...Array(40).keys()].map((n) => pool.query('SELECT $1::int AS n', [n])));
  assert.strictEqual(answers.length, 40);
  await pool.end();
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
