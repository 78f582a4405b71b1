"""Measures what a proxy costs in front of MySQL. Started by `benches/relay/run mysql`; see there.

The method is that of relay.py: all proxies in turn within each round, ratios within a round, CPU time of
the proxy's own processes. The load is sysbench's: point selects as prepared statements and as texts, its
read-only transactions, log-ins one after another; and a million rows to one client of the command line.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time

from relay import ROOT, SECRET, Bench, free_port, program, progress, report

SCHEMA = "bench"
TABLE_SIZE = 100_000
THREADS = [1, 16, 64]
BULK = "SELECT * FROM big"
LOADS = {
    "prepared": ["oltp_point_select", "--db-ps-mode=auto"],
    "text": ["oltp_point_select", "--db-ps-mode=disable"],
    "read_only": ["oltp_read_only", "--db-ps-mode=auto"],
}
# A connection is one event.
LOGIN = """
function thread_init() drv = sysbench.sql.driver() end
function event() drv:connect():disconnect() end
"""
# Connections that stay and say nothing.
IDLE = """
ffi.cdef[[int usleep(unsigned int);]]
function thread_init() drv = sysbench.sql.driver(); con = drv:connect() end
function event() ffi.C.usleep(250000) end
function thread_done() con:disconnect() end
"""


def arguments():
    parser = argparse.ArgumentParser(prog="benches/relay/run mysql")
    parser.add_argument("--quick", action="store_true", help="one short round, 16 threads only")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of each run of sysbench")
    parser.add_argument("--threads", help="instead of 1,16,64")
    parser.add_argument("--json", metavar="FILE", help="write all samples there")
    parser.add_argument("--without-gateway", action="store_true")
    parser.add_argument("--gateway", default=os.path.join(ROOT, "target/release/hallpass"))
    parser.add_argument("--server", choices=["mysql", "mariadb"], default="mysql")
    parser.add_argument("--hold", action="store_true", help="start everything, print how to connect, and wait")
    parser.add_argument("--only", default="prepared,text,read_only,bulk,logins,idle")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (2 if options.quick else 4)
    options.only = options.only.split(",")
    threads = options.threads.split(",") if options.threads else ([16] if options.quick else THREADS)
    options.threads = [int(count) for count in threads]
    return options


def fetch(*what):
    """Where tests/mysql9/fetch has put it; None if it can't be had."""
    done = subprocess.run([os.path.join(ROOT, "tests/mysql9/fetch"), *what], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        return None
    return done.stdout.split()[-1]


class MySqlBench(Bench):
    """MySQL or MariaDB, and what stands in front of it."""

    def start_server(self):
        data, self.my_port = self.path("data"), free_port()
        root = None
        if self.options.server == "mysql":
            root = fetch() or sys.exit("there is no MySQL")
            server = [f"{root}/usr/sbin/mysqld", "--no-defaults", f"--basedir={root}/usr", "--mysqlx=OFF",
                      f"--lc-messages-dir={root}/usr/share/mysql", "--secure-file-priv=NULL",
                      f"--character-sets-dir={root}/usr/share/mysql/charsets",
                      f"--plugin-dir={root}/usr/lib/mysql/plugin", "--innodb-redo-log-capacity=1G"]
            if os.geteuid() == 0:
                server.append("--user=root")
            subprocess.run([*server, "--initialize-insecure", f"--datadir={data}"], check=True,
                           stderr=subprocess.DEVNULL, cwd="/")
        else:
            server = [program("mariadbd"), "--no-defaults", "--innodb-log-file-size=256M"]
            if os.geteuid() == 0:
                server.append("--user=root")
            subprocess.run([program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db",
                            "--auth-root-authentication-method=normal"] + server[3:], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        self.socket = self.path("socket")
        self.start("server", self.my_port, [
            *server, f"--datadir={data}", f"--socket={self.socket}", f"--port={self.my_port}",
            f"--pid-file={self.path('pid')}", "--bind-address=127.0.0.1", "--skip-log-bin", "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-buffer-pool-size=512M",
            "--performance-schema=OFF", "--max-connections=2400", "--open-files-limit=8192",
            "--max-prepared-stmt-count=100000", "--max-connect-errors=1000000"])
        for _ in range(300):
            if os.path.exists(self.socket):
                break
            time.sleep(0.1)
        self.sql(f"""CREATE DATABASE {SCHEMA}; CREATE USER bench IDENTIFIED BY '{SECRET}';
            GRANT ALL ON {SCHEMA}.* TO bench; USE {SCHEMA};
            CREATE TABLE big (id int PRIMARY KEY, token char(32), email varchar(60), at datetime,
                amount decimal(10, 4), flag bool) CHARACTER SET utf8mb4;
            CREATE TABLE ten (n int); INSERT INTO ten VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
            INSERT INTO big SELECT n, lpad(hex(n * 7919), 32, 'a'), concat('user.', n, '@example.com'),
                '2024-01-01' + INTERVAL n SECOND, (n % 1000) / 7, n % 2 = 0
            FROM (SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n AS n
                FROM ten a, ten b, ten c, ten d, ten e, ten f) AS numbers; ANALYZE TABLE big""")
        self.add("direct", self.my_port, None, "bench", SECRET)
        subprocess.run(self.sysbench("direct", ["oltp_point_select"], 1, "prepare"), check=True,
                       stdout=subprocess.DEVNULL)

    def sql(self, text):
        subprocess.run([program("mariadb"), "--no-defaults", "--user=root", f"--socket={self.socket}"],
                       input=text.encode(), check=True, stdout=subprocess.DEVNULL)

    def start_router(self):
        root = fetch("router")
        if not root:
            print("MySQL Router can't be had: measuring without it", file=sys.stderr)
            return
        port = free_port()
        plugins = next(folder for folder, _, files in os.walk(f"{root}/usr/lib") if "routing.so" in files)
        state = self.path("router")
        os.mkdir(state)
        settings = self.write("router.conf", f"""
[DEFAULT]
logging_folder={state}
runtime_folder={state}
data_folder={state}
plugin_folder={plugins}
max_total_connections=4000
[logger]
level=WARNING
[routing:bench]
bind_address=127.0.0.1
bind_port={port}
max_connections=4000
max_connect_errors=100000000
destinations=127.0.0.1:{self.my_port}
routing_strategy=first-available
protocol=classic
client_ssl_mode=PASSTHROUGH
server_ssl_mode=AS_CLIENT
""")
        pid = self.start("router", port, [f"{root}/usr/bin/mysqlrouter", "-c", settings])
        self.add("router", port, pid, "bench", SECRET)

    def start_gateway(self):
        port = free_port()
        folder = self.path("gateway")
        os.mkdir(folder, 0o700)
        settings = os.path.join(folder, "proxy.toml")
        with open(os.path.join(folder, "secret"), "w") as out:
            out.write(SECRET)
        os.chmod(os.path.join(folder, "secret"), 0o600)
        with open(settings, "w") as out:
            out.write(f"""
data_dir = "{folder}/data"
[[listen]]
protocol = "mysql"
address = "127.0.0.1:{port}"
tls = "disable"
[[target]]
name = "target"
engine = "{self.options.server}"
address = "127.0.0.1:{self.my_port}"
database = "{SCHEMA}"
user = "bench"
password_file = "{folder}/secret"
tls = "disable"
max_connections = 1200
[limits]
connections_per_principal = 2000
connections = 4000
""")
        binary = [self.options.gateway, "--config", settings]
        added = subprocess.run(binary + ["principal", "add", "alice", "--role", "developer", "--json"],
                               check=True, capture_output=True, cwd=folder)
        secret = json.loads(added.stdout)["secret"]
        # Not unmask and not admin: judging must do its whole work.
        subprocess.run(binary + ["grant", "create", "--to", "alice", "--target", "target", "--for", "12h",
                                 "--allow", "select,export,dml", "--row-budget", "1000000000000",
                                 "--reason", "benchmark", "--json"],
                       check=True, capture_output=True, cwd=folder)
        pid = self.start("gateway", port, binary + ["serve"])
        self.add("hallpass", port, pid, "alice@target", secret)

    def sysbench(self, name, load, threads, verb):
        t = self.targets[name]
        return [program("sysbench"), *load, "--db-driver=mysql", "--mysql-host=127.0.0.1",
                f"--mysql-port={t['port']}", f"--mysql-user={t['user']}", f"--mysql-password={t['password']}",
                f"--mysql-db={SCHEMA}", f"--table-size={TABLE_SIZE}", f"--threads={threads}", verb]

    def run(self, name, load, threads, seconds):
        """Queries (or events) a second, how many there were, and CPU seconds of the proxy."""
        before = self.cpu(name)
        # sysbench looks for its own plugins where it stands.
        done = subprocess.run([*self.sysbench(name, load, threads, "run"), f"--time={seconds}"],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, cwd="/")
        if done.returncode != 0:
            sys.exit(f"sysbench fails at {name}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        used = self.cpu(name) - before
        found = re.search(r"queries: +(\d+) +\(([\d.]+) per sec", done.stdout)
        if not int(found.group(1)):
            count = int(re.search(r"total number of events: +(\d+)", done.stdout).group(1))
            return count / float(re.search(r"total time: +([\d.]+)s", done.stdout).group(1)), count, used
        return float(found.group(2)), int(found.group(1)), used

    def bulk(self, name):
        t = self.targets[name]
        before, began = self.cpu(name), time.monotonic()
        done = subprocess.run(
            [program("mariadb"), "--no-defaults", "--host=127.0.0.1", f"--port={t['port']}", f"--user={t['user']}",
             f"--password={t['password']}", "--quick", "--batch", "--skip-column-names", "-e", BULK, SCHEMA],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if done.returncode != 0 or done.stdout.count(b"\n") != 1_000_000:
            sys.exit(f"{name}: a million rows: {done.stderr.decode()[-2000:]}")
        seconds = time.monotonic() - began
        return seconds, (self.cpu(name) - before) * 1e3 / (len(done.stdout) / 1e8)


def measure(bench, options):
    samples = []

    def note(part, target, round_, **values):
        samples.append({"part": part, "target": target, "round": round_, **values})

    names = list(bench.targets)
    login, idle = bench.write("login.lua", LOGIN), bench.write("idle.lua", IDLE)
    for name in names:
        # Passwords are checked the slow way once.
        bench.run(name, [login], 1, 1)
    for round_ in range(options.rounds):
        turn = names[round_ % len(names):] + names[:round_ % len(names)]
        for load in (load for load in LOADS if load in options.only):
            for threads in options.threads:
                for name in turn:
                    rate, count, used = bench.run(name, LOADS[load], threads, options.seconds)
                    note(f"{load} c{threads}", name, round_, rate=rate, cpu_us=used * 1e6 / count)
                progress(f"round {round_ + 1}: {load}, {threads} threads")
        if "bulk" in options.only:
            for name in turn:
                seconds, used = bench.bulk(name)
                note("bulk", name, round_, seconds=seconds, cpu_ms_100mb=used)
            progress(f"round {round_ + 1}: a million rows")
        if "logins" in options.only:
            for name in turn:
                rate, count, used = bench.run(name, [login], 4, options.seconds)
                note("log-ins c4", name, round_, rate=rate, cpu_us=used * 1e6 / max(count, 1))
            progress(f"round {round_ + 1}: log-ins")
    if "idle" in options.only:
        count = 200 if options.quick else 800
        for name in (name for name in names if bench.targets[name]["pid"] is not None):
            before = bench.memory(name)
            client = subprocess.Popen([*bench.sysbench(name, [idle], count, "run"), "--time=8"], cwd="/",
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(6)
            if client.poll() is None:
                note(f"{count} idle", name, 0, kib_each=(bench.memory(name) - before) / count,
                     rss_mib=bench.memory(name) / 1024)
            else:
                print(f"{name}: {client.stderr.read().decode()[-1000:]}", file=sys.stderr)
            client.wait()
        progress("idle connections")
    return samples


def main():
    options = arguments()
    # A stop from outside leaves no servers behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with MySqlBench(options) as bench:
        progress(f"starting {options.server}, {TABLE_SIZE} rows and a million")
        bench.start_server()
        bench.start_haproxy(bench.my_port)
        if options.server == "mysql":
            bench.start_router()
        if not options.without_gateway:
            bench.start_gateway()
        if options.hold:
            for name, t in bench.targets.items():
                print(name, "pid", t["pid"], *bench.sysbench(name, LOADS["prepared"], 16, "run"), flush=True)
            signal.pause()
        began = time.time()
        samples = measure(bench, options)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {options.rounds} round(s) of "
              f"{options.seconds} s, {time.time() - began:.0f} s in all; median (best)\n")
        summary = report(samples, list(bench.targets))
        if options.json:
            with open(options.json, "w") as out:
                json.dump({"cores": os.cpu_count(), "load": os.getloadavg()[0], "server": options.server,
                           "summary": summary, "samples": samples}, out, indent=1)


if __name__ == "__main__":
    main()
