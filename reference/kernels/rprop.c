// GENERATED from spec/algorithms/rprop.py (dialect rprop/torch) by
//     python -m instep.reference.generate
//
// Rprop, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
#include "lanes.h"

enum { ARRAYS = 4 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict g_last_ = at[2];  // prev
    stored *restrict z_ = at[3];  // step_size
    const real grow = (real)number[0];
    const real shrink = (real)number[1];
    const real smallest = (real)number[2];
    const real largest = (real)number[3];

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real g_last = load(g_last_[i]);
        real z = load(z_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // rprop.gradient@yes
        } else {
            g = grad;  // rprop.gradient@no
        }
        real s = sign(g * g_last);  // rprop.agreement
        real _factor = s < 0;
        real f = s > 0 ? grow : (_factor ? shrink : 1);  // rprop.factor
        z = minimum(maximum(z * f, smallest), largest);  // rprop.step_size
        z_[i] = store(z);
        g_last = _factor ? 0 : g;  // rprop.last_gradient
        g_last_[i] = store(g_last);
        theta = theta - sign(g_last) * z;  // rprop.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
