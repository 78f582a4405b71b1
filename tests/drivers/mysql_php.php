<?php
// PHP's own client (mysqlnd, by mysqli and PDO): prints what it was told, to be held against another run.
//
//     php mysql_php.php host port user password schema
[, $host, $port, $user, $password, $schema] = $argv;
mysqli_report(MYSQLI_REPORT_OFF);

function show(...$values)
{
    $flags = JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION;
    echo json_encode(array_map(fn ($x) => is_array($x) ? array_map('text', $x) : text($x), $values), $flags), "\n";
}

function text($value)
{
    return is_string($value) && !preg_match('//u', $value) ? bin2hex($value) : $value;
}

function rows($name, $result)
{
    if (!$result instanceof mysqli_result) {
        return show($name, $result);
    }
    foreach ($result->fetch_fields() as $field) {
        unset($field->max_length);
        show($name, 'column', (array) $field);
    }
    $count = 0;
    while (($row = $result->fetch_row()) !== null) {
        $count++ < 20 && show($name, $row);
    }
    show($name, 'rows', $count);
}

function queries($c)
{
    $everything = "SELECT 1, 'zwölf', NULL, 1.50, 1e0, DATE '2024-02-29', TIME '12:13:14.5', "
        . "TIMESTAMP '2024-02-29 12:13:14.567', x'00ff', 18446744073709551615, b'101', JSON_ARRAY(1), -1";
    foreach (['utf8mb4', 'latin1', 'utf8mb4'] as $set) {
        show($c->set_charset($set), $c->character_set_name());
    }
    rows('stored', $c->query($everything));
    rows('streamed', $c->query($everything, MYSQLI_USE_RESULT));
    $c->query("SELECT SLEEP(0.05), 7", MYSQLI_ASYNC);
    do {
        $ready = $errors = $rejected = [$c];
    } while (!mysqli_poll($ready, $errors, $rejected, 1));
    rows('async', $c->reap_async_query());
    $s = $c->prepare('SELECT id, full_name, email, credit, birth_date, ? AS p, ? FROM customers WHERE id < ? ORDER BY id');
    [$p, $q, $r] = [1.5, "ü'\\\"\0x", 6];
    $s->bind_param('dsi', $p, $q, $r);
    foreach ([MYSQLI_CURSOR_TYPE_NO_CURSOR, MYSQLI_CURSOR_TYPE_READ_ONLY] as $cursor) {
        $s->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, $cursor);
        show('executed', $s->execute());
        rows('statement', $s->get_result());
        $s->execute();
        $s->store_result();
        show('stored', $s->num_rows, $s->field_count, $s->affected_rows);
        $s->free_result();
        $s->reset();
        $s->execute();
        $s->bind_result($a, $b, $c2, $d, $e, $f, $g);
        while ($s->fetch()) {
            show('bound', $a, $b, $c2, $d, $e, $f, $g);
        }
    }
}

function changes($c)
{
    $c->query("CREATE TEMPORARY TABLE php_t (id bigint PRIMARY KEY AUTO_INCREMENT, t varchar(50), b longblob, "
        . "d decimal(30,10), ts datetime(6), f float, y year, e enum('a','b'), st set('x','y'), bi bit(3), "
        . "u bigint unsigned, ti time(3), g geometry)");
    $s = $c->prepare("INSERT INTO php_t (t, b, d, ts, f, y, e, st, bi, u, ti, g) VALUES "
        . "(?, ?, ?, ?, 2.5, 2024, 'b', 'x,y', b'101', ?, '-12:13:14.567', POINT(1, 2))");
    for ($n = 0; $n < 4; $n++) {
        [$t, $blob, $d, $ts, $u] = ["row $n", null, '-7.5', '2024-01-02 03:04:05.678', 5];
        $s->bind_param('sbssi', $t, $blob, $d, $ts, $u);
        for ($part = 0; $part < $n; $part++) {
            $s->send_long_data(1, str_repeat("\0\xff'", 30000));
        }
        show('inserted', $s->execute(), $s->insert_id, $s->affected_rows, $s->error);
    }
    rows('back', $c->query('SELECT id, t, LENGTH(b), d, ts, f, y, e, st, bi, u, ti, g FROM php_t'));
    $s = $c->prepare('SELECT d, ts, f, y, e, st, bi, u, ti, g FROM php_t WHERE id = ?');
    $one = 1;
    $s->bind_param('i', $one);
    $s->execute();
    rows('binary', $s->get_result());
    // What the server says of a change in words, and the length before it.
    foreach ([
        "UPDATE php_t SET t = 'same'",
        "UPDATE php_t SET t = 'same'",
        "INSERT INTO php_t (t) VALUES ('a'), ('b'), (REPEAT('x', 60))",
        "INSERT IGNORE INTO php_t (t) VALUES ('a'), ('b'), (REPEAT('x', 60))",
        'ALTER TABLE php_t ADD COLUMN z int',
        "PREPARE s FROM 'SELECT 1'",
    ] as $sql) {
        show($sql, $c->query($sql), $c->affected_rows, $c->insert_id, $c->info, $c->warning_count, $c->error);
    }
    $c->multi_query("SELECT 1; SELECT id FROM customers WHERE id < 3; UPDATE php_t SET t = 'z'; SELECT nothing; SELECT 2");
    do {
        $result = $c->store_result();
        show('multi', $c->errno, $c->affected_rows, $c->field_count, $c->info);
        $result && rows('multi', $result);
    } while ($c->more_results() && $c->next_result());
    show('multi', $c->errno, $c->error);
}

