! An image with one bright voxel, blurred, from Fortran: gfortran convolve.f90 $(pkg-config --libs convoy)
! Fortran's first index is the fastest, so an array a(nx, ny, nz) is an image of shape z, y, x.
module convoy
  use iso_c_binding
  implicit none
  integer(c_int32_t), parameter :: convoy_f32 = 2

  type, bind(c) :: convoy_image
    integer(c_size_t) :: struct_size = 0
    type(c_ptr) :: data = c_null_ptr
    integer(c_int32_t) :: element = convoy_f32
    integer(c_int64_t) :: shape(3) = 1
    integer(c_int64_t) :: batch = 1
    type(c_ptr) :: strides = c_null_ptr
  end type

  interface
    integer(c_int) function convoy_convolve(image, kernel, spec, device, output) bind(c)
      import
      type(convoy_image), intent(in) :: image, kernel, output
      type(c_ptr), value :: spec, device
    end function
    type(c_ptr) function convoy_last_error() bind(c)
      import
    end function
    integer(c_size_t) function strlen(text) bind(c)
      import
      type(c_ptr), value :: text
    end function
  end interface

contains

  function image_of(voxels) result(image)
    real(c_float), target, intent(in) :: voxels(:, :, :)
    type(convoy_image) :: image
    image%struct_size = c_sizeof(image)
    image%data = c_loc(voxels)
    image%shape = [size(voxels, 3), size(voxels, 2), size(voxels, 1)]
  end function

  subroutine require_ok(status)
    integer(c_int), intent(in) :: status
    character(kind=c_char), pointer :: text(:)
    if (status == 0) return
    call c_f_pointer(convoy_last_error(), text, [strlen(convoy_last_error())])
    print *, text
    error stop
  end subroutine
end module

program convolve
  use convoy
  implicit none
  real(c_float), target :: image(7, 5, 1) = 0, kernel(3, 3, 1) = 1, blurred(7, 5, 1)
  integer :: y
  image(4, 3, 1) = 1
  call require_ok(convoy_convolve(image_of(image), image_of(kernel), c_null_ptr, c_null_ptr, image_of(blurred)))
  do y = 1, 5
    print '(7i3)', nint(blurred(:, y, 1))
  end do
end program
