"""compare.py and table.py on JSON that convoy-bench has just written, and on changed copies of it."""

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, run=None):
        path = os.path.join(self.folder.name, name)
        if run is not None:
            with open(path, "w") as file:
                json.dump(run, file)
        return path

    def script(self, name, *arguments):
        return subprocess.run([sys.executable, os.path.join(SCRIPTS, name), *arguments], capture_output=True, text=True)

    def changed(self, change):
        run = copy.deepcopy(RUN)
        for result in run["results"]:
            change(result)
        return run

    def compare(self, new, *arguments):
        return self.script("compare.py", self.path("old.json", RUN), self.path("new.json", new), *arguments)

    def slower(self, factor, implementation="convoy"):
        def change(result):
            if result["implementation"] != implementation:
                return
            for kind in ("resident_seconds", "host_to_host_seconds"):
                for statistic in ("min", "median", "max"):
                    result[kind][statistic] *= factor
        return self.changed(change)

    def test_the_run_has_what_the_schema_promises(self):
        self.assertEqual(RUN["schema_version"], 1)
        for key in ("convoy_version", "commit", "command", "date", "host_cpu", "system"):
            self.assertTrue(RUN[key], key)
        own = [r for r in RUN["results"] if r["implementation"] == "convoy"]
        self.assertEqual([r["case"] for r in own], ["own"])
        for result in own:
            self.assertTrue(result["passed"])
            self.assertLessEqual(result["error_relative_l2"], result["tolerance_relative_l2"])
            self.assertEqual(len(result["padded_zyx"]), 3)
            self.assertEqual(result["peak_device_bytes"], result["footprint_bytes"])
            for key in ("plan_seconds", "first_load_seconds", "next_load_seconds", "floor_seconds", "traffic_bytes",
                        "copy_ceiling_bytes_per_second", "median_over_floor", "device", "driver"):
                self.assertIn(key, result)

    def test_a_run_equals_itself(self):
        answer = self.compare(RUN)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("1.000", answer.stdout)

    def test_a_slower_run_fails_past_the_threshold_only(self):
        self.assertEqual(self.compare(self.slower(1.3)).returncode, 1)
        self.assertEqual(self.compare(self.slower(1.3), "--threshold", "1.5").returncode, 0)
        self.assertEqual(self.compare(self.slower(0.5)).returncode, 0)

    def test_a_slower_peer_is_no_failure(self):
        self.assertEqual(self.compare(self.slower(3, "FFTW")).returncode, 0)

    def test_wrong_missing_and_incomparable_results_fail(self):
        wrong = self.changed(lambda result: result.update(passed=False))
        self.assertEqual(self.compare(wrong).returncode, 1)
        self.assertEqual(self.compare({**RUN, "results": []}).returncode, 1)
        other = self.changed(lambda result: result.update(case="another"))
        self.assertEqual(self.compare(other).returncode, 1)

    def test_another_schema_is_refused(self):
        answer = self.compare({**RUN, "schema_version": 2})
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("schema_version", answer.stderr)

    def test_the_table_has_a_line_a_case_and_bold_own_times(self):
        gpu = self.changed(lambda result: result.update(backend="cuda", device_id="cuda:0"))
        for run, title in ((RUN, "on the CPU"), (gpu, "on the GPU")):
            answer = self.script("table.py", self.path("run.json", run))
            self.assertEqual(answer.returncode, 0, answer.stderr)
            lines = [line for line in answer.stdout.splitlines() if line.startswith("|")]
            self.assertEqual(len(lines), 2 + len({r["case"] for r in run["results"]}))
            self.assertEqual({line.count("|") for line in lines}, {lines[0].count("|")})
            self.assertIn("**", lines[2])
            self.assertIn(title, answer.stdout)

    def test_every_gpu_has_a_table(self):
        def on(device):
            return self.changed(lambda result: result.update(backend="cuda", device_id="cuda:0", device=device))
        answer = self.script("table.py", self.path("one.json", on("GPU one")), self.path("two.json", on("GPU two")))
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertEqual(len([line for line in answer.stdout.splitlines() if line.startswith("|")]),
                         2 * (2 + len({r["case"] for r in RUN["results"]})))
        for device in ("GPU one", "GPU two"):
            self.assertIn(f"on the GPU ({device})", answer.stdout)

    def test_the_readme_keeps_what_is_outside_the_markers(self):
        readme = self.path("README.md")
        with open(readme, "w") as file:
            file.write("before\n<!-- benchmarks:begin -->\nold table\n<!-- benchmarks:end -->\nafter\n")
        run = self.path("run.json", RUN)
        for _ in range(2):  # the second time, the table made by the first is replaced
            self.assertEqual(self.script("table.py", run, "--readme", readme).returncode, 0)
        with open(readme) as file:
            text = file.read()
        self.assertTrue(text.startswith("before\n<!-- benchmarks:begin -->\n"))
        self.assertTrue(text.endswith("\n<!-- benchmarks:end -->\nafter\n"))
        self.assertNotIn("old table", text)
        self.assertEqual(text.count("| case |"), 1)

    def test_a_readme_without_markers_is_left_alone(self):
        readme = self.path("README.md")
        with open(readme, "w") as file:
            file.write("nothing\n")
        self.assertNotEqual(self.script("table.py", self.path("run.json", RUN), "--readme", readme).returncode, 0)
        with open(readme) as file:
            self.assertEqual(file.read(), "nothing\n")


def run_of(bench):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "run.json")
        subprocess.run([bench, "--size", "16,20,24", "--kernel", "5,5,5", "--backend", "cpu", "--repeats", "3", "--json",
                        path], check=True, stdout=subprocess.DEVNULL)
        with open(path) as file:
            return json.load(file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True)
    parser.add_argument("--scripts", required=True)
    arguments, rest = parser.parse_known_args()
    SCRIPTS = arguments.scripts
    RUN = run_of(arguments.bench)
    unittest.main(argv=[sys.argv[0], *rest])
