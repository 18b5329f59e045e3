// The step of all tensors of one call, shared out among threads by lanes.

// What is kept of each tensor, a row of addresses for each: its states and its numbers.
struct table {
    void *const *at;
    long width;
};

// Begins of shares are multiples of this, so that no two threads write to one cache line.
enum { SHARE = 64, STATES = ARRAYS - 2 };

// The first lane of thread k of n: tensors lie end to end.
static inline long first_lane(long total, long k, long n)
{
    return k >= n ? total : (long)((double)total * k / n) / SHARE * SHARE;
}

static void step_share(
    long tensors, const long *length, void *const *theta, void *const *grad, struct table kept,
    const long *column, const double *number, long first, long last)
{
    void *at[ARRAYS];
    long before = 0;
    for (long k = 0; k < tensors && before < last; before += length[k++]) {
        const long begin = first > before ? first - before : 0;
        const long end = last - before < length[k] ? last - before : length[k];
        if (begin >= end)
            continue;
        at[0] = theta[k];
        at[1] = grad[k];
        for (long s = 0; s < STATES; s++)
            at[2 + s] = column[s] < 0 ? 0 : kept.at[k * kept.width + column[s]];
        step(at, number, begin, end);
    }
}

// `column` says where in a row each state is, below zero for one that is not there.
void instep_step(
    long tensors, const long *length, void *const *theta, void *const *grad, void *const *kept,
    long width, const long *column, const double *number, long threads)
{
    const struct table table = {kept, width};
    long total = 0;
    for (long k = 0; k < tensors; k++)
        total += length[k];
#ifdef _OPENMP
    if (threads > 1) {
#pragma omp parallel num_threads(threads)
        {
            const long k = omp_get_thread_num(), n = omp_get_num_threads();
            step_share(tensors, length, theta, grad, table, column, number,
                       first_lane(total, k, n), first_lane(total, k + 1, n));
        }
        return;
    }
#endif
    step_share(tensors, length, theta, grad, table, column, number, 0, total);
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
