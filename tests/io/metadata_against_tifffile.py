"""What TIFF files say beside their voxels: read by convoy, written again, and compared with what tifffile reads of both.
The files are those of other programs: OME-XML in every spelling, ImageJ, SCIFIO, MetaMorph, and what is refused."""
import itertools
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import quoteattr

try:
    import numpy as np
    import tifffile
except ImportError as absent:
    print(f"SKIPPED: {absent}")
    sys.exit(0)

copy_image = sys.argv[1]
SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
random = np.random.default_rng(1)
TCZYX = (random.random((2, 3, 4, 16, 18)) * 1000).astype("u2")


def copy(source, target, axes="", series=None):
    words = [copy_image, str(source), str(target), axes] + ([str(series)] if series is not None else [])
    return subprocess.run(words, capture_output=True, text=True)


def copied(*words, **named):
    done = copy(*words, **named)
    assert done.returncode == 0, (words, done.stderr)
    return done.stderr


def refused(*words, containing, **named):
    done = copy(*words, **named)
    assert done.returncode == 1 and all(part in done.stderr for part in containing), (words, done)


def write_pages(path, pages, description, encoding="utf-8", **options):
    with tifffile.TiffWriter(path) as file:
        for i, page in enumerate(pages):
            text = description.encode(encoding) if i == 0 and description else None
            file.write(page, contiguous=False, metadata=None, photometric="minisblack", description=text, **options)


def pixels_xml(attributes="", inside="<{p}TiffData/>", sizes=TCZYX.shape, order="XYZCT", p="", kind="uint16"):
    t, c, z, y, x = sizes
    return (f'<{p}Pixels {attributes} SizeX="{x}" SizeY="{y}" SizeZ="{z}" SizeC="{c}" SizeT="{t}" DimensionOrder="{order}" '
            f'Type="{kind}" ID="Pixels:0">{inside.format(p=p)}</{p}Pixels>')


def ome_xml(*images, p="", root="", encoding="UTF-8"):
    space = f"xmlns:{p[:-1]}" if p else "xmlns"
    inner = "".join(f'<{p}Image ID="Image:{i}" Name="i{i}">{image}</{p}Image>' for i, image in enumerate(images))
    return f'<?xml version="1.0" encoding="{encoding}"?><!-- <OME> <Pixels SizeC="9"/> --><{p}OME {space}="{SCHEMA}" {root}>{inner}</{p}OME>'


def pixels_of(path):
    """The attributes of the one Pixels element, and the channels' names."""
    with tifffile.TiffFile(path) as file:
        root = ElementTree.fromstring(file.ome_metadata)
    pixels, = root.iter(f"{{{SCHEMA}}}Pixels")
    return pixels.attrib, [channel.get("Name") for channel in pixels.iter(f"{{{SCHEMA}}}Channel")]


def images_of(path):
    with tifffile.TiffFile(path) as file:
        series, = file.series
        return series.asarray().reshape(-1, *series.shape[-2:])


def check_prefixes(folder):
    source, target = folder / "in.ome.tif", folder / "out.ome.tif"
    for p in ("", "ome:", "ns0:", "OME:"):
        write_pages(source, TCZYX.reshape(-1, 16, 18), ome_xml(pixels_xml(p=p), p=p))
        copied(source, target)
        assert np.array_equal(tifffile.imread(target), TCZYX), p
    text = ome_xml(pixels_xml(inside='<![CDATA[<TiffData IFD="9"/>]]><TiffData/>'))
    write_pages(source, TCZYX.reshape(-1, 16, 18), text)
    copied(source, target)
    assert np.array_equal(tifffile.imread(target), TCZYX)


