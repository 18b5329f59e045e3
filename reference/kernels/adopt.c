// GENERATED from spec/algorithms/adopt.py (dialect adopt/paper) by
//     python -m instep.reference.generate
//
// ADOPT, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
//     T_IS_1    t == 1
#include "lanes.h"

enum { ARRAYS = 4 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict v_ = at[3];  // exp_avg_sq
    const real weight_decay = (real)number[0];
    const real eps = (real)number[1];
    const real c = (real)number[2];  // (t - 1)**power
    const real _normalized = (real)number[3];  // -c
    const real _first_moment = (real)number[4];  // 1 - beta1
    const real _update = (real)number[5];  // -lr
    const real beta2 = (real)number[6];
    const real _second_moment = (real)number[7];  // 1 - beta2

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // adopt.gradient@yes
        } else {
            g = grad;  // adopt.gradient@no
        }
        g = g + weight_decay * theta;  // adopt.l2
        if (T_IS_1) {
            v = g * g;  // adopt.second_moment@first
            v_[i] = store(v);
        } else {
            real n = g / maximum(sqrt(v), eps);  // adopt.normalized
            n = maximum(minimum(n, c), _normalized);  // adopt.normalized@clipped
            m = lerp(m, n, _first_moment);  // adopt.first_moment
            m_[i] = store(m);
            theta = theta + _update * m;  // adopt.update
            theta_[i] = store(theta);
            v = beta2 * v + _second_moment * g * g;  // adopt.second_moment
            v_[i] = store(v);
        }
    }
}

#include "launch.h"
