"""Measures what a proxy costs in front of Postgres. Started by benches/relay/run; see there.

Method: one Postgres, one client machine, every proxy between the two in turn. The targets take turns
within each round, starting with another one each time, so that a slow minute of the machine hits all
of them. What is compared are ratios within a round, and CPU time of the proxy's own processes (user
and system, from /proc), less what the same clients' log-ins cost. Wall times on a shared machine say
little. Medians are printed, and the least value in brackets.
"""

import argparse
import json
import os
import pwd
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TICKS = os.sysconf("SC_CLK_TCK")
BULK = {
    "select": "SELECT * FROM big",
    "copy": "COPY big TO STDOUT",
}
# Views of one table, and the masks of their columns.
MASKED = {
    "none": {},
    "two": {"email": "email", "card": "inner(0, 4)"},
    "hashed": {"email": "hash", "card": "hash"},
    "all": {"id": "bucket(10)", "email": "email", "name": "inner(1, 1)", "at": "truncate(month)",
            "amount": "bucket(10)", "words": "partial", "card": "card", "state": "full", "country": "null",
            "number": "bucket(10)"},
}
FORMS = {
    "text": ("query", "SELECT * FROM ten_{}"),
    "binary": ("binary", "SELECT * FROM ten_{}"),
    "copy": ("query", "COPY (SELECT * FROM ten_{}) TO STDOUT"),
}
ROWS = 1_000_000
SECRET = "bench-secret"


def arguments():
    parser = argparse.ArgumentParser(prog="benches/relay/run")
    parser.add_argument("--quick", action="store_true", help="one short round, under three minutes")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each pgbench run")
    parser.add_argument("--json", metavar="FILE", help="write all samples there")
    parser.add_argument("--without-gateway", action="store_true")
    parser.add_argument("--gateway", default=os.path.join(ROOT, "target/release/hallpass"))
    parser.add_argument("--swallow", default=os.path.join(ROOT, "target/release/examples/swallow"))
    parser.add_argument("--only", default="simple,extended,prepared,bulk,masks,logins,idle")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (2 if options.quick else 4)
    options.only = options.only.split(",")
    return options


def program(name):
    folders = os.environ["PATH"].split(":") + ["/usr/sbin"]
    root = "/usr/lib/postgresql"
    if os.path.isdir(root):
        versions = sorted(os.listdir(root), key=lambda v: [int(n) for n in re.findall(r"\d+", v)])
        folders = [f"{root}/{v}/bin" for v in reversed(versions)] + folders
    for folder in folders:
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    sys.exit(f"there is no {name}; .ci/run installs it")


def free_port():
    for port in range(20500 + os.getpid() % 300, 21000):
        with socket.socket() as probe:
            if port not in free_port.taken and probe.connect_ex(("127.0.0.1", port)) != 0:
                free_port.taken.add(port)
                return port
    sys.exit("no free port")


free_port.taken = set()


def wait_port(port, process, log):
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    with open(log, errors="replace") as text:
        sys.exit(f"nobody listens on {port}:\n{text.read()[-2000:]}")