def check_orders(folder):
    source, target = folder / "in.ome.tif", folder / "out.ome.tif"
    for order in itertools.permutations("ZCT"):
        pages = TCZYX.transpose(*["TCZ".index(a) for a in reversed(order)], 3, 4).reshape(-1, 16, 18)
        write_pages(source, pages, ome_xml(pixels_xml(order="XY" + "".join(order))))
        copied(source, target)
        assert np.array_equal(tifffile.imread(target), TCZYX), order
    shuffled = random.permutation(24)  # each plane on a page of its own choice
    blocks = "".join(f'<TiffData FirstT="{i // 12}" FirstC="{i // 4 % 3}" FirstZ="{i % 4}" IFD="{list(shuffled).index(i)}">'
                     f'<UUID FileName="old.ome.tif">urn:uuid:1</UUID></TiffData>' for i in random.permutation(24))
    write_pages(source, TCZYX.reshape(-1, 16, 18)[shuffled], ome_xml(pixels_xml(inside=blocks)))
    copied(source, target)
    assert np.array_equal(tifffile.imread(target), TCZYX)
    twice = '<TiffData IFD="0" PlaneCount="24"/><TiffData IFD="3"/>'
    write_pages(source, TCZYX.reshape(-1, 16, 18), ome_xml(pixels_xml(inside=twice)))
    refused(source, target, containing=["--axes"])


def check_sizes(folder):
    source, target = folder / "in.ome.tif", folder / "out.ome.tif"
    cases = [("X=0.3 µm,Y=0.3 µm,Z=1E-5 dm", "X=0.3 µm,Y=0.3 µm,Z=1 µm"), ("X=65 nm,Y=0.065 µm,Z=0.3 µm", "X=65 nm,Y=65 nm,Z=300 nm"),
             ("Z=0.3 µm", "Z=0.3 µm"), ("X=0.57 mm,Y=570 \u03bcm", "X=0.57 mm,Y=0.57 mm"), ("X=0.65 &#181;m,Y=0.65 &#xB5;m", "X=0.65 µm,Y=0.65 µm"),
             ("X=1 pixel,Y=1 pixel,Z=1 pixel", "X=1 pixel,Y=1 pixel,Z=1 pixel"), ("X=2 in,Y=5.08 cm", "X=2 in,Y=2 in"),
             ("X=-0.3 µm,Y=0.3 µm,Z=0 µm", "X=0.3 µm,Y=0.3 µm"), ("X=0.3,Y=0.3,Z=2", "X=0.3 µm,Y=0.3 µm,Z=2 µm")]

    def attributes(text):
        result = {}
        for part in text.split(","):
            axis, value = part.split("=")
            number, *unit = value.split(" ")
            result["PhysicalSize" + axis] = number
            if unit:
                result[f"PhysicalSize{axis}Unit"] = unit[0]
        return result

    for encoding in ("UTF-8", "ISO-8859-1"):
        for given, expected in cases:
            if encoding != "UTF-8" and "\u03bc" in given:
                continue
            words = " ".join(f'{name}="{value}"' for name, value in attributes(given).items())
            write_pages(source, TCZYX.reshape(-1, 16, 18), ome_xml(pixels_xml(words), encoding=encoding), encoding)
            copied(source, target)
            found = {name: value for name, value in pixels_of(target)[0].items() if name.startswith("Physical")}
            assert found == attributes(expected), (given, found)
    words = 'PhysicalSizeX="1" PhysicalSizeXUnit="µm"'  # Latin-1 in what calls itself UTF-8
    write_pages(source, TCZYX.reshape(-1, 16, 18), ome_xml(pixels_xml(words)), "latin-1")
    copied(source, target)
    assert pixels_of(target)[0]["PhysicalSizeXUnit"] == "µm"


def check_names(folder):
    names = ["DAPI <1> & \"2\"", "grün", "µ"]
    source, target = folder / "in.ome.tif", folder / "out.ome.tif"
    channels = "".join(f"<Channel Name={quoteattr(name)}/>" for name in names)
    words = 'TimeIncrement="500" TimeIncrementUnit="ms" PhysicalSizeX="0.065"'
    write_pages(source, TCZYX.reshape(-1, 16, 18), ome_xml(pixels_xml(words, channels + "<TiffData/>")))
    for path in (target, folder / "imagej.tif", folder / "again.ome.tif"):
        copied(source, path)
        assert np.array_equal(images_of(path), (TCZYX if ".ome." in path.name else TCZYX.swapaxes(1, 2)).reshape(-1, 16, 18))
        if ".ome." in path.name:
            attributes, found = pixels_of(path)
            assert found == names, found
            seconds = float(attributes["TimeIncrement"]) * {"s": 1, "ms": 0.001}[attributes["TimeIncrementUnit"]]
            assert seconds == 0.5 and attributes["PhysicalSizeX"] == "0.065", attributes
        else:
            with tifffile.TiffFile(path) as file:
                metadata = file.imagej_metadata
                assert metadata["finterval"] == 0.5 and metadata["unit"] == "micron", metadata
                assert metadata["Labels"] == names * 8, metadata
                assert file.pages[0].tags["XResolution"].value == (200, 13)
        source = path


