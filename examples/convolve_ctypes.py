"""An image with one bright voxel, blurred, by ctypes alone: convolve_ctypes.py [LIBRARY]. (With NumPy, use the package convoy.)"""
import ctypes
import sys

F32 = 2


class Image(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("data", ctypes.c_void_p), ("element", ctypes.c_int32), ("shape", ctypes.c_int64 * 3),
                ("batch", ctypes.c_int64), ("strides", ctypes.POINTER(ctypes.c_int64))]


def image_of(voxels, *shape):
    return Image(ctypes.sizeof(Image), ctypes.addressof(voxels), F32, shape, 1, None)


convoy = ctypes.CDLL(sys.argv[1] if len(sys.argv) > 1 else "libconvoy.so.0")
convoy.convoy_last_error.restype = ctypes.c_char_p
image = (ctypes.c_float * 35)()
image[2 * 7 + 3] = 1
kernel = (ctypes.c_float * 9)(*[1] * 9)
blurred = (ctypes.c_float * 35)()
views = [ctypes.byref(image_of(image, 1, 5, 7)), ctypes.byref(image_of(kernel, 1, 3, 3)), None, None, ctypes.byref(image_of(blurred, 1, 5, 7))]
if convoy.convoy_convolve(*views) != 0:
    sys.exit(convoy.convoy_last_error().decode())
for y in range(5):
    print("".join(f"{round(voxel):3d}" for voxel in blurred[7 * y : 7 * y + 7]))
