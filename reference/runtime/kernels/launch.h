// The step of all tensors of one call, shared out among threads by lanes.
#include <stdlib.h>

// Begins of shares are multiples of this, so that no two threads write to one cache line.
enum { SHARE = 64 };

// What a call is told; `column` says where in a row of `kept` (a row of `width` addresses for each
// tensor) each state is, below zero for one that is not there.
struct call {
    long tensors;
    const long *length;
    void *const *theta;
    void *const *grad;
    void *const *kept;
    long width;
    const long *column;
    const double *number;
    double *scalar;
};

static void find_arrays(const struct call *call, long k, void **at)
{
    at[0] = call->theta[k];
    at[1] = call->grad[k];
    for (long s = 0; s < ARRAYS - 2; s++) {
        const long column = call->column[s];
        at[2 + s] = column < 0 ? 0 : call->kept[k * call->width + column];
    }
}

// The first lane of thread k of n: tensors lie end to end.
static inline long first_lane(long total, long k, long n)
{
    return k >= n ? total : (long)((double)total * k / n) / SHARE * SHARE;
}

static void step_share(const struct call *call, long first, long last)
{
    void *at[ARRAYS];
    long before = 0;
    for (long k = 0; k < call->tensors && before < last; before += call->length[k++]) {
        const long begin = first > before ? first - before : 0;
        const long end = last - before < call->length[k] ? last - before : call->length[k];
        if (begin >= end)
            continue;
        find_arrays(call, k, at);
#ifdef SUMS
        step(at, call->number, call->scalar + k * SCALARS, begin, end);
#else
        step(at, call->number, begin, end);
#endif
    }
}

#ifdef SUMS
// Sums are added up by chunks of a tensor, in order: how many threads there are changes nothing.
enum { CHUNK = 4096 };

static inline long chunks(long lanes) { return (lanes + CHUNK - 1) / CHUNK; }

static void add_chunk(const struct call *call, const long *first, long c, double *part)
{
    void *at[ARRAYS];
    long low = 0, high = call->tensors;  // first[low] <= c < first[high]
    while (high - low > 1) {
        const long middle = low + (high - low) / 2;
        if (first[middle] <= c)
            low = middle;
        else
            high = middle;
    }
    const long begin = (c - first[low]) * CHUNK, left = call->length[low] - begin;
    find_arrays(call, low, at);
    sums(at, call->number, begin, begin + (left < CHUNK ? left : CHUNK), part + c * SUMS);
}

static void finish_tensor(const struct call *call, const long *first, long k, const double *part)
{
    void *at[ARRAYS];
    double sum[SUMS] = {0};
    for (long c = first[k]; c < first[k + 1]; c++)
        for (long s = 0; s < SUMS; s++)
            sum[s] += part[c * SUMS + s];
    find_arrays(call, k, at);
    whole(at, call->number, sum, call->length[k], call->scalar + k * SCALARS);
}

static void sum_all(const struct call *call, long *first, double *part, long threads)
{
    const long all = first[call->tensors];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (long c = 0; c < all; c++)
        add_chunk(call, first, c, part);
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (long k = 0; k < call->tensors; k++)
        finish_tensor(call, first, k, part);
}

static int find_scalars(struct call *call, long threads)
{
    long *first = malloc((call->tensors + 1) * sizeof *first);
    if (!first)
        return 1;
    first[0] = 0;
    for (long k = 0; k < call->tensors; k++)
        first[k + 1] = first[k] + chunks(call->length[k]);
    double *part = malloc((first[call->tensors] * SUMS + 1) * sizeof *part);
    if (part)
        sum_all(call, first, part, threads);
    const int failed = !part;
    free(part);
    free(first);
    return failed;
}
#endif

static void step_all(const struct call *call, long threads)
{
    long total = 0;
    for (long k = 0; k < call->tensors; k++)
        total += call->length[k];
#ifdef _OPENMP
    if (threads > 1) {
#pragma omp parallel num_threads(threads)
        {
            const long k = omp_get_thread_num(), n = omp_get_num_threads();
            step_share(call, first_lane(total, k, n), first_lane(total, k + 1, n));
        }
        return;
    }
#endif
    step_share(call, 0, total);
}

// 0, or 1 where there is no memory left; then nothing has changed.
int instep_step(
    long tensors, const long *length, void *const *theta, void *const *grad, void *const *kept,
    long width, const long *column, const double *number, long threads)
{
    struct call call = {tensors, length, theta, grad, kept, width, column, number, 0};
#ifdef SUMS
    call.scalar = malloc((tensors * SCALARS + 1) * sizeof *call.scalar);
    const int failed = !call.scalar || find_scalars(&call, threads);
    if (!failed)
        step_all(&call, threads);
    free(call.scalar);
    return failed;
#else
    step_all(&call, threads);
    return 0;
#endif
}

// One column of numbers, float or double: 1 and the number if it is the same for all tensors.
int instep_read(
    long tensors, void *const *kept, long width, long column, int wide, double *value)
{
    for (long k = 0; k < tensors; k++) {
        const void *at = kept[k * width + column];
        const double x = wide ? *(const double *)at : *(const float *)at;
        if (k > 0 && !(x == *value))
            return 0;
        *value = x;
    }
    return tensors > 0;
}

void instep_write(
    long tensors, void *const *kept, long width, long column, int wide, double value)
{
    for (long k = 0; k < tensors; k++) {
        void *at = kept[k * width + column];
        if (wide)
            *(double *)at = value;
        else
            *(float *)at = (float)value;
    }
}