def check_imagej(folder):
    source, target = folder / "in.tif", folder / "out.tif"
    labels = [f"plane {i} µ𝛼" for i in range(24)]
    for unit, order in itertools.product(("um", "\\u00B5m", "nm", "pixel", "inch"), "<>"):
        metadata = {"axes": "TZCYX", "unit": unit, "spacing": 0.3, "finterval": 2.5, "Labels": labels}
        tifffile.imwrite(source, TCZYX.swapaxes(1, 2), imagej=True, metadata=metadata, resolution=(300, 7.5), byteorder=order)
        copied(source, target)
        with tifffile.TiffFile(source) as before, tifffile.TiffFile(target) as after:
            old, new = before.imagej_metadata, after.imagej_metadata
            for name in ("images", "channels", "slices", "frames", "spacing", "finterval", "Labels"):
                assert old.get(name) == new.get(name), (name, old.get(name), new.get(name))
            assert new["unit"] == ("micron" if unit in ("um", "\\u00B5m") else unit), new
            for tag in ("XResolution", "YResolution"):
                assert old is new or np.divide(*before.pages[0].tags[tag].value) == np.divide(*after.pages[0].tags[tag].value)
            assert np.array_equal(before.asarray(), after.asarray())
    for unit in (2, 3):  # a page that says nothing but its resolution
        tifffile.imwrite(source, TCZYX[0, 0, 0], resolution=(300, 7.5), resolutionunit=unit, photometric="minisblack", metadata=None)
        copied(source, target)
        with tifffile.TiffFile(target) as file:
            tags = {tag: file.pages[0].tags[tag].value for tag in ("XResolution", "YResolution", "ResolutionUnit")}
            assert tags == {"XResolution": (300, 1), "YResolution": (15, 2), "ResolutionUnit": unit}, tags
    for spacing, warned in ((-0.3, "-0.3; its absolute value"), (0, "0 or no number"), ("nan", "0 or no number")):
        tifffile.imwrite(source, TCZYX[0, 0], imagej=True, metadata={"axes": "ZYX", "unit": "um", "spacing": spacing}, resolution=(10, 10))
        assert warned in copied(source, target), spacing
        with tifffile.TiffFile(target) as file:
            assert file.imagej_metadata.get("spacing") == (0.3 if spacing == -0.3 else None)
    tifffile.imwrite(source, TCZYX[0, 0], imagej=True, metadata={"axes": "ZYX", "cf": 0, "c0": -32768.0, "c1": 1.0})
    copied(source, target)
    assert np.array_equal(tifffile.imread(target), TCZYX[0, 0].astype("i4") - 32768)


def check_samples(folder):
    source, target = folder / "in.tif", folder / "out.tif"
    for kind, order in itertools.product(("i1", "u4", "i4", "u8", "i8", "f2"), "<>"):
        values = (random.random((2, 5, 7)) * 200 - (100 if kind[0] in "if" else 0)).astype(kind)
        tifffile.imwrite(source, values, byteorder=order, photometric="minisblack")
        copied(source, target)
        assert np.array_equal(tifffile.imread(target), values), (kind, order)
    tifffile.imwrite(source, np.array([[0, 2**53 + 1]], "u8"))
    refused(source, target, containing=["2^53", str(source)])
    for kind, order in itertools.product(("c8", "c16"), "<>"):
        values = (random.random((2, 5, 7)) + 1j * random.random((2, 5, 7))).astype(kind)
        tifffile.imwrite(source, values, byteorder=order, photometric="minisblack")
        copied(source, target)
        assert np.array_equal(tifffile.imread(target), values), (kind, order)
    mask = random.random((1, 9, 21)) < 0.5
    for photometric in ("minisblack", "miniswhite"):
        tifffile.imwrite(source, mask, photometric=photometric)
        copied(source, target)
        assert np.array_equal(tifffile.imread(target), mask[0].astype("u1")), photometric


