"""Redis servers beside those of a Box: with TLS, watched by Sentinels, as a
Cluster. They are the Box's children and stop with it, by process id."""

import os
import subprocess

from scenario import check, eventually, free_port


class Certificates:
    """A CA, a server's certificate for localhost and 127.0.0.1, a client's,
    and another CA that has signed nothing; made once for each directory."""

    def __init__(self, directory):
        self.dir = directory
        self.authority("ca")
        self.authority("stranger")
        self.signed("server", "subjectAltName=DNS:localhost,"
                    "DNS:cache.example,IP:127.0.0.1")
        self.signed("elsewhere", "subjectAltName=DNS:elsewhere.example")
        self.signed("client", "extendedKeyUsage=clientAuth")

    def path(self, name):
        return f"{self.dir}/{name}.pem"

    def openssl(self, *words):
        subprocess.run(("openssl",) + words, check=True, capture_output=True)

    def authority(self, name):
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                     "2", "-subj", f"/CN=test {name}", "-keyout",
                     self.path(name + "-key"), "-out", self.path(name))

    def signed(self, name, extension):
        request = f"{self.dir}/{name}.csr"
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj",
                     f"/CN={name}", "-keyout", self.path(name + "-key"),
                     "-out", request)
        with open(request + ".ext", "w", encoding="ascii") as out:
            out.write(extension + "\n")
        self.openssl("x509", "-req", "-in", request, "-CA", self.path("ca"),
                     "-CAkey", self.path("ca-key"), "-CAcreateserial", "-days",
                     "2", "-extfile", request + ".ext", "-out",
                     self.path(name))

    def server_options(self, name="server", clients="no"):
        return ["--tls-cert-file", self.path(name), "--tls-key-file",
                self.path(name + "-key"), "--tls-ca-cert-file",
                self.path("ca"), "--tls-auth-clients", clients]


class Server:
    """One redis-server (or Sentinel) of a box, started and stopped at will.
    `tls`: a Certificates; then there is no port in plain text."""

    def __init__(self, box, name, options=(), tls=None, tls_options=None,
                 sentinel=None):
        self.box = box
        self.name = name
        self.port = free_port()
        self.tls = tls
        self.options = list(options)
        self.tls_options = tls_options or (tls and tls.server_options())
        self.sentinel = sentinel        # lines of its configuration
        self.dir = f"{box.dir}/{name}"
        os.makedirs(self.dir, exist_ok=True)

    def start(self):
        command = ["redis-server"]
        if self.sentinel is not None:
            path = self.dir + "/sentinel.conf"
            if not os.path.exists(path):
                with open(path, "w", encoding="ascii") as out:
                    out.write("\n".join(self.sentinel) + "\n")
            command += [path, "--sentinel"]
        command += ["--bind", "127.0.0.1", "--dir", self.dir]
        if self.sentinel is None:
            command += ["--save", "", "--appendonly", "no"]
        if self.tls:
            command += ["--port", "0", "--tls-port", str(self.port),
                        "--tls-replication", "yes"] + self.tls_options
        else:
            command += ["--port", str(self.port)]
        with open(self.dir + "/out", "ab") as out:
            self.box.spawn(self.name, *command, *self.options, stdout=out,
                           stderr=out)
        check(eventually(lambda: self.box.listens(self.port), 10),
              self.name, "did not start")
        return self

    def kill(self):
        self.box.kill(self.name)

    def signal(self, number):
        self.box.signal(self.name, number)

    def __call__(self, *words):
        """By redis-cli, which speaks TLS; the answer's text."""
        command = ["redis-cli", "-p", str(self.port)]
        if self.tls:
            command += ["--tls", "--cacert", self.tls.path("ca"), "--cert",
                        self.tls.path("client"), "--key",
                        self.tls.path("client-key")]
        answer = subprocess.run(command + [str(word) for word in words],
                                capture_output=True, timeout=60, check=False)
        return answer.stdout.decode("latin-1").strip()


