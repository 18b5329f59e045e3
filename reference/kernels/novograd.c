// GENERATED from spec/algorithms/novograd.py (dialect novograd/paper) by
//     python -m instep.reference.generate
//
// NovoGrad: what each tensor comes to as a whole, then its lanes. Of x, `x_` is the array and `x`
// the value in a lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE        maximize
//     V_ABSENT        state.get("exp_avg_sq") is None
//     M_ABSENT        state.get("exp_avg") is None
//     GRAD_AVERAGING  grad_averaging
#include "lanes.h"

enum { ARRAYS = 4 };
#define SUMS 1
#define SCALARS 1

static void sums(void *const *at, const double *number, long begin, long end, double *sum)
{
    const stored *restrict grad_ = at[1];  // its gradient

    double _square = 0;
    SIMD_SUM(_square)
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // novograd.gradient@yes
        } else {
            g = grad;  // novograd.gradient@no
        }
        _square += g * g;
    }
    sum[0] = _square;
}

static void whole(
    void *const *at, const double *number, const double *sum, long lanes, double *scalar)
{
    stored *restrict v_ = at[3];  // exp_avg_sq
    const real _second_moment = (real)number[0];  // 1 - beta2
    const real _square = (real)sum[0];
    real square = _square;  // novograd.square
    real v;
    if (V_ABSENT) {
        v = square;  // novograd.second_moment@first
        v_[0] = store(v);
    } else {
        v = load(v_[0]);
        v = lerp(v, square, _second_moment);  // novograd.second_moment@once
        v_[0] = store(v);
    }
    scalar[0] = v;
}

static void step(
    void *const *at, const double *number, const double *scalar, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    const real eps = (real)number[1];
    const real weight_decay = (real)number[2];
    const real _first_moment = (real)number[3];  // 1 - beta1
    const real beta1 = (real)number[4];
    const real _update = (real)number[5];  // -lr
    const real v = (real)scalar[0];

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // novograd.gradient@yes
        } else {
            g = grad;  // novograd.gradient@no
        }
        real u = g / (sqrt(v) + eps);  // novograd.normalised
        u = u + weight_decay * theta;  // novograd.penalty
        real m;
        if (M_ABSENT) {
            m = u;  // novograd.first_moment@first
            m_[i] = store(m);
        } else {
            if (GRAD_AVERAGING) {
                m = load(m_[i]);
                m = lerp(m, u, _first_moment);  // novograd.first_moment@yes
                m_[i] = store(m);
            } else {
                m = load(m_[i]);
                m = beta1 * m + u;  // novograd.first_moment@no
                m_[i] = store(m);
            }
        }
        theta = theta + _update * m;  // novograd.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