def packed(data):
    """PackBits of literal runs alone."""
    return b"".join(bytes([len(data[i:i + 128]) - 1]) + data[i:i + 128] for i in range(0, len(data), 128))


def predicted(rows, order, predictor):
    """The bytes of rows of a strip or tile after the predictor. Source: TIFF 6.0, section 14; Photoshop Technical Note 3."""
    width = rows.itemsize
    if predictor == 2:
        stored = rows.view(f"u{width}")
        difference = np.concatenate([stored[:, :1], stored[:, 1:] - stored[:, :-1]], axis=1)
        return difference.astype(f"{order}u{width}").tobytes()
    planes = rows.astype(rows.dtype.newbyteorder(">")).view("u1").reshape(*rows.shape, width).swapaxes(1, 2).reshape(len(rows), -1)
    return np.concatenate([planes[:, :1], planes[:, 1:] - planes[:, :-1]], axis=1).tobytes()


def check_predictors(folder):
    """Every codec of zlib's and PackBits, strips and tiles, types and byte orders; the file is written here."""
    source, target = folder / "in.tif", folder / "out.tif"
    for kind, order, tile, codec in itertools.product(("u1", "i1", "u2", "i2", "u4", "i4", "u8", "f2", "f4", "f8"), "<>", (0, 32), (8, 32773)):
        values = (random.random((24, 40)) * 200 - (100 if kind[0] in "if" else 0)).astype(kind)
        predictor = 3 if kind[0] == "f" else 2
        pieces = [values[:16], values[16:]]
        if tile:
            padded = np.pad(values, ((0, 8), (0, 24)))
            pieces = [padded[y:y + 32, x:x + 32] for y in range(0, 24, 32) for x in range(0, 40, 32)]
        data = [predicted(piece.copy(), order, predictor) for piece in pieces]
        data = [zlib.compress(piece) if codec == 8 else packed(piece) for piece in data]
        places = np.cumsum([8] + [len(piece) for piece in data])
        two = struct.pack(order + "2I", *places[:2]), struct.pack(order + "2I", *map(len, data))
        bits, form = 8 * values.itemsize, {"u": 1, "i": 2, "f": 3}[kind[0]]
        size = [(322, 4, 1, 32), (323, 4, 1, 32)] if tile else [(278, 4, 1, 16)]
        table = int(places[-1])
        entries = sorted([(256, 4, 1, 40), (257, 4, 1, 24), (258, 3, 1, bits), (259, 3, 1, codec), (262, 3, 1, 1), (277, 3, 1, 1),
                          (324 if tile else 273, 4, 2, table), (325 if tile else 279, 4, 2, table + 8), (317, 3, 1, predictor), (339, 3, 1, form)] + size)
        directory = struct.pack(order + "H", len(entries))
        for tag, type_, count, value in entries:
            directory += struct.pack(order + "HHI", tag, type_, count) + (struct.pack(order + "HH", value, 0) if type_ == 3 else struct.pack(order + "I", value))
        header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, table + 16)
        source.write_bytes(header + b"".join(data) + b"".join(two) + directory + bytes(4))
        copied(source, target)
        assert np.array_equal(tifffile.imread(target), values), (kind, order, tile, codec)


