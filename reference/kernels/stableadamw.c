// GENERATED from spec/algorithms/stableadamw.py (dialect stableadamw/paper) by
//     python -m instep.reference.generate
//
// StableAdamW: what each tensor comes to as a whole, then its lanes. Of x, `x_` is the array and `x`
// the value in a lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
#include "lanes.h"

enum { ARRAYS = 4 };
#define SUMS 1
#define SCALARS 1

static void sums(void *const *at, const double *number, long begin, long end, double *sum)
{
    const stored *restrict grad_ = at[1];  // its gradient
    const stored *restrict v_ = at[3];  // exp_avg_sq
    const real _second_moment_2 = (real)number[0];  // 1 - beta2_hat
    const real _spread = (real)number[1];  // eps**2

    double _spread_2 = 0;
    SIMD_SUM(_spread_2)
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // stableadamw.gradient@yes
        } else {
            g = grad;  // stableadamw.gradient@no
        }
        real _second_moment = g * g;
        v = lerp(v, _second_moment, _second_moment_2);  // stableadamw.second_moment
        _spread_2 += _second_moment / maximum(v, _spread);
    }
    sum[0] = _spread_2;
}

static void whole(
    void *const *at, const double *number, const double *sum, long lanes, double *scalar)
{
    const real lr = (real)number[2];
    const real _spread_2 = (real)(sum[0] / lanes);
    real spread = sqrt(_spread_2);  // stableadamw.spread
    real step_size = lr / maximum(1, spread);  // stableadamw.step_size
    scalar[0] = step_size;
}

static void step(
    void *const *at, const double *number, const double *scalar, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict v_ = at[3];  // exp_avg_sq
    const real _second_moment_2 = (real)number[0];  // 1 - beta2_hat
    const real _first_moment = (real)number[3];  // 1 - beta1_hat
    const real weight_decay = (real)number[4];
    const real eps = (real)number[5];
    const real step_size = (real)scalar[0];

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // stableadamw.gradient@yes
        } else {
            g = grad;  // stableadamw.gradient@no
        }
        m = lerp(m, g, _first_moment);  // stableadamw.first_moment
        m_[i] = store(m);
        real _second_moment = g * g;
        v = lerp(v, _second_moment, _second_moment_2);  // stableadamw.second_moment
        v_[i] = store(v);
        theta = theta - step_size * weight_decay * theta;  // stableadamw.decay
        theta = theta - step_size * m / (sqrt(v) + eps);  // stableadamw.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
