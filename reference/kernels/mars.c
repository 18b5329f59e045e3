// GENERATED from spec/algorithms/mars.py (dialect mars/adamw) by
//     python -m instep.reference.generate
//
// MARS: what each tensor comes to as a whole, then its lanes. Of x, `x_` is the array and `x`
// the value in a lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
#include "lanes.h"

enum { ARRAYS = 5 };
#define SUMS 1
#define SCALARS 1

static void sums(void *const *at, const double *number, long begin, long end, double *sum)
{
    const stored *restrict grad_ = at[1];  // its gradient
    const stored *restrict last_ = at[4];  // last_grad
    const real _corrected = (real)number[0];  // gamma * (beta1 / (1 - beta1))

    double _size = 0;
    SIMD_SUM(_size)
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real last = load(last_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // mars.gradient@yes
        } else {
            g = grad;  // mars.gradient@no
        }
        real c = g + _corrected * (g - last);  // mars.corrected
        _size += c * c;
    }
    sum[0] = _size;
}

static void whole(
    void *const *at, const double *number, const double *sum, long lanes, double *scalar)
{
    const real _size = (real)sum[0];
    real size = maximum(sqrt(_size), 1);  // mars.size
    scalar[0] = size;
}

static void step(
    void *const *at, const double *number, const double *scalar, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict v_ = at[3];  // exp_avg_sq
    stored *restrict last_ = at[4];  // last_grad
    const real _corrected = (real)number[0];  // gamma * (beta1 / (1 - beta1))
    const real _first_moment = (real)number[1];  // 1 - beta1
    const real _decay = (real)number[2];  // 1 - lr * weight_decay
    const real beta2 = (real)number[3];
    const real _second_moment = (real)number[4];  // 1 - beta2
    const real _update = (real)number[5];  // -lr / _first_correction
    const real _update_2 = (real)number[6];  // math.sqrt(_second_correction)
    const real eps = (real)number[7];
    const real size = (real)scalar[0];

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real last = load(last_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // mars.gradient@yes
        } else {
            g = grad;  // mars.gradient@no
        }
        real c = g + _corrected * (g - last);  // mars.corrected
        c = c / size;  // mars.corrected@clipped
        last = g;  // mars.last_gradient
        last_[i] = store(last);
        m = lerp(m, c, _first_moment);  // mars.first_moment
        m_[i] = store(m);
        theta = theta * _decay;  // mars.decay
        v = beta2 * v + _second_moment * c * c;  // mars.second_moment
        v_[i] = store(v);
        // mars.first_correction, mars.second_correction, mars.update@adamw
        theta = theta + _update * m / (sqrt(v) / _update_2 + eps);
        theta_[i] = store(theta);
    }
}

#include "launch.h"
