// node-postgres where some columns are masked and nobody may unmask.
'use strict';

const assert = require('node:assert');
const { Client } = require('pg');
const Cursor = require('pg-cursor');

function masked(row) {
  assert.match(row.email, /\*\*\*@example\./);
  assert.ok(row.phone === null || row.phone.includes('*'), row.phone);
  const born = row.birth_date;
  assert.ok(born === null || (born instanceof Date && born.getMonth() === 0 && born.getDate() === 1), born);
}

async function main() {
  const c = new Client({ connectionString: process.env.DSN });
  await c.connect();
  const text = 'SELECT id, email, phone, birth_date FROM customers WHERE id = $1';
  for (let id = 1; id < 10; id += 1) {
    masked((await c.query({ name: 'by-id', text, values: [id] })).rows[0]);
    masked((await c.query(text, [id])).rows[0]);
  }
  masked((await c.query('SELECT * FROM customers WHERE id = 7')).rows[0]);
  const answers = await Promise.all([...Array(20).keys()].map((n) => c.query(text, [n + 1])));
  answers.forEach((answer) => masked(answer.rows[0]));
  const cursor = c.query(new Cursor('SELECT id, email, phone, birth_date FROM customers ORDER BY id'));
  let seen = 0;
  for (let rows = await cursor.read(300); rows.length; rows = await cursor.read(300)) {
    rows.forEach(masked);
    seen += rows.length;
  }
  assert.strictEqual(seen, 2000);
  await cursor.close();
  const array = await c.query({ text: 'SELECT id, email FROM customers WHERE id = 3', rowMode: 'array' });
  assert.match(array.rows[0][1], /\*/);
  await c.query('BEGIN');
  const made = await c.query(
    "INSERT INTO customers (full_name, email, country, city) VALUES ('N', 'n@example.org', 'DE', 'Ulm') RETURNING id, created_at",
  );
  assert.ok(made.rows[0].created_at instanceof Date);
  await c.query('UPDATE customers SET city = $1 WHERE id = $2', ['Bonn', made.rows[0].id]);
  await c.query('ROLLBACK');
  await assert.rejects(c.query('UPDATE customers SET email = $1 WHERE id = 1', ['a***@example.com']), (error) => {
    assert.strictEqual(error.code, '42501');
    assert.match(error.message, /overwrites public\.customers\.email/);
    assert.match(error.hint, /hallpass\.request\('unmask'/);
    return true;
  });
  assert.strictEqual((await c.query('SELECT count(*)::int AS n FROM customers')).rows[0].n, 2000);
  await c.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
