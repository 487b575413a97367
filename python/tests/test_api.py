"""Names, defaults, documentation; plans, devices, self-test, deconvolution."""

import inspect
import subprocess
import sys

import convoy
import numpy as np
import pytest
from convoy import _core

PUBLIC = [getattr(convoy, name) for name in convoy.__all__ if not name.startswith("_")]


def defaults_of(function):
    return {n: p.default for n, p in inspect.signature(function).parameters.items() if p.default is not p.empty}


def test_defaults_are_those_of_the_library():
    found = _core.defaults()
    for function in (convoy.convolve, convoy.Convolver):
        ours = defaults_of(function)
        for name, value in {**found["convolution"], **found["plan"]}.items():
            assert ours[name] == value, (function, name)
    ours = defaults_of(convoy.Deconvolver)
    for name, value in found["deconvolution"].items():
        assert ours[name] == value, name
    assert defaults_of(convoy.deconvolve)["iterations"] is ours["iterations"] is None


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda t: t.__name__)
def test_everything_public_is_documented(thing):
    assert thing.__doc__
    functions = [thing] if inspect.isfunction(thing) else [thing.__init__] if thing in (convoy.Convolver, convoy.Deconvolver) else []
    for function in functions:
        for name in inspect.signature(function).parameters:
            if name not in ("self", "options") and not name.startswith("_"):
                assert name in thing.__doc__, f"{thing.__name__} does not document {name}"


def test_version_and_extension():
    assert convoy.__version__ == _core.version
    assert set(convoy.__all__) <= set(dir(convoy))


def test_plan(rng):
    plan = convoy.plan((128, 512, 512), (31, 31, 31), device="cpu", memory_limit="64MiB")
    assert plan.num_tiles > 1
    assert plan.device_bytes <= 64 << 20
    assert plan.json["kind"] == "convolution"
    assert "device memory" in str(plan)
    assert repr(plan).startswith("<convoy.Plan: ")
    page = plan._repr_html_()
    assert page.count("<tr>") == 1 + len(plan.json["ledger"])
    assert "total" in page
    assert convoy.plan((64, 64), (5, 5), batch=10, device="cpu").device_bytes > 0
    with pytest.raises(ValueError, match="axes"):
        convoy.plan((64, 64), (5,))


def test_devices():
    found = convoy.devices()
    assert any(d.id.startswith("cpu") for d in found)
    assert "cpu" in repr(found)
    page = found._repr_html_()
    assert page.count("<tr>") == 1 + len(found) + len(found.unavailable)
    assert f"<td style='text-align:left'>{found[-1].id}</td>" in page
    assert not {d.id.partition(":")[0] for d in found} & set(found.unavailable)
    assert found.libraries
    for one in found.libraries:
        assert one["library"] and one["variable"].startswith("CONVOY_") and all(attempt["place"] for attempt in one["attempts"])
        # What was found was found at the last place, and each one before has a reason.
        problems = [attempt["problem"] for attempt in one["attempts"]]
        assert all(problems[:-1]) and (not problems or bool(problems[-1]) == (one["found"] == ""))


def test_selftest(device):
    seen = []
    report = convoy.selftest(device, progress=seen.append)
    assert report
    assert report.passed
    assert len(seen) == len(report.json["checks"])
    assert "passed" in repr(report)


def test_variables():
    convoy.set_variable("CONVOY_THREADS", 1)
    assert convoy.num_threads() == 1
    convoy.set_variable("CONVOY_THREADS", None)
    assert convoy.num_threads() >= 1


def test_deconvolution_restores(device, rng):
    truth = np.zeros((48, 64))
    truth[20:28, 30:40] = 5
    truth[10, 10] = 50
    z = np.arange(-4, 5)
    psf = np.exp(-(z[:, None] ** 2 + z**2) / 4)
    blurred = convoy.convolve(truth, psf, normalize=True, device=device)
    seen = []
    with convoy.Deconvolver(psf, blurred.shape, iterations=40, precision="float64", curve=True, device=device) as restore:
        restored = restore(blurred, progress=lambda p: seen.append(p.done))
        assert restore.plan.json["kind"] == "deconvolution"
        assert restore.report["iterations"] == 40
        curve = [line["divergence"] for line in restore.report["curve"]]
    assert seen[-1] == 40
    assert curve == sorted(curve, reverse=True)
    assert ((restored - truth) ** 2).sum() < 0.5 * ((blurred - truth) ** 2).sum()
    stack = convoy.deconvolve(np.stack([blurred, blurred]), psf, 40, device=device)
    assert stack.dtype == np.float64
    np.testing.assert_allclose(stack[1], restored, rtol=1e-9)
    mask = np.ones_like(blurred, bool)
    mask[5] = False
    masked = convoy.Deconvolver(psf, blurred.shape, iterations=2, device=device)
    masked(blurred, mask=mask)
    assert masked.report["missing_voxels"] == 64
    with pytest.raises(ValueError, match="mask"):
        masked(blurred, mask=mask[1:])
    with pytest.raises(convoy.Cancelled):
        masked(blurred, progress=lambda p: False)


def test_import_is_light():
    """No library of others is imported but NumPy."""
    code = "import sys, convoy; print([m for m in ('scipy', 'torch', 'jax', 'cupy', 'tqdm', 'dask', 'zarr', 'h5py') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_scenes_and_psfs():
    image = convoy.synthetic.spheres((20, 64, 64))
    assert set(np.unique(image)) == {0, 1}
    disc = convoy.synthetic.spheres((9, 9), centers=[(4, 4)], radius=2, value=7, dtype="uint8")
    y, x = np.mgrid[:9, :9] - 4
    assert np.array_equal(disc, 7 * (x**2 + y**2 <= 4))
    gauss = convoy.synthetic.gaussian_psf((15, 21), (1.5, 2.5), dtype="float64")
    y, x = np.mgrid[:15, :21]
    wanted = np.exp(-((y - 7) ** 2) / 4.5 - (x - 10) ** 2 / 12.5)
    np.testing.assert_allclose(gauss, wanted / wanted.sum(), rtol=1e-12)
    psf = convoy.synthetic.widefield_psf((9, 31, 31))
    assert psf.sum() == pytest.approx(1, rel=1e-5)
    assert psf.argmax() == np.ravel_multi_index((4, 15, 15), psf.shape)
    np.testing.assert_allclose(psf, psf[::-1, ::-1, ::-1], atol=1e-9)
    with pytest.raises(ValueError, match="axes"):
        convoy.synthetic.widefield_psf((31, 31))
    with pytest.raises(ValueError, match="sigma"):
        convoy.synthetic.gaussian_psf((5, 5), -1)


def test_libraries_of_pip_are_found(tmp_path, monkeypatch):
    from convoy import _libraries

    site = tmp_path / "lib" / "python3" / "site-packages"
    for name in ("nvidia/cu13/lib/libnvrtc.so.13", "nvidia/cuda_nvrtc/lib/libnvrtc.so.12", "mkl-2025.0.dist-info/METADATA"):
        (site / name).parent.mkdir(parents=True)
        (site / name).touch()
    (tmp_path / "lib" / "libmkl_rt.so.2").touch()
    monkeypatch.setattr(sys, "path", [str(site)])
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert _libraries.folders() == [str(site / "nvidia/cu13/lib"), str(site / "nvidia/cuda_nvrtc/lib"), str(tmp_path / "lib")]
    (site / "mkl-2025.0.dist-info" / "METADATA").unlink()
    (site / "mkl-2025.0.dist-info").rmdir()
    assert len(_libraries.folders()) == 2  # a library of that name which pip did not install is none of ours
