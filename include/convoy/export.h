/* CONVOY_API marks what a shared library of convoy exports: everything else is hidden in it. C and C++. On Windows programs that use
   the DLL define CONVOY_SHARED, which convoy's CMake package does for them. */
#ifndef CONVOY_EXPORT_H
#define CONVOY_EXPORT_H

#if defined(_WIN32)
#if defined(CONVOY_BUILDS_DLL)
#define CONVOY_API __declspec(dllexport)
#elif defined(CONVOY_SHARED)
#define CONVOY_API __declspec(dllimport)
#else
#define CONVOY_API
#endif
#else
#define CONVOY_API __attribute__((visibility("default")))
#endif

#endif
