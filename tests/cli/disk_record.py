"""Runs programs under tests/support/disk_recorder.cpp, which says what can be asked for, and reads its log."""
import os
import subprocess


class Recorder:
    """Watches what programs do to files below `root`."""

    def __init__(self, library, root):
        self.library, self.root, self.log = str(library), str(root), f"{root}.disk-log"

    def environment(self, **settings):
        """`settings` are those of disk_recorder.cpp without DISK_: kill_at=3, fail="sync:5" ..."""
        return {**os.environ, "LD_PRELOAD": self.library, "DISK_ROOT": self.root, "DISK_LOG": self.log,
                **{f"DISK_{name.upper()}": str(value) for name, value in settings.items()}}

    def start(self, words, **settings):
        if os.path.exists(self.log):
            os.remove(self.log)
        return subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment(**settings))

    def run(self, words, **settings):
        process = self.start(words, **settings)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def calls(self):
        """The calls of the last run, each a list of words."""
        with open(self.log) as log:
            return [line.rstrip("\n").split(" ") for line in log]

    def num_changes(self):
        """Calls of the last run that DISK_KILL_AT counts, if none has failed."""
        return sum(call[0] not in ("sync", "syncfs", "close") for call in self.calls())