function session($c, $user, $password, $schema)
{
    foreach (['SELEC 1', 'SELECT * FROM no_such', 'INSERT INTO php_t (id) VALUES (1)', 'CALL no_such()'] as $bad) {
        show($c->query($bad), $c->errno, $c->sqlstate, $c->error);
    }
    show($c->prepare('SELECT * FROM no_such WHERE x = ?'), $c->errno, $c->error);
    $change = 'UPDATE customers SET credit = credit + 1 WHERE id = 1';
    show($c->begin_transaction(MYSQLI_TRANS_START_READ_ONLY), $c->query($change), $c->error, $c->rollback());
    show($c->begin_transaction(MYSQLI_TRANS_START_WITH_CONSISTENT_SNAPSHOT, 'name'), $c->savepoint('sp'));
    show($c->query($change), $c->affected_rows, $c->info, $c->release_savepoint('sp'));
    show($c->rollback(MYSQLI_TRANS_COR_AND_CHAIN), $c->commit(), $c->autocommit(false), $c->autocommit(true));
    show($c->ping(), $c->select_db('billing'), $c->select_db('no_such'), $c->error, $c->select_db($schema));
    show($c->change_user($user, $password, $schema), $c->query('SELECT DATABASE(), @@autocommit')->fetch_row());
    show($c->query('SELECT * FROM php_t'), $c->error);
    rows('columns', $c->query('SHOW FULL COLUMNS FROM customers'));
}

function pdo($p, $emulated)
{
    $s = $p->prepare('SELECT c.*, :a AS a FROM customers c WHERE id BETWEEN :b AND :c ORDER BY id');
    show($s->execute(['a' => "ü'", 'b' => 1, 'c' => 3]));
    for ($n = 0; $n < $s->columnCount(); $n++) {
        show(array_diff_key($s->getColumnMeta($n), ['flags' => 0]));
    }
    array_map('show', $s->fetchAll(PDO::FETCH_ASSOC));
    $s->closeCursor();
    // What the server prepares is one statement.
    $s = $p->query($emulated ? 'SELECT 1; SELECT 2 AS b, 3' : 'SELECT 1');
    do {
        show('result', ...$s->fetchAll(PDO::FETCH_NUM));
    } while ($s->nextRowset());
    $s = null;
    show($p->exec('CREATE TEMPORARY TABLE pdo_t (id int PRIMARY KEY AUTO_INCREMENT, x blob)'));
    show($p->exec("INSERT INTO pdo_t (x) VALUES ('a'), ('b')"), $p->lastInsertId());
    show($p->beginTransaction(), $p->exec("UPDATE pdo_t SET x = 'c'"), $p->inTransaction(), $p->rollBack());
    $s = $p->prepare('INSERT INTO pdo_t (x) VALUES (?)');
    $s->bindValue(1, str_repeat("\0\xff", 5000), PDO::PARAM_LOB);
    show($s->execute(), $s->rowCount(), $s->errorInfo());
    $s = null;
    show($p->query('SELECT LENGTH(x) FROM pdo_t')->fetchAll(PDO::FETCH_COLUMN));
    show($p->query('SELECT no FROM pdo_t'), $p->errorInfo(), $p->getAttribute(PDO::ATTR_SERVER_VERSION));
}

foreach ([0, MYSQLI_CLIENT_COMPRESS, MYSQLI_CLIENT_FOUND_ROWS] as $flags) {
    show('flags', $flags);
    $c = mysqli_init();
    show($c->real_connect($host, $user, $password, $schema, (int) $port, null, $flags), $c->connect_error);
    show($c->server_info, $c->protocol_version, $c->server_version);
    queries($c);
    changes($c);
    session($c, $user, $password, $schema);
    $c->close();
}
foreach ([true, false] as $emulated) {
    foreach ([true, false] as $buffered) {
        show('pdo', $emulated, $buffered);
        pdo(new PDO("mysql:host=$host;port=$port;dbname=$schema;charset=utf8mb4", $user, $password, [
            PDO::ATTR_EMULATE_PREPARES => $emulated,
            PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => $buffered,
            PDO::ATTR_ERRMODE => PDO::ERRMODE_SILENT,
        ]), $emulated);
    }
}