class Bench:
    """The servers of one run. Leaving it stops them and removes their folder."""

    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="hallpass-relay-")
        self.processes = []
        self.targets = {}
        self.server = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self.server:
            os.chown(self.folder, self.server.pw_uid, self.server.pw_gid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGQUIT if process.args[0].endswith("postgres") else signal.SIGTERM)
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o640):
        with open(self.path(name), "w") as out:
            out.write(text)
        os.chmod(self.path(name), mode)
        if self.server:
            os.chown(self.path(name), self.server.pw_uid, self.server.pw_gid)
        return self.path(name)

    def as_server(self):
        if not self.server:
            return {}
        return {"user": self.server.pw_uid, "group": self.server.pw_gid, "extra_groups": []}

    def start(self, name, port, command, **how):
        log = self.path(f"{name}.log")
        with open(log, "w") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd="/", **how)
        self.processes.append(process)
        wait_port(port, process, log)
        return process.pid

    def start_postgres(self):
        data, self.pg_port = self.path("pg"), free_port()
        password = self.write("password", SECRET)
        subprocess.run(
            [program("initdb"), "-D", data, "-U", "bench", "--pwfile", password, "--auth=scram-sha-256",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **self.as_server())
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.pg_port, "unix_socket_directories": "",
            "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
            "shared_buffers": "512MB", "max_connections": 2400, "max_wal_size": "2GB",
            "checkpoint_timeout": "1h", "autovacuum": "off",
        }
        command = [program("postgres"), "-D", data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.start("postgres", self.pg_port, command, **self.as_server())
        for _ in range(100):
            if subprocess.run([program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.pg_port)]).returncode == 0:
                break
            time.sleep(0.1)
        self.add("direct", self.pg_port, None, "bench", SECRET)
        subprocess.run(
            [program("pgbench"), "-i", "-q", "-s", "10", self.dsn("direct")], check=True,
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.sql("""CREATE TABLE big AS
            SELECT n AS id, md5(n::text) AS token, 'user.' || n || '@example.com' AS email,
                   timestamptz '2024-01-01' + n * interval '1 second' AS at,
                   (n % 1000)::numeric / 7 AS amount, n % 2 = 0 AS flag
            FROM generate_series(1, 1000000) AS n; ANALYZE big""")
        if "masks" in self.options.only:
            self.sql(f"""CREATE TABLE ten AS
                SELECT n AS id, 'user.' || n || '@example.com' AS email, 'Alice Example ' || n AS name,
                       timestamptz '2024-01-01' + n * interval '1.001 second' AS at, (n % 100000)::numeric / 100 AS amount,
                       'some words of an ordinary length'::text AS words, (4111111111000000 + n)::text AS card,
                       'active'::text AS state, 'DE'::text AS country, n % 1000 AS number
                FROM generate_series(1, {ROWS}) AS n; ANALYZE ten;
                """ + ";".join(f"CREATE VIEW ten_{kind} AS SELECT * FROM ten" for kind in MASKED))

    def sql(self, text):
        subprocess.run([program("psql"), "-X", "-q", "-d", self.dsn("direct"), "-v", "ON_ERROR_STOP=1"],
                       input=text.encode(), check=True, stdout=subprocess.DEVNULL)

    def start_haproxy(self, server):
        port = free_port()
        settings = self.write("haproxy.cfg", f"""
global
    maxconn 4000
    nbthread {os.cpu_count()}
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen database
    bind 127.0.0.1:{port}
    server one 127.0.0.1:{server}
""")
        pid = self.start("haproxy", port, [program("haproxy"), "-db", "-f", settings])
        self.add("haproxy", port, pid, "bench", SECRET)

    def start_pgbouncer(self):
        port = free_port()
        users = self.write("users.txt", f'"bench" "{SECRET}"\n')
        settings = self.write("pgbouncer.ini", f"""
[databases]
postgres = host=127.0.0.1 port={self.pg_port} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = session
default_pool_size = 1200
max_client_conn = 4000
server_idle_timeout = 600
log_connections = 0
log_disconnections = 0
""")
        pid = self.start("pgbouncer", port, [program("pgbouncer"), settings], **self.as_server())
        self.add("pgbouncer", port, pid, "bench", SECRET)

    def start_gateway(self):
        port, http = free_port(), free_port()
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
protocol = "postgres"
address = "127.0.0.1:{port}"
tls = "disable"
[[listen]]
protocol = "http"
address = "127.0.0.1:{http}"
[[target]]
name = "postgres"
engine = "postgres"
address = "127.0.0.1:{self.pg_port}"
database = "postgres"
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
        subprocess.run(binary + ["grant", "create", "--to", "alice", "--target", "postgres", "--for", "12h",
                                 "--allow", "select,export,dml", "--row-budget", "1000000000000",
                                 "--reason", "benchmark", "--json"],
                       check=True, capture_output=True, cwd=folder)
        if "masks" in self.options.only:
            for kind, columns in MASKED.items():
                for column, algorithm in columns.items():
                    subprocess.run(binary + ["mask", "add", "--target", "postgres", "--column",
                                             f"public.ten_{kind}.{column}", "--with", algorithm],
                                   check=True, capture_output=True, cwd=folder)
        pid = self.start("gateway", port, binary + ["serve"])
        self.add("hallpass", port, pid, "alice", secret)

    def add(self, name, port, pid, user, password):
        self.targets[name] = {"port": port, "pid": pid, "user": user, "password": password}

    def dsn(self, name):
        t = self.targets[name]
        return f"postgres://{t['user']}:{t['password']}@127.0.0.1:{t['port']}/postgres"

    def swallow(self, name, *more):
        t = self.targets[name]
        mode, rest = more[0], [str(m) for m in more[1:]]
        return [self.options.swallow, mode, f"127.0.0.1:{t['port']}", t["user"], t["password"], "postgres", *rest]

    def tree(self, pid):
        """The process and all its children."""
        found, parents = [pid], {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat") as stat:
                        parents[int(entry)] = int(stat.read().rsplit(")", 1)[1].split()[1])
                except OSError:
                    pass
        for candidate in found:
            found += [child for child, parent in parents.items() if parent == candidate]
        return found

    def cpu(self, name):
        """CPU seconds its processes have used, ended children included."""
        pid = self.targets[name]["pid"]
        if pid is None:
            return 0.0
        total = 0
        for one in self.tree(pid):
            try:
                with open(f"/proc/{one}/stat") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
                total += sum(int(field) for field in fields[11:15])
            except OSError:
                pass
        return total / TICKS

    def memory(self, name):
        """Resident KiB of its processes."""
        total = 0
        for one in self.tree(self.targets[name]["pid"]):
            with open(f"/proc/{one}/status") as status:
                found = re.search(r"VmRSS:\s+(\d+)", status.read())
            total += int(found.group(1)) if found else 0
        return total

    def pgbench(self, name, mode, clients, amount):
        command = [program("pgbench"), "-n", "-S", "-M", mode, "-c", str(clients), "-j", str(min(clients, 2)),
                   *amount, self.dsn(name)]
        before = self.cpu(name)
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=120)
        if done.returncode != 0:
            sys.exit(f"pgbench fails at {name}:\n{done.stderr[-2000:]}")
        rate = float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))
        count = int(re.search(r"processed: (\d+)", done.stdout).group(1))
        return rate, count, self.cpu(name) - before


