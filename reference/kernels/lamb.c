// GENERATED from spec/algorithms/lamb.py (dialect lamb/paper) by
//     python -m instep.reference.generate
//
// LAMB: what each tensor comes to as a whole, then its lanes. Of x, `x_` is the array and `x`
// the value in a lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
#include "lanes.h"

enum { ARRAYS = 4 };
#define SUMS 2
#define SCALARS 1

static void sums(void *const *at, const double *number, long begin, long end, double *sum)
{
    const stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    const stored *restrict m_ = at[2];  // exp_avg
    const stored *restrict v_ = at[3];  // exp_avg_sq
    const real _first_moment = (real)number[0];  // 1 - beta1
    const real beta2 = (real)number[1];
    const real _second_moment = (real)number[2];  // 1 - beta2
    const real _first_correction = (real)number[3];  // 1 - beta1**t
    const real _direction = (real)number[4];  // math.sqrt(_second_correction)
    const real eps = (real)number[5];
    const real weight_decay = (real)number[6];

    double _weight_norm = 0, _direction_norm = 0;
    SIMD_SUM(_weight_norm, _direction_norm)
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // lamb.gradient@yes
        } else {
            g = grad;  // lamb.gradient@no
        }
        m = lerp(m, g, _first_moment);  // lamb.first_moment
        v = beta2 * v + _second_moment * g * g;  // lamb.second_moment
        // lamb.first_correction@inside, lamb.second_correction@inside, lamb.direction@inside
        real r = m / _first_correction / (sqrt(v) / _direction + eps) + weight_decay * theta;
        _weight_norm += theta * theta;
        _direction_norm += r * r;
    }
    sum[0] = _weight_norm;
    sum[1] = _direction_norm;
}

static void whole(
    void *const *at, const double *number, const double *sum, long lanes, double *scalar)
{
    const real _weight_norm = (real)sum[0];
    const real _direction_norm = (real)sum[1];
    real weight_norm = sqrt(_weight_norm);  // lamb.weight_norm@plain
    real direction_norm = sqrt(_direction_norm);  // lamb.direction_norm
    // lamb.trust_ratio@no
    real trust_ratio = weight_norm > 0 && direction_norm > 0 ? weight_norm / direction_norm : 1;
    scalar[0] = trust_ratio;
}

static void step(
    void *const *at, const double *number, const double *scalar, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict v_ = at[3];  // exp_avg_sq
    const real _first_moment = (real)number[0];  // 1 - beta1
    const real beta2 = (real)number[1];
    const real _second_moment = (real)number[2];  // 1 - beta2
    const real _first_correction = (real)number[3];  // 1 - beta1**t
    const real _direction = (real)number[4];  // math.sqrt(_second_correction)
    const real eps = (real)number[5];
    const real weight_decay = (real)number[6];
    const real _update = (real)number[7];  // -step_size
    const real trust_ratio = (real)scalar[0];

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // lamb.gradient@yes
        } else {
            g = grad;  // lamb.gradient@no
        }
        m = lerp(m, g, _first_moment);  // lamb.first_moment
        m_[i] = store(m);
        v = beta2 * v + _second_moment * g * g;  // lamb.second_moment
        v_[i] = store(v);
        // lamb.first_correction@inside, lamb.second_correction@inside, lamb.direction@inside
        real r = m / _first_correction / (sqrt(v) / _direction + eps) + weight_decay * theta;
        r = trust_ratio * r;  // lamb.scaled_direction
        theta = theta + _update * r;  // lamb.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
