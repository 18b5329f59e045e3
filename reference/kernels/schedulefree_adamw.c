// GENERATED from spec/algorithms/schedulefree_adamw.py (dialect schedulefree-adamw/authors) by
//     python -m instep.reference.generate
//
// AdamWScheduleFree, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
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
    stored *restrict z_ = at[2];  // z
    stored *restrict v_ = at[3];  // exp_avg_sq
    const real beta2 = (real)number[0];
    const real _second_moment = (real)number[1];  // 1 - beta2
    const real _denominator = (real)number[2];  // math.sqrt(_second_correction)
    const real eps = (real)number[3];
    const real weight_decay = (real)number[4];
    const real c = (real)number[5];  // 0
    const real _update = (real)number[6];  // lr_t * (beta1 * (1 - c) - 1)
    const real _base = (real)number[7];  // -lr_t

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real z = load(z_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // schedulefree-adamw.gradient@yes
        } else {
            g = grad;  // schedulefree-adamw.gradient@no
        }
        v = beta2 * v + _second_moment * g * g;  // schedulefree-adamw.second_moment
        v_[i] = store(v);
        // schedulefree-adamw.second_correction, schedulefree-adamw.denominator@outside
        real d = sqrt(v) / _denominator + eps;
        real u = g / d;  // schedulefree-adamw.direction
        if (WEIGHT_DECAY) {
            u = u + weight_decay * theta;  // schedulefree-adamw.decay@training
        }
        theta = theta + c * (z - theta) + _update * u;  // schedulefree-adamw.update
        theta_[i] = store(theta);
        z = z + _base * u;  // schedulefree-adamw.base
        z_[i] = store(z);
    }
}

#include "launch.h"
