"""`convoy deconvolve --picture` and `convoy report`: what they draw and write, of files with hostile names too."""
import base64
import html
import html.parser
import json
import re

from png_file import read_png
from program import FOLDER, ON_WINDOWS, fail, np, succeed

CPU = ("--backend", "cpu")
RNG = np.random.default_rng(3)
SHAPE = (8, 20, 30)
NAME = "<b>bright & \"dim\".npy" if not ON_WINDOWS else "bright & dim.npy"
np.save("psf.npy", np.outer(np.hanning(7), np.hanning(7))[None].astype(np.float32))
np.save("image.npy", RNG.poisson(50, SHAPE).astype(np.float32))
np.save(NAME, np.load("image.npy"))


class Page(html.parser.HTMLParser):
    """Every tag that is opened must be closed; what a page would fetch is collected."""
    VOID = {"meta", "img", "line", "polyline"}

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.links, self.text = [], [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "href"):
                (self.images if value.startswith("data:image/png;base64,") else self.links).append(value)

    def handle_startendtag(self, tag, attributes):
        assert tag in self.VOID, tag

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text.append(data)


def page_of(report, name="page.html"):
    succeed("report", report, name)
    return (FOLDER / name).read_text(encoding="utf-8")


def png_of(uri):
    return read_png(base64.b64decode(uri.split(",", 1)[1], validate=True))


# The picture: before, after, and the curve
succeed("deconvolve", "image.npy", "psf.npy", "out.npy", *CPU, "--iterations", 12, "--picture", "run.png", "--report", "run.json")
picture = read_png((FOLDER / "run.png").read_bytes())
after = np.load("out.npy").max(axis=0)
width = SHAPE[2] + 2 + SHAPE[0]
assert picture.shape[1] == 2 * width + 8 and picture.shape[0] > SHAPE[1] + 60
grey = 255 * ((after - after.min()) / (after.max() - after.min())) ** 0.5
assert np.argmax(picture[:20, width + 8:width + 38]) == np.argmax(after)
brightest = grey >= 128  # the least of both projections is the black one: compared are differences, not greys
assert np.corrcoef(picture[:20, width + 8:width + 38][brightest], grey[brightest])[0, 1] > 0.999
curve = picture[SHAPE[1] + 8:, :]
assert (curve[3:-3, 3:-3] == 0).any(axis=0).all(), "the curve has a gap"
assert np.argmax(curve[3:-3, 3] == 0) < np.argmax(curve[3:-3, -4] == 0), "the curve falls"

# The page stands alone and holds pictures, curve, memory and plan
text = page_of("run.json")
page = Page(text)
assert page.links == [] and len(page.images) == 2, (page.links, len(page.images))
before = png_of(page.images[0])
assert before.shape == (SHAPE[1], width) and np.argmax(before[:, :30]) == np.argmax(np.load("image.npy").max(axis=0))
report = json.loads((FOLDER / "run.json").read_text())
points = re.search(r'class="curve" points="([^"]*)"', text).group(1).split()
assert len(points) == len(report["curve"]) == 13
heights = [float(point.split(",")[1]) for point in points]
assert heights[0] == min(heights) and heights[-1] == max(heights), "a falling curve falls on the page"
words = " ".join(page.text)
for part in ("Richardson", "iterations", "Device memory", "Host memory", "out.npy", *(line["name"] for line in report["plan"]["ledger"])):
    assert part in words or part == "Richardson" and "rl" in words, part

# Names of files are text, not HTML
succeed("deconvolve", NAME, "psf.npy", "out2.npy", *CPU, "--iterations", 2, "--report", "hostile.json")
hostile = page_of("hostile.json")
assert "<b>" not in hostile and html.escape(NAME) in hostile
assert NAME in " ".join(Page(hostile).text)

# Of a convolution, a raw output, a report that was moved beside its files, and files that are gone
succeed("convolve", "image.npy", "psf.npy", "blurred.raw", *CPU, "--report", "convolve.json")
assert len(Page(page_of("convolve.json")).images) == 2 and "Course of the iterations" not in page_of("convolve.json")
(FOLDER / "moved").mkdir()
for name in ("run.json", "image.npy", "out.npy"):
    (FOLDER / name).rename(FOLDER / "moved" / name)
moved = Page(page_of("moved/run.json"))
assert len(moved.images) == 2
(FOLDER / "moved" / "out.npy").unlink()
gone = Page(page_of("moved/run.json"))
assert len(gone.images) == 1 and "not shown" in " ".join(gone.text)

# Fast tiles have no curve; the picture has two parts
succeed("deconvolve", "moved/image.npy", "psf.npy", "fast.npy", *CPU, "--iterations", 2, "--tiles", "fast", "--picture", "fast.png")
assert read_png((FOLDER / "fast.png").read_bytes()).shape[0] in (SHAPE[1], SHAPE[1] + 128)

# What is no report is refused, and leaves no page
np.save("no.npy", np.zeros(3))
(FOLDER / "no.json").write_text("{}")
(FOLDER / "cut.json").write_text((FOLDER / "moved" / "run.json").read_text()[:100])
(FOLDER / "odd.json").write_text(json.dumps({"plan": {"kind": "deconvolution", "ledger": 3, "reasons": [1]}, "image": [], "curve": [1, {}],
                                             "devices": ["x"], "warnings": {"a": 1}, "timings": None, "output": {"path": 5}}))
fail(1, "no report", "report", "no.json", "page2.html")
fail(1, "no JSON", "report", "cut.json", "page2.html")
fail(1, "no JSON", "report", "no.npy", "page2.html")
fail(1, "missing.json", "report", "missing.json", "page2.html")
Page(page_of("odd.json"))
fail(2, "a name of its own", "deconvolve", "moved/image.npy", "psf.npy", "x.npy", *CPU, "--picture", "y.png", "--report", "y.png")
fail(2, ".png", "deconvolve", "moved/image.npy", "psf.npy", "x.npy", *CPU, "--picture", "y.jpg")
