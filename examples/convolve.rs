// An image with one bright voxel, blurred, from Rust without any crate: rustc convolve.rs -lconvoy
use std::ffi::{c_void, CStr};
use std::os::raw::{c_char, c_int};
use std::ptr::null;

const F32: i32 = 2;

#[repr(C)]
struct Image {
    struct_size: usize,
    data: *mut c_void,
    element: i32,
    shape: [i64; 3],
    batch: i64,
    strides: *const i64,
}

extern "C" {
    fn convoy_convolve(image: *const Image, kernel: *const Image, spec: *const c_void, device: *const c_void, output: *const Image) -> c_int;
    fn convoy_last_error() -> *const c_char;
}

fn image_of(voxels: &mut [f32], shape: [i64; 3]) -> Image {
    assert_eq!(voxels.len() as i64, shape[0] * shape[1] * shape[2]);
    Image { struct_size: std::mem::size_of::<Image>(), data: voxels.as_mut_ptr().cast(), element: F32, shape, batch: 1, strides: null() }
}

fn main() {
    let (mut image, mut kernel, mut blurred) = ([0f32; 35], [1f32; 9], [0f32; 35]);
    image[2 * 7 + 3] = 1.0;
    let from = image_of(&mut image, [1, 5, 7]);
    let psf = image_of(&mut kernel, [1, 3, 3]);
    let to = image_of(&mut blurred, [1, 5, 7]);
    let status = unsafe { convoy_convolve(&from, &psf, null(), null(), &to) };
    if status != 0 {
        panic!("{}", unsafe { CStr::from_ptr(convoy_last_error()) }.to_string_lossy());
    }
    for row in blurred.chunks(7) {
        println!("{}", row.iter().map(|voxel| format!("{:3}", voxel.round().abs())).collect::<String>());
    }
}
