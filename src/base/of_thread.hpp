// Objects of which each thread has one.
#pragma once

#if defined(__MINGW32__)
#include <pthread.h>
#endif

namespace convoy::inline v0 {

/// The calling thread's T, made when it is first asked for; Tag tells several of one type apart. At a thread's end gcc
/// for Windows frees the memory of thread_local objects before it destroys them (its bug 80816), so theirs is on the
/// heap there.
template <class T, class Tag = T>
T& of_thread() {
#if defined(__MINGW32__)
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    ::pthread_key_create(&made, [](void* object) { delete static_cast<T*>(object); });
    return made;
  }();
  void* object = ::pthread_getspecific(key);
  if (object == nullptr) {
    object = new T();
    ::pthread_setspecific(key, object);
  }
  return *static_cast<T*>(object);
#else
  thread_local T object;
  return object;
#endif
}

}  // namespace convoy::inline v0
