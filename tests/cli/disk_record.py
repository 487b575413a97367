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

    def snapshot(self):
        """What lies below the root: bytes of files, and names and inodes in folders, by inode."""
        found = {}
        for folder, folders, files in os.walk(self.root):
            inode_of = {name: str(os.lstat(os.path.join(folder, name)).st_ino) for name in folders + files}
            found[str(os.stat(folder).st_ino)] = inode_of
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    found[inode_of[name]] = file.read()
        return found

    def calls(self):
        """The calls of the last run, each a list of words."""
        with open(self.log) as log:
            return [line.rstrip("\n").split(" ") for line in log]

    def num_changes(self):
        """Calls of the last run that DISK_KILL_AT counts, if none has failed."""
        return sum(call[0] not in ("sync", "syncfs", "close") for call in self.calls())


def states_after_crash(start, calls, root, random, draws=2):
    """What may be in the folder of inode number `root` after the machine stops before any of the calls, or after the last: yields
    (number of calls made, {name: bytes of a file, or {path: bytes} of a folder}). Of what was not synchronised all is lost, all
    kept, or a random part; data and each folder's entries are lost independently of each other. `start` is Recorder.snapshot()."""
    disk = _Disk(start)
    for moment, call in enumerate([*calls, None]):
        for choose in (lambda: False, lambda: True, *[lambda: random.random() < 0.5] * draws):
            yield moment, disk.crashed(root, choose)
        if call is not None:
            disk.make(call)


class _Disk:
    """Files and folders by inode: what is synchronised of them, and the calls since then."""

    def __init__(self, start):
        self.files = {inode: data for inode, data in start.items() if isinstance(data, bytes)}
        self.folders = {inode: dict(entries) for inode, entries in start.items() if isinstance(entries, dict)}
        self.file_calls = {}    # by inode
        self.folder_calls = []  # (folders' inodes, call), in order

    def make(self, call):
        kind, *rest = call
        if kind in ("write", "truncate", "allocate"):
            self.file_calls.setdefault(rest[0], []).append(call)
        elif kind == "create":
            self.files[rest[2]] = b""  # the number may have been that of a file or folder that is gone
            self.folders.pop(rest[2], None)
            self.file_calls[rest[2]] = []
            self.folder_calls.append(call)
        elif kind == "mkdir":
            self.folders[rest[2]] = {}
            self.files.pop(rest[2], None)
            self.folder_calls.append(call)
        elif kind in ("unlink", "rename"):
            self.folder_calls.append(call)
        elif kind == "sync" and rest[0] in self.folders:
            kept = []
            for one in self.folder_calls:
                if rest[0] in _folders_of(one) and all(folder in self.folders for folder in _folders_of(one)):
                    _apply(self.folders, one)
                else:
                    kept.append(one)
            self.folder_calls = kept
        elif kind == "sync" and rest[0] in self.files:
            self.files[rest[0]] = _written(self.files[rest[0]], self.file_calls.pop(rest[0], []))
        elif kind == "syncfs":
            for inode in self.files:
                self.files[inode] = _written(self.files[inode], self.file_calls.pop(inode, []))
            for one in self.folder_calls:
                _apply(self.folders, one)
            self.folder_calls = []

    def crashed(self, root, choose):
        folders = {inode: dict(entries) for inode, entries in self.folders.items()}
        for call in self.folder_calls:
            if choose() and all(folder in folders for folder in _folders_of(call)):
                _apply(folders, call)
        files = {inode: _written(data, [call for call in self.file_calls.get(inode, []) if choose()])
                 for inode, data in self.files.items()}

        def content(inode):
            if inode in folders:
                return {name: content(inner) for name, inner in folders[inode].items()}
            return files.get(inode)

        return {name: _flat(content(inode)) for name, inode in folders[str(root)].items()}


def _flat(content, place=""):
    if not isinstance(content, dict):
        return content
    flat = {}
    for name, inner in sorted(content.items()):
        flat.update(_flat(inner, f"{place}{name}/") if isinstance(inner, dict) else {place + name: inner})
    return flat


def _folders_of(call):
    return (call[1], call[3]) if call[0] == "rename" else (call[1],)


def _apply(folders, call):
    """Does to the entries what is left to do of it: what it needs may have been lost."""
    kind, *rest = call
    if kind in ("create", "mkdir"):
        folders[rest[0]][rest[1]] = rest[2]
    elif kind == "unlink":
        folders[rest[0]].pop(rest[1], None)
    elif kind == "rename":
        source, name, target, new_name, flags, inode, replaced = rest
        folders[source].pop(name, None)
        folders[target][new_name] = inode
        if flags == "2":  # RENAME_EXCHANGE
            folders[source][name] = replaced


def _written(data, calls):
    data = bytearray(data)
    for kind, _, *rest in calls:
        end = int(rest[0]) + (len(rest[1]) // 2 if kind == "write" else 0)
        if kind == "truncate":
            del data[end:]
        data.extend(bytes(max(0, end - len(data))))
        if kind == "write":
            data[int(rest[0]):end] = bytes.fromhex(rest[1])
    return bytes(data)
