// GENERATED from spec/algorithms/adam.py (dialect adamw/torch) by
//     python -m instep.reference.generate
//
// AdamW, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE     maximize
//     AMSGRAD_RAW  amsgrad
#include "lanes.h"

enum { ARRAYS = 5 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict v_ = at[3];  // exp_avg_sq
    stored *restrict v_max_ = at[4];  // max_exp_avg_sq
    const real _decay = (real)number[0];  // 1 - lr * weight_decay
    const real _first_moment = (real)number[1];  // 1 - beta1
    const real beta2 = (real)number[2];
    const real _second_moment = (real)number[3];  // 1 - beta2
    const real _denominator = (real)number[4];  // math.sqrt(_second_correction)
    const real eps = (real)number[5];
    const real _update = (real)number[6];  // -lr / _first_correction

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // adamw.gradient@yes
        } else {
            g = grad;  // adamw.gradient@no
        }
        theta = theta * _decay;  // adamw.decay@decoupled
        m = lerp(m, g, _first_moment);  // adamw.first_moment
        m_[i] = store(m);
        v = beta2 * v + _second_moment * g * g;  // adamw.second_moment
        v_[i] = store(v);
        real _v_hat;
        if (AMSGRAD_RAW) {
            real v_max = load(v_max_[i]);
            v_max = maximum(v_max, v);  // adamw.maximum@raw
            v_max_[i] = store(v_max);
            _v_hat = v_max;
        } else {
            _v_hat = v;
        }
        // adamw.second_correction@both, adamw.denominator
        real d = sqrt(_v_hat) / _denominator + eps;
        theta = theta + _update * m / d;  // adamw.first_correction@both, adamw.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
