// The step of all tensors of one call, shared out among threads by lanes.

// Begins of shares are multiples of this, so that no two threads write to one cache line.
enum { SHARE = 64 };

// The first lane of thread k of n: tensors lie end to end.
static inline long first_lane(long total, long k, long n)
{
    return k >= n ? total : (long)((double)total * k / n) / SHARE * SHARE;
}

static void step_share(
    long tensors, const long *length, void *const *at, const double *number, long first, long last)
{
    long before = 0;
    for (long k = 0; k < tensors && before < last; before += length[k++]) {
        const long begin = first > before ? first - before : 0;
        const long end = last - before < length[k] ? last - before : length[k];
        if (begin < end)
            step(at + k * ARRAYS, number, begin, end);
    }
}

// `at` has the arrays of the first tensor, then those of the second, ...
void instep_step(
    long tensors, const long *length, void *const *at, const double *number, long threads)
{
    long total = 0;
    for (long k = 0; k < tensors; k++)
        total += length[k];
#ifdef _OPENMP
    if (threads > 1) {
#pragma omp parallel num_threads(threads)
        {
            const long k = omp_get_thread_num(), n = omp_get_num_threads();
            step_share(tensors, length, at, number, first_lane(total, k, n),
                       first_lane(total, k + 1, n));
        }
        return;
    }
#endif
    step_share(tensors, length, at, number, 0, total);
}