def measure(bench, options):
    samples = []

    def note(part, target, round_, **values):
        samples.append({"part": part, "target": target, "round": round_, **values})

    names = list(bench.targets)
    modes = [mode for mode in ("simple", "extended", "prepared") if mode in options.only]
    for round_ in range(options.rounds):
        turn = names[round_ % len(names):] + names[:round_ % len(names)]
        for mode in modes:
            counts = [16] if options.quick and mode != "simple" else [1, 16, 64]
            for clients in counts:
                for name in turn:
                    _, _, login = bench.pgbench(name, mode, clients, ["-t", "1"])
                    rate, count, used = bench.pgbench(name, mode, clients, ["-T", f"{options.seconds:g}"])
                    note(f"{mode} c{clients}", name, round_, rate=rate,
                         cpu_us=max(used - login, 0) * 1e6 / count)
                progress(f"round {round_ + 1}: {mode}, {clients} clients")
        if "bulk" in options.only:
            for kind, text in BULK.items():
                for name in turn:
                    before = bench.cpu(name)
                    answer = json.loads(subprocess.run(
                        bench.swallow(name, "query", text), check=True, capture_output=True, timeout=120).stdout)
                    used = bench.cpu(name) - before
                    note(f"bulk {kind}", name, round_, seconds=answer["seconds"],
                         cpu_ms_100mb=used * 1e3 / (answer["bytes"] / 1e8))
                progress(f"round {round_ + 1}: a million rows by {kind}")
        if "masks" in options.only:
            masks(bench, [name for name in turn if name != "pgbouncer"], lambda *a, **v: note(*a, round_, **v))
            progress(f"round {round_ + 1}: a million rows under masks")
        if "logins" in options.only:
            for name in turn:
                before = bench.cpu(name)
                answer = json.loads(subprocess.run(
                    bench.swallow(name, "logins", 4, 2 if options.quick else 4),
                    check=True, capture_output=True, timeout=120).stdout)
                note("log-ins c4", name, round_, rate=answer["logins"] / answer["seconds"],
                     cpu_us=(bench.cpu(name) - before) * 1e6 / max(answer["logins"], 1))
            progress(f"round {round_ + 1}: log-ins")
    if "idle" in options.only:
        count = 200 if options.quick else 1000
        for name in names:
            if bench.targets[name]["pid"] is None:
                continue
            before = bench.memory(name)
            client = subprocess.Popen(bench.swallow(name, "idle", count), stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
            if client.stdout.readline().strip() == "open":
                time.sleep(1)
                note(f"{count} idle", name, 0, kib_each=(bench.memory(name) - before) / count,
                     rss_mib=bench.memory(name) / 1024)
            else:
                print(f"{name}: {count} idle connections could not be opened", file=sys.stderr)
            client.stdin.close()
            client.wait()
        progress("idle connections")
    return samples


def masks(bench, names, note):
    """A million rows of ten columns, of which none, two or all are masked at the gateway."""
    for form, (mode, text) in FORMS.items():
        for kind in MASKED:
            for name in names:
                before = bench.cpu(name)
                done = subprocess.run(bench.swallow(name, mode, text.format(kind)), capture_output=True, timeout=300)
                if done.returncode != 0:
                    sys.exit(f"{name}, {form}, {kind}: {done.stderr.decode()[-2000:]}")
                note(f"{form} {kind}", name, seconds=json.loads(done.stdout)["seconds"],
                     cpu_ns_row=(bench.cpu(name) - before) * 1e9 / ROWS)


def report_masks(samples):
    """What masks add to relaying the same rows, within one round."""
    got = {(s["part"], s["round"], unit): s[unit] for s in samples if s["target"] == "hallpass"
           for unit in ("seconds", "cpu_ns_row") if unit in s}
    rounds = sorted({r for part, r, _ in got if part == "text none"})
    if not rounds:
        return
    print("\nmasks beside none of them, medians: throughput, and CPU ns a row on top")
    for form in FORMS:
        for kind in list(MASKED)[1:]:
            pair = lambda unit, r: (got[f"{form} none", r, unit], got[f"{form} {kind}", r, unit])
            speed = [a / b for a, b in (pair("seconds", r) for r in rounds)]
            more = [b - a for a, b in (pair("cpu_ns_row", r) for r in rounds)]
            print(f"{form + ' ' + kind:16}{statistics.median(speed):6.0%} (best {max(speed):.0%})"
                  f"{statistics.median(more):8.0f} (least {min(more):.0f})")


def progress(text):
    print(f"  {text}", file=sys.stderr, flush=True)


UNITS = {
    "rate": ("per second", "{:,.0f}"),
    "cpu_us": ("proxy CPU us each", "{:.1f}"),
    "seconds": ("seconds", "{:.2f}"),
    "cpu_ms_100mb": ("proxy CPU ms per 100 MB", "{:.0f}"),
    "cpu_ns_row": ("proxy CPU ns a row", "{:.0f}"),
    "kib_each": ("KiB each", "{:.1f}"),
    "rss_mib": ("RSS MiB", "{:.1f}"),
}


def report(samples, names):
    """A table: one line a measure, one column a target; ratios to HAProxy are medians of rounds."""
    header = f"{'':16}{'':26}" + "".join(f"{name:>22}" for name in names) + f"{'hallpass / haproxy':>22}"
    print(header)
    summary = []
    for part in dict.fromkeys(sample["part"] for sample in samples):
        mine = [sample for sample in samples if sample["part"] == part]
        for measure_ in UNITS:
            values = {
                name: {s["round"]: s[measure_] for s in mine if s["target"] == name and measure_ in s}
                for name in names
            }
            if not any(values.values()):
                continue
            unit, form = UNITS[measure_]
            cells = []
            for name in names:
                got = list(values[name].values())
                if not got or (name == "direct" and measure_.startswith("cpu")):
                    cells.append("–")
                    continue
                best = max(got) if measure_ == "rate" else min(got)
                cells.append(form.format(statistics.median(got)) + f" ({form.format(best)})")
            ratios = [values["hallpass"][r] / values["haproxy"][r]
                      for r in values.get("hallpass", {})
                      if values.get("haproxy", {}).get(r)]
            ratio = statistics.median(ratios) if ratios else None
            print(f"{part:16}{unit:26}" + "".join(f"{cell:>22}" for cell in cells)
                  + f"{'' if ratio is None else f'{ratio:.2f}':>22}")
            summary.append({
                "part": part, "measure": measure_, "ratio_to_haproxy": ratio,
                "median": {n: statistics.median(v.values()) for n, v in values.items() if v},
            })
    return summary


def main():
    options = arguments()
    # A stop from outside leaves no servers behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with Bench(options) as bench:
        progress("starting Postgres, scale 10 and a million rows")
        bench.start_postgres()
        bench.start_haproxy(bench.pg_port)
        bench.start_pgbouncer()
        if not options.without_gateway:
            bench.start_gateway()
        began = time.time()
        samples = measure(bench, options)
        names = list(bench.targets)
        load = os.getloadavg()[0]
        print(f"{os.cpu_count()} cores, load {load:.1f}, {options.rounds} round(s) of {options.seconds:g} s, "
              f"{time.time() - began:.0f} s in all; median (best)\n")
        summary = report(samples, names)
        report_masks(samples)
        if options.json:
            with open(options.json, "w") as out:
                json.dump({"options": {"rounds": options.rounds, "seconds": options.seconds},
                           "cores": os.cpu_count(), "load": load,
                           "summary": summary, "samples": samples}, out, indent=1)


if __name__ == "__main__":
    main()
