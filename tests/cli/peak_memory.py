"""The largest resident memory of a run of the program, as the system counts it."""
import subprocess
import sys

from program import PROGRAM

# A child counts the memory of the process that started it until it is another program: so a small one starts it.
SMALL_PARENT = "import os, sys; _, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0); " \
               "print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)"


def run_measured(words):
    """Returns exit code, peak in bytes, and what was said on stderr."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", SMALL_PARENT, PROGRAM, *map(str, words)], capture_output=True, text=True)
    code, kibibytes = done.stdout.split()[-2:]
    return int(code), int(kibibytes) * 1024, done.stderr


def require_refusal(code, stderr):
    """One line with numbers."""
    line = stderr.strip().splitlines()[-1]
    assert code == 1 and line.startswith("convoy: ") and sum(c.isdigit() for c in line) > 2, (code, stderr)
    return line
