// SPDX-License-Identifier: Apache-2.0
// Is this build watched by the address or the thread sanitizer? What would hide a fault from it stands back then.
#ifndef BASE_SANITIZED_H
#define BASE_SANITIZED_H

#if !defined(__has_feature) // gcc tells by macros of its own
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) ||               \
    __has_feature(thread_sanitizer)
#define BASE_SANITIZED 1
#else
#define BASE_SANITIZED 0
#endif

#endif
