"""Runs a notebook and writes the picture of the cell whose id is "picture". Usage: run_notebook.py NOTEBOOK PICTURE"""

import base64
import pathlib
import sys
import tempfile

import nbclient
import nbformat

notebook = nbformat.read(sys.argv[1], as_version=4)
with tempfile.TemporaryDirectory() as folder:
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
(cell,) = (c for c in notebook.cells if c.id == "picture")
(picture,) = (o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {}))
pathlib.Path(sys.argv[2]).write_bytes(base64.b64decode(picture))
