// GENERATED from spec/algorithms/radam.py (dialect radam/torch) by
//     python -m instep.reference.generate
//
// RAdam, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE                   maximize
//     DECAY_L2_AND_WEIGHT_DECAY  not decoupled_weight_decay and weight_decay != 0
//     DECAY_DECOUPLED            decoupled_weight_decay
//     RHO_ABOVE_RHO_MIN          rho > rho_min
#include "lanes.h"

enum { ARRAYS = 4 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict v_ = at[3];  // exp_avg_sq
    const real weight_decay = (real)number[0];
    const real _decay = (real)number[1];  // 1 - lr * weight_decay
    const real _first_moment = (real)number[2];  // 1 - beta1
    const real beta2 = (real)number[3];
    const real _second_moment = (real)number[4];  // 1 - beta2
    const real _first_correction = (real)number[5];  // 1 - beta1**t
    const real eps = (real)number[6];
    const real _denominator = (real)number[7];  // math.sqrt(1 - beta2**t)
    const real _update = (real)number[8];  // -lr * r
    const real _update_2 = (real)number[9];  // -lr

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // radam.gradient@yes
        } else {
            g = grad;  // radam.gradient@no
        }
        if (DECAY_L2_AND_WEIGHT_DECAY) {
            g = g + weight_decay * theta;  // radam.l2
        }
        if (DECAY_DECOUPLED) {
            theta = theta * _decay;  // radam.decay
        }
        m = lerp(m, g, _first_moment);  // radam.first_moment
        m_[i] = store(m);
        v = beta2 * v + _second_moment * g * g;  // radam.second_moment
        v_[i] = store(v);
        real m_hat = m / _first_correction;  // radam.first_correction
        if (RHO_ABOVE_RHO_MIN) {
            real d = (sqrt(v) + eps) / _denominator;  // radam.denominator@hat
            theta = theta + _update * m_hat / d;  // radam.update
            theta_[i] = store(theta);
        } else {
            theta = theta + _update_2 * m_hat;  // radam.update@unrectified
            theta_[i] = store(theta);
        }
    }
}

#include "launch.h"
