// GENERATED from spec/algorithms/adamax.py (dialect adamax/torch) by
//     python -m instep.reference.generate
//
// Adamax, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE      maximize
//     WEIGHT_DECAY  weight_decay != 0
#include "lanes.h"

enum { ARRAYS = 4 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict u_ = at[3];  // exp_inf
    const real weight_decay = (real)number[0];
    const real _first_moment = (real)number[1];  // 1 - beta1
    const real beta2 = (real)number[2];
    const real eps = (real)number[3];
    const real _update = (real)number[4];  // -lr / _first_correction

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real u = load(u_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // adamax.gradient@yes
        } else {
            g = grad;  // adamax.gradient@no
        }
        if (WEIGHT_DECAY) {
            g = g + weight_decay * theta;  // adamax.l2
        }
        m = lerp(m, g, _first_moment);  // adamax.first_moment
        m_[i] = store(m);
        u = maximum(beta2 * u, fabs(g) + eps);  // adamax.infinity_norm@gradient
        u_[i] = store(u);
        real d = u;  // adamax.denominator
        theta = theta + _update * m / d;  // adamax.first_correction, adamax.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
