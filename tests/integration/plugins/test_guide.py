# SPDX-License-Identifier: Apache-2.0
"""The plugins of docs/guide/write-a-plugin.md as their reader meets them: leat is installed into a fresh prefix, the
files are built from the installed headers by the line that the guide shows, dropped into lib/leat, and run after a
restart. Nothing of leat is built meanwhile."""
import glob
import os
import re
import subprocess

from leattest import Leat, wait_until
from leattest.leat import ROOT

LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")
PLUGINS = ("counter", "sample", "lines")
BUILD = os.environ.get("LEAT_BUILD", f"{ROOT}/build")


def command(*words, **more):
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, **more)
    return done.returncode, done.stdout


def install(prefix):
    code, output = command("cmake", "--install", BUILD, "--prefix", prefix)
    assert code == 0, output


def line_of_the_guide():
    with open(f"{ROOT}/docs/guide/write-a-plugin.md") as file:
        return re.search(r"^<!-- cc -->\n+ +(cc .*)$", file.read(), re.MULTILINE).group(1)


def build(prefix, name, folder):
    line = line_of_the_guide().replace("counter", name)
    env = dict(os.environ, PKG_CONFIG_PATH=f"{prefix}/lib/pkgconfig")
    code, output = command("sh", "-ec", line.replace(" -o ", " -Werror -o "), env=env,
                           cwd=f"{prefix}/share/doc/leat/examples")
    assert code == 0, output
    target = subprocess.check_output(["pkg-config", "--variable=plugindir", "leat"], env=env, text=True).strip()
    assert os.path.realpath(target) == os.path.realpath(folder)
    os.rename(f"{prefix}/share/doc/leat/examples/{name}.so", f"{target}/{name}.so")


def lines_of_the_contract():
    with open(f"{ROOT}/docs/guide/write-a-plugin.md") as file:
        block = file.read().split("<!-- contract -->\n\n")[1].split("\n\n")[0]
    return [line.strip() for line in block.splitlines()]


class Installed:
    """leat in a prefix of its own."""

    def __init__(self, work):
        self.prefix = f"{work}/prefix"
        self.lib = f"{self.prefix}/lib/leat"
        install(self.prefix)

    def run(self, *words):
        return command(f"{self.prefix}/bin/leat", *words)

    def add_plugins(self):
        for name in PLUGINS:
            build(self.prefix, name, self.lib)

    def examples(self, name):
        return f"{self.prefix}/share/doc/leat/examples/{name}"


