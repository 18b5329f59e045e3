// GENERATED from spec/algorithms/ademamix.py (dialect ademamix/constant) by
//     python -m instep.reference.generate
//
// AdEMAMix, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
#include "lanes.h"

enum { ARRAYS = 5 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m1_ = at[2];  // exp_avg_fast
    stored *restrict m2_ = at[3];  // exp_avg_slow
    stored *restrict v_ = at[4];  // exp_avg_sq
    const real _decay = (real)number[0];  // 1 - lr * weight_decay
    const real _fast_average = (real)number[1];  // 1 - beta1
    const real _slow_average = (real)number[2];  // 1 - b3
    const real beta2 = (real)number[3];
    const real _second_moment = (real)number[4];  // 1 - beta2
    const real _update = (real)number[5];  // -lr
    const real _first_correction = (real)number[6];  // 1 - beta1**t
    const real share = (real)number[7];  // alpha
    const real _update_2 = (real)number[8];  // math.sqrt(_second_correction)
    const real eps = (real)number[9];

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m1 = load(m1_[i]);
        real m2 = load(m2_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // ademamix.gradient@yes
        } else {
            g = grad;  // ademamix.gradient@no
        }
        theta = theta * _decay;  // ademamix.decay@decoupled
        m1 = lerp(m1, g, _fast_average);  // ademamix.fast_average
        m1_[i] = store(m1);
        m2 = lerp(m2, g, _slow_average);  // ademamix.slow_average
        m2_[i] = store(m2);
        v = beta2 * v + _second_moment * g * g;  // ademamix.second_moment
        v_[i] = store(v);
        // ademamix.first_correction, ademamix.second_correction, ademamix.update
        theta = theta + _update * (m1 / _first_correction + share * m2) / (sqrt(v) / _update_2 + eps);
        theta_[i] = store(theta);
    }
}

#include "launch.h"
