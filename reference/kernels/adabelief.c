// GENERATED from spec/algorithms/adabelief.py (dialect adabelief/paper) by
//     python -m instep.reference.generate
//
// AdaBelief, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
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
    stored *restrict s_ = at[3];  // exp_avg_var
    const real _decay = (real)number[0];  // 1 - lr * weight_decay
    const real _mean = (real)number[1];  // 1 - beta1
    const real beta2 = (real)number[2];
    const real _belief = (real)number[3];  // 1 - beta2
    const real eps = (real)number[4];
    const real _denominator_2 = (real)number[5];  // math.sqrt(_denominator)
    const real _update = (real)number[6];  // -lr / _first_correction

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real s = load(s_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // adabelief.gradient@yes
        } else {
            g = grad;  // adabelief.gradient@no
        }
        theta = theta * _decay;  // adabelief.decay@decoupled
        m = lerp(m, g, _mean);  // adabelief.mean
        m_[i] = store(m);
        real d = g - m;  // adabelief.deviation@new_mean
        s = beta2 * s + _belief * d * d + eps;  // adabelief.belief@accumulated
        s_[i] = store(s);
        real s_hat = sqrt(s) / _denominator_2 + eps;  // adabelief.denominator@accumulated
        theta = theta + _update * m / s_hat;  // adabelief.first_correction, adabelief.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
