import os
import signal
import sys
from pathlib import Path

import pytest

from deploy.local.ports import free_port, port_of
from deploy.local.processes import Process, wait_until

SAYS_READY = "import signal, sys; {how}; print('ready', flush=True); signal.pause()"
IGNORES_SIGTERM = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def spawned(root: Path, how: str = "pass") -> Process:
    program = Process(root, "ada", f"marked-{root.name}")
    program.spawn((sys.executable, "-c", SAYS_READY.format(how=how), program.mark), {})
    wait_until(lambda: "ready" in program.log.read_text(), 20, "Ada's program")
    return program


def test_a_program_runs_in_a_session_of_its_own_until_it_is_stopped(tmp_path):
    program = spawned(tmp_path)
    pid = program.pid()

    assert pid is not None
    assert os.getsid(pid) == pid
    assert program.stop()
    assert program.pid() is None
    assert not program.pid_file.exists()
    assert not program.stop()


def test_a_program_that_ignores_sigterm_is_killed_after_its_time(tmp_path):
    program = spawned(tmp_path, IGNORES_SIGTERM)

    assert program.stop(within=0.2)
    assert program.pid() is None


def test_a_pid_that_belongs_to_another_program_now_is_neither_running_nor_killed(tmp_path):
    program = Process(tmp_path, "kafka", "/somewhere/kafka/server.properties")
    program.pid_file.parent.mkdir()
    program.pid_file.write_text(f"{os.getpid()}\n")

    assert program.pid() is None
    assert not program.stop(kill=True)


def test_a_program_keeps_its_port(tmp_path):
    program = Process(tmp_path, "mail", "-m deploy.local.mail")

    assert port_of(program) == port_of(program)
    assert port_of(program, "-second") != port_of(program)


def test_free_ports_lie_outside_the_range_of_outgoing_connections():
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    assert all(free_port() < lowest_outgoing for _ in range(50))


def test_ctrl_c_waits_until_a_program_that_was_started_is_noted(tmp_path, monkeypatch):
    program = Process(tmp_path, "ada", f"marked-{tmp_path.name}")
    posix_spawn = os.posix_spawn

    def spawn_and_interrupt(*command, **how):
        pid = posix_spawn(*command, **how)
        signal.raise_signal(signal.SIGINT)
        return pid

    monkeypatch.setattr(os, "posix_spawn", spawn_and_interrupt)
    # a shell ignores the signal for what it runs in the background
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            program.spawn((sys.executable, "-c", SAYS_READY.format(how="pass"), program.mark), {})
    finally:
        signal.signal(signal.SIGINT, before)

    assert program.stop()