def check_ways_out(folder):
    source, target = folder / "in.ome.tif", folder / "out.ome.tif"
    pages = TCZYX.reshape(-1, 16, 18)
    write_pages(source, pages[:12], ome_xml(pixels_xml()))  # interrupted
    refused(source, target, containing=["holds 12 planes", "24", "--axes"])
    copied(source, target, "CZYX")
    assert np.array_equal(images_of(target), pages[:12]) and tifffile.imread(target).shape[:2] == (3, 4)
    copied(source, target, "TC3Z2YX")
    assert tifffile.imread(target).shape[:3] == (2, 3, 2)
    refused(source, target, "TCZ5YX", containing=["12 planes"])
    write_pages(source, pages[:6], f'<OME xmlns="{SCHEMA}"><BinaryOnly MetadataFile="x.companion.ome" UUID="urn:uuid:2"/></OME>')
    refused(source, target, containing=["x.companion.ome", "--axes"])
    copied(source, target, "ZYX")
    assert np.array_equal(images_of(target), pages[:6])
    blocks = "".join(f'<TiffData IFD="0" FirstZ="{i}"><UUID FileName="{i}.ome.tif">u{i}</UUID></TiffData>' for i in range(4))
    write_pages(source, pages[:1], ome_xml(pixels_xml(inside=blocks, sizes=(1, 1, 4, 16, 18))))
    refused(source, target, containing=["set of 4 files", "--axes"])
    small = pages[:4, :8, :9].copy()
    text = ome_xml(pixels_xml(inside='<TiffData IFD="0" PlaneCount="24"/>'), pixels_xml(inside='<TiffData IFD="24" PlaneCount="4"/>', sizes=(1, 2, 2, 8, 9)))
    write_pages(source, list(pages) + list(small), text)
    refused(source, target, containing=["2 image series", "--series", "'i1'", "X 9", "C 2"])
    refused(source, target, series=2, containing=["no image series 2"])
    copied(source, target, series=0)
    assert np.array_equal(tifffile.imread(target), TCZYX)
    copied(source, target, series=1)
    assert np.array_equal(images_of(target), small) and tifffile.imread(target).shape == (2, 2, 8, 9)
    absent = ome_xml(pixels_xml(inside='<TiffData IFD="99" PlaneCount="2000000000"/>' * 1000), pixels_xml(inside='<TiffData IFD="0"/>'))
    write_pages(source, list(pages), absent)
    refused(source, target, series=0, containing=["none of the pages of image series 0"])
    write_pages(folder / "plain.tif", list(pages) + list(small), None)
    refused(folder / "plain.tif", target, containing=["must be alike", "--series"])
    copied(folder / "plain.tif", target, series=1)
    assert np.array_equal(images_of(target), small)
    write_pages(source, pages, ome_xml(pixels_xml())[:-30])
    refused(source, target, containing=["damaged at byte", "--axes"])
    laughs = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(30))
    write_pages(source, pages, f'<!DOCTYPE OME [<!ENTITY a0 "ha">{laughs}]>' + ome_xml(pixels_xml('A="&a30;"')).split("?>")[1])
    copied(source, target)  # no entity is expanded
    tall = "<a>" * 200000
    write_pages(source, pages, f'<OME xmlns="{SCHEMA}">{tall}')
    refused(source, target, containing=["damaged"])
    source = folder / "shaped.tif"
    with tifffile.TiffWriter(source) as file:  # two series of tifffile's own
        file.write(pages[:3], photometric="minisblack")
        file.write(pages[:5], photometric="minisblack")
    refused(source, target, containing=["--axes"])


def check_scifio(folder):
    source, target = folder / "in.tif", folder / "out.tif"
    pages = TCZYX[0].swapaxes(0, 1)  # Z C Y X
    text = ("SCIFIO=0.41.0\naxes=X,Y,Channel,Z\nlengths=18,16,3,4\nscales=0.1,0.1,1.0,0.3\nunits=um,um,null,um\nbitsPerPixel=16\n"
            "images=12\nchannels=3\nslices=4\nhyperstack=true\nmode=composite\n")
    write_pages(source, pages.reshape(-1, 16, 18), text)
    for axes in ("", "ZCYX"):
        copied(source, target, axes)
        with tifffile.TiffFile(target) as file:
            assert np.array_equal(file.asarray(), pages) and file.imagej_metadata["spacing"] == 0.3
    write_pages(source, pages.reshape(-1, 16, 18), None)
    refused(source, target, "ZCYX", containing=["--axes TZ10C3YX"])
    for axes in ("ZC3YX", "Z4CYX", "z4,c3,y,x"):
        copied(source, target, axes)
        assert np.array_equal(tifffile.imread(target), pages), axes


