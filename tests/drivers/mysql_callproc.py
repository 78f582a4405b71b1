"""Asks for access by callproc, as PyMySQL and mysql-connector-python write it: prints what they were told.

    mysql_callproc.py pymysql|connector host port user password schema
"""

import sys
import time

library, host, port, user, password, schema = sys.argv[1:7]
asked = ("select", "30m", "it's Bünde's 'ticket' 7 \\ o'clock")

if library == "pymysql":
    import pymysql

    connection = pymysql.connect(
        host=host, port=int(port), user=user, password=password, database=schema, charset="utf8mb4",
    )
    cursor = connection.cursor()
    cursor.callproc("hallpass.request", asked)
    print(cursor.fetchone()[0], flush=True)
else:
    import mysql.connector

    connection = mysql.connector.connect(
        host=host, port=int(port), user=user, password=password, database=schema, use_pure=True,
        ssl_disabled=True, charset="utf8mb4", collation="utf8mb4_general_ci",
    )
    cursor = connection.cursor()
    arguments = cursor.callproc("hallpass.request", asked)
    for result in cursor.stored_results():
        print(result.fetchone()[0], flush=True)
    assert tuple(arguments) == asked, arguments

cursor.execute("SELECT hallpass.request('select', '1h', 'again') AS Asked")
print(cursor.description[0][0], cursor.fetchone()[0], flush=True)
for _ in range(100):
    cursor.execute("SELECT reason FROM hallpass.requests WHERE principal = %s ORDER BY id LIMIT 1", (user.split("@")[0],))
    first = cursor.fetchone()
    if first:
        break
    time.sleep(0.1)
print(first[0], flush=True)
