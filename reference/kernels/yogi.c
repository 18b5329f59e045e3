// GENERATED from spec/algorithms/yogi.py (dialect yogi/paper) by
//     python -m instep.reference.generate
//
// Yogi, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
#include "lanes.h"

enum { ARRAYS = 4 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict v_ = at[3];  // exp_avg_sq
    const real weight_decay = (real)number[0];
    const real _first_moment = (real)number[1];  // 1 - beta1
    const real _second_moment_2 = (real)number[2];  // 1 - beta2
    const real _update = (real)number[3];  // -lr
    const real eps = (real)number[4];

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // yogi.gradient@yes
        } else {
            g = grad;  // yogi.gradient@no
        }
        g = g + weight_decay * theta;  // yogi.l2
        m = lerp(m, g, _first_moment);  // yogi.first_moment
        m_[i] = store(m);
        real _second_moment = g * g;
        v = v - _second_moment_2 * sign(v - _second_moment) * _second_moment;  // yogi.second_moment
        v_[i] = store(v);
        real m_hat = m;  // yogi.first_correction@none
        real v_hat = v;  // yogi.second_correction@none
        theta = theta + _update * m_hat / (sqrt(v_hat) + eps);  // yogi.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
