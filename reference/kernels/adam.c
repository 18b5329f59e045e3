// GENERATED from spec/algorithms/adam.py (dialect adam/paper) by
//     python -m instep.reference.generate
//
// Adam, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE                   maximize
//     DECAY_L2_AND_WEIGHT_DECAY  not decoupled_weight_decay and weight_decay != 0
//     DECAY_DECOUPLED            decoupled_weight_decay
//     AMSGRAD_RAW                amsgrad
#include "lanes.h"

enum { ARRAYS = 5 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict v_ = at[3];  // exp_avg_sq
    stored *restrict v_max_ = at[4];  // max_exp_avg_sq
    const real weight_decay = (real)number[0];
    const real _decay = (real)number[1];  // 1 - lr * weight_decay
    const real _first_moment = (real)number[2];  // 1 - beta1
    const real beta2 = (real)number[3];
    const real _second_moment = (real)number[4];  // 1 - beta2
    const real _denominator = (real)number[5];  // math.sqrt(_second_correction)
    const real eps = (real)number[6];
    const real _update = (real)number[7];  // -lr / _first_correction

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // adam.gradient@yes
        } else {
            g = grad;  // adam.gradient@no
        }
        if (DECAY_L2_AND_WEIGHT_DECAY) {
            g = g + weight_decay * theta;  // adam.l2
        }
        if (DECAY_DECOUPLED) {
            theta = theta * _decay;  // adam.decay@decoupled
        }
        m = lerp(m, g, _first_moment);  // adam.first_moment
        m_[i] = store(m);
        v = beta2 * v + _second_moment * g * g;  // adam.second_moment
        v_[i] = store(v);
        real _v_hat;
        if (AMSGRAD_RAW) {
            real v_max = load(v_max_[i]);
            v_max = maximum(v_max, v);  // adam.maximum@raw
            v_max_[i] = store(v_max);
            _v_hat = v_max;
        } else {
            _v_hat = v;
        }
        // adam.second_correction@both, adam.denominator
        real d = sqrt(_v_hat) / _denominator + eps;
        theta = theta + _update * m / d;  // adam.first_correction@both, adam.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
