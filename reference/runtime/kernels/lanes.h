// What the lanes of a kernel are made of: their types, and functions that C does not have.
//
// STORED says how tensors hold their numbers: 64, 32, or 16 for bfloat16, 15 for float16. Narrow
// ones are widened to float, computed with, and rounded once, to nearest even.
#include <stdint.h>
#include <string.h>
#include <tgmath.h>

#ifdef _OPENMP
#include <omp.h>
#define SIMD _Pragma("omp simd")
#define SIMD_SUM(...) PRAGMA(omp simd reduction(+ : __VA_ARGS__))
#define PRAGMA(text) _Pragma(#text)
#elif defined(__clang__)
#define SIMD _Pragma("clang loop vectorize(assume_safety)")
#define SIMD_SUM(...)
#else
#define SIMD _Pragma("GCC ivdep")
#define SIMD_SUM(...)
#endif

#if STORED == 64
typedef double real;
typedef double stored;
static inline real load(stored x) { return x; }
static inline stored store(real x) { return x; }
#elif STORED == 32
typedef float real;
typedef float stored;
static inline real load(stored x) { return x; }
static inline stored store(real x) { return x; }
#else
typedef float real;
typedef uint16_t stored;

static inline float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t to_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

#if STORED == 16
static inline real load(stored x) { return from_bits((uint32_t)x << 16); }

static inline stored store(real x)
{
    const uint32_t bits = to_bits(x);
    const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    return x != x ? 0x7fc0 : rounded;
}
#else
// The exponent is moved by a product with a power of two, which keeps subnormals exact.
static inline real load(stored x)
{
    const uint32_t sign = (uint32_t)(x & 0x8000) << 16;
    const uint32_t magnitude = (uint32_t)(x & 0x7fff) << 13;
    const float finite = from_bits(magnitude) * 0x1p112f;
    const float special = from_bits(magnitude | 0x7f800000);
    return from_bits(to_bits((x & 0x7c00) == 0x7c00 ? special : finite) | sign);
}

// Adding a power of two rounds at float16's last bit, subnormals included.
static inline stored store(real x)
{
    const uint32_t bits = to_bits(x), sign = bits & 0x80000000;
    const float size = from_bits(bits ^ sign);
    const uint32_t exponent = bits & 0x7f800000;
    const uint32_t least = 0x38800000;  // 2^-14, the smallest normal number
    const float anchor = from_bits((exponent < least ? least : exponent) + 0x06800000);
    const float rounded = ((size + anchor) - anchor) * 0x1p-112f;
    const uint32_t half = to_bits(rounded) >> 13;
    const uint32_t finite = size < 65520.0f ? half : 0x7c00;
    return (stored)((size != size ? 0x7e00 : finite) | sign >> 16);
}
#endif
#endif

// As torch's own, these hand on what is not a number.
static inline real maximum(real a, real b) { return a > b || a != a ? a : b; }
static inline real minimum(real a, real b) { return a < b || a != a ? a : b; }
static inline real sign(real a) { return (real)(a > 0) - (real)(a < 0); }

// Exact at both ends, and where a and b are equal.
static inline real lerp(real a, real b, real weight)
{
    return weight < (real)0.5 ? a + weight * (b - a) : b - (b - a) * (1 - weight);
}