def stk_bytes(planes, distance=(3, 10), times=0):
    n, h, w = planes.shape
    uic1 = struct.pack("<2I", 4, 0) + struct.pack("<2I", 0, 0)
    uic2 = b"".join(struct.pack("<6I", *distance, 1, i * times, 0, 0) for i in range(n))
    uic3 = struct.pack("<2I", 500, 1) * n
    entries = [(254, 4, 1, 0), (256, 4, 1, w), (257, 4, 1, h), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, None),
               (277, 3, 1, 1), (278, 4, 1, h), (279, 4, 1, 2 * h * w), (33628, 4, 2, None), (33629, 5, n, None), (33630, 5, n, None)]
    place = 8 + 2 + 12 * len(entries) + 4
    places = {33628: place, 33629: place + len(uic1), 33630: place + len(uic1) + len(uic2), 273: place + len(uic1 + uic2 + uic3)}
    header = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    for tag, kind, count, value in entries:
        value = places.get(tag, value)
        header += struct.pack("<HHIHH", tag, kind, count, value, 0) if kind == 3 else struct.pack("<HHII", tag, kind, count, value)
    return header + struct.pack("<I", 0) + uic1 + uic2 + uic3 + planes.astype("<u2").tobytes()


def check_dialects(folder):
    planes, target = TCZYX[0].reshape(-1, 16, 18), folder / "out.tif"
    for name in ("stack.stk", "stack.tif"):
        (folder / name).write_bytes(stk_bytes(planes))
        copied(folder / name, target)
        with tifffile.TiffFile(target) as file:
            assert np.array_equal(file.asarray(), planes) and file.imagej_metadata["slices"] == 12
            assert file.imagej_metadata["spacing"] == 0.3
    (folder / "times.stk").write_bytes(stk_bytes(planes, (0, 1), 40))
    copied(folder / "times.stk", target)
    with tifffile.TiffFile(target) as file:
        assert np.array_equal(file.asarray(), planes) and file.imagej_metadata["frames"] == 12
    (folder / "stack.stk").write_bytes(stk_bytes(planes)[:-1])
    refused(folder / "stack.stk", target, containing=["truncated"])
    source = folder / "in.tif"
    for tag, name in ((34412, "Zeiss LSM"), (34361, "Olympus FluoView"), (65420, "Hamamatsu NDPI"), (43314, "NIH Image"), (51123, "Micro-Manager")):
        write_pages(source, planes, None, extratags=[(tag, 1, 8, bytes(8), True)])
        refused(source, target, containing=[name, "--axes"])
        copied(source, target, "ZYX")
        assert np.array_equal(tifffile.imread(target), planes)
    write_pages(source, planes, None, software="SI.LINE = 3")
    refused(source, target, containing=["ScanImage"])
    with tifffile.TiffWriter(source) as file:  # thumbnails first, and a mask
        file.write(planes[0, ::2, ::2].copy(), metadata=None, contiguous=False, subfiletype=1)
        for plane in planes[:3]:
            file.write(plane, metadata=None, contiguous=False)
            file.write(plane[::2, ::2].copy(), metadata=None, contiguous=False, subfiletype=1)
        file.write(planes[0], metadata=None, contiguous=False, subfiletype=2)
    with tifffile.TiffFile(source, mode="r+b") as file:
        file.pages[-1].tags[254].overwrite(4)
    assert "1 pages are masks" in copied(source, target)
    assert np.array_equal(tifffile.imread(target), planes[:3])


with tempfile.TemporaryDirectory() as name:
    for check in (check_prefixes, check_orders, check_sizes, check_names, check_imagej, check_samples, check_predictors, check_ways_out, check_scifio, check_dialects):
        check(pathlib.Path(name))