class SentinelTrio:
    """A master, two replicas, and three Sentinels that watch it as "main"."""

    def __init__(self, box, tls=None, password=None):
        self.box = box
        login = [] if password is None else [
            "--requirepass", password, "--masterauth", password]
        self.nodes = [Server(box, f"redis{i}", login, tls) for i in range(3)]
        self.nodes[0].start()
        for node in self.nodes[1:]:
            node.options += ["--replicaof",
                             f"127.0.0.1 {self.nodes[0].port}"]
            node.start()
        lines = [f"sentinel monitor main 127.0.0.1 {self.nodes[0].port} 2",
                 "sentinel down-after-milliseconds main 1500",
                 "sentinel failover-timeout main 3000",
                 "sentinel parallel-syncs main 1"]
        if password is not None:
            lines.append(f"sentinel auth-pass main {password}")
        self.sentinels = [Server(box, f"sentinel{i}", tls=tls, sentinel=lines)
                          for i in range(3)]
        for sentinel in self.sentinels:
            sentinel.start()
        check(eventually(self.ready, 20), "the Sentinels find nobody")

    def ready(self):
        for sentinel in self.sentinels:
            words = sentinel("SENTINEL", "MASTER", "main").split("\n")
            state = dict(zip(words[::2], words[1::2]))
            if (state.get("num-slaves") != "2"
                    or state.get("num-other-sentinels") != "2"):
                return False
        return True

    def urls(self, scheme="redis", login=""):
        return " ".join(f"{scheme}://{login}127.0.0.1:{s.port}"
                        for s in self.sentinels)

    def node_at(self, port):
        return next(node for node in self.nodes if node.port == port)

    def master(self):
        """As the Sentinels see it."""
        for sentinel in self.sentinels:
            if sentinel.name in self.box.children:
                words = sentinel("SENTINEL", "GET-MASTER-ADDR-BY-NAME",
                                 "main").split()
                if len(words) == 2:
                    return self.node_at(int(words[1]))
        return None


class Cluster:
    """Three masters with a replica each."""

    def __init__(self, box, tls=None, masters=3, replicas=1):
        self.box = box
        options = ["--cluster-enabled", "yes",
                   "--cluster-require-full-coverage", "no"]
        if tls:
            options += ["--tls-cluster", "yes"]
        self.nodes = [Server(box, f"node{i}", options, tls)
                      for i in range(masters * (1 + replicas))]
        for node in self.nodes:
            # The default is 10000 more, where somebody else may listen.
            node.options += ["--cluster-port", str(free_port())]
            node.start()
        first = self.nodes[0]
        places = [f"127.0.0.1:{node.port}" for node in self.nodes]
        answer = first("--cluster", "create", *places, "--cluster-replicas",
                       replicas, "--cluster-yes")
        check("All 16384 slots covered" in answer, answer[-500:])
        check(eventually(lambda: all(
            "cluster_state:ok" in node("CLUSTER", "INFO")
            and node("CLUSTER", "NODES").count("connected") == len(places)
            and node("CLUSTER", "NODES").count("slave") == masters * replicas
            and "master_link_status:down" not in node("INFO", "replication")
            for node in self.nodes), 20), first("CLUSTER", "NODES"))
        # Not before: a node that is met has so long to join.
        for node in self.nodes:
            node("CONFIG", "SET", "cluster-node-timeout", 1500)

    def urls(self, scheme="redis", count=2):
        return " ".join(f"{scheme}://127.0.0.1:{node.port}"
                        for node in self.nodes[:count])

    def masters(self):
        return [node for node in self.nodes
                if node.name in self.box.children
                and node("ROLE").startswith("master")]

    def id_of(self, node):
        return node("CLUSTER", "MYID")

    def slots_of(self, node):
        """The first range."""
        for line in node("CLUSTER", "NODES").splitlines():
            words = line.split()
            if "myself" in words[2] and len(words) > 8:
                first, _, last = words[8].partition("-")
                return int(first), int(last or first)
        return None

    def holder(self, slot):
        for node in self.masters():
            for line in node("CLUSTER", "NODES").splitlines():
                words = line.split()
                if "myself" not in words[2]:
                    continue
                for part in words[8:]:
                    first, _, last = part.partition("-")
                    if not part.startswith("[") and \
                            int(first) <= slot <= int(last or first):
                        return node
        return None
