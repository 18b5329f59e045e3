// GENERATED from spec/algorithms/nadam.py (dialect nadam/torch) by
//     python -m instep.reference.generate
//
// NAdam, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE                   maximize
//     DECAY_L2_AND_WEIGHT_DECAY  not decoupled_weight_decay and weight_decay != 0
//     DECAY_DECOUPLED            decoupled_weight_decay
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
    const real mu_next = (real)number[5];  // beta1 * (1 - 0.5 * 0.96**((t + 1) * psi))
    const real _first_correction = (real)number[6];  // 1 - product * mu_next
    const real _first_correction_2 = (real)number[7];  // 1 - mu
    const real _first_correction_3 = (real)number[8];  // 1 - product
    const real _denominator = (real)number[9];  // math.sqrt(_second_correction)
    const real eps = (real)number[10];
    const real _update = (real)number[11];  // -lr

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // nadam.gradient@yes
        } else {
            g = grad;  // nadam.gradient@no
        }
        if (DECAY_L2_AND_WEIGHT_DECAY) {
            g = g + weight_decay * theta;  // nadam.l2
        }
        if (DECAY_DECOUPLED) {
            theta = theta * _decay;  // nadam.decay
        }
        m = lerp(m, g, _first_moment);  // nadam.first_moment
        m_[i] = store(m);
        v = beta2 * v + _second_moment * g * g;  // nadam.second_moment
        v_[i] = store(v);
        // nadam.first_correction
        real m_hat = mu_next * m / _first_correction + _first_correction_2 * g / _first_correction_3;
        real d = sqrt(v) / _denominator + eps;  // nadam.second_correction, nadam.denominator
        theta = theta + _update * m_hat / d;  // nadam.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
