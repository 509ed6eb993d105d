# SPDX-License-Identifier: Apache-2.0
"""Plugins that misbehave: whatever they do, leat names the plugin, the node and the call, and an end of the process that a
plugin brings about never looks like success. tests/plugins/misbehave is the plugin."""
import os
import re
import signal

from leattest import Leat
from leattest.leat import binary, run_verb
from leattest.pipeline import head

MISBEHAVE = """
[sources.culprit]
connector = "misbehave"
how = "{how}"
where = "{where}"
tells = "{tells}"
stall = "{stall}"
[sinks.nowhere]
input = "culprit"
connector = "blackhole"
"""

# how -> what is said of it
ENDS = {
    "exit": "leat: a plugin has ended the process by exit, version leat ",
    "quick-exit": "leat: a plugin has ended the process by quick_exit, ",
    "exit-now": "leat: a plugin has ended the process by _exit, ",
}
CALLS = {"poll": "poll", "create": "create", "open": "open", "timer": "timer", "save-state": "save_state",
         "close": "close", "destroy": "destroy"}


def folder(work):
    """A plugin folder with the culprit in it."""
    build = os.path.dirname(binary())
    os.makedirs(f"{work}/plugins")
    for path in ("lib/blackhole.so", "lib/datagen.so", "lib/sql.so", "tests/misbehave/misbehave.so"):
        os.link(f"{build}/{path}", f"{work}/plugins/{os.path.basename(path)}")
    return f"{work}/plugins"


def pipeline(plugins, how, where="poll", tells="right", stall="3s"):
    return (head("run", "100ms", server={"plugin.dir": plugins})
            + MISBEHAVE.format(how=how, where=where, tells=tells, stall=stall))


def in_callback(call):
    return f'in plugin "misbehave" version 7.1 .misbehave., node "run/culprit", callback {call}$'


def in_code(plugins):
    return f'in the code of plugin "misbehave" version 7.1, file {os.path.realpath(plugins)}/misbehave.so, offset 0x'


def checked(work, how, where="check", tells="right", stall="3s", **env):
    """`leat check` with it: exit code and what was said."""
    with open(f"{work}/{where}.toml", "w") as file:
        file.write(pipeline(f"{work}/plugins", how, where, tells, stall))
    done = run_verb("check", f"{work}/{where}.toml", env={"LEAT_HTTP": "127.0.0.1:0", "LEAT_DATA": work, **env})
    return done.returncode, done.stderr


def test_a_plugin_that_holds_its_worker_is_named(work):
    leat = Leat(pipeline(folder(work), "stall"), f"{work}/leat").launch()
    words = 'node "culprit" of pipeline "run" (plugin misbehave 7.1) has been in poll for'
    line = leat.wait_logged("worker-stalls")
    assert " WARN " in line and words in line
    status, body = leat.get("/health/live")
    assert status == 503 and words.replace('"', '\\"') in body, body
    leat.wait_logged("worker-turns")
    assert leat.get("/health/live")[0] == 200
    leat.terminate()


def test_a_stop_that_a_plugin_holds_up_says_so_and_how_to_end_it(work):
    leat = Leat(pipeline(folder(work), "stall", stall="10min"), f"{work}/leat").launch()
    leat.wait_logged("worker-stalls")
    leat.child.send(signal.SIGTERM)
    line = leat.wait_logged("stop-waits", 10)
    assert "a second signal ends leat at once: " in line
    assert 'node "culprit" of pipeline "run" (plugin misbehave 7.1) has been in poll for' in line
    leat.wait_logged("after 6 s, .*has not passed the last checkpoint yet", 10)
    leat.wait_logged("after 12 s, .*has not closed yet", 15)
    assert leat.child.stop(timeout=10) == -signal.SIGTERM
    assert leat.logged(" stop-now ")


def test_a_node_that_never_closes_is_named_while_leat_stops(work):
    leat = Leat(pipeline(folder(work), "never-closes"), f"{work}/leat").start()
    leat.child.send(signal.SIGTERM)
    line = leat.wait_logged("stop-waits", 10)
    assert 'at once: node "culprit" has not closed yet' in line, line
    assert leat.child.stop(timeout=10) == -signal.SIGTERM


def test_a_plugin_that_crashes_is_named_and_the_signal_seen(work):
    plugins = folder(work)
    for how, number in (("crash", signal.SIGSEGV), ("abort", signal.SIGABRT)):
        leat = Leat(pipeline(plugins, how), f"{work}/leat-{how}").launch()
        assert leat.wait_end() == -number
        assert leat.logged(f"crashed by {number.name}, version leat ")
        assert leat.logged(in_callback("poll"))
        assert leat.logged(in_code(plugins))
        assert leat.logged(f"^{os.path.realpath(plugins)}/misbehave.so\\(\\+0x"), "its frames in the backtrace"
        assert leat.logged(r"leat\(\+0x"), "leat's frames in the backtrace"