def rows_of(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        text = file.read()
    return [line.split("|") for line in text[:text.rfind("\n") + 1].splitlines()]


def broken_links(top):
    """Links of the pages below a folder to files that are not there."""
    for page in glob.glob(f"{top}/**/*.md", recursive=True):
        with open(page) as file:
            links = LINK.findall(file.read())
        for link in links:
            if not os.path.exists(os.path.join(os.path.dirname(page), link)):
                yield f"{os.path.relpath(page, top)}: {link}"


def test_installed_files(work):
    leat = Installed(work)
    for path in ("bin/leat", "bin/leat-contract", "lib/leat/kafka.so", "include/leat/plugin.h", "lib/pkgconfig/leat.pc",
                 "share/doc/leat/README.md", "share/doc/leat/docs/guide/write-a-plugin.md",
                 "share/doc/leat/examples/counter.c", "share/doc/leat/etc/orders/source.sql"):
        assert os.path.exists(f"{leat.prefix}/{path}"), path
    headers = {os.path.basename(path) for path in glob.glob(f"{ROOT}/include/leat/*.h")}
    assert set(os.listdir(f"{leat.prefix}/include/leat")) == headers
    assert not list(broken_links(f"{leat.prefix}/share/doc/leat"))
    for name in ("pipeline", "orders"):
        code, output = leat.run("check", f"{leat.prefix}/share/doc/leat/etc/{name}.toml")
        assert code == 0, output
    code, output = leat.run("plugins")
    assert code == 0 and "postgres-cdc" in output, output
    # it may be moved as a whole
    os.rename(leat.prefix, f"{work}/elsewhere")
    code, output = command(f"{work}/elsewhere/bin/leat", "plugins")
    assert code == 0 and "postgres-cdc" in output, output
    env = dict(os.environ, PKG_CONFIG_PATH=f"{work}/elsewhere/lib/pkgconfig")
    code, output = command("pkg-config", "--cflags", "leat", env=env)
    assert code == 0 and os.path.realpath(output.strip()[2:]) == os.path.realpath(f"{work}/elsewhere/include"), output


def test_what_was_installed_is_removed_and_nothing_else(work):
    env = dict(os.environ, DESTDIR=f"{work}/root")
    code, output = command("cmake", "--install", BUILD, "--prefix", "/opt/etl", env=env)
    assert code == 0, output
    os.rename(f"{BUILD}/install_manifest.txt", f"{work}/list")
    top = f"{work}/root/opt/etl"
    mine = f"{top}/lib/leat/mine.so"
    with open(mine, "w"):
        pass
    code, output = command(f"{ROOT}/ci/uninstall", f"{work}/list", env=env)
    assert code == 0 and not output, output
    assert [f"{folder}/{name}" for folder, _, names in os.walk(top) for name in names] == [mine]
    assert not os.path.exists(f"{top}/share/doc/leat") and not os.path.exists(f"{top}/include/leat")
    code, output = command(f"{ROOT}/ci/uninstall", f"{work}/list", env=env)
    assert code == 1 and "nothing was installed from here" in output, output


def test_plugins_of_the_guide(work):
    leat = Installed(work)
    pipeline = leat.examples("pipeline.toml")
    code, output = leat.run("check", pipeline)
    assert code == 1 and all(f'"{name}"' in output for name in PLUGINS), output
    leat.add_plugins()
    code, output = leat.run("check", pipeline)
    assert code == 0, output
    code, output = leat.run("plugins", "counter")
    assert code == 0 and "interval" in output and "Time from one row to the next." in output, output
    server = Leat(pipeline, f"{work}/run")
    server.binary = f"{leat.prefix}/bin/leat"
    rows = f"{work}/run/rows.txt"
    for stop in ("terminate", "kill", "terminate"):
        server.start()
        before = len(rows_of(rows))
        wait_until(lambda: len(rows_of(rows)) > before + 50, 30, "50 more rows")
        getattr(server, stop)()
    server.start()
    server.terminate()
    expected = [[str(n), "odd" if n % 2 else "even"] for n in range(0, 3 * len(rows_of(rows)), 3)]
    assert rows_of(rows) == expected, "rows are missing or there twice"


def test_contract_of_the_guide(work):
    leat = Installed(work)
    leat.add_plugins()
    env = dict(os.environ, PATH=f"{leat.prefix}/bin:{os.environ['PATH']}")
    lines = lines_of_the_contract()
    assert len(lines) == len(PLUGINS), lines
    for line in lines:
        code, output = command("sh", "-c", line.replace("/tmp/rows.txt", f"{work}/rows.txt"), env=env, cwd=leat.lib)
        assert code == 0 and "keeps the contract" in output, output


def test_a_column_that_the_sink_cannot_write(work):
    leat = Installed(work)
    leat.add_plugins()
    with open(f"{work}/wrong.toml", "w") as file:
        file.write('[pipeline]\nname = "wrong"\n[sources.s]\nconnector = "datagen"\n'
                   '[sources.s.schema]\nid = "BIGINT"\nf = "DOUBLE"\nok = "BOOLEAN"\n'
                   '[sinks.out]\ninput = "s"\nconnector = "lines"\npath = "x"\n')
    code, output = leat.run("check", f"{work}/wrong.toml")
    assert code == 1, output
    for column in ("f", "ok"):
        assert f'column "{column}" is neither an integer nor a string' in output, output
