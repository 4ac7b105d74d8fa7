"""Takes a running process instruction by instruction, to end it at a place
where no signal would ever find it: under a lock held for a hundred of them.

    with Stepped(pid) as process:
        for _ in process.steps(100000):
            if process.word(address) == pid:
                process.kill()
                break
"""

import ctypes
import os
import signal
import sys
import threading

ATTACH, STEP, DETACH = 16, 9, 17
ALL_KINDS = 0x40000000                  # __WALL: tracees that are no children

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                         ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class Stepped:
    def __init__(self, pid):
        self.pid = pid
        self.alive = True

    def __enter__(self):
        """PermissionError where a system does not let us."""
        self.memory = open(f"/proc/{self.pid}/mem", "rb", buffering=0)
        self._ask(ATTACH)
        os.waitpid(self.pid, ALL_KINDS)
        return self

    def __exit__(self, *_):
        self.memory.close()
        if self.alive:
            self._ask(DETACH)

    def steps(self, most, seconds=30):
        """After each one the process stands still, until the next. One that
        has nothing to do for so long that the time is over is killed."""
        watchdog = threading.Timer(
            seconds, lambda: os.kill(self.pid, signal.SIGKILL))
        watchdog.daemon = True
        watchdog.start()
        try:
            yield from self._steps(most)
        finally:
            watchdog.cancel()

    def _steps(self, most):
        pass_on = 0
        for number in range(most):
            self._ask(STEP, pass_on)
            _, status = os.waitpid(self.pid, ALL_KINDS)
            if not os.WIFSTOPPED(status):
                self.alive = False
                raise ChildProcessError(f"ended with status {status}")
            stopped_by = os.WSTOPSIG(status)
            pass_on = 0 if stopped_by == signal.SIGTRAP else stopped_by
            yield number

    def word(self, address):
        return int.from_bytes(os.pread(self.memory.fileno(), 8, address),
                              sys.byteorder)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, ALL_KINDS)
        self.alive = False

    def _ask(self, what, data=0):
        if _libc.ptrace(what, self.pid, None, data) == -1:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