def test_a_plugin_that_ends_the_process_is_named_and_it_is_no_success(work):
    plugins = folder(work)
    for how, said in ENDS.items():
        leat = Leat(pipeline(plugins, how), f"{work}/leat-{how}").launch()
        assert leat.wait_end() == 4
        assert leat.logged(said) and leat.logged(in_callback("poll")) and leat.logged(in_code(plugins)), how
        assert leat.logged("it wanted exit code 0; this is no success"), how


def test_every_callback_is_named(work):
    plugins = folder(work)
    for where, call in CALLS.items():
        leat = Leat(pipeline(plugins, "exit", where), f"{work}/leat-{where}").launch()
        if where in ("close", "destroy"):
            leat.wait_ready()
            leat.child.send(signal.SIGTERM)
        assert leat.wait_end() == 4, where
        assert leat.logged(in_callback(call)), where


def test_a_thread_of_a_plugin_is_known_by_its_code(work):
    plugins = folder(work)
    for how, code in (("crash", -signal.SIGSEGV), ("abort", -signal.SIGABRT), ("exit", 4), ("exit-now", 4)):
        leat = Leat(pipeline(plugins, how, "thread"), f"{work}/leat-{how}").launch()
        assert leat.wait_end() == code, how
        assert leat.logged(in_code(plugins)) and not leat.logged("callback"), how


def test_a_plugin_is_named_while_pipelines_are_checked(work):
    plugins = folder(work)
    for where in ("check", "describe"):
        code, said = checked(work, "crash", where)
        node = ', node "run/culprit"' if where == "describe" else ""
        assert code == -signal.SIGSEGV and in_code(plugins) in said, said
        assert f'in plugin "misbehave" version 7.1 (misbehave){node}, callback {where}\n' in said, said
        for how, words in ENDS.items():
            code, said = checked(work, how, where)
            assert code == 4 and words in said and in_code(plugins) in said, said


def test_a_plugin_that_does_not_come_back_is_named_while_pipelines_are_checked(work):
    folder(work)
    code, said = checked(work, "stall", "describe", stall="5s")
    assert code == 0, said
    assert re.search(r"leat: for [34] seconds nothing has gone on here: a call of a plugin does not come back\n"
                     r'leat: in plugin "misbehave" version 7.1 .misbehave., node "run/culprit", callback describe\n',
                     said), said


TELLS = {
    "no-list": "there are some, and the list of them is NULL",
    "no-columns": "output 0 has columns that are NULL",
    "far-key": "output 0 has a key of columns that are not there",
    "no-type": "output 0, column 0 has a type of no kind that there is",
    "endless-type": "output 0, column 0 has a type that is nested too deeply, or has too many fields",
    "no-mode": "output 0 has a mode that there is not",
}


def test_a_plugin_that_tells_nonsense_of_its_outputs_is_refused(work):
    folder(work)
    for tells, words in TELLS.items():
        code, said = checked(work, "mumble", "poll", tells=tells)
        assert code == 1, f"{tells}: {said}"
        assert ('error: what "culprit" (misbehave) says of its outputs breaks the rules of plugins: '
                f"{words} [LEAT-G0031]\n") in said, said
        assert "\n1 error\n" in said, said


def test_a_plugin_is_named_while_it_is_loaded(work):
    file = f"{folder(work)}/misbehave.so"
    for variable, call in (("LEAT_MISBEHAVE_LOADING", "constructor"), ("LEAT_MISBEHAVE_ENTRY", "leat_plugin_entry")):
        code, said = checked(work, "mumble", **{variable: "crash"})
        assert code == -signal.SIGSEGV and f'in plugin "{file}", callback {call}\n' in said, said
        code, said = checked(work, "mumble", **{variable: "exit"})
        assert code == 4 and f'in plugin "{file}", callback {call}\n' in said, said


WRONG_ANSWER = """
[sources.numbers]
connector = "datagen"
rows-per-second = 100
[sources.numbers.schema]
id = "BIGINT"
[lookups.culprit]
connector = "misbehave"
how = "{how}"
[operators.joined]
operator = "sql"
query = "SELECT n.id, c.id AS found FROM numbers n LEFT JOIN culprit FOR SYSTEM_TIME AS OF PROCTIME() AS c ON n.id = c.id"
[sinks.nowhere]
input = "joined"
connector = "blackhole"
"""

WRONG_ANSWERS = {
    "keys": "answered a row of a key that the question does not have",
    "columns": "answered a batch with other columns than its port has",
    "rows": "answered a batch with more rows than it has room for",
    "twice": "answered a question that is not open: it was never asked, or has its answer",
    "never-asked": "answered a question that is not open: it was never asked, or has its answer",
    "again": "answered a question and then said LEAT_AGAIN to it",
    "thread": "answered on a thread that is not its worker",
}


def test_a_lookup_that_answers_wrongly_fails_its_job(work):
    plugins = folder(work)
    for how, words in WRONG_ANSWERS.items():
        text = head("run", server={"plugin.dir": plugins}) + WRONG_ANSWER.format(how=how)
        leat = Leat(text, f"{work}/leat-{how}").launch()
        line = leat.wait_logged("job-failed")
        assert f'node "culprit" (misbehave, plugin misbehave 7.1) {words}' in line and "code=LEAT-R0008" in line, (how, line)
        leat.terminate(code=4)
